"""What a solver is asked about one mistake: whether it makes any difference, and to whom."""

from __future__ import annotations

from functools import cached_property

from attrs import define, evolve

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool
from shardproof_models.mistakes import Kind, Mistake
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .beside import idle
from .cone import unseen
from .equivalence import Claim, hypotheses, same_acceptance, same_answers, same_effects
from .solver import Solver
from .watched import changed, counting, violable


@define(eq=False)
class Claims:
    """Claims about mistakes in one protocol. None is taken to be true because the solver does not know."""

    protocol: Protocol
    properties: tuple[Property, ...]
    solver: Solver

    @cached_property
    def known(self) -> tuple[Bool, ...]:
        """What is true of every reachable world of the protocol."""
        return hypotheses(self.protocol, self.properties)

    def is_equivalent(self, mistake: Mistake) -> bool:
        """Whether it answers and acts as it should in every world that the invariants allow."""
        return all(
            self.solver.proves(claim)
            for a, b in changed(self.protocol, mistake)
            for claim in (*same_answers(self.known, a, b), *same_effects(self.known, a, b))
        )

    def accepts_the_same(self, mistake: Mistake) -> bool:
        """Whether it does the same, and accepts the same, if perhaps it refuses for other reasons."""
        return all(
            a.effects == b.effects
            and (
                {*a.clauses} == {*b.clauses}
                or all(map(self.solver.proves, same_acceptance(self.known, a, b)))
            )
            for a, b in changed(self.protocol, mistake)
        )

    def unobserved(self, mistake: Mistake) -> tuple[str, ...]:
        """The symbols that it changes, if nobody can tell: also not by nothing else being done."""
        if mistake.kind is Kind.NAMED:
            return ()
        symbols = unseen(self.protocol, mistake.protocol, self.properties)
        for _, b in changed(self.protocol, mistake) if symbols else ():
            only = evolve(mistake.protocol, actions=(b,))
            claims = self.solver.claims(only, self.properties)
            if not all(self.solver.proves(c) for c in claims if c.name == idle(b)):
                return ()
        return tuple(s.name for s in symbols)

    def is_let_pass(self, mistake: Mistake) -> bool:
        """Whether all that is said of the protocol is true of a negative control."""
        if not mistake.harmless:
            return False
        if not all(p.first_order for p in violable(self.protocol, self.properties, mistake)):
            return False
        claims = self.solver.claims(mistake.protocol, properties_of(mistake.protocol))
        return all(map(self.solver.proves, claims))

    def leak(self, mistake: Mistake) -> Claim | None:
        """What is false in two worlds that only another shard can tell apart."""
        wanted = counting(mistake)
        isolation = tuple(
            p
            for p in properties_of(mistake.protocol, Role.ISOLATION)
            if mistake.violates and (wanted(p.name) or wanted(p.id))
        )
        claims = self.solver.claims(mistake.protocol, isolation) if isolation else ()
        return next(filter(self.solver.refutes, claims), None)
