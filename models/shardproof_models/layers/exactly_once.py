"""
A receipt is executed at most once, and only on evidence from its source (L0).

Four actions carry the whole idea: `emit`, `produce`, `learn`, `deliver`. Read `deliver`
first; the other three exist to make its clauses true or false.

The network is not part of the state. An adversary may attempt any delivery, of any
receipt, with any evidence, at any step, so delay, loss, duplication and reordering need
no actions of their own: they are the absence, repetition and order of attempts.

What makes evidence valid bytes is not said here; see `shards/commitment.py`.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, each, insert, require
from ..language.protocol import Layer
from ..language.terms import FALSE, PUBLIC, Bool, Entity, Kind, Number, Symbol, Variable, implies, number


class Shard(Entity):
    """A chain of blocks."""


class Receipt(Entity):
    """One asynchronous message."""


class Header(Entity):
    """A block's commitment to what its shard has emitted."""


class Key(Entity):
    """The canonical name under which a receipt is deduplicated."""


class Count(Number):
    """How often something happened."""


exactly_once = Layer("exactly-once", doc="a receipt is executed at most once, on evidence from its source")

ALREADY_EMITTED = Refusal("already emitted")
ALREADY_PRODUCED = Refusal("already produced")
UNKNOWN_HEADER = Refusal("unknown header")
UNTRUSTED_HEADER = Refusal("untrusted header")
WRONG_SOURCE = Refusal("wrong source")
UNPROVEN = Refusal("unproven")
WRONG_DESTINATION = Refusal("wrong destination")
CONSUMED = Refusal("consumed")


@exactly_once.rigid
def source(m: Receipt) -> Shard:
    """The shard that sends `m`."""
    ...


@exactly_once.rigid
def destination(m: Receipt) -> Shard:
    """The only shard at which `m` may run."""
    ...


@exactly_once.rigid
def key(m: Receipt) -> Key:
    """The canonical name of `m`: a function of the receipt only, never of how it was proved."""
    ...


@exactly_once.rigid
def origin(h: Header) -> Shard:
    """The shard that a header belongs to, read from the header itself, never from the evidence."""
    ...


@exactly_once.rigid
def genesis(s: Shard) -> Header:
    """The block with which the chain of `s` begins; it commits to nothing."""
    ...


@exactly_once.axiom
def a_key_names_one_receipt(m: Receipt, w: Receipt) -> Bool:
    """Two receipts under one key: recording one would silently record the other."""
    return implies((destination(m) == destination(w)) & (key(m) == key(w)), m == w)


@exactly_once.axiom
def a_genesis_belongs_to_its_shard(s: Shard) -> Bool:
    """Each chain begins with a block of its own."""
    return origin(genesis(s)) == s


#: In a home: not the shard itself, but whoever answers for its address.
address: Symbol[[Shard], Shard] = Symbol("address", Kind.DEFINED, (Shard(Variable("a")),), Shard)


@exactly_once.state(home=source)
def emitted(m: Receipt) -> Bool:
    """The source has committed itself to `m`."""
    return FALSE


@exactly_once.state(home=PUBLIC)
def produced(h: Header) -> Bool:
    """`h` is on the chain of its shard."""
    return h == genesis(origin(h))


@exactly_once.state(home=PUBLIC)
def commits(h: Header, m: Receipt) -> Bool:
    """The root in `h` covers `m`, or could: fixed when `h` was produced."""
    return FALSE


@exactly_once.state(home=lambda d: d)
def learned(d: Shard, h: Header) -> Bool:
    """The light client at `d` has accepted `h`."""
    return FALSE


@exactly_once.state(home=lambda d: d)
def consumed(d: Shard, k: Key) -> Bool:
    """Shard `d` has spent the key `k`."""
    return FALSE


@exactly_once.ghost(home=lambda d: d)
def executions(d: Shard, m: Receipt) -> Count:
    """How often `m` took effect at `d`, wherever it belongs."""
    return number(0, Count)


@exactly_once.ghost(home=lambda d: d)
def witness(d: Shard, m: Receipt) -> Header:
    """The header on whose evidence `m` was executed: a Skolem function for 'some header'."""
    ...


@exactly_once.defined
def trusted(d: Shard, h: Header) -> Bool:
    """Shard `d` accepts `h` as a root of proof."""
    return learned(d, h)


@exactly_once.defined
def recorded(d: Shard, m: Receipt) -> Bool:
    """Shard `d` knows that `m` was dealt with."""
    return consumed(d, key(m))


@exactly_once.defined
def answers(d: Shard, address: Shard) -> Bool:
    """Shard `d` is responsible for what is sent from, and to, the address of a shard: as yet, its own."""
    return d == address


@exactly_once.defined
def issued(h: Header, address: Shard) -> Bool:
    """Whoever was responsible for the address when `h` was produced, produced it."""
    return origin(h) == address


@exactly_once.defined
def outgoing(m: Receipt) -> Bool:
    """`m` is among what the next block of its source commits to."""
    return emitted(m)


@exactly_once.defined
def excused(d: Shard, m: Receipt) -> Bool:
    """Shard `d` may record `m` without having executed it; layers say when."""
    return FALSE


@exactly_once.action
def emit(m: Receipt) -> Parts:
    """A user of the source shard sends `m`."""
    yield at(source(m))
    yield require(~emitted(m), ALREADY_EMITTED)
    yield insert(emitted(m))


@exactly_once.action
def produce(h: Header) -> Parts:
    """A shard seals a block; in its own name, its header commits to what it has emitted, and only that."""
    yield at(origin(h))
    yield require(~produced(h), ALREADY_PRODUCED)
    yield insert(produced(h))
    # In the name of others a shard can write what it likes, and nobody holds it to the truth:
    # assume the worst. An honest commitment would make WRONG_SOURCE look redundant.
    yield each(Receipt, lambda m: assign(commits(h, m), implies(answers(origin(h), source(m)), outgoing(m))))


@exactly_once.action
def learn(d: Shard, h: Header) -> Parts:
    """A relayer shows header `h` to the light client at `d`."""
    yield at(d)
    yield require(produced(h), UNKNOWN_HEADER)
    yield insert(learned(d, h))


@exactly_once.action
def deliver(d: Shard, m: Receipt, h: Header) -> Parts:
    """A relayer presents `m` to shard `d` on the evidence of header `h`."""
    yield at(d)
    # The order is observable. Told CONSUMED for a forged proof, a relayer would believe
    # its receipt had been executed, and stop trying.
    yield require(trusted(d, h), UNTRUSTED_HEADER)
    yield require(issued(h, source(m)), WRONG_SOURCE)
    yield require(commits(h, m), UNPROVEN)
    yield require(answers(d, destination(m)), WRONG_DESTINATION)
    yield require(~recorded(d, m), CONSUMED)
    # Mark first: whatever the callback does, this receipt is spent.
    yield insert(consumed(d, key(m)))
    yield add(executions(d, m), 1)
    yield assign(witness(d, m), h)
