"""
JSON that comes from outside, read strictly and checked against a JSON Schema (draft 2020-12).

Only the keywords that our own schema uses are understood, and any other one in a schema is
a `KeyError`: a check that is silently skipped would be worse than none. What is wrong comes
back as a `Mismatch`, in words that say where, because the messages of a general validator
speak of schemas and not of files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

from .errors import nearest

Json = Any

#: The digits of the largest number that a schema of ours allows, and some. Longer is an attack.
DIGITS_MAX = 40


class Mismatch(Exception):
    """What is wrong with a document, and where."""

    def __init__(self, summary: str, *, expected: object = None, got: object = None, help: str | None = None) -> None:
        super().__init__(summary)
        self.summary, self.expected, self.got, self.help = summary, expected, got, help


# ---- text to values ------------------------------------------------------------------------------


def parse(data: bytes) -> Json:
    """The value that `data` is the JSON of, without what Python takes beyond the standard. Raises `Mismatch`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Mismatch("not UTF-8", got=f"the byte 0x{data[error.start]:02x} at position {error.start}") from error
    if not text.strip():
        raise Mismatch("empty", expected="a JSON object")
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_short, parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno} (character {error.pos} of {len(text)})"
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise Mismatch("cut short", got=f"the end of the file, after {place}", help="get the file again") from error
        raise Mismatch("not JSON", got=f"{error.msg.lower()} at {place}") from error
    except RecursionError:
        # The chain of frames would be a traceback of a thousand lines and says nothing.
        raise Mismatch("nested too deeply", expected="a handful of levels") from None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Mismatch(f"field {twice!r} appears twice in one object", help="which of the two is meant cannot be known")
    return made


def _no_constant(name: str) -> Json:
    raise Mismatch(f"{name} is not JSON", expected="a finite number")


def _short(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise Mismatch("a number is too long", expected=f"at most {DIGITS_MAX} digits", got=f"{len(digits)} digits")
    return int(digits)


def _finite(text: str) -> float | int:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Mismatch("a number is too large", expected="a finite number", got=text[:DIGITS_MAX])
    # 3.0 is an integer in JSON Schema.
    return int(number) if number.is_integer() else number


# ---- values against a schema ---------------------------------------------------------------------

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "null": (type(None),),
}

_ARTICLE = {"object": "an object", "array": "a list", "string": "a string", "integer": "a whole number", "null": "null"}


@frozen
class Schema:
    """A schema, and the documents that satisfy it."""

    root: Mapping[str, Json]

    def check(self, value: Json) -> None:
        """Return if `value` satisfies the schema. Raises `Mismatch` at the first place where it does not."""
        self._check(self.root, value, "")

    def _check(self, schema: Mapping[str, Json], value: Json, where: str) -> None:
        for keyword, operand in schema.items():
            _KEYWORDS[keyword](self, schema, operand, value, where)

    def _satisfied(self, schema: Mapping[str, Json], value: Json) -> bool:
        try:
            self._check(schema, value, "")
        except Mismatch:
            return False
        return True

    # Each keyword, as (schema that it stands in, its operand, value, where the value is).

    def _ref(self, _: Json, operand: str, value: Json, where: str) -> None:
        self._check(self.root["$defs"][operand.removeprefix("#/$defs/")], value, where)

    def _type(self, _: Json, operand: str | list[str], value: Json, where: str) -> None:
        kinds = [operand] if isinstance(operand, str) else operand
        if isinstance(value, bool) or not any(isinstance(value, _TYPES[kind]) for kind in kinds):
            raise Mismatch(
                f"{_place(where)} has the wrong type",
                expected=" or ".join(_ARTICLE[kind] for kind in kinds), got=shown(value),
            )

    def _const(self, _: Json, operand: Json, value: Json, where: str) -> None:
        if value != operand or type(value) is not type(operand):
            raise Mismatch(f"{_place(where)} has another value", expected=shown(operand), got=shown(value))

    def _enum(self, _: Json, operand: list[str], value: Json, where: str) -> None:
        if value not in operand:
            raise Mismatch(
                f"{_place(where)} has an unknown value", expected=", ".join(operand), got=shown(value),
                help=nearest(value, operand) if isinstance(value, str) else None,
            )

    def _pattern(self, schema: Json, operand: str, value: Json, where: str) -> None:
        if isinstance(value, str) and not re.search(operand, value):
            raise Mismatch(
                f"{_place(where)} is not written as it must be",
                expected=schema.get("description", operand).rstrip("."), got=shown(value), help=f"the pattern is {operand}",
            )

    def _properties(self, _: Json, operand: Mapping[str, Json], value: Json, where: str) -> None:
        if isinstance(value, dict):
            for key, schema in operand.items():
                if key in value:
                    self._check(schema, value[key], f"{where}.{key}" if where else key)

    def _additional(self, schema: Json, operand: Json, value: Json, where: str) -> None:
        if not isinstance(value, dict):
            return
        known = schema.get("properties", {})
        for key in value.keys() - known.keys():
            if operand is False:
                raise _unknown(key, known, where)
            self._check(operand, value[key], f"{where}.{key}")

    def _names(self, _: Json, operand: Json, value: Json, where: str) -> None:
        if isinstance(value, dict):
            for key in value:
                if key not in operand["enum"]:
                    raise _unknown(key, operand["enum"], where)

    def _required(self, _: Json, operand: list[str], value: Json, where: str) -> None:
        if isinstance(value, dict):
            for key in operand:
                if key not in value:
                    raise Mismatch(f"{_place(where)} lacks the field {key!r}", expected=", ".join(operand))

    def _items(self, _: Json, operand: Json, value: Json, where: str) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._check(operand, item, f"{where}[{index}]")

    def _unique_items(self, _: Json, operand: bool, value: Json, where: str) -> None:
        if operand and isinstance(value, list):
            texts = [json.dumps(item) for item in value]
            if len(set(texts)) < len(texts):
                twice = next(text for text in texts if texts.count(text) > 1)
                raise Mismatch(f"{_place(where)} names something twice", got=twice[:200])

    def _all_of(self, _: Json, operand: list[Json], value: Json, where: str) -> None:
        for schema in operand:
            self._check(schema, value, where)

    def _if(self, schema: Json, operand: Json, value: Json, where: str) -> None:
        if self._satisfied(operand, value):
            self._check(schema["then"], value, where)

    def _nothing(self, *_: Json) -> None:
        """For people, or read together with another keyword."""


Keyword = Callable[[Schema, Mapping[str, Json], Any, Json, str], None]


def _limit(kind: type, exceeds: Callable[[Any, int], bool], words: str) -> Keyword:
    def check(_: Schema, __: Json, operand: int, value: Json, where: str) -> None:
        if isinstance(value, kind) and not isinstance(value, bool) and exceeds(value, operand):
            size = value if isinstance(value, int) else len(value)
            raise Mismatch(f"{_place(where)} is out of bounds", expected=words.format(f"{operand:,}"), got=f"{size:,}")

    return check


_KEYWORDS: Mapping[str, Keyword] = {
    "$schema": Schema._nothing, "$id": Schema._nothing, "$defs": Schema._nothing, "title": Schema._nothing,
    "description": Schema._nothing, "then": Schema._nothing,
    "$ref": Schema._ref, "type": Schema._type, "const": Schema._const, "enum": Schema._enum,
    "pattern": Schema._pattern, "propertyNames": Schema._names, "additionalProperties": Schema._additional,
    "required": Schema._required, "properties": Schema._properties, "items": Schema._items,
    "uniqueItems": Schema._unique_items, "allOf": Schema._all_of, "if": Schema._if,
    "minLength": _limit(str, lambda v, n: len(v) < n, "at least {} characters"),
    "maxLength": _limit(str, lambda v, n: len(v) > n, "at most {} characters"),
    "minItems": _limit(list, lambda v, n: len(v) < n, "at least {} entries"),
    "maxItems": _limit(list, lambda v, n: len(v) > n, "at most {} entries"),
    "maxProperties": _limit(dict, lambda v, n: len(v) > n, "at most {} fields"),
    "minimum": _limit(int, lambda v, n: v < n, "at least {}"),
    "maximum": _limit(int, lambda v, n: v > n, "at most {}"),
}


def _unknown(key: str, known: Iterator[str] | Any, where: str) -> Mismatch:
    return Mismatch(f"unknown field {key!r} in {_place(where)}", help=nearest(key, known) if known else "it has no fields")


def _place(where: str) -> str:
    return where or "the document"


def shown(value: Json) -> str:
    """`value` as JSON, no longer than a line."""
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:120]}..."
