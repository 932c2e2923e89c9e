"""
Shorter traces with the same finding: delta debugging on moves.

A move is taken away, and what depended on it becomes void and goes too; what remains must
violate the same property. First in large pieces, then move by move, then in pairs, until no
pair can go. Then each move is made simpler: less damage, honest evidence, the first shards.
Moves are symbolic, so a candidate is a run of a few dozen steps and costs microseconds.

Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Protocol

from attrs import define, field

from .adversary import SPLICE, Damage
from .moves import Act, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Restart, Revert, Terms
from .runs import Found, same
from .series import Points, thinned

#: Ways to show the same header or evidence in other bytes.
OTHER_ENCODINGS = (
    Damage("evidence", "extend"),
    Damage("header", "extend"),
    *(Damage("header", "flip", n) for n in range(7, 2_000, 61)),
)


class Runs(Protocol):
    """Where moves can be run from the start."""

    def first(self, moves: Sequence[Move]) -> Found | None:
        """What goes wrong first, if something does."""


@define(eq=False)
class Shrinker:
    """
    Shrinks one finding on one bench; `runs` counts the candidates that were run.

    `course` has for each candidate that was shorter how many had been run, and the moves that were left.
    """

    bench: Runs
    #: A bound on the candidates, so that a slow system cannot hold up a verdict.
    runs_max: int = 3_000
    #: And on their moves together: of a run of thousands fewer are tried.
    moves_max: int = 400_000
    runs: int = field(init=False, default=0)
    _moves: int = field(init=False, default=0)
    #: Whether somebody stopped it.
    stopped: bool = field(init=False, default=False)
    _shortest: Found | None = field(init=False, default=None)
    _course: list[tuple[int, int]] = field(init=False, factory=list)

    @property
    def course(self) -> Points:
        """From all moves to those that no search of ours makes fewer, and the candidates that it took."""
        return thinned(self._course)

    def shrink_until_stopped(self, found: Found) -> Found:
        """The same; where somebody presses Ctrl-C, what it has come to by then, and `stopped` is set."""
        self._shortest = found
        try:
            return self.shrink(found)
        except KeyboardInterrupt:
            self.stopped = True
            return self._shortest

    def shrink(self, found: Found) -> Found:
        """The shortest and simplest run with the same finding that this search reaches."""
        self._course = [(self.runs, len(found.moves))]
        best = self._chunks(found)
        while not self._over():
            smaller = (
                self._one_less(best)
                or self._pair_less(best)
                or self._forged_instead(best)
                or self._one_header_instead(best)
                or self._flip_instead(best)
                or self._simpler(best)
            )
            if smaller is None:
                break
            best = smaller
        if self._course[-1][0] < self.runs:
            self._course.append((self.runs, len(best.moves)))
        return self._renamed(best)

    def _renamed(self, best: Found) -> Found:
        """With shards named in order of appearance, if the finding does not depend on which they are."""
        found = self.bench.first(_from_the_first_shard(best.moves))
        if found is not None and same(found, best.wrong) and len(found.moves) == len(best.moves):
            return found
        return best

    def _try(self, best: Found, moves: Sequence[Move]) -> Found | None:
        if self._over():
            return None
        self.runs += 1
        self._moves += len(moves)
        found = self.bench.first(moves)
        if found is not None and same(found, best.wrong) and _cost(found.moves) < _cost(best.moves):
            if len(found.moves) < self._course[-1][1]:
                self._course.append((self.runs, len(found.moves)))
            self._shortest = found
            return found
        return None

    def _over(self) -> bool:
        return self.runs >= self.runs_max or self._moves >= self.moves_max

    def _chunks(self, best: Found) -> Found:
        size = len(best.moves) // 2
        while size > 1:
            start = 0
            while start < len(best.moves) - 1:
                # The last move shows the finding; it stays.
                end = min(start + size, len(best.moves) - 1)
                candidate = self._try(best, (*best.moves[:start], *best.moves[end:]))
                if candidate:
                    best = candidate
                else:
                    start += size
            size //= 2
        return best

    def _one_less(self, best: Found) -> Found | None:
        progress = None
        at = len(best.moves) - 2
        while at >= 0:
            candidate = self._try(best, (*best.moves[:at], *best.moves[at + 1 :]))
            if candidate:
                best = progress = candidate
                at = min(at, len(best.moves) - 1)
            at -= 1
        return progress

    def _pair_less(self, best: Found) -> Found | None:
        if len(best.moves) > 40:
            return None
        for i, j in itertools.combinations(range(len(best.moves)), 2):
            candidate = self._try(best, [m for k, m in enumerate(best.moves) if k not in (i, j)])
            if candidate:
                return candidate
        return None

    def _forged_instead(self, best: Found) -> Found | None:
        """Where the emission does not matter, a receipt that nobody emitted does as well."""
        emitted = {m.receipt: m for m in best.moves if isinstance(m, Emit)}
        for at, move in enumerate(best.moves):
            if isinstance(move, Deliver) and isinstance(move.receipt, int) and move.receipt in emitted:
                sent = emitted[move.receipt]
                forged = move._replace(
                    receipt=Forged(move.receipt, sent.source, sent.destination), evidence=None
                )
                moves = [forged if i == at else m for i, m in enumerate(best.moves) if m is not sent]
                if candidate := self._try(best, moves):
                    return candidate
        return None

    def _one_header_instead(self, best: Found) -> Found | None:
        """Instead of a later header, a second delivery may do with the same one in another encoding."""
        for at, later in enumerate(best.moves):
            if not (isinstance(later, Deliver) and later.damage is None and later.evidence is not None):
                continue
            rest = [m for m in best.moves[:at] if getattr(m, "header", None) != later.header]
            for first in best.moves[:at]:
                if not isinstance(first, Deliver) or first.receipt != later.receipt:
                    continue
                if first.header == later.header:
                    continue
                for damage in OTHER_ENCODINGS:
                    second = first._replace(damage=damage)
                    if candidate := self._try(best, (*rest, second, *best.moves[at + 1 :])):
                        return candidate
        return None

    def _flip_instead(self, best: Found) -> Found | None:
        """Where a field was taken from another receipt, one bit of it may do, and that receipt can go."""
        for at, move in enumerate(best.moves):
            if not isinstance(move, Deliver) or move.damage is None:
                continue
            part, kind, other = move.damage
            if (part, kind) != ("receipt", SPLICE):
                continue
            # Near the beginning, where the fields are.
            for bit in range(128):
                flipped = move._replace(damage=Damage("receipt", "flip", bit))
                moves = [flipped if i == at else m for i, m in enumerate(best.moves)]
                rest = [m for m in moves if not (isinstance(m, Emit) and m.receipt == other)]
                if candidate := self._try(best, rest):
                    return candidate
        return None

    def _simpler(self, best: Found) -> Found | None:
        for at, move in enumerate(best.moves):
            if isinstance(move, Deliver) and move.again:
                plain = move._replace(again=False)
                if candidate := self._try(best, (*best.moves[:at], plain, plain, *best.moves[at + 1 :])):
                    return candidate
            if isinstance(move, Act) and move.deed == "time_out_again":
                once = move._replace(deed="time_out")
                if candidate := self._try(best, (*best.moves[:at], once, once, *best.moves[at + 1 :])):
                    return candidate
            for other in simpler(move, best.moves):
                candidate = self._try(best, (*best.moves[:at], other, *best.moves[at + 1 :]))
                if candidate:
                    return candidate
        return None


def simpler(move: Move, moves: Sequence[Move]) -> Iterator[Move]:
    """The same move with less in it."""
    match move:
        case Deliver(_, _, header, evidence, damage, again, fails, inner):
            if again:
                yield move._replace(again=False)
            if fails:
                yield move._replace(fails=False)
            if inner is not None:
                yield move._replace(inner=None)
            if damage is not None:
                yield move._replace(damage=None)
                yield from (move._replace(damage=d) for d in _less(damage))
            if evidence is not None:
                yield move._replace(evidence=None)
                yield from _honest(move)
            if header >= 0:
                yield move._replace(header=-1)
            for h in (m.header for m in moves if isinstance(m, Produce) and m.header != header):
                if evidence is not None and header == evidence.header:
                    yield move._replace(header=h, evidence=evidence._replace(header=h))
                elif header >= 0:
                    yield move._replace(header=h)
        case Learn(_, _, damage) if damage is not None:
            yield move._replace(damage=None)
            yield from (move._replace(damage=d) for d in _less(damage))
        case Emit(_, _, _, terms) if terms is not None:
            yield from (move._replace(terms=fewer) for fewer in _plainer(terms))
        case Act():
            yield from _simpler_act(move, moves)
        case _:
            return


def _honest(move: Deliver | Act) -> Iterator[Move]:
    """With the evidence of the receipt itself, under the same header."""
    evidence, receipt = move.evidence, move.receipt
    if evidence is not None and isinstance(receipt, int) and evidence.receipt != receipt:
        yield move._replace(evidence=evidence._replace(receipt=receipt))


def _plainer(terms: Terms) -> Iterator[Terms]:
    """The same with less in it, in the order of what is least needed."""
    plain = (
        terms._replace(onward=None),
        terms._replace(claimed=None),
        terms._replace(asset=0),
        terms._replace(entrance=0),
        terms._replace(channel=0),
        terms._replace(deadline=None),
    )
    yield from (fewer for fewer in plain if fewer != terms)
    if terms.deadline is not None:
        yield from (terms._replace(deadline=n) for n in (0, 1, terms.deadline - 1) if 0 <= n < terms.deadline)
    yield from (terms._replace(amount=n) for n in (1, terms.amount - 1) if 0 < n < terms.amount)


def _simpler_act(move: Act, moves: Sequence[Move]) -> Iterator[Move]:
    if move.deed == "time_out_again":
        yield move._replace(deed="time_out")
    if move.damage is not None:
        yield move._replace(damage=None)
        yield from (move._replace(damage=d) for d in _less(move.damage))
    if move.number:
        yield from (move._replace(number=n) for n in range(move.number))
    yield from _honest(move)
    if move.header is None or move.header < 0:
        return
    for h in (m.header for m in moves if isinstance(m, Produce) and m.header != move.header):
        if move.evidence is not None and move.evidence.header == move.header:
            yield move._replace(header=h, evidence=move.evidence._replace(header=h))
        else:
            yield move._replace(header=h)


def _less(damage: Damage) -> Iterator[Damage]:
    if damage.kind == SPLICE:
        return
    for number in (0, damage.number % 8, damage.number // 2, damage.number - 1):
        if 0 <= number < damage.number:
            yield damage._replace(number=number)


def _cost(moves: Sequence[Move]) -> tuple[int, int, int]:
    """Fewer moves first, then less trickery, then smaller numbers."""
    tricks = numbers = 0
    for move in moves:
        if isinstance(move, Deliver):
            tricks += 8 * move.again + 4 * (move.damage is not None)
            tricks += 8 * (move.inner is not None) + 2 * move.fails
            tricks += any(_honest(move))
            tricks += (move.evidence is not None) + (move.header >= 0)
            numbers += move.damage.number if move.damage else 0
            numbers += max(move.header, 0) + move.shard
        elif isinstance(move, Learn):
            tricks += 4 * (move.damage is not None)
            numbers += move.damage.number if move.damage else 0
        elif isinstance(move, Emit):
            numbers += move.source + move.destination
            if move.terms is not None:
                tricks += sum(x not in (None, 0) for x in move.terms)
                numbers += sum(x for x in move.terms if x)
        elif isinstance(move, Act):
            tricks += 4 * (move.damage is not None) + 8 * (move.deed == "time_out_again")
            tricks += any(_honest(move))
            numbers += move.damage.number if move.damage else 0
            numbers += max(move.header or 0, 0) + move.shard + (move.number or 0)
        elif isinstance(move, Produce | Restart):
            numbers += move.shard
    return length(moves), tricks, numbers


def length(moves: Sequence[Move]) -> int:
    """How long a run is: an attempt from inside a callback is two in one step, and harder to read."""
    return sum(map(weight, moves))


def weight(move: Move) -> int:
    """What a move adds to the length of a run."""
    if isinstance(move, Deliver):
        return 1 + move.again
    return 1 + (isinstance(move, Act) and move.deed == "time_out_again")


def _from_the_first_shard(moves: Sequence[Move]) -> list[Move]:
    """The same moves with the shards renamed in order of appearance."""
    order: dict[int, int] = {}

    def shard(s: int) -> int:
        return order.setdefault(s, len(order))

    def renamed(move: Move) -> Move:
        match move:
            case Emit(_, source, destination, terms):
                move = move._replace(source=shard(source), destination=shard(destination))
                if terms is None or terms.onward is None:
                    return move
                return move._replace(terms=terms._replace(onward=shard(terms.onward)))
            case Produce() | Restart() | Learn():
                return move._replace(shard=shard(move.shard))
            case Deliver(s, r):
                if isinstance(r, Forged):
                    r = r._replace(source=shard(r.source), destination=shard(r.destination))
                return move._replace(shard=shard(s), receipt=r)
            case Act(_, s, r, _, _, _, other, another):
                if isinstance(r, Forged):
                    r = r._replace(source=shard(r.source), destination=shard(r.destination))
                return move._replace(
                    shard=shard(s),
                    receipt=r,
                    other=None if other is None else shard(other),
                    another=None if another is None else shard(another),
                )
            case Finalise() | Revert():
                return move

    return [renamed(move) for move in moves]
