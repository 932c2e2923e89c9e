"""
JSON that comes from outside, read strictly: UTF-8, each field once, no NaN.

What is wrong comes back as a `MismatchError`, in words that say where, because the messages of a
general parser speak of tokens and not of files.
"""

from __future__ import annotations

import json
from typing import Any

#: What JSON can say; whoever reads one checks what it is.
Json = Any

#: The digits of the largest number that a format of ours allows, and some. Longer is an attack.
DIGITS_MAX = 40


class MismatchError(Exception):
    """What is wrong with a document, and where."""

    def __init__(
        self, summary: str, *, expected: object = None, got: object = None, help: str | None = None
    ) -> None:
        super().__init__(summary)
        self.summary, self.expected, self.got, self.help = summary, expected, got, help


def parse(data: bytes) -> Json:
    """The value of the JSON in `data`. Raises `MismatchError`, also for what only Python would take."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MismatchError(
            "not UTF-8", got=f"the byte 0x{data[error.start]:02x} at position {error.start}"
        ) from error
    if not text.strip():
        raise MismatchError("empty", expected="a JSON object")
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_short,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno} (character {error.pos} of {len(text)})"
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise MismatchError(
                "cut short", got=f"the end of the file, after {place}", help="get the file again"
            ) from error
        raise MismatchError("not JSON", got=f"{error.msg.lower()} at {place}") from error
    except RecursionError:
        # The chain of frames would be a traceback of a thousand lines and says nothing.
        raise MismatchError("nested too deeply", expected="a handful of levels") from None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MismatchError(
            f"field {twice!r} appears twice in one object", help="which of the two is meant cannot be known"
        )
    return made


def _no_constant(name: str) -> Json:
    raise MismatchError(f"{name} is not JSON", expected="a finite number")


def _short(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise MismatchError(
            "a number is too long", expected=f"at most {DIGITS_MAX} digits", got=f"{len(digits)} digits"
        )
    return int(digits)


def _finite(text: str) -> float | int:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise MismatchError("a number is too large", expected="a finite number", got=text[:DIGITS_MAX])
    # 3.0 is an integer in JSON Schema.
    return int(number) if number.is_integer() else number
