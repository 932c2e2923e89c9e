from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from functools import _lru_cache_wrapper
from pathlib import Path
from types import ModuleType

import pytest
from attrs import define, field

from shardproof.adapter import Refused
from shardproof.adapters.evm import chain as chain_module
from shardproof.adapters.evm import extras
from shardproof.adapters.evm.artefacts import built, from_json, from_typechain
from shardproof.adapters.evm.chain import SENDER, Chain, Moment
from shardproof.adapters.evm.contract import Contract
from shardproof.adapters.evm.engine import BLOCK_SECONDS, Log, PyrevmEngine, RevertError
from shardproof.adapters.evm.extras import keccak
from shardproof.adapters.evm.incremental_tree import DEPTH, IncrementalTree
from shardproof.adapters.evm.interface import REASON_MAX, Interface
from shardproof.errors import AdapterError, MissingPartError, UsageError

#: Without data: returns slot 0. With a word: refuses zero, else adds it to slot 0 and logs the sum.
COUNTER = bytes.fromhex("36600c575f545f5260205ff35b5f35806016575f5ffd5b5f5401805f555f52600160205fa160205ff3")
TOPIC = (1).to_bytes(32)

#: Returns the number of its block.
CLOCK = bytes.fromhex("435f5260205ff3")

#: Returns transient slot 0, and sets it to 1.
FORGETFUL = bytes.fromhex("5f5c5f5260015f5d60205ff3")


def creation(runtime: bytes) -> bytes:
    """Code that creates a contract which consists of `runtime`."""
    return bytes([0x60, len(runtime), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + runtime


@define
class Sums:
    """A view: every sum that was logged."""

    values: list[int] = field(factory=list)

    def __len__(self) -> int:
        return len(self.values)

    def append(self, log: Log) -> None:
        self.values.append(int.from_bytes(log.data))

    def truncate(self, length: int) -> None:
        del self.values[length:]


class Counter:
    """A sealed chain with a counter on it, a clock beside, and a view of the sums."""

    def __init__(self) -> None:
        self.chain = Chain(1)
        self.address = self.chain.create(creation(COUNTER))
        self.clock = self.chain.create(creation(CLOCK))
        self.sums = Sums()
        self.chain.watch(self.address, TOPIC, self.sums)
        self.chain.seal()

    def add(self, number: int) -> None:
        self.chain.send(self.address, number.to_bytes(32))

    def refuse(self) -> None:
        with pytest.raises(RevertError):
            self.chain.send(self.address, bytes(32))

    @property
    def state(self) -> tuple[int, int, list[int]]:
        value = int.from_bytes(self.chain.call(self.address, b""))
        block = int.from_bytes(self.chain.call(self.clock, b""))
        return value, block, list(self.sums.values)


@pytest.fixture
def counter() -> Counter:
    return Counter()


class TestChain:
    def test_returns_to_any_snapshot_in_any_order(
        self, counter: Counter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Whatever is sent, refused, snapshot and restored, a snapshot means one state for ever.

        With room for three checkpoints and an engine replaced after fifty calls, every way of
        returning is taken: from the stack, by calling again, and on a new engine.
        """
        monkeypatch.setattr(chain_module, "CHECKPOINTS_MAX", 3)
        monkeypatch.setattr(chain_module, "ENGINE_CALLS_MAX", 50)
        choose = random.Random(1)
        taken: list[tuple[Moment, tuple[int, int, list[int]]]] = []
        restored = 0

        for _ in range(3_000):
            match choose.choice(("add", "add", "refuse", "snapshot", "restore", "reset")):
                case "add":
                    counter.add(choose.randint(1, 9))
                case "refuse":
                    counter.refuse()
                case "snapshot":
                    taken.append((counter.chain.snapshot(), counter.state))
                case "restore" if taken:
                    moment, state = choose.choice(taken)
                    counter.chain.restore(moment)
                    restored += 1
                    assert counter.state == state
                case "reset" if choose.random() < 0.1:
                    counter.chain.reset()
                    assert counter.state == (0, 1, [])

        assert restored > 400

    def test_restores_thousands_of_times_without_using_up_the_call_depth(self, counter: Counter) -> None:
        """
        Checkpoints are undone in pairs with their making, so the machine's 1,024 levels do not run out.
        """
        base = counter.chain.snapshot()

        for _ in range(1_500):
            counter.add(1)
            counter.chain.snapshot()
            counter.add(1)
            counter.chain.restore(base)
        counter.add(5)

        assert counter.state == (5, 2, [5])

    def test_has_room_for_more_snapshots_than_checkpoints(self, counter: Counter) -> None:
        """
        More snapshots than the machine has levels can be taken in a row, and each can be restored.
        """
        taken = []
        for _ in range(1_200):
            counter.add(1)
            taken.append(counter.chain.snapshot())

        values = []
        for i in (1_199, 0, 700, 40, 1_100):
            counter.chain.restore(taken[i])
            values.append(counter.state[0])

        assert values == [1_200, 1, 701, 41, 1_101]

    def test_says_so_where_history_was_too_long_to_keep(
        self, counter: Counter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A snapshot after too many calls is good until an older one is restored, and then an error.
        """
        monkeypatch.setattr(chain_module, "HISTORY_MAX", 5)
        base = counter.chain.snapshot()
        for _ in range(10):
            counter.add(1)
        late = counter.chain.snapshot()
        counter.add(1)

        counter.chain.restore(late)
        again = counter.state[0]
        counter.chain.restore(base)

        assert again == 10
        with pytest.raises(AdapterError, match="chain 1 cannot return to this snapshot"):
            counter.chain.restore(late)

    def test_is_made_anew_after_many_calls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A machine that only ever grows is replaced when the chain returns to its beginning.
        """
        monkeypatch.setattr(chain_module, "ENGINE_CALLS_MAX", 20)
        made: list[int] = []

        def engine(chain_id: int) -> PyrevmEngine:
            made.append(chain_id)
            return PyrevmEngine(chain_id)

        chain = Chain(7, engine)
        address = chain.create(creation(COUNTER))
        chain.send(address, (3).to_bytes(32))
        chain.seal()
        for _ in range(3):
            for _ in range(21):
                chain.send(address, (1).to_bytes(32))
            chain.reset()

        assert made == [7, 7, 7, 7]
        assert int.from_bytes(chain.call(address, b"")) == 3

    def test_clears_transient_storage_between_calls(self) -> None:
        """
        Transient storage lasts for one transaction (EIP-1153).
        """
        engine = PyrevmEngine(1)
        address = engine.deploy(SENDER, creation(FORGETFUL))

        answers = [engine.call(SENDER, address, b"", static=False) for _ in range(2)]

        assert answers == [bytes(32), bytes(32)]

    def test_tells_a_seal_that_was_forgotten_or_broken(self) -> None:
        """
        What is deployed late would be lost at the next reset, so it is an error.
        """
        chain = Chain(1)
        with pytest.raises(AdapterError, match="before it was sealed"):
            chain.snapshot()

        chain.seal()

        with pytest.raises(AdapterError, match="after its chain was sealed"):
            chain.create(creation(COUNTER))

    def test_shows_a_contract_that_cannot_be_deployed(self) -> None:
        """
        A constructor that reverts is the adapter's mistake, not an outcome.
        """
        with pytest.raises(AdapterError, match="refused to be deployed"):
            Chain(1).create(bytes.fromhex("5f5ffd"))


def error(text: bytes) -> bytes:
    return bytes.fromhex("08c379a0") + (32).to_bytes(32) + len(text).to_bytes(32) + text


ONE_FIELD = {"type": "tuple", "components": [{"type": "uint8"}]}


class TestReason:
    INTERFACE = Interface.of([{"type": "error", "name": "TooSoon", "inputs": [ONE_FIELD]}])

    @pytest.mark.parametrize(
        "output,reason",
        [
            (b"", "without a reason"),
            (error(b"already delivered"), "already delivered"),
            (error(b"bell \x07 and \xff"), "bell \\x07 and �"),
            (bytes.fromhex("4e487b71") + (0x11).to_bytes(32), "panic, arithmetic overflow"),
            (bytes.fromhex("4e487b71") + (0x99).to_bytes(32), "panic, 0x99"),
            (keccak(b"TooSoon((uint8))")[:4] + b"\1", "TooSoon((uint8)) 01"),
            (b"\1\2\3\4\5", "0x0102030405"),
            (b"\1", "0x01"),
        ],
    )
    def test_is_in_the_words_of_the_contract(self, output: bytes, reason: str) -> None:
        """
        The two errors of the language, the contract's own, and raw bytes for all others.
        """
        assert self.INTERFACE.reason(RevertError(output)) == reason

    @pytest.mark.parametrize(
        "output", [error(b"x" * 1_000_000), b"\1" * 1_000_000, error(b"")[:-1] + b"\xff" * 9]
    )
    def test_is_short_whatever_the_contract_says(self, output: bytes) -> None:
        """
        A contract may answer with megabytes, or with a length that is a lie.
        """
        assert len(self.INTERFACE.reason(RevertError(output))) < REASON_MAX + 50

    def test_names_what_stopped_the_machine(self) -> None:
        """
        A call that runs out of its bounds has no output, and the machine says what happened.
        """
        chain = Chain(1)
        address = chain.create(creation(b"\xfe"))

        with pytest.raises(RevertError) as caught:
            chain.send(address, b"")

        assert self.INTERFACE.reason(caught.value) == "InvalidFEOpcode"

    def test_calls_a_transaction_that_is_too_large_a_refusal(self, counter: Counter) -> None:
        """
        What the chain would not even take is refused like anything else.
        """
        with pytest.raises(RevertError) as caught:
            counter.chain.send(counter.address, b"\1" * 10_000_000)

        assert "CallGasCostMoreThanGasLimit" in self.INTERFACE.reason(caught.value)


FACTORY = """
const _abi = [
    {
        inputs: [
            {
                internalType: "uint256",
                name: "by",
                type: "uint256",
            },
        ],
        name: "add",
        outputs: [],
        stateMutability: "nonpayable",
        type: "function",
    },
    {
        inputs: [],
        name: "add",
        outputs: [],
        stateMutability: "nonpayable",
        type: "function",
    },
];
const _bytecode = "0x%s";
const isSuperArgs = (xs) => xs.length > 1;
"""


class TestArtefacts:
    def test_are_read_without_running_them(self) -> None:
        """
        Interface and code come out of a factory's text, and a call finds its function by signature.
        """
        artefact = from_typechain(FACTORY % creation(COUNTER).hex(), "Counter")
        chain = Chain(1)
        contract = Contract.deployed(chain, artefact)

        assert artefact.code == creation(COUNTER)
        assert artefact.interface.function("add(uint256)").selector == keccak(b"add(uint256)")[:4]
        assert contract.word == bytes(12) + bytes.fromhex(contract.address[2:])

    def test_do_not_guess_which_overload_is_meant(self) -> None:
        """
        A name with two signatures is no name of a function, and the error lists what is.
        """
        artefact = from_typechain(FACTORY % "00", "Counter")

        with pytest.raises(AdapterError, match="no function 'add'") as caught:
            artefact.interface.function("add")

        assert "add(" in dict(caught.value.facts)["help"]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            FACTORY.partition("const _bytecode")[0],
            FACTORY % "60__$f0$__",
            FACTORY.replace("_abi", "abi") % "00",
        ],
    )
    def test_say_what_cannot_be_deployed(self, text: str) -> None:
        """
        An abstract contract, one with unlinked libraries, and what is no factory at all.
        """
        with pytest.raises(AdapterError, match="Thing is not a compiled contract that can be deployed"):
            from_typechain(text, "Thing")

    def test_say_what_cannot_be_read(self) -> None:
        """
        Code of half a byte, and an interface that is not one.
        """
        with pytest.raises(AdapterError, match="the interface or the code of Thing cannot be read"):
            from_typechain(FACTORY % "0", "Thing")
        with pytest.raises(AdapterError, match="the interface or the code of Thing cannot be read"):
            from_typechain(FACTORY.replace("inputs: [],", "inputs: new,") % "00", "Thing")


class TestExtras:
    @pytest.mark.parametrize("use,module", [(extras.revm, "pyrevm"), (extras.curve, "coincurve")])
    def test_name_the_command_that_installs_them(
        self, use: _lru_cache_wrapper[object], module: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Without the extra, using a contract is a usage error that says what to install.
        """
        monkeypatch.setitem(sys.modules, module, None)
        use.cache_clear()

        with pytest.raises(MissingPartError) as caught:
            use()

        assert "pip install 'shardproof[evm]'" in dict(caught.value.facts)["help"]

    def test_hash_by_whatever_backend_there_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Where the fastest backend cannot be had, the library chooses among the others.
        """
        chosen = ModuleType("eth_hash.auto")
        monkeypatch.setattr(chosen, "keccak", lambda data: b"hash of " + data, raising=False)
        monkeypatch.setitem(sys.modules, "eth_hash.backends.pysha3", None)
        monkeypatch.setitem(sys.modules, "eth_hash.auto", chosen)
        extras._keccak.cache_clear()

        try:
            assert extras.hashed(b"data") == b"hash of data"
        finally:
            extras._keccak.cache_clear()

    def test_are_not_imported_before_they_are_used(self) -> None:
        """
        Naming an adapter costs no library that it would need only when it runs.
        """
        ask = (
            "import sys, shardproof.adapters.hyperlane as h; h.variant('');"
            "sys.exit(' '.join({'pyrevm', 'eth_hash', 'coincurve'} & set(sys.modules)))"
        )

        done = subprocess.run(
            [sys.executable, "-c", ask],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": ":".join(sys.path)},
        )

        assert done.stderr.strip() == ""


def full_root(leaves: list[bytes]) -> bytes:
    """The root computed from all leaves at once."""
    level, empty = list(leaves), bytes(32)
    for _ in range(DEPTH):
        level += [empty] * (len(level) % 2)
        level = [keccak(left + right) for left, right in zip(level[::2], level[1::2], strict=True)]
        empty = keccak(empty + empty)
    return level[0] if level else empty


def climbed(leaf: bytes, position: int, path: tuple[bytes, ...]) -> bytes:
    """The root that a path leads to."""
    for height, sibling in enumerate(path):
        leaf = keccak(sibling + leaf) if position >> height & 1 else keccak(leaf + sibling)
    return leaf


def leaf(i: int) -> bytes:
    return keccak(b"leaf %d" % i)


class TestIncrementalTree:
    def test_agrees_with_a_tree_computed_at_once_under_every_count(self) -> None:
        """
        For every count so far, the root is that of the whole tree, and every path leads to it.
        """
        size = 21
        tree = IncrementalTree()
        for i in range(size):
            tree.add(leaf(i))

        for count in range(size + 1):
            root = full_root([leaf(i) for i in range(count)])
            assert tree.root(count) == root
            assert [climbed(leaf(i), i, tree.path(i, count)) for i in range(count)] == [root] * count

    def test_forgets_what_is_truncated(self) -> None:
        """
        After going back and on another way, nothing of the first way is left in any root or path.
        """
        tree = IncrementalTree()
        for i in range(13):
            tree.add(leaf(i))
        tree.root(13)

        tree.truncate(6)
        for i in range(100, 107):
            tree.add(leaf(i))

        leaves = [leaf(i) for i in (*range(6), *range(100, 107))]
        assert [tree[i] for i in range(len(tree))] == leaves
        assert [tree.position(leaf(i)) for i in (5, 6, 100)] == [5, None, 6]
        for count in range(len(leaves) + 1):
            assert tree.root(count) == full_root(leaves[:count])


SAMPLES = Path(__file__).parents[2] / "samples" / "solidity"
FOUNDRY, HARDHAT = SAMPLES / "foundry" / "out", SAMPLES / "hardhat" / "artifacts"


class TestBuilds:
    def test_of_foundry_and_hardhat_are_read_alike(self) -> None:
        """
        Either tool writes the same interface and code in its own shape.
        """
        first, second = built(FOUNDRY, "Outpost"), built(HARDHAT, "Outpost.sol:Outpost")

        assert first == second
        assert len(first.code) > 1_000
        assert first.interface.constructor == ("uint32", "address")

    def test_say_what_is_not_there(self, tmp_path: Path) -> None:
        """
        A name that is nearly right, one that two sources have, and a folder without a build.
        """
        with pytest.raises(UsageError, match="no contracts called 'Outposts'") as near:
            built(FOUNDRY, "Outposts")
        shutil.copytree(FOUNDRY / "Outpost.sol", tmp_path / "Outpost.sol")
        shutil.copytree(FOUNDRY / "Outpost.sol", tmp_path / "Copy.sol")
        with pytest.raises(UsageError, match="2 contracts called 'Outpost'") as two:
            built(tmp_path, "Outpost")
        with pytest.raises(UsageError, match="no compiled contracts"):
            built(tmp_path / "nowhere", "Outpost")

        assert dict(near.value.facts)["help"] == "did you mean 'Outpost'?"
        assert dict(two.value.facts)["help"] == "say which, as 'Copy.sol:Outpost'"

    @pytest.mark.parametrize("shape", ["foundry", "hardhat"])
    def test_are_linked_with_libraries(self, shape: str) -> None:
        """
        The address of a library goes where its placeholder is; without it, the error says which is wanted.
        """
        code, places = f"0x60__${'f0' * 17}$__61", {"src/Tree.sol": {"Tree": [{"start": 1, "length": 20}]}}
        bytecode: object = code if shape == "hardhat" else {"object": code, "linkReferences": places}
        text = json.dumps({"abi": [], "bytecode": bytecode, "linkReferences": places})

        with pytest.raises(AdapterError, match="is not a compiled contract that can be deployed") as unlinked:
            from_json(text, "Thing")

        assert from_json(text, "Thing", {"Tree": SENDER}).code == b"\x60" + bytes([0xE0] * 20) + b"\x61"
        assert dict(unlinked.value.facts)["help"] == "say where they are: libraries={'Tree': address}"

    @pytest.mark.parametrize(
        "text,why",
        [
            ("{", "Thing is not JSON"),
            ("[]", "Thing is not a compiled contract"),
            ('{"abi": []}', "Thing is not a compiled contract"),
            ('{"abi": [], "bytecode": "0x"}', "Thing is not a compiled contract that can be deployed"),
            ('{"abi": [], "bytecode": "0x60__$f0$__"}', "Thing is not a compiled contract that can be"),
            ('{"abi": [], "bytecode": "0x600"}', "the interface or the code of Thing cannot be read"),
            ('{"abi": [{}], "bytecode": "0x60"}', "the interface or the code of Thing cannot be read"),
        ],
    )
    def test_say_what_is_wrong_with_a_file(self, text: str, why: str) -> None:
        """
        No interface, no code, a library that is not linked, half a byte, an entry of no kind.
        """
        with pytest.raises(AdapterError, match=why):
            from_json(text, "Thing")


class TestOutpost:
    """A contract of our own on the base that adapters of contracts share."""

    def test_refuses_in_the_words_of_its_source(self) -> None:
        """
        Errors that a contract declares are read by its interface, with what they say.
        """
        chain = Chain(5)
        outpost = Contract.deployed(chain, built(FOUNDRY, "Outpost"), 5, SENDER)
        chain.seal()

        answers = [outpost.attempt("deliver", b"", header, b"") for header in (b"", bytes(105))]

        assert answers == [
            Refused("Malformed(header)"),
            Refused("NotAttested(0x0000000000000000000000000000000000000000)"),
        ]

    def test_shows_events_and_their_tree_in_step_with_the_chain(self) -> None:
        """
        Two views of the same event; both return to any moment, and time does too.
        """
        chain = Chain(5)
        outpost = Contract.deployed(chain, built(HARDHAT, "Outpost"), 5, SENDER)
        sent = outpost.watch("Sent")
        tree = outpost.tree("Sent", lambda event: keccak(event["message"]))
        chain.seal()
        before, began = chain.snapshot(), chain.now
        for payload in (b"one", b"two"):
            logs = outpost.send("send", 7, payload)
        chain.wait(60)
        after, later = chain.snapshot(), chain.now
        messages = [x["message"] for x in sent.after(0)]

        chain.restore(before)
        at_first = (len(sent), len(tree), chain.now)
        chain.restore(after)

        assert outpost.logged(logs, "Sent") == [{"message": messages[1]}]
        assert messages[0][-3:] == b"one"
        assert at_first == (0, 0, began)
        assert later == began + 2 * BLOCK_SECONDS + 60
        assert (len(sent), tree.position(keccak(messages[1])), chain.now) == (2, 1, later)

    def test_does_not_guess_which_of_two_events_is_meant(self) -> None:
        """
        A name with two signatures is no name of an event; what a topic only hashes stays the hash.
        """
        text = {"name": "what", "type": "string", "indexed": True}
        number = {"name": "count", "type": "uint256", "indexed": False}
        said = [{"type": "event", "name": "Said", "inputs": inputs} for inputs in ([text, number], [number])]
        interface = Interface.of(said)
        log = Log(SENDER, (keccak(b"Said(string,uint256)"), keccak(b"hello")), (7).to_bytes(32))

        with pytest.raises(AdapterError, match="no event 'Said'"):
            interface.event("Said")

        event = interface.event("Said(string,uint256)")
        assert event.decoded(log) == {"what": keccak(b"hello"), "count": 7}
        with pytest.raises(AdapterError, match="an event cannot be read"):
            event.decoded(Log(SENDER, log.topics, b""))

    def test_says_which_event_there_is(self) -> None:
        """
        A misspelled event is the adapter's mistake.
        """
        outpost = Contract.deployed(Chain(5), built(FOUNDRY, "Outpost"), 5, SENDER)

        with pytest.raises(AdapterError, match="no event 'Send'") as caught:
            outpost.watch("Send")

        assert dict(caught.value.facts)["help"] == "did you mean 'Sent'?"
