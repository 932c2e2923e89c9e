"""
The part of JSON Schema (draft 2020-12) that our own schema uses, with messages for people.

Another keyword in a schema is a `KeyError`: a check that is silently skipped would be worse
than none. Each keyword is a function; `KEYWORDS` says which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from .errors import nearest
from .strict_json import Json, MismatchError


@frozen
class Schema:
    """A schema, and the documents that satisfy it."""

    root: Mapping[str, Json]

    def check(self, value: Json) -> None:
        """Raises `MismatchError` at the first place where `value` does not satisfy the schema."""
        self.check_part(self.root, value, "")

    def check_part(self, schema: Mapping[str, Json], value: Json, where: str) -> None:
        """The same for a schema within this one, and the value at `where`."""
        for keyword, operand in schema.items():
            KEYWORDS[keyword](_At(self, schema, where), operand, value)


@frozen
class _At:
    """A keyword's surroundings: the schema that it stands in, and where the value is."""

    schema: Schema
    part: Mapping[str, Json]
    where: str

    def __str__(self) -> str:
        return self.where or "the document"

    def below(self, part: Mapping[str, Json], value: Json, step: str = "") -> None:
        """Check a part of the value."""
        self.schema.check_part(part, value, f"{self.where}{step}" if self.where else step.lstrip("."))


Keyword = Callable[[_At, Json, Json], None]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "null": (type(None),),
}

_ARTICLE = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "null": "null",
}


def _ref(at: _At, name: str, value: Json) -> None:
    at.below(at.schema.root["$defs"][name.removeprefix("#/$defs/")], value)


def _type(at: _At, names: str | list[str], value: Json) -> None:
    kinds = [names] if isinstance(names, str) else names
    if isinstance(value, bool) or not any(isinstance(value, _TYPES[kind]) for kind in kinds):
        expected = " or ".join(_ARTICLE[kind] for kind in kinds)
        raise MismatchError(f"{at} has the wrong type", expected=expected, got=shown(value))


def _const(at: _At, wanted: Json, value: Json) -> None:
    if value != wanted or type(value) is not type(wanted):
        raise MismatchError(f"{at} has another value", expected=shown(wanted), got=shown(value))


def _enum(at: _At, known: list[str], value: Json) -> None:
    if value not in known:
        close = nearest(value, known) if isinstance(value, str) else None
        expected = ", ".join(known)
        raise MismatchError(f"{at} has an unknown value", expected=expected, got=shown(value), help=close)


def _pattern(at: _At, pattern: str, value: Json) -> None:
    if isinstance(value, str) and not re.search(pattern, value):
        expected = ", ".join(map(shown, at.part.get("examples", ())))
        raise MismatchError(
            f"{at} is not written as it must be",
            expected=f"e.g. {expected}" if expected else pattern,
            got=shown(value),
        )


def _properties(at: _At, parts: Mapping[str, Json], value: Json) -> None:
    if isinstance(value, dict):
        for key, part in parts.items():
            if key in value:
                at.below(part, value[key], f".{key}")


def _additional(at: _At, part: Json, value: Json) -> None:
    if isinstance(value, dict):
        known = at.part.get("properties", {})
        for key in value:
            if key not in known and part is False:
                raise _unknown(at, key, known)
            if key not in known:
                at.below(part, value[key], f".{key}")


def _names(at: _At, part: Json, value: Json) -> None:
    if isinstance(value, dict):
        for key in value:
            if key not in part["enum"]:
                raise _unknown(at, key, part["enum"])


def _required(at: _At, keys: list[str], value: Json) -> None:
    if isinstance(value, dict):
        for key in keys:
            if key not in value:
                raise MismatchError(f"{at} lacks the field {key!r}", expected=", ".join(keys))


def _items(at: _At, part: Json, value: Json) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            at.below(part, item, f"[{index}]")


def _unique(at: _At, wanted: bool, value: Json) -> None:
    if wanted and isinstance(value, list):
        seen = set()
        for text in map(json.dumps, value):
            if text in seen:
                raise MismatchError(f"{at} names something twice", got=text[:200])
            seen.add(text)


def _all_of(at: _At, parts: list[Json], value: Json) -> None:
    for part in parts:
        at.below(part, value)


def _if(at: _At, condition: Json, value: Json) -> None:
    try:
        at.below(condition, value)
    except MismatchError:
        at.below(at.part.get("else", {}), value)
        return
    at.below(at.part["then"], value)


def _nothing(_: _At, __: Json, ___: Json) -> None:
    """For people, or read together with another keyword."""


def _limit(kind: type, exceeds: Callable[[int, int], bool], words: str) -> Keyword:
    measure: Callable[[Json], int] = int if kind is int else len

    def check(at: _At, bound: int, value: Json) -> None:
        if type(value) is kind and exceeds(measure(value), bound):
            expected = words.format(f"{bound:,}")
            raise MismatchError(f"{at} is out of bounds", expected=expected, got=f"{measure(value):,}")

    return check


KEYWORDS: Mapping[str, Keyword] = {
    **dict.fromkeys(("$schema", "$id", "$defs", "title", "description", "examples"), _nothing),
    **dict.fromkeys(("then", "else"), _nothing),
    "$ref": _ref,
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "required": _required,
    "items": _items,
    "uniqueItems": _unique,
    "allOf": _all_of,
    "if": _if,
    "minLength": _limit(str, int.__lt__, "at least {} characters"),
    "maxLength": _limit(str, int.__gt__, "at most {} characters"),
    "minItems": _limit(list, int.__lt__, "at least {} entries"),
    "maxItems": _limit(list, int.__gt__, "at most {} entries"),
    "maxProperties": _limit(dict, int.__gt__, "at most {} fields"),
    "minimum": _limit(int, int.__lt__, "at least {}"),
    "maximum": _limit(int, int.__gt__, "at most {}"),
}


def _unknown(at: _At, key: str, known: Iterable[str]) -> MismatchError:
    names = list(known)
    return MismatchError(
        f"unknown field {key!r} in {at}", help=nearest(key, names) if names else "it has no fields"
    )


def shown(value: Json) -> str:
    """`value` as JSON, no longer than a line."""
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:120]}..."
