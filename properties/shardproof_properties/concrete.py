"""
What only an implementation can get wrong: sentences about bytes, sums and runs, in words.

The relational model has no bytes, no sums over all accounts and no second run, so these are
checked where there are some: on real encodings and hashes against an adversary who damages
them, by a ledger that is kept from the history that was seen, and by running the same twice
with one thing changed. Where a mistake of these kinds lets something be executed, the finding
has the name of what was executed wrongly, P01 or P02; the sentences here say what is behind it.
"""

from __future__ import annotations

from shardproof_models.layers.exactly_once import exactly_once
from shardproof_models.layers.failures import failures

from .property import Catalogue

concrete = Catalogue()

concrete.concrete(
    "P12",
    "proofs-are-sound",
    exactly_once,
    because="who verifies a proof of what was never committed to has no proofs",
    doc="Evidence that was damaged, cut, lengthened or taken from elsewhere proves nothing that is not so.",
)
concrete.concrete(
    "P13",
    "commitments-bind",
    exactly_once,
    because="a root that stands for two lists proves whichever one its bearer likes",
    doc="No inner node passes for a leaf, no leaf has two positions, no two lists have one root.",
)
concrete.concrete(
    "P14",
    "keys-are-canonical",
    exactly_once,
    because="a receipt with two names is executed twice",
    doc="However a receipt, its header and its evidence are spelt, it is recorded under one key.",
)
concrete.concrete(
    "P15",
    "domains-are-separate",
    exactly_once,
    because="what is meant for one chain, version or layout runs on another as well",
    doc="A receipt with its evidence is refused wherever else it is presented, also by heirs.",
)
concrete.concrete(
    "P16",
    "fails-atomically",
    failures,
    because="what survives of a callback that failed is paid for twice, once it is refunded",
    doc="A callback that fails leaves no effect: nothing is executed, credited or announced by it.",
)
concrete.concrete(
    "P18",
    "survives-a-crash",
    exactly_once,
    because="power fails between two writes sooner or later, and half an effect is another effect",
    doc="After a crash at any write, what was executed before is executed still, and value is where it was.",
)
concrete.concrete(
    "P19",
    "restarts-as-it-was",
    exactly_once,
    because="a counter or a record that an export forgets is used, or executed, again",
    doc="A shard that is stopped and started again keeps what it kept: its digest is the same as before.",
)
concrete.concrete(
    "P25",
    "replicas-agree",
    exactly_once,
    because="nodes that disagree about a state stop their chain, or split it",
    doc="Another node that has executed the same blocks by catching up has the same digest.",
)
concrete.concrete(
    "P28",
    "acts-only-in-its-own-name",
    exactly_once,
    because="a payload that is believed about its own sender is sent by whoever likes",
    doc="An effect is in the name of the shard whose header proved its receipt, whatever a field of it says.",
)
