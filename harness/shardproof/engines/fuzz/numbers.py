"""Numbers that decide a run, and that have nothing to do with their neighbours."""

from __future__ import annotations

from functools import lru_cache


def mixed(number: int) -> int:
    """
    A number that has nothing to do with its neighbours (the finaliser of SplitMix64, Steele et al. 2014).

    Several moves are made of one drawn number and their place in the run.
    """
    number = (number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return number ^ number >> 31


@lru_cache(maxsize=1 << 10)
def hash_of(text: str) -> int:
    """A small number for a word, the same on every machine."""
    number = 0
    for c in text:
        number = (number * 31 + ord(c)) % 251
    return 1 + number
