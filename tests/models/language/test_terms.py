from __future__ import annotations

import pytest

from sample_protocols.exercise import (
    Amount,
    Place,
    Token,
    beside,
    chosen,
    count,
    favourite,
    friends,
    held,
    marked,
    opened,
    stock,
    turn,
)
from shardproof_models.language.terms import (
    FALSE,
    TRUE,
    Binder,
    Bool,
    Entity,
    Kind,
    Literal,
    Op,
    SortError,
    Term,
    Variable,
    all_of,
    any_of,
    close,
    coerce,
    declare,
    equal,
    exists,
    forall,
    implies,
    is_first_order,
    ite,
    next_,
    number,
    sealed,
    sentences,
    substitute,
    subterms,
    symbols_of,
    total,
)


def place(name: str) -> Place:
    return Place(Variable(name))


p, q, r = place("p"), place("q"), place("r")
n = Amount(Variable("n"))
t = Token(Variable("t"))
a, b, c = (Bool(Variable(name)) for name in "abc")


class TestSortErrors:
    """Wrong sorts are caught where a term is built, by an error that names the term and both sorts."""

    def test_an_argument_has_the_sort_of_its_parameter(self) -> None:
        """The message names the symbol, the parameter, the term and the sorts."""
        with pytest.raises(SortError) as error:
            held(t)  # type: ignore[arg-type]  # the mistake that this is about

        assert str(error.value) == "expected a term of sort Place in held, argument p, got t of sort Token"

    def test_sides_of_an_equation_have_one_sort(self) -> None:
        """A place is no token."""
        with pytest.raises(SortError) as error:
            p == t  # type: ignore[operator]  # noqa: B015  # the mistake that this is about

        assert str(error.value) == "expected a term of sort Place in the right of p ==, got t of sort Token"

    def test_numbers_are_compared_with_numbers_of_their_sort(self) -> None:
        """Python's integers are literals of any number sort; places are not."""
        assert (held(p) < 2).args[1].head.value == 2
        with pytest.raises(SortError, match=r"expected a term of sort Amount, got p of sort Place"):
            held(p) < p  # type: ignore[operator]  # noqa: B015  # the mistake that this is about

    def test_the_branches_of_a_choice_have_one_sort(self) -> None:
        """The message names the branch that does not fit."""
        with pytest.raises(
            SortError, match=r"expected a term of sort Place in the alternative to p, got t of sort Token"
        ):
            ite(opened(), p, t)

    def test_a_premise_is_a_formula(self) -> None:
        """A number has no truth."""
        with pytest.raises(
            SortError, match=r"expected a term of sort Bool in a premise, got count of sort Amount"
        ):
            implies(count(), TRUE)  # type: ignore[arg-type]  # the mistake that this is about

    def test_an_operand_of_a_connective_is_a_formula(self) -> None:
        """Also where Python would call a number true."""
        with pytest.raises(SortError, match=r"expected a term of sort Bool in an operand of &, got 1"):
            all_of(opened(), 1)  # type: ignore[arg-type]  # the mistake that this is about

    @pytest.mark.parametrize("value", [1, "true", None])
    def test_what_is_no_term_does_not_become_one(self, value: object) -> None:
        """Only truth values become relations, and only integers numbers."""
        with pytest.raises(SortError, match="expected a term of sort Bool, got"):
            coerce(value, Bool)

    def test_the_number_of_arguments_is_that_of_the_parameters(self) -> None:
        """Arguments have no names here: a term has none either."""
        with pytest.raises(SortError, match=r"marked takes 2 arguments by position, got 1"):
            marked(p)  # type: ignore[call-arg]  # the mistake that this is about

    def test_a_parameter_needs_a_sort(self) -> None:
        """The message names the parameter and the function."""

        def broken(x: int) -> Bool: ...

        with pytest.raises(
            SortError, match=r"parameter 'x' of broken needs a sort as its annotation, got <class 'int'>"
        ):
            declare(Kind.STATE, broken)

    def test_an_initial_value_has_the_sort_of_its_symbol(self) -> None:
        """The message names the symbol."""

        def broken(x: Place) -> Place:
            return held(x)  # type: ignore[return-value]  # the mistake that this is about

        with pytest.raises(
            SortError, match=r"expected a term of sort Place in the value of broken, got held\(x\)"
        ):
            declare(Kind.STATE, broken)

    def test_a_term_has_no_truth_value(self) -> None:
        """`and`, `or`, `not` and chained comparisons would decide a formula; the error says what to use."""
        with pytest.raises(TypeError, match=r"a term has no truth value: opened\n  help  use & \| ~"):
            opened() and a  # the mistake that this is about
        with pytest.raises(TypeError, match="do not chain comparisons"):
            0 < held(p) < 2  # noqa: B015  # the mistake that this is about


class TestSimplification:
    def test_conjunction_and_disjunction_are_flat_and_drop_their_units(self) -> None:
        """So that a guard of many layers reads as one list."""
        assert str(all_of(a & b, TRUE, c)) == "a and b and c"
        assert all_of() is TRUE
        assert any_of() is FALSE
        assert all_of(a, FALSE, b) is FALSE
        assert any_of(a, TRUE) is TRUE
        assert all_of(FALSE, TRUE) is FALSE

    def test_two_negations_are_none(self) -> None:
        """And the negation of a truth value is the other one."""
        assert ~~a is a
        assert ~TRUE is FALSE

    def test_a_choice_between_formulas_is_plain_logic(self) -> None:
        """Solvers do better without it."""
        assert str(ite(a, TRUE, b)) == "a or b"
        assert str(ite(a, FALSE, b)) == "not a and b"
        assert str(ite(a, b, c)) == "(a implies b) and (a or c)"

    def test_a_choice_that_is_decided_is_none(self) -> None:
        """The condition `true` is the usual one of an effect."""
        assert ite(TRUE, p, q) is p
        assert ite(FALSE, p, q) is q


class TestSubstitution:
    def test_replaces_free_variables_everywhere(self) -> None:
        """All at once: what is put in is not looked at again."""
        swapped = substitute(friends(p, q) & friends(q, r), {p.head: q, q.head: p})

        assert str(swapped) == "friends(q, p) and friends(p, r)"

    def test_leaves_bound_variables_alone(self) -> None:
        """A bound variable is another one, even if it is the same object."""
        bound = Bool(Binder(Op.FORALL, (p,)), (friends(p, q),))

        replaced = substitute(bound & opened(), {p.head: r})

        assert str(replaced) == "(forall p: Place. friends(p, q)) and opened"

    def test_does_not_capture(self) -> None:
        """What is put under a quantifier keeps its meaning."""
        bound = Bool(Binder(Op.FORALL, (p,)), (friends(p, q),))

        replaced = substitute(bound, {q.head: p})

        (variable,) = replaced.head.variables
        assert variable.head is not p.head
        assert [x.head for x in replaced.args[0].args] == [variable.head, p.head]


SHOWN: list[tuple[Term, str]] = [
    (implies(implies(a, b), c), "(a implies b) implies c"),
    (implies(a, implies(b, c)), "a implies b implies c"),
    ((a | b) & c, "(a or b) and c"),
    ((a & b) | c, "a and b or c"),
    (~(a & b), "not (a and b)"),
    (~a == b, "(not a) = b"),
    (equal(p != q, b), "(p != q) = b"),
    (equal(equal(a, b), c), "(a = b) = c"),
    ((held(p) - (n - 1)) - 1, "held(p) - (n - 1) - 1"),
    (held(p) + (n - 1), "held(p) + n - 1"),
    (held(p) - (n + 1), "held(p) - (n + 1)"),
    (held(p) > 1, "held(p) > 1"),
    (held(p) >= n, "n <= held(p)"),
    (number(0, Amount) <= number(1, Amount), "0 <= 1"),
    (ite(a, n, number(2, Amount)) + 1, "(n if a else 2) + 1"),
    (forall(Place, lambda _: a & opened()) & b, "(forall _: Place. a and opened) and b"),
    (exists(Place, Amount, marked), "exists p: Place, n: Amount. marked(p, n)"),
    (total(Place, held, Amount) < 5, "(sum p: Place. held(p)) < 5"),
    (next_(held(p)) <= sealed(p, held(q)), "next(held(p)) <= held(q) sealed in p"),
    (a == TRUE, "a = true"),
    (beside(turn()) == p, "beside(turn) = p"),
]


@pytest.mark.parametrize("term, text", SHOWN, ids=[text for _, text in SHOWN])
def test_terms_are_shown_as_on_a_whiteboard(term: Term, text: str) -> None:
    """Two terms that mean something else never look the same."""
    assert str(term) == text


def test_equality_of_terms_is_a_term() -> None:
    """Terms are compared by identity, and remain keys of dictionaries."""
    assert (p == q).head is Op.EQ
    assert (p != q).head is Op.NOT
    assert {p: 1}[p] == 1
    assert hash(p) != hash(place("p"))


def test_a_term_knows_what_it_is_made_of() -> None:
    """Each subterm once, outermost first; the symbols; whether a solver without sums can read it."""
    term = stock(p, favourite(p), chosen(p)) < 2

    assert [str(x) for x in subterms(term)] == [
        "stock(p, favourite(p), chosen(p)) < 2",
        "stock(p, favourite(p), chosen(p))",
        "p",
        "favourite(p)",
        "chosen(p)",
        "2",
    ]
    assert symbols_of(term) == {stock, favourite, chosen}
    assert is_first_order(term)
    assert not is_first_order(total(Place, held, Amount) < 2)


def test_a_symbol_is_what_its_function_says() -> None:
    """The signature gives the sorts, the body the initial value, the docstring the documentation."""

    def lit(x: Place, k: Amount) -> Bool:
        """Whether `x` has light."""
        return k == 0

    symbol = declare(Kind.GHOST, lit, home=lambda x: x)

    assert [type(x) for x in symbol.parameters] == [Place, Amount]
    assert (symbol.name, symbol.kind, symbol.sort, str(symbol.body), symbol.doc) == (
        "lit",
        Kind.GHOST,
        Bool,
        "k = 0",
        "Whether `x` has light.",
    )
    assert symbol.home is symbol.parameters[0]


def test_entities_have_no_arithmetic() -> None:
    """What only has an identity can be compared, and nothing else."""
    assert issubclass(Place, Entity)
    with pytest.raises(TypeError):
        p + q  # type: ignore[operator]  # the mistake that this is about
    assert isinstance((held(p) + 1).args[1].head, Literal)


class TestSentences:
    """What a formula is the conjunction of."""

    def test_they_are_below_premises_and_quantifiers(self) -> None:
        """Each has its premises, and no quantifier over what it does not mention."""
        both = marked(p, n) & implies(held(p) >= 1, friends(p, p) & opened())
        whole = close((p, n), implies(opened(), both))

        assert [str(s) for s in sentences(whole)] == [
            "forall p: Place, n: Amount. opened implies marked(p, n)",
            "forall p: Place. opened and held(p) >= 1 implies friends(p, p)",
            "forall p: Place. opened and held(p) >= 1 implies opened",
        ]

    def test_a_choice_is_one_sentence(self) -> None:
        """Of a disjunction, and of what holds for some, no part follows."""
        either = any_of(a & b, c)
        some_place = exists(Place, lambda x: (held(x) >= 1) & opened())

        assert [*sentences(either)] == [either]
        assert [*sentences(some_place)] == [some_place]
