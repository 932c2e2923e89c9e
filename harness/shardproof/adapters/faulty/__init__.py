"""
The references with one mistake at a time, each of a kind that somebody has made.

A harness that finds nothing in a correct system has shown little; it has to find these.
Every mistake overrides the one method, or replaces the one collaborator, that holds the
clause it forgets. They are sorted by what they get wrong, a file each; `registry.py` says what
is known of a mistake. Where the record of real incidents (`shardproof_models.mistakes`) has an
entry for it, `faulty:B10` is another name of the mistake.
"""

from __future__ import annotations

# Each of these enters its own into the registry.
from . import belief, layout, outcomes, proofs, queues, record, replicas, rollback, value  # noqa: F401
from .registry import CONTROLS, FAULTS, Fault, found, variant

__all__ = ("CONTROLS", "FAULTS", "Fault", "found", "variant")
