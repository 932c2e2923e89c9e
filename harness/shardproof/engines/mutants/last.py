"""Bounded model checking covers every topology, and deep scopes: what it does not find, nobody found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import define, field

from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import Kind, Mistake
from shardproof_properties.property import Property

from ...readings.scope import Scope
from .beside import FOLLOWS, REASONS, How, Noticed
from .claims import Claims
from .equivalence import accepts_no_less, always, same_answers
from .solver import Budget
from .watched import changed, comparable, counting, violable

#: How many scopes, of the last ones, are searched to more steps than can be explored.
DEEP = 5


@define(eq=False)
class Last:
    """The last look at mistakes in one protocol."""

    claims: Claims
    scopes: Sequence[Scope]
    budget: Budget
    #: How many mistakes were found in a scope.
    _found_in: Counter[Scope | None] = field(factory=Counter, init=False)

    def look(self, mistake: Mistake) -> Noticed | tuple[str, ...]:
        """How it is noticed; or where it is not, as sentences."""
        searched: list[str] = []
        for how, name, protocol, asked in self._asked(mistake):
            for scope in self._places(mistake):
                depth = self.budget.depth if scope is None else self.budget.depth_in_scope
                found = self.claims.solver.violation(protocol, asked, depth, scope)
                searched.append(found.scope)
                if found.property is not None:
                    self._found_in[scope] += 1
                    own = found.property if how is How.VIOLATION else None
                    return Noticed(how, own, own.name if own else name, found.steps)
        return tuple(dict.fromkeys(searched))

    def _places(self, mistake: Mistake) -> Iterator[Scope | None]:
        """Where bounded model checking is worth it: first where it was before, for others like this one."""
        named = mistake.kind is Kind.NAMED
        size = sum(len(a.clauses) + len(a.effects) for a in mistake.protocol.actions)
        if named or size <= self.budget.bounded_max:
            yield None
        for scope in sorted(self.scopes[-DEEP:], key=lambda scope: -self._found_in[scope]):
            attempts = sum(1 for a in mistake.protocol.actions for _ in scope.tuples(a.parameters))
            if named or attempts <= self.budget.bounded_attempts_max:
                yield scope

    def _asked(self, mistake: Mistake) -> Iterator[tuple[How, str, Protocol, tuple[Property, ...]]]:
        """How it would be noticed, in which protocol, and as what."""
        wanted, right = counting(mistake), self.claims.protocol
        pairs = tuple(changed(right, mistake)) if comparable(right, mistake.protocol) else ()
        if mistake.kind is not Kind.ORDER:
            yield How.VIOLATION, "", mistake.protocol, violable(right, self.claims.properties, mistake)
        if wanted(FOLLOWS):
            stricter = [always(accepts_no_less(a, b), a) for a, b in pairs if a.clauses != b.clauses]
            if stricter and mistake.kind is not Kind.ORDER:
                yield How.REFUSED, FOLLOWS, right, tuple(stricter)
        if wanted(REASONS) and pairs and self.claims.accepts_the_same(mistake):
            answers = [always(c, a) for a, b in pairs for c in same_answers((), a, b)]
            yield How.REASON, REASONS, right, tuple(answers)
