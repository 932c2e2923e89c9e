"""
A trace of the model alone, run again on the model: no adapter, and nobody else's code.

Each step is attempted as the protocol stands now. What the model refuses changes nothing,
so a trace that was found on a protocol with a mistake does not reproduce on a sound one,
and the answer names the first clause that stands in its way.

What the steps do not say, as deadlines and how a callback ends, is in the instance of the trace. A trace
of the core protocol needs none: `Cast` makes of its names a scope that has exactly these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term
from shardproof_models.layers.exactly_once import Count, Header, Key, Receipt, Shard
from shardproof_models.layers.finality import Height
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property

from . import model_instance
from .errors import TraceError, nearest
from .model_recorded import Recorded
from .model_trace import Taken, trace_of
from .readings.evaluate import Declined, Evaluator
from .readings.scope import OutOfScope, Scope, Value
from .replay import Replayed
from .trace import MODEL, Step, Trace
from .verdict import Verdict

#: A search of the model finds short traces; a world grows with the square of the length.
STEPS_MAX = 200


def replay(trace: Trace, protocol: Protocol, properties: Sequence[Property] | None = None) -> Replayed:
    """
    Attempt the steps of `trace` in `protocol`, which has these `properties`, or else those of this package.

    Raises `TraceError` if it cannot be told what they mean.
    """
    if not trace.steps or len(trace.steps) > STEPS_MAX:
        raise TraceError(
            "a trace of this length is not run on the model alone",
            expected=f"1 to {STEPS_MAX} steps",
            got=f"{len(trace.steps):,} steps",
        )
    known = {p.name: p for p in (properties_of(protocol) if properties is None else properties)}
    if trace.property not in known:
        near = nearest(trace.property, known)
        raise TraceError(
            f"the trace is about {trace.property!r}, which this protocol does not have", help=near
        )
    scope, attempts = _attempts(trace, protocol)
    try:
        taken, refused = _taken(Evaluator(protocol, scope), trace, attempts)
        again = trace_of(protocol, scope, taken, known[trace.property], trace.search, shortest=trace.shortest)
    except OutOfScope as cut:
        return Replayed(Verdict.INCONCLUSIVE, reproduced=False, summary=f"not reproduced: {cut}", trace=trace)
    if again.violation is not None:
        summary = f"reproduced: {trace.property} is violated at step {len(taken)}"
        return Replayed(Verdict.VIOLATED, reproduced=True, summary=summary, trace=again)
    said = refused[0] if refused else f"all {len(taken)} steps keep it"
    return Replayed(Verdict.HOLDS, reproduced=False, summary=f"not reproduced: {said}", trace=again)


def _taken(
    evaluator: Evaluator, trace: Trace, attempts: Sequence[Taken | None]
) -> tuple[list[Taken], list[str]]:
    """What is accepted, and why the rest is not."""
    taken: list[Taken] = []
    refused: list[str] = []
    world = evaluator.initial()
    for number, attempt in enumerate(attempts, 1):
        if attempt is None:
            action = trace.steps[number - 1].action
            refused.append(f"step {number} is none of this protocol, which has no action {action!r}")
            continue
        outcome = evaluator.step(world, *attempt)
        if isinstance(outcome, Declined):
            refused.append(f"step {number} is refused, {outcome.refusal}")
        else:
            world = outcome.world
            taken.append(attempt)
    return taken, refused


def _attempts(trace: Trace, protocol: Protocol) -> tuple[Scope, Sequence[Taken | None]]:
    """Where the steps are attempted, and with what: nothing for a step that `protocol` does not have."""
    if trace.instance is None:
        cast = Cast(trace)
        return cast.scope(), cast.attempts(protocol)
    recorded = Recorded(trace, trace.instance, protocol)
    return recorded.scope, [recorded.attempt(index) for index in range(len(trace.steps))]


def scope_of(trace: Trace, protocol: Protocol) -> Scope:
    """The scope that has exactly what `trace` speaks of. Raises `TraceError` if that cannot be told."""
    if trace.instance is None:
        return Cast(trace).scope()
    return model_instance.scope_of(trace.instance, protocol)


@define
class Cast:
    """The receipts and headers that a trace speaks of, as elements of a scope."""

    trace: Trace
    #: Name -> source and destination.
    receipts: dict[str, tuple[int, int]] = field(factory=dict, init=False)
    #: Name -> origin. A header of no block is in the name of whoever's receipt it comes with.
    headers: dict[str, int] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        for number, step in enumerate(self.trace.steps, 1):
            if step.action == "emit":
                self.receipts[step.args["receipt"]] = (self._shard(step.at), self._shard(step.args["to"]))
            receipt = step.args.get("receipt")
            if receipt is not None and receipt not in self.receipts:
                self.receipts[receipt] = self._forged(receipt, number)
            if "header" in step.args:
                self.headers.setdefault(self.header(step), self._origin(step))

    def _shard(self, name: str) -> int:
        if name not in self.trace.shards:
            raise TraceError(f"no shard is called {name!r}", help=nearest(name, self.trace.shards))
        return self.trace.shards.index(name)

    def _forged(self, receipt: str, number: int) -> tuple[int, int]:
        source, _, rest = receipt.removeprefix("forged:").partition(">")
        destination = rest.rpartition(":")[0]
        if source not in self.trace.shards or destination not in self.trace.shards:
            raise TraceError(f"step {number}: nobody has emitted {receipt}")
        return self._shard(source), self._shard(destination)

    def header(self, step: Step) -> str:
        """The name under which the header of a step is kept."""
        name = step.args["header"]
        return f"null of {self._origin(step)}" if name == "null" else name

    def _origin(self, step: Step) -> int:
        receipt = step.args.get("receipt")
        return self._shard(step.at) if receipt is None else self.receipts[receipt][0]

    def scope(self) -> Scope:
        """One that has exactly these, and room for whatever their numbers count."""
        shards, steps = len(self.trace.shards), len(self.trace.steps)
        ends = [*self.receipts.values()] or [(0, 0)]
        origins = [*range(shards), *self.headers.values()]
        rigid: Mapping[str, Callable[..., Value]] = {
            "source": lambda m: ends[m][0],
            "destination": lambda m: ends[m][1],
            "key": lambda m: m,
            "origin": lambda h: origins[h],
            "genesis": lambda s: s,
        }
        counts = range(steps + 2)
        said = f"{shards} shards, {len(ends)} receipts and {len(self.headers)} headers besides the first ones"
        sizes: dict[type[Term], int | range] = {
            Shard: shards,
            Receipt: len(ends),
            Key: len(ends),
            Header: len(origins),
            Count: counts,
            Height: counts,
        }
        return Scope(sizes, rigid, said)

    def attempts(self, protocol: Protocol) -> list[Taken]:
        """Each step as an action of `protocol` and what it is taken with."""
        return [self._attempt(protocol, number, step) for number, step in enumerate(self.trace.steps, 1)]

    def _attempt(self, protocol: Protocol, number: int, step: Step) -> Taken:
        actions = {action.name: action for action in protocol.actions}
        if step.action not in actions:
            near = nearest(step.action, actions)
            raise TraceError(f"step {number}: this protocol has no action {step.action!r}", help=near)
        given: dict[type, int] = {Shard: self._shard(step.at)}
        if "receipt" in step.args:
            given[Receipt] = [*self.receipts].index(step.args["receipt"])
        if "header" in step.args:
            given[Header] = len(self.trace.shards) + [*self.headers].index(self.header(step))
        action = actions[step.action]
        return action, tuple(given[type(p)] for p in action.parameters)


def is_of_the_model(trace: Trace) -> bool:
    """Whether no implementation took part in it."""
    return trace.adapter == MODEL and all(step.actual == "" for step in trace.steps)
