"""What a command is given besides its settings: a clock, a place for progress, and a way to make a seed."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from attrs import frozen

from .. import __version__
from ..progress import Progress

#: Whose version can change a verdict.
LIBRARIES = ("hypothesis", "z3-solver")


@frozen
class Context:
    """The world outside, as values."""

    clock: Callable[[], float]
    progress: Progress
    draw_seed: Callable[[], int]
    #: What was typed after `shardproof`.
    arguments: tuple[str, ...] = ()
    #: From where files are named to build servers: the top of the repository, or where one stands.
    folder: Path = Path()
    #: Goes back to where the command was typed, wherever an adapter has gone meanwhile.
    go_home: Callable[[], None] = lambda: None
    #: A folder for what cannot be written where it should be.
    elsewhere: Path = Path()

    def seed(self, given: int | None) -> int:
        """The seed of this run, said before anything is searched."""
        seed = self.draw_seed() if given is None else given
        self.progress.say(
            f"seed {seed}" if given is not None else f"seed {seed}   (again with --seed {seed})"
        )
        return seed


def versions() -> Mapping[str, str]:
    """Of what takes part in a verdict."""
    return {
        "shardproof": __version__,
        "python": platform.python_version(),
        **{n: version(n) or "missing" for n in LIBRARIES},
    }


def version(distribution: str) -> str | None:
    """The installed version of a distribution."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
