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
    shown = html.escape(clean(text, longest))
    # Letters of other directions must not carry away what stands beside them.
    return shown if shown.isascii() else f"<bdi>{shown}</bdi>"


def meaning(text: str) -> str:
    """A sentence of ours as HTML, with what stands between backticks set as code."""
    parts = said(text).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def steps_linked(text: str, steps: int) -> str:
    """The same as `said`, where each `step N` is a link to that step."""

    def link(match: re.Match[str]) -> str:
        number = int(match[1])
        return f'<a href="#step-{number}">step {number}</a>' if 1 <= number <= steps else match[0]

    return re.sub(r"\bstep (\d{1,9})\b", link, said(text))


def data(value: Any) -> str:
    """`value` as JSON that can stand inside of a script element, whatever its strings hold."""
    written = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    # All that could end the element, or begin a comment in it, begins with one of these.
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
