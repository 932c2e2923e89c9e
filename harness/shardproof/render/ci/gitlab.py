"""A run as a report of code quality, as GitLab reads it: a list with an entry for each finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import inert
from ..report import Answer
from .places import Weight, fingerprint, place, weight

#: GitLab knows info, minor, major, critical and blocker.
SEVERITIES = {Weight.GRAVE: "critical", Weight.SERIOUS: "major", Weight.KNOWN: "info"}


def code_quality(answer: Answer, folder: Path) -> bytes:
    """The file for a run in `folder`; an empty list where nothing was found, which clears what was."""
    return (json.dumps([*_entries(answer, folder)], indent=2) + "\n").encode("ascii")


def _entries(answer: Answer, folder: Path) -> list[dict[str, Any]]:
    return [
        {
            "description": inert.line(f"{found.property}: {found.because} ({engine})"),
            "check_name": inert.line(f"shardproof/{found.property}"),
            "fingerprint": fingerprint(answer, engine, found),
            "severity": SEVERITIES[weight(answer, engine, found)],
            "location": {"path": str(where.file), "lines": {"begin": where.line}},
        }
        for engine, found, path in answer.findings
        # It takes no entry without a place; a folder elsewhere is none that it knows.
        if (where := place(answer, engine, path, folder)) is not None
    ]
