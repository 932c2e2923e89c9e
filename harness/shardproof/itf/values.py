"""Values of the Informal Trace Format: as the JSON that stands in files, and as what compares in Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Union

from attrs import frozen

from ..schema import shown
from ..strict_json import Json, MismatchError


@frozen
class Map:
    """A function, or a record, which is one of the names of its fields."""

    pairs: frozenset[tuple[Value, Value]]

    def get(self, key: Value) -> Value | None:
        """The value at `key`; nothing where there is none."""
        return next((value for k, value in self.pairs if k == key), None)


@frozen
class Variant:
    """One of several kinds of values, e.g. `Some` of something."""

    tag: str
    value: Value


#: `bool` is an `int` to Python, so both are told apart by the readers that care.
Value = Union[bool, int, str, "tuple[Value, ...]", "frozenset[Value]", Map, Variant]


# ---- written -------------------------------------------------------------------------------------


def number(value: int) -> Json:
    """A number, in the form that no JSON parser makes less of."""
    return {"#bigint": str(value)}


def tup(values: Iterable[Json]) -> Json:
    """A tuple."""
    return {"#tup": list(values)}


def set_of(values: Iterable[Json]) -> Json:
    """A set; its order says nothing."""
    return {"#set": list(values)}


def map_of(pairs: Iterable[tuple[Json, Json]]) -> Json:
    """A function, as what it is at each place."""
    return {"#map": [list(pair) for pair in pairs]}


def some(value: Json) -> Json:
    """An optional value that is there, as Quint writes it."""
    return {"tag": "Some", "value": value}


# ---- read ----------------------------------------------------------------------------------------


def read(value: Json, where: str) -> Value:
    """The value that `value` is the JSON of. Raises `MismatchError`."""
    match value:
        case bool() | int() | str():
            return value
        case list():
            return tuple(read(one, where) for one in value)
        case {"#bigint": str(digits), **rest} if not rest and re.fullmatch(r"-?[0-9]{1,40}", digits):
            return int(digits)
        case {"#tup": list(members), **rest} if not rest:
            return tuple(read(one, where) for one in members)
        case {"#set": list(members), **rest} if not rest:
            return frozenset(read(one, where) for one in members)
        case {"#map": list(pairs), **rest} if not rest:
            return _map(pairs, where)
        case {"tag": str(tag), "value": inner, **rest} if not rest:
            return Variant(tag, read(inner, where))
        case dict() if not any(key.startswith("#") for key in value):
            return Map(frozenset((key, read(inner, where)) for key, inner in value.items()))
    raise MismatchError(
        f"{where} is no value of the format", expected='e.g. "r0", {"#bigint": "1"}', got=shown(value)
    )


def _map(pairs: list[Json], where: str) -> Map:
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise MismatchError(f"{where} is no map", expected="pairs of a key and a value", got=shown(pair))
    found = [(read(key, where), read(inner, where)) for key, inner in pairs]
    if len(dict(found)) < len(found):
        raise MismatchError(f"{where} is no map", expected="each key once", got=shown(pairs))
    return Map(frozenset(found))


def option(value: Value) -> Value | None:
    """What an optional value is, or nothing; what is no option is itself."""
    if isinstance(value, Variant) and value.tag in ("Some", "None"):
        return value.value if value.tag == "Some" else None
    return value


def fields(value: Value, where: str) -> Mapping[str, Value]:
    """The fields of a record. Raises `MismatchError`."""
    if isinstance(value, Map) and all(isinstance(key, str) for key, _ in value.pairs):
        return {str(key): inner for key, inner in value.pairs}
    raise MismatchError(f"{where} is no record", expected="an object with a field for each pick")
