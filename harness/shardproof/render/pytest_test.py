"""
A trace as a regression test in Python: it fails on a system that still does it, and passes on a fixed one.

What it says stands in comments, on one line each and in ASCII; what it does is calls of
`shardproof.testing` with nothing but literals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import UsageError
from ..moves import move_of
from ..trace import Step, Trace
from . import inert
from .named import MODEL, may_be_named
from .text import counted
from .why import reasons

#: Actions that present a receipt, and how the call is written: those that have a method of their own.
_METHODS = ("deliver", "acknowledge", "time_out")

#: How many steps a run has room for where nobody says so.
ROOM = 30

_WIDTH = 100

#: Arguments that are written as numbers.
_NUMBERS = frozenset({"channel", "deadline", "amount", "claimed", "asset", "entrance", "number"})


def write(trace: Trace) -> str:
    """A module with one test. Raises `UsageError` where systems differ, or nothing is done."""
    if trace.of_several():
        raise UsageError(
            "where systems differ is no test of one of them",
            got=trace.property,
            help="shardproof replay with all of them: --adapter A --adapter B",
        )
    if not trace.steps:
        raise UsageError("a trace without steps is no test")
    for number, step in enumerate(trace.steps, 1):
        move_of(step, trace.shards, f"step {number}: ")
    return "\n".join(_lines(trace)) + "\n"


def literal(text: str) -> str:
    """A string as Python reads it, in ASCII."""
    body = ascii(text)
    return body if '"' in body else f'"{body[1:-1]}"'


def _said(text: str, longest: int = 200) -> str:
    """Foreign text on one line, and in a docstring too."""
    return inert.line(text, ascii_only=True, longest=longest).replace("\\", "/").replace('"', "'")


def _lines(trace: Trace) -> Iterator[str]:
    of_model = trace.adapter == MODEL
    named = not of_model and may_be_named(trace.adapter)
    yield '"""'
    yield f"{_said(trace.property or 'A recorded run')}: {_said(trace.because or 'nothing is violated')}."
    yield ""
    yield from _how(trace, of_model=of_model, named=named)
    yield from _why(trace)
    yield '"""'
    yield ""
    if of_model:
        yield "import pytest"
        yield ""
    yield "from shardproof.testing import run"
    yield ""
    yield ""
    name = re.sub(r"[^a-z0-9]+", "_", trace.property.lower()).strip("_")[:60] or "goes_as_the_model_says"
    yield f"def test_{name}(shard_adapter: str | None) -> None:"
    if of_model:
        yield "    if shard_adapter is None:"
        yield '        pytest.skip("no system has done this: name one with --shard-adapter")'
    yield from _opening(trace, f"shard_adapter or {literal(trace.adapter)}" if named else "shard_adapter")
    for index, step in enumerate(trace.steps):
        # What is surprising is said; that something is accepted that should be is not.
        for remark in _remarks(trace, index):
            yield from (f"        # {line}" for line in inert.wrap(_said(remark), _WIDTH - 10))
        yield f"        shards.{_call(step)}"


def _opening(trace: Trace, system: str) -> Iterator[str]:
    shards = ", ".join(map(literal, trace.shards)) + ("," if len(trace.shards) == 1 else "")
    given = [system, f"shards=({shards})"]
    given += [f"reserve={trace.reserve}"] if trace.reserve else []
    given += [f"steps_max={len(trace.steps)}"] if len(trace.steps) > ROOM else []
    if len(line := f"    with run({', '.join(given)}) as shards:") <= _WIDTH:
        yield line
        return
    yield "    with run("
    yield from (f"        {one}," for one in given)
    yield "    ) as shards:"


def _how(trace: Trace, *, of_model: bool, named: bool) -> Iterator[str]:
    steps = counted(len(trace.steps), "step")
    if of_model:
        yield f"The model alone has taken the {steps}, of a protocol with a mistake or lacking a clause: no"
        yield "system is known to fail this. To ask one: pytest FILE --shard-adapter NAME"
        return
    yield f"Recorded on {_said(trace.adapter)}, which shows it in {steps}."
    if named:
        yield "On another system: pytest FILE --shard-adapter NAME"
    else:
        yield "A command is not run because a file names it: pytest FILE --shard-adapter NAME"


def _why(trace: Trace) -> Iterator[str]:
    """What was found out of why it goes wrong, and what could not be."""
    said = [f"{label}: {text}" for label, text in reasons(trace)]
    yield from [""] if said else []
    for one in said:
        yield from inert.wrap(_said(one, 1_000), _WIDTH)


def _remarks(trace: Trace, index: int) -> Iterator[str]:
    step, violation = trace.steps[index], trace.violation
    if violation is not None and violation.step == index:
        expected, actual = violation.expected or step.expected, violation.actual or step.actual
        if trace.adapter == MODEL:
            yield f"What must be true, and is {actual}: {expected}"
        else:
            yield f"The model: {expected}. The system: {actual}."
        for text in (violation.clause, violation.differs):
            if text:
                yield text
    elif step.expected not in ("", "accepted"):
        yield step.expected


def _call(step: Step) -> str:
    args = dict(step.args)
    at = literal(step.at)
    match step.action:
        case "emit":
            head = [literal(args.pop("receipt")), at, f"to={literal(args.pop('to'))}"]
            return f"emit({', '.join([*head, *_rest(args)])})"
        case "produce":
            return f"produce({literal(args['header'])}, {at})"
        case "finalise" | "revert":
            return f"{step.action}({literal(args['header'])})"
        case "restart":
            return f"restart({at})"
        case "learn":
            return f"learn({', '.join([literal(args.pop('header')), f'at={at}', *_rest(args)])})"
        case action if {"receipt", "header", "evidence"} <= args.keys() and "number" not in args:
            receipt, header, evidence = (args.pop(name) for name in ("receipt", "header", "evidence"))
            head = [literal(receipt), f"at={at}", f"under={literal(header)}"]
            if evidence != honest(receipt, header):
                head.append(f"evidence={literal(evidence)}")
            method = action if action in _METHODS else "present"
            head = head if action in _METHODS else [literal(action), *head]
            return f"{method}({', '.join([*head, *_rest(args)])})"
    return f"step({', '.join([literal(step.action), at, *_rest(args)])})"


def _rest(args: dict[str, str]) -> Iterator[str]:
    for name, value in args.items():
        yield f"{name}={int(value) if name in _NUMBERS else literal(value)}"


def honest(receipt: str, header: str) -> str:
    """The evidence that an honest relayer would show of a receipt, under a header."""
    return "none" if header == "null" or receipt.startswith("forged:") else f"{receipt}@{header}"
