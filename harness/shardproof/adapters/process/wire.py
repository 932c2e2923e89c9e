"""
The protocol between the harness and a process: requests, answers, and what both may say.

A request is one line of JSON, and so is its answer. The verbs are those of `adapter.Adapter`: what
each is given and answers with is read from the signatures there, so the seam is written once. What
this says in words is `harness/PROTOCOL.md`, whose tables are made from this module.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from json import JSONDecoder
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from attrs import field, frozen

from ...adapter import ACCEPTED, CAPABILITIES, PENDING, REQUIRED, Adapter, Execution, Refused
from .values import (
    ANYTHING,
    BYTES,
    DELIVERY,
    ENDED,
    EXECUTION,
    MESSAGE,
    NAME,
    NOTHING,
    NUMBER,
    PATH,
    RESPONSE,
    TOPOLOGY,
    WHOLE,
    Kind,
    MistypedError,
    pair,
    several,
)

#: The version of the protocol. Another number is another protocol.
VERSION = 1

#: Bytes of one line, at most, without its end.
LINE_BYTES_MAX = 4 << 20

#: The verb of the greeting, which is the first request.
HELLO = "hello"


@frozen
class Fault:
    """A code with which a process says that it could not answer."""

    code: str
    #: Whether what was asked for surely did not happen.
    definite: bool
    says: str


FAULTS: Mapping[str, Fault] = {
    fault.code: fault
    for fault in (
        Fault("malformed", definite=True, says="the request could not be read"),
        Fault("unknown-verb", definite=True, says="there is no such verb here"),
        Fault("unsupported", definite=True, says="the verb is known, and not for these arguments"),
        Fault("unavailable", definite=True, says="what it needs is not there; nothing was tried"),
        Fault("aborted", definite=True, says="it was tried, and undone"),
        Fault("timeout", definite=False, says="the system behind did not answer in time"),
        Fault("internal", definite=False, says="something broke on the way"),
    )
}


# ---- verbs ---------------------------------------------------------------------------------------

#: How the arguments of the seam are annotated, and what stands for them.
_GIVEN: Mapping[str, Kind] = {
    "str": NAME,
    "bytes": BYTES,
    "int": NUMBER,
    "Topology": TOPOLOGY,
    "Delivery": DELIVERY,
    "Message": MESSAGE,
    "Path": PATH,
    "tuple[str, str]": pair(NAME),
    "object": ANYTHING,
}

#: How answers are annotated; what stands for them; whether they may be `refused`, and `pending`.
_ANSWERED: Mapping[str, tuple[Kind, bool, bool]] = {
    "None": (NOTHING, False, False),
    "bytes": (BYTES, False, False),
    "bytes | Refused": (BYTES, True, False),
    "Outcome": (NOTHING, True, True),
    "Sequence[bytes]": (several(BYTES), False, False),
    "Sequence[bytes | Execution]": (several(EXECUTION), False, False),
    "Sequence[Ended]": (several(ENDED), False, False),
    "Sequence[Response]": (several(RESPONSE), False, False),
    "tuple[bytes, bytes]": (pair(BYTES), False, False),
    "int": (WHOLE, False, False),
    "Path": (PATH, False, False),
    "object": (ANYTHING, False, False),
}


@frozen
class Verb:
    """What one verb is given, and answers with."""

    name: str
    arguments: tuple[tuple[str, Kind], ...]
    answer: Kind
    refusable: bool
    pending: bool
    #: Everything of a request but its number: the first is given as a text, and each argument after it.
    frame: str = field(init=False)
    writers: tuple[Callable[[Any], str], ...] = field(init=False)

    @frame.default
    def _frame(self) -> str:
        return f'"verb":{quoted(self.name)}' + "".join(f',"{name}":%s' for name, _ in self.arguments) + "}"

    @writers.default
    def _writers(self) -> tuple[Callable[[Any], str], ...]:
        return tuple(kind.write for _, kind in self.arguments)


def _verb(name: str) -> Verb:
    signature = inspect.signature(getattr(Adapter, name))
    given = tuple((p.name, _GIVEN[p.annotation]) for p in list(signature.parameters.values())[1:])
    return Verb(name, given, *_ANSWERED[signature.return_annotation])


VERBS: Mapping[str, Verb] = {name: _verb(name) for name in (*REQUIRED, *CAPABILITIES)}

#: Verbs that only look: asked again with nothing in between, they answer the same.
OBSERVING = frozenset({"executed", "announced", "balance", "ended", "responses"})


def request(number: int, verb: Verb, arguments: tuple[Any, ...]) -> str:
    """The request as JSON, without the end of the line. Raises `MistypedError`."""
    try:
        written = tuple([write(x) for write, x in zip(verb.writers, arguments, strict=True)])
    except (AttributeError, TypeError, ValueError) as error:
        if isinstance(error, MistypedError):
            raise
        raise MistypedError(f"arguments that {verb.name} can be given", arguments) from error
    return f'{{"id":{number},' + verb.frame % written


def greeting() -> str:
    """The first request."""
    return f'{{"id":0,"verb":"{HELLO}","protocol":{VERSION}}}'


# ---- answers -------------------------------------------------------------------------------------


@frozen
class Failed:
    """A process says that it could not answer."""

    fault: Fault
    message: str


class GarbledError(ValueError):
    """A line is no answer: not JSON, or not of the form of one."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise GarbledError("a field appears twice in one object")
    return made


def _no_constant(name: str) -> Any:
    raise GarbledError(f"{name} is not JSON")


def _no_fraction(text: str) -> Any:
    raise GarbledError(f"{text[:40]} is not a whole number")


_decode = JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_no_fraction
).raw_decode


def parsed(line: bytes) -> Any:
    """The JSON value of a line. Raises `GarbledError`, which says what is wrong with it."""
    try:
        text = line.decode().strip()
    except UnicodeDecodeError as error:
        raise GarbledError(f"not UTF-8: the byte 0x{line[error.start]:02x}") from None
    try:
        value, end = _decode(text)
    except RecursionError:
        raise GarbledError("nested too deeply") from None
    except GarbledError:
        raise
    except ValueError as error:
        why = f"not JSON: {str(error).partition(': line')[0].lower()}" if text else "an empty line"
        raise GarbledError(why) from None
    if end != len(text):
        raise GarbledError("not JSON: something follows the value")
    return value


def several_answers(line: bytes, count: int) -> list[Any]:
    """The parsed answers to `count` requests of one line. Raises `GarbledError`."""
    values = parsed(line)
    if type(values) is not list or len(values) != count:
        raise GarbledError(f"not a list of {count} answers")
    return values


def answered(value: Any) -> tuple[Any, str, Any]:
    """The number, the word and the value of a parsed answer. Raises `GarbledError`."""
    if type(value) is not dict:
        raise GarbledError("not an object")
    if "id" not in value:
        raise GarbledError("an answer without an id")
    rest = [name for name in value if name != "id"]
    if len(rest) == 2 and "error" in rest and "message" in rest:
        rest = ["error"]
    if len(rest) != 1 or rest[0] not in ("ok", "refused", "pending", "error"):
        raise GarbledError(f"not one of ok, refused, pending, error, but {', '.join(rest) or 'nothing'}")
    return value["id"], rest[0], value[rest[0]]


def read(verb: Verb, word: str, value: Any, message: Any) -> Any:
    """What the seam calls the answer of a verb; `Failed` for an error. Raises `MistypedError`."""
    if word == "ok":
        answer = verb.answer.read(value)
        return ACCEPTED if verb.pending else answer
    if word == "refused" and verb.refusable:
        if type(value) is not str:
            raise MistypedError("the reason of a refusal, a text", value)
        return Refused(value)
    if word == "pending" and verb.pending:
        if value is not True:
            raise MistypedError('"pending": true', value)
        return PENDING
    if word == "error":
        if type(value) is not str or value not in FAULTS:
            raise MistypedError(f"one of the codes {', '.join(FAULTS)}", value)
        if type(message) is not str:
            raise MistypedError("the message of an error, a text", message)
        return Failed(FAULTS[value], message)
    raise MistypedError(forms(verb), {word: value})


def forms(verb: Verb) -> str:
    """The forms that an answer to `verb` may have, for people."""
    more = [name for name, may in (("refused", verb.refusable), ("pending", verb.pending)) if may]
    return ", ".join([f"ok with {verb.answer.name}", *more])


def reply(number: Any, verb: Verb, answer: Any) -> str:
    """The answer of a verb as JSON: what a process in Python says. Raises `MistypedError`."""
    if isinstance(answer, Refused) and verb.refusable:
        return f'{{"id":{number},"refused":{quoted(answer.reason)}}}'
    if verb.pending:
        if answer == PENDING:
            return f'{{"id":{number},"pending":true}}'
        if answer != ACCEPTED:
            raise MistypedError("ACCEPTED, Refused(reason) or PENDING", answer)
        answer = None
    if verb.name == "executed":
        answer = [x if isinstance(x, Execution) else Execution(x) for x in answer]
    try:
        return f'{{"id":{number},"ok":{verb.answer.write(answer)}}}'
    except (AttributeError, TypeError, ValueError) as error:
        raise MistypedError(verb.answer.name, answer) from error
