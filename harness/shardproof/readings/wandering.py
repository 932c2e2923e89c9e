"""
What decides a random walk, and how many different worlds it has met: numbers, the same in C and in Python.

A walk is a function of the seed and its number, so each can be taken again alone. It chooses among
the attempts that are accepted and change the world. What comes after much else needs luck, so most
walks have preferences of their own among actions, strong ones, and in some of them the environment
keeps out of the way (as in swarm testing: Groce, Zhang, Eide, Chen and Regehr, ISSTA 2012).

The worlds are not kept: their number is estimated from
the longest runs of zeros among hashes of them (HyperLogLog: Flajolet, Fusy, Gandouet and Meunier, AofA
2007), which never takes more than a few kilobytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from attrs import define, field

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15

#: Bits of a hash that say which of the parts it belongs to.
PRECISION = 14
PARTS = 1 << PRECISION

#: One walk in so many has no preferences.
INDIFFERENT = 4

#: The standard error of an estimate, of one.
ERROR = 1.04 / math.sqrt(PARTS)

#: What corrects the mean of so many parts.
_BIAS = 0.7213 / (1 + 1.079 / PARTS)


def mixed(number: int) -> int:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _MASK
    return number ^ number >> 31


def begun(seed: int, number: int) -> int:
    """What decides the first step of walk `number`, from 1: never 0."""
    return mixed(seed + number * _GOLDEN & _MASK) or 1


def following(state: int) -> int:
    """What decides the step after (xorshift: Marsaglia, Journal of Statistical Software 2003)."""
    state ^= state << 13 & _MASK
    state ^= state >> 7
    return state ^ state << 17 & _MASK


def likings(number: int, state: int, actions: int) -> tuple[int, ...]:
    """How readily walk `number`, which `state` begins, takes each action, in 256ths."""
    return tuple(
        256 >> (2 * (mixed(state + k & _MASK) & 3) if number % INDIFFERENT else 0) for k in range(actions)
    )


def chosen(state: int, count: int) -> int:
    """Which of `count` attempts to look at."""
    return (state >> 32) * count >> 32


def likes(state: int, liking: int) -> bool:
    """Whether to take it, and not to choose again."""
    return state & 255 < liking


@define
class Distinct:
    """How many different worlds there were, roughly."""

    #: For each part, one more than the longest run of zeros.
    runs: bytearray = field(factory=lambda: bytearray(PARTS))

    def add(self, words: Iterable[int]) -> None:
        """A world, as words of 64 bits."""
        number = 0
        for word in words:
            number = mixed((number ^ word) + _GOLDEN & _MASK)
        rest = (number << PRECISION | 1 << PRECISION - 1) & _MASK
        part, run = number >> 64 - PRECISION, 65 - rest.bit_length()
        self.runs[part] = max(self.runs[part], run)

    @property
    def estimate(self) -> int:
        """How many. While there are few, they are counted nearly exactly."""
        raw = _BIAS * PARTS * PARTS / sum(2.0**-run for run in self.runs)
        empty = self.runs.count(0)
        if empty and raw <= 2.5 * PARTS:
            raw = PARTS * math.log(PARTS / empty)
        return round(raw)
