"""
The story of a trace of the model alone: its steps are actions, and nobody's answer was asked for.

Such a trace may be of a protocol with a mistake. It is told by the sound one: where that refuses a
step, the guard says by which clause, and the facts go on as if it had been taken, as it was.

A trace has the ends of a receipt, and not its deadline, amount or channel. So where the layers have
more to a receipt than its ends, its steps are told without what the model held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import define, field

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Term
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard

from ..errors import TraceError
from ..model_replay import STEPS_MAX, Cast
from ..readings.generated import Generated
from ..trace import Step, Trace
from .cells import Cells
from .chronicle import Chronicle
from .guards import Guards
from .told import Evidence, Fact, Moment

#: The rigid symbols that a trace says the values of.
_SAID = frozenset({"source", "destination", "key", "origin", "genesis"})


def moments(
    trace: Trace, protocol: Protocol, glossary: dict[str, str], start: list[Fact]
) -> Iterator[Moment]:
    """
    One for each step; what holds before the first goes to `start`.

    Raises `TraceError` where it cannot be told what the trace means.
    """
    unsaid = [s.name for s in protocol.rigid if s.name not in _SAID]
    if unsaid:
        raise TraceError(f"a trace of the model says nothing of: {', '.join(unsaid)}")
    if len(trace.steps) > STEPS_MAX:
        raise TraceError(f"a trace of the model is told up to {STEPS_MAX} steps")
    for number, step in enumerate(trace.steps, 1):
        wanted = {"receipt", "to"} if step.action == "emit" else set()
        if missing := sorted(wanted - {*step.args}):
            raise TraceError(f"step {number}: {step.action} has no {missing[0]}")
    cast = Cast(trace)
    generated = Generated(protocol, cast.scope(), bounded=False)
    telling = _Telling(trace, protocol, cast, generated)
    start += telling.cells.beginning()
    yield from telling.moments(glossary)


@define(eq=False)
class _Telling:
    trace: Trace
    protocol: Protocol
    cast: Cast
    generated: Generated
    chronicle: Chronicle = field(init=False)
    cells: Cells = field(init=False)
    guards: Guards = field(init=False)
    _actions: Mapping[str, Action] = field(init=False)
    _receipts: list[str] = field(init=False)
    _headers: list[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        start = self.generated.initial()
        self.chronicle = Chronicle(self.generated.copy(start))
        self.cells = Cells(self.protocol, self.generated, start, self._name)
        self.guards = Guards(self.protocol, self.generated, self.chronicle, self._name, self.trace.steps)
        self._actions = {action.name: action for action in self.protocol.actions}
        self._receipts, self._headers = [*self.cast.receipts], [*self.cast.headers]

    def moments(self, glossary: dict[str, str]) -> Iterator[Moment]:
        """One for each step."""
        for index, step in enumerate(self.trace.steps):
            try:
                yield self._moment(step, index)
            except TraceError as error:
                yield Moment(step, index, step.expected, astray=error.summary)
        glossary.update(self.cells.glossary)

    def _moment(self, step: Step, index: int) -> Moment:
        if step.action not in self._actions:
            raise TraceError(f"this protocol has no action {step.action!r}")
        action = self._actions[step.action]
        args = tuple(self._element(step, p) for p in action.parameters)
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
            header = self.cast.header(step) if "header" in step.args else step.args.get(name, "")
            if header in self._headers:
                return len(self.trace.shards) + self._headers.index(header)
        elif issubclass(sort, Bool) and step.args.get(name) in ("0", "1"):
            return int(step.args[name])
        raise TraceError(f"the step does not say what {name} of {step.action} is")

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

    def _name(self, sort: type[Term], value: int) -> str:
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
