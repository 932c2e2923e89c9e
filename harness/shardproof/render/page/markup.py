"""Foreign text on a page: inert, isolated from the text around it, and never markup."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from .. import inert

#: Of one name or answer, more than this says nothing more.
LONGEST = 2_000


def clean(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, with codes for what is no letter, and cut with a note where it is too long."""
    return inert.line(text, longest=longest)


def said(text: str, longest: int = LONGEST) -> str:
    """`text` as HTML that shows it, and does nothing else."""
    return _inline(clean(text, longest))


def plainly(text: str, longest: int = 300) -> str:
    """As `said`, where no element may stand: in attributes, in titles, and in drawings."""
    return html.escape(clean(text, longest))


def sentence(text: str, steps: int = 0) -> str:
    """A sentence as HTML: what is between backticks is code, and each `step N` up to `steps` a link."""
    parts = clean(text).split("`")
    if len(parts) % 2 == 0:
        return said(text)
    return "".join(
        f"<code>{said(part)}</code>" if i % 2 else _linked(part, steps) for i, part in enumerate(parts)
    )


def _linked(text: str, steps: int) -> str:
    parts = re.split(r"\b(step \d{1,9})\b", text)
    return "".join(
        f'<a href="#step-{part[5:]}">{part}</a>' if i % 2 and 1 <= int(part[5:]) <= steps else _inline(part)
        for i, part in enumerate(parts)
    )


def _inline(text: str) -> str:
    shown = html.escape(text)
    # Letters of other directions must not carry away what stands beside them.
    return shown if shown.isascii() else f"<bdi>{shown}</bdi>"


def data(value: Any) -> str:
    """`value` as JSON that can stand inside of a script element, whatever its strings hold."""
    written = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    # All that could end the element, or begin a comment in it, begins with one of these.
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
