"""
One encoding for every plain value: numbers, texts, bytes, and tuples of them.

What a shard keeps is made of these, so that writing all of it down takes no code of its own
for each part, and no part can be left out by mistake.
"""

from __future__ import annotations

from typing import TypeAlias

from ..encoding import MalformedError, Reader, blob, number, text

Plain: TypeAlias = "bool | int | str | bytes | tuple[Plain, ...] | None"

_NOTHING, _FALSE, _TRUE, _NUMBER, _TEXT, _BLOB, _TUPLE = (bytes([tag]) for tag in range(7))


def written(value: Plain) -> bytes:
    """The one encoding of `value`; numbers are from 0 up to `NUMBER_LIMIT`."""
    match value:
        case None:
            return _NOTHING
        case bool():
            return _TRUE if value else _FALSE
        case int():
            return _NUMBER + number(value)
        case str():
            return _TEXT + text(value)
        case bytes():
            return _BLOB + blob(value)
        case tuple():
            return _TUPLE + number(len(value)) + b"".join(map(written, value))


def read(reader: Reader) -> Plain:
    """The value that comes next. Raises `MalformedError`."""
    tag = reader.fixed(1)
    if tag == _NOTHING:
        return None
    if tag in (_FALSE, _TRUE):
        return tag == _TRUE
    if tag == _NUMBER:
        return reader.number()
    if tag == _TEXT:
        return reader.text()
    if tag == _BLOB:
        return reader.blob()
    if tag == _TUPLE:
        return tuple(read(reader) for _ in range(reader.number()))
    raise MalformedError(f"no value is tagged {tag!r}")
