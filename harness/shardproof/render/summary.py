"""
A run as one JSON object in a file, `summary.json`, described by `summary.schema.json`.

All that `--json` prints, and what the page of the run shows besides: how the searches went on, how
findings became short, the time of each engine, and the command that does the same again.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ShardproofError
from . import report
from .report import Answer

FORMAT = "shardproof-summary/1"

SCHEMA_FILE = Path(__file__).parents[1] / "summary.schema.json"


@cache
def schema() -> Any:
    """The published schema."""
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def summary(answer: Answer) -> dict[str, Any]:
    """The object for an answer."""
    said = report.as_json(answer)
    for row, (_, found, _) in zip(said["findings"], answer.findings, strict=True):
        row["shrunk"] = found.shrunk
        row["shrinking"] = [list(point) for point in found.shrinking]
        row["found_after"] = {"traces": found.trace.search.traces, "steps": found.trace.search.steps}
    return {
        "format": FORMAT,
        **said,
        "repeat": answer.repeat,
        "set_elsewhere": list(answer.set_elsewhere),
        "engine_seconds": {one.engine: round(one.seconds, 3) for one in answer.reports},
        "series": {
            one.engine: {name: [list(point) for point in points] for name, points in one.series.items()}
            for one in answer.reports
        },
    }


def broken(command: str, repeat: str, error: ShardproofError) -> dict[str, Any]:
    """The object for a run that came to no answer."""
    return {"format": FORMAT, "command": command, "repeat": repeat, **report.error_json(error)}


def dumps(document: dict[str, Any]) -> bytes:
    """As a file: ASCII only, and without halves of characters, which some readers do not take."""
    return (json.dumps(_whole(document), indent=2) + "\n").encode("ascii")


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_whole(key): _whole(one) for key, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value
