"""
The story of a trace of the model alone: its steps are actions, and nobody's answer was asked for.

Such a trace may be of a protocol with a mistake. It is told by the sound one: where that refuses a
step, the guard says by which clause, and the facts go on as if it had been taken, as it was.

What its steps do not say, as deadlines, amounts and how a callback ends, its instance does. An action that
only the mistaken protocol has is told by nobody, and the facts go on without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Term
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard

from ..errors import TraceError
from ..model_instance import SAID
from ..model_recorded import Recorded
from ..model_replay import STEPS_MAX, Cast
from ..model_trace import Taken
from ..readings.generated import Generated
from ..readings.scope import OutOfScope, Scope
from ..trace import Step, Trace
from .cells import Cells
from .chronicle import Chronicle
from .guards import Guards
from .told import Evidence, Fact, Moment


def moments(
    trace: Trace, protocol: Protocol, glossary: dict[str, str], start: list[Fact]
) -> Iterator[Moment]:
    """
    One for each step; what holds before the first goes to `start`.

    Raises `TraceError` where it cannot be told what the trace means.
    """
    if len(trace.steps) > STEPS_MAX:
        raise TraceError(f"a trace of the model is told up to {STEPS_MAX} steps")
    telling = _Telling(trace, protocol, _cast(trace, protocol))
    start += telling.cells.beginning()
    yield from telling.moments(glossary)


def _cast(trace: Trace, protocol: Protocol) -> Recorded | _Spoken:
    if trace.instance is not None:
        return Recorded(trace, trace.instance, protocol)
    if unsaid := [s.name for s in protocol.rigid if s not in SAID]:
        raise TraceError(f"a trace of the model without an instance says nothing of: {', '.join(unsaid)}")
    for number, step in enumerate(trace.steps, 1):
        wanted = {"receipt", "to"} if step.action == "emit" else set()
        if missing := sorted(wanted - {*step.args}):
            raise TraceError(f"step {number}: {step.action} has no {missing[0]}")
    return _Spoken(trace, protocol)


@define(eq=False)
class _Spoken:
    """A trace whose steps say themselves what they were taken with."""

    trace: Trace
    protocol: Protocol
    scope: Scope = field(init=False)
    _cast: Cast = field(init=False)
    _receipts: list[str] = field(init=False)
    _headers: list[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._cast = Cast(self.trace)
        self.scope = self._cast.scope()
        self._receipts, self._headers = [*self._cast.receipts], [*self._cast.headers]

    def attempt(self, index: int) -> Taken | None:
        """The action of a step, and what it is taken with; nothing if the protocol has no such action."""
        step = self.trace.steps[index]
        action = next((a for a in self.protocol.actions if a.name == step.action), None)
        return None if action is None else (action, tuple(self._element(step, p) for p in action.parameters))

    def _element(self, step: Step, p: Term) -> int:
        """What a step takes an action with: by the name of the parameter, or of its sort."""
        sort, name = type(p), p.head.name
        if issubclass(sort, Shard):
            shard = step.args.get(name, step.at)
            if shard in self.trace.shards:
                return self.trace.shards.index(shard)
        elif issubclass(sort, Receipt):
            receipt = step.args.get(name, step.args.get("receipt", ""))
            if receipt in self._receipts:
                return self._receipts.index(receipt)
        elif issubclass(sort, Header):
            header = self._cast.header(step) if "header" in step.args else step.args.get(name, "")
            if header in self._headers:
                return len(self.trace.shards) + self._headers.index(header)
        elif issubclass(sort, Bool) and step.args.get(name) in ("0", "1"):
            return int(step.args[name])
        raise TraceError(f"the step does not say what {name} of {step.action} is")

    def name(self, sort: type[Term], value: int) -> str:
        """What a person calls an element."""
        if issubclass(sort, Bool):
            return "true" if value else "false"
        if issubclass(sort, Shard):
            return self.trace.shards[value]
        if issubclass(sort, Receipt | Key):
            return self._receipts[value] if value < len(self._receipts) else "a receipt"
        if issubclass(sort, Header):
            shards = self.trace.shards
            if value < len(shards):
                return f"the genesis of {shards[value]}"
            name = self._headers[value - len(shards)]
            return "a header that nobody produced" if name.startswith("null") else name
        return str(value)


@define(eq=False)
class _Telling:
    trace: Trace
    protocol: Protocol
    cast: Recorded | _Spoken
    generated: Generated = field(init=False)
    chronicle: Chronicle = field(init=False)
    cells: Cells = field(init=False)
    guards: Guards = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Where a trace says how far numbers go, they go no further.
        bounded = self.trace.instance is not None
        self.generated = Generated(self.protocol, self.cast.scope, bounded=bounded)
        start, name = self.generated.initial(), self.cast.name
        self.chronicle = Chronicle(self.generated.copy(start))
        self.cells = Cells(self.protocol, self.generated, start, name)
        self.guards = Guards(self.protocol, self.generated, self.chronicle, name, self.trace.steps)

    def moments(self, glossary: dict[str, str]) -> Iterator[Moment]:
        """One for each step."""
        for index, step in enumerate(self.trace.steps):
            try:
                yield self._moment(step, index)
            except TraceError as error:
                yield Moment(step, index, step.expected, astray=error.summary)
            except OutOfScope as cut:
                # Half of the step may have happened already, so of what follows nothing is known.
                rest = enumerate(self.trace.steps[index:], index)
                yield from (Moment(later, i, later.expected, astray=str(cut)) for i, later in rest)
                break
        glossary.update(self.cells.glossary)

    def _moment(self, step: Step, index: int) -> Moment:
        attempt = self.cast.attempt(index)
        if attempt is None:
            raise TraceError(f"this protocol has no action {step.action!r}")
        action, args = attempt
        self.chronicle.begin(index)
        guard = tuple(self.guards.clauses(action, args, index))
        self.generated.apply[action.name](self.chronicle.world, *args)
        refusing = next((c.refusal for c in guard if not c.holds), "")
        produced = next((a for p, a in zip(action.parameters, args, strict=True) if type(p) is Header), None)
        changes = self.cells.changes(self.chronicle, produced if action.name == "produce" else None)
        return Moment(
            step,
            index,
            f"refused, {refusing}" if refusing else "accepted",
            guard,
            tuple(changes),
            evidence=self._evidence(step),
        )

    def _evidence(self, step: Step) -> Evidence | None:
        if "evidence" not in step.args:
            return None
        of, _, within = step.args["evidence"].partition("@")
        proved = bool(within)
        return Evidence(
            step.args.get("receipt", ""),
            step.args.get("header", ""),
            of if proved else "",
            within,
            says=f"evidence that {within} commits to {of}" if proved else "no evidence",
        )
