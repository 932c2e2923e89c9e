"""
A transport that is trusted to carry only what was committed: no light client, no proof (L0, the inbox).

Transactional outboxes and inboxes between the services of one operator are like this. What is
left of the protocol is deduplication, and that records and effects are durable together.
"""

from __future__ import annotations

from ..language.protocol import Layer
from ..language.terms import Bool
from .exactly_once import Header, Shard, exactly_once, produced, trusted

inbox = Layer("inbox", needs=(exactly_once,), doc="the transport is trusted to carry only what was committed")


@inbox.widens(trusted)
def carried_by_the_transport(d: Shard, h: Header) -> Bool:
    """Whatever is on the transport was put there by its source."""
    return produced(h)
