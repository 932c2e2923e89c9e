"""
Random walks from the initial world: a cheap way to see most of what can happen.

Most of what a protocol does can be done once, so a walk does hardly anything twice, and gets far
without coming back. What comes after much else needs luck: each walk has its own preferences
among actions, strong ones, so that in some of them the environment keeps out of the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import TypeVar

#: How reluctant a walk is to do what it likes least: e to one of these powers, where 1 is indifference.
#: What can be done from the start is put off until much else is done only if it is liked very little.
PREFERENCES = (5.0, 25.0)

#: Of so many walks, one does some things twice.
AGAIN = 3

T = TypeVar("T")


def walk(
    attempts: Mapping[str, Sequence[T]], accepts: Callable[[T], bool], steps_max: int, dice: Random
) -> Iterator[T]:
    """
    The steps of one walk, for as long as something can be done that was not done before.

    `attempts` are, for each action, all that can be attempted of it; `accepts` attempts one in the
    world that the walk has come to, and goes on to the next world if it is accepted.
    """
    preference = dice.choice(PREFERENCES)
    reluctance = {name: math.exp(preference * dice.random()) for name in attempts}
    again = 1 if dice.randrange(AGAIN) else 2
    # In an order of its own: neighbours are alike, and else the first of them would always come first.
    shuffled = {name: dice.sample(tried, len(tried)) for name, tried in attempts.items()}
    left = {name: [again] * len(tried) for name, tried in attempts.items()}
    for _ in range(steps_max):
        ordered = sorted(attempts, key=lambda a: dice.random() ** reluctance[a], reverse=True)
        accepted = (t for a in ordered for t in _accepted(shuffled[a], left[a], accepts, dice))
        taken = next(accepted, None)
        if taken is None:
            return
        yield taken


def _accepted(
    attempts: Sequence[T], left: list[int], accepts: Callable[[T], bool], dice: Random
) -> Iterator[T]:
    start = dice.randrange(len(attempts)) if attempts else 0
    for i in (*range(start, len(attempts)), *range(start)):
        if left[i] and accepts(attempts[i]):
            left[i] -= 1
            yield attempts[i]
