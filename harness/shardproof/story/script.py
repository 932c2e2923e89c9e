"""
What becomes of each step of a trace: as it was recorded, and where that went wrong, as the model says.

A trace says of each step what the system said and what changed. That is read back here, into what
a `Player` answers and shows. Nothing is executed that the record names and the run does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from attrs import define

from shardproof_models.layers.outcomes import succeeded_in

from ..adapter import Ended, Ending, Execution, Response
from ..deeds import DEEDS, Decides
from ..lockstep import Lockstep
from ..moves import Act, Deliver, Learn, Move, receipt_name
from ..record import Block, Sent
from ..trace import Step
from .hindsight import HARMLESS
from .player import Player, Script

_RECEIPT = r"(?P<receipt>(?:answer:){0,9}r\d{1,9})"
_EXECUTED = re.compile(rf"(?P<shard>.+) executed {_RECEIPT}(?: \d+ times)?", re.DOTALL)
_TOLD = re.compile(rf"(?P<shard>.+) was told that {_RECEIPT} (?P<ending>succeeded|failed|expired)", re.DOTALL)
_ENDED = re.compile(
    rf"(?P<shard>.+): (?P<action>acknowledge|time_out|time_out_on_close) of {_RECEIPT}", re.DOTALL
)
_ANSWERED = re.compile(rf"(?P<shard>.+) answered {_RECEIPT}", re.DOTALL)


@define(eq=False)
class Prompter:
    """Gives a player the script of each step."""

    lock: Lockstep
    player: Player

    def prompt(self, move: Move, step: Step, *, recorded: bool) -> None:
        """The script of a step; where it is not `recorded`, it is what the model says."""
        adversary = isinstance(move, Act) and DEEDS[move.deed].decides is Decides.ADVERSARY

        def accepts() -> bool:
            declined = step.actual.startswith("refused")
            if recorded:
                return not declined
            if not self._is_decided(move):
                return True
            if self.lock.clause:
                return False
            # Where the model leaves it open, the record says what it goes on with, or else caution.
            return not (declined and step.expected == "either") if step.actual else _is_honest(move)

        def happens(accepted: bool) -> None:
            if recorded:
                self._as_recorded(step.changed)
            elif accepted:
                self._as_the_model_says(move)

        self.player.script = Script(accepts, happens, deaf=adversary)

    def force(self, move: Move) -> None:
        """A script by which a move is accepted, whatever the model says, and has its effect."""
        self.player.script = Script(lambda: True, lambda _: self._as_the_model_says(move))

    @staticmethod
    def _is_decided(move: Move) -> bool:
        """Whether the model has a say in what a system answers."""
        if isinstance(move, Act):
            return DEEDS[move.deed].decides in (Decides.SYSTEM, Decides.ADVERSARY)
        return isinstance(move, Deliver | Learn)

    # ---- as it was recorded -----------------------------------------------------------------------

    def _as_recorded(self, changed: Sequence[str]) -> None:
        for said in changed:
            if match := _EXECUTED.fullmatch(said):
                for shard, sent in self._named(match):
                    self.player.news[shard].executed.append(Execution(sent.payload))
            elif match := _TOLD.fullmatch(said):
                for shard, sent in self._named(match):
                    self.player.news[shard].ended.append(Ended(sent.payload, Ending(match["ending"])))
            elif match := _ENDED.fullmatch(said):
                for shard, sent in self._named(match):
                    self._end(shard, sent, match["action"], None)
            elif match := _ANSWERED.fullmatch(said):
                for shard, sent in self._named(match):
                    self._respond(shard, sent)

    def _named(self, match: re.Match[str]) -> Iterator[tuple[str, Sent]]:
        """The shard and the receipt that are named, if they are there."""
        sent = next(
            (s for s in self.lock.receipts.values() if receipt_name(s.number) == match["receipt"]), None
        )
        if sent is not None and match["shard"] in self.player.news:
            yield match["shard"], sent

    # ---- as the model says ------------------------------------------------------------------------

    def _as_the_model_says(self, move: Move) -> None:
        lock, names = self.lock, self.lock.topology.shards
        sent = (
            lock.receipts.get(move.receipt)
            if isinstance(move, Deliver | Act) and isinstance(move.receipt, int)
            else None
        )
        if sent is None:
            return
        if isinstance(move, Deliver):
            self._execute(move, sent)
        elif isinstance(move, Act) and DEEDS[move.deed].action != "skip":
            block = lock.headers.get(move.header) if move.header is not None else None
            self._end(names[move.shard], sent, DEEDS[move.deed].action, block)

    def _execute(self, move: Deliver, sent: Sent) -> None:
        lock, name = self.lock, self.lock.topology.shards[move.shard]
        bounces = lock.bounces and sent.answers is None
        if move.fails:
            if bounces and sent.answer is None:
                self._respond(name, sent)
            return
        news = self.player.news[name]
        news.executed.append(Execution(sent.payload))
        if sent.terms.onward is not None and "responses" in lock.watching:
            self._respond(name, sent)
        if move.inner is not None:
            other, block = lock.receipts[move.inner.receipt], lock.headers[move.inner.header]
            if not lock.oracle.generated.refusal["deliver"](
                lock.world, move.shard, other.slot, block.slot, *lock.oracle.returned
            ):
                news.executed.append(Execution(other.payload))

    def _end(self, shard: str, sent: Sent, action: str, block: Block | None) -> None:
        lock = self.lock
        ending = Ending.EXPIRED
        if action == "acknowledge":
            slot = block.slot if block is not None else lock.offered
            proved = lock.oracle.read(lock.world, succeeded_in, slot, sent.slot)
            ending = Ending.SUCCEEDED if proved else Ending.FAILED
        self.player.news[shard].ended.append(Ended(sent.payload, ending))

    def _respond(self, shard: str, sent: Sent) -> None:
        names = self.lock.topology.shards
        onward = sent.terms.onward
        next_hop = sent.source if onward is None or sent.failed else onward
        payload = f"answer:{receipt_name(sent.number)}".encode()
        response = Response(b"bytes of " + payload, names[next_hop], payload, sent.payload, sent.terms.amount)
        self.player.news[shard].responses.append(response)


def _is_honest(move: Move) -> bool:
    """Whether what is shown is what proves it, as it is."""
    if not isinstance(move, Deliver | Act) or move.receipt is None:
        return True
    return move.evidence == (move.receipt, move.header) and move.damage in (None, HARMLESS)
