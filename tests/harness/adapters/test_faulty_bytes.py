"""
Each mistake in the core shard by hand, in as few steps as it says, beside the reference on the same script.

A script tells a short story to an adapter and returns what an onlooker saw. It must see one
thing with the mistake and another without, or the mistake is none. Of mistakes in the wider
stacks the committed traces are the scripts: `test_replay.py` plays each on both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest
from attrs import evolve

from shardproof.adapter import ACCEPTED, Adapter, Delivery, Execution, Outcome, Path, Refused, Topology
from shardproof.adapters.faulty import CONTROLS, FAULTS, variant
from shardproof.adapters.faulty.registry import CORE
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.errors import UsageError
from shardproof.loading import load
from shardproof_models.mistakes import NAMED
from shardproof_models.stacks import STACKS, stack
from shardproof_properties.catalogue import properties_of

THREE = Topology.of(3)


class Story:
    """An adapter whose steps are counted, and which is only ever asked for what it can do."""

    def __init__(self, adapter: Adapter) -> None:
        self.system = adapter
        self.system.open(THREE)
        self.steps = 0

    def emit(self, payload: bytes, source: str = "A", destination: str = "B") -> bytes:
        self.steps += 1
        return self._bytes(self.system.emit(source, destination, payload))

    def produce(self, shard: str = "A") -> bytes:
        self.steps += 1
        return self._bytes(self.system.produce(shard))

    def finalise(self, header: bytes, shard: str = "A") -> bytes:
        self.steps += 1
        return self._bytes(self.system.finalise(shard, header))

    def learn(self, header: bytes, shard: str = "B") -> Outcome:
        self.steps += 1
        return self.system.learn(shard, header)

    def deliver(self, receipt: bytes, header: bytes, evidence: bytes | None = None, to: str = "B") -> Outcome:
        self.steps += 1
        return self.system.deliver(self.delivery(receipt, header, evidence, to))

    def reenter(self, receipt: bytes, header: bytes) -> Outcome:
        self.steps += 1
        return self.system.reenter(self.delivery(receipt, header, None, "B"))

    def restart(self) -> None:
        self.steps += 1
        self.system.restart("B")

    def revert(self, header: bytes) -> Outcome:
        self.steps += 1
        return self.system.revert("B", header)

    def learned(self, shard: str = "A", by: str = "B") -> bytes:
        """Three steps: the next block of `shard`, final, and learned at `by`."""
        header = self.finalise(self.produce(shard), shard)
        assert self.learn(header, by) == ACCEPTED
        return header

    # What costs nothing, because it changes nothing.

    def delivery(self, receipt: bytes, header: bytes, evidence: bytes | None, to: str) -> Delivery:
        return Delivery(to, receipt, header, self.proof(receipt, header) if evidence is None else evidence)

    def proof(self, receipt: bytes, header: bytes) -> bytes:
        return self._bytes(self.system.prove(receipt, header))

    def effects(self, shard: str = "B") -> list[Execution]:
        return [e if isinstance(e, Execution) else Execution(e) for e in self.system.executed(shard, 0)]

    @staticmethod
    def _bytes(answer: bytes | Refused) -> bytes:
        assert isinstance(answer, bytes), answer
        return answer


ONCE = [Execution(b"one", "A")]
TWICE = [*ONCE, *ONCE]


def presented_twice(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(receipt, header)
    story.deliver(receipt, header)
    return story.effects()


def a_byte_after_the_proof(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(receipt, header)
    story.deliver(receipt, header, story.proof(receipt, header) + b"!")
    return story.effects()


def once_without_the_certificate(story: Story) -> object:
    receipt, bare = story.emit(b"one"), story.produce()
    certified = story.finalise(bare)
    story.learn(certified)
    story.deliver(receipt, certified)
    story.deliver(receipt, bare)
    return story.effects()


def under_the_next_header(story: Story) -> object:
    receipt = story.emit(b"one")
    story.deliver(receipt, story.learned())
    story.deliver(receipt, story.learned())
    return story.effects()


def the_first_of_two_sources(story: Story) -> object:
    first, second = story.emit(b"one"), story.emit(b"two", source="C")
    story.deliver(first, story.learned("A"))
    return story.deliver(second, story.learned("C"))


def forged_under_an_empty_block(story: Story) -> object:
    story.deliver(story.system.forge("A", "B", b"forged"), story.learned(), b"")
    return story.effects()


def never_learned(story: Story) -> object:
    receipt = story.emit(b"one")
    header = story.finalise(story.produce())
    return story.deliver(receipt, header)


def learned_too_early(story: Story) -> object:
    return story.learn(story.produce())


def from_nowhere(story: Story) -> object:
    story.deliver(story.system.forge("A", "B", b"forged"), b"", b"")
    return story.effects()


def in_the_name_of_another(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    relabelled = receipt.replace(b"A", b"C", 1)
    story.deliver(relabelled, header, story.proof(receipt, header))
    return story.effects()


def two_leaves_as_one(story: Story) -> object:
    first, second = story.emit(b"one"), story.emit(b"two")
    header = story.learned()
    path = story.system.dissect(story.proof(first, header))
    pair = story.system.leaf(first) + path.siblings[0]
    assert path.siblings[0] == story.system.leaf(second)
    above = Path(path.index >> 1, 1, path.siblings[1:])
    story.deliver(pair, header, story.system.assemble(above))
    return [len(effect.payload) for effect in story.effects()]


def at_the_place_of_its_copy(story: Story) -> object:
    for payload in (b"two", b"three"):
        story.emit(payload)
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(receipt, header)
    # The evidence for an honest index, with the index changed and nothing else.
    path = story.system.dissect(story.proof(receipt, header))
    story.deliver(receipt, header, story.system.assemble(evolve(path, index=path.index + 1)))
    return story.effects()


def at_another_shard(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned(by="C")
    story.deliver(receipt, header, to="C")
    return story.effects("C")


def from_its_own_callback(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.reenter(receipt, header)
    return story.effects()


def after_a_restart(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(receipt, header)
    story.restart()
    story.deliver(receipt, header)
    return story.effects()


def the_second_first(story: Story) -> object:
    first, second = story.emit(b"one"), story.emit(b"two")
    header = story.learned()
    story.deliver(second, header)
    story.deliver(first, header)
    return [effect.payload for effect in story.effects()]


def executed_and_reverted(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(receipt, header)
    story.revert(story.produce("B"))
    return story.effects()


def reverted_and_due_again(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(receipt, header)
    story.revert(story.produce("B"))
    story.learn(header)
    return story.deliver(receipt, header)


def with_one_shard_silent(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    return story.deliver(receipt, header)


def after_somebody_elses_nonsense(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(story.system.forge("A", "B", b"forged"), header, b"")
    return story.deliver(receipt, header)


def with_the_path_of_the_last(story: Story) -> object:
    story.emit(b"one")
    last, header = story.emit(b"two"), story.learned()
    story.deliver(story.system.forge("A", "B", b"forged"), header, story.proof(last, header))
    return story.effects()


def its_block_shown_again(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    story.deliver(receipt, header)
    story.learn(header)
    story.deliver(receipt, header)
    return story.effects()


def before_its_header(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.finalise(story.produce())
    story.deliver(receipt, header)
    story.learn(header)
    return story.deliver(receipt, header)


def accepted_and_executed(story: Story) -> object:
    receipt, header = story.emit(b"one"), story.learned()
    return story.deliver(receipt, header), story.effects()


FORGED = [Execution(b"forged", "A")]

#: Name of the mistake, the story, what the reference shows, what the mistake shows.
SCRIPTS: tuple[tuple[str, Callable[[Story], object], object, object], ...] = (
    ("no-deduplication", presented_twice, ONCE, TWICE),
    ("key-is-proof", a_byte_after_the_proof, ONCE, TWICE),
    ("key-is-signature", once_without_the_certificate, ONCE, TWICE),
    ("key-is-header", under_the_next_header, ONCE, TWICE),
    ("nonce-without-source", the_first_of_two_sources, ACCEPTED, Refused("consumed")),
    ("no-proof-check", forged_under_an_empty_block, [], FORGED),
    ("unlearned-header", never_learned, Refused("untrusted header"), ACCEPTED),
    ("non-final-header", learned_too_early, Refused("untrusted header"), ACCEPTED),
    ("null-root", from_nowhere, [], FORGED),
    ("wrong-source", in_the_name_of_another, [], [Execution(b"one", "C")]),
    ("leaf-for-node", two_leaves_as_one, [], [64]),
    ("duplicated-last-leaf", at_the_place_of_its_copy, ONCE, TWICE),
    ("destination-not-bound", at_another_shard, [], ONCE),
    ("marked-after-callback", from_its_own_callback, ONCE, TWICE),
    ("record-lost-at-restart", after_a_restart, ONCE, TWICE),
    ("twice-under-reordering", the_second_first, [b"two", b"one"], [b"two", b"one", b"two"]),
    ("effects-survive-revert", executed_and_reverted, [], ONCE),
    ("records-survive-revert", reverted_and_due_again, ACCEPTED, Refused("consumed")),
    ("waits-for-every-shard", with_one_shard_silent, ACCEPTED, Refused("untrusted header")),
    ("jams-after-bad-evidence", after_somebody_elses_nonsense, ACCEPTED, Refused("unproven")),
    ("swallows-receipts", accepted_and_executed, (ACCEPTED, ONCE), (ACCEPTED, [])),
    ("unhashed-child", with_the_path_of_the_last, [], FORGED),
    ("rules-in-the-evidence", forged_under_an_empty_block, [], FORGED),
    ("batch-counted-again", its_block_shown_again, ONCE, TWICE),
    ("dropped-when-early", before_its_header, ACCEPTED, Refused("untrusted header")),
)

#: Mistakes in the shard that this file can talk to.
OF_THE_CORE = sorted(name for name, fault in FAULTS.items() if fault.stack == CORE)

#: What the entries of the record violate that have no counterpart in the model.
ONLY_IN_BYTES = {
    "B06": ("P13", "P01"),
    "B07": ("P12", "P13"),
    "B08": ("P13", "P08"),
    "B44": ("P25", "P22"),
    "B52": ("P25",),
}


@cache
def numbers() -> dict[str, str]:
    """The number of each property in the catalogue, by its name."""
    known = (p for name in STACKS for p in properties_of(stack(name)))
    return {p.name.partition("[")[0]: p.id for p in known}


@pytest.mark.parametrize("name, script, right, wrong", SCRIPTS, ids=[name for name, *_ in SCRIPTS])
class TestEachMistake:
    def test_shows_in_as_few_steps_as_it_says(
        self, name: str, script: Callable[[Story], object], right: object, wrong: object
    ) -> None:
        """
        The faulty system shows the violation, and the story is as short as `FAULTS` says.
        """
        story = Story(FAULTS[name].factory())

        assert script(story) == wrong != right
        assert story.steps == FAULTS[name].shortest

    def test_is_no_mistake_of_the_reference(
        self, name: str, script: Callable[[Story], object], right: object, wrong: object
    ) -> None:
        """
        The reference is told the same story, and behaves.
        """
        story = Story(ReferenceAdapter())

        assert script(story) == right != wrong
        assert story.steps == FAULTS[name].shortest


def test_every_mistake_has_its_story() -> None:
    """
    No entry of `FAULTS` is only claimed.
    """
    assert sorted(name for name, *_ in SCRIPTS) == OF_THE_CORE


@pytest.mark.parametrize("name", sorted({*OF_THE_CORE} - {"swallows-receipts", "waits-for-every-shard"}))
def test_is_right_on_an_ordinary_day(name: str) -> None:
    """
    Two receipts in order, through a restart and a new block: one mistake is one, not a broken system.
    """
    story = Story(FAULTS[name].factory())
    for payload in (b"one", b"two"):
        receipt, header = story.emit(payload), story.learned()
        assert story.deliver(receipt, header) == ACCEPTED
        story.produce("B")
        story.restart()

    assert story.effects() == [Execution(b"one", "A"), Execution(b"two", "A")]


def test_a_chosen_payload_saves_a_step() -> None:
    """
    `leaf-for-node` in five steps: a receipt of 64 bytes whose second half is the hash of a forged one.

    The sender has to choose the payload for this, so the length in `FAULTS` does not count on it.
    It is the attack on light clients of Bitcoin for which transactions of 64 bytes were made invalid
    to prove.
    """
    story = Story(FAULTS["leaf-for-node"].factory())
    forged = story.system.forge("A", "B", b"forged")
    filling = 64 - 32 - len(story.system.forge("A", "B", b""))
    receipt, header = story.emit(bytes(filling) + sha256(forged).digest()), story.learned()
    assert len(receipt) == 64

    story.deliver(forged, header, story.system.assemble(Path(1, 2, (receipt[:32],))))

    assert story.effects() == FORGED
    assert story.steps == 5


class TestVariant:
    def test_is_loaded_by_name(self) -> None:
        """
        `--adapter faulty:null-root` makes the adapter with that mistake, and says so.
        """
        adapter = load("faulty:null-root")()

        assert isinstance(adapter, ReferenceAdapter)
        assert adapter.name == "faulty:null-root"

    def test_helps_with_a_name_that_is_nearly_right(self) -> None:
        """
        A misspelt mistake is answered with the nearest.
        """
        with pytest.raises(UsageError, match="did you mean 'null-root'"):
            variant("nul-root")

    def test_says_where_the_names_are_when_there_is_none(self) -> None:
        """
        `--adapter faulty` alone is answered with the command that lists them: they are too many.
        """
        with pytest.raises(UsageError, match="shardproof list adapters"):
            variant("")

    def test_is_loaded_by_its_entry_in_the_record(self) -> None:
        """
        `--adapter faulty:B10` is the mistake of that entry, under its own name.
        """
        assert load("faulty:B10")().name == "faulty:key-is-proof"

    def test_every_entry_can_be_read(self) -> None:
        """
        A summary is one sentence, and every mistake has a source.
        """
        for fault in (*FAULTS.values(), *CONTROLS.values()):
            assert fault.summary.endswith(".")
            assert "\n" not in fault.summary
            assert fault.source
        assert all(fault.shortest > 0 for fault in FAULTS.values())


class TestRecord:
    """The mistakes here, and the entries of `shardproof_models.mistakes` that they are."""

    def test_every_entry_is_made_in_bytes(self) -> None:
        """
        Each incident on record is a faulty shard, and each negative control is one that is right.
        """
        entries = [entry for fault in FAULTS.values() for entry in fault.corpus]
        controls = [entry for control in CONTROLS.values() for entry in control.corpus]

        assert len({*entries, *controls}) == len(entries) + len(controls)
        incidents = {name for name in NAMED if name[1:].isdecimal()}
        assert {*entries, *controls} == {*incidents, *ONLY_IN_BYTES, "B45"}
        assert {*controls} == {"B34", "B45"}

    @pytest.mark.parametrize("name", sorted(name for name, fault in FAULTS.items() if fault.corpus))
    def test_violates_what_its_entry_names(self, name: str) -> None:
        """
        A mistake is noticed by a property that its entry names, or says why it is another.
        """
        fault = FAULTS[name]
        (entry,) = fault.corpus
        named = ONLY_IN_BYTES.get(entry) or NAMED[entry].violates
        number = numbers()[fault.violates]

        assert number in named or number in fault.differs

    @pytest.mark.parametrize("name", sorted(name for name, fault in FAULTS.items() if fault.corpus))
    def test_says_why_its_trace_is_not_as_long_as_the_one_on_record(self, name: str) -> None:
        """
        Both numbers are the same, or `differs` says which of them is the larger, and why.
        """
        fault = FAULTS[name]
        (entry,) = fault.corpus
        recorded = fault.recorded
        assert recorded is not None
        compared = "longer: " if fault.shortest > recorded else "shorter: "

        assert fault.differs.startswith(compared) or fault.shortest == recorded
        assert entry in ONLY_IN_BYTES or recorded == NAMED[entry].shortest
