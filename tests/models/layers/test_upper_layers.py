"""
What the upper layers do, told as traces in stacks that have them.

With two shards, receipts go from 0 to 1 and back as `readings/scopes` says; header 2 is the first
block of shard 0, header 3 that of shard 1, and so on in turn.
"""

from __future__ import annotations

import pytest

from shardproof.readings.evaluate import Declined, Evaluator, World
from shardproof.readings.scope import Value
from shardproof.readings.scopes import scope_of
from shardproof_models.language.actions import Refusal
from shardproof_models.language.protocol import Protocol, compose
from shardproof_models.layers import (
    bouncing,
    callbacks,
    closing,
    encodings,
    escrow,
    exactly_once,
    failures,
    forwarding,
    outcomes,
    pruning,
    queues,
    skipping,
    trust,
)
from shardproof_models.layers.deadlines import EXPIRED, deadlines
from shardproof_models.layers.finality import finality
from shardproof_models.layers.inbox import inbox
from shardproof_models.layers.sequencing import OUT_OF_ORDER, ordering, sequencing
from shardproof_models.layers.value import value
from shardproof_models.stacks import stack


class Run:
    """A run of a protocol in its plain topology."""

    def __init__(self, protocol: Protocol, **sizes: int) -> None:
        self.evaluator = Evaluator(protocol, scope_of(protocol, **{"headers": 2, **sizes}))
        self.world: World = self.evaluator.initial()

    def attempt(self, action: str, *args: Value) -> Refusal | None:
        """The refusal of an attempt; None, and the world after it, if it is accepted."""
        outcome = self.evaluator.step(self.world, self.evaluator.protocol.action(action), args)
        if isinstance(outcome, Declined):
            return outcome.refusal
        self.world = outcome.world
        return None

    def do(self, *steps: str) -> Run:
        """Take steps that must be accepted, written as "emit 0"."""
        for step in steps:
            action, *args = step.split()
            assert self.attempt(action, *map(int, args)) is None, step
        return self

    def read(self, name: str, *args: Value) -> Value:
        """One cell."""
        symbol = next(s for s in self.evaluator.protocol.symbols if s.name == name)
        return self.world[self.evaluator.layout.index(symbol, args)]


def over_the_wire(*layers: object) -> Protocol:
    """The layers on a transport that is trusted, so that traces are about them alone."""
    return compose("wire", exactly_once.exactly_once, inbox, *layers)  # type: ignore[arg-type]  # all of them layers


class TestQueues:
    def run(self) -> Run:
        """Receipts 0, 2 and 3 go the same way, where there is room for two."""
        return Run(over_the_wire(bouncing.bouncing, queues.queues), receipts=4)

    def test_a_request_waits_for_room(self) -> None:
        """And finds some once another has left."""
        run = self.run().do("emit 0", "emit 2")

        assert run.attempt("emit", 3) == queues.FULL
        run.do("drain 0 0", "emit 3")
        assert [run.read("place", m) for m in (0, 2, 3)] == [0, 1, 2]

    def test_nobody_is_overtaken(self) -> None:
        """The link carries away the first."""
        run = self.run().do("emit 0", "emit 2")

        assert run.attempt("drain", 0, 2) == queues.NOT_FIRST
        run.do("drain 0 0", "drain 0 2")
        assert run.attempt("drain", 0, 2) == queues.NOT_QUEUED
        assert [run.read(name, 0, 1) for name in ("queued", "drained")] == [0, 2]

    def test_what_waits_is_not_committed_to(self) -> None:
        """It is not on its way."""
        run = self.run().do("emit 0", "produce 2", "drain 0 0", "produce 4")

        assert [run.read("commits", h, 0) for h in (2, 4)] == [0, 1]

    def test_a_response_has_a_lane_of_its_own(self) -> None:
        """It neither waits for room nor takes any."""
        run = self.run().do("emit 0", "drain 0 0", "produce 2", "deliver 1 0 2 0", "emit 1")

        assert [run.read("queued", 1, 0), run.read("waits", 1)] == [0, 1]
        run.do("drain 1 1")


class TestBouncing:
    def test_a_failure_is_owed_one_response(self) -> None:
        """Which cannot fail itself, or it would bounce for ever."""
        run = Run(over_the_wire(bouncing.bouncing))

        assert run.do("emit 0").attempt("emit", 1) == bouncing.NOT_OWED
        run.do("produce 2", "deliver 1 0 2 0", "emit 1", "produce 3")
        assert [run.read("owed", 0), run.read("returned_as", 0)] == [0, 1]
        assert run.attempt("deliver", 0, 1, 3, 0) == bouncing.MUST_SUCCEED
        run.do("deliver 0 1 3 1")

    def test_it_brings_back_what_was_paid(self) -> None:
        """To whom it was paid by."""
        run = Run(over_the_wire(bouncing.bouncing, value))
        before = [run.read("balance", a) for a in (0, 1)]

        run.do("emit 0", "produce 2", "deliver 1 0 2 0", "emit 1", "produce 3", "deliver 0 1 3 1")

        assert [run.read("balance", a) for a in (0, 1)] == before


class TestCallbacks:
    def run(self) -> Run:
        """Two receipts run at shard 1, the second within the first."""
        protocol = over_the_wire(failures.failures, callbacks.callbacks, ordering)
        return Run(protocol).do("emit 0", "emit 1", "produce 2", "deliver 1 0 2 1", "deliver 1 1 2 1")

    def test_the_innermost_returns_first(self) -> None:
        """And gives back the context of the one that it interrupted."""
        run = self.run()
        assert [run.read(name, 1) for name in ("depth", "context")] == [2, 1]

        assert run.attempt("finish", 1, 0) == callbacks.NOT_INNERMOST
        assert run.attempt("finish", 0, 1) == exactly_once.WRONG_DESTINATION
        run.do("finish 1 1")
        assert [run.read(name, 1) for name in ("depth", "context")] == [1, 0]
        run.do("finish 1 0")
        assert [run.read("running", m) for m in (0, 1)] == [0, 0]

    def test_nothing_returns_twice(self) -> None:
        """A frame is closed once."""
        run = self.run().do("finish 1 1", "finish 1 0")

        assert [run.attempt("finish", 1, m) for m in (0, 1)] == [callbacks.NOT_INNERMOST] * 2


class TestSkipping:
    def run(self) -> Run:
        """Receipt 0 has expired, in its turn; receipt 1 comes after it."""
        protocol = over_the_wire(ordering, skipping.skipping, outcomes.outcomes)
        return Run(protocol).do("emit 0", "emit 1", "produce 2", "tick 1")

    def test_what_has_expired_is_passed(self) -> None:
        """And what comes after it is executed."""
        run = self.run()
        assert run.attempt("deliver", 1, 0, 2, 1) == EXPIRED
        assert run.attempt("deliver", 1, 1, 2, 1) == OUT_OF_ORDER

        run.do("skip 1 0 2", "deliver 1 1 2 1")

        assert [run.read("executions", 1, m) for m in (0, 1)] == [0, 1]

    def test_its_sender_is_refunded_all_the_same(self) -> None:
        """Recorded as expired is not received, and has no outcome to acknowledge."""
        run = self.run().do("skip 1 0 2")

        assert run.attempt("write_acknowledgement", 1, 0) == outcomes.NOT_EXECUTED
        run.do("produce 3", "time_out 0 0 3")
        assert run.read("refunds", 0) == 1


class TestClosing:
    def test_a_refund_for_a_closed_channel_pays(self) -> None:
        """As one for a deadline does; and unlocks what was locked."""
        run = Run(over_the_wire(closing.closing, value, escrow.escrow))
        before = run.read("balance", 0)

        run.do("emit 0", "produce 2", "close 1 0", "produce 3")
        assert run.attempt("deliver", 1, 0, 2, 1) == closing.CLOSED
        run.do("time_out_on_close 0 0 3")

        assert [run.read("balance", 0), run.read("locked", 0, 1), run.read("refunds", 0)] == [before, 0, 1]

    def test_absence_has_to_be_proved(self) -> None:
        """A receipt that arrived before is not refunded because its channel was closed after it."""
        run = Run(over_the_wire(closing.closing))
        run.do("emit 0", "produce 2", "deliver 1 0 2 1", "close 1 0", "produce 3")

        assert run.attempt("time_out_on_close", 0, 0, 3) == outcomes.RECEIVED


class TestEscrow:
    def test_what_was_not_minted_is_not_burnt(self) -> None:
        """Or it would unlock what others have locked. Receipt 1 goes home."""
        run = Run(over_the_wire(escrow.escrow))
        assert run.attempt("emit", 1) == escrow.NOT_MINTED

        run.do("emit 0", "produce 2", "deliver 1 0 2 1", "emit 1", "produce 3", "deliver 0 1 3 1")

        assert [run.read("locked", 0, 1), run.read("minted", 1, 0)] == [0, 0]


class TestForwarding:
    def run(self) -> Run:
        """Receipt 0 has arrived at shard 1 and travels on as receipt 1, back to shard 0."""
        run = Run(over_the_wire(forwarding.forwarding))
        assert run.attempt("emit", 1) == forwarding.NOT_ARRIVED
        return run.do("emit 0", "produce 2", "deliver 1 0 2 1", "emit 1", "produce 3")

    def test_it_travels_once_and_is_acknowledged_after_that(self) -> None:
        """The first sender hears of success when the second hop has arrived."""
        run = self.run()
        assert run.attempt("write_acknowledgement", 1, 0) == forwarding.ON_ITS_WAY

        run.do("deliver 0 1 3 1", "write_acknowledgement 0 1", "produce 4", "acknowledge 1 1 4")
        run.do("write_acknowledgement 1 0", "produce 5", "acknowledge 0 0 5")

        assert [run.read("acknowledged", m) for m in (0, 1)] == [1, 1]

    def test_where_the_second_hop_fails_the_first_has_failed(self) -> None:
        """The middle keeps nothing, mints nothing, says so in its log, and the first sender is refunded."""
        run = self.run().do("deliver 0 1 3 0", "write_acknowledgement 0 1", "produce 4", "acknowledge 1 1 4")

        cells = [("succeeded", 1, 0), ("announced", 1, 0), ("minted", 1, 0), ("locked", 1, 0)]
        assert [run.read(*cell) for cell in cells] == [0, 0, 0, 0]
        run.do("write_acknowledgement 1 0", "produce 5", "acknowledge 0 0 5")
        assert [run.read("refunds", m) for m in (0, 1)] == [1, 1]
        assert [run.read("balance", a) for a in (0, 1)] == [3, 3]


class TestPruning:
    def test_an_outcome_is_written_before_its_record_is_forgotten(self) -> None:
        """Or it could never be written, and its sender would wait for ever."""
        run = Run(over_the_wire(outcomes.outcomes, sequencing, pruning.pruning))
        run.do("emit 0", "produce 2", "deliver 1 0 2 1")

        assert run.attempt("prune", 1, 0) == outcomes.NOT_ACKNOWLEDGED
        run.do("write_acknowledgement 1 0", "prune 1 0")
        assert run.attempt("deliver", 1, 0, 2, 1) == exactly_once.CONSUMED


class TestEncodings:
    @pytest.mark.parametrize(
        "spelling, refusal",
        [(1, encodings.MALFORMED), (2, encodings.NOT_CANONICAL), (4, encodings.FOREIGN)],
    )
    def test_only_one_spelling_is_read(self, spelling: int, refusal: Refusal) -> None:
        """Not that of another receipt, not a careless one, not one that was made for elsewhere."""
        run = Run(over_the_wire(encodings.encodings)).do("emit 0", "produce 2")

        assert run.attempt("deliver", 1, 0, 2, spelling) == refusal
        assert run.do("deliver 1 0 2 0").read("accepted", 1, 0) == 1


class TestAuthority:
    def test_a_receipt_acts_in_its_own_name_only(self) -> None:
        """Receipt 3 says that it comes from where it goes."""
        run = Run(over_the_wire(finality, trust.trust), receipts=4)
        run.do("emit 3", "produce 3")

        assert run.attempt("deliver", 0, 3, 3) == trust.NO_AUTHORITY


@pytest.mark.parametrize("name", ["near", "ton"])
def test_an_heir_knows_what_was_executed(name: str) -> None:
    """Whoever takes over an address refuses what was executed there before."""
    run = Run(stack(name)).do("emit 0", "drain 0 0", "produce 4", "finalise 4", "learn 1 4")
    args = (1, 0, 4, 1)
    assert run.attempt("deliver", *args) is None
    if name == "near":
        run.do("finish 1 0")

    run.do("split 1 2 3")

    heir = 3  # address 1 is on the right
    assert run.attempt("deliver", heir, *args[1:]) == exactly_once.CONSUMED
    assert run.attempt("deliver", *args) == exactly_once.WRONG_DESTINATION


def test_a_deadline_is_the_receivers() -> None:
    """However late it is at the sender's."""
    run = Run(over_the_wire(deadlines)).do("emit 0", "produce 2", "tick 0", "tick 0")

    assert run.attempt("deliver", 1, 0, 2) is None
