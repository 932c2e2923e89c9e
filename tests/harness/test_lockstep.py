"""Model and system side by side: what the oracle says, what is forgotten, and how a divergence is judged."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from attrs import evolve

from shardproof.adapter import (
    ACCEPTED,
    Adapter,
    Delivery,
    Execution,
    Outcome,
    Refused,
    Topology,
    capabilities,
)
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adversary import Damage
from shardproof.lockstep import Lockstep, Wrong
from shardproof.moves import NULL, Deliver, Emit, Finalise, Learn, Move, Produce, Proof, Revert
from shardproof.oracle import Oracle
from shardproof.schedule import Schedule
from shardproof.traffic import Dice
from shardproof.verdict import Kind
from shardproof_models.language.terms import Term
from shardproof_models.layers.exactly_once import Header, Receipt, Shard, deliver
from shardproof_models.stacks import composed, layers_for
from shardproof_properties.property import Role

DELIVERED = (Emit(0, 0, 1), Produce(0, 0), Finalise(0), Learn(1, 0), Deliver(1, 0, 0, Proof(0, 0)))


def lockstep(adapter: Adapter | None = None, slots: int = 64) -> Lockstep:
    """Three shards, and room for so many receipts and headers."""
    adapter = adapter or ReferenceAdapter()
    oracle = Oracle(composed(layers_for(capabilities(adapter))), 3, receipts=slots, headers=slots)
    return Lockstep(adapter, oracle, Topology.of(3))


def taken(lock: Lockstep, moves: Sequence[Move]) -> Wrong | None:
    """All of them must be possible; the first divergence, if any."""
    for move in moves:
        assert lock.possible(move), move
        if wrong := lock.run(move):
            return wrong
    return None


def test_every_property_holds_on_every_step_that_both_take() -> None:
    """
    The lockstep evaluates no property while model and system agree, because the prover shows
    that it need not. Here all of them are evaluated all the time, on every receipt, header and
    shard, also while slots are forgotten and given out again.
    """
    lock = lockstep(slots=24)
    generated = lock.oracle.generated
    checks = [(p, c) for p, c in lock.oracle.checks if p.role is Role.SAFETY]
    schedule = Schedule(lock, {})
    rng = random.Random(5)
    schedule.begin(Dice(0))
    for _ in range(700):
        move = schedule.next(Dice(rng.getrandbits(64)))
        assert lock.run(move) is None
        schedule.note(move)
        live: dict[type[Term], Sequence[int]] = {
            Receipt: [s.slot for s in lock.receipts.values()],
            Header: [b.slot for b in lock.headers.values()],
            Shard: range(3),
        }
        for p, check in checks:
            for values in itertools.product(*(live[type(v)] for v in p.variables)):
                assert check(lock.world, *values), p.name
    assert lock.newest > 2 * lock.oracle.receipts, "slots were given out more than once"
    assert generated.plain(generated.copy(lock.world)) == generated.plain(lock.world)


def test_what_is_forgotten_leaves_no_mark() -> None:
    """A slot that is free again looks as it did before anything happened."""
    lock = lockstep(slots=24)
    schedule = Schedule(lock, {})
    rng = random.Random(6)
    schedule.begin(Dice(0))
    for _ in range(400):
        move = schedule.next(Dice(rng.getrandbits(64)))
        assert lock.run(move) is None
        schedule.note(move)
    free: dict[type[Term], set[int]] = {Receipt: set(lock.free_receipts), Header: set(lock.free_headers)}
    assert free[Receipt]
    assert free[Header]

    assert all(chain[0].parent is None for chain in lock.chains), "old blocks are not kept by their children"
    generated = lock.oracle.generated
    for symbol in generated.protocol.state:
        for args in generated.scope.tuples(symbol.parameters):
            if any(a in free.get(type(p), ()) for p, a in zip(symbol.parameters, args, strict=True)):
                now = generated.cell(lock.world, symbol, *args)
                assert now == generated.cell(lock.oracle.start, symbol, *args), (symbol.name, args)


def test_an_honest_delivery_is_executed_once() -> None:
    """The main road, and the second attempt refused by its clause."""
    lock = lockstep()

    assert taken(lock, DELIVERED) is None
    assert lock.happened == ("B executed r0",)
    assert taken(lock, [DELIVERED[-1]]) is None
    assert lock.refusing_clause("deliver", lock.clause) == "consumed"
    assert str(lock.claim) == "refused, consumed"


@pytest.mark.parametrize(
    "attempt, clause",
    [
        (Deliver(1, 0, NULL, None), "untrusted header"),
        (Deliver(2, 0, 0, Proof(0, 0)), "untrusted header"),
        (Deliver(1, 1, 0, Proof(0, 0)), "unproven"),
        (Deliver(1, 0, 0, Proof(0, 0), Damage("receipt", "flip", 3)), "unproven"),
        (Deliver(1, 0, 0, Proof(0, 0), Damage("header", "flip", 3)), "untrusted header"),
    ],
)
def test_each_wrong_attempt_is_refused_by_its_clause(attempt: Deliver, clause: str) -> None:
    """The model's refusal and the reference's are the same word."""
    lock = lockstep()
    assert taken(lock, (*DELIVERED[:4], Emit(1, 0, 1))) is None

    assert taken(lock, [attempt]) is None
    assert lock.refusing_clause("deliver", lock.clause) == clause
    assert isinstance(lock.claim, Refused)


def test_damaged_evidence_of_a_committed_receipt_may_be_accepted() -> None:
    """A parser that ignores what follows the end is not wrong by that alone: the receipt is committed."""

    class Lenient(ReferenceAdapter):
        def deliver(self, delivery: Delivery) -> Outcome:
            return super().deliver(evolve(delivery, evidence=delivery.evidence[:-1]))

    damaged = DELIVERED[-1]._replace(damage=Damage("evidence", "extend", 0))
    lock = lockstep(Lenient())

    assert taken(lock, (*DELIVERED[:4], damaged)) is None
    assert lock.happened == ("B executed r0",)


def test_an_effect_at_a_shard_that_nobody_asked_is_seen() -> None:
    """A receipt for B that runs at C: worse than one that does not run, and told as such."""

    class Misroutes(ReferenceAdapter):
        """What B executes shows at C."""

        def executed(self, shard: str, since: int) -> Sequence[Execution]:
            return [] if shard == "B" else super().executed("B" if shard == "C" else shard, since)

    wrong = taken(lockstep(Misroutes()), DELIVERED)

    assert wrong is not None
    assert (wrong.id, wrong.property) == ("P03", "executes-at-its-destination")
    assert wrong.differs == "C executed r0"


def test_every_shard_is_looked_at_in_turn() -> None:
    """What shows up elsewhere, unasked, is seen within as many deliveries as there are shards."""

    class Splashes(ReferenceAdapter):
        """What B has executed shows at C too, once somebody has tried it a second time."""

        def open(self, topology: Topology) -> None:
            super().open(topology)
            self.attempts = 0

        def deliver(self, delivery: Delivery) -> Outcome:
            self.attempts += 1
            return super().deliver(delivery)

        def executed(self, shard: str, since: int) -> Sequence[Execution]:
            return super().executed("B" if shard == "C" and self.attempts > 1 else shard, since)

    lock = lockstep(Splashes())
    assert taken(lock, DELIVERED) is None

    wrong = taken(lock, [DELIVERED[-1]] * 3)

    assert wrong is not None
    assert wrong.property == "executes-at-most-once"
    assert wrong.differs == "C executed r0 2 times"


def test_damage_that_makes_another_real_header_is_taken_for_that_header() -> None:
    """Short names are a system's right: cut by a byte, the name of one header may be that of another."""

    class ShortNames(ReferenceAdapter):
        """Headers are shown as h, hh, hhh, ..."""

        def open(self, topology: Topology) -> None:
            super().open(topology)
            self.known: dict[bytes, bytes] = {}

        def produce(self, shard: str) -> bytes:
            name = b"h" * (len(self.known) + 1)
            data = super().produce(shard)
            assert isinstance(data, bytes)
            self.known[name] = data
            return name

        def finalise(self, shard: str, header: bytes) -> bytes | Refused:
            data = super().finalise(shard, self.known[header])
            if isinstance(data, Refused):
                return data
            self.known[header] = data
            return header

        def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
            return super().prove(receipt, self.known.get(header, header))

        def learn(self, shard: str, header: bytes) -> Outcome:
            return super().learn(shard, self.known.get(header, header))

        def deliver(self, delivery: Delivery) -> Outcome:
            header = self.known.get(delivery.header, delivery.header)
            return super().deliver(evolve(delivery, header=header))

    cut = Damage("header", "cut", 0)
    lock = lockstep(ShortNames())

    assert taken(lock, (*DELIVERED[:3], Produce(1, 0), Learn(1, 1, cut))) is None
    assert taken(lock, [Deliver(1, 0, 1, Proof(0, 0), cut)]) is None
    assert lock.happened == ("B executed r0",)


class LenientClient(ReferenceAdapter):
    """Its light client ignores what follows the end of a header, and learns the header."""

    def learn(self, shard: str, header: bytes) -> Outcome:
        said = super().learn(shard, header)
        return super().learn(shard, header[:-1]) if isinstance(said, Refused) else said


class VagueClient(ReferenceAdapter):
    """Its light client is content with what follows the end of a header, and learns nothing from it."""

    def learn(self, shard: str, header: bytes) -> Outcome:
        said = super().learn(shard, header)
        return ACCEPTED if isinstance(said, Refused) else said


@pytest.mark.parametrize("make, executes", [(LenientClient, True), (VagueClient, False)])
def test_a_client_that_accepted_a_damaged_copy_has_the_benefit_of_the_doubt(
    make: type[Adapter], executes: bool
) -> None:
    """The header is final and the copy is not its bytes: nobody can say whether it is known now."""
    lock = lockstep(make())
    copy = Learn(1, 0, Damage("header", "extend", 0))

    assert taken(lock, (*DELIVERED[:3], copy, DELIVERED[-1])) is None
    assert bool(lock.happened) is executes
    assert taken(lock, (Learn(1, 0), DELIVERED[-1])) is None
    assert lock.receipts[0].executed_at == 1


def test_a_client_that_accepts_a_damaged_copy_of_an_unfinal_header_is_wrong() -> None:
    """There is no doubt about a header that may still vanish."""
    wrong = taken(lockstep(VagueClient()), (Produce(0, 0), Learn(1, 0, Damage("header", "extend", 0))))

    assert wrong is not None
    assert wrong.id == "P10"


def test_what_was_reverted_is_due_again() -> None:
    """A block of the destination that is dropped takes its executions with it."""
    lock = lockstep()
    assert taken(lock, (*DELIVERED, Produce(1, 1), Revert(1))) is None

    assert not lock.receipts[0].executed_at >= 0
    assert taken(lock, (Learn(1, 0), DELIVERED[-1])) is None
    assert lock.happened == ("B executed r0",)


def test_a_second_execution_long_after_the_first_is_recognised_by_its_payload() -> None:
    """What was forgotten to save memory is not forgotten as a fact."""

    class Revenant(ReferenceAdapter):
        """Shows the first effect of B again when B has seen thirty."""

        def executed(self, shard: str, since: int) -> list[Execution]:
            seen = list(super().executed(shard, 0))
            return [*seen, *(seen[:1] if shard == "B" and len(seen) >= 30 else [])][since:]

    lock = lockstep(Revenant(), slots=24)
    wrong: Wrong | None = None
    for n in range(40):
        moves = (Emit(n, 0, 1), Produce(n, 0), Finalise(n), Learn(1, n), Deliver(1, n, n, Proof(n, n)))
        if wrong := taken(lock, moves):
            break

    assert wrong is not None
    assert wrong.property == "executes-at-most-once"
    assert "r0 again" in wrong.differs


def test_a_divergence_that_no_property_names_is_still_reported() -> None:
    """An implementation that does what the model refuses is not covered by the proof of the model."""
    lock = lockstep()
    for name in ("trusts-only-final-headers", "trusts-only-produced-headers"):
        assert name in {p.name for p, _ in lock.oracle.checks}
    object.__setattr__(lock.oracle, "checks", ())

    class Credulous(ReferenceAdapter):
        def learn(self, shard: str, header: bytes) -> Outcome:
            super().learn(shard, header)
            return ACCEPTED

    credulous = Lockstep(Credulous(), lock.oracle, Topology.of(3))
    wrong = taken(credulous, (Produce(0, 0), Learn(1, 0)))

    assert wrong is not None
    assert (wrong.kind, wrong.property) == (Kind.DIVERGENCE, "follows-the-model")


def test_clauses_are_numbered_as_the_protocol_lists_them() -> None:
    """The number that the oracle answers is the place of the clause."""
    lock = lockstep()
    names = [str(c.refusal) for c in lock.oracle.protocol.action(deliver.name).clauses]

    assert [lock.refusing_clause("deliver", n) for n in range(len(names) + 1)] == ["", *names]
