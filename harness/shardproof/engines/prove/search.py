"""
Looking for a trace to a violation, in small worlds of every topology.

A trace that the solver finds is taken again by the plain reading, step by step, before
anybody hears of it: the two readings share no code, so a mistake in either is loud.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from attrs import frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Number, Term
from shardproof_models.layers.exactly_once import Header, genesis
from shardproof_properties.property import Property, Role

from ...errors import EXIT_BROKE, ShardproofError
from ...model_trace import trace_of
from ...readings.evaluate import Evaluator, Stepped
from ...readings.scope import Scope
from ...readings.smt import disj, negate
from ...series import Points
from ...trace import Search
from ...verdict import Finding, Kind
from .course import effort
from .unrolled import GaveUpError, Path, Unrolled

#: Elements of a sort; of headers, a genesis and one block a shard.
SIZE, HEADERS = 2, 4

#: The size of these worlds, in words.
ELEMENTS = f"{SIZE} shards, {SIZE} receipts and {HEADERS} headers"

#: What numbers may be. A step that would need a larger one is left out.
NUMBERS = range(5)

#: A topology that loses nothing: elements have no names yet.
_ANY: Mapping[str, Callable[..., int]] = {genesis.name: lambda s: s}


@frozen(eq=False)
class Violated:
    """A shortest trace to a violation: of the first sentence, and at the same step of the others."""

    properties: tuple[Property, ...]
    path: Path


@frozen(eq=False)
class Searched:
    """What a search for a violation did."""

    steps: int
    found: Violated | None = None
    gave_up: bool = False
    #: Whether some step was left out because a number would have left its range.
    cut: bool = False
    #: The size of the worlds and their topology, in words.
    where: str = ""
    #: For each length that was decided, what the solver had done by then, in its own unit.
    course: Points = ()

    @property
    def scope(self) -> str:
        """The traces of which it is known that they violate nothing."""
        cut = ", but for steps to numbers that are out of range" if self.cut else ""
        return f"every trace of up to {self.steps} steps with {self.where}{cut}"


class ReadingsDisagreeError(ShardproofError):
    """The solver found what the plain reading does not: one of them is wrong, and so may be any verdict."""

    exit_code = EXIT_BROKE

    def __init__(self, solver: object, evaluator: object) -> None:
        super().__init__(
            "two readings of the protocol disagree",
            expected=f"{solver}, says the solver",
            got=f"{evaluator}, says the evaluator",
            help="this is a defect of shardproof: please report it",
        )


def violation(
    protocol: Protocol,
    properties: tuple[Property, ...],
    depth: int,
    *,
    seed: int,
    timeout_ms: int,
    progress: Callable[[int], None] = lambda _: None,
    scope: Scope | None = None,
) -> Searched:
    """
    A shortest trace of up to `depth` steps that violates one of `properties`, of worlds or of steps.

    Searches every topology of a small size; or, which is much less, the one of a `scope`.
    """
    where = _small(protocol, _ANY) if scope is None else scope
    said = f"{ELEMENTS}, in every topology" if scope is None else scope.said
    traces = Unrolled(protocol, where, seed, timeout_ms)
    worlds, steps = (
        disj(
            negate(traces.translated(protocol.expand(p.formula)))
            for p in properties
            if (p.role is Role.STEP) is step
        )
        for step in (False, True)
    )
    cut, begin = False, effort()
    course: list[tuple[int, int]] = []
    for length in range(depth + 1):
        progress(length)
        if length:
            cut = cut or _may_cut(traces)
            traces.extend()
        wrong = [traces.last(worlds), *([traces.last(steps, step=True)] if length else [])]
        try:
            path = traces.find(disj(wrong))
        except GaveUpError:
            return Searched(max(length - 1, 0), None, True, cut, said, tuple(course))
        course.append((length, effort() - begin))
        if path is not None:
            violated = Violated(_violated(protocol, properties, path), path)
            return Searched(max(length - 1, 0), violated, False, cut, said, tuple(course))
    return Searched(depth, None, False, cut, said, tuple(course))


def _may_cut(traces: Unrolled) -> bool:
    """Whether a step is left out, or might be: what is said of the search must not be too much."""
    try:
        return traces.find(traces.last(traces.cut)) is not None
    except GaveUpError:
        return True


def _violated(protocol: Protocol, properties: tuple[Property, ...], path: Path) -> tuple[Property, ...]:
    """By the plain reading, what the last step of `path` violates."""
    evaluator = Evaluator(protocol, path.scope)
    before = world = evaluator.initial()
    for action, args in path.steps:
        outcome = evaluator.step(world, action, args)
        if not isinstance(outcome, Stepped):
            raise ReadingsDisagreeError(f"{action.name}{args} is accepted", outcome)
        before, world = world, outcome.world
    violated = tuple(
        p
        for p in properties
        if not (
            evaluator.value(protocol.expand(p.formula), before, {}, world)
            if p.role is Role.STEP
            else evaluator.value(protocol.expand(p.formula), world, {})
        )
    )
    if not violated:
        raise ReadingsDisagreeError("a violation", "none")
    return violated


def finding(protocol: Protocol, found: Violated, seed: int) -> Finding:
    """The violation, told with names."""
    first, *more = found.properties
    trace = trace_of(
        protocol, found.path.scope, found.path.steps, first, Search("prove", seed), shortest="proved"
    )
    return Finding(first.id, first.name, first.because, Kind.SAFETY, trace, tuple(p.name for p in more))


def _small(protocol: Protocol, rigid: Mapping[str, Callable[..., int]]) -> Scope:
    numbers: Collection[type[Term]] = {s.sort for s in protocol.symbols if issubclass(s.sort, Number)}
    sizes: dict[type[Term], int | range] = {s: HEADERS if s is Header else SIZE for s in protocol.sorts}
    return Scope({**sizes, **dict.fromkeys(numbers, NUMBERS)}, rigid, ELEMENTS)
