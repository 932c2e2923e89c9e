"""Which clause of which action the moves of all runs have met."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from attrs import define

from shardproof_models.language.actions import Action

from ...adapter import CAPABILITIES, Refused
from ...coverage import ENVIRONMENT, GuardCoverage
from ...deeds import DEEDS, Decides
from ...judge import Wrong
from ...lockstep import Lockstep
from ...moves import Act, Move

#: What happens to a shard without being asked for by name. It writes outcomes down with the execution.
UNASKED = {
    "write_acknowledgement": "no relayer asks for it",
    "crash": "power fails while something else is asked for",
}


@define(eq=False)
class Guards:
    """What moves attempted, and what the guards of the model said of it."""

    lock: Lockstep
    coverage: GuardCoverage
    #: What each kind of move attempts, and each deed.
    actions: Mapping[type[Move], Action]
    deeds: Mapping[str, Action]

    @classmethod
    def of(cls, lock: Lockstep) -> Guards:
        """Nothing counted yet, and known what a system of these verbs is never asked for."""
        actions, able = lock.oracle.protocol.actions, lock.able
        # Of several verbs that attempt one action, the first is the plain one.
        offered = {deed.action: deed.verb for deed in reversed([*DEEDS.values()]) if deed.action}
        verbs = {a.name: offered.get(a.name, a.name) for a in actions}
        missing = {name: verb for name, verb in verbs.items() if verb in CAPABILITIES and verb not in able}
        impossible = {name: f"the adapter has no {verb}" for name, verb in missing.items()}
        impossible |= {a.name: UNASKED[a.name] for a in actions if a.name in UNASKED}
        arranged = {deed.action for deed in DEEDS.values() if deed.decides is Decides.ENVIRONMENT}
        by_name = {a.name: a for a in actions}
        kinds = {kind: action_name(kind) for kind in get_args(Move)}
        return cls(
            lock,
            GuardCoverage(actions, ENVIRONMENT | arranged, impossible),
            {kind: by_name[name] for kind, name in kinds.items() if name in by_name},
            {deed.verb: by_name[deed.action] for deed in DEEDS.values() if deed.action in by_name},
        )

    def count(self, move: Move, wrong: Wrong | None) -> None:
        """What came of the last move."""
        lock = self.lock
        action = self.deeds.get(move.deed) if isinstance(move, Act) else self.actions.get(type(move))
        if action is None:
            return
        taken = bool(lock.happened) or not isinstance(lock.claim, Refused)
        # Where they part ways, the clause may be that of a delivery which nobody asked for.
        astray = wrong is not None or bool(lock.suspects)
        answer = self.coverage.number(action, wrong.clause if wrong else "") if astray else lock.clause
        self.coverage.rows[action.name][answer << 1 | taken] += 1


def action_name(kind: type[Move]) -> str:
    """The action of the protocol that a kind of move attempts: `TimeOut` attempts `time_out`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
