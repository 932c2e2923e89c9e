"""
What to look for in the code, as a table: sentences that are broken, what was observed, and what to ask.

Read from the top: the first line that fits is said. What is asked is where people have made such a
mistake before, given what the system accepts and refuses; it is a place to begin, and not a proof that
the mistake is there. Lines that need more to have been observed come before lines that need less, and
every sentence and every refusal has one that needs nothing.

The sentences are sorted by what is got wrong, a file each, as the faulty shards are (`adapters/faulty/`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...verdict import Kind
from ..facts import Facts
from . import belief, layout, outcomes, proofs, queues, record, replicas, rollback, value
from .clauses import CLAUSES
from .line import Line
from .queues import PROGRESS

__all__ = ["ALWAYS", "CLAUSES", "KINDS", "PROGRESS", "SENTENCES", "look_for"]

#: What is said of whatever sentence is broken.
ALWAYS = (
    Line(
        "Look at what an upgrade does to the state that it finds: what was set up once (a threshold of "
        "signatures, a mark that says so) has to be there afterwards, and not be its default.",
        lambda f: f.since == "upgrade",
    ),
)

#: What can be got wrong, a table of sentences each; no sentence is in two of them.
KINDS = (record, proofs, belief, layout, outcomes, value, rollback, replicas, queues)

SENTENCES: Mapping[str, tuple[Line, ...]] = {
    sentence: lines for kind in KINDS for sentence, lines in kind.SENTENCES.items()
}


def look_for(facts: Facts) -> str:
    """Where to begin, in a sentence."""
    return next(line.says for line in _lines(facts) if line.where(facts))


def _lines(facts: Facts) -> Iterator[Line]:
    yield from ALWAYS
    yield from SENTENCES.get(facts.wrong.property, ())
    if facts.wrong.kind is Kind.PROGRESS:
        yield from PROGRESS
    clause = facts.wrong.clause
    if clause in CLAUSES:
        yield Line(CLAUSES[clause])
    yield Line(f"Look where `{facts.verb}` is handled: the model and the system part ways at this step.")
