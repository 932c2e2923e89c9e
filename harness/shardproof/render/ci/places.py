"""What machines that annotate code ask of a finding: a file and a line, a lasting name, how bad it is."""

from __future__ import annotations

import enum
import hashlib
import json
from pathlib import Path, PurePosixPath

from attrs import frozen

from ...verdict import Finding, Kind
from ..report import Answer


@frozen
class Place:
    """A file, as seen from the folder where the command ran, and a line of it, from 1."""

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
        return PurePosixPath((folder / file).resolve().relative_to(folder.resolve()).as_posix())
    except (OSError, ValueError):
        return None


def place(answer: Answer, engine: str, path: Path | None, folder: Path) -> Place | None:
    """Where to show a finding: at its adapter, or at the file with its trace."""
    if (written := source(answer, engine, folder)) is not None:
        return written
    trace = None if path is None else within(path, folder)
    return None if trace is None else Place(trace, 1)


def fingerprint(answer: Answer, engine: str, found: Finding) -> str:
    """The same for the same property of the same system by the same engine, however it was found."""
    parts = json.dumps([answer.adapter, engine, found.property])
    return hashlib.sha256(parts.encode("ascii")).hexdigest()
