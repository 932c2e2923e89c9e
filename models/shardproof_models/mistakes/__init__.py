"""
How a protocol can be got wrong, as changes to it.

Each mistake is a protocol again, so every engine can look at it. One that no property notices is
news: either what was changed is not needed, or nobody watches it. `generated` makes every small
change there is to an action; `named` is the record of what has happened to real systems.
"""

from __future__ import annotations

from . import corpus as corpus  # it enters its mistakes into NAMED
from .generated import dropped_clauses, dropped_effects, generated
from .mistake import GENERATED, Kind, Mistake, with_action
from .named import NAMED, named
from .smallest import smallest

IN_BYTES_ONLY = corpus.IN_BYTES_ONLY

__all__ = (
    "GENERATED",
    "IN_BYTES_ONLY",
    "NAMED",
    "Kind",
    "Mistake",
    "dropped_clauses",
    "dropped_effects",
    "generated",
    "named",
    "smallest",
    "with_action",
)
