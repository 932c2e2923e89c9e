"""The walks in Python: for few steps, for machines without a compiler, and to check compiled walks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from attrs import define, field

from ...model_trace import Taken
from ...readings.native.packing import Packing
from ...readings.rows import World
from ...readings.scope import OutOfScope
from ...readings.wandering import Distinct, begun, chosen, following, likes, likings
from .question import Question
from .stepping import Stepping
from .tally import Cut, Tally

#: Steps between two looks at the clock.
AT_ONCE = 50


@define(eq=False)
class PythonWalker:
    """Walks on where it has stopped; step by step what `walks.c` does."""

    question: Question
    #: How a world becomes words; without it, where worlds are too wide, they are told apart by their cells.
    packing: Packing | None
    stepping: Stepping = field(init=False)
    steps: int = field(init=False, default=0)
    number: int = field(init=False, default=0)
    state: int = field(init=False, default=0)
    deepest: int = field(init=False, default=0)
    violated: bool = field(init=False, default=False)
    stuck: bool = field(init=False, default=False)
    ended: Counter[int] = field(init=False, factory=Counter)
    taken: Counter[str] = field(init=False, factory=Counter)
    shown: Counter[int] = field(init=False, factory=Counter)
    seen: set[int] = field(init=False, factory=set)
    cut: Counter[Cut] = field(init=False, factory=Counter)
    distinct: Distinct = field(init=False, factory=Distinct)
    path: list[Taken] = field(init=False, factory=list)
    #: Action -> how readily it is taken in this walk, in 256ths.
    liking: dict[str, int] = field(init=False, factory=dict)
    at: World = field(init=False)
    _start: World = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.stepping = Stepping(self.question)
        self._start = self.at = self.stepping.generated.initial()

    @property
    def at_once(self) -> int:
        """Steps between two looks at the clock."""
        return AT_ONCE

    def go_on(self, steps: int) -> None:
        """Until so many steps were taken in all, or one of them violates something."""
        if not self.number:
            self._begin()
            self.violated = bool(self.stepping.violated(None, self.at))
        while self.steps < steps and not self.violated and not self.stuck:
            if len(self.path) >= self.question.length:
                self._begin()
                continue
            step = self._step()
            if step is None:
                self.ended[len(self.path)] += 1
                if self.path:
                    self._begin()
                else:
                    self.stuck = True
                continue
            taken, after, broken = step
            self.at = after
            self.path.append(taken)
            self.taken[taken[0].name] += 1
            self.steps += 1
            self.deepest = max(self.deepest, len(self.path))
            self._look()
            self.violated = broken or bool(self.stepping.violated(None, after))

    def _step(self) -> tuple[Taken, World, bool] | None:
        """An attempt that changes the world or violates something, the world after it, whether it does."""
        accepted = self._accepted()
        while accepted:
            self.state = following(self.state)
            at = chosen(self.state, len(accepted))
            taken, after = accepted[at]
            if not likes(self.state, self.liking[taken[0].name]):
                continue
            broken = self.stepping.breaks(self.at, after)
            if broken or after != self.at:
                return taken, after, broken
            # The last one takes its place.
            accepted[at] = accepted[-1]
            accepted.pop()
        return None

    def _begin(self) -> None:
        self.shown.update(self.seen)
        self.seen = set()
        self.number += 1
        self.path = []
        self.state = begun(self.question.seed, self.number)
        names = [a.name for a in self.question.protocol.actions]
        self.liking = dict(zip(names, likings(self.number, self.state, len(names)), strict=True))
        self.at = self._start
        self._look()

    def _look(self) -> None:
        self.distinct.add(self._words())
        for number, (_, check) in enumerate(self.stepping.witnesses):
            if number not in self.seen and self.stepping.shows(check, self.at):
                self.seen.add(number)

    def _words(self) -> Iterable[int]:
        plain = self.stepping.generated.plain(self.at)
        return plain if self.packing is None else self.packing.pack(plain)

    def _accepted(self) -> list[tuple[Taken, World]]:
        accepted = []
        for taken in self.stepping.generated.instances:
            try:
                after = self.stepping.after(self.at, taken)
            except OutOfScope as cut:
                self.cut[cut.symbol, cut.sort] += 1
                continue
            if after is not None:
                accepted.append((taken, after))
        return accepted

    def tally(self) -> Tally:
        """What was counted so far."""
        shown = self.shown + Counter(self.seen)
        return Tally(
            self.steps,
            self.number,
            self.deepest,
            dict(sorted(self.ended.items())),
            {a.name: self.taken[a.name] for a in self.question.protocol.actions},
            tuple(shown[k] for k in range(len(self.question.witnesses))),
            dict(self.cut),
            frozenset(self.stepping.unread),
            self.distinct.estimate,
            self.violated,
            self.stuck,
            tuple(self.path),
        )
