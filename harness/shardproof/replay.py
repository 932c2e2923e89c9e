"""
Running a saved trace again, on any adapter that has the capabilities it needs.

No search, no Hypothesis, no numbers: the steps are taken as they stand. A step whose
subject is not there (a receipt that this system would not emit) cannot be taken, and then
the answer is inconclusive, never "holds".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve, frozen

from shardproof_models.stacks import composed, layers_for

from . import __version__
from .adapter import CAPABILITIES, AdapterFactory, Topology, capabilities
from .deeds import DEEDS
from .errors import TraceError, UsageError
from .explanation import explained, room_for
from .judge import Wrong
from .moves import Act, Deliver, Emit, Finalise, Forged, Learn, Move, Restart, Revert, move_of
from .oracle import Oracle
from .runs import Bench, Found, made, trace_of
from .shortest import certified_trace
from .shrink import Shrinker
from .together import Together
from .trace import NOT_ESTABLISHED, Step, Trace, Violation
from .verdict import Verdict

#: A trace longer than this is not one that a person can read, nor one that we wrote.
STEPS_MAX = 100_000

#: The capability that a move needs.
NEEDED: dict[type, str] = {Learn: "learn", Finalise: "finalise", Revert: "revert", Restart: "restart"}


@frozen
class Replayed:
    """What came of running a trace again."""

    verdict: Verdict
    #: Whether the same property was violated.
    reproduced: bool
    summary: str
    #: The steps as they went this time.
    trace: Trace


def bench_for(make: AdapterFactory, trace: Trace, moves: tuple[Move, ...]) -> Bench:
    """A bench with room for `moves`, and for variations of them."""
    adapter, shards = made(make), trace.shards
    protocol = composed(layers_for(capabilities(adapter), adapter.stack))
    oracle = Oracle.for_run(protocol, len(shards), room_for(moves), reserve=trace.reserve)
    return Bench(adapter, oracle, Topology(shards, trace.reserve))


def moves_of(trace: Trace) -> tuple[Move, ...]:
    """The steps of a trace as moves. Raises `TraceError`."""
    if len(trace.steps) > STEPS_MAX:
        raise TraceError(
            f"a trace of {len(trace.steps):,} steps is too long to replay",
            expected=f"at most {STEPS_MAX:,} steps",
        )
    if len(trace.shards) < 2 or len(set(trace.shards)) < len(trace.shards):
        raise TraceError(
            "a trace needs two shards or more, each with a name of its own", got=", ".join(trace.shards)
        )
    return tuple(
        move_of(step, trace.shards, f"step {number}: ") for number, step in enumerate(trace.steps, 1)
    )


def replay(make: AdapterFactory, name: str, trace: Trace) -> Replayed:
    """Take the steps of `trace` again. Raises `UsageError` where the adapter lacks what they need."""
    moves = moves_of(trace)
    bench = bench_for(make, trace, moves)
    try:
        _must_be_able(bench, name, moves)
        steps, wrong, taken = bench.record(moves)
        replayed = _replayed(bench, name, trace, moves, steps, wrong, taken)
        return evolve(replayed, trace=explained(bench, replayed.trace))
    finally:
        bench.close()


def _replayed(
    bench: Bench,
    name: str,
    trace: Trace,
    moves: Sequence[Move],
    steps: tuple[Step, ...],
    wrong: Wrong | None,
    taken: Sequence[int],
) -> Replayed:
    again = evolve(
        trace,
        adapter=name,
        layers=tuple(x.name for x in bench.oracle.protocol.layers),
        steps=steps,
        versions={"shardproof": __version__},
    )
    if wrong is None or wrong.property != trace.property or name != trace.adapter:
        # What the file says of shorter traces, it says of this property on that system.
        again = evolve(again, shortest=NOT_ESTABLISHED, certificate=None)
    if wrong is not None:
        violation = Violation(len(steps) - 1, wrong.expected, wrong.actual, wrong.clause, wrong.differs)
        reproduced = wrong.property == trace.property
        if reproduced:
            summary = f"reproduced: {wrong.property} is violated at step {len(steps)}"
        elif not trace.property:
            summary = f"{wrong.property} is violated at step {len(steps)}"
        else:
            summary = f"another property is violated: {wrong.property} at step {len(steps)}, "
            summary += f"not {trace.property}"
        again = evolve(
            again, property=wrong.property, property_id=wrong.id, because=wrong.because, violation=violation
        )
        return Replayed(Verdict.VIOLATED, reproduced, summary, again)
    again = evolve(again, violation=None)
    void = len(moves) - len(taken)
    missed = "not reproduced: " if trace.property else ""
    if void or not moves:
        first = next((i for i in range(len(moves)) if i not in set(taken)), 0)
        said = (
            f"{void} of {len(moves)} steps could not be taken (the first is step {first + 1})"
            if moves
            else "the trace has no steps"
        )
        return Replayed(Verdict.INCONCLUSIVE, False, f"{missed.replace(': ', ', and ')}{said}", again)
    return Replayed(Verdict.HOLDS, False, f"{missed}all {len(moves)} steps went as the model says", again)


def differences(systems: Sequence[tuple[str, AdapterFactory]], trace: Trace) -> Replayed:
    """Ask all systems again what `trace` has them asked. Raises `UsageError` if they cannot be compared."""
    moves = moves_of(trace)
    together = Together.of(systems, Topology(trace.shards, trace.reserve), 2 * len(moves))
    try:
        found = together.first(moves)
        if found is not None:
            again = together.trace(found, trace.search)
            reproduced = again.property == trace.property
            said = f"they differ at step {len(again.steps)}: {again.property}"
            summary = f"reproduced: {said}" if reproduced else f"{said}, and not {trace.property}"
            return Replayed(Verdict.VIOLATED, reproduced, summary, again)
        steps, _, taken = together.benches[0].record(moves)
    finally:
        together.close()
    again = evolve(trace, adapter=" and ".join(together.names), steps=steps, violation=None)
    if len(taken) < len(moves):
        said = f"{len(moves) - len(taken)} of {len(moves)} steps could not be taken"
        return Replayed(Verdict.INCONCLUSIVE, False, f"not reproduced, and {said}", again)
    return Replayed(
        Verdict.HOLDS, False, f"not reproduced: all {len(moves)} steps went the same everywhere", again
    )


def shrink(make: AdapterFactory, name: str, trace: Trace, certify: int | None = None) -> Trace:
    """
    A shorter trace with the same finding, or the same one; in up to `certify` moves, with a certificate.

    Raises `UsageError` if it does not reproduce.
    """
    moves = moves_of(trace)
    bench = bench_for(make, trace, moves)
    try:
        _must_be_able(bench, name, moves)
        found = bench.first(moves)
        if found is None or trace.property not in ("", found.wrong.property):
            raise UsageError(
                f"this trace does not violate {trace.property or 'anything'} on {name}",
                got=f"a violation of {found.wrong.property}" if found else "no violation",
                help="replay it first: shardproof replay shows what becomes of each step",
            )
        shorter: Found = Shrinker(bench).shrink(found)
        again = trace_of(bench, name, shorter, trace.search, {"shardproof": __version__})
        if certify is not None:
            again, _ = certified_trace(bench, shorter, again, certify)
        return explained(bench, again)
    finally:
        bench.close()


def verbs_of(move: Move) -> Iterator[str]:
    """The capabilities that a move needs."""
    match move:
        case Act():
            yield move.deed
            if DEEDS[move.deed].evidence in CAPABILITIES:
                yield DEEDS[move.deed].evidence
        case Deliver():
            if move.again:
                yield "reenter"
            if move.fails:
                yield "deliver_failing"
            if move.inner:
                yield "nest"
        case Emit() if move.terms is not None:
            yield "send"
            if move.terms.takeover:
                yield "takeover"
        case _ if type(move) in NEEDED:
            yield NEEDED[type(move)]
    if isinstance(move, Deliver | Act):
        if isinstance(move.receipt, Forged):
            yield "forge"
        if move.damage is not None and move.damage.part == "path":
            yield "dissect"


def _must_be_able(bench: Bench, name: str, moves: tuple[Move, ...]) -> None:
    needed = {verb for move in moves for verb in verbs_of(move)}
    if missing := sorted(needed - bench.lock.able):
        raise UsageError(
            f"the adapter {name} cannot take the steps of this trace",
            expected=f"the capabilities {', '.join(sorted(needed))}",
            got=f"no {', '.join(missing)}",
            help="a capability is a verb that the adapter overrides: harness/README.md",
        )
