"""
Whether a shorter trace shows the same: by asking the system itself, of every shorter one.

`tries` says what can be tried where a run stands, `standing` when two runs stand at the same
place, and `certificate` runs them all, the shortest first.
"""

from __future__ import annotations

from .certificate import BUDGET, Certified, certified, certified_trace

__all__ = ["BUDGET", "Certified", "certified", "certified_trace"]
