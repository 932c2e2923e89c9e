"""What two nodes of one shard make of the same inputs."""

from __future__ import annotations

from collections.abc import Mapping

from .line import Line

_REPLICAS = (
    Line(
        "Look at what a node writes into its state of the circumstances in which it runs (the text of an "
        "error, a clock, an order of its own): a node that catches up writes something else.",
        lambda f: "deliver_failing" in f.before,
    ),
    Line(
        "Look at what a node does when shards split or merge, and what a node does that catches up: one of "
        "them filters what it inherits and the other does not.",
        lambda f: bool({"split", "merge"} & {*f.before}),
    ),
    Line(
        "Look at where a node that catches up takes its starting point from: the block in which a thing "
        "was counted, and the one that it is counted from, have to be the same.",
    ),
)

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "replicas-agree": _REPLICAS,
}
