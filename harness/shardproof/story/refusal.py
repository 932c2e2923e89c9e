"""
By which clause the model refuses what went wrong, and why: the one sentence that every form says of it.

It is told by the model, from the steps, whoever ran them and whatever was written down then: a run, its
report and a trace of years ago say the same. Of what was recorded only the name of the clause counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ..trace import MODEL, Trace
from .told import Clause, Moment


def worded(trace: Trace, moments: Sequence[Moment]) -> Trace:
    """`trace` with that sentence, e.g. "consumed: B had executed r0 at step 5 (`consumed(B, key(r0))`)"."""
    wrong = trace.violation
    if wrong is None or wrong.step >= len(moments):
        return trace
    return evolve(
        trace, violation=evolve(wrong, clause=_sentence(trace, wrong.clause, moments[: wrong.step + 1]))
    )


def _sentence(trace: Trace, recorded: str, moments: Sequence[Moment]) -> str:
    """Of the last of `moments`; where it went wrong earlier than it showed, of the earlier one."""
    last = moments[-1]
    # What was recorded of the model is what it said itself then, perhaps in another protocol.
    named = "" if trace.adapter == MODEL and not last.astray else recorded
    for moment in reversed(moments if named else moments[-1:]):
        clause = moment.refusing
        if clause is not None and _is_named(clause, named):
            at = "" if moment is last else f"at step {moment.index + 1}, "
            return f"{clause.refusal}: {at}{clause.story}"
    return named


def _is_named(clause: Clause, recorded: str) -> bool:
    """Whether what was recorded is about this clause: its name, and more words where there were some."""
    return not recorded or recorded == clause.refusal or recorded.startswith(f"{clause.refusal}: ")
