"""
The language of contracts: calls, answers, events and reasons as bytes.

The encoding is the contract ABI of the Solidity documentation. Strings are left as
bytes, because nothing on a chain makes sure that they are text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from attrs import evolve, field, frozen

from ...errors import AdapterError, nearest, printable
from .engine import Log, RevertError
from .extras import abi, keccak

#: `Error(string)` and `Panic(uint256)`: the two errors that the language itself knows.
_ERROR: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")

#: Solidity documentation, "Panic via assert and Error via require".
_PANICS: Final = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "no such enum value",
    0x22: "storage encoding",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "out of memory",
    0x51: "call of an unset function",
}

REASON_MAX: Final = 200


@frozen
class Function:
    """One function: how calls name it, what it takes and what it answers."""

    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@frozen
class Event:
    """One kind of event: how logs name it, and its values, some of them beside the data as topics."""

    topic: bytes
    #: Name, type, and whether it is a topic; in the order of the interface.
    values: tuple[tuple[str, str, bool], ...]
    #: The types of what stands in the data.
    _plain: tuple[str, ...] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        plain = tuple(kind for _, kind, indexed in self.values if not indexed)
        object.__setattr__(self, "_plain", plain)

    def decoded(self, log: Log) -> dict[str, Any]:
        """
        The values by name. What a topic has room for only as a hash stays the hash.

        Raises `AdapterError` where the log is not one of this kind.
        """
        topics = iter(log.topics[1:])
        try:
            data = iter(decoded(self._plain, log.data))
            return {
                name: _from_topic(kind, next(topics)) if indexed else next(data)
                for name, kind, indexed in self.values
            }
        except Exception as error:
            raise AdapterError(
                "an event cannot be read by the interface of its contract",
                expected=", ".join(f"{kind} {name}" for name, kind, _ in self.values),
                got=f"{type(error).__name__}: {printable(str(error), REASON_MAX)}",
            ) from error


@frozen
class Failure:
    """One error of a contract's own: its name, and what it says besides."""

    name: str
    inputs: tuple[str, ...]


@frozen
class Interface:
    """What a kind of contract understands: functions and events by name and by signature, its own errors."""

    functions: Mapping[str, Function] = field(repr=False)
    events: Mapping[str, Event] = field(repr=False)
    errors: Mapping[bytes, Failure] = field(repr=False)
    constructor: tuple[str, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> Interface:
        """Read an interface as a compiler writes it."""
        functions: dict[str, Function] = {}
        events: dict[str, Event] = {}
        errors: dict[bytes, Failure] = {}
        constructor: tuple[str, ...] = ()
        overloaded: set[str] = set()
        for entry in entries:
            inputs = _types(entry.get("inputs", ()))
            signature = f"{entry.get('name', '')}({','.join(inputs)})"
            match entry["type"]:
                case "constructor":
                    constructor = inputs
                case "event":
                    values = tuple(
                        (parameter.get("name", ""), _read_as(kind), bool(parameter.get("indexed")))
                        for parameter, kind in zip(entry["inputs"], inputs, strict=True)
                    )
                    if entry["name"] in events:
                        overloaded.add(entry["name"])
                    events[signature] = events[entry["name"]] = Event(keccak(signature.encode()), values)
                case "error":
                    errors[keccak(signature.encode())[:4]] = Failure(entry["name"], inputs)
                case "function":
                    outputs = tuple(_read_as(kind) for kind in _types(entry["outputs"]))
                    function = Function(keccak(signature.encode())[:4], inputs, outputs)
                    if entry["name"] in functions:
                        overloaded.add(entry["name"])
                    functions[signature] = functions[entry["name"]] = function
        # A bare name must not mean whichever of its signatures came last.
        for name in overloaded:
            functions.pop(name, None)
            events.pop(name, None)
        return cls(functions, events, errors, constructor)

    def knowing(self, *others: Interface) -> Interface:
        """The same, with the errors of those whom such a contract calls: what it passes on is theirs."""
        return evolve(self, errors={k: v for each in (*others, self) for k, v in each.errors.items()})

    def function(self, name: str) -> Function:
        """By name, or by signature where the name has several."""
        try:
            return self.functions[name]
        except KeyError:
            raise AdapterError(
                f"the contract has no function {name!r}",
                help=nearest(name, self.functions),
            ) from None

    def event(self, name: str) -> Event:
        """By name, or by signature where the name has several."""
        try:
            return self.events[name]
        except KeyError:
            raise AdapterError(
                f"the contract has no event {name!r}", help=nearest(name, self.events)
            ) from None

    def reason(self, reverted: RevertError) -> str:
        """Why a call was refused, in the contract's words and never long."""
        return printable(self._reason(reverted.output) if not reverted.halt else reverted.halt, REASON_MAX)

    def _reason(self, output: bytes) -> str:
        selector, rest = output[:4], output[4:]
        if not output:
            return "without a reason"
        if selector == _ERROR and len(rest) >= 64:
            length = int.from_bytes(rest[32:64])
            return rest[64 : 64 + min(length, REASON_MAX * 4)].decode(errors="replace")
        if selector == _PANIC and len(rest) == 32:
            code = int.from_bytes(rest)
            return f"panic, {_PANICS.get(code, hex(code))}"
        if failure := self.errors.get(selector):
            return _said(failure, rest)
        return f"0x{output.hex()}"


def encoded(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Arguments as a call carries them. Raises `ValueError` or `TypeError` where they are no such values."""
    try:
        return _encoded(tuple(types), tuple(values))
    except TypeError:
        # Lists among them, which cannot be remembered, or a value of the wrong type.
        data: bytes = abi().encode(types, values)
        return data


#: A search sends and logs much the same in run after run. Some of it is many kilobytes long.
_remembered: Final = lru_cache(maxsize=1 << 12)


@_remembered
def _encoded(types: tuple[str, ...], values: tuple[object, ...]) -> bytes:
    data: bytes = abi().encode(types, values)
    return data


def decoded(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Values as an answer carries them. Raises `ValueError` where they are no such values."""
    return _decoded(tuple(types), data)


@_remembered
def _decoded(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    values: tuple[Any, ...] = abi().decode(types, data)
    return values


def only_bytes(data: bytes) -> bytes:
    """The value of an event or answer whose one value is `bytes` or `string`."""
    start = 32 + int.from_bytes(data[:32])
    return data[start : start + int.from_bytes(data[start - 32 : start])]


def _said(failure: Failure, data: bytes) -> str:
    """An error of a contract's own as its source would write it, or raw where it is not what it should be."""
    try:
        values = decoded(tuple(_read_as(kind) for kind in failure.inputs), data[: REASON_MAX * 32])
    except Exception:
        # Whatever the library makes of bytes that a contract may choose freely.
        return f"{failure.name}({', '.join(failure.inputs)}) {data[:REASON_MAX].hex()}".rstrip()
    said = (_text(kind, value) for kind, value in zip(failure.inputs, values, strict=True))
    return f"{failure.name}({', '.join(said)})"


def _text(kind: str, value: object) -> str:
    if kind == "string" and isinstance(value, bytes):
        return value[: REASON_MAX * 4].decode(errors="replace")
    if isinstance(value, bytes):
        return f"0x{value[:REASON_MAX].hex()}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_text('', each) for each in value[:REASON_MAX])}]"
    return str(value)


def _from_topic(kind: str, topic: bytes) -> Any:
    hashed = kind.endswith("]") or kind.startswith("(") or kind == "bytes"
    return topic if hashed else decoded((kind,), topic)[0]


def _read_as(kind: str) -> str:
    """Strings are read as bytes, also inside of tuples and arrays."""
    return kind.replace("string", "bytes")


def _types(parameters: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(_type(parameter) for parameter in parameters)


def _type(parameter: Mapping[str, Any]) -> str:
    kind: str = parameter["type"]
    if kind.startswith("tuple"):
        return f"({','.join(_types(parameter['components']))}){kind.removeprefix('tuple')}"
    return kind
