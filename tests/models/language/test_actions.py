from __future__ import annotations

import pytest

from sample_protocols.exercise import EXERCISE, Amount, Place, count, favourite, held, marked, opened, turn
from shardproof_models.language.actions import (
    Action,
    Effect,
    Refusal,
    Write,
    action_of,
    add,
    assign,
    each,
    insert,
    remove,
    require,
)
from shardproof_models.language.terms import (
    FALSE,
    TRUE,
    Binder,
    Bool,
    SortError,
    Variable,
    exists,
    number,
    subterms,
)

NO = Refusal("no")


def place(name: str) -> Place:
    return Place(Variable(name))


p, q = place("p"), place("q")
n = Amount(Variable("n"))


def with_effects(*effects: Effect) -> Action:
    return Action("act", (p, q, n), (), effects)


class TestAfter:
    def test_leaves_alone_what_no_effect_writes(self) -> None:
        """There are no frame axioms: a term that nothing writes is its own value after the step."""
        term = held(p) < n

        assert with_effects(assign(turn(), p)).after(term) is term

    def test_assigns_where_the_cells_are_the_same(self) -> None:
        """Two names may mean one place, so a write is a case distinction."""
        assert str(with_effects(assign(held(p), 2)).after(held(q))) == "(2 if p = q else held(q))"

    def test_adds_to_what_was_assigned(self) -> None:
        """Assignments come first, whatever the order in which the effects were written."""
        action = with_effects(add(count(), n), assign(count(), 1))

        assert str(action.after(count())) == "1 + n"

    def test_accumulates_additions_that_meet(self) -> None:
        """Two additions to one cell both count."""
        action = with_effects(add(count(), n), add(count(), 2))

        assert str(action.after(count())) == "count + n + 2"

    def test_lets_the_last_assignment_win(self) -> None:
        """Of two assignments to one cell the later one stays."""
        assert str(with_effects(assign(turn(), p), assign(turn(), q)).after(turn())) == "q"

    def test_reads_everything_before_it_writes_anything(self) -> None:
        """A cell is found, and its value computed, in the world before."""
        action = with_effects(
            assign(count(), held(p)), assign(turn(), favourite(turn())), insert(marked(turn(), count()))
        )

        assert str(action.after(marked(turn(), count()))) == (
            "turn = favourite(turn) and count = held(p) or marked(favourite(turn), held(p))"
        )

    def test_solves_a_variable_that_an_earlier_argument_speaks_of(self) -> None:
        """For each place, a cell found through that place: the place may come as the last argument."""
        effect = each(Amount, lambda m: insert(marked(turn(), m), where=count() < m))
        through = each(Place, lambda x: assign(stock_of(favourite(x), x), 1))

        assert str(with_effects(effect).after(marked(p, n))) == "turn = p and count < n or marked(p, n)"
        assert str(with_effects(through).after(stock_of(p, q))) == (
            "(1 if favourite(q) = p and chosen(p) = chosen(p) else stock(p, q, chosen(p)))"
        )

    def test_keeps_bound_variables_apart_when_it_is_applied_twice(self) -> None:
        """The second rewriting puts a bound variable of the first under its own quantifier."""

        def earlier(x: Place, k: Amount) -> Effect:
            return assign(marked(x, k), exists(Amount, lambda m: marked(x, m) & (m < k)))

        action = with_effects(each(Place, Amount, earlier))

        twice = action.after(action.after(marked(p, n)))

        assert sum(1 for t in subterms(twice) if isinstance(t.head, Binder)) == 2
        for term in subterms(twice):
            if isinstance(term.head, Binder):
                inner = [t.head for t in subterms(term.args[0]) if isinstance(t.head, Binder)]
                assert not {v.head for v in term.head.variables} & {
                    v.head for b in inner for v in b.variables
                }


def stock_of(x: Place, y: Place) -> Amount:
    """A cell of two places; the token does not matter here."""
    stock = next(s for s in EXERCISE.state if s.name == "stock")
    chosen = next(s for s in EXERCISE.state if s.name == "chosen")
    made = stock(x, y, chosen(p))
    assert isinstance(made, Amount)
    return made


class TestSortErrors:
    def test_an_effect_writes_state(self) -> None:
        """What is not a cell of state cannot be written."""
        with pytest.raises(SortError, match=r"an effect writes a cell of state, got p"):
            assign(p, q)

    def test_the_value_has_the_sort_of_the_cell(self) -> None:
        """The message names the cell, the term and both sorts."""
        with pytest.raises(SortError) as error:
            assign(held(p), q)

        assert (
            str(error.value) == "expected a term of sort Amount in the value of held(p), got q of sort Place"
        )

    def test_a_number_is_no_truth_value(self) -> None:
        """Nor is Python's True a number."""
        with pytest.raises(
            SortError, match=r"expected a term of sort Amount in what is added to count, got True"
        ):
            add(count(), True)

    def test_a_condition_is_a_formula(self) -> None:
        """The message names the clause."""
        with pytest.raises(
            SortError, match=r"expected a term of sort Bool in the clause 'no', got held\(p\) of sort Amount"
        ):
            require(held(p), NO)  # type: ignore[arg-type]  # the mistake that this is about

    def test_a_variable_of_each_is_an_argument_of_the_cell(self) -> None:
        """Otherwise one cell would be written many times, and an update would need a quantifier."""
        with pytest.raises(
            SortError, match=r"x must be an argument of the written cell held\(favourite\(x\)\)"
        ):
            each(Place, lambda x: assign(held(favourite(x)), 1))

    def test_an_action_yields_parts(self) -> None:
        """A formula without `require` is no clause."""

        def act(x: Place) -> object:
            yield held(x) < 2

        with pytest.raises(SortError, match=r"act yields held\(x\) < 2: expected require, waive"):
            action_of(act)  # type: ignore[arg-type]  # the mistake that this is about


def test_insert_and_remove_are_assignments() -> None:
    """A relation is a function to truth values."""
    assert [(e.write, e.value) for e in (insert(opened()), remove(opened()))] == [
        (Write.ASSIGN, TRUE),
        (Write.ASSIGN, FALSE),
    ]


def test_collisions_are_pairs_of_assignments_that_could_disagree() -> None:
    """Which one wins would depend on an order that nobody wrote down on purpose."""
    action = with_effects(
        assign(held(p), 1), assign(held(q), 2), add(held(p), 1), assign(count(), n), assign(turn(), p)
    )

    ((later, earlier, disagree),) = action.collisions()

    assert (str(later), str(earlier)) == ("held(q) := 2", "held(p) := 1")
    assert isinstance(disagree, Bool)
    assert str(disagree) == "q = cell0 and p = cell0 and 2 != 1"


def test_effects_are_shown_as_a_person_would_write_them() -> None:
    """Every form of an effect, as it appears on the whiteboard."""
    shown = [
        str(e)
        for e in (
            assign(held(p), n + 1),
            add(count(), 2),
            add(count(), number(0, Amount) - n),
            insert(opened(), where=held(p) > 1),
            each(Place, lambda x: remove(marked(x, n), where=x != p)),
        )
    ]

    assert shown == [
        "held(p) := n + 1",
        "count += 2",
        "count -= n",
        "opened := true where held(p) > 1",
        "for each x: Place: marked(x, n) := false where x != p",
    ]
