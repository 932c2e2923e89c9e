"""
Values of the seam as JSON and back: bytes as hexadecimal digits, classes as objects.

Each kind of value has a name, by which `harness/PROTOCOL.md` speaks of it, a writer that makes
JSON text, and a reader that takes what a JSON parser has made and is strict: a field too many, a
number for a text or an odd digit is a `MistypedError` that says what was expected and what came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json import dumps
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from attrs import frozen

from ...adapter import Delivery, Ended, Ending, Execution, Message, Path, Response, Topology

#: A number on the wire is at most this far from 0: what every JSON parser reads without loss.
NUMBER_MAX = (1 << 53) - 1

#: Digits of a `whole`, which is written as text because no size is too large for it.
DIGITS_MAX = 80


class MistypedError(ValueError):
    """A value on the wire is not of the kind that it must be."""

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"expected {expected}")
        self.expected, self.got = expected, got


@frozen
class Kind:
    """One kind of value: what it is called, what it says, and how it is written and read."""

    name: str
    says: str
    write: Callable[[Any], str]
    read: Callable[[Any], Any]


# ---- plain values --------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if type(value) is not str:
        raise MistypedError("a text", value)
    return value


def _bytes(value: Any) -> bytes:
    if type(value) is str:
        try:
            data = bytes.fromhex(value)
        except ValueError:
            raise MistypedError("bytes as hexadecimal digits, two a byte", value) from None
        # Python would read over spaces.
        if 2 * len(data) == len(value):
            return data
    raise MistypedError("bytes as hexadecimal digits, two a byte", value)


def _number(value: Any) -> int:
    if type(value) is not int or not -NUMBER_MAX <= value <= NUMBER_MAX:
        raise MistypedError("a whole number of at most 53 bits", value)
    return value


def _numeral(value: int) -> str:
    if not -NUMBER_MAX <= value <= NUMBER_MAX:
        raise MistypedError("a whole number of at most 53 bits", value)
    return str(value)


def _whole(value: Any) -> int:
    if type(value) is str and len(value) <= DIGITS_MAX:
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdecimal():
            return int(value)
    raise MistypedError("a whole number as a text of digits", value)


def _nothing(value: Any) -> None:
    if value is not None:
        raise MistypedError("null", value)


def _same(value: Any) -> Any:
    return value


NAME = Kind("name", "a text: a shard, as the topology calls it", quoted, _text)
BYTES = Kind(
    "bytes", "a text of hexadecimal digits, two a byte, e.g. `00ff`", lambda b: f'"{b.hex()}"', _bytes
)
NUMBER = Kind("number", "a whole number between -(2^53 - 1) and 2^53 - 1", _numeral, _number)
WHOLE = Kind(
    "whole",
    f'a whole number of any size, as a text of at most {DIGITS_MAX} digits, e.g. `"-12"`',
    lambda n: f'"{n}"',
    _whole,
)
NOTHING = Kind("nothing", "`null`", lambda _: "null", _nothing)
ANYTHING = Kind(
    "anything",
    "any JSON value of yours, given back as it is",
    lambda x: dumps(x, separators=(",", ":"), allow_nan=False),
    _same,
)


# ---- values made of values -----------------------------------------------------------------------


def optional(kind: Kind) -> Kind:
    """A value of `kind`, or null."""
    write, read = kind.write, kind.read
    return Kind(
        f"{kind.name} or null",
        "",
        lambda x: "null" if x is None else write(x),
        lambda x: None if x is None else read(x),
    )


def several(kind: Kind) -> Kind:
    """A list of values of `kind`."""
    write, read = kind.write, kind.read

    def reader(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise MistypedError(f"a list of {kind.name}", value)
        return tuple([read(x) for x in value])

    return Kind(f"list of {kind.name}", "", lambda xs: f"[{','.join([write(x) for x in xs])}]", reader)


def pair(kind: Kind) -> Kind:
    """Two values of `kind`."""
    listed = several(kind)

    def reader(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != 2:
            raise MistypedError(f"a list of two {kind.name}", value)
        return tuple(listed.read(value))

    return Kind(f"two {kind.name}", "", listed.write, reader)


def _record(name: str, make: Callable[..., Any], fields: Sequence[tuple[str, Kind]]) -> Kind:
    """An object with exactly these fields, which stands for what `make` makes of them, in this order."""
    readers = tuple((field, kind.read) for field, kind in fields)
    frame = "{" + ",".join(f'"{field}":%s' for field, _ in fields) + "}"
    writers = tuple((field, kind.write) for field, kind in fields)
    expected = f"an object with {', '.join(field for field, _ in fields)}"

    def write(value: Any) -> str:
        return frame % tuple([kind(getattr(value, field)) for field, kind in writers])

    def read(value: Any) -> Any:
        if type(value) is not dict or len(value) != len(readers):
            raise MistypedError(expected, value)
        try:
            return make(*[kind(value[field]) for field, kind in readers])
        except KeyError:
            raise MistypedError(expected, value) from None

    says = ", ".join(f"`{field}`: {kind.name}" for field, kind in fields)
    return Kind(name, f"an object: {says}", write, read)


def _ending(value: Any) -> Ending:
    try:
        return Ending(value)
    except ValueError:
        raise MistypedError("succeeded, failed or expired", value) from None


ENDING = Kind("ending", "`succeeded`, `failed` or `expired`, as a text", lambda e: quoted(e.value), _ending)
TOPOLOGY = _record("topology", Topology, (("shards", several(NAME)), ("reserve", NUMBER)))
DELIVERY = _record(
    "delivery",
    Delivery,
    (("destination", NAME), ("receipt", BYTES), ("header", BYTES), ("evidence", BYTES)),
)
MESSAGE = _record(
    "message",
    Message,
    (
        ("source", NAME),
        ("destination", NAME),
        ("payload", BYTES),
        ("channel", NUMBER),
        ("deadline", optional(NUMBER)),
        ("amount", NUMBER),
        ("claimed", optional(NUMBER)),
        ("asset", NUMBER),
        ("entrance", NUMBER),
        ("onward", optional(NAME)),
    ),
)
PATH = _record("path", Path, (("index", WHOLE), ("count", optional(WHOLE)), ("siblings", several(BYTES))))
EXECUTION = _record("execution", Execution, (("payload", BYTES), ("source", optional(NAME))))
ENDED = _record("ended", Ended, (("payload", BYTES), ("ending", ENDING)))
RESPONSE = _record(
    "response",
    Response,
    (
        ("receipt", BYTES),
        ("destination", NAME),
        ("payload", BYTES),
        ("answers", BYTES),
        ("amount", WHOLE),
    ),
)

#: The kinds that have a line of their own in `harness/PROTOCOL.md`, in its order.
KINDS = (
    NAME,
    BYTES,
    NUMBER,
    WHOLE,
    NOTHING,
    ANYTHING,
    TOPOLOGY,
    DELIVERY,
    MESSAGE,
    PATH,
    EXECUTION,
    ENDED,
    ENDING,
    RESPONSE,
)
