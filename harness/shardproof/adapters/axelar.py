"""
Adapter for Axelar's gateway: weighted signers, batches of commands, and tokens burnt here and minted there.

One chain per shard. A receipt is a contract call with tokens, as the gateway of its source logs
it; a header has, for each chain, the signatures of the operators under one batch, with all
calls to that chain so far; evidence is the batch. Signatures certify themselves: there is no
light client to teach, and nothing to finalise.

A delivery is what a relayer does: it shows the batch to the gateway, and calls the receivers of
all that the gateway approves because of it. Commands that were executed before the gateway
ignores without a word, so a second delivery is answered like the first, and only effects tell.

What the value of a receipt is does not depend on what its sender says: the gateway burns what it
logs. There is one token, and one way in.

Source: `@axelar-network/axelar-cgp-solidity`, contracts `AxelarGateway`, `AxelarGatewayProxy`,
`auth/AxelarAuthWeighted`, `TokenDeployer` and `BurnableMintableCappedERC20`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import ClassVar, Final

from attrs import field, frozen

from ..adapter import ACCEPTED, Delivery, Execution, Message, Outcome, Refused
from ..parts import PARTS, read
from .evm.artefacts import Artefact, from_json, own
from .evm.chain import SENDER, Chain
from .evm.contract import Contract
from .evm.engine import Log, RevertError
from .evm.extras import keccak
from .evm.interface import encoded
from .evm.shards import EvmAdapter, EvmShard
from .evm.signer import Signer

SYMBOL: Final = "TKN"

#: What the users of each chain hold at first.
ENDOWMENT: Final = 1_000

#: The weights of the operators. No two light ones are enough, and no heavy one alone.
WEIGHTS: Final = (1, 2, 3)
THRESHOLD: Final = 4

#: Who signs, in turn: any who are heavy enough will do, as long as they keep their order.
QUORUMS: Final = ((0, 2), (1, 2))

_FILES: Final = "artifacts/contracts/{0}.sol/{1}.json"
_CONTRACTS: Final = {
    "AxelarAuthWeighted": "auth/AxelarAuthWeighted",
    "AxelarGateway": "AxelarGateway",
    "AxelarGatewayProxy": "AxelarGatewayProxy",
    "BurnableMintableCappedERC20": "BurnableMintableCappedERC20",
    "TokenDeployer": "TokenDeployer",
}

_OPERATORS: Final = ("address[]", "uint256[]", "uint256")
#: What a batch is made of: the chain, and of each command its number, its name and its parameters.
BATCH: Final = ("uint256", "bytes32[]", "string[]", "bytes[]")
_APPROVAL: Final = ("string", "string", "address", "bytes32", "bytes32", "uint256")
_APPROVAL_WITH_MINT: Final = (
    "string",
    "string",
    "address",
    "bytes32",
    "string",
    "uint256",
    "bytes32",
    "uint256",
)

#: Calls are counted from zero, so no call of a run has a number in the upper half.
_FORGED_NUMBER: Final = 1 << 63


@frozen
class Call:
    """A receipt taken apart: call number `number` of a chain, to another one, with an amount of the token."""

    source: int
    number: int
    destination: int
    amount: int
    payload: bytes

    @classmethod
    def of(cls, receipt: bytes) -> Call:
        """Cut any bytes into fields."""
        source, number, destination, amount = (
            int.from_bytes(receipt[start:end]) for start, end in ((0, 4), (4, 12), (12, 16), (16, 32))
        )
        return cls(source, number, destination, amount, receipt[32:])

    def encoded(self) -> bytes:
        """As a receipt."""
        ends = self.source.to_bytes(4) + self.number.to_bytes(8) + self.destination.to_bytes(4)
        return ends + self.amount.to_bytes(16) + self.payload

    @property
    def command(self) -> bytes:
        """Under which number the network asks for it: nothing else has it."""
        return keccak(b"%d:%d" % (self.source, self.number))


# Whatever a chain has sent is in all of its batches from then on.
@lru_cache(maxsize=1 << 12)
def approval(call: Call, receiver: str) -> tuple[bytes, str, bytes]:
    """The command that approves a call: its number, its name and its parameters."""
    who = (chain_name(call.source), SENDER, receiver, keccak(call.payload))
    where = (keccak(b"%d" % call.source), call.number)
    if not call.amount:
        return call.command, "approveContractCall", encoded(_APPROVAL, (*who, *where))
    carried = (SYMBOL, call.amount)
    data = encoded(_APPROVAL_WITH_MINT, (*who, *carried, *where))
    return call.command, "approveContractCallWithMint", data


def chain_name(number: int) -> str:
    """How gateways call a chain."""
    return f"chain-{number}"


@cache
def operators() -> tuple[Signer, ...]:
    """The operators of every chain, in the order in which the gateway wants their signatures."""
    named = (Signer.named(b"shardproof operator %d" % i) for i in range(len(WEIGHTS)))
    return tuple(sorted(named, key=lambda signer: signer.address))


@cache
def _addresses() -> tuple[bytes, ...]:
    """Those of the operators, as their bytes: the library encodes these in half the time."""
    return tuple(bytes.fromhex(operator.address.removeprefix("0x")) for operator in operators())


def signed(data: bytes, quorum: tuple[int, ...]) -> bytes:
    """The proof that goes with a batch: all operators, and the signatures of some."""
    return _signed(keccak(data), quorum)


# A chain to which nothing new was sent gets the same batch again, from one of the same quorums.
@lru_cache(maxsize=1 << 12)
def _signed(digest: bytes, quorum: tuple[int, ...]) -> bytes:
    signatures = tuple(operators()[i].sign_personally(digest) for i in quorum)
    return encoded((*_OPERATORS, "bytes[]"), (_addresses(), WEIGHTS, THRESHOLD, signatures))


@frozen(eq=False)
class Commitment:
    """What a header is about: so many calls, and the batch for each chain."""

    count: int
    batches: Mapping[int, bytes] = field(repr=False)


class GatewayShard(EvmShard):
    """One chain with a gateway, its token, and a receiver; its notes are the commitments of its headers."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain)
        known = _artefacts()
        auth = self.deployed(
            known["AxelarAuthWeighted"], [encoded(_OPERATORS, (_addresses(), WEIGHTS, THRESHOLD))]
        )
        deployer = self.deployed(known["TokenDeployer"])
        code = self.deployed(known["AxelarGateway"], auth.address, deployer.address)
        roles = encoded(("address", "address", "bytes"), (SENDER, SENDER, b""))
        proxy = self.deployed(known["AxelarGatewayProxy"], code.address, roles)
        errors = known["AxelarGateway"].interface.knowing(known["AxelarAuthWeighted"].interface)
        self.gateway = Contract(chain, proxy.address, errors)
        auth.send("transferOwnership", proxy.address)
        self.token = self._token(known["BurnableMintableCappedERC20"])
        self.receiver = self.deployed(own("AxelarReceiver"), proxy.address, SENDER)
        self.received = self.receiver.watch("Received")
        self.sent = _Calls(self.number)
        for event in ("ContractCall", "ContractCallWithToken"):
            chain.watch(proxy.address, self.gateway.topic(event), self.sent)

    def execute(self, evidence: bytes, proof: bytes) -> list[Log]:
        """Show the gateway a batch; what it has logged. Raises `RevertError`."""
        return self.gateway.send("execute", encoded(("bytes", "bytes"), (evidence, proof)))

    def take(self, call: Call) -> Outcome:
        """Call the receiver with what is said to be approved."""
        said = (call.command, chain_name(call.source), SENDER, call.payload)
        if call.amount:
            return self.receiver.attempt("executeWithToken", *said, SYMBOL, call.amount)
        return self.receiver.attempt("execute", *said)

    def _token(self, kind: Artefact) -> Contract:
        """A token that the gateway has deployed, and that a user holds some of."""
        nobody = "0x" + "00" * 20
        described = encoded(
            ("string", "string", "uint8", "uint256", "address", "uint256"),
            (SYMBOL, SYMBOL, 18, 1 << 120, nobody, 0),
        )
        minted = encoded(("string", "address", "uint256"), (SYMBOL, SENDER, ENDOWMENT))
        commands = [keccak(b"token"), keccak(b"endowment")]
        data = encoded(BATCH, (self.number, commands, ["deployToken", "mintToken"], [described, minted]))
        self.execute(data, signed(data, QUORUMS[0]))
        return Contract(self.chain, self.gateway.call("tokenAddresses", SYMBOL), kind.interface)


class AxelarAdapter(EvmAdapter[GatewayShard]):
    """Gateways that burn and mint, and approve what operators of enough weight have signed."""

    name: ClassVar[str] = "axelar"

    def build(self, chain: Chain) -> GatewayShard:
        return GatewayShard(chain)

    # ---- required ---------------------------------------------------------------------------

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self.send(Message(source, destination, payload))

    def produce(self, shard: str) -> bytes | Refused:
        at = self.shards[shard]
        quorum = QUORUMS[len(at.notes) % len(QUORUMS)]
        batches = {to.number: _batch(at.sent, to) for to in self.shards.values()}
        at.notes.append(Commitment(len(at.sent), batches))
        place = at.number.to_bytes(4) + len(at.notes).to_bytes(4)
        return place + b"".join(signed(batch, quorum) for batch in batches.values())

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        source, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
        at, call = self.shards[self.names[source]], Call.of(receipt)
        commitment = at.notes[height - 1]
        assert isinstance(commitment, Commitment), "what was noted is what a header is about"
        if call.number >= commitment.count or at.sent[call.number] != call:
            return Refused("the header does not commit to this call")
        return commitment.batches[call.destination]

    def deliver(self, delivery: Delivery) -> Outcome:
        to = self.shards[delivery.destination]
        place = 8 + _proof_bytes() * list(self.shards).index(delivery.destination)
        proof = delivery.header[place : place + _proof_bytes()]
        try:
            logs = to.execute(delivery.evidence, proof)
        except RevertError as reverted:
            return Refused(to.gateway.interface.reason(reverted))
        shown = Call.of(delivery.receipt)
        taken = {shown.command} if to.take(shown) == ACCEPTED else set()
        for event in ("ContractCallApproved", "ContractCallApprovedWithMint"):
            for approved in to.gateway.logged(logs, event):
                call = self._known(approved["sourceChain"], approved["sourceEventIndex"])
                if call is not None and approved["commandId"] not in taken:
                    to.take(call)
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [
            Execution(x["payload"], self._named(x["sourceChain"]) or repr(x["sourceChain"]))
            for x in self.shards[shard].received.after(since)
        ]

    # ---- capabilities -----------------------------------------------------------------------

    def send(self, message: Message) -> bytes | Refused:
        at, to = self.shards[message.source], self.shards[message.destination]
        if message.entrance:
            return Refused("there is no other way in")
        said = (chain_name(to.number), to.receiver.address, message.payload)
        # What the user pays is what he lets the gateway take, whatever he says.
        amount = message.amount if message.claimed is None else message.claimed
        symbol = f"{SYMBOL}{message.asset or ''}"
        at.token.send("approve", at.gateway.address, message.amount)
        try:
            if amount or message.amount:
                at.gateway.send("callContractWithToken", *said, symbol, amount)
            else:
                at.gateway.send("callContract", *said)
        except RevertError as reverted:
            return Refused(at.gateway.interface.reason(reverted))
        return at.sent[len(at.sent) - 1].encoded()

    def balance(self, shard: str) -> int:
        at = self.shards[shard]
        # Whatever was minted and not burnt is somebody's.
        supply: int = at.token.call("totalSupply")
        return supply

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        ends = self.shards[source].number, self.shards[destination].number
        number = _FORGED_NUMBER | int.from_bytes(keccak(payload)[:4])
        return Call(ends[0], number, ends[1], 1, payload).encoded()

    # ---- inside -----------------------------------------------------------------------------

    def _known(self, source: bytes, number: int) -> Call | None:
        """The call that an approval is about, for a relayer knows those that were logged and no others."""
        name = self._named(source)
        sent = self.shards[name].sent if name is not None else ()
        return sent[number] if number < len(sent) else None

    def _named(self, chain: bytes) -> str | None:
        """The shard whose chain gateways call so, if there is one."""
        return next(
            (name for number, name in self.names.items() if chain_name(number).encode() == chain), None
        )


def _batch(sent: _Calls, to: GatewayShard) -> bytes:
    """All calls to a chain, among those that another has sent so far."""
    commands = [approval(call, to.receiver.address) for call in sent if call.destination == to.number]
    columns = list(zip(*commands, strict=True)) or [(), (), ()]
    return encoded(BATCH, (to.number, *columns))


class _Calls:
    """A view: the calls of a chain, as its gateway has logged them."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._calls: list[Call] = []

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, number: int) -> Call:
        return self._calls[number]

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    def append(self, log: Log) -> None:
        """Take in one more."""
        gateway = _artefacts()["AxelarGateway"].interface
        with_token = log.topics[0] == gateway.event("ContractCallWithToken").topic
        event = gateway.event("ContractCallWithToken" if with_token else "ContractCall").decoded(log)
        destination = int(event["destinationChain"].rpartition(b"-")[2])
        amount = event["amount"] if with_token else 0
        self._calls.append(Call(self._number, len(self), destination, amount, event["payload"]))

    def truncate(self, length: int) -> None:
        """Forget all but the first `length`."""
        del self._calls[length:]


@cache
def _proof_bytes() -> int:
    """The length of a proof: that of all is the same."""
    return len(signed(b"", QUORUMS[0]))


@cache
def _artefacts() -> dict[str, Artefact]:
    paths = {name: _FILES.format(path, name) for name, path in _CONTRACTS.items()}
    files = read(PARTS["axelar-gateway"], paths.values())
    return {name: from_json(files[path].decode(), path) for name, path in paths.items()}
