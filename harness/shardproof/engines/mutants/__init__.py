"""
Every known and generated mistake in the model, and who notices it.

A mistake that nobody notices is news: either what was changed is not needed, or nothing watches
it. A mistake is taken to be killed only by a trace that violates a property or on which an honest
attempt fails, and equivalent only by a proof; all else has survived, or was not decided.

The cheap questions come first: most mistakes are noticed along random walks of the protocol
(`along`), in the few layers that they speak of (`cascade`). What is left is shown to be equivalent
(`equivalence`), searched for breadth first beside the protocol (`worlds`, `lockstep`), and at last by
bounded model checking. Other engines come in as a `Solver`: engines do not know each other.
"""

from __future__ import annotations

from .cascade import Batch, Cascade, Key
from .judge import Judge
from .lemmas import lemma_rows, sentences, title
from .row import Fate, Row, Score
from .solver import Bounded, Budget, Effort, Solver

__all__ = (
    "Batch",
    "Bounded",
    "Budget",
    "Cascade",
    "Effort",
    "Fate",
    "Judge",
    "Key",
    "Row",
    "Score",
    "Solver",
    "lemma_rows",
    "sentences",
    "title",
)
