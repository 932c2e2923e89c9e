"""
The clauses of a guard as they stood: which hold, since which step one does not, and that as a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import define, field

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


@define(eq=False)
class Guards:
    """The guards of a protocol, along a trace."""

    protocol: Protocol
    generated: Generated
    chronicle: Chronicle
    name: Naming
    steps: Sequence[Step]
    _checks: dict[str, tuple[tuple[Check, tuple[tuple[Bool, Check], ...]], ...]] = field(
        init=False, factory=dict
    )

    def clauses(self, action: Action, args: tuple[int, ...], at: int) -> Iterator[Clause]:
        """Of an attempt in the world before step `at`."""
        asked = _Asked(self, action, args, at)
        for (check, parts), clause in zip(self._checked(action), action.clauses, strict=True):
            refusal, text = str(clause.refusal), asked.text(clause.condition)
            means = _means(clause.condition)
            if check(self.chronicle.at(at), *args):
                yield Clause(refusal, text, True, means)
                continue
            since = self.chronicle.since(check, args, at)
            yield Clause(refusal, text, False, means, since, asked.story(clause.condition, parts, since))

    def _checked(self, action: Action) -> tuple[tuple[Check, tuple[tuple[Bool, Check], ...]], ...]:
        if action.name not in self._checks:
            self._checks[action.name] = tuple(
                (
                    self.generated.check(action.parameters, clause.condition),
                    tuple(
                        (part, self.generated.check(action.parameters, part))
                        for part in _conjuncts(clause.condition)
                    ),
                )
                for clause in action.clauses
            )
        return self._checks[action.name]


@define(eq=False)
class _Asked:
    """One attempt: an action with what it is taken with, before a step."""

    guards: Guards
    action: Action
    args: tuple[int, ...]
    at: int
    names: dict[Variable, str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        given = zip(self.action.parameters, self.args, strict=True)
        self.names = {p.head: self.guards.name(type(p), a) for p, a in given}

    def text(self, term: Term) -> str:
        """The term, with what its variables stand for."""
        named = {
            t.head: type(t)(Variable(self.names[t.head]))
            for t in subterms(term)
            if isinstance(t.head, Variable) and t.head in self.names
        }
        return str(substitute(term, named))

    def story(self, condition: Bool, parts: tuple[tuple[Bool, Check], ...], since: int | None) -> str:
        """Since when a condition is false, in a sentence."""
        part = self._to_blame(condition, parts, since)
        denied = part.head is Op.NOT
        text = self.text(part.args[0] if denied else part)
        sides = self._sides(part.args[0] if denied else part)
        if since is not None:
            step = self.guards.steps[since]
            is_now = "true" if denied else "false"
            said = f"`{text}` is {is_now} since step {since + 1} ({step.action} at {step.at})"
            return f"{said}: {sides}" if sides else said
        if not any(s.is_state for s in symbols_of(self.guards.protocol.expand(part))):
            return f"never true: {sides or f'`{self.text(part)}`'}"
        if denied:
            return f"never true: `{text}` from the beginning"
        return f"never true: no step makes `{text}` true" + (f" ({sides})" if sides else "")

    def _to_blame(self, condition: Bool, parts: tuple[tuple[Bool, Check], ...], since: int | None) -> Bool:
        """The part that is false, and for as long as the whole is."""
        chronicle = self.guards.chronicle
        for part, check in parts:
            if (
                not check(chronicle.at(self.at), *self.args)
                and chronicle.since(check, self.args, self.at) == since
            ):
                return part
        return condition

    def _sides(self, part: Term) -> str:
        """What a comparison compares: "origin(h0) is A, source(r1) is B"."""
        if part.head not in _COMPARISONS:
            return ""
        past = self.guards.chronicle.at(self.at)
        said = [
            f"{self.text(side)} is {self.guards.name(type(side), value)}"
            for side in part.args
            if isinstance(side.head, Symbol)
            and not issubclass(type(side), Bool)
            and (value := self._value(self.guards.protocol.expand(side), past)) is not None
        ]
        return ", ".join(said)

    def _value(self, term: Term, past: Past) -> int | None:
        """What a term is worth; `None` of what is more than functions of functions."""
        head, generated = term.head, self.guards.generated
        if isinstance(head, Literal):
            return int(head.value)
        if isinstance(head, Variable):
            return dict(zip((p.head for p in self.action.parameters), self.args, strict=True)).get(head)
        if not isinstance(head, Symbol):
            return None
        args = [self._value(a, past) for a in term.args]
        known = [a for a in args if a is not None]
        if len(known) < len(args):
            return None
        if head in generated.index:
            return generated.cell(past, head, *known)
        return generated.constant(head, *known) if head in generated.rigid_index else None


def _conjuncts(condition: Bool) -> tuple[Bool, ...]:
    if condition.head is not Op.AND:
        return (condition,)
    found: list[Any] = []
    for part in condition.args:
        found += _conjuncts(part)  # type: ignore[arg-type]  # a conjunction is of formulas
    return tuple(found)


def _means(term: Term) -> tuple[str, ...]:
    docs = dict.fromkeys(
        t.head.doc.split("\n")[0] for t in subterms(term) if isinstance(t.head, Symbol) and t.head.doc
    )
    return tuple(docs)
