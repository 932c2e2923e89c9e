"""
Traces as files: `*.trace.json`, described for other tools by `trace.schema.json` beside this module.

A trace is data. Loading one executes nothing and imports nothing: the adapter that it names
is information, and strings in it are kept as they are, to be shown inert. Reading is strict,
because a trace that is understood by half replays something else than it says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from attrs import asdict, evolve

from . import files
from .errors import TraceError, UsageError
from .schema import Schema, shown
from .strict_json import Json, MismatchError, parse
from .trace import (
    FORMAT,
    MODEL,
    NOT_ESTABLISHED,
    Certificate,
    Explanation,
    Extent,
    Instance,
    Search,
    Step,
    Trace,
    Violation,
)

SUFFIX = ".trace.json"

SCHEMA_FILE = Path(__file__).with_name("trace.schema.json")

#: Read before anything is parsed. A trace with the most steps that we read has a quarter of it.
BYTES_MAX = 64 * 1024 * 1024


@cache
def schema() -> Schema:
    """The published schema, from which the reader works too: the two cannot disagree."""
    return Schema(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


# ---- reading -------------------------------------------------------------------------------------


def load(path: Path) -> Trace:
    """The trace in the file at `path`. Raises `TraceError`."""
    return loads(read(path), path)


def read(path: Path) -> bytes:
    """What stands in the file at `path`, which is no larger than any trace. Raises `TraceError`."""
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise TraceError(
            f"no trace at {path}", help="a finding prints the path that it was written to"
        ) from error
    except OSError as error:
        raise TraceError(f"the trace {path} cannot be read", got=error.strerror or str(error)) from error
    if len(data) > BYTES_MAX:
        steps_max = schema().root["properties"]["steps"]["maxItems"]
        raise TraceError(
            f"the trace {path} is too large",
            expected=f"at most {BYTES_MAX >> 20} MiB, and {steps_max:,} steps",
            got="a longer file",
        )
    return data


def loads(data: bytes, path: Path) -> Trace:
    """The trace that `data` is the text of; `path` is for messages. Raises `TraceError`."""
    with blaming(path):
        return of_document(parse(data))


def of_document(document: Json) -> Trace:
    """The trace that `document` is the JSON of. Raises `MismatchError`."""
    _must_be_ours(document)
    schema().check(document)
    trace = _trace(document)
    _must_refer_to_what_exists(trace)
    return trace


@contextmanager
def blaming(path: Path) -> Iterator[None]:
    """What is wrong with a document, as a `TraceError` that says in which file."""
    try:
        yield
    except MismatchError as wrong:
        raise TraceError(
            f"the trace {path} is {wrong.summary}"
            if wrong.summary in _STATES
            else f"the trace {path}: {wrong.summary}",
            expected=wrong.expected,
            got=wrong.got,
            help=wrong.help,
        ) from wrong


#: What a whole file can be, other than a trace.
_STATES = frozenset({"empty", "cut short", "not JSON", "not UTF-8", "nested too deeply"})


def _must_be_ours(document: Any) -> None:
    """The version first: of another version, no other message would be true."""
    if not isinstance(document, dict):
        raise MismatchError("not a trace", expected="an object with the field 'format'", got=shown(document))
    found = document.get("format")
    if isinstance(found, str) and found != FORMAT and found.startswith(FORMAT.partition("/")[0] + "/"):
        raise MismatchError(
            "another version of the format",
            expected=FORMAT,
            got=found,
            help="this shardproof cannot read it: use the version that wrote it, or a newer one",
        )


def _trace(document: dict[str, Any]) -> Trace:
    violation = document["violation"]
    return Trace(
        adapter=document["adapter"],
        layers=tuple(document["layers"]),
        shards=tuple(document["shards"]),
        property=document["property"],
        property_id=document["property_id"],
        because=document["because"],
        steps=tuple(
            Step(**{**step, "changed": tuple(step.get("changed", ()))}) for step in document["steps"]
        ),
        violation=None if violation is None else Violation(**violation),
        search=Search(**document["search"]),
        reserve=document.get("reserve", 0),
        shortest=document.get("shortest", NOT_ESTABLISHED),
        versions=document.get("versions", {}),
        certificate=_certificate(document.get("certificate")),
        explanation=_explanation(document.get("explanation")),
        unexplained=document.get("unexplained", ""),
        instance=_instance(document.get("instance")),
    )


def _certificate(said: dict[str, Any] | None) -> Certificate | None:
    return None if said is None else Certificate(**{**said, "alphabet": tuple(said["alphabet"])})


def _explanation(said: dict[str, Any] | None) -> Explanation | None:
    return None if said is None else Explanation(**{**said, "without": tuple(said["without"])})


def _instance(said: dict[str, Any] | None) -> Instance | None:
    if said is None:
        return None
    return Instance(
        {name: Extent(**extent) for name, extent in said["sorts"].items()},
        {name: tuple(values) for name, values in said["rigid"].items()},
        tuple(said["taken"]),
        said["openings"],
    )


#: Arguments that are names of shards.
_SHARDS = ("to", "onward", "other", "another")


def _must_refer_to_what_exists(trace: Trace) -> None:
    if trace.instance is not None:
        _must_be_of_the_model(trace, trace.instance)
    for index, step in enumerate(trace.steps):
        # What the model was given stands in the instance, and then arguments are words for people.
        of_ours = _SHARDS if trace.instance is None else ()
        nowhere = trace.instance is not None and step.at == ""
        named = ((f"args.{name}", step.args[name]) for name in of_ours if name in step.args)
        for field, shard in (("at", step.at), *named):
            if shard not in trace.shards and not nowhere:
                raise MismatchError(
                    f"steps[{index}].{field} is no shard of this trace",
                    expected=", ".join(trace.shards),
                    got=shown(shard),
                )
    if trace.violation is not None and trace.violation.step >= len(trace.steps):
        raise MismatchError(
            "violation.step is no step of this trace",
            expected=f"an index below {len(trace.steps)}",
            got=trace.violation.step,
        )
    told = trace.explanation
    if told is not None and (told.first_wrong >= len(trace.steps) or len(told.without) != len(trace.steps)):
        raise MismatchError(
            "the explanation is of another trace",
            expected=f"a sentence for each of {len(trace.steps)} steps, and the index of one of them",
            got=f"{len(told.without)} sentences, and step {told.first_wrong}",
        )


def _must_be_of_the_model(trace: Trace, instance: Instance) -> None:
    if trace.adapter != MODEL:
        raise MismatchError(
            "only a trace of the model alone has an instance",
            expected=f"the adapter {MODEL!r}",
            got=shown(trace.adapter),
        )
    if len(instance.taken) != len(trace.steps):
        raise MismatchError(
            "the instance is of another trace",
            expected=f"what each of {len(trace.steps)} steps was taken with",
            got=f"that of {len(instance.taken)}",
        )


# ---- writing -------------------------------------------------------------------------------------


def dumps(trace: Trace) -> bytes:
    """The file of `trace`: one order of fields, one step a line, ASCII only, so that no viewer acts on it."""
    return "".join(_lines(document_of(trace))).encode("ascii")


def document_of(trace: Trace) -> dict[str, Json]:
    """The inverse of `of_document`."""
    document = {"format": FORMAT, **asdict(trace)}
    if not trace.reserve:
        # As it was written before shards could be founded.
        del document["reserve"]
    if trace.certificate is None:
        # As it was written before anybody asked a system for shorter ones.
        del document["certificate"]
    if trace.explanation is None:
        del document["explanation"]
    if not trace.unexplained:
        del document["unexplained"]
    if trace.instance is None:
        del document["instance"]
    return document


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield "{\n"
    for i, (key, value) in enumerate(sorted(document.items())):
        comma = ",\n" if i else ""
        if key == "steps" and value:
            steps = ",\n".join(f"    {json.dumps(step, sort_keys=True)}" for step in value)
            yield f"{comma}  {json.dumps(key)}: [\n{steps}\n  ]"
        else:
            yield f"{comma}  {json.dumps(key)}: {json.dumps(value, sort_keys=True)}"
    yield "\n}\n"


def write(trace: Trace, path: Path) -> None:
    """Put `trace` at `path`, whole or not at all. Raises `UsageError` where that is not possible."""
    files.write(path, dumps(trace))


def _told(trace: Trace) -> bytes:
    """What a trace says, whoever found it, whether it was asked why or not, and in whatever words."""
    wrong = trace.violation
    if wrong is not None:
        wrong = evolve(wrong, clause=wrong.clause.partition(":")[0])
    return dumps(evolve(trace, versions={}, explanation=None, unexplained="", violation=wrong))


def _knows(trace: Trace) -> tuple[bool, bool]:
    """How much a trace says of why it goes wrong: to say what is not known is something, too."""
    if trace.explanation is None:
        return (False, bool(trace.unexplained))
    return (True, not trace.unexplained)


def _read(path: Path) -> Trace | None:
    try:
        return load(path)
    except TraceError:
        return None


def save(trace: Trace, folder: Path) -> Path:
    """
    Write `trace` into `folder` under the name of its property and a digest of what it tells.

    A file that is there already is the same trace, or keeps its name and this one gets a
    longer digest. The versions of what found it are not part of the name, so that a seed gives
    the same line to paste on every machine; nor is why it goes wrong, which a file gets that says less.
    """
    told = _told(trace)
    digest = hashlib.sha256(told).hexdigest()
    # A name that no shell would take apart: `reverts-atomically[consumed]` is a pattern to one.
    name = re.sub(r"[^A-Za-z0-9_]+", "-", trace.property).strip("-")[:80] or "trace"
    for length in range(4, len(digest) + 1, 4):
        path = folder / f"{name}-{digest[:length]}{SUFFIX}"
        if not path.exists():
            write(trace, path)
            return path
        there = _read(path) if path.is_file() else None
        if there is not None and _told(there) == told:
            if _knows(there) < _knows(trace):
                write(trace, path)
            return path
    raise UsageError(f"no free name for a trace in {folder}", help="choose another folder: --out FOLDER")
