"""
Compiled random walks of a protocol at a scope: the program, and the walker as Python sees it.

    enabled      which attempts a world accepts, in their order
    taken        the world after one of them
    action_of    the number of the action of each

What is violated, and what a witness is, is generated as for a search; see `program.py`. A program of
its own, because a search makes every world and a walk only one of them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol

from ..evaluate import Evaluator, World
from ..scope import Scope, Value
from ..wandering import PARTS, Distinct
from .compiler import Library
from .expression import Beyond, is_partial
from .ground import Instance
from .packing import Packing, must_fit, packing_of
from .program import Sentences, Writer
from .reach import reach

_WALKS = Path(__file__).with_name("walks.c")

#: Words that a world may take: nothing is kept of it, so a wide one costs only time.
WORDS = (1, 2, 4, 8, 16, 32, 64, 128)

_WORD = ctypes.c_uint64


@frozen(eq=False)
class Walks:
    """C, and what its numbers mean."""

    initial: World
    packing: Packing
    source: str
    #: Attempts by their number.
    attempts: tuple[tuple[Action, tuple[Value, ...]], ...]
    #: What may be out of range, by its number, from 1.
    beyond: tuple[Beyond, ...]
    actions: int
    witnesses: int


def walks_of(protocol: Protocol, scope: Scope, sentences: Sentences) -> Walks:
    """The program that walks about `protocol` at `scope`. Raises `TooWideError`."""
    evaluator = Evaluator(protocol, scope)
    layout, initial = evaluator.layout, evaluator.initial()
    reached = reach(layout, initial, lambda values: must_fit(layout, values, WORDS))
    packing = packing_of(layout, reached.grounder.values, WORDS)
    writer = Writer(layout, initial, packing, reached, sentences)
    possible = [i for i in reached.instances if i.guard != 0]
    names = [a.name for a in protocol.actions]
    body = [
        *_actions(possible, names),
        *_enabled(writer, possible),
        *_taken(writer, possible),
        *writer.bad(),
        *writer.wrong(),
        *writer.look(),
    ]
    head = writer.head(ATTEMPTS=max(len(possible), 1), ACTIONS=len(names))
    source = _WALKS.read_text(encoding="utf-8").replace("/*GENERATED*/", "\n".join((*head, *body)))
    return Walks(
        initial,
        packing,
        source,
        tuple((i.action, i.args) for i in possible),
        tuple(writer.text.beyond),
        len(names),
        len(sentences.witnesses),
    )


def _actions(instances: Sequence[Instance], names: list[str]) -> Iterator[str]:
    numbers = ", ".join(str(names.index(i.action.name)) for i in instances)
    yield f"static const u32 action_of[ATTEMPTS] = {{{numbers}}};"


def _enabled(writer: Writer, instances: Sequence[Instance]) -> Iterator[str]:
    yield "static u32 enabled(const S x, u32 *accepted, u64 *cuts) {"
    yield "  u32 n = 0;"
    for number, instance in enumerate(instances):
        lines, _ = writer.steps.effects(instance)
        guard = writer.text.number(instance.guard)
        effects = " ".join(lines) if any("cut" in line for line in lines) else ""
        yield f"  /* {instance.action.name}{instance.args} */"
        if effects or is_partial(instance.guard):
            yield f"  {{ int cut = 0; if ({guard} && !cut) {{ S y = x; {effects} (void)y;"
            yield f"    if (!cut) accepted[n++] = {number}; }}"
            yield "    cuts[cut] += cut != 0; }"
        else:
            yield f"  accepted[n] = {number}; n += {guard};"
    yield "  return n;"
    yield "}"


def _taken(writer: Writer, instances: Sequence[Instance]) -> Iterator[str]:
    yield "static inline S taken(const S x, u32 attempt) {"
    yield "  S y = x; int cut = 0;"
    yield "  switch (attempt) {"
    for number, instance in enumerate(instances):
        lines, _ = writer.steps.effects(instance)
        yield f"    case {number}: {{ {' '.join(lines)} break; }}"
    yield "  }"
    yield "  (void)cut;"
    yield "  return y;"
    yield "}"


@define(eq=False)
class Walker:
    """Walks on where it has stopped. See `walks.c` for what it counts."""

    walks: Walks
    library: Library
    length: int
    seed: int
    taken: Any = field(init=False, repr=False)
    ended: Any = field(init=False, repr=False)
    _arrays: dict[str, Any] = field(init=False, repr=False)
    _walker: Any = field(init=False, repr=False)
    _start: Any = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        walks, words = self.walks, self.walks.packing.words
        self._arrays = {
            "taken": (_WORD * max(len(walks.attempts), 1))(),
            "ended": (_WORD * (self.length + 1))(),
            "shown": (_WORD * (walks.witnesses + 1))(),
            "cuts": (_WORD * (len(walks.beyond) + 1))(),
            "path": (ctypes.c_uint32 * self.length)(),
            "runs": (ctypes.c_uint8 * PARTS)(),
            "seen": (ctypes.c_uint8 * (walks.witnesses + 1))(),
            "unread": (ctypes.c_uint8 * (len(walks.beyond) + 1))(),
        }
        counted = ("length", "seed", "steps", "number", "depth", "state", "deepest", "violated", "stuck")

        class Struct(ctypes.Structure):
            _fields_ = (
                *((name, _WORD) for name in counted),
                *((name, ctypes.c_void_p) for name in self._arrays),
                ("liking", _WORD * walks.actions),
                ("at", _WORD * words),
            )

        self._walker = Struct(length=self.length, seed=self.seed)
        for name, array in self._arrays.items():
            setattr(self._walker, name, ctypes.addressof(array))
        self._start = (_WORD * words)(*walks.packing.pack(walks.initial))
        self.library.functions.go_on.argtypes = [ctypes.c_void_p, ctypes.c_void_p, _WORD]
        self.library.functions.go_on.restype = None

    def go_on(self, steps: int) -> None:
        """Until so many steps were taken in all, or one of them violates something."""
        self.library.functions.go_on(ctypes.byref(self._walker), self._start, steps)

    def count(self, name: str) -> int:
        """A number of the walker, by its name in `walks.c`."""
        return int(getattr(self._walker, name))

    def counts(self, name: str) -> list[int]:
        """The numbers of an array of the walker, by its name in `walks.c`."""
        return list(self._arrays[name])

    @property
    def at(self) -> World:
        """The world that it has come to."""
        return self.walks.packing.unpack(self._walker.at)

    @property
    def path(self) -> tuple[int, ...]:
        """The attempts of the walk that it is on."""
        return tuple(self._arrays["path"][: self.count("depth")])

    @property
    def distinct(self) -> Distinct:
        """What it knows of how many worlds there were."""
        return Distinct(bytearray(self._arrays["runs"]))
