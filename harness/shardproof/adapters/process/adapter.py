"""
The adapter in front of a process: verbs made into requests, and answers into values.

What a process can do it says in its greeting, and a class is made for it that overrides exactly
those verbs; so all that asks what an adapter overrides asks nothing new. The process is started by
`open`, lives until `close`, and is ended at the first thing that it does wrong.

Where the harness says beforehand what it is going to look at (`foresee`), these requests travel
in one line with the one before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen

from ...adapter import CAPABILITIES, REQUIRED, Adapter, Topology
from ...errors import UsageError
from . import diagnosis
from .child import Child, Furnish, SilencedError, left_empty
from .command import words
from .values import MistypedError
from .wire import (
    HELLO,
    OBSERVING,
    VERBS,
    VERSION,
    Failed,
    GarbledError,
    Verb,
    answered,
    greeting,
    parsed,
    read,
    request,
    several_answers,
)

#: How long one call may take, in seconds, where nobody says.
CALL_SECONDS_MAX = 10.0

#: The greeting may take so many times as long: interpreters and virtual machines have to start.
GREETING_TIMES = 3

#: A name longer than this is not one that a report can show.
NAME_MAX = 80


@frozen
class Greeting:
    """What a process says of itself."""

    name: str
    version: str
    stack: str
    verbs: tuple[str, ...]
    #: Whether it takes several requests in one line.
    batches: bool


def adapter_for(command: str, call_seconds: float | None = None) -> type[ProcessAdapter]:
    """
    A class for the process that `command` starts, which is started once to be asked what it can do.

    A call may take `call_seconds`. Raises `UsageError` for a command that is none, and `AdapterError`.
    """
    return adapter_of(words(command, Path.cwd()), call_seconds)


def adapter_of(
    command: tuple[str, ...], call_seconds: float | None = None, furnish: Furnish = left_empty
) -> type[ProcessAdapter]:
    """
    The same for a program and its arguments; `furnish` fills the folder of each process, before it starts.

    Raises `AdapterError`, and what `furnish` raises.
    """
    seconds = CALL_SECONDS_MAX if call_seconds is None else call_seconds
    child = _started(command, furnish)
    try:
        greeted = _greeted(child, seconds)
    except diagnosis.BrokenProcessError as error:
        error.located("the start, before any run")
        raise
    finally:
        child.end(kindly=True)
    body: dict[str, Any] = {verb: _method(verb) for verb in greeted.verbs if verb not in ("open", "close")}
    body |= {
        "__doc__": f"The process {greeted.name}.",
        "name": greeted.name,
        "version": greeted.version,
        "stack": greeted.stack,
        "greeting": greeted,
        "words": command,
        "furnish": staticmethod(furnish),
        "seconds": seconds,
    }
    if not greeted.batches:
        # What cannot travel together nobody needs to work out beforehand.
        body["foresee"] = Adapter.foresee
    return type("ProcessAdapter", (ProcessAdapter,), body)


class ProcessAdapter(Adapter):
    """A process in any language. What is here is common to all; see `adapter_for`."""

    greeting: ClassVar[Greeting]
    words: ClassVar[tuple[str, ...]]
    furnish: ClassVar[staticmethod[[Path], None]]
    seconds: ClassVar[float]

    def __init__(self) -> None:
        self._child: Child | None = None
        self._number = 0
        #: What shall be asked together with a verb, and what is known because it was.
        self._after = ""
        self._foreseen: Sequence[tuple[str, tuple[Any, ...]]] = ()
        self._known: dict[tuple[str, tuple[Any, ...]], Any] = {}

    def open(self, topology: Topology) -> None:
        if self._child is None:
            self._child = _started(self.words, self.furnish)
            self._number = 0
            try:
                self._recognise(self._child)
            except BaseException:
                self._end()
                raise
        self._ask("open", (topology,))

    def _recognise(self, child: Child) -> None:
        greeted = _greeted(child, self.seconds)
        if greeted != self.greeting:
            raise diagnosis.ungreeted(
                child,
                "it is another one than before",
                str(greeted),
                "a process must say the same of itself each time it is started",
            )

    def close(self) -> None:
        child = self._child
        if child is None:
            return
        self._ask("close", ())
        try:
            child.dismiss()
            if surplus := child.surplus():
                raise diagnosis.garbled(
                    child, "close, which was the last", "close", surplus, "it has said more than it was asked"
                )
        finally:
            self._end(kindly=True)

    def another(self) -> ProcessAdapter:
        return type(self)()

    def foresee(self, verb: str, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        self._after, self._foreseen = verb, calls

    def _ask(self, name: str, arguments: tuple[Any, ...]) -> Any:
        child = self._child
        if child is None:
            raise UsageError(f"{name!r} was asked before open", help="open(topology) starts the process")
        if self._known:
            if name in OBSERVING:
                # Nothing has happened since it was told.
                if (name, arguments) in self._known:
                    return self._known[name, arguments]
            else:
                self._known = {}
        verb = VERBS[name]
        calls: Sequence[tuple[str, tuple[Any, ...]]] = ()
        if name == self._after:
            calls, self._after, self._foreseen = self._foreseen, "", ()
        try:
            if calls:
                return self._together(child, (name, arguments), calls)
            self._number = number = self._number + 1
            asked = request(number, verb, arguments)
            line = child.exchange(asked.encode() + b"\n", self.seconds)
            return self._answer(child, asked, number, verb, parsed(line), line)
        except SilencedError as error:
            broken = diagnosis.silent(child, asked, name, error, self.seconds)
        except GarbledError as error:
            broken = diagnosis.garbled(child, asked, name, line, str(error))
        except MistypedError as error:
            broken = _unwritable(name, error)
        except BaseException:
            # Whatever interrupts a call, the answer that may still come is to no other.
            self._end()
            raise
        self._end()
        raise broken

    def _together(
        self, child: Child, first: tuple[str, tuple[Any, ...]], calls: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> Any:
        """Ask `first`, and `calls` in the same line; what they answer is known from now on."""
        number = self._number + 1
        every = [first, *calls]
        self._number += len(every)
        requests = [request(number + at, VERBS[verb], given) for at, (verb, given) in enumerate(every)]
        asked = f"[{','.join(requests)}]"
        try:
            line = child.exchange(asked.encode() + b"\n", self.seconds)
        except SilencedError as error:
            raise diagnosis.silent(child, asked, first[0], error, self.seconds) from None
        try:
            values = several_answers(line, len(every))
        except GarbledError as error:
            raise diagnosis.garbled(child, asked, first[0], line, str(error)) from None
        answers = []
        for at, (verb, _) in enumerate(every):
            try:
                answers.append(self._answer(child, requests[at], number + at, VERBS[verb], values[at], line))
            except GarbledError as error:
                raise diagnosis.garbled(child, requests[at], verb, line, str(error)) from None
        self._known = dict(zip(calls, answers[1:], strict=True))
        return answers[0]

    def _answer(self, child: Child, asked: str, number: int, verb: Verb, value: Any, line: bytes) -> Any:
        got, word, said = answered(value)
        if got != number or type(got) is not int:
            raise diagnosis.unasked(child, asked, verb.name, number, got, line)
        try:
            answer = read(verb, word, said, value.get("message", ""))
        except MistypedError as error:
            raise diagnosis.mistyped(child, asked, verb, error, line) from None
        if type(answer) is Failed:
            listed = verb.name in self.greeting.verbs
            raise diagnosis.failed(child, asked, verb.name, answer, listed=listed)
        return answer

    def _end(self, *, kindly: bool = False) -> None:
        child, self._child = self._child, None
        self._known, self._foreseen, self._after = {}, (), ""
        if child is not None:
            child.end(kindly=kindly)


def _method(name: str) -> Callable[..., Any]:
    def verb(self: ProcessAdapter, *arguments: Any) -> Any:
        return self._ask(name, arguments)

    verb.__name__ = name
    verb.__doc__ = getattr(Adapter, name).__doc__
    return verb


def _unwritable(verb: str, error: MistypedError) -> diagnosis.BrokenProcessError:
    return diagnosis.BrokenProcessError(
        f"{verb!r} cannot be asked of a process: the protocol has no such value",
        verb,
        expected=error.expected,
        got=diagnosis.shown(repr(error.got)),
        definite=True,
    )


# ---- the greeting --------------------------------------------------------------------------------


def _started(command: tuple[str, ...], furnish: Furnish) -> Child:
    try:
        return Child(command, furnish)
    except OSError as error:
        raise diagnosis.BrokenProcessError(
            "the process cannot be started",
            HELLO,
            expected="a program",
            got=f"{command[0]}: {error.strerror or error}",
            help="does it begin with #! and the path of its interpreter?",
            definite=True,
        ) from error


def _greeted(child: Child, call_seconds: float) -> Greeting:
    """What a process that has just been started says of itself."""
    asked, seconds = greeting(), GREETING_TIMES * call_seconds
    try:
        line = child.exchange(asked.encode() + b"\n", seconds)
    except SilencedError as error:
        raise diagnosis.silent(child, asked, HELLO, error, seconds) from None
    try:
        value = parsed(line)
        number, word, said = answered(value)
    except GarbledError as error:
        raise diagnosis.garbled(child, asked, HELLO, line, str(error)) from None
    if number != 0 or type(number) is not int:
        raise diagnosis.unasked(child, asked, HELLO, 0, number, line)
    if word != "ok" or type(said) is not dict:
        raise diagnosis.ungreeted(child, "it is not ok, with an object", line.decode(errors="replace"))
    return _greeting(child, said)


def _greeting(child: Child, said: dict[str, Any]) -> Greeting:
    version = said.pop("protocol", None)
    if version != VERSION or type(version) is not int:
        raise diagnosis.ungreeted(
            child,
            f"it speaks version {version!r} of the protocol"[:NAME_MAX],
            version,
            f"this shardproof speaks version {VERSION}",
        )
    texts = {name: said.pop(name, "") for name in ("name", "version", "stack")}
    for name, text in texts.items():
        if type(text) is not str or len(text) > NAME_MAX:
            raise diagnosis.ungreeted(child, f"its {name} is no text of at most {NAME_MAX} characters", text)
    if not texts["name"]:
        raise diagnosis.ungreeted(child, "it has no name", said)
    batches = said.pop("batches", False)
    if type(batches) is not bool:
        raise diagnosis.ungreeted(child, "batches is neither true nor false", batches)
    verbs = said.pop("verbs", None)
    if type(verbs) is not list or not all(type(verb) is str for verb in verbs):
        raise diagnosis.ungreeted(child, "its verbs are no list of texts", verbs)
    if said:
        raise diagnosis.ungreeted(child, "there is no such field", ", ".join(said))
    for verb in verbs:
        if verb not in VERBS:
            raise diagnosis.unknown_verb(child, verb, [*VERBS])
    if missing := [verb for verb in REQUIRED if verb not in verbs]:
        raise diagnosis.ungreeted(
            child, f"it lacks a required verb, {', '.join(missing)}", f"verbs {', '.join(verbs)}"
        )
    known = tuple(verb for verb in (*REQUIRED, *CAPABILITIES) if verb in verbs)
    return Greeting(texts["name"], texts["version"], texts["stack"], known, batches)
