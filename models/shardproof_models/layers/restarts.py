"""
A shard may be stopped and started again, and nobody must be able to tell (L6, orderly restarts).

The action changes nothing: everything that the protocol speaks of is durable. That is
the whole demand on an implementation. Crashes, which lose what was not durable, are not here.
"""

from __future__ import annotations

from ..language.actions import Parts, at
from ..language.protocol import Layer
from .exactly_once import Shard, exactly_once

restarts = Layer(
    "restarts", needs=(exactly_once,), doc="a shard may be stopped and started again; nothing changes"
)


@restarts.action
def restart(s: Shard) -> Parts:
    """Shard `s` is stopped and started again."""
    yield at(s)
