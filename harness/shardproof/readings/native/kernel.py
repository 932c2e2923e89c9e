"""
The compiled search of a protocol at a scope, as Python sees it.

What it finds stays in its memory until `Found.close`: worlds by their position, in breadth-first
order. It knows attempts only by their order; which one it was, whoever asks evaluates in Python.
"""

from __future__ import annotations

import ctypes
import enum
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import add
from types import TracebackType
from typing import Any, Self

from attrs import define, field, frozen

from shardproof_models.language.protocol import Protocol

from ..evaluate import Evaluator, World
from ..scope import Scope
from .compiler import Library, library
from .expression import Beyond
from .program import Program, Sentences, program
from .reduction import Reductions

_WORD = ctypes.c_uint64
_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, *[_WORD] * 5)

#: For what has no bound.
_ENDLESS = 2**63


class Ending(enum.Enum):
    """Why a search ended."""

    COMPLETE = 0
    VIOLATED = 1
    WORLDS = 2
    MEMORY = 3
    DEPTH = 4
    STOPPED = 5


@frozen
class Counts:
    """How far a search has come."""

    worlds: int
    transitions: int
    depth: int
    cut: int
    frontier: int


@frozen
class Coverage:
    """What each clause made of the worlds that were expanded."""

    #: Action -> how often it was accepted, and then how often each clause refused it.
    decided: dict[str, tuple[int, ...]]
    #: What left its range, and how often.
    cuts: dict[Beyond, int]


@define(eq=False)
class Found:
    """A search that has ended. Close it to free its memory."""

    kernel: Kernel
    counts: Counts
    ending: Ending
    #: Whether there was no room for the last world.
    full: bool
    #: Worlds whose successors have all been looked at.
    expanded: int
    #: Where a search ended within the successors of one world: its position, and which of them it was.
    source: int
    ordinal: int
    #: Which of the witnesses were seen.
    seen: tuple[bool, ...]
    #: What left its range while a sentence was evaluated.
    unread: tuple[Beyond, ...]
    memory_bytes: int
    _run: Any = field(repr=False)

    def world(self, position: int) -> World:
        """The world at a position, in breadth-first order."""
        words = self.kernel.program.packing.words
        return self.kernel.program.packing.unpack(self._run.queue[position * words : (position + 1) * words])

    def path_to(self, position: int) -> tuple[World, ...]:
        """The worlds of a shortest path from the initial one to the one at `position`, both included."""
        worlds = [self.world(position)]
        depth = next(d for d in range(self.counts.depth + 2) if position < self._level(d))
        for level in range(depth - 1, -1, -1):
            first = self._level(level - 1) if level else 0
            packed = self.kernel.pack(worlds[-1])
            position = self.kernel.functions.predecessor(
                ctypes.byref(self._run), packed, first, self._level(level)
            )
            worlds.append(self.world(position))
        return tuple(reversed(worlds))

    def _level(self, depth: int) -> int:
        """How many worlds can be reached in up to `depth` steps."""
        return int(self._run.level[depth + 1]) if depth <= self.counts.depth else self.counts.worlds

    @property
    def levels(self) -> tuple[tuple[int, int], ...]:
        """Each depth that is complete, and how many worlds can be reached in so many steps."""
        return tuple((depth, self._level(depth)) for depth in range(self.counts.depth + 1))

    def coverage(self) -> Coverage:
        """What each clause made of the worlds that were expanded."""
        made = self.kernel.program
        actions = made.layout.protocol.actions
        rows = sum(len(a.clauses) + 1 for a in actions)
        decided, cuts = [0] * (rows + 1), [0] * (len(made.beyond) + 1)
        for some, more in self._covered(len(decided), len(cuts)):
            decided = list(map(add, decided, some))
            cuts = list(map(add, cuts, more))
        for action, clause in made.always_refused:
            decided[made.rows[action.name] + clause] += self.expanded
        return Coverage(
            {
                a.name: tuple(decided[made.rows[a.name] : made.rows[a.name] + len(a.clauses) + 1])
                for a in actions
            },
            {beyond: n for beyond, n in zip(made.beyond, cuts[1:], strict=True) if n},
        )

    def _covered(self, rows: int, sites: int) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
        """The counts of parts of the queue: a part for each thread that has searched."""

        def cover(part: range) -> tuple[Sequence[int], Sequence[int]]:
            decided, cuts = (_WORD * rows)(), (_WORD * sites)()
            self.kernel.functions.cover(ctypes.byref(self._run), part.start, part.stop, decided, cuts)
            return list(decided), list(cuts)

        size = -(-self.expanded // self._run.threads)
        parts = [range(at, min(at + size, self.expanded)) for at in range(0, self.expanded, max(size, 1))]
        with ThreadPoolExecutor(max(len(parts), 1)) as threads:
            yield from threads.map(cover, parts)

    def close(self) -> None:
        """Free the worlds."""
        self.kernel.functions.forget(ctypes.byref(self._run))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@frozen(eq=False)
class Kernel:
    """A compiled search."""

    program: Program
    library: Library
    _run: type[ctypes.Structure] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_run", _run_of(self.program))
        functions = self.functions
        functions.predecessor.restype = functions.walk.restype = functions.expand.restype = _WORD
        functions.predecessor.argtypes = [ctypes.c_void_p, ctypes.c_void_p, _WORD, _WORD]
        functions.search.argtypes = [ctypes.c_void_p] * 2
        functions.cover.argtypes = [ctypes.c_void_p, _WORD, _WORD, ctypes.c_void_p, ctypes.c_void_p]
        functions.expand.argtypes = [ctypes.c_void_p] * 2
        functions.forget.argtypes = [ctypes.c_void_p]
        functions.walk.argtypes = [ctypes.c_void_p, _WORD, _WORD, _WORD, ctypes.c_void_p, ctypes.c_void_p]

    @property
    def functions(self) -> ctypes.CDLL:
        """What the library offers."""
        return self.library.functions

    def pack(self, world: World) -> Any:
        """A world as the kernel has it."""
        return (_WORD * self.program.packing.words)(*self.program.packing.pack(world))

    def search(
        self,
        *,
        worlds_max: int,
        memory_max: int,
        depth_max: int | None = None,
        threads: int = 1,
        progress: Callable[[Counts], None] | None = None,
    ) -> Found:
        """
        Every world, breadth first, until something is violated or a limit is reached.

        `progress` is told how far it has come, several times a second; what it raises ends the search.
        """
        raised: list[BaseException] = []

        def report(*counts: int) -> int:
            try:
                if progress is not None:
                    progress(Counts(*counts))
            except BaseException as error:  # it is raised below, past the C that called this
                raised.append(error)
            return len(raised)

        run = self._run()
        run.worlds_max, run.memory_max, run.threads = worlds_max, memory_max, threads
        run.depth_max = _ENDLESS if depth_max is None else depth_max
        run.progress = _PROGRESS(report)
        self.functions.search(ctypes.byref(run), self.pack(self.program.initial))
        found = Found(
            self,
            Counts(run.worlds, run.transitions, run.depth, run.cut, run.worlds - run.expanded),
            Ending(run.status),
            bool(run.full),
            run.expanded,
            run.source,
            run.ordinal,
            tuple(map(bool, run.seen[: len(run.seen) - 1])),
            tuple(b for b, met in zip(self.program.beyond, run.unread[1:], strict=True) if met),
            run.bytes,
            run,
        )
        if raised:
            found.close()
            raise raised[0]
        return found

    def successors(self, world: World) -> list[World]:
        """The worlds after each attempt that is accepted, in the order of the attempts."""
        words = self.program.packing.words
        out = (_WORD * (words * (self.program.fanout + 1)))()
        made = self.functions.expand(self.pack(world), out)
        return [self.program.packing.unpack(out[k * words : (k + 1) * words]) for k in range(made)]

    def walk(self, steps: int, length: int, seed: int) -> Walk:
        """So many random steps, from the beginning again after each `length` of them."""
        at, deepest, run = self.pack(self.program.initial), _WORD(0), self._run()
        taken = self.functions.walk(at, steps, length, seed, ctypes.byref(deepest), ctypes.byref(run))
        violated = Ending(run.status) is Ending.VIOLATED
        return Walk(taken, deepest.value, self.program.packing.unpack(at) if violated else None)


@frozen
class Walk:
    """Where random steps have led."""

    steps: int
    deepest: int
    #: A world that violates an invariant, if one was met: it ends the walk.
    violated: World | None


def program_of(
    protocol: Protocol, scope: Scope, sentences: Sentences, reductions: Reductions | None = None
) -> Program:
    """The program that searches `protocol` at `scope`. Raises `TooWideError` if a world is too wide."""
    evaluator = Evaluator(protocol, scope)
    return program(evaluator.layout, evaluator.initial(), sentences, reductions)


def compiled(
    protocol: Protocol, scope: Scope, sentences: Sentences, reductions: Reductions | None = None
) -> Kernel:
    """The compiled search of `protocol` at `scope`. Raises `TooWideError` and `CompilerError`."""
    made = program_of(protocol, scope, sentences, reductions)
    return Kernel(made, library(made.source))


def _run_of(made: Program) -> type[ctypes.Structure]:
    """`Run` in `kernel.c`."""
    witnesses = made.witnesses

    class Run(ctypes.Structure):
        _fields_ = (
            *((name, _WORD) for name in ("worlds_max", "depth_max", "memory_max", "threads")),
            ("progress", _PROGRESS),
            *((name, _WORD) for name in ("worlds", "transitions", "depth", "cut", "expanded")),
            *((name, _WORD) for name in ("source", "ordinal", "status", "full", "bytes")),
            ("seen", ctypes.c_uint8 * (witnesses + 1)),
            ("unread", ctypes.c_uint8 * (len(made.beyond) + 1)),
            ("queue", ctypes.POINTER(_WORD)),
            ("level", ctypes.POINTER(_WORD)),
            *((name, _WORD) for name in ("queue_bytes", "level_bytes")),
        )

    return Run
