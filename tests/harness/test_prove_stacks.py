"""
Every stack holds for worlds of any size, and every lemma is needed in some stack.

The largest stack, with crashes and reorganisations, has tests of its own in `test_restoring`. Seeds
but the first two are left to the deep tests: that no proof waits for luck shows in one other seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from attrs import evolve

from shardproof.engines.prove import prove
from shardproof.engines.prove.induction import Decision, Prover
from shardproof.engines.prove.obligations import PROVED, Obligation, obligations
from shardproof.engines.prove.triggers import triggered
from shardproof.readings.smt import Unbounded
from shardproof.verdict import Verdict
from shardproof_models.language.actions import Action, Refusal, require
from shardproof_models.language.protocol import Protocol, compose
from shardproof_models.language.terms import (
    TRUE,
    Bool,
    Symbol,
    Variable,
    all_of,
    close,
    forall,
    implies,
    parameters_of,
    symbols_of,
)
from shardproof_models.layers.callbacks import depth
from shardproof_models.layers.closing import closing
from shardproof_models.layers.durability import durability
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    consumed,
    destination,
    exactly_once,
    executions,
    key,
    origin,
    produced,
)
from shardproof_models.layers.failures import succeeded
from shardproof_models.layers.forwarding import arrived, travels
from shardproof_models.layers.inbox import inbox
from shardproof_models.layers.outcomes import acknowledged_in, acknowledgement, outcomes, succeeded_in
from shardproof_models.layers.resharding import owner
from shardproof_models.layers.sequencing import ordering
from shardproof_models.stacks import STACKS, stack
from shardproof_properties.catalogue import CATALOGUES, properties_of
from shardproof_properties.property import Property, Role
from shardproof_properties.safety import REPEATABLE, ran

pytestmark = pytest.mark.heavy

LARGEST = "everything"
SMALLER = tuple(name for name in STACKS if name != LARGEST)

#: Lemmas that somebody wrote down; those that are made from others are needed where those are.
LEMMAS = tuple(p for c in CATALOGUES for p in c.entries if p.role is Role.LEMMA)


#: Where the search for what a lemma is needed for would be long, what to try first, and in which stack:
#: what does not fail without the lemma costs nothing but the time to look elsewhere.
FIRST = {
    "who-takes-part-has-its-address": (LARGEST, "revert preserves executes-only-what-was-emitted"),
    "who-takes-part-executes-what-is-its-own": (
        LARGEST,
        "produce preserves a-written-outcome-is-an-outcome after a loss at d",
    ),
    "executed-is-below-next-receive": (LARGEST, "executes-a-prefix follows from the invariants"),
    "header-time-has-passed": ("ibc-allow-timeout", "deliver preserves a-late-header-reveals-execution"),
    "a-proved-outcome-is-an-outcome": ("ibc-allow-timeout", "deliver preserves a-proved-success-is-one"),
    "closing-is-for-good": (
        "ibc-ordered",
        "deliver preserves a-header-of-a-closed-channel-reveals-execution",
    ),
}

#: What no stack has together: outcomes, and shards that lose power without going back to a block.
COPIES = compose("copies", exactly_once, inbox, ordering, outcomes, closing, durability)


def protocol_of(name: str) -> Protocol:
    """A stack, or the one composition more."""
    return COPIES if name == COPIES.name else stack(name)


@cache
def claimed(name: str) -> tuple[Property, ...]:
    """What is proved of a stack."""
    return tuple(p for p in properties_of(protocol_of(name)) if p.role in PROVED)


def todo(protocol: Protocol, properties: tuple[Property, ...]) -> tuple[Obligation, ...]:
    return tuple(obligations(protocol, properties, REPEATABLE))


@cache
def whole(name: str) -> tuple[Obligation, ...]:
    """All that is to be shown of a stack."""
    return todo(stack(name), claimed(name))


class TestTheTheorems:
    @pytest.mark.parametrize("name", SMALLER)
    def test_every_stack_is_proved(self, name: str) -> None:
        """
        Nothing is left open: no obligation, no witness, no action that nobody has seen.
        """
        report = prove(stack(name))

        assert report.verdict is Verdict.HOLDS
        assert (report.findings, report.not_proved, report.reasons) == ((), (), ())
        assert report.work["proved"] == report.work["obligations"] == len(whole(name))

    @pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.deep) for seed in (2, 3, 4))])
    @pytest.mark.parametrize("name", SMALLER)
    def test_the_proof_is_the_same_with_any_seed(self, name: str, seed: int) -> None:
        """
        By matching alone: whether something is proved must not be a matter of luck.
        """
        prover = Prover(seed)

        assert [o.name for o in whole(name) if not prover.matched(o)] == []

    def test_what_has_to_be_possible_is_proved_to_be(self) -> None:
        """
        That nothing refuses what is due follows from the invariants, without another induction.
        """
        names = {o.name for o in whole("near")}

        assert "what-is-due-can-be-delivered follows from the invariants" in names


class TestLemmas:
    @pytest.mark.parametrize("lemma", LEMMAS, ids=str)
    def test_each_is_needed_somewhere(self, lemma: Property) -> None:
        """
        Without it, something is not proved in some stack, of which the smallest is looked at first.
        """
        first, _ = FIRST.get(lemma.name, ("", ""))
        where = [name for name in _by_size() if lemma in claimed(name)]
        where.sort(key=lambda name: name != first)

        assert next((missing for name in where for missing in _missing(name, lemma)), None) is not None


@cache
def _by_size() -> tuple[str, ...]:
    return tuple(sorted((*STACKS, COPIES.name), key=lambda name: len(protocol_of(name).symbols)))


@cache
def _prover(_name: str) -> Prover:
    return Prover(timeout_ms=500)


def _missing(name: str, lemma: Property) -> Iterator[Obligation]:
    """What is not proved without `lemma`; what speaks of the same is looked at first."""
    protocol, prover = protocol_of(name), _prover(name)
    rest = tuple(p for p in claimed(name) if p is not lemma and not p.name.startswith(f"{lemma.name} after"))
    read = _state(symbols_of(protocol.expand(lemma.body)))
    _, first = FIRST.get(lemma.name, ("", ""))
    for obligation in sorted(
        todo(protocol, rest),
        key=lambda o: (o.name != first, len(read - _state(symbols_of(o.goal, o.guard)))),
    ):
        if not prover.matched(obligation) and prover.decide(obligation) is not Decision.PROVED:
            yield obligation


def _state(symbols: set[Symbol[Any, Any]]) -> set[Symbol[Any, Any]]:
    return {s for s in symbols if s.is_state}


class TestMatching:
    def test_what_a_step_does_itself_is_found(self) -> None:
        """
        That some shard has executed a receipt is shown by the one that executes it in this step.
        """
        (obligation,) = _named("near", "deliver preserves marks-only-what-it-executes")

        assert Prover().matched(obligation)

    def test_what_a_step_does_is_not_found_by_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The cells that are written have to be pointed out.
        """
        (obligation,) = _named("near", "deliver preserves marks-only-what-it-executes")
        monkeypatch.setattr(Prover, "_seeds", lambda *_: iter(()))

        assert not Prover().matched(obligation)

    @pytest.mark.parametrize("seed", range(3))
    def test_a_lemma_is_read_forwards(self, seed: int) -> None:
        """
        From a proof and an execution to a success, whichever terms the solver would have waited for.
        """
        assert Prover(seed).matched(_far_from_its_lemmas())

    @pytest.mark.parametrize("seed", range(3))
    def test_a_lemma_is_not_read_forwards_by_itself(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The solver waits for the one term that has all variables, which nothing but the lemma would bring.

        No larger claim will do: where some set of triggers leads to a proof, what was translated before
        decides whether the solver takes that one.
        """
        obligation = _nowhere_spoken_of()

        assert Prover(seed).matched(obligation)
        monkeypatch.setattr(Prover, "_triggered", lambda self, hypothesis: self._say(hypothesis))
        assert not Prover(seed).matched(obligation)

    def test_a_trigger_has_all_variables(self) -> None:
        """
        What it matches is known whole: forwards from the premise, backwards from what follows.
        """
        say = Unbounded()
        quantified = triggered(say, _recorded_once_executed())

        patterns = [str(quantified.pattern(i)) for i in range(quantified.num_patterns())]
        assert len(patterns) == 2
        assert all("Var(0)" in p and "Var(1)" in p for p in patterns)

    def test_what_is_for_all_of_nothing_needs_no_trigger(self) -> None:
        """
        A fact is translated as it is.
        """
        say = Unbounded()

        assert triggered(say, TRUE) is say(TRUE)


def _recorded_once_executed() -> Bool:
    def body(d: Shard, m: Receipt) -> Bool:
        return implies(executions(d, m) >= 1, consumed(d, key(m)))

    return forall(Shard, Receipt, body)


def _far_from_its_lemmas() -> Obligation:
    """What needs four lemmas in a row: a proof was written, so it ran, so it succeeded, so it has arrived."""
    h, m = Header(Variable("h")), Receipt(Variable("m"))

    def proved(h: Header, m: Receipt) -> Bool:
        return all_of(produced(h), origin(h) == destination(m), acknowledged_in(h, m))

    def is_one(h: Header, e: Shard, m: Receipt) -> Bool:
        return implies(all_of(proved(h, m), succeeded_in(h, m), executions(e, m) >= 1), succeeded(e, m))

    def has_arrived(d: Shard, e: Shard, m: Receipt) -> Bool:
        return implies(all_of(acknowledgement(d, m), travels(m), succeeded(e, m)), arrived(m))

    lemmas = (
        forall(Header, Receipt, lambda h, m: implies(proved(h, m), acknowledgement(origin(h), m))),
        forall(Shard, Receipt, lambda d, m: implies(acknowledgement(d, m), ran(m))),
        _for_all(is_one),
        _for_all(has_arrived),
    )
    guard = all_of(proved(h, m), succeeded_in(h, m), travels(m))
    return Obligation("what travels has arrived", lemmas, arrived(m), guard=guard)


def _nowhere_spoken_of() -> Obligation:
    """Two lemmas in a row; the step between them is a cell that neither the guard nor the goal speaks of."""
    h, m = Header(Variable("h")), Receipt(Variable("m"))
    lemmas = (
        forall(Header, Receipt, lambda h, m: implies(all_of(produced(h), travels(m)), acknowledged_in(h, m))),
        forall(Header, Receipt, lambda h, m: implies(acknowledged_in(h, m), arrived(m))),
    )
    return Obligation("what travels has arrived", lemmas, arrived(m), guard=all_of(produced(h), travels(m)))


def _for_all(body: Callable[..., Bool]) -> Bool:
    variables = parameters_of(body)
    return close(variables, body(*variables))


def _named(name: str, obligation: str) -> tuple[Obligation, ...]:
    return tuple(o for o in whole(name) if o.name == obligation)


class TestIsolation:
    def test_a_shard_may_read_what_the_addresses_hold_that_it_answers_for(self) -> None:
        """
        Where addresses move, what they hold moves with them; `deliver` reads frames of an address.
        """
        obligations_of = _named("near", "deliver isolates-shards")

        assert [Prover().matched(o) for o in obligations_of] == [True]

    def test_it_may_not_read_what_others_hold(self) -> None:
        """
        A delivery that asks what another address is doing waits for whoever answers for that one.
        """
        nosy = _with(stack("near"), "deliver", _asks_another_address)

        assert [o.name for o in _isolation(nosy) if not Prover().matched(o)] == ["deliver isolates-shards"]

    def test_nor_what_a_shard_kept_that_it_has_taken_over_from(self) -> None:
        """
        An heir has copies of its own: the record of the shard before it is not at hand.
        """
        nosy = _with(stack("near"), "deliver", _asks_whoever_owned_it_first)

        assert [o.name for o in _isolation(nosy) if not Prover().matched(o)] == ["deliver isolates-shards"]


def _isolation(protocol: Protocol) -> tuple[Obligation, ...]:
    about = tuple(p for p in properties_of(protocol) if p.role is Role.ISOLATION)
    return tuple(obligations(protocol, about))


def _with(protocol: Protocol, name: str, change: object) -> Protocol:
    assert callable(change)
    return evolve(protocol, actions=tuple(change(a) if a.name == name else a for a in protocol.actions))


def _parameters(action: Action) -> tuple[Shard, Receipt]:
    d, m, *_ = action.parameters
    assert isinstance(d, Shard)
    assert isinstance(m, Receipt)
    return d, m


def _asks_another_address(action: Action) -> Action:
    _, m = _parameters(action)
    other = owner(owner(destination(m)))
    return evolve(action, clauses=(*action.clauses, require(depth(other) <= 0, Refusal("busy elsewhere"))))


def _asks_whoever_owned_it_first(action: Action) -> Action:
    _, m = _parameters(action)
    before = ~consumed(destination(m), key(m))
    return evolve(action, clauses=(*action.clauses, require(before, Refusal("consumed before"))))
