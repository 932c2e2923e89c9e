"""
Everything that is tried where a run stands: the alphabet that a certificate speaks of.

Who may do what is the vocabulary of the fuzzer's schedule and of the tours' adversary: users send,
blocks are sealed, made final and dropped, headers are shown to every shard, each receipt is presented
at every shard under every header with the evidence of any receipt in any header, clocks, operators
and power do what they can, and an adversary does to a presentation what `tours/variants.py` lists.
A scope bounds the names (shards, receipts that are sent, blocks), not the moves: these are all that
the run allows where it stands. What changes bytes is tried on presentations to whom they are meant
for, under headers that commit to them, at the places that a tour begins with, and at those where the
finding itself changes some.

New receipts and blocks take the next number: traces number them in order of appearance, and a number
is no more than a name. Shards are not renamed, because a system may treat its shards differently.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from ..deeds import DEEDS, Decides
from ..lockstep import Lockstep
from ..moves import (
    ANSWER,
    NULL,
    PLAIN,
    Act,
    Deliver,
    Emit,
    Finalise,
    Forged,
    Learn,
    Move,
    Produce,
    Proof,
    Restart,
    Revert,
    Terms,
    presented_receipts,
)
from ..oracle import CHANNELS
from ..tours.variants import CRASHES, PARTS, SIGNERS, Adversary

#: Kinds of variants that change bytes, and are not tried everywhere.
_BYTES = (*PARTS, "path")

#: A crash is a move of its own here, so what it is followed by is up to the sequence.
_ELSEWHERE = "loss of power"


@frozen
class Scope:
    """How many names there are, and what the finding has that a vocabulary cannot know."""

    #: The shards that take part, by number.
    shards: tuple[int, ...]
    #: How many receipts are sent, and how many blocks sealed, at most.
    receipts: int
    blocks: int
    #: Forged receipts, each with a number of its own.
    forged: tuple[Forged, ...]
    #: The moves of the finding that present or send something, as they stand in it.
    of_the_finding: tuple[Move, ...]

    @classmethod
    def of(cls, moves: Sequence[Move], shards_max: int) -> Scope:
        """The scope of a finding whose receipts, headers and forgeries are numbered from 0."""
        named = {s for move in moves for s in shards_of(move)}
        more = (s for s in range(shards_max) if s not in named)
        shards = tuple(sorted([*named, *itertools.islice(more, max(0, 2 - len(named)))]))
        forged = {r: None for move in moves for r in presented_receipts(move) if isinstance(r, Forged)}
        taken = {(r.source, r.destination) for r in forged}
        number = itertools.count(1 + max((r.number for r in forged), default=-1))
        for s, d in itertools.permutations(shards, 2):
            if (s, d) not in taken:
                forged[Forged(next(number), s, d)] = None
        return cls(
            shards,
            max(1, sum(isinstance(m, Emit) for m in moves)),
            max(1, sum(isinstance(m, Produce) for m in moves)),
            tuple(forged),
            tuple(m for m in moves if isinstance(m, Emit | Learn | Deliver | Act)),
        )

    def __str__(self) -> str:
        names = ((len(self.shards), "shard"), (self.receipts, "receipt"), (self.blocks, "block"))
        shards, *rest = (f"{n} {what}{'' if n == 1 else 's'}" for n, what in names)
        return f"{shards}, up to {' and '.join(rest)}"


def shards_of(move: Move) -> tuple[int, ...]:
    """The shards that a move names."""
    receipts = [r for r in presented_receipts(move) if isinstance(r, Forged)]
    ends = tuple(s for r in receipts for s in (r.source, r.destination))
    match move:
        case Emit(_, source, destination, terms):
            return (source, destination, *(s for s in (terms.onward if terms else None,) if s is not None))
        case Produce() | Restart() | Learn() | Deliver():
            return (move.shard, *ends)
        case Act():
            return (move.shard, *(s for s in (move.other, move.another) if s is not None), *ends)
        case Finalise() | Revert():
            return ()


def kind_of(move: Move) -> str:
    """What a move is called in an alphabet: its action, and what is out of the ordinary about it."""
    match move:
        case Emit(_, _, _, terms):
            given = terms or PLAIN
            return " ".join(("emit", *(n for n in Terms._fields if getattr(given, n) not in (None, 0))))
        case Produce() | Finalise() | Revert() | Restart():
            return type(move).__name__.lower()
        case Learn(_, h, damage):
            return f"learn {damage.part}:{damage.kind}" if damage else "learn null" if h == NULL else "learn"
        case Deliver():
            flags = (("again", move.again), ("failing", move.fails), ("another inside", move.inner))
            return " ".join(("deliver", *(word for word, there in flags if there), *_odd(move)))
        case Act():
            return " ".join((move.deed, *(_odd(move) if move.receipt is not None else ())))


def _odd(move: Deliver | Act) -> Iterator[str]:
    if isinstance(move.receipt, Forged):
        yield "forged"
    if move.header == NULL:
        yield "under no header"
    if move.evidence is None:
        yield "without evidence"
    elif move.evidence != (move.receipt, move.header):
        yield "with evidence of another"
    if move.damage is not None:
        yield f"{move.damage.part}:{move.damage.kind}"


def tries(lock: Lockstep, scope: Scope) -> Iterator[Move]:
    """Every move of the alphabet that is possible where the run stands, each once."""
    seen: set[tuple[str, Move]] = set()
    for move in _all(lock, scope):
        # Moves of different kinds with the same fields are equal, as tuples are.
        if (key := (type(move).__name__, move)) not in seen and lock.possible(move):
            seen.add(key)
            yield move


def _all(lock: Lockstep, scope: Scope) -> Iterator[Move]:
    yield from scope.of_the_finding
    yield from _emissions(lock, scope)
    if len(lock.headers) < scope.blocks:
        yield from (Produce(1 + max(lock.headers, default=-1), s) for s in scope.shards)
    for h in lock.headers:
        yield Finalise(h)
        yield Revert(h)
    for s in scope.shards:
        yield Restart(s)
        yield from _stirs(lock, scope, s)
    for s, h in itertools.product(scope.shards, (*lock.headers, NULL)):
        yield from _varied(lock, Learn(s, h), in_bytes=h != NULL)
    for s, r in itertools.product(scope.shards, lock.receipts):
        yield from _presentations(lock, s, r)
    yield from _forgeries(lock, scope)


# ---- what users and the environment do ---------------------------------------------------------------


def _emissions(lock: Lockstep, scope: Scope) -> Iterator[Move]:
    numbers = [r for r in lock.receipts if r < ANSWER]
    if len(numbers) >= scope.receipts:
        return
    number = 1 + max(numbers, default=-1)
    sent = [m.terms for m in scope.of_the_finding if isinstance(m, Emit)]
    for s, d in itertools.permutations(scope.shards, 2):
        for terms in dict.fromkeys((*sent, *_terms(lock, scope, (s, d)))):
            yield Emit(number, s, d, terms)


def _terms(lock: Lockstep, scope: Scope, ends: tuple[int, int]) -> Iterator[Terms | None]:
    """The plain terms, and each with one thing about them that is not plain."""
    if "send" not in lock.able:
        yield None
        return
    pays = "balance" in lock.able
    plain = Terms(amount=int(pays))
    yield plain
    yield from (plain._replace(channel=n) for n in range(1, CHANNELS))
    if "advance_clock" in lock.able and "deadlines" in lock.oracle.layers:
        yield plain._replace(deadline=1)
    if "forwarding" in lock.oracle.layers:
        yield from (plain._replace(onward=s) for s in scope.shards if s not in ends)
    if pays:
        yield plain._replace(amount=2)
        yield plain._replace(claimed=2)
        yield plain._replace(asset=1)
        yield plain._replace(entrance=1)
    if "takeover" in lock.able:
        yield plain._replace(takeover=True)


def _stirs(lock: Lockstep, scope: Scope, s: int) -> Iterator[Move]:
    """What clocks, operators, validators and power do at a shard, and what an adversary asks it for."""
    for name, deed in DEEDS.items():
        if name not in lock.able or deed.decides is Decides.SYSTEM:
            continue
        match deed.arguments:
            case ():
                yield Act(name, s)
            case ("header",):
                yield from (Act(name, s, header=h) for h in lock.headers)
            case ("number",):
                yield from (Act(name, s, number=n) for n in range(CRASHES))
            case ("other",):
                yield from (Act(name, s, other=other) for other in scope.shards if other != s)
            case ("other", "number"):
                for other, n in itertools.product(scope.shards, range(CHANNELS)):
                    if other != s:
                        yield Act(name, s, other=other, number=n)
            case ("other", "another"):
                for other, another in itertools.permutations(scope.shards, 2):
                    if s not in (other, another):
                        yield Act(name, s, other=other, another=another)
            case ("receipt", "number"):
                for r, how in itertools.product(scope.forged, range(SIGNERS)):
                    yield Act(name, s, r, number=how)


# ---- what relayers present ---------------------------------------------------------------------------


def _presentations(lock: Lockstep, s: int, r: int) -> Iterator[Move]:
    """A receipt shown to a shard, in every way."""
    proofs = (None, *(Proof(*each) for each in itertools.product(lock.receipts, lock.headers)))
    sent = lock.receipts[r]
    deeds = [name for name, d in DEEDS.items() if name in lock.able and d.decides is Decides.SYSTEM]
    for h in (*lock.headers, NULL):
        proof = Proof(r, h) if h != NULL else None
        for evidence in proofs:
            yield Deliver(s, r, h, evidence)
            yield from (Act(deed, s, r, h, evidence) for deed in deeds)
        if proof is None:
            continue
        honest = Deliver(s, r, h, proof)
        yield honest._replace(fails=True)
        meant = s == lock.owner(sent.destination) and lock.commits(lock.headers[h], sent)
        yield from _varied(lock, honest, in_bytes=meant)
        for deed in deeds:
            told = Act(deed, s, r, h, proof)
            # An expiry is skipped where it was sent to, and the rest is told where it came from.
            at = sent.destination if deed == "skip" else sent.source
            yield from _varied(lock, told, in_bytes=s == lock.owner(at))


def _forgeries(lock: Lockstep, scope: Scope) -> Iterator[Move]:
    """What nobody emitted, shown to whom it is meant for, with the evidence of anything or of nothing."""
    proofs = (None, *(Proof(*each) for each in itertools.product(lock.receipts, lock.headers)))
    deeds = [name for name, d in DEEDS.items() if name in lock.able and d.decides is Decides.SYSTEM]
    for r, h, evidence in itertools.product(scope.forged, (*lock.headers, NULL), proofs):
        yield Deliver(r.destination, r, h, evidence)
        for deed in deeds:
            yield Act(deed, r.destination if deed == "skip" else r.source, r, h, evidence)


def _varied(lock: Lockstep, move: Learn | Deliver | Act, *, in_bytes: bool) -> Iterator[Move]:
    """A move, and what an adversary makes of it."""
    yield move
    others = tuple(lock.receipts)
    adversary = Adversary(lock.able)
    for kind in adversary.kinds(move, others):
        damages = kind.partition(" ")[0] in _BYTES and kind != "receipt spliced"
        if kind == _ELSEWHERE or kind.startswith("forged") or (damages and not in_bytes):
            continue
        for each in adversary.made(kind, move, lock, others):
            yield from each


def kinds_of(moves: Iterable[Move]) -> tuple[str, ...]:
    """The alphabet that some moves are of, in alphabetical order."""
    return tuple(sorted({kind_of(move) for move in moves}))
