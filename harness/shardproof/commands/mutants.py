"""
Every known and generated mistake, and who notices it: the stacks and the engines put together.

Rows may come from more places than the model: `SOURCES` is the list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from functools import cache
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import GENERATED, NAMED, Kind, Mistake, generated
from shardproof_models.stacks import STACKS
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property
from shardproof_properties.safety import REPEATABLE

from .. import selection
from ..engines.mutants import (
    Batch,
    Budget,
    Cascade,
    Fate,
    Judge,
    Key,
    Row,
    Score,
    lemma_rows,
    sentences,
    title,
)
from ..engines.mutants.equivalence import Claim
from ..engines.mutants.judge import Bounded
from ..engines.prove.induction import Decision, Prover
from ..engines.prove.obligations import Obligation, obligations
from ..engines.prove.search import violation
from ..readings.scope import Scope
from ..readings.scopes import scope_of
from ..render.text import counted
from ..settings import Settings
from .context import Context, versions

#: From the cheapest scope to the dearest: most mistakes need no more than one receipt.
SCOPES: Sequence[Mapping[str, int]] = (
    {"shards": 2, "receipts": 1, "headers": 1},
    {"shards": 1, "receipts": 1, "headers": 2},
    {"shards": 2, "receipts": 2, "headers": 1},
)

#: What happened to somebody has to be found, and in the fewest steps.
ON_RECORD = Budget(attempts=2_500_000)

#: Processes that judge. What they share is little, and what each needs is memory: one a core of a small machine.
WORKERS = 2


@frozen
class Mutants:
    """The answer of the command."""

    score: Score
    stacks: tuple[str, ...]
    seconds: float
    versions: Mapping[str, str]


@define
class _Solver:
    """What the prover is asked for."""

    seed: int
    timeout_ms: int
    _prover: Prover = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._prover = Prover(self.seed, self.timeout_ms)

    def proves(self, claim: Claim) -> bool:
        return self._prover.matched(_obligation(claim))

    def refutes(self, claim: Claim) -> bool:
        return self._prover.decide(_obligation(claim)) is Decision.REFUTED

    def claims(self, protocol: Protocol, properties: tuple[Property, ...]) -> Sequence[Claim]:
        return [
            Claim(o.name, o.hypotheses, o.goal, o.guard)
            for o in obligations(protocol, properties, REPEATABLE)
        ]

    def violation(self, protocol: Protocol, properties: tuple[Property, ...], depth: int) -> Bounded:
        searched = violation(protocol, properties, depth, seed=self.seed, timeout_ms=self.timeout_ms)
        if searched.found is None:
            return Bounded(None, scope=searched.scope)
        path = searched.found.path
        return Bounded(searched.found.properties[0], tuple((a.name, args) for a, args in path.steps))


def _obligation(claim: Claim) -> Obligation:
    return Obligation(claim.name, claim.hypotheses, claim.goal, None, None, claim.guard)


# ---- where rows come from ----------------------------------------------------------------------------


@frozen
class Asked:
    """What every row depends on besides the mistake: enough for another process to make the same one."""

    clock: Callable[[], float]
    seed: int
    solver_timeout_ms: int
    #: One scope instead of the usual ones, by its sizes.
    scope: tuple[tuple[str, int], ...] | None

    @classmethod
    def by(cls, settings: Settings, context: Context) -> Asked:
        """What these settings ask for."""
        scope = None if settings.scope is None else tuple(sorted(settings.scope.items()))
        return cls(context.clock, settings.seed or 0, settings.solver_timeout_ms, scope)

    def scopes(self, of: Protocol, sizes: Mapping[str, int]) -> tuple[Scope, ...]:
        """Where to look in a protocol."""
        if self.scope is not None:
            return (scope_of(of, **{**SCOPES[0], **dict(self.scope)}),)
        return tuple(scope_of(of, **size) for size in ((sizes,) if sizes else SCOPES))


@cache
def _judge(asked: Asked, protocol: Protocol, budget: Budget) -> Judge:
    solver = _Solver(asked.seed, asked.solver_timeout_ms)
    return Judge(protocol, properties_of(protocol), asked.scopes, solver, asked.clock, budget, asked.seed)


def _judged(asked: Asked, batch: Batch) -> tuple[Row, ...]:
    """A row for each of a batch of small mistakes and of lemmas, in that order of `batch.keys`."""
    protocol = selection.protocol(batch.stack, None)
    judge = _judge(asked, protocol, Budget())
    known = {(m.kind, m.name): m for m in generated(protocol)}
    lemmas = {(Kind.LEMMA, title(name)): name for name in sentences(judge.properties)}
    rows: dict[Key, Row] = {}
    changes = [known[key] for key in batch.keys if key in known]
    rows |= {(row.kind, row.id): row for row in judge.rows(changes, none=batch.none, bounded=batch.first)}
    names = [lemmas[key] for key in batch.keys if key in lemmas]
    found = lemma_rows(protocol, judge.properties, judge.solver, asked.clock, names)
    rows |= {(row.kind, row.id): row for row in found}
    return tuple(rows[key] for key in batch.keys)


def _on_record(asked: Asked, names: tuple[str, ...]) -> tuple[Row, ...]:
    """A row for each of some entries of the record, in the layers that they take."""
    mistakes = [NAMED[name]() for name in names]
    return tuple(row for m in mistakes for row in _judge(asked, _right(m), ON_RECORD).rows((m,)))


def _right(mistake: Mistake) -> Protocol:
    return mistake.right or selection.protocol(mistake.stack, None)


def in_the_model(settings: Settings, context: Context) -> Iterator[Row]:
    """Every small mistake in every stack, each lemma, and the record, by as many workers as there are."""
    asked = Asked.by(settings, context)
    stacks = (settings.stack,) if settings.stack else tuple(sorted(STACKS, key=_size))
    cascade = Cascade(_places(stacks))
    record: dict[Protocol, list[str]] = {}
    for name, entry in NAMED.items():
        right = _right(entry())
        if settings.stack in (None, right.name):
            record.setdefault(right, []).append(name)
    with ProcessPoolExecutor(WORKERS) as workers:
        waiting = {workers.submit(_judged, asked, batch): batch for batch in cascade.begin()}
        told = [workers.submit(_on_record, asked, tuple(names)) for names in record.values()]
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            # In their order, not in that in which they came, because what comes next depends on it.
            for future in [f for f in waiting if f in done]:
                batch, rows = waiting.pop(future), future.result()
                waiting |= {workers.submit(_judged, asked, b): b for b in cascade.go_on(batch, rows)}
        yield from cascade.rows()
        for future in told:
            yield from future.result()


def _places(stacks: Sequence[str]) -> dict[Key, list[str]]:
    """Of each mistake, the stacks that have it, in this order."""
    places: dict[Key, list[str]] = {}
    for stack in stacks:
        protocol = selection.protocol(stack, None)
        lemmas = ((Kind.LEMMA, title(name)) for name in sentences(properties_of(protocol)))
        for key in (*((m.kind, m.name) for m in generated(protocol)), *lemmas):
            places.setdefault(key, []).append(stack)
    return places


def _size(stack: str) -> int:
    return sum(len(a.clauses) + len(a.effects) for a in selection.protocol(stack, None).actions)


#: Whatever has mistakes to show; each yields its rows.
SOURCES: Sequence[Callable[[Settings, Context], Iterator[Row]]] = (in_the_model,)


def mutants(settings: Settings, context: Context) -> Mutants:
    """Judge every mistake of every source."""
    started = context.clock()
    rows: list[Row] = []
    with context.progress.running("mutants") as progress:
        for source in SOURCES:
            for row in source(settings, context):
                rows.append(row)
                killed = sum(r.fate is Fate.KILLED for r in rows)
                progress({"mistakes": len(rows), "noticed": killed})
    stacks = (settings.stack,) if settings.stack else tuple(STACKS)
    return Mutants(Score.of(rows), stacks, context.clock() - started, versions())


# ---- how it looks ------------------------------------------------------------------------------------


def sections(answer: Mutants) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The table by fate, survivors first, and the score."""
    by_fate = {fate: [row for row in answer.score.rows if row.fate is fate] for fate in Fate}
    return {
        **{
            f"{fate.value}: {len(rows)}": tuple((row.subject, _said(row)) for row in rows)
            for fate, rows in by_fate.items()
            if rows
        },
        "mutation score": ((str(answer.score), f"in {answer.seconds:.1f} s"),),
    }


def _said(row: Row) -> str:
    told = [row.id if row.source == GENERATED else f"{row.id} [{row.source}]"]
    if row.property:
        told.append(f"noticed by {row.property} ({row.engine})")
    if row.steps is not None:
        told.append(f"{counted(row.steps, 'step')}, {'' if row.shortest else 'perhaps not '}the fewest")
    if row.reason:
        told.append(row.reason)
    return f"{'; '.join(told)}; {row.seconds:.2f} s"


def as_json(answer: Mutants) -> dict[str, Any]:
    """The object that `--json` prints."""
    score = answer.score
    return {
        "command": "mutants",
        "verdict": score.verdict.value,
        "exit_code": score.verdict.exit_code,
        "stacks": list(answer.stacks),
        "score": {
            "mistakes": score.mistakes,
            **{fate.value.replace(" ", "_"): score.count(fate) for fate in Fate},
        },
        "rows": [
            {
                "id": row.id,
                "subject": row.subject,
                "kind": row.kind.value,
                "source": row.source,
                "fate": row.fate.value,
                "property": row.property or None,
                "property_id": row.property_id or None,
                "engine": row.engine or None,
                "steps": row.steps,
                "shortest": row.shortest,
                "trace": list(row.trace),
                "reason": row.reason,
                "seconds": round(row.seconds, 3),
            }
            for row in score.rows
        ],
        "seconds": round(answer.seconds, 3),
        "versions": dict(answer.versions),
    }
