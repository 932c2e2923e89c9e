"""
Who runs a shard: a node keeps what it was asked to do, and another one does it again, by itself.

The second node shares no state with the first. It catches up with the inputs, through the same
verbs, and must come to hold the same, to the last byte; what depends on anything else than the
inputs comes apart here. `catching_up` is for those who make that mistake: nothing that is right
looks at it.

Source: nearcore PR 11381 and GHSA-4wf3-5qj9-368v, where two paths through one block differed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

from attrs import frozen

from .memory import Memory

P = ParamSpec("P")
R = TypeVar("R")
N = TypeVar("N", bound="Node")


@frozen
class Input:
    """Something that a node was asked to do."""

    verb: str
    args: tuple[object, ...]
    named: Mapping[str, object]


def replayed(verb: Callable[Concatenate[N, P], R]) -> Callable[Concatenate[N, P], R]:
    """A verb that is an input: kept when it is asked from outside, not when another one uses it."""

    @wraps(verb)
    def asked(self: N, /, *args: P.args, **named: P.kwargs) -> R:
        if self.is_busy or self.catching_up:
            return verb(self, *args, **named)
        self.note(Input(verb.__name__, args, named))
        self.is_busy = True
        try:
            return verb(self, *args, **named)
        finally:
            self.is_busy = False

    return asked


class Node:
    """One of those who run a shard."""

    def __init__(self) -> None:
        self.inputs: list[Input] = []
        self.is_busy = False
        self.catching_up = False
        self._twin: Self | None = None
        self._done_again = 0

    def note(self, step: Input) -> None:
        """Keep what this node is asked to do."""
        self.inputs.append(step)

    def another(self) -> Self:
        """A new node of the same shard, which knows nothing yet."""
        raise NotImplementedError

    def parts(self) -> dict[str, bytes]:
        """All that the shard keeps."""
        raise NotImplementedError

    def state_root(self) -> bytes:
        """A digest of all that the shard keeps."""
        return Memory(self.parts()).digest()

    def twin(self) -> Self:
        """The other node, once it has caught up. Shards among the inputs are those that it runs itself."""
        if self._twin is None:
            self._twin = self.another()
            self._twin.catching_up = True
        for step in self.inputs[self._done_again :]:
            args = (a.twin() if isinstance(a, Node) else a for a in step.args)
            getattr(self._twin, step.verb)(*args, **step.named)
        self._done_again = len(self.inputs)
        return self._twin

    def catch_up(self) -> None:
        """Let the other node do now what it would do when it is asked for: then no input has to be kept."""
        self.twin()
        self.inputs.clear()
        self._done_again = 0
