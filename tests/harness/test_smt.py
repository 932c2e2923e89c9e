"""
What the two readings for the solver make of single terms.

That they agree with the plain reading on whole worlds is shown in `readings/`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import z3

from shardproof.readings.scope import Scope
from shardproof.readings.smt import Finite, Unbounded, conj, disj, equal, given, negate, same, worth
from shardproof_models.language.terms import (
    FALSE,
    TRUE,
    Bool,
    Entity,
    Kind,
    Number,
    Symbol,
    Variable,
    exists,
    forall,
    implies,
    ite,
    next_,
    number,
    total,
)


class Thing(Entity):
    """Something."""


class Amount(Number):
    """How much of it."""


HELD: Symbol[[Thing], Bool] = Symbol("held", Kind.STATE, (Thing(Variable("t")),), Bool)
WEIGHT: Symbol[[Thing], Amount] = Symbol("weight", Kind.STATE, (Thing(Variable("t")),), Amount)
BEST: Symbol[[], Thing] = Symbol("best", Kind.STATE, (), Thing)
TWIN: Symbol[[Thing], Thing] = Symbol("twin", Kind.RIGID, (Thing(Variable("t")),), Thing)
X = Thing(Variable("x"))


def finite(things: int = 2, numbers: range = range(3), **rigid: int) -> Finite:
    return Finite(Scope({Thing: things, Amount: numbers}, {n: lambda *_, v=v: v for n, v in rigid.items()}))


def valid(claim: object, say: Finite) -> bool:
    """Whether a formula is true of every world."""
    solver = z3.Solver()
    solver.add(*say.constraints, negate(claim))
    return bool(solver.check() == z3.unsat)


def proved(claim: Bool) -> bool:
    """Whether a formula is true of worlds of any size."""
    solver = z3.Solver()
    solver.add(z3.Not(Unbounded()(claim)))
    return bool(solver.check() == z3.unsat)


class TestUnbounded:
    @pytest.mark.parametrize(
        "claim",
        [
            forall(Thing, lambda x: implies(HELD(x), exists(Thing, HELD))),
            forall(Thing, lambda x: WEIGHT(x) < WEIGHT(x) + 1),
            forall(Thing, lambda x: WEIGHT(x) - 1 <= WEIGHT(x)),
            forall(Thing, lambda x: ite(HELD(x), WEIGHT(x), 3) != ite(HELD(x), WEIGHT(x) + 1, 4)),
            forall(Thing, lambda x: implies(x == X, TWIN(X) == TWIN(x))),
            HELD(X) | ~HELD(X) | FALSE,
            TRUE & (number(2, Amount) < 3),
        ],
        ids=str,
    )
    def test_what_is_true_of_every_world_is_proved(self, claim: Bool) -> None:
        """Each connective means what it says, whatever the size; and the contrary is not proved."""
        assert proved(claim)
        assert not proved(~claim)

    def test_three_things_may_differ(self) -> None:
        """A sort has no size of its own."""
        x, y, z = (Thing(Variable(n)) for n in "xyz")

        assert not proved((x == y) | (y == z) | (x == z))

    def test_a_term_is_translated_once(self) -> None:
        """What many obligations assume costs one translation, and a variable stays itself."""
        say = Unbounded()
        term = HELD(X)

        assert say(term) is say(term)
        assert say(term).arg(0).eq(say(TWIN(X)).arg(0))
        assert not say(HELD(Thing(Variable("x")))).eq(say(term))

    def test_a_sum_is_refused(self) -> None:
        """It is not first-order, and silence would be a wrong proof."""
        with pytest.raises(ValueError, match="not first-order"):
            Unbounded()(total(Thing, WEIGHT, Amount) == 0)


class TestFinite:
    @pytest.mark.parametrize(
        "claim",
        [
            exists(Thing, lambda x: BEST() == x),
            forall(Thing, HELD) == (HELD(BEST()) & forall(Thing, HELD)),
            forall(Thing, lambda x: (WEIGHT(x) <= 2) & (number(0, Amount) <= WEIGHT(x))),
            forall(Thing, lambda x: WEIGHT(x) < WEIGHT(x) + 1),
            total(Thing, WEIGHT, Amount) <= 4,
            exists(Thing, lambda x: total(Thing, WEIGHT, Amount) <= WEIGHT(x) + 2),
            ite(HELD(BEST()), WEIGHT(BEST()), 7) != 6,
        ],
        ids=str,
    )
    def test_what_is_true_at_a_scope_is_valid(self, claim: Bool) -> None:
        """Quantifiers and sums are written out over two things and three numbers."""
        say = finite()

        assert valid(say.holds(claim, {}), say)
        assert not valid(say.holds(~claim, {}), say)

    def test_a_third_thing_makes_a_difference(self) -> None:
        """With two things, of three names two are one; with three they need not be."""
        claim = forall(Thing, lambda x: exists(Thing, lambda y: (x == y) | (BEST() == y)))
        pigeons = forall(Thing, Thing, lambda x, y: (x == y) | (BEST() == x) | (BEST() == y))

        assert finite().holds(claim, {}) is True
        assert [valid(s.holds(pigeons, {}), s) for s in (finite(2), finite(3))] == [True, False]

    def test_a_cell_has_exactly_one_value(self) -> None:
        """That is what the constraints are for."""
        say = finite(3)
        table = say.cell(BEST, ())

        assert sorted(table) == [0, 1, 2]
        assert valid(disj(table.values()), say)
        assert valid(negate(conj((table[0], table[2]))), say)

    def test_what_the_scope_knows_is_not_asked(self) -> None:
        """A rigid cell of a known topology is a value, and what follows from it is decided at once."""
        say = finite(twin=1)

        assert say.cell(TWIN, (0,)) == {1: True}
        assert say.holds(TWIN(X) == X, given((X,), (1,))) is True
        assert say.holds(TWIN(X) == X, given((X,), (0,))) is False

    def test_rigid_cells_have_one_moment_and_next_looks_at_the_one_after(self) -> None:
        """A topology does not change; a world does."""
        say = finite()
        here = given((X,), (0,))

        assert say.cell(TWIN, (0,), 0) is say.cell(TWIN, (0,), 5)
        assert say.holds(next_(HELD(X)), here, 1) is say.cell(HELD, (0,), 2)[1]

    def test_an_argument_that_is_not_known_is_any_of_its_values(self) -> None:
        """The cell that is read depends on it."""
        say = finite()
        claim = say.holds(HELD(BEST()), {})

        best_is_1, held_is_1 = say.cell(BEST, ())[1], say.cell(HELD, (1,))[1]

        assert valid(same(conj((best_is_1, claim)), conj((best_is_1, held_is_1))), say)

    def test_an_assignment_is_read_back(self) -> None:
        """As a value of a table, and as a topology."""
        say = finite(3)
        *_, table = (say.cell(TWIN, (x,)) for x in range(3))
        solver = z3.Solver()
        solver.add(*say.constraints, table[1])
        assert solver.check() == z3.sat

        assert worth(table, solver.model()) == 1
        assert say.read(solver.model(), (TWIN,)).rigid["twin"](2) == 1


@pytest.mark.parametrize("unit, zero, join", [(True, False, conj), (False, True, disj)])
def test_what_is_decided_is_not_translated(unit: bool, zero: bool, join: Callable[[list[Any]], Any]) -> None:
    """Units vanish, a zero decides, and one part needs no connective."""
    p, q = z3.Bools("p q")

    assert join([]) is unit
    assert join([unit, p]) is p
    assert join([p, zero, q]) is zero
    assert join([p, q]).num_args() == 2


def test_tables_are_equal_where_their_values_are() -> None:
    """Values that only one of them may have make them differ."""
    p, q = z3.Bools("p q")

    assert equal({0: True}, {0: True}) is True
    assert equal({0: True}, {1: True}) is False
    one, other = {0: p, 1: z3.Not(p)}, {1: q, 2: z3.Not(q)}
    solver = z3.Solver()
    solver.add(z3.Not(equal(one, other) == z3.And(z3.Not(p), q)))
    assert solver.check() == z3.unsat
