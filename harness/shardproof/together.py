"""
Several systems asked the same, move by move, to the first step at which they part.

Each has a model of its own beside it, which judges it as in any other run. Here they are held
against each other: one refuses what another accepts, or does what another does not. Often the model
allows both (damaged bytes may be accepted or not), and then no property is broken; but who swaps one
implementation for the other should know. Reasons are in each system's own words, and not compared;
of an answer that says "later", only the effects count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from attrs import define, evolve, field, frozen

from shardproof_models.stacks import STACKS, composed, layers_for

from . import __version__
from .adapter import AdapterFactory, Pending, Refused, Topology, capabilities
from .deeds import DEEDS
from .errors import AdapterError, UsageError
from .judge import Wrong
from .moves import Act, Deliver, Learn, Move, step_of
from .narrowed import narrowed
from .oracle import Oracle
from .runs import DETERMINISTIC, Bench, Found, made, renumbered
from .trace import DIFFERENCE, Search, Step, Trace, Violation
from .verdict import Kind

_BECAUSE = "two implementations of one protocol that differ are two protocols"

#: Verbs that are asked of every system, and those that are asked of all if all have them.
_REQUIRED = ("emit", "produce", "deliver")
_OPTIONAL = ("finalise", "learn", "revert", "restart", *DEEDS)

#: What is shown as bytes, and so may be damaged.
_SHOWN = frozenset(
    {"deliver", "learn", *(deed.verb for deed in DEEDS.values() if "header" in deed.arguments)}
)

_DAMAGED = " of damaged bytes"


@frozen
class Seen:
    """What a system did with one move."""

    refused: bool
    pending: bool
    answer: str
    happened: tuple[str, ...]

    def differs(self, other: Seen) -> bool:
        """In effects; or in the answer, where both have given one."""
        answers = self.refused != other.refused and not (self.pending or other.pending)
        return self.happened != other.happened or answers

    def __str__(self) -> str:
        return ", ".join((self.answer, *self.happened))


@define(eq=False)
class Together:
    """Systems under their names, each on a bench of its own."""

    names: tuple[str, ...]
    benches: tuple[Bench, ...]
    #: Verbs that only some of them have -> who has them; nobody is asked for these.
    left_out: dict[str, str] = field(factory=dict)

    @classmethod
    def of(
        cls,
        systems: Sequence[tuple[str, AdapterFactory]],
        topology: Topology,
        moves_max: int,
    ) -> Together:
        """New systems. Raises `UsageError` if they do not follow the same stack."""
        first = [made(make) for _, make in systems]
        able = [capabilities(adapter) for adapter in first]
        common = frozenset.intersection(*able)
        stacks = {adapter.stack for adapter in first}
        if len(stacks) > 1:
            raise UsageError(
                "systems that follow different stacks cannot be compared",
                got=", ".join(
                    f"{name}: {adapter.stack or 'none by name'}"
                    for (name, _), adapter in zip(systems, first, strict=True)
                ),
                help=f"the stacks are {', '.join(STACKS)}; an adapter says which with `stack`",
            )
        left_out = {
            verb: ", ".join(name for (name, _), has in zip(systems, able, strict=True) if verb in has)
            for verb in sorted(frozenset.union(*able) - common)
        }
        if not common & {"split", "merge"}:
            topology = evolve(Topology(topology.shards[: len(topology.shards) - topology.reserve]), reserve=0)
        protocol = composed(layers_for(common, stacks.pop()))
        oracles = [
            Oracle.for_run(protocol, len(topology.shards), moves_max, reserve=topology.reserve)
            for _ in systems
        ]
        benches = tuple(
            Bench.of(narrowed(make, common), oracle, topology)
            for (_, make), oracle in zip(systems, oracles, strict=True)
        )
        return cls(tuple(name for name, _ in systems), benches, left_out)

    @property
    def topology(self) -> Topology:
        """The shards, which all of them have."""
        return self.benches[0].topology

    def fresh(self) -> None:
        """Every system, and every model, at its beginning."""
        for name, bench in zip(self.names, self.benches, strict=True):
            with _blamed(name):
                bench.fresh()

    def close(self) -> None:
        """Release every system, also if one of them cannot be."""
        for bench in self.benches:
            try:
                bench.close()
            except AdapterError:
                continue

    def possible(self, move: Move) -> bool:
        """Whether all of them can be asked."""
        return all(bench.lock.possible(move) for bench in self.benches)

    def run(self, move: Move) -> tuple[Wrong | None, bool]:
        """Ask all of them; where they differ, and whether one of them is judged to be wrong."""
        judged = []
        for name, bench in zip(self.names, self.benches, strict=True):
            with _blamed(name):
                judged.append(bench.lock.run(move))
        seen = [self._seen(bench) for bench in self.benches]
        odd = [i for i, one in enumerate(seen) if one.differs(seen[0])]
        wrong = any(one is not None for one in judged)
        if not odd:
            return None, wrong
        others = "; ".join(f"{self.names[i]}: {seen[i]}" for i in odd)
        allowed = "the model allows both" if not wrong else "the model does not allow both"
        first = f"{self.names[0]}: {seen[0]}"
        differs = f"{self.names[0]} and {', '.join(self.names[i] for i in odd)}; {allowed}"
        return Wrong(
            Kind.DIFFERENCE, "-", agreement_on(move), _BECAUSE, first, others, differs=differs
        ), wrong

    def _seen(self, bench: Bench) -> Seen:
        claim = bench.lock.claim
        pending = isinstance(claim, Pending)
        return Seen(isinstance(claim, Refused), pending, str(claim), tuple(sorted(bench.lock.happened)))

    # ---- whole runs -------------------------------------------------------------------------------

    def first(self, moves: Sequence[Move]) -> Found | None:
        """Run `moves`, leaving out what is not possible, to the first difference."""
        self.fresh()
        taken: list[Move] = []
        for move in moves:
            if not self.possible(move):
                continue
            taken.append(move)
            difference, wrong = self.run(move)
            if difference is not None:
                return Found(difference, tuple(taken))
            if wrong:
                return None
        return None

    def trace(self, found: Found, search: Search) -> Trace:
        """The difference as a trace that names the systems, run once more and numbered from 0."""
        moves = renumbered(found.moves)
        again = self.first(moves)
        if again is None or again.wrong.property != found.wrong.property:
            raise AdapterError(
                f"one of {', '.join(self.names)} is not deterministic: the same steps no longer differ",
                expected=found.wrong.property,
                got=again.wrong.property if again else "no difference",
                help=DETERMINISTIC,
            )
        bench, shards = self.benches[0], self.topology.shards
        steps: list[Step] = []
        self.fresh()
        for move in again.moves:
            step = step_of(move, shards, shards[bench.lock.home(move)])
            self.run(move)
            # All answer the same until the last one, whose answers are those of the violation.
            steps.append(evolve(step, actual=str(bench.lock.claim), changed=bench.lock.happened))
        steps[-1] = evolve(steps[-1], changed=())
        wrong = again.wrong
        versions = {
            n: b.adapter.version for n, b in zip(self.names, self.benches, strict=True) if b.adapter.version
        }
        return Trace(
            " and ".join(self.names),
            tuple(layer.name for layer in bench.oracle.protocol.layers),
            shards,
            wrong.property,
            wrong.id,
            wrong.because,
            tuple(steps),
            Violation(len(steps) - 1, wrong.expected, wrong.actual, "", wrong.differs),
            search,
            "not established",
            {**versions, "shardproof": __version__},
            self.topology.reserve,
        )


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    """What breaks is said of the system that broke, since there are several."""
    try:
        yield
    except AdapterError as error:
        error.summary = f"{name}: {error.summary}"
        raise


def asked(move: Move) -> str:
    """What is asked, by its verb; damaged bytes apart, of which the model often allows either."""
    verb = move.deed if isinstance(move, Act) else type(move).__name__.lower()
    damaged = isinstance(move, Deliver | Learn | Act) and move.damage is not None
    return verb.replace("_", " ") + (_DAMAGED if damaged else "")


def agreement_on(move: Move) -> str:
    """What systems are to agree on."""
    return _agreement(asked(move))


def agreements(able: Collection[str] | None = None) -> tuple[str, ...]:
    """What systems can be asked to agree on; with the verbs that all of them have, if these are given."""
    verbs = (*_REQUIRED, *(verb for verb in _OPTIONAL if able is None or verb in able))
    damaged = (_agreement(verb + _DAMAGED) for verb in verbs if verb in _SHOWN)
    return (*map(_agreement, verbs), *damaged)


def _agreement(asked: str) -> str:
    return DIFFERENCE + asked.replace("_", "-").replace(" ", "-")
