"""
The clauses of a guard as they stood: which hold, since which step one does not, and that as a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import define, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    Bool,
    Literal,
    Op,
    Symbol,
    Term,
    Variable,
    substitute,
    subterms,
    symbols_of,
)

from ..readings.generated import Check, Generated
from ..trace import Step
from .cells import Naming
from .chronicle import Chronicle, Past
from .told import Clause

_COMPARISONS = (Op.EQ, Op.LT, Op.LE)

#: Stands around the number of a parameter in a text that names are yet to be put into.
_MARK = "\0"

#: What the parameters of an action stand for.
Given = Mapping[Variable, int]


@define(eq=False)
class Guards:
    """The guards of a protocol, along a trace."""

    protocol: Protocol
    generated: Generated
    chronicle: Chronicle
    name: Naming
    steps: Sequence[Step]
    _known: dict[str, tuple[_Known, ...]] = field(init=False, factory=dict)

    def clauses(self, action: Action, args: tuple[int, ...], at: int) -> Iterator[Clause]:
        """Of an attempt in the world before step `at`."""
        past = self.chronicle.at(at)
        names = [self.name(type(p), a) for p, a in zip(action.parameters, args, strict=True)]
        given = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
        for known in self._clauses_of(action):
            text = known.condition.text(names)
            if known.condition.check(past, *args):
                yield Clause(known.refusal, text, True, known.means)
                continue
            since = self._since(known.condition, given, at)
            story = self._story(self._to_blame(known, given, at, since), given, names, at, since)
            yield Clause(known.refusal, text, False, known.means, since, story)

    def _clauses_of(self, action: Action) -> tuple[_Known, ...]:
        if action.name not in self._known:
            self._known[action.name] = tuple(
                _Known(
                    str(clause.refusal),
                    self._formula(action, clause.condition),
                    tuple(self._formula(action, part) for part in _conjuncts(clause.condition)),
                    _means(clause.condition),
                )
                for clause in action.clauses
            )
        return self._known[action.name]

    def _formula(self, action: Action, condition: Bool) -> _Formula:
        denied = condition.head is Op.NOT
        said = condition.args[0] if denied else condition
        whole = self.protocol.expand(said)
        sides = tuple(
            (_template(action, side), type(side), self.protocol.expand(side))
            for side in (said.args if said.head in _COMPARISONS else ())
            if isinstance(side.head, Symbol) and not issubclass(type(side), Bool)
        )
        return _Formula(
            self.generated.check(action.parameters, condition),
            denied,
            _template(action, condition),
            _template(action, said),
            sides,
            whole if isinstance(whole.head, Symbol) and whole.head in self.generated.index else None,
            any(s.is_state for s in symbols_of(whole)),
        )

    # ---- since when -------------------------------------------------------------------------------

    def _since(self, formula: _Formula, given: Given, at: int) -> int | None:
        """The step that made a formula false, which is false before step `at`."""
        args = (*given.values(),)
        if formula.relation is not None:
            symbol = formula.relation.head
            known = [self._value(a, given, self.chronicle.at(at)) for a in formula.relation.args]
            found = tuple(a for a in known if a is not None)
            if len(found) == len(known):
                row, column = self.generated.place(symbol, found)
                return self.chronicle.since_cell((self.generated.index[symbol], row), column, at)
        return self.chronicle.since(formula.check, args, at)

    def _to_blame(self, known: _Known, given: Given, at: int, since: int | None) -> _Formula:
        """The part that is false, and for as long as the whole is."""
        args = (*given.values(),)
        for part in known.parts:
            if not part.check(self.chronicle.at(at), *args) and self._since(part, given, at) == since:
                return part
        return known.condition

    def _story(self, part: _Formula, given: Given, names: Sequence[str], at: int, since: int | None) -> str:
        """Since when a formula is false, in a sentence."""
        text = _filled(part.said, names)
        past = self.chronicle.at(at)
        compared = ", ".join(
            f"{_filled(side, names)} is {self.name(sort, value)}"
            for side, sort, term in part.sides
            if (value := self._value(term, given, past)) is not None
        )
        if since is not None:
            step, became = self.steps[since], "true" if part.denied else "false"
            said = f"`{text}` became {became} at step {since + 1}, {step.action} at {step.at}"
            return f"{said}: {compared}" if compared else said
        if not part.changes:
            return f"never true: {compared or f'`{part.text(names)}`'}"
        if part.denied:
            return f"never true: `{text}` from the beginning"
        return f"never true: no step makes `{text}` true" + (f" ({compared})" if compared else "")

    def _value(self, term: Term, given: Given, past: Past) -> int | None:
        """What a term is worth; `None` of what is more than functions of functions."""
        head, generated = term.head, self.generated
        if isinstance(head, Literal):
            return int(head.value)
        if isinstance(head, Variable):
            return given.get(head)
        if not isinstance(head, Symbol):
            return None
        args = [self._value(a, given, past) for a in term.args]
        known = [a for a in args if a is not None]
        if len(known) < len(args):
            return None
        if head in generated.index:
            return generated.cell(past, head, *known)
        return generated.constant(head, *known) if head in generated.rigid_index else None


@frozen(eq=False)
class _Formula:
    """A formula over the parameters of an action, ready to be looked at again and again."""

    check: Check
    #: Whether it says that something is not so, and then what.
    denied: bool
    whole: tuple[str, ...]
    said: tuple[str, ...]
    #: What a comparison compares, where that is more than a parameter.
    sides: tuple[tuple[tuple[str, ...], type[Term], Term], ...]
    #: Where all of it is a relation of the world, or that it does not hold.
    relation: Term | None
    #: Whether it speaks of the world at all, and not only of the topology.
    changes: bool

    def text(self, names: Sequence[str]) -> str:
        """The formula with what its parameters stand for."""
        return _filled(self.whole, names)


@frozen(eq=False)
class _Known:
    """A clause of an action."""

    refusal: str
    condition: _Formula
    parts: tuple[_Formula, ...]
    means: tuple[str, ...]


def _template(action: Action, term: Term) -> tuple[str, ...]:
    """The text of a term, in pieces: every second one is the number of a parameter."""
    marked = {
        p.head: type(p)(Variable(f"{_MARK}{number}{_MARK}")) for number, p in enumerate(action.parameters)
    }
    return tuple(str(substitute(term, marked)).split(_MARK))


def _filled(template: tuple[str, ...], names: Sequence[str]) -> str:
    return "".join(names[int(piece)] if i % 2 else piece for i, piece in enumerate(template))


def _conjuncts(condition: Bool) -> tuple[Bool, ...]:
    if condition.head is not Op.AND:
        return (condition,)
    return tuple(one for part in condition.args if isinstance(part, Bool) for one in _conjuncts(part))


def _means(term: Term) -> tuple[str, ...]:
    docs = dict.fromkeys(
        t.head.doc.split("\n")[0] for t in subterms(term) if isinstance(t.head, Symbol) and t.head.doc
    )
    return tuple(docs)
