"""Whether a shorter trace shows the same: every shorter one is run, or it is said that it was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from attrs import evolve

from shardproof.adapter import Adapter, Delivery, Execution, Outcome, Refused, Topology, capabilities
from shardproof.adapters.faulty import FAULTS
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adapters.snapshots import InstanceSnapshots
from shardproof.adversary import BLIND
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.lockstep import Lockstep
from shardproof.moves import (
    NULL,
    Deliver,
    Emit,
    Finalise,
    Forged,
    Learn,
    Move,
    Produce,
    Proof,
    Restart,
    Revert,
)
from shardproof.oracle import Oracle
from shardproof.runs import Bench, Found, made
from shardproof.schedule import Schedule
from shardproof.shortest import Certified, certificate, certified
from shardproof.shortest.standing import standing, value
from shardproof.shortest.tries import Scope, kind_of, kinds_of, tries
from shardproof.shrink import length
from shardproof.traffic import Dice
from shardproof_models.stacks import composed, layers_for

EXECUTED = (Emit(0, 0, 1), Produce(0, 0), Finalise(0), Learn(1, 0), Deliver(1, 0, 0, Proof(0, 0)))
#: What no faulty shard needs.
NOISE = (Restart(0), Restart(1))
#: Headers are proved to by anything.
UNPROVED = (*EXECUTED[:2], Finalise(0), Learn(1, 0), Deliver(1, Forged(0, 0, 1), 0, None))


def bench(make: Callable[[], Adapter], shards: int = 2) -> Bench:
    """A system with its judge."""
    adapter = made(make)
    protocol = composed(layers_for(capabilities(adapter), adapter.stack))
    return Bench(adapter, Oracle.for_run(protocol, shards, 20), Topology.of(shards))


def found_by(on: Bench, moves: Sequence[Move]) -> Found:
    """The finding of a run, as long as it is."""
    found = on.first(moves)
    assert found is not None
    return found


def known(name: str, moves: Sequence[Move], budget: int = certificate.BUDGET) -> Certified:
    """What a certificate says of a run of a faulty shard that nobody has shrunk."""
    on = bench(load(f"faulty:{name}"))
    return certified(on, found_by(on, moves), budget)


class Unsaved(ReferenceAdapter):
    """The shard that believes any root without a snapshot: it can only be run again from its start."""

    shard_type = load("faulty:null-root")().shard_type  # type: ignore[attr-defined]


class Worn(ReferenceAdapter):
    """Executes what is refused for the third time."""

    def open(self, topology: Topology) -> None:
        super().open(topology)
        self.refused = 0
        self.worn: list[Execution] = []

    def deliver(self, delivery: Delivery) -> Outcome:
        answer = super().deliver(delivery)
        self.refused += isinstance(answer, Refused)
        if self.refused == 3:
            self.worn.append(Execution(b"worn"))
        return answer

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [*super().executed(shard, 0), *(self.worn if shard == "B" else [])][since:]


class WornAndSaved(Worn, InstanceSnapshots):
    """The same, and a snapshot of it shows how worn it is."""


class TestCertified:
    @pytest.mark.heavy
    def test_a_shorter_run_takes_the_place_of_a_long_one(self) -> None:
        """
        A finding of six steps that nobody has shrunk, where three and another receipt do as well.
        """
        long = (*EXECUTED[:1], *NOISE, *UNPROVED[1:])

        told = known("no-proof-check", long)

        assert length(found_by(bench(load("faulty:no-proof-check")), long).moves) == 7
        assert told.shortest == "proved"
        assert length(told.found.moves) == FAULTS["no-proof-check"].shortest == told.certificate.steps

    def test_a_finding_of_one_step_needs_no_run(self) -> None:
        """
        Of no steps there is one run, and a system that nobody has asked anything has done nothing.
        """
        told = known("null-root", (Deliver(1, Forged(0, 0, 1), NULL, None),))

        assert (told.shortest, told.certificate.steps, told.certificate.moves) == ("proved", 0, 0)

    @pytest.mark.parametrize("budget", [1, 50, 400])
    def test_a_budget_that_is_too_small_proves_nothing(self, budget: int) -> None:
        """
        And it is said up to which length everything was run.
        """
        told = known("no-proof-check", UNPROVED[1:], budget)

        assert told.shortest == "not established"
        assert told.certificate.steps < length(told.found.moves) - 1
        assert told.certificate.moves <= budget + len(UNPROVED)

    def test_no_more_is_claimed_than_was_run(self) -> None:
        """
        The bound is one move short of what is needed, and then it is what is needed.
        """
        early = (Produce(0, 0), Learn(1, 0))

        needed = known("non-final-header", early).certificate.moves

        assert known("non-final-header", early, needed - 1).shortest == "not established"
        assert known("non-final-header", early, needed + 1).shortest == "proved"

    def test_a_kind_of_move_that_is_left_out_is_missed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without forged receipts the shortest run is not among those that are run, and the lengths show it.
        """

        def without(lock: Lockstep, scope: Scope) -> Iterator[Move]:
            return (m for m in tries(lock, scope) if "forged" not in kind_of(m))

        monkeypatch.setattr(certificate, "tries", without)
        late = (*UNPROVED[1:4], Emit(0, 0, 1), Deliver(1, 0, 0, None))

        told = known("no-proof-check", late)

        assert told.shortest == "proved"

        assert length(told.found.moves) > FAULTS["no-proof-check"].shortest

    def test_without_snapshots_every_run_begins_at_the_start(self) -> None:
        """
        The same answer, for more moves.
        """
        on = bench(Unsaved)
        long = (*EXECUTED[:1], Restart(0), Deliver(1, 0, NULL, None))

        told = certified(on, found_by(on, long))

        assert (told.shortest, length(told.found.moves)) == ("proved", 1)
        assert on.token is None

    @pytest.mark.heavy
    @pytest.mark.parametrize("saved", [True, False])
    def test_what_a_system_remembers_of_attempts_in_vain_is_found(self, saved: bool) -> None:
        """
        Two refusals change nothing that can be seen, and the third attempt is let in.
        """
        on = bench(WornAndSaved if saved else Worn)
        attempt = Deliver(1, Forged(0, 0, 1), NULL, None)

        told = certified(on, found_by(on, (Restart(0), Restart(1), attempt, attempt, attempt)), 30_000)

        assert (told.shortest, length(told.found.moves)) == ("proved", 3)

    def test_a_callback_that_presents_again_counts_twice(self) -> None:
        """
        As it does for who shrinks: two attempts one after the other are not longer than one inside another.
        """
        assert length((EXECUTED[4]._replace(again=True),)) == 2

    @pytest.mark.deep
    @pytest.mark.parametrize("name", ["no-deduplication"])
    def test_findings_of_five_and_six_steps_are_proved(self, name: str) -> None:
        """
        From the finding of a search, to the length that the fault says.
        """
        report = fuzz(load(f"faulty:{name}"), name, Plan(7, steps=4_000, certify=60_000), clock=lambda: 0.0)
        found = next(f for f in report.findings if f.property == FAULTS[name].violates)

        assert found.trace.shortest == "proved"
        assert len(found.trace.steps) == FAULTS[name].shortest
        assert found.trace.certificate is not None
        assert found.trace.certificate.scope == "2 shards, up to 1 receipt and 1 block"

    @pytest.mark.deep
    @pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.shortest <= 6])
    def test_what_is_proved_is_as_long_as_the_fault_says(self, name: str) -> None:
        """
        No proof goes below what is known, and none stops above it.
        """
        fault = FAULTS[name]
        plan = Plan(1, steps=60_000, properties=(fault.violates,), certify=60_000)

        report = fuzz(fault.factory, name, plan, clock=lambda: 0.0)

        for found in report.findings:
            steps = len(found.trace.steps)
            assert steps >= fault.shortest
            assert steps == fault.shortest or found.trace.shortest == "not established"


class TestTries:
    @pytest.mark.heavy
    @pytest.mark.parametrize("adapter", ["reference", "reference:bridge", "reference:near", "watermark"])
    def test_every_kind_of_move_of_a_search_is_in_the_alphabet(self, adapter: str) -> None:
        """
        What the schedule of the fuzzer chooses, wherever it stands, is of a kind that is tried there.
        """
        on = bench(load(adapter), 3)
        lock = on.fresh()
        schedule = Schedule(lock, {})
        missed: set[str] = set()
        for seed in range(12):
            lock = on.fresh()
            schedule.begin(Dice(seed))
            for turn in range(14):
                move = schedule.next(Dice((seed * 97 + turn * 7_919 + 1) * 2_654_435_761 % 2**61))
                # With as much as the search has, and nothing that is there only because it chose it.
                scope = evolve(Scope.of((), 3), shards=(0, 1, 2), receipts=20, blocks=20)
                if turn % 3 == 0:
                    missed |= {_kind(move)} - {*map(_kind, tries(lock, scope))}
                if lock.run(move):
                    break
                schedule.note(move)

        assert missed == set()

    def test_moves_with_the_same_fields_are_all_tried(self) -> None:
        """
        Tuples of different types with the same fields are equal, and are not the same move.
        """
        lock = bench(load("reference")).fresh()
        for move in EXECUTED[:2]:
            lock.run(move)

        tried = list(tries(lock, Scope.of(EXECUTED, 2)))

        assert {Finalise, Revert, Restart} <= {type(m) for m in tried}
        assert tuple(Finalise(0)) == tuple(Revert(0))

    def test_everything_that_damages_bytes_is_tried(self) -> None:
        """
        Of each part that a relayer carries, once there is something to carry.
        """
        lock = bench(load("reference")).fresh()
        for move in EXECUTED[:4]:
            lock.run(move)

        kinds = kinds_of(tries(lock, Scope.of(EXECUTED, 2)))

        for part in ("receipt", "header", "evidence"):
            assert {f"deliver {part}:{kind}" for kind in BLIND} <= {*kinds}
        assert {f"learn header:{kind}" for kind in BLIND} <= {*kinds}

    def test_the_scope_is_what_the_finding_has(self) -> None:
        """
        At least two shards, a receipt and a block; and a forgery between any two of them.
        """
        scope = Scope.of((*EXECUTED, Emit(1, 2, 1)), 3)

        assert str(scope) == "3 shards, up to 2 receipts and 1 block"
        assert str(Scope.of((), 3)) == "2 shards, up to 1 receipt and 1 block"
        assert {(r.source, r.destination) for r in Scope.of((), 3).forged} == {(0, 1), (1, 0)}


def _kind(move: Move) -> str:
    """The kind of a move, with how many things about its terms are not plain put aside."""
    return kind_of(move).partition(" ")[0] if isinstance(move, Emit) else kind_of(move)


class TestStanding:
    def test_an_attempt_in_vain_leads_nowhere_and_a_move_elsewhere(self) -> None:
        """
        Two runs stand at one place if the system and all that the judge knows are the same.
        """
        lock = bench(load("faulty:no-proof-check")).fresh()

        def here() -> object:
            return standing(lock, lock.system.call("snapshot"))

        start = here()
        lock.run(Learn(1, NULL))
        in_vain = here()
        lock.run(Emit(0, 0, 1))

        assert start == in_vain != here()

    def test_values_tell_tuples_of_different_types_apart(self) -> None:
        """
        A forged receipt is not three numbers.
        """
        assert value(Finalise(0)) != value(Revert(0)) != value((0,))
        assert value({1: [Forged(0, 0, 1)]}) == value({1: [Forged(0, 0, 1)]})

    def test_evidence_that_was_had_is_kept_apart(self) -> None:
        """
        From where somebody has it, a move that shows it comes to the same as from where nobody has.
        """
        lock = bench(load("faulty:no-proof-check")).fresh()
        for move in EXECUTED[:2]:
            lock.run(move)
        before = standing(lock, b"")
        lock.run(Deliver(0, 0, 0, Proof(0, 0)))
        lock.watched = 0
        after = standing(lock, b"")

        assert after != before
        assert {what for what, _ in after.had - before.had} == {("prove", Proof(0, 0))}
