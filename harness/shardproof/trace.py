"""
A sequence of steps as data: what was tried, what the model expected, what the system did.

Things in a trace have symbolic names (receipt `r0`, header `h1`, shard `A`), so that it
replays on any machine and any adapter with the capabilities that it needs. Loading one
executes nothing and imports nothing: the adapter that it names is information.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

#: The version of the file format. A reader refuses another major version.
FORMAT = "shardproof-trace/1"

#: The arguments that a step of each action may have; see the schema.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "emit": ("receipt", "to"),
    "produce": ("header",),
    "finalise": ("header",),
    "revert": ("header",),
    "learn": ("header", "damage"),
    "restart": (),
    "deliver": ("receipt", "header", "evidence", "damage"),
    "reenter": ("receipt", "header", "evidence", "damage"),
}


@frozen
class Step:
    """
    One thing that happened at one shard.

    `args` are symbolic: `receipt` is `r3`, or `forged:A>B:7` for one that nobody emitted;
    `header` is `h2` or `null`; `evidence` is `r3@h2` (what proves r3 in h2) or `none`;
    `damage` is `PART:KIND:NUMBER`, e.g. `evidence:flip:17`; `to` is the destination.
    """

    action: str
    at: str
    args: Mapping[str, str] = field(factory=dict)
    #: "accepted", "refused, CLAUSE", "either" where an implementation may choose; "" if not run.
    expected: str = ""
    #: What the system said.
    actual: str = ""
    #: What changed, e.g. "B executed r0".
    changed: tuple[str, ...] = ()


@frozen
class Violation:
    """Where and how a trace goes wrong."""

    #: Index into the steps, from 0.
    step: int
    expected: str
    actual: str
    #: The clause that the model refuses by, with its story, e.g. "consumed: B consumed r0 at step 5".
    clause: str = ""
    #: The state that differs, e.g. "B executed r0 2 times".
    differs: str = ""


@frozen
class Search:
    """The search that found a trace."""

    engine: str
    seed: int | None = None
    traces: int = 0
    steps: int = 0


@frozen
class Trace:
    """A run of one system (or of the model alone), to its first violation."""

    adapter: str
    layers: tuple[str, ...]
    shards: tuple[str, ...]
    property: str
    property_id: str
    because: str
    steps: tuple[Step, ...]
    violation: Violation | None
    search: Search
    #: "proved" or "not established".
    shortest: str = "not established"
    versions: Mapping[str, str] = field(factory=dict)
