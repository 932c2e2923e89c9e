"""
Why a trace goes wrong, found out by running variations of it on the system that it is of.

Four questions, a module each: what becomes of it without each of its steps (`without.py`), since which
step the system is wrong (`first_wrong.py`), which small change of the last step the system does refuse
(`refused_instead.py`), and from all of that, what to look for in the code (`look_for/`). `trials.py`
runs the variations, and never more of them than it was allowed.

Nothing is claimed of a system's code, which nobody has seen: what is said of it was observed, and only
`look_for` goes further, to where people have made such a mistake before.
"""

from __future__ import annotations

from .explained import explained
from .trials import RUNS_MAX, allowance, room_for

__all__ = ["RUNS_MAX", "allowance", "explained", "room_for"]
