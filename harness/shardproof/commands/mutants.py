"""
Every known and generated mistake, and who notices it: the stacks and the engines put together.

Rows may come from more places than the model: `SOURCES` is the list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import GENERATED, NAMED, generated
from shardproof_models.stacks import STACKS
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property
from shardproof_properties.safety import REPEATABLE

from .. import selection
from ..engines.mutants import Budget, Fate, Judge, Row, Score, lemma_rows
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


def _generated(settings: Settings, context: Context) -> Iterator[Row]:
    """Of each stack: every small mistake, and the lemmas."""
    for name in (settings.stack,) if settings.stack else STACKS:
        protocol = selection.protocol(name, None)
        judge = _judge(settings, context, protocol)
        yield from judge.rows(generated(protocol))
        yield from lemma_rows(protocol, judge.properties, judge.solver, context.clock)


def _named(settings: Settings, context: Context) -> Iterator[Row]:
    """The record: each entry in the layers that it takes, which may be those of no stack."""
    judges: dict[Protocol, Judge] = {}
    for entry in NAMED.values():
        mistake = entry()
        right = mistake.right or selection.protocol(mistake.stack, None)
        if settings.stack in (None, right.name):
            if right not in judges:
                judges[right] = _judge(settings, context, right)
            yield from judges[right].rows((mistake,))


def _judge(settings: Settings, context: Context, protocol: Protocol) -> Judge:
    seed = settings.seed or 0
    solver = _Solver(seed, settings.solver_timeout_ms)

    def scopes(of: Protocol) -> tuple[Scope, ...]:
        sizes = SCOPES if settings.scope is None else ({**SCOPES[0], **settings.scope},)
        return tuple(scope_of(of, **size) for size in sizes)

    return Judge(protocol, properties_of(protocol), scopes, solver, context.clock, Budget(), seed)


#: Whatever has mistakes to show; each yields its rows.
SOURCES: Sequence[Callable[[Settings, Context], Iterator[Row]]] = (_generated, _named)


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
