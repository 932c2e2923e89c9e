"""The clauses of a guard as they stood: which hold, since which step one does not, and why (`reasons.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import define, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    Bool,
    Op,
    Symbol,
    Term,
    Variable,
    substitute,
    subterms,
    symbols_of,
)

from ..readings.generated import Generated
from ..trace import Step
from .cells import Naming
from .chronicle import Chronicle
from .reasons import Formula, Given, Reasons
from .told import Clause

_COMPARISONS = (Op.EQ, Op.LT, Op.LE)

#: Stands around the number of a parameter in a text that names are yet to be put into.
_MARK = "\0"


@define(eq=False)
class Guards:
    """The guards of a protocol, along a trace."""

    protocol: Protocol
    generated: Generated
    chronicle: Chronicle
    name: Naming
    steps: Sequence[Step]
    _known: dict[str, tuple[_Known, ...]] = field(init=False, factory=dict)
    _reasons: Reasons = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reasons = Reasons(self.generated, self.name, self.steps)

    def clauses(
        self, action: Action, args: tuple[int, ...], at: int, *, again: bool = False
    ) -> Iterator[Clause]:
        """Of an attempt in the world before step `at`; `again` is the second one in the step before it."""
        past = self.chronicle.at(at)
        names = [self.name(type(p), a) for p, a in zip(action.parameters, args, strict=True)]
        given = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
        for known in self._clauses_of(action):
            text = known.condition.text(names)
            if known.condition.check(past, *args):
                yield Clause(known.refusal, text, True, known.means)
                continue
            since = self._since(known.condition, given, at)
            earlier = again and since == at - 1
            part = self._to_blame(known, given, at, since)
            story = self._reasons.why(part, given, names, past, since, earlier=earlier)
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

    def _formula(self, action: Action, condition: Bool) -> Formula:
        denied = condition.head is Op.NOT
        said = condition.args[0] if denied else condition
        whole = self.protocol.expand(said)
        sides = tuple(
            (_template(action, side), type(side), self.protocol.expand(side))
            for side in (said.args if said.head in _COMPARISONS else ())
            if isinstance(side.head, Symbol) and not issubclass(type(side), Bool)
        )
        return Formula(
            self.generated.check(action.parameters, condition),
            denied,
            _template(action, condition),
            _template(action, said),
            sides,
            whole if self._is_relation(whole) else None,
            whole.args
            if whole.head is Op.OR and not denied and all(map(self._is_relation, whole.args))
            else (),
            any(s.is_state for s in symbols_of(whole)),
        )

    def _is_relation(self, term: Term) -> bool:
        """Whether it is a relation of the world, of something."""
        return isinstance(term.head, Symbol) and term.head in self.generated.index

    # ---- since when -------------------------------------------------------------------------------

    def _since(self, formula: Formula, given: Given, at: int) -> int | None:
        """The step that made a formula false, which is false before step `at`."""
        args = (*given.values(),)
        if formula.relation is not None:
            symbol = formula.relation.head
            known = [self._reasons.value(a, given, self.chronicle.at(at)) for a in formula.relation.args]
            found = tuple(a for a in known if a is not None)
            if len(found) == len(known):
                row, column = self.generated.place(symbol, found)
                return self.chronicle.since_cell((self.generated.index[symbol], row), column, at)
        return self.chronicle.since(formula.check, args, at)

    def _to_blame(self, known: _Known, given: Given, at: int, since: int | None) -> Formula:
        """The part that is false, and for as long as the whole is."""
        args = (*given.values(),)
        for part in known.parts:
            if not part.check(self.chronicle.at(at), *args) and self._since(part, given, at) == since:
                return part
        return known.condition


@frozen(eq=False)
class _Known:
    """A clause of an action."""

    refusal: str
    condition: Formula
    parts: tuple[Formula, ...]
    means: tuple[str, ...]


def _template(action: Action, term: Term) -> tuple[str, ...]:
    """The text of a term, in pieces: every second one is the number of a parameter."""
    marked = {
        p.head: type(p)(Variable(f"{_MARK}{number}{_MARK}")) for number, p in enumerate(action.parameters)
    }
    return tuple(str(substitute(term, marked)).split(_MARK))


def _conjuncts(condition: Bool) -> tuple[Bool, ...]:
    """What all has to be so; that neither of two is so, is two things as well."""
    within: Term = condition.args[0] if condition.head is Op.NOT else condition
    if condition.head is Op.NOT and within.head is Op.OR:
        parts = tuple(~part for part in within.args if isinstance(part, Bool))
    elif condition.head is Op.AND:
        parts = tuple(part for part in condition.args if isinstance(part, Bool))
    else:
        return (condition,)
    return tuple(one for part in parts for one in _conjuncts(part))


def _means(term: Term) -> tuple[str, ...]:
    docs = dict.fromkeys(
        t.head.doc.split("\n")[0] for t in subterms(term) if isinstance(t.head, Symbol) and t.head.doc
    )
    return tuple(docs)
