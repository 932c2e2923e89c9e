"""
The seam: what a system under test must be able to do.

An adapter translates and decides nothing. It holds all shards of one system, named by the
strings in `Topology.shards`. Receipts, headers and evidence are bytes that belong to the
system: the harness passes them around, and only the adversary changes them.

Seven verbs are required. Each further verb is a capability by being overridden: what an
adapter does not override, it does not have, and what depends on it is reported as not
applicable, by name. A verb that answers with `Refused` has an opinion; a verb that raises
has broken the contract, and the run ends with exit code 3.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from attrs import field, frozen


@frozen
class Topology:
    """The shards of a run, by name, in order; some may be founded later."""

    shards: tuple[str, ...]
    #: How many of them, at the end, do not exist at the beginning.
    reserve: int = 0

    @classmethod
    def of(cls, count: int) -> Topology:
        """`count` shards, named A, B, ... Z, S26, S27, ..."""
        return cls(tuple(chr(ord("A") + i) if i < 26 else f"S{i}" for i in range(count)))


@frozen
class Accepted:
    """The system says that it did what was asked."""

    def __str__(self) -> str:
        return "accepted"


@frozen
class Refused:
    """The system says that it did not, and why, in its own words."""

    reason: str = ""

    def __str__(self) -> str:
        return f"refused, {self.reason}" if self.reason else "refused"


@frozen
class Pending:
    """The system will do it, or not, later: `settle` lets it come to rest."""

    def __str__(self) -> str:
        return "pending"


ACCEPTED = Accepted()
PENDING = Pending()
Outcome = Accepted | Refused | Pending


@frozen
class Delivery:
    """A relayer presents `receipt` to `destination` on the evidence of `header`."""

    destination: str
    receipt: bytes = field(repr=lambda b: f"<{len(b)} bytes>")
    header: bytes = field(repr=lambda b: f"<{len(b)} bytes>")
    evidence: bytes = field(repr=lambda b: f"<{len(b)} bytes>")


@frozen
class Execution:
    """An effect as the receiving application saw it; `source` is in whose name, where it can tell."""

    payload: bytes
    source: str | None = None


@frozen
class Message:
    """What a user asks a source shard to send, where a receipt is more than a payload."""

    source: str
    destination: str
    payload: bytes
    #: Which of the channels between the two.
    channel: int = 0
    #: On the clock of the destination; `None` never expires.
    deadline: int | None = None
    #: The value that the user pays, and the one that he says he pays: an honest user says the truth.
    amount: int = 0
    claimed: int | None = None
    #: What kind of value, and by which of the ways in that a system may have: 0 is the plain one.
    asset: int = 0
    entrance: int = 0
    #: The shard to which the destination shall send it on.
    onward: str | None = None


class Ending(enum.Enum):
    """What the sending application was told of a receipt."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


@frozen
class Ended:
    """An outcome as the sending application saw it. All but success give back what was paid."""

    payload: bytes
    ending: Ending


@frozen
class Response:
    """A receipt that a shard has emitted of its own accord, because that of `answers` failed, or goes on."""

    receipt: bytes
    destination: str
    #: The payload under which its execution will show.
    payload: bytes
    #: The payload of the receipt that it answers or sends on.
    answers: bytes
    amount: int = 0


@frozen
class Path:
    """An inclusion proof taken apart: position, leaf count where committed, siblings from the leaf up."""

    index: int
    count: int | None
    siblings: tuple[bytes, ...]


@frozen
class Multiproof:
    """
    A proof of several leaves at once, taken apart as OpenZeppelin's library reads it.

    It makes one node after another out of two: the next of the leaves, and of the nodes made so far once
    these are used up, and where `merges` says so another one of these, else the next sibling.
    """

    leaves: tuple[bytes, ...]
    #: Which of the leaves is that of the receipt; whatever stands there, the shard puts its own hash.
    position: int
    siblings: tuple[bytes, ...]
    merges: tuple[bool, ...]


class Adapter:
    """
    One system under test, all of its shards.

    Constructed without arguments, then `open(topology)`; `open` may be called again at any
    time and starts from nothing. Every answer must be a function of the calls since `open`:
    no clock, no randomness of its own.
    """

    #: Printed in reports and traces.
    name: ClassVar[str] = ""
    #: The version of the system, where it knows one. Written into traces.
    version: ClassVar[str] = ""
    #: The stack that the system follows, where its verbs alone do not say: order, for example, has no verb,
    #: and none says that a header commits to the receipts of its own block alone (`own-blocks`).
    stack: ClassVar[str] = ""

    # ---- required -------------------------------------------------------------------------

    def open(self, topology: Topology) -> None:
        """Set up every shard, new and empty."""
        raise NotImplementedError

    def close(self) -> None:
        """Release what `open` took. May be called twice, and after a failure."""
        raise NotImplementedError

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        """A user of `source` sends `payload` to `destination`; returns the receipt."""
        raise NotImplementedError

    def produce(self, shard: str) -> bytes | Refused:
        """
        `shard` seals a block over all that it has emitted; returns the header.

        In the stack `own-blocks` it is over what no block before it has committed to.
        """
        raise NotImplementedError

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        """Honest evidence that `header` commits to `receipt`; `Refused` where it does not."""
        raise NotImplementedError

    def deliver(self, delivery: Delivery) -> Outcome:
        """A relayer presents a receipt. Whatever the bytes are: refuse, never raise."""
        raise NotImplementedError

    def executed(self, shard: str, since: int) -> Sequence[bytes | Execution]:
        """What took effect at `shard` after the first `since` effects, in order."""
        raise NotImplementedError

    # ---- capabilities: override what the system has -----------------------------------------

    def learn(self, shard: str, header: bytes) -> Outcome:
        """
        A relayer shows `header` to the light client at `shard`. Without it, headers certify themselves.

        The answer is taken at its word, because nothing else shows what a light client believes: a
        header that is ignored is refused.
        """
        raise NotImplementedError

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        """Consensus of `shard` makes `header` final; returns it as relayers show it from now on."""
        raise NotImplementedError

    def revert(self, shard: str, header: bytes) -> Outcome:
        """
        Consensus of `shard` drops `header` and all after it.

        The state of `shard` is again what the parent of `header` committed to.
        """
        raise NotImplementedError

    def restart(self, shard: str) -> None:
        """`shard` is stopped and started again from what it keeps."""
        raise NotImplementedError

    def reenter(self, delivery: Delivery) -> Outcome:
        """Like `deliver`, and the callback of the receipt presents the same delivery before it returns."""
        raise NotImplementedError

    # ---- what a receipt carries, and how its callback ends

    def send(self, message: Message) -> bytes | Refused:
        """Like `emit`, for a message with a channel, a deadline, a value, or a further destination."""
        raise NotImplementedError

    def deliver_failing(self, delivery: Delivery) -> Outcome:
        """Like `deliver`, and the callback of the receipt fails: accepted, and without effect."""
        raise NotImplementedError

    def nest(self, outer: Delivery, inner: Delivery) -> Outcome:
        """Like `deliver(outer)`, and its callback presents `inner` before it looks at who called it."""
        raise NotImplementedError

    def announced(self, shard: str, since: int) -> Sequence[bytes]:
        """The payloads of which the log of `shard` says that they took effect, after the first `since`."""
        raise NotImplementedError

    def balance(self, shard: str) -> int:
        """What all users of `shard` hold together."""
        raise NotImplementedError

    # ---- what becomes of a receipt

    def advance_clock(self, shard: str) -> None:
        """One unit of time passes at `shard`."""
        raise NotImplementedError

    def prove_outcome(self, receipt: bytes, header: bytes) -> bytes | Refused:
        """
        Honest evidence that a header of its destination attests the outcome of `receipt`.

        An outcome is attested from the next block on; that of what travels, once its last hop has one.
        """
        raise NotImplementedError

    def prove_absence(self, receipt: bytes, header: bytes) -> bytes | Refused:
        """Honest evidence that a header of its destination attests that `receipt` was not received."""
        raise NotImplementedError

    def acknowledge(self, delivery: Delivery) -> Outcome:
        """A relayer shows the source, here `delivery.destination`, the outcome of its own receipt."""
        raise NotImplementedError

    def time_out(self, delivery: Delivery) -> Outcome:
        """A relayer shows the source, here `delivery.destination`, that its receipt expired undelivered."""
        raise NotImplementedError

    def time_out_again(self, delivery: Delivery) -> Outcome:
        """Like `time_out`, and the callback of the sender presents the same before it returns."""
        raise NotImplementedError

    def skip(self, delivery: Delivery) -> Outcome:
        """A relayer shows the destination of an ordered channel that the next receipt has expired."""
        raise NotImplementedError

    def close_channel(self, shard: str, source: str, channel: int) -> Outcome:
        """`shard` closes its receiving end of a channel from `source`."""
        raise NotImplementedError

    def time_out_on_close(self, delivery: Delivery) -> Outcome:
        """Like `time_out`, with a header that attests that the channel is closed; evidence as for absence."""
        raise NotImplementedError

    def ended(self, shard: str, since: int) -> Sequence[Ended]:
        """What senders at `shard` were told of their receipts, after the first `since`, in order."""
        raise NotImplementedError

    def responses(self, shard: str, since: int) -> Sequence[Response]:
        """
        The receipts that `shard` has emitted of its own accord, after the first `since`, in order.

        A failure is answered before `deliver_failing` returns, on the channel with the same number.
        """
        raise NotImplementedError

    # ---- whom a shard believes

    def rotate(self, shard: str) -> None:
        """The validators of `shard` hand over to the next ones; from far enough back, keys have leaked."""
        raise NotImplementedError

    def learn_validators(self, shard: str, header: bytes) -> Outcome:
        """A relayer shows `shard` a header that announces the next validators of its own shard."""
        raise NotImplementedError

    def initialise(self, shard: str, of: str) -> Outcome:
        """Somebody sets up the light client of `of` at `shard`, with validators of his own."""
        raise NotImplementedError

    def upgrade(self, shard: str) -> None:
        """A new version of the light clients of `shard` is installed."""
        raise NotImplementedError

    def takeover(self) -> bytes:
        """The payload with which an adversary would ask a receiving application for the keys of a shard."""
        raise NotImplementedError

    def forge_header(self, shard: str, receipt: bytes, how: int) -> tuple[bytes, bytes]:
        """
        A header in the name of `shard` that nobody produced and that commits to `receipt`, and its evidence.

        `how` says who signed: 0 nobody, 1 validators that the adversary made up, 2 keys that have leaked.
        """
        raise NotImplementedError

    def claim(self, shard: str, header: bytes) -> Outcome:
        """Anyone claims at `shard` that a header is final; `learn` believes it once the window is over."""
        raise NotImplementedError

    def challenge(self, shard: str, header: bytes) -> Outcome:
        """A watcher shows `shard` that a claim is false."""
        raise NotImplementedError

    # ---- what a shard keeps

    def crash(self, shard: str, writes: int) -> None:
        """
        In its next operation, `shard` loses power after `writes` durable writes, and starts again.

        Where there are fewer writes than that, it loses power after the operation.
        """
        raise NotImplementedError

    def prune(self, shard: str) -> None:
        """`shard` forgets whatever it need not remember."""
        raise NotImplementedError

    def split(self, shard: str, into: tuple[str, str]) -> Outcome:
        """
        The addresses of `shard` go to two new shards: those at even places of `Topology.shards` to the first.

        Effects, outcomes and responses of a new shard are counted from its own beginning.
        """
        raise NotImplementedError

    def merge(self, shards: tuple[str, str], into: str) -> Outcome:
        """The addresses of two shards go to a new one."""
        raise NotImplementedError

    def drain(self, source: str, destination: str) -> Outcome:
        """The link between two addresses carries away the request that waits longest, if one waits."""
        raise NotImplementedError

    def state_root(self, shard: str) -> bytes:
        """A digest of all that `shard` keeps."""
        raise NotImplementedError

    def replicate(self, shard: str) -> bytes:
        """The digest at another node of `shard`, which has executed the same blocks by catching up."""
        raise NotImplementedError

    def settle(self, shard: str) -> None:
        """Let `shard` come to rest after an answer of `PENDING`."""
        raise NotImplementedError

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        """The bytes of a receipt that `source` never emitted: encodings are public, anybody can write one."""
        raise NotImplementedError

    def dissect(self, evidence: bytes) -> Path:
        """Honest evidence, taken apart, so that the adversary can forge with understanding."""
        raise NotImplementedError

    def assemble(self, path: Path) -> bytes:
        """The inverse of `dissect`, for any path, also a senseless one."""
        raise NotImplementedError

    def assemble_multiproof(self, proof: Multiproof) -> bytes:
        """Evidence that proves several leaves at once, for any proof, also a senseless one."""
        raise NotImplementedError

    def leaf(self, receipt: bytes) -> bytes:
        """The hash that stands for `receipt` at the bottom of the commitment."""
        raise NotImplementedError

    def snapshot(self) -> object:
        """
        All shards at this instant: a token for `restore`. Makes searching faster, changes no verdict.

        Tokens that are equal must restore the same state; tokens that are compared by identity do.
        """
        raise NotImplementedError

    def restore(self, token: object) -> None:
        """Return to a snapshot. A token may be restored any number of times, newest first or not."""
        raise NotImplementedError

    # ---- no verbs: for adapters behind which calls are expensive -----------------------------

    def foresee(self, verb: str, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """
        After its next `verb`, the harness is likely to look at all of `calls`: verbs and their arguments.

        Only a hint, so that they can travel together. Whoever does not override it is not told.
        """

    def another(self) -> Adapter | None:
        """
        The same system once more, which shares nothing with this one; `None` where that cannot be promised.

        A run that is taken again to see whether it goes as before is taken there.
        """
        return None


REQUIRED = ("open", "close", "emit", "produce", "prove", "deliver", "executed")
CAPABILITIES = (
    "learn",
    "finalise",
    "revert",
    "restart",
    "reenter",
    "send",
    "deliver_failing",
    "nest",
    "announced",
    "balance",
    "advance_clock",
    "prove_outcome",
    "prove_absence",
    "acknowledge",
    "time_out",
    "time_out_again",
    "skip",
    "close_channel",
    "time_out_on_close",
    "ended",
    "responses",
    "rotate",
    "learn_validators",
    "initialise",
    "upgrade",
    "takeover",
    "forge_header",
    "claim",
    "challenge",
    "crash",
    "prune",
    "split",
    "merge",
    "drain",
    "state_root",
    "replicate",
    "settle",
    "forge",
    "dissect",
    "assemble",
    "assemble_multiproof",
    "leaf",
    "snapshot",
    "restore",
)

AdapterFactory = Callable[[], Adapter]


def capabilities(adapter: Adapter) -> frozenset[str]:
    """The optional verbs that this adapter overrides."""
    return frozenset(v for v in CAPABILITIES if getattr(type(adapter), v, None) is not getattr(Adapter, v))
