"""
The readings agree on every guard and every world after a step, and the comparison can fail.

The plain reading is the one that is obviously right; the others are compared with it: each action
of each stack, clause by clause, and each cell that it writes, on a few worlds here and on many
more in the deep tests of `ci/nightly`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import z3
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drawn import examples
from sample_protocols.assignments import FiniteReading, UnboundedReading
from sample_protocols.exercise import Amount, Place, marked
from sample_protocols.random_terms import TermMaker, random_action
from sample_protocols.worlds import PROTOCOLS, disagreements, instances_of, protocol_named, random_world
from shardproof.readings import evaluate, generated, smt, writer
from shardproof.readings.evaluate import Evaluator, World
from shardproof.readings.generated import Generated
from shardproof.readings.scope import OutOfScope
from shardproof_models.language import actions
from shardproof_models.language.actions import Action, Effect, assign, each
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Binder, Bool, Number, Op, Variable, exists, subterms

pytestmark = pytest.mark.heavy

RANDOM = st.randoms(use_true_random=False)

#: How many times as much is compared in a deep run, which changes no kind of thing that is compared.
TIMES = pytest.mark.parametrize(
    "times", [pytest.param(1, id="once"), pytest.param(8, id="eightfold", marks=pytest.mark.deep)]
)

#: Worlds for each small protocol that the generated reading is compared on.
WORLDS = 40

#: Cells of a protocol that counts as small: the plain reading writes every one of them in each step.
SMALL = 150


def fewer(plain: Evaluator, count: int) -> int:
    """As many worlds of a large protocol as can be compared while `count` small ones are; two at least."""
    return max(2, count * SMALL // max(SMALL, len(plain.layout.cells)))


def worlds_of(plain: Evaluator, rng: random.Random, count: int) -> list[World]:
    """Worlds that Hypothesis does not look into: it chooses terms, and one number for all of these."""
    seeded = random.Random(rng.getrandbits(32))
    return [random_world(plain.layout, seeded) for _ in range(count)]


def with_random_action(rng: random.Random) -> Protocol:
    """The artificial protocol with one action made of random terms."""
    protocol, _ = protocol_named("exercise")
    return evolve(protocol, actions=(random_action(protocol, rng),))


def quantifies_over_numbers(action: Action) -> bool:
    """Whether a quantifier has a range at a scope, and all integers without one."""
    terms = (action.guard, *(t for e in action.effects for t in (e.cell, e.value, e.where)))
    binders = (t.head for term in terms for t in subterms(term) if isinstance(t.head, Binder))
    return any(b.op is Op.SUM or any(isinstance(v, Number) for v in b.variables) for b in binders)


# ---- generated Python ---------------------------------------------------------------------------------


@TIMES
@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_generated_reading_does_what_the_plain_one_does(name: str, times: int) -> None:
    """On any world: the same refusal, by the same clause, the same world after, the same numbers cut."""
    protocol, scope = protocol_named(name)
    plain, fast, rng = Evaluator(protocol, scope), Generated(protocol, scope), random.Random(name)

    found = [
        d
        for _ in range(fewer(plain, WORLDS) * times)
        for d in disagreements(plain, fast, random_world(plain.layout, rng), instances_of(plain, rng, 15))
    ]

    assert found == []
    assert fast.plain(fast.initial()) == plain.initial()


@given(RANDOM)
@settings(examples(150), suppress_health_check=list(HealthCheck))
def test_the_generated_reading_agrees_on_random_terms(rng: random.Random) -> None:
    """Also where clauses and effects are made of whatever terms the sorts allow."""
    protocol, (_, scope) = with_random_action(rng), protocol_named("exercise")
    plain, fast = Evaluator(protocol, scope), Generated(protocol, scope)

    instances = instances_of(plain, rng, 4)
    for world in worlds_of(plain, rng, 3):
        assert list(disagreements(plain, fast, world, instances)) == []


@given(RANDOM)
@settings(examples(150), suppress_health_check=list(HealthCheck))
def test_the_generated_reading_agrees_on_step_properties(rng: random.Random) -> None:
    """A formula that looks at the world after a step is read alike, whatever the two worlds are."""
    protocol, scope = protocol_named("exercise")
    plain, fast = Evaluator(protocol, scope), Generated(protocol, scope)
    maker = TermMaker(rng, protocol.symbols, (*protocol.sorts, Bool), next=True)
    formula = maker.bool(3, ())
    worlds = worlds_of(plain, rng, 2)
    holds = fast.check((), formula)

    try:
        expected: bool | None = bool(plain.value(formula, worlds[0], {}, worlds[1]))
    except OutOfScope:
        expected = None
    try:
        got: bool | None = holds(*map(fast.from_plain, worlds))
    except OutOfScope:
        got = None

    assert got == expected


# ---- the solver ---------------------------------------------------------------------------------------


@TIMES
@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_finite_reading_does_what_the_plain_one_does(name: str, times: int) -> None:
    """Counterexamples to induction are shown in this reading: its steps are steps, of every action."""
    protocol, scope = protocol_named(name)
    plain, rng = Evaluator(protocol, scope), random.Random(name)
    finite = FiniteReading(plain)

    found = [
        d
        for action, args in instances_of(plain, rng, fewer(plain, 2) * times)
        for d in finite.disagreements(
            action, args, [random_world(plain.layout, rng) for _ in range(fewer(plain, 4) * times)]
        )
    ]

    assert found == []


@given(RANDOM)
@settings(examples(20), suppress_health_check=list(HealthCheck))
def test_the_finite_reading_agrees_on_random_terms(rng: random.Random) -> None:
    """Also where clauses and effects are made of whatever terms the sorts allow."""
    plain = Evaluator(with_random_action(rng), protocol_named("exercise")[1])
    worlds = worlds_of(plain, rng, 4)

    for action, args in instances_of(plain, rng, 1):
        assert list(FiniteReading(plain).disagreements(action, args, worlds)) == []


@TIMES
@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_unbounded_reading_does_what_the_plain_one_does(name: str, times: int) -> None:
    """
    The theorem is about this reading: on each finite world it follows that the step is what it is.

    Of every action, but for those that count or quantify over numbers: they are compared above.
    """
    protocol, scope = protocol_named(name)
    plain, rng = Evaluator(protocol, scope), random.Random(name)

    found = []
    compared = set()
    reading = UnboundedReading(plain)
    for _ in range(fewer(plain, 3) * times):
        instances = [
            i for i in instances_of(plain, rng, fewer(plain, 6)) if not quantifies_over_numbers(i[0])
        ]
        found += list(reading.disagreements(random_world(plain.layout, rng), instances))
        compared |= {action.name for action, _ in instances}

    assert found == []
    assert compared == {a.name for a in protocol.actions if not quantifies_over_numbers(a)}
    assert compared


# ---- the comparison can fail --------------------------------------------------------------------------


def _additions_first(effects: Any, key: Callable[[Any], bool]) -> list[Any]:
    return sorted(effects, key=lambda e: not key(e))


def _without_the_second(effect: Callable[..., None]) -> Callable[..., None]:
    def written(write: Any, what: Any, number: int, *rest: Any, **more: Any) -> None:
        if number != 1:
            effect(write, what, number, *rest, **more)

    return written


def _turned(scalar: Callable[..., str]) -> Callable[..., str]:
    def written(self: Any, t: Any) -> str:
        return scalar(self, evolve(t, args=t.args[::-1]) if t.head is Op.SUB else t)

    return written


def _plain_turned(value: Callable[..., int]) -> Callable[..., int]:
    def read(self: Any, t: Any, *rest: Any, **more: Any) -> int:
        return value(self, evolve(t, args=t.args[::-1]) if t.head is Op.LT else t, *rest, **more)

    return read


ALTERATIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "generated: <= for <": lambda m: m.setitem(writer._INFIX, Op.LE, "<"),
    "generated: or for and": lambda m: m.setitem(writer._INFIX, Op.AND, "or"),
    "generated: an effect is dropped": lambda m: m.setattr(
        generated, "_effect", _without_the_second(generated._effect)
    ),
    "generated: operands are swapped": lambda m: m.setattr(
        writer.Writer, "scalar", _turned(writer.Writer.scalar)
    ),
    "generated: what is mapped is taken for what it is mapped to": lambda m: m.setattr(
        generated, "preimage", lambda row, _: row
    ),
    "generated: a number may leave its range": lambda m: m.setattr(generated, "_bounds", lambda *_: iter(())),
    "generated: additions come first": lambda m: m.setattr(
        generated, "sorted", _additions_first, raising=False
    ),
    "plain: additions come first": lambda m: m.setattr(evaluate, "sorted", _additions_first, raising=False),
    "plain: operands are swapped": lambda m: m.setattr(Evaluator, "value", _plain_turned(Evaluator.value)),
    "plain: some for all": lambda m: m.setattr(evaluate, "all", any, raising=False),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_an_altered_reading_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above fails if either reading is changed in one place."""
    ALTERATIONS[what](monkeypatch)
    protocol, scope = protocol_named("exercise")
    plain, fast, rng = Evaluator(protocol, scope), Generated(protocol, scope), random.Random(what)

    found = [
        d
        for _ in range(20)
        for d in disagreements(plain, fast, random_world(plain.layout, rng), instances_of(plain, rng, 40))
    ]

    assert found


SOLVER_ALTERATIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "an effect of two is forgotten": lambda m: m.setattr(
        actions.Action,
        "writes",
        lambda self, symbol: tuple(e for e in self.effects if e.symbol is symbol)[:1],
    ),
    "additions come first": lambda m: m.setattr(actions, "sorted", _additions_first, raising=False),
    "plain: operands are swapped": lambda m: m.setattr(Evaluator, "value", _plain_turned(Evaluator.value)),
}


@pytest.mark.parametrize(
    "what", [*SOLVER_ALTERATIONS, "finite: < for <=", "finite: or for and", "unbounded: or for and"]
)
def test_an_altered_formula_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the solver's readings, and for `Action.after`, on which every proof rests."""
    protocol, scope = protocol_named("exercise")
    plain, rng = Evaluator(protocol, scope), random.Random(what)
    # Before anything is altered: what an alteration does to the choice of cells is beside the point.
    instances = [i for i in instances_of(plain, rng, 16) if not quantifies_over_numbers(i[0])]
    match what:
        case "finite: < for <=":
            monkeypatch.setitem(smt._ARITHMETIC, Op.LE, int.__lt__)
        case "finite: or for and":
            monkeypatch.setattr(smt, "conj", lambda parts: smt.disj(list(parts)))
        case "unbounded: or for and":
            monkeypatch.setitem(smt._CONNECTIVES, Op.AND, z3.Or)
        case _:
            SOLVER_ALTERATIONS[what](monkeypatch)

    reading = UnboundedReading(plain)
    unbounded = [
        d for _ in range(3) for d in reading.disagreements(random_world(plain.layout, rng), instances)
    ]
    worlds = [random_world(plain.layout, rng) for _ in range(3)]
    cells = FiniteReading(plain)
    finite = [d for action, args in instances for d in cells.disagreements(action, args, worlds)]

    if what.startswith("finite"):
        assert finite
    elif what.startswith("unbounded"):
        assert unbounded
    else:
        assert finite
        assert unbounded


# ---- two steps ----------------------------------------------------------------------------------------


def test_what_is_true_after_two_steps_is_computed_twice() -> None:
    """
    Rewriting a term by an action, and the result by it again, is what two steps do.

    The second rewriting puts a variable that the first one bound under the quantifier that bound it.
    """
    protocol, scope = protocol_named("exercise")

    def earlier(x: Place, k: Amount) -> Effect:
        return assign(marked(x, k), exists(Amount, lambda m: marked(x, m) & (m < k)))

    action = Action("act", (), (), (each(Place, Amount, earlier),))
    plain = Evaluator(evolve(protocol, actions=(action,)), scope)
    x, k = Place(Variable("x")), Amount(Variable("k"))
    twice = action.after(action.after(marked(x, k)))
    world, values = random_world(plain.layout, random.Random(1)), []

    for at in scope.tuples((x, k)):
        env = dict(zip((x.head, k.head), at, strict=True))
        stepped = plain.effects(plain.effects(world, action, ()), action, ())
        values.append(plain.value(twice, world, env))
        assert values[-1] == plain.value(marked(x, k), stepped, env)
    assert set(values) == {0, 1}
