"""
Foreign text that only says something: no control characters, one line, and a known width.

Names of shards and answers of systems come from outside. Shown as they are they could move
the cursor, turn the direction of writing, or fill the screen. Width is counted in terminal
cells, as in Unicode Standard Annex 11, because columns have to line up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from ..errors import printable


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def line(text: str, *, ascii_only: bool = False, longest: int = 500) -> str:
    """`text` on one line, inert; with `ascii_only`, other characters are written as their codes."""
    # Marks that stack on one cell have no width, and no end either: they count as characters here.
    shown = " ".join(printable(text, longest).split())
    return shown.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else shown


def block(lines: str, longest: int = 4_000) -> str:
    """Lines whose spaces mean something, each inert; they stay so many lines."""
    return "\n".join(printable(row, longest) for row in lines.split("\n"))


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells; dots mark what was cut off."""
    if cells(text) <= width:
        return text
    mark = "..." if width > 6 else "." * min(1, width - 1)
    kept, room = "", width - len(mark)
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept += character
    return kept + mark


def pad(text: str, width: int) -> str:
    """`text`, filled up with spaces to `width` cells."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken within a word only if it is too long."""
    return list(_wrapped(text, max(width, 1))) or [""]


def _wrapped(text: str, width: int) -> Iterator[str]:
    row = ""
    for word in text.split():
        rest = word
        if row and cells(row) + 1 + cells(rest) <= width:
            row = f"{row} {rest}"
            continue
        if row:
            yield row
        while cells(rest) > width:
            head = _head(rest, width)
            yield head
            rest = rest[len(head) :]
        row = rest
    if row:
        yield row


def _head(text: str, width: int) -> str:
    taken, room = 0, width
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        taken += 1
    # At least one character, or a wide one in one column would never end.
    return text[: max(taken, 1)]
