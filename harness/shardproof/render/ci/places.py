"""What machines that annotate code ask of a finding: a file and a line, a lasting name, how bad it is."""

from __future__ import annotations

import enum
import hashlib
import json
from pathlib import Path, PurePosixPath

from attrs import frozen

from ...verdict import Finding, Kind
from .. import inert, text
from ..report import Answer

#: Cells of the drawing of a story.
WIDTH = 100


@frozen
class Place:
    """A file, as seen from the top of the repository, and a line of it, from 1."""

    file: PurePosixPath
    line: int


class Weight(enum.Enum):
    """How bad a finding is."""

    #: Something bad happened.
    GRAVE = "grave"
    #: Something good did not, or nobody knows which of two is wrong.
    SERIOUS = "serious"
    #: It was known.
    KNOWN = "known"


def weight(answer: Answer, engine: str, found: Finding) -> Weight:
    """How bad a finding of an engine is."""
    if answer.expected(engine, found):
        return Weight.KNOWN
    return Weight.GRAVE if found.kind is Kind.SAFETY else Weight.SERIOUS


def source(answer: Answer, engine: str, folder: Path) -> Place | None:
    """Where the adapter is written that an engine ran; nothing for the model, and for what is elsewhere."""
    systems = next((one.systems for one in answer.reports if one.engine == engine), ())
    for name in systems:
        if (written := answer.sources.get(name)) is not None:
            file = within(written.file, folder)
            return None if file is None else Place(file, written.line)
    return None


def within(file: Path, folder: Path) -> PurePosixPath | None:
    """`file` as seen from `folder`; nothing where it is not below: who reads it knows no other place."""
    try:
        return PurePosixPath(file.resolve().relative_to(folder.resolve()).as_posix())
    except (OSError, ValueError):
        return None


def place(answer: Answer, engine: str, path: Path | None, folder: Path) -> Place | None:
    """Where to show a finding: at its adapter, or at the file with its trace."""
    if (written := source(answer, engine, folder)) is not None:
        return written
    trace = None if path is None else within(path, folder)
    return None if trace is None else Place(trace, 1)


def replay(answer: Answer, engine: str, path: Path | None) -> str:
    """The line that runs the trace of a finding again; empty where it has no file."""
    systems = next((one.systems for one in answer.reports if one.engine == engine), ())
    return inert.block(text.replay_line(path, *systems, protocol=answer.protocol)) if path else ""


def story(answer: Answer, engine: str, found: Finding, path: Path | None, *, ascii_only: bool) -> str:
    """A finding as a terminal shows it, with the line to paste at its end."""
    known, line = answer.expected(engine, found), replay(answer, engine, path)
    return inert.block(text.finding(found, WIDTH, ascii_only=ascii_only, replay=line, known=known))


def fingerprint(answer: Answer, engine: str, found: Finding) -> str:
    """The same for the same property of the same system by the same engine, however it was found."""
    parts = json.dumps([answer.adapter, engine, found.property])
    return hashlib.sha256(parts.encode("ascii")).hexdigest()
