"""
Terms of a many-sorted first-order language, written with Python's own operators.

A sort *is* a class of terms: `class Shard(Entity)` declares the sort, and a variable
`d: Shard` is an instance of it, so the type checker checks sorts, and `SortError` says the
same where a term is built. What a term is made of is data (its `head`); what it may be
combined with is its class. Nothing here knows about actions, Python values, Z3 or C.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

from attrs import evolve, frozen

P = ParamSpec("P")
T = TypeVar("T", bound="Term")
S1 = TypeVar("S1", bound="Term")
S2 = TypeVar("S2", bound="Term")


class SortError(TypeError):
    """A term was combined with one of another sort, or with something that is no term."""


class Op(enum.Enum):
    """What the logic itself provides; everything else is a symbol."""

    AND = "&"
    OR = "|"
    NOT = "~"
    IMPLIES = "->"
    EQ = "=="
    LT = "<"
    LE = "<="
    ADD = "+"
    SUB = "-"
    ITE = "if"
    #: The value after the step; only in step properties.
    NEXT = "next"
    #: The value in the state that a header sealed; unfolded by protocols that remember it.
    SEALED = "sealed"
    #: The value in what a crash cannot take; unfolded by protocols that keep it apart.
    DURABLE = "durable"
    FORALL = "forall"
    EXISTS = "exists"
    #: Finite scopes only: a sum is not first-order.
    SUM = "sum"


@frozen(eq=False)
class Variable:
    """A bound variable or a parameter. Identity is the object, so nothing is captured."""

    name: str


@frozen(eq=False)
class Literal:
    """A truth value or an integer."""

    value: bool | int


@frozen(eq=False)
class Binder:
    """A quantifier or a sum, and the variables that it binds."""

    op: Op
    variables: tuple[Term, ...]


@frozen(eq=False, repr=False)
class Term:
    """A head (variable, literal, binder, connective or symbol) applied to arguments."""

    head: Any
    args: tuple[Term, ...] = ()

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError(
            f"a term has no truth value: {self}\n"
            "  help  use & | ~ and all_of(...) instead of and, or, not; do not chain comparisons"
        )

    def __repr__(self) -> str:
        return show(self)


class Entity(Term):
    """Something with an identity and no structure; at a finite scope, one of so many."""

    __hash__ = object.__hash__

    def __eq__(self, other: Self) -> Bool:  # type: ignore[override]  # equality builds a term
        return equal(self, other)

    def __ne__(self, other: Self) -> Bool:  # type: ignore[override]  # equality builds a term
        return ~equal(self, other)


class Bool(Term):
    """A relation or a formula."""

    __hash__ = object.__hash__

    def __eq__(self, other: Bool | bool) -> Bool:  # type: ignore[override]  # equality builds a term
        return equal(self, other)

    def __ne__(self, other: Bool | bool) -> Bool:  # type: ignore[override]  # equality builds a term
        return ~equal(self, other)

    def __and__(self, other: Bool) -> Bool:
        return all_of(self, other)

    def __or__(self, other: Bool) -> Bool:
        return any_of(self, other)

    def __invert__(self) -> Bool:
        if isinstance(self.head, Literal):
            return FALSE if self.head.value else TRUE
        return _bool(self.args[0]) if self.head is Op.NOT else Bool(Op.NOT, (self,))


class Number(Term):
    """An integer: unbounded for the solver, a range at a finite scope."""

    __hash__ = object.__hash__

    def __eq__(self, other: Self | int) -> Bool:  # type: ignore[override]  # equality builds a term
        return equal(self, other)

    def __ne__(self, other: Self | int) -> Bool:  # type: ignore[override]  # equality builds a term
        return ~equal(self, other)

    def __add__(self, other: Self | int) -> Self:
        return type(self)(Op.ADD, (self, coerce(other, type(self))))

    def __sub__(self, other: Self | int) -> Self:
        return type(self)(Op.SUB, (self, coerce(other, type(self))))

    def __lt__(self, other: Self | int) -> Bool:
        return Bool(Op.LT, (self, coerce(other, type(self))))

    def __le__(self, other: Self | int) -> Bool:
        return Bool(Op.LE, (self, coerce(other, type(self))))

    def __gt__(self, other: Self | int) -> Bool:
        return Bool(Op.LT, (coerce(other, type(self)), self))

    def __ge__(self, other: Self | int) -> Bool:
        return Bool(Op.LE, (coerce(other, type(self)), self))


class Kind(enum.Enum):
    """What a symbol is to a protocol."""

    #: Never changes: part of the topology.
    RIGID = "rigid"
    #: Part of the world.
    STATE = "state"
    #: State that no guard may read: history, kept for proofs and oracles.
    GHOST = "ghost"
    #: An abbreviation that higher layers may widen.
    DEFINED = "defined"


class Public(enum.Enum):
    """The home of state that belongs to no shard: once released, it cannot be lost or taken back."""

    PUBLIC = "public"


PUBLIC = Public.PUBLIC


@frozen(eq=False, repr=False)
class Symbol(Generic[P, T]):
    """
    A function symbol. Its signature is that of the Python function that declares it.

    `body` is the initial value of state, or the definition; `None` leaves it open. `home`
    is the shard that keeps the state, over the parameters; `PUBLIC` where none does; `None`
    where it was not said.
    """

    name: str
    kind: Kind
    parameters: tuple[Term, ...]
    sort: type[T]
    body: Term | None = None
    doc: str = ""
    home: Term | Public | None = None

    def __call__(self, *args: P.args, **named: P.kwargs) -> T:
        if named or len(args) != len(self.parameters):
            wanted = len(self.parameters)
            raise SortError(f"{self.name} takes {wanted} arguments by position, got {len(args) + len(named)}")
        given = zip(args, self.parameters, strict=True)
        return self.sort(self, tuple(coerce(a, type(p), f"{self.name}, argument {p}") for a, p in given))

    def __repr__(self) -> str:
        return self.name

    @property
    def is_state(self) -> bool:
        return self.kind in (Kind.STATE, Kind.GHOST)


def declare(
    kind: Kind,
    function: Callable[P, T],
    home: Callable[..., Term] | Public | None = None,
) -> Symbol[P, T]:
    """The symbol that `function` declares: its name, signature, initial value and docstring."""
    parameters = parameters_of(function)
    sort: type[T] = inspect.signature(function, eval_str=True).return_annotation
    body = function(*parameters)  # type: ignore[call-arg, arg-type]  # a ParamSpec cannot be built from data
    return Symbol(
        function.__name__,
        kind,
        parameters,
        sort,
        None if body is None else coerce(body, sort, f"the value of {function.__name__}"),
        inspect.getdoc(function) or "",
        home if home is None or isinstance(home, Public) else home(*parameters[: arity(home)]),
    )


def arity(function: Callable[..., Any]) -> int:
    """How many arguments it takes."""
    return len(
        function.parameters if isinstance(function, Symbol) else inspect.signature(function).parameters
    )


def parameters_of(function: Callable[..., Any]) -> tuple[Term, ...]:
    """One fresh variable for each parameter, of the sort that its annotation names."""
    found = inspect.signature(function, eval_str=True).parameters
    for p in found.values():
        if not (isinstance(p.annotation, type) and issubclass(p.annotation, Term)):
            raise SortError(
                f"parameter {p.name!r} of {function.__name__} needs a sort as its annotation, "
                f"got {p.annotation!r}"
            )
    return tuple(p.annotation(Variable(p.name)) for p in found.values())


@overload
def coerce(value: object, sort: type[T], where: str = "") -> T: ...
@overload
def coerce(value: object, sort: type[Any], where: str = "") -> Any: ...
def coerce(value: object, sort: type[Any], where: str = "") -> Any:
    """
    `value` as a term of `sort`; Python's integers and truth values become literals.

    Raises `SortError`.
    """
    if isinstance(value, sort):
        return value
    place = f" in {where}" if where else ""
    if isinstance(value, Term):
        got = f"{value} of sort {type(value).__name__}"
        raise SortError(f"expected a term of sort {sort.__name__}{place}, got {got}")
    if isinstance(value, bool) and issubclass(sort, Bool):
        return TRUE if value else FALSE
    if isinstance(value, int) and not isinstance(value, bool) and issubclass(sort, Number):
        return sort(Literal(value))
    raise SortError(f"expected a term of sort {sort.__name__}{place}, got {value!r}")


def _bool(term: Term) -> Bool:
    return coerce(term, Bool)


def equal(left: Term, right: object) -> Bool:
    """Equality of two terms of one sort."""
    return Bool(Op.EQ, (left, coerce(right, type(left), f"the right of {left} ==")))


TRUE, FALSE = Bool(Literal(True)), Bool(Literal(False))


def _flat(op: Op, unit: Bool, zero: Bool, parts: tuple[Bool, ...]) -> Bool:
    kept: list[Term] = []
    for part in (coerce(p, Bool, f"an operand of {op.value}") for p in parts):
        if isinstance(part.head, Literal):
            if part.head.value == zero.head.value:
                return zero
            continue
        kept += part.args if part.head is op else (part,)
    return unit if not kept else _bool(kept[0]) if len(kept) == 1 else Bool(op, tuple(kept))


def all_of(*parts: Bool) -> Bool:
    """Conjunction."""
    return _flat(Op.AND, TRUE, FALSE, parts)


def any_of(*parts: Bool) -> Bool:
    """Disjunction."""
    return _flat(Op.OR, FALSE, TRUE, parts)


def implies(premise: Bool, conclusion: Bool) -> Bool:
    """If `premise` then `conclusion`."""
    return Bool(Op.IMPLIES, (coerce(premise, Bool, "a premise"), coerce(conclusion, Bool, "a conclusion")))


def ite(condition: Bool, yes: T, no: T | int) -> T:
    """`yes` if `condition`, else `no`; between relations it becomes plain logic."""
    result: Term
    other = coerce(no, type(yes), f"the alternative to {yes}")
    if isinstance(coerce(condition, Bool).head, Literal):
        result = yes if condition.head.value else other
    elif isinstance(yes, Bool) and isinstance(other, Bool):
        if isinstance(yes.head, Literal):
            result = condition | other if yes.head.value else ~condition & other
        else:
            result = implies(condition, yes) & (condition | other)
    else:
        result = type(yes)(Op.ITE, (condition, yes, other))
    return coerce(result, type(yes))


def number(value: int, sort: type[T]) -> T:
    """An integer as a term of a number sort."""
    return coerce(value, sort)


def next_(term: T) -> T:
    """The value of `term` after the step."""
    return type(term)(Op.NEXT, (term,))


def sealed(header: Entity, term: T) -> T:
    """The value of `term` in the state that `header` sealed, where the term speaks of that header's shard."""
    return type(term)(Op.SEALED, (header, term))


def durable(term: T) -> T:
    """The value of `term` in what a crash of any shard would leave."""
    return type(term)(Op.DURABLE, (term,))


def _names(function: Callable[..., Any]) -> list[str]:
    if isinstance(function, Symbol):
        return [p.head.name for p in function.parameters]
    return list(inspect.signature(function).parameters)


def bind(op: Op, sorts: tuple[type[Term], ...], function: Callable[..., Any], result: type[T]) -> T:
    """A binder over fresh variables of `sorts`, named as the parameters of `function`."""
    variables = tuple(s(Variable(n)) for s, n in zip(sorts, _names(function), strict=True))
    return result(Binder(op, variables), (coerce(function(*variables), result),))


@overload
def forall(a: type[S1], body: Callable[[S1], Bool], /) -> Bool: ...
@overload
def forall(a: type[S1], b: type[S2], body: Callable[[S1, S2], Bool], /) -> Bool: ...
def forall(*parts: Any) -> Bool:
    """For all elements of the sorts."""
    return bind(Op.FORALL, parts[:-1], parts[-1], Bool)


@overload
def exists(a: type[S1], body: Callable[[S1], Bool], /) -> Bool: ...
@overload
def exists(a: type[S1], b: type[S2], body: Callable[[S1, S2], Bool], /) -> Bool: ...
def exists(*parts: Any) -> Bool:
    """For some elements of the sorts."""
    return bind(Op.EXISTS, parts[:-1], parts[-1], Bool)


def total(sort: type[S1], body: Callable[[S1], T], result: type[T]) -> T:
    """The sum over a finite sort. Evaluated at a scope; the solver is given a delta form instead."""
    return bind(Op.SUM, (sort,), body, result)


def close(variables: tuple[Term, ...], body: Bool) -> Bool:
    """`body` for all values of `variables`."""
    return Bool(Binder(Op.FORALL, variables), (body,)) if variables else body


def sentences(formula: Bool) -> Iterator[Bool]:
    """What `formula` is the conjunction of, below quantifiers and premises too: each speaks of less."""
    if formula.head is Op.AND:
        for part in formula.args:
            yield from sentences(_bool(part))
    elif formula.head is Op.IMPLIES:
        premise, conclusion = map(_bool, formula.args)
        for part in sentences(conclusion):
            # A premise of a premise is one of both.
            others, rest = map(_bool, part.args) if part.head is Op.IMPLIES else (TRUE, part)
            yield implies(premise & others, rest)
    elif isinstance(formula.head, Binder) and formula.head.op is Op.FORALL:
        for part in sentences(_bool(formula.args[0])):
            mentioned = {t.head for t in subterms(part)}
            yield close(tuple(v for v in formula.head.variables if v.head in mentioned), part)
    else:
        yield formula


def some(variables: tuple[Term, ...], body: Bool) -> Bool:
    """`body` for some values of `variables`."""
    return Bool(Binder(Op.EXISTS, variables), (body,)) if variables else body


Substitution = Mapping[Variable, Term]


def rebuild(term: T, leaf: Callable[[Term], Term]) -> T:
    """Bottom-up rewriting; a term that is shared is rewritten once."""
    memo: dict[int, Term] = {}

    def go(t: Term) -> Term:
        if id(t) not in memo:
            args = tuple(map(go, t.args))
            same = all(a is b for a, b in zip(args, t.args, strict=True))
            memo[id(t)] = leaf(t if same else _remake(t, args))
        return memo[id(t)]

    return coerce(go(term), type(term))


def _remake(t: Term, args: tuple[Any, ...]) -> Term:
    if t.head is Op.AND:
        return all_of(*args)
    if t.head is Op.OR:
        return any_of(*args)
    made: Term = ~args[0] if t.head is Op.NOT else evolve(t, args=args)
    return made


def substitute(term: T, by: Substitution) -> T:
    """`term` with its free variables replaced; a bound one that would capture is renamed first."""
    if not by:
        return term
    binders = {v.head: v for t in subterms(term) if isinstance(t.head, Binder) for v in t.head.variables}
    if binders:
        mentioned = {t.head for replacement in by.values() for t in subterms(replacement)} | by.keys()
        if clashing := {
            old: type(v)(Variable(v.head.name)) for old, v in binders.items() if old in mentioned
        }:
            term = _renamed(term, clashing)
    return rebuild(term, lambda t: by.get(t.head, t) if isinstance(t.head, Variable) else t)


def _renamed(term: T, names: Substitution) -> T:
    """`term` with bound variables renamed, free ones of the same identity left alone."""
    if isinstance(term.head, Binder):
        bound = tuple(names.get(v.head, v) for v in term.head.variables)
        inner = {v.head: new for v, new in zip(term.head.variables, bound, strict=True) if v is not new}
        body = rebuild(
            _renamed(term.args[0], names),
            lambda t: inner.get(t.head, t) if isinstance(t.head, Variable) else t,
        )
        return evolve(term, head=Binder(term.head.op, bound), args=(body,))
    args = tuple(_renamed(a, names) for a in term.args)
    if all(a is b for a, b in zip(args, term.args, strict=True)):
        return term
    return coerce(_remake(term, args), type(term))


def subterms(term: Term) -> Iterator[Term]:
    """Every term inside, each once, outermost first."""
    seen: set[int] = set()
    stack = [term]
    while stack:
        t = stack.pop()
        if id(t) not in seen:
            seen.add(id(t))
            yield t
            stack.extend(reversed(t.args))


def is_first_order(term: Term) -> bool:
    """Whether a solver without sums can read it."""
    return not any(isinstance(t.head, Binder) and t.head.op is Op.SUM for t in subterms(term))


def symbols_of(*terms: Term) -> set[Symbol[Any, Any]]:
    """The symbols that are mentioned."""
    return {t.head for term in terms for t in subterms(term) if isinstance(t.head, Symbol)}


_BINDS = {Op.IMPLIES: 1, Op.OR: 2, Op.AND: 3, Op.EQ: 5, Op.LT: 5, Op.LE: 5, Op.ADD: 6, Op.SUB: 6}
_WRITTEN = {op: op.value for op in _BINDS} | {Op.IMPLIES: "implies", Op.OR: "or", Op.AND: "and", Op.EQ: "="}
#: `0 < x` is what `x > 0` is made of, and reads worse.
_TURNED = {Op.LT: ">", Op.LE: ">="}


def show(term: Term, above: int = 0) -> str:
    """The term as a person would write it on a whiteboard."""
    head, args = term.head, term.args
    if isinstance(head, Variable):
        return head.name
    if isinstance(head, Literal):
        return str(head.value).lower()
    if isinstance(head, Symbol):
        return f"{head.name}({', '.join(map(show, args))})" if args else head.name
    if isinstance(head, Binder):
        bound = ", ".join(f"{v.head.name}: {type(v).__name__}" for v in head.variables)
        text = f"{head.op.value} {bound}. {show(args[0])}"
        return f"({text})" if above else text
    if head is Op.NOT:
        inner = args[0]
        differ = inner.head is Op.EQ
        text = f"{show(inner.args[0], 5)} != {show(inner.args[1], 5)}" if differ else f"not {show(inner, 4)}"
        return f"({text})" if above > 4 else text
    if head is Op.NEXT:
        return f"next({show(args[0])})"
    if head is Op.SEALED:
        return f"{show(args[1], 7)} sealed in {show(args[0])}"
    if head is Op.DURABLE:
        return f"durable {show(args[0], 7)}"
    if head is Op.ITE:
        return f"({show(args[1])} if {show(args[0])} else {show(args[2])})"
    level = _BINDS[head]
    if head in _TURNED and isinstance(args[0].head, Literal) and not isinstance(args[1].head, Literal):
        text = f"{show(args[1], level)} {_TURNED[head]} {show(args[0], level)}"
    else:
        # The right of a minus and the left of an implication need their parentheses.
        first = level + 1 if head is Op.IMPLIES else level
        others = level + 1 if head is Op.SUB else level
        text = f" {_WRITTEN[head]} ".join(show(a, others if i else first) for i, a in enumerate(args))
    return f"({text})" if level < above or (above == level and head in (Op.EQ, Op.LT, Op.LE)) else text
