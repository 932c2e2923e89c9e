"""
What has happened to real systems, as changes to a protocol.

Each entry says what was done, not what came of it. It is made in the smallest composition that
can make it, so that the trace that shows it is about nothing else. What is wrong with bytes
only (a proof that is not bound to its root, an encoding that differs between nodes) is not
here: that is a faulty shard (`shardproof list adapters`).

The numbers are those of the table in `models/README.md`. `shortest` is the number of steps of a
trace that was derived by hand from the report of the incident: it takes for granted what the
report does, so where ours is not as long, or goes another way, `differs` says why.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import delay as delay
from . import finality as finality
from . import outcomes as outcomes
from . import progress as progress
from . import proofs as proofs
from . import records as records
from . import rollback as rollback
from . import trust as trust
from . import value as value

#: The entries of the record that no change to a relation can make, and what each violates: they are
#: faulty shards only.
IN_BYTES_ONLY: Mapping[str, tuple[str, ...]] = {
    "B06": ("P13", "P01", "Q5"),
    "B07": ("P12", "P13"),
    "B08": ("P13", "P08"),
    "B44": ("P25", "P22"),
    "B52": ("P25",),
}
