"""What a story consists of: facts, what changes them, clauses, and the moments of a trace."""

from __future__ import annotations

from attrs import field, frozen

from ..trace import Step, Trace

#: Where a fact belongs that belongs to no shard.
NOWHERE = ""


@frozen
class Fact:
    """
    One cell of the model's world that is not as shards begin, in words.

    A relation has the value "yes"; everything else has a number or the name of something.
    """

    #: The shard that keeps it; the one of the block where it is public.
    shard: str
    symbol: str
    #: The names of what it is about, without the shard itself.
    about: tuple[str, ...]
    value: str

    def __str__(self) -> str:
        """`consumed r0`, `not live`, or `executions r0 = 2`."""
        words = " ".join((self.symbol.replace("_", " "), *self.about))
        if self.value in ("yes", "no"):
            return words if self.value == "yes" else f"not {words}"
        return f"{words} = {self.value}"


@frozen
class Change:
    """One fact that a step has changed; `None` stands for as it was in the beginning."""

    before: Fact | None
    after: Fact | None

    @property
    def shard(self) -> str:
        """Where it changed."""
        one = self.after or self.before
        return one.shard if one is not None else NOWHERE


@frozen
class Clause:
    """One condition of a guard, as it stood when a step was attempted."""

    #: The refusal that it stands for, e.g. "consumed".
    refusal: str
    #: As on a whiteboard, with the names of this trace: `not recorded(B, r0)`.
    text: str
    holds: bool
    #: What the relations in it mean, a sentence each.
    means: tuple[str, ...] = ()
    #: The index of the step since which it is false; `None` where it never was true.
    since: int | None = None
    #: Why as a sentence, where it is false; empty where it holds. For example "B had executed r0 at step 5
    #: (`consumed(B, key(r0))`)", or "r0 is for B (not `C = destination(r0)`)".
    story: str = ""


#: What of a presentation may be damaged besides nodes of its tree.
RECEIPT, HEADER, INDEX, EVERYTHING = "receipt", "header", "index", "everything"


@frozen
class Node:
    """A hash over the leaves from `first` up to, and without, `end`: a leaf where these are neighbours."""

    first: int
    end: int

    @property
    def id(self) -> str:
        """`2:4` for what is made of leaves 2 and 3."""
        return f"{self.first}:{self.end}"

    @property
    def children(self) -> tuple[Node, ...]:
        """The two that it is made of, left and right; none of a leaf. The shape is that of RFC 9162."""
        if self.end - self.first < 2:
            return ()
        # The left one has as many leaves as the largest power of two that leaves something for the right.
        middle = self.first + (1 << (self.end - self.first - 1).bit_length() - 1)
        return (Node(self.first, middle), Node(middle, self.end))


@frozen
class Evidence:
    """What a relayer shows besides the receipt: a leaf, and the hashes beside its way up to the header."""

    #: The receipt that is shown, and the header under which: `r0`, `h1`; "null" where nobody produced it.
    receipt: str
    header: str
    #: What the evidence proves: which receipt in which header; empty where there is none.
    of: str = ""
    within: str = ""
    #: What is proved of it: "receipt", or "outcome", or "absence", which have no tree in the model.
    proves: str = "receipt"
    #: The receipts that the header `within` commits to, in order; of the header that is shown, if none.
    leaves: tuple[str, ...] = ()
    #: Which of the leaves the evidence is of.
    leaf: int | None = None
    #: The nodes beside the way from that leaf up, as ids, the lowest first.
    path: tuple[str, ...] = ()
    #: What the adversary changed: ids of nodes, `RECEIPT`, `HEADER`, `INDEX`, or `EVERYTHING`.
    damaged: tuple[str, ...] = ()
    #: All of this in a sentence.
    says: str = ""

    @property
    def root(self) -> Node | None:
        """The tree; nothing where the header commits to nothing."""
        return Node(0, len(self.leaves)) if self.leaves else None


@frozen
class Moment:
    """One step, with what the model held around it."""

    step: Step
    #: From 0.
    index: int
    #: What the model answers: "accepted", "refused, CLAUSE", "either"; empty where it was not asked.
    model: str
    #: In the order in which they are checked; empty where nothing is decided by a guard.
    guard: tuple[Clause, ...] = ()
    #: What the model's world changed by; of a header, what its parent does not say already.
    #: What the system did is in the step.
    changes: tuple[Change, ...] = ()
    #: Why the model could not go along: something that the step speaks of is not there.
    astray: str = ""
    #: What was shown, where something was.
    evidence: Evidence | None = None

    @property
    def refusing(self) -> Clause | None:
        """The clause by which the model refuses."""
        return next((c for c in self.guard if not c.holds), None)


@frozen
class Story:
    """A trace, and what the protocol makes of it."""

    #: With the sentence of `refusal.py` about the clause that refuses.
    trace: Trace
    moments: tuple[Moment, ...]
    #: What the property says: its formula, and a sentence.
    formula: str = ""
    says: str = ""
    #: Real incidents of its kind: what happened, and where that is told.
    incidents: tuple[tuple[str, str], ...] = ()
    #: What each symbol means that a fact speaks of.
    glossary: dict[str, str] = field(factory=dict)
    #: What the model holds of shards and their first headers before the first step.
    start: tuple[Fact, ...] = ()

    def facts(self, index: int) -> tuple[Fact, ...]:
        """What the model holds after the first `index` steps, in order of appearance."""
        held: dict[Fact, None] = {}
        for moment in self.moments[:index]:
            for change in moment.changes:
                if change.before is not None:
                    held.pop(change.before, None)
                if change.after is not None:
                    held[change.after] = None
        return tuple(held)
