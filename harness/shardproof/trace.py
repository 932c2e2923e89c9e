"""
A sequence of steps as data: what was tried, what the model expected, what the system did.

Things in a trace have symbolic names (receipt `r0`, header `h1`, shard `A`), so that it
replays on any machine and any adapter with the capabilities that it needs. Loading one
executes nothing and imports nothing: the adapter that it names is information.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

#: The version of the file format. A reader refuses another major version.
FORMAT = "shardproof-trace/1"

#: What a trace of the model alone has for an adapter.
MODEL = "model"

#: What is known of a trace besides that it is one: whether a shorter one shows the same.
PROVED, NOT_ESTABLISHED = "proved", "not established"

#: What an explanation says of a step that can be left out, and how it begins where the violation is gone.
NOT_NEEDED, NOTHING = "the same is violated: this step is not needed", "nothing is violated"

#: How the names of sentences begin that are about several systems, and not about one.
DIFFERENCE = "agree-on-"

#: The actions that a protocol and an implementation call alike, with the same arguments.
SHARED = frozenset({"emit", "produce", "finalise", "revert", "learn", "restart", "deliver"})

_PRESENTED = ("receipt", "header", "evidence", "damage")
_TERMS = ("channel", "deadline", "amount", "claimed", "asset", "entrance", "onward", "payload")

#: The arguments that a step of each action may have; see the schema.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "emit": ("receipt", "to", *_TERMS),
    "produce": ("header",),
    "finalise": ("header",),
    "revert": ("header",),
    "learn": ("header", "damage"),
    "restart": (),
    "deliver": _PRESENTED,
    "reenter": _PRESENTED,
    "deliver_failing": _PRESENTED,
    "nest": (*_PRESENTED, "inner"),
    "acknowledge": _PRESENTED,
    "time_out": _PRESENTED,
    "time_out_again": _PRESENTED,
    "time_out_on_close": _PRESENTED,
    "skip": _PRESENTED,
    "advance_clock": (),
    "close_channel": ("other", "number"),
    "split": ("other", "another"),
    "merge": ("other", "another"),
    "crash": ("number",),
    "prune": (),
    "upgrade": (),
    "rotate": (),
    "learn_validators": ("header",),
    "claim": ("header",),
    "challenge": ("header",),
    "drain": ("other",),
    "replicate": (),
    "initialise": ("other",),
    "forge_header": ("receipt", "number"),
}

#: Those of them that a step need not have.
OPTIONAL = frozenset({"damage", *_TERMS})


@frozen
class Step:
    """
    One thing that happened at one shard.

    `args` are symbolic: `receipt` is `r3`, or `answer:r3` for what a shard emitted because of
    it, or `forged:A>B:7` for one that nobody emitted; `header` is `h2` or `null`; `evidence` is
    `r3@h2` (what proves r3 in h2) or `none`; `damage` is `PART:KIND:NUMBER`, e.g.
    `evidence:flip:17`; `to`, `onward`, `other` and `another` are shards; the rest are numbers.
    """

    action: str
    at: str
    args: Mapping[str, str] = field(factory=dict)
    #: "accepted", "refused, CLAUSE", "either" where an implementation may choose; "" if not run.
    expected: str = ""
    #: What the system said.
    actual: str = ""
    #: What changed, e.g. "B executed r0".
    changed: tuple[str, ...] = ()


@frozen
class Violation:
    """Where and how a trace goes wrong."""

    #: Index into the steps, from 0.
    step: int
    expected: str
    actual: str
    #: The clause that the model refuses by, e.g. "consumed"; and in a trace that is told, why it does, as
    #: "consumed: B had executed r0 at step 5 (`consumed(B, key(r0))`)" (`story/refusal.py`).
    clause: str = ""
    #: The state that differs, e.g. "B executed r0 2 times".
    differs: str = ""


@frozen
class Search:
    """The search that found a trace."""

    engine: str
    seed: int | None = None
    traces: int = 0
    steps: int = 0


@frozen
class Certificate:
    """What was run on a system to learn whether a shorter trace shows the same."""

    #: Every sequence of up to so many moves was run, within the scope and of the alphabet.
    steps: int
    #: Sequences that were run, and the moves of all of them.
    sequences: int
    moves: int
    #: What there was of shards, receipts and blocks, as words.
    scope: str
    #: The kinds of moves that were tried, wherever they were possible.
    alphabet: tuple[str, ...]


@frozen
class Explanation:
    """Why a trace goes wrong, as was found out by running variations of it on the system."""

    #: For each step, what becomes of the finding without it, e.g. "step 6 cannot be taken".
    without: tuple[str, ...]
    #: Index of the first step at which the system went wrong, which may be before the one where it showed.
    first_wrong: int
    #: The smallest change of what was shown that the system does refuse; empty where none was found.
    refused_instead: str
    #: What to look for in the code, in one sentence.
    look_for: str
    #: How it is known that the system was wrong there; empty where that is the step at which it showed.
    known_by: str = ""


@frozen
class Extent:
    """The values of a sort: so many, from the first one up."""

    first: int
    size: int


@frozen
class Instance:
    """
    What a trace of the model alone was taken in, where its steps do not say it all.

    Everything is a number, as in the model: entities from 0, numbers as they are, false and true as 0 and 1.
    """

    sorts: Mapping[str, Extent]
    #: For each rigid symbol its values for all arguments, in order, of which the last runs fastest.
    rigid: Mapping[str, tuple[int, ...]]
    #: For each step, what its action was taken with, by the names of the parameters.
    taken: tuple[Mapping[str, int], ...]
    #: Where state starts that has no initial value, by its name, if not at the last value of its sort.
    openings: Mapping[str, int] = field(factory=dict)


@frozen
class Trace:
    """A run of one system (or of the model alone), to its first violation."""

    adapter: str
    layers: tuple[str, ...]
    shards: tuple[str, ...]
    property: str
    property_id: str
    because: str
    steps: tuple[Step, ...]
    violation: Violation | None
    search: Search
    #: "proved" or "not established".
    shortest: str = NOT_ESTABLISHED
    versions: Mapping[str, str] = field(factory=dict)
    #: How many of the shards, the last ones, did not exist at the beginning.
    reserve: int = 0
    #: On what an implementation was run to say so; of the model, the search that found it has said it.
    certificate: Certificate | None = None
    #: Where it was asked why.
    explanation: Explanation | None = None
    #: What of that could not be found out, and for what reason; empty where nobody asked, or all is known.
    unexplained: str = ""
    #: Only of the model alone, and only where its steps do not say it all.
    instance: Instance | None = None

    def of_several(self) -> bool:
        """Whether it shows where systems differ from each other."""
        return self.property.startswith(DIFFERENCE)
