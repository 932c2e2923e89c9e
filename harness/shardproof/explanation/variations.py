"""
Small changes of the last step of a finding, from the smallest: what else could have been shown.

The smallest takes something away: damage, or that it is done from inside a callback. Then one bit is
another, then something of another receipt or block is shown, then nothing, then what nobody emitted.
A change is one of bytes or of names; one that leaves the bytes as they were is none, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from ..adversary import Damage, Presented, damaged
from ..lockstep import Lockstep
from ..moves import (
    NULL,
    Act,
    Deliver,
    Emit,
    Finalise,
    Forged,
    Learn,
    Move,
    Produce,
    Proof,
    presented_receipts,
    verb_of,
)
from ..presented import presented
from .trials import presents

#: Places at which a bit is flipped, evenly over what is shown.
BITS = 8

#: An amount that nobody has.
WEALTH = 1_000_000_000

#: How a forged header is signed: see `acts.py`.
_SIGNED = ("signed by nobody", "signed by validators that were made up", "signed with keys that have leaked")

#: What the change of one bit of each part shows, if it is refused wherever it was tried.
_BOUND = {
    "evidence": "the proof is checked",
    "header": "a header has to be one that is known",
    "receipt": "the receipt has to be the one that is proved",
}

#: What people call the parts.
_CALLED = {"evidence": "proof", "header": "header", "receipt": "receipt"}

#: What the kinds of changes are called, by which it is asked what became of them.
UNDAMAGED, AFTERWARDS, EARLIER = "undamaged", "after the callback", "the header of before"
BIT = {part: f"a bit of the {called}" for part, called in _CALLED.items()}
PROOF_OF_ANOTHER, NO_PROOF, NO_HEADER = "the proof of another receipt", "no proof", "no header"
ANOTHER_HEADER, KNOWN_HEADER = "another header", "a header that is known"
ANOTHER_SHARD, UNEMITTED = "another shard", "a receipt that nobody emitted"
FIRST_ENTRANCE, FIRST_ASSET, TOO_MUCH = "the first entrance", "the first asset", "more than there is"
FORGED = tuple(f"forged {how}" for how in range(len(_SIGNED)))

#: All of them, from the smallest.
_SIZES = (
    UNDAMAGED,
    AFTERWARDS,
    EARLIER,
    *BIT.values(),
    PROOF_OF_ANOTHER,
    ANOTHER_HEADER,
    NO_PROOF,
    NO_HEADER,
    KNOWN_HEADER,
    ANOTHER_SHARD,
    UNEMITTED,
    FIRST_ENTRANCE,
    FIRST_ASSET,
    TOO_MUCH,
    *FORGED,
)


@frozen
class Variation:
    """One kind of change, as whole runs to be tried instead of the finding."""

    #: A name for it, by which what was observed is looked up.
    kind: str
    #: What is different, after "the same".
    words: str
    #: What it shows that it is refused.
    shows: str
    runs: tuple[tuple[Move, ...], ...]


def variations(lock: Lockstep, moves: Sequence[Move]) -> Iterator[Variation]:
    """Of the last of `moves`, before which the run of `lock` stands; each is a whole run, up to that step."""
    yield from sorted(_variations(lock, moves), key=lambda one: _SIZES.index(one.kind))


def _variations(lock: Lockstep, moves: Sequence[Move]) -> Iterator[Variation]:
    *before, last = moves
    match last:
        case Emit():
            changes = _of_emission(last)
        case Learn():
            changes = _of_header(lock, last)
        case Act() if last.deed == "forge_header":
            changes = _of_signatures(last)
        case Deliver() | Act() if presents(last):
            yield from _by_another_receipt(lock, before, last)
            yield from _under_a_known_header(lock, before, last)
            changes = _of_presentation(lock, before, last)
        case _:
            return
    for kind, words, shows, instead in changes:
        runs = tuple(
            (*before, *each) for each in instead if lock.possible(each[0]) and _new(lock, each, last)
        )
        if runs:
            yield Variation(kind, words, shows, runs)


_Change = tuple[str, str, str, list[tuple[Move, ...]]]


def _new(lock: Lockstep, instead: tuple[Move, ...], last: Move) -> bool:
    """Whether something else is shown than in the last step."""
    first = instead[0]
    if len(instead) > 1:
        return True
    if first == last:
        return False
    if isinstance(first, Learn) and isinstance(last, Learn):
        return first.shard != last.shard or _header(lock, first) != _header(lock, last)
    if isinstance(first, Deliver | Act) and isinstance(last, Deliver | Act) and presents(last):
        return first.shard != last.shard or presented(lock, first) != presented(lock, last)
    return True


def _header(lock: Lockstep, move: Learn) -> bytes:
    block = lock.headers.get(move.header)
    data = block.data if block is not None else b""
    return (
        data if move.damage is None else damaged(lock.system, Presented(b"", data, b""), move.damage).header
    )


def _of_emission(last: Emit) -> Iterator[_Change]:
    terms = last.terms
    if terms is None:
        return
    if terms.entrance:
        yield (
            FIRST_ENTRANCE,
            "by the first entrance",
            "there it is looked at",
            [(last._replace(terms=terms._replace(entrance=0)),)],
        )
    if terms.asset:
        yield (
            FIRST_ASSET,
            "with the first asset",
            "that one is not known",
            [(last._replace(terms=terms._replace(asset=0)),)],
        )
    yield (
        TOO_MUCH,
        "with more than its sender has",
        "what is carried has to be there",
        [(last._replace(terms=terms._replace(amount=WEALTH)),)],
    )


def _of_header(lock: Lockstep, last: Learn) -> Iterator[_Change]:
    if last.damage is not None:
        yield (
            UNDAMAGED,
            "without the damage",
            "it is the damage that it accepts",
            [(last._replace(damage=None),)],
        )
    places = _bits("header", len(_header(lock, last)))
    bits: list[tuple[Move, ...]] = [(last._replace(damage=damage),) for damage in places]
    yield BIT["header"], "with one bit of the header flipped", _BOUND["header"], bits
    null: Move = last._replace(header=NULL, damage=None)
    yield NO_HEADER, "without a header", "a header has to be there", [(null,)]


def _of_signatures(last: Act) -> Iterator[_Change]:
    for how, words in enumerate(_SIGNED):
        yield FORGED[how], words, "signatures are looked at", [(last._replace(number=how),)]


def _by_another_receipt(lock: Lockstep, before: Sequence[Move], last: Deliver | Act) -> Iterator[Variation]:
    """A forged receipt by the proof of one that was emitted, which is emitted for the purpose if need be."""
    r = last.receipt
    if not isinstance(r, Forged) or last.evidence is not None or last.header in (None, NULL):
        return
    block = lock.headers[last.header]
    if block.shard != r.source:
        return
    number = 1 + max((m.receipt for m in before if isinstance(m, Emit)), default=-1)
    emitted: list[Move] = [Emit(number, r.source, r.destination)]
    at = next((i for i, m in enumerate(before) if isinstance(m, Produce) and m.header == block.number), None)
    if at is None:
        return
    instead = last._replace(evidence=Proof(number, block.number), damage=None)
    run = (*before[:at], *emitted, *before[at:], instead)
    words = "with the proof of a receipt that was emitted"
    yield Variation(PROOF_OF_ANOTHER, words, "a proof that is there is checked", (run,))


def _under_a_known_header(lock: Lockstep, before: Sequence[Move], last: Deliver | Act) -> Iterator[Variation]:
    """Instead of no header, one that the shard has learned, and that does not commit to the receipt."""
    if last.header != NULL or last.receipt is None:
        return
    r = last.receipt
    sent = r if isinstance(r, Forged) else lock.receipts[r]
    number = 1 + max(lock.headers, default=-1)
    # Some systems seal no block that has nothing in it.
    other = Emit(1 + max(lock.receipts, default=-1), sent.source, sent.destination)
    sealed = (Produce(number, sent.source), Finalise(number), Learn(last.shard, number))
    made = [other, *(m for m in sealed if isinstance(m, Produce) or verb_of(m) in lock.able)]
    instead = last._replace(header=number, damage=None)
    words = "under a header that is known"
    yield Variation(KNOWN_HEADER, words, "there a proof is asked for", ((*made, *before, instead),))


def _of_presentation(lock: Lockstep, before: Sequence[Move], last: Deliver | Act) -> Iterator[_Change]:
    plain = last._replace(damage=None)
    if last.damage is not None:
        shows = "it is the change of these bytes that makes it pass"
        yield UNDAMAGED, "without the damage", shows, [(plain,)]
    if isinstance(last, Deliver) and last.again:
        once: Move = last._replace(again=False)
        yield AFTERWARDS, "once the callback has returned", "it is recorded by then", [(once, once)]
    if isinstance(last, Act) and last.deed == "time_out_again":
        told: Move = last._replace(deed="time_out")
        yield AFTERWARDS, "once the callback has returned", "it is recorded by then", [(told, told)]
    yield from _as_before(before, plain)
    shown = presented(lock, plain)
    for part in ("evidence", "header", "receipt"):
        bits = _bits(part, len(getattr(shown, part)))
        instead: list[tuple[Move, ...]] = [(plain._replace(damage=damage),) for damage in bits]
        yield BIT[part], f"with one bit of the {_CALLED[part]} flipped", _BOUND[part], instead
    others = [n for n in lock.receipts if n != last.receipt and last.header in lock.headers]
    proofs = [(plain._replace(evidence=Proof(n, last.header)),) for n in others if last.header is not None]
    shows = "the proof has to be of the receipt that is shown"
    yield PROOF_OF_ANOTHER, "with the proof of another receipt", shows, [*proofs]
    headers = [h for h in lock.headers if h != last.header]
    shows = "the header has to cover the receipt"
    yield ANOTHER_HEADER, "under another header", shows, [(plain._replace(header=h),) for h in headers]
    if last.evidence is not None:
        yield NO_PROOF, "without a proof", "a proof has to be there", [(plain._replace(evidence=None),)]
    if last.header != NULL:
        nothing: Move = plain._replace(header=NULL, evidence=None)
        yield NO_HEADER, "without a header", "a header has to be there", [(nothing,)]
    shards = [s for s in lock.living() if s != last.shard]
    shows = "it is not for everybody"
    yield ANOTHER_SHARD, "at another shard", shows, [(plain._replace(shard=s),) for s in shards]
    if isinstance(last.receipt, int) and "forge" in lock.able:
        sent = lock.receipts[last.receipt]
        made = (r.number for m in before for r in presented_receipts(m) if isinstance(r, Forged))
        number = 1 + max(made, default=-1)
        forged: Move = plain._replace(receipt=Forged(number, sent.source, sent.destination))
        yield UNEMITTED, "of a receipt that nobody emitted", "it has to have been emitted", [(forged,)]


def _as_before(before: Sequence[Move], last: Deliver | Act) -> Iterator[_Change]:
    """Exactly as the same receipt was shown to the same shard before."""
    earlier = [
        m
        for m in before
        if isinstance(m, Deliver)
        and (m.shard, m.receipt) == (last.shard, last.receipt)
        and m.header != last.header
    ]
    if earlier and isinstance(last, Deliver):
        words = f"under h{earlier[0].header}, as before"
        yield EARLIER, words, "it is the other header that makes it pass", [(earlier[0],)]


def _bits(part: str, length: int) -> Iterator[Damage]:
    """Evenly over what is shown, each in another place of its byte."""
    for i in range(min(BITS, length)):
        yield Damage(part, "flip", 8 * (i * length // min(BITS, length)) + i % 8)
