"""
A trace in the Informal Trace Format, for the tools of model checkers.

There is a state before the first step, and one after each. The variables are those of the protocol,
and the two in which Quint says which action was taken, and with what. What a trace says besides
stands under `#meta`, so that reading the file gives it back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..itf.names import ACTION, DESTINATION, INIT, ORIGIN, OURS, PICKS, SHARDS, SOURCE
from ..itf.values import map_of, some
from ..story.told import Story
from ..strict_json import Json
from ..trace import Step, Trace
from ..trace_file import document_of

if TYPE_CHECKING:
    from ..itf.states import Cells

#: Where the format is described.
DESCRIBED = "https://apalache-mc.org/docs/adr/015adr-trace.html"

#: Values in all states together; more is no file that anybody opens, and ours would not be read again.
CELLS_MAX = 1_000_000

_DESCRIPTION = (
    "The states are those of a system that does as the protocol says; what the recorded one did stands under "
    "#meta of each. What is in no set and at no place of a map is false, zero, or as it begins."
)


def write(story: Story) -> str:
    """The file: one state a line, ASCII only. Raises `UsageError` where there is too much to say."""
    from ..itf.states import cells, protocol_of, symbols, type_of, variables

    trace = story.trace
    known = symbols(protocol_of(trace.layers))
    held = list(_bounded(cells(story, known), len(trace.steps)))
    params = dict(_parameters(trace))
    states = [
        {
            "#meta": {"index": i} | ({} if step is None else _said(step)),
            **(params if step is None else {}),
            **variables(known, now),
            ACTION: INIT if step is None else step.action,
            PICKS: {} if step is None else _picks(step),
        }
        for i, (step, now) in enumerate(zip((None, *trace.steps), held, strict=True))
    ]
    ours = {key: value for key, value in document_of(trace).items() if key != "steps"}
    meta = {
        "format": "ITF",
        "format-description": DESCRIBED,
        "description": _DESCRIPTION,
        "status": "ok" if trace.violation is None else "violation",
        "varTypes": {s.name: type_of(s) for s in known},
        OURS: ours,
    }
    lines = ",\n".join(f"    {json.dumps(state)}" for state in states)
    head = {"#meta": meta, "params": list(params), "vars": [*(s.name for s in known), ACTION, PICKS]}
    fields = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    return f'{{\n{fields}  "states": [\n{lines}\n  ]\n}}\n'


def _bounded(states: Iterator[Cells], steps: int) -> Iterator[Cells]:
    size = 0
    for state in states:
        size += len(state)
        if size > CELLS_MAX:
            raise UsageError(
                f"the states of a trace of {steps:,} steps are too much to be written out",
                expected=f"at most {CELLS_MAX:,} values in all states together",
                help="make it shorter first: shardproof shrink",
            )
        yield state


def _said(step: Step) -> dict[str, Json]:
    """What a step says besides what was done."""
    return {"expected": step.expected, "actual": step.actual, "changed": list(step.changed)}


def _picks(step: Step) -> Json:
    # Only what there is: Quint would also write what was not picked, as `None`.
    return {name: some(value) for name, value in {"at": step.at, **step.args}.items()}


def _parameters(trace: Trace) -> Iterator[tuple[str, Json]]:
    """What does not change: the shards, and between which of them receipts go and headers belong."""
    yield SHARDS, list(trace.shards)
    sent = {
        step.args["receipt"]: step
        for step in trace.steps
        if step.action == "emit" and {"receipt", "to"} <= step.args.keys()
    }
    yield SOURCE, map_of((receipt, step.at) for receipt, step in sent.items())
    yield DESTINATION, map_of((receipt, step.args["to"]) for receipt, step in sent.items())
    made = {s.args["header"]: s.at for s in trace.steps if s.action == "produce" and "header" in s.args}
    yield ORIGIN, map_of(made.items())
