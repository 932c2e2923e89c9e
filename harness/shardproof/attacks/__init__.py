"""
What an adversary tries: each kind of attack, by the name that reports count it under.

An attack looks at what a run has shown so far, takes something that would be honest, and
changes one thing about it: where it goes, what proves it, when it comes, what it says it is. It
is a move like any other, and may find nothing to change yet; when each has its turn is said
in `schedule.py`. One file for each thing that is attacked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..moves import Move
from ..traffic import Dice, Traffic
from . import callbacks, clients, evidence, multiproofs, outcomes, state, value

Attack = Callable[[Traffic, Dice], Move | None]

_THEMES = (evidence, multiproofs, outcomes, callbacks, value, clients, state)

#: Every kind of attack, by the name that reports count it under.
ATTACKS: Mapping[str, Attack] = {kind: attack for theme in _THEMES for kind, attack in theme.ATTACKS.items()}

#: Kinds that need a capability; without it they do not apply.
NEEDS: Mapping[str, tuple[str, ...]] = {
    kind: needs for theme in _THEMES for kind, needs in theme.NEEDS.items()
}

#: What the schedule itself does to messages: counted, not chosen.
WEATHER = ("reordering", "slow-shard", "stopped-shard", "delay", "loss")
