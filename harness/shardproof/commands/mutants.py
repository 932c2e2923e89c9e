"""
Every known and generated mistake, and who notices it: the stacks and the engines put together.

Rows may come from more places than the model: `SOURCES` is the list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import cache, lru_cache
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import GENERATED, IN_BYTES_ONLY, NAMED, Kind, Mistake, generated, smallest
from shardproof_models.stacks import LAYERS, STACKS, composed
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property
from shardproof_properties.safety import REPEATABLE

from .. import selection
from ..engines.mutants import (
    Batch,
    Bounded,
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
from ..engines.prove.induction import Decision, Prover
from ..engines.prove.obligations import Obligation, obligations
from ..engines.prove.search import violation
from ..errors import UsageError
from ..readings.scope import Scope
from ..readings.scopes import scope_of
from ..readings.variants import VARIANTS
from ..render.text import counted
from ..settings import Settings
from ..verdict import INTERRUPTED, Verdict
from .context import Context, versions
from .faults import in_bytes
from .workers import crew

#: From the cheapest scope to the dearest, each plain or a variant: most need no more than one receipt.
SCOPES: Sequence[tuple[Mapping[str, int], str]] = (
    ({"shards": 2, "receipts": 1, "headers": 1}, ""),
    ({"shards": 1, "receipts": 1, "headers": 2}, ""),
    ({"shards": 2, "receipts": 2, "headers": 1}, ""),
    ({"shards": 2, "receipts": 2, "headers": 1}, "twins"),
    ({"shards": 2, "receipts": 2, "headers": 1}, "all home"),
    ({"shards": 2, "receipts": 3, "headers": 1}, "twins"),
    ({"shards": 2, "receipts": 3, "headers": 1}, "dear"),
    ({"shards": 2, "receipts": 2, "headers": 2}, ""),
    ({"shards": 3, "receipts": 2, "headers": 1}, ""),
    ({"shards": 2, "receipts": 3, "headers": 1}, "turned round"),
    ({"shards": 2, "receipts": 1, "headers": 2}, "impostors"),
)

#: What happened to somebody is a few steps away, and looked for by itself: less is asked of the protocol.
ON_RECORD = Budget(attempts=100_000)

#: Where walks go.
WALKED: Sequence[tuple[Mapping[str, int], str]] = (
    ({"shards": 2, "receipts": 3, "headers": 2}, ""),
    # Blocks enough for what takes several, one after the other, where nobody hands over to heirs meanwhile.
    ({"shards": 2, "receipts": 2, "headers": 4, "reserves": 0}, ""),
    ({"shards": 2, "receipts": 3, "headers": 1}, "twins"),
    ({"shards": 2, "receipts": 1, "headers": 2}, "impostors"),
    ({"shards": 2, "receipts": 4, "headers": 1}, "turned round"),
    ({"shards": 2, "receipts": 3, "headers": 4}, "brought home"),
)

#: The size of a protocol, in clauses and effects, from which walks in one scope have to do.
LARGE = 250

#: Mistakes that nobody has made: most were noticed before it comes to a search.
SEARCHED = Budget(attempts=60_000, attempts_most=200_000, pairs=20_000, pairs_most=100_000)

#: Processes that judge: one a core of a small machine, because each needs some memory.
WORKERS = 2


#: Protocols of which a process remembers what it has worked out, because each needs some memory.
JUDGES = 1


@frozen
class Mutants:
    """The answer of the command."""

    score: Score
    stacks: tuple[str, ...]
    seconds: float
    versions: Mapping[str, str]
    #: Whether it was asked for that every trace is a shortest one.
    certified: bool = False
    #: Whether somebody stopped it, so that not all of them were judged.
    interrupted: bool = False

    @property
    def traces(self) -> tuple[Row, ...]:
        """The rows that have a trace of which it can be asked whether it is a shortest one."""
        return tuple(row for row in self.score.rows if row.steps is not None)

    @property
    def uncertified(self) -> tuple[Row, ...]:
        """Those of them of which it is not known."""
        return tuple(row for row in self.traces if not row.shortest)

    @property
    def verdict(self) -> Verdict:
        """That of the score; what was asked for and is not known is inconclusive."""
        if self.interrupted or (self.certified and (self.uncertified or not self.traces)):
            return Verdict.worst((self.score.verdict, Verdict.INCONCLUSIVE))
        return self.score.verdict


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

    def violation(
        self, protocol: Protocol, properties: tuple[Property, ...], depth: int, scope: Scope | None = None
    ) -> Bounded:
        searched = violation(
            protocol, properties, depth, seed=self.seed, timeout_ms=self.timeout_ms, scope=scope
        )
        if searched.found is None:
            return Bounded(None, (), searched.scope, searched.steps)
        found = searched.found
        steps = tuple((action.name, args) for action, args in found.path.steps)
        return Bounded(found.properties[0], steps, searched.scope, searched.steps)


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

    def scopes(self, of: Protocol) -> tuple[Scope, ...]:
        """Where to look in a protocol."""
        if self.scope is not None:
            return (scope_of(of, **{**SCOPES[0][0], **dict(self.scope)}),)
        return _scopes(of, SCOPES)

    def walked(self, of: Protocol) -> tuple[Scope, ...]:
        """Where to take random walks in a protocol."""
        if self.scope is not None:
            return self.scopes(of)
        return _scopes(of, WALKED if _extent(of) <= LARGE else WALKED[:1])


def _scopes(of: Protocol, described: Sequence[tuple[Mapping[str, int], str]]) -> tuple[Scope, ...]:
    plain = [(scope_of(of, **sizes), variant) for sizes, variant in described]
    return tuple(VARIANTS[variant](of, scope) if variant else scope for scope, variant in plain)


@lru_cache(JUDGES)
def _judge(asked: Asked, protocol: Protocol, budget: Budget) -> Judge:
    solver = _Solver(asked.seed, asked.solver_timeout_ms)
    known = properties_of(protocol)
    return Judge(protocol, known, asked.scopes, asked.walked, solver, asked.clock, budget, asked.seed)


def _judged(asked: Asked, batch: Batch) -> tuple[Row, ...]:
    """A row for each of a batch of small mistakes and of lemmas, in the order of `batch.keys`."""
    name = batch.place.protocol
    protocol = _protocol(name)
    judge = _judge(asked, protocol, SEARCHED)
    known, lemmas = _mistakes(name), _lemmas(name)
    changes = [known[key] for key in batch.keys if key in known]
    names = [lemmas[key] for key in batch.keys if key in lemmas]
    rows = (
        *judge.rows(changes, batch.place.effort),
        *lemma_rows(protocol, judge.properties, judge.solver, asked.clock, names),
    )
    made = {(row.kind, row.id): row for row in rows}
    return tuple(made[key] for key in batch.keys)


def _on_record(asked: Asked, names: tuple[str, ...]) -> tuple[Row, ...]:
    """A row for each of some entries of the record, in the layers that they take."""
    mistakes = [NAMED[name]() for name in names]
    return tuple(row for m in mistakes for row in _judge(asked, _right(m), ON_RECORD).rows((m,)))


def _right(mistake: Mistake) -> Protocol:
    return mistake.right or selection.protocol(mistake.stack, None)


def on_record(settings: Settings, context: Context) -> Iterator[Row]:
    """What has happened to real systems, as far as the model knows it, and nothing else."""
    asked = Asked.by(settings, context)
    with crew(WORKERS) as workers:
        for future in _told(workers, asked, settings.stack):
            yield from future.result()


def _told(workers: Executor, asked: Asked, stack: str | None) -> Sequence[Future[tuple[Row, ...]]]:
    """The rows of the record, one protocol after the other."""
    record: dict[Protocol, list[str]] = {}
    for name, entry in NAMED.items():
        right = _right(entry())
        if stack in (None, right.name):
            record.setdefault(right, []).append(name)
    # The largest first: what takes longest must not begin last.
    largest = sorted(record, key=_extent, reverse=True)
    return [workers.submit(_on_record, asked, tuple(record[right])) for right in largest]


def in_the_model(settings: Settings, context: Context) -> Iterator[Row]:
    """Every small mistake in every stack, each lemma, and the record, by as many workers as there are."""
    asked = Asked.by(settings, context)
    cascade = _in(settings.stack) if settings.stack else _in_all()
    with crew(WORKERS) as workers:
        told = _told(workers, asked, settings.stack)
        judging: dict[Future[tuple[Row, ...]], Batch] = {}
        while True:
            # No more than there are workers: what comes back first may add to what waits.
            while len(judging) < WORKERS and (batch := cascade.take()) is not None:
                judging[workers.submit(_judged, asked, batch)] = batch
            if not judging:
                break
            done, _ = wait(judging, return_when=FIRST_COMPLETED)
            # In their order, not in that in which they came.
            for future in [f for f in judging if f in done]:
                cascade.judged(judging.pop(future), future.result())
        yield from cascade.rows()
        for future in told:
            yield from future.result()


def _in(stack: str) -> Cascade:
    """All that is in one stack, judged there."""
    return Cascade(dict.fromkeys((*_mistakes(stack), *_lemmas(stack)), (stack,)))


def _in_all() -> Cascade:
    """All that is in any stack, each judged where it is easiest to see."""
    stacks: dict[Key, list[str]] = {}
    trials: dict[Key, str] = {}
    for stack in sorted(STACKS, key=_size):
        protocol = _protocol(stack)
        for key, mistake in _mistakes(stack).items():
            if key not in stacks:
                tried = smallest(protocol, mistake).name
                if tried not in STACKS and key in _mistakes(tried):
                    trials[key] = tried
            stacks.setdefault(key, []).append(stack)
        for key in _lemmas(stack):
            stacks.setdefault(key, []).append(stack)
    return Cascade(stacks, trials, {name: _size(name) for name in STACKS})


@cache
def _mistakes(name: str) -> Mapping[Key, Mistake]:
    return {(m.kind, m.name): m for m in generated(_protocol(name))}


@cache
def _lemmas(name: str) -> Mapping[Key, str]:
    return {(Kind.LEMMA, title(x)): x for x in sentences(properties_of(_protocol(name)))}


def _protocol(name: str) -> Protocol:
    """The stack or the composition of that name."""
    return (
        composed(tuple(LAYERS[x] for x in name.split("+"))) if "+" in name else selection.protocol(name, None)
    )


def _size(name: str) -> int:
    return _extent(_protocol(name))


def _extent(protocol: Protocol) -> int:
    return sum(len(a.clauses) + len(a.effects) for a in protocol.actions)


#: Whatever has mistakes to show where no adapter is named; each yields its rows.
SOURCES: Sequence[Callable[[Settings, Context], Iterator[Row]]] = (in_the_model,)


def mutants(settings: Settings, context: Context, *, named: bool = False) -> Mutants:
    """Judge every mistake of every source; with `named`, of the record alone."""
    started = context.clock()
    rows: list[Row] = []
    # Not the adapter of a project: of that no mistakes are known.
    in_one = "adapter" in settings.given
    if in_one and (idle := [n for n in ("stack", "scope") if n in settings.given] + ["named"] * named):
        raise UsageError(
            f"--{idle[0]} means nothing here: the mistakes of an adapter are those in its bytes",
            got=f"--adapter {settings.adapter} and --{idle[0]}",
            help="leave one of the two out",
        )
    sources = (in_bytes,) if in_one else (on_record,) if named else SOURCES
    interrupted = False
    with context.progress.running("mutants") as progress:
        try:
            for source in sources:
                for row in source(settings, context):
                    rows.append(row)
                    killed = sum(r.fate is Fate.KILLED for r in rows)
                    progress({"mistakes": len(rows), "noticed": killed})
        except KeyboardInterrupt:
            if not rows:
                raise
            interrupted = True
    stacks = () if in_one else (settings.stack,) if settings.stack else tuple(STACKS)
    certified = settings.certify is not None
    return Mutants(Score.of(rows), stacks, context.clock() - started, versions(), certified, interrupted)


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
        **_certified(answer),
        **({"inconclusive": ((INTERRUPTED, "what was judged until then"),)} if answer.interrupted else {}),
        "mutation score": ((str(answer.score), f"in {answer.seconds:.1f} s"),),
    }


def _certified(answer: Mutants) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """How many of the traces are shortest ones, and of what there is none."""
    if not answer.certified:
        return {}
    traces, left = len(answer.traces), len(answer.uncertified)
    # Those of another stack, or of an adapter, are somebody else's question.
    other = () if answer.stacks != tuple(STACKS) else tuple(_in_bytes_only())
    without = tuple(
        (row.id, f"no trace: {row.reason}")
        for row in answer.score.rows
        if row.steps is None and row.fate is Fate.KILLED
    )
    said = f"{traces - left} of {traces} shortest traces proved"
    return {
        said: tuple(
            (row.id, f"{counted(row.steps or 0, 'step')}, perhaps not the fewest")
            for row in answer.uncertified
        )
        or (("every shorter trace was searched", "breadth first, or by bounded model checking"),),
        **({"without a trace to certify": (*without, *other)} if without or other else {}),
    }


def _in_bytes_only() -> Iterator[tuple[str, str]]:
    for name, broken in IN_BYTES_ONLY.items():
        yield name, f"not relational: only bytes show it ({', '.join(broken)}), see --adapter"


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
        "verdict": answer.verdict.value,
        "exit_code": answer.verdict.exit_code,
        "stacks": list(answer.stacks),
        "interrupted": answer.interrupted,
        "score": {
            "mistakes": score.mistakes,
            **{fate.value.replace(" ", "_"): score.count(fate) for fate in Fate},
        },
        "shortest": {"traces": len(answer.traces), "proved": len(answer.traces) - len(answer.uncertified)},
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
