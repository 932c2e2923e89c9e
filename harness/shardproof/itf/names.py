"""What variables and fields are called: by Quint, which says what it did, and by us."""

from __future__ import annotations

from typing import Final

#: Variables that Quint adds: the action that led to a state, and what was picked for it.
ACTION: Final = "mbt::actionTaken"
PICKS: Final = "mbt::nondetPicks"

#: What Quint calls that by which the first state came about.
INIT: Final = "init"

#: Under `#meta`: what a trace of ours says besides its states.
OURS: Final = "shardproof"

#: Parameters: the shards, and what the protocol has as functions that never change.
SHARDS: Final = "shards"
SOURCE: Final = "source"
DESTINATION: Final = "destination"
ORIGIN: Final = "origin"
PARAMETERS: Final = (SHARDS, SOURCE, DESTINATION, ORIGIN)


def plain(name: str) -> str:
    """Without the module or instance that Quint says something is of: `emit` for `bridge::emit`."""
    return name.rpartition("::")[2]
