"""What a search looks at."""

from __future__ import annotations

from attrs import frozen

from shardproof_models.language.terms import Bool


@frozen(eq=False)
class Sentences:
    """Closed formulas to look at: of every world, of every step, and until they were true once."""

    invariants: tuple[Bool, ...] = ()
    steps: tuple[Bool, ...] = ()
    witnesses: tuple[Bool, ...] = ()

    @property
    def all(self) -> tuple[Bool, ...]:
        """Every one of them."""
        return (*self.invariants, *self.steps, *self.witnesses)
