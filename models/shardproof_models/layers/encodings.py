"""
A receipt may be written down in several ways, and is recorded under one key all the same (L11).

Bytes, not receipts, are what a shard is shown. Whatever decodes to a receipt must lead to the
one key of that receipt: either only one spelling is accepted, or the key is computed from
what was read and never from how it was spelt. And bytes that were made for another network,
another version or another fork may decode all the same: so they say for which they are.

Source: the exit identifiers of the Polygon Plasma bridge, 2021; harmony-one/harmony PR 5039.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, insert, require
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool, Entity, implies
from .exactly_once import UNPROVEN, Key, Receipt, Shard, deliver, destination, exactly_once, key


class Encoding(Entity):
    """Bytes that a relayer presents: a spelling of a receipt and its evidence."""


class Domain(Entity):
    """A network, at one version, on one side of a fork: where bytes mean what they say."""


encodings = Layer(
    "encodings", needs=(exactly_once,), doc="what decodes to one receipt is recorded under one key"
)

MALFORMED = Refusal("malformed")
FOREIGN = Refusal("of another domain")
NOT_CANONICAL = Refusal("not canonical")


@encodings.rigid
def meaning(x: Encoding) -> Receipt:
    """The receipt that the bytes decode to."""
    ...


@encodings.rigid
def canonical(x: Encoding) -> Bool:
    """The bytes are the one spelling that an honest sender uses."""
    ...


@encodings.rigid
def spelt_key(x: Encoding) -> Key:
    """What comes of computing a key from the bytes."""
    ...


@encodings.rigid
def made_for(x: Encoding) -> Domain:
    """The domain that the bytes name as theirs."""
    ...


@encodings.rigid
def domain(a: Shard) -> Domain:
    """The domain of an address."""
    ...


@encodings.ghost(home=lambda d: d)
def accepted(d: Shard, x: Encoding) -> Bool:
    """Shard `d` has executed what these bytes say."""
    return FALSE


@encodings.axiom
def honest_spelling_gives_the_key(x: Encoding) -> Bool:
    """A canonical spelling has the key of its receipt."""
    return implies(canonical(x), spelt_key(x) == key(meaning(x)))


@encodings.extends(deliver)
def read(d: Shard, m: Receipt, x: Encoding) -> Parts:
    """The bytes are refused unless they are the canonical spelling of the receipt, made for here."""
    yield require(meaning(x) == m, MALFORMED, before=UNPROVEN)
    yield require(made_for(x) == domain(destination(m)), FOREIGN, before=UNPROVEN)
    yield require(canonical(x), NOT_CANONICAL, before=UNPROVEN)
    yield insert(accepted(d, x))
