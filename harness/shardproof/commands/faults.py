"""
The mistakes that are known of a reference shard, each looked for by fuzzing alone.

A row says what `mutants` says of a mistake in the model: who noticed, in how many steps, and
whether that is as few as is known. The search is not told what to look for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from shardproof_models.mistakes import Kind

from ..adapters.faulty import CONTROLS, FAULTS, Fault
from ..engines.fuzz import Plan, fuzz
from ..engines.mutants import Fate, Row
from ..errors import UsageError, nearest
from ..render.text import counted
from ..settings import Settings
from ..trace import PROVED, Step
from .context import Context

#: Beyond what any mistake has needed.
STEPS_MAX = 100_000

#: What a control is tried with.
CONTROL_STEPS = 30_000


def in_bytes(settings: Settings, context: Context) -> Iterator[Row]:
    """A row for each mistake, and each control, that is made from the adapter of the settings."""
    for fault in faults_of(settings.adapter or ""):
        yield row_of(fault, settings.seed or 0, context, settings.certify)


def faults_of(adapter: str) -> Sequence[Fault]:
    """What is known of a reference, by name. Raises `UsageError` if that is nothing."""
    known = (*FAULTS.values(), *CONTROLS.values())
    chosen = [fault for fault in known if fault.reference == adapter]
    if not chosen:
        raise UsageError(
            f"no mistakes are known that are made from the adapter {adapter!r}",
            expected="a reference; without --adapter, the mistakes in the model are judged",
            help=nearest(adapter, {fault.reference for fault in known}),
        )
    return chosen


def row_of(fault: Fault, seed: int, context: Context, certify: int | None = None) -> Row:
    """What becomes of one of them in a search from one seed; with `certify`, all shorter runs are run too."""
    plan = Plan(seed, steps=STEPS_MAX if fault.violates else CONTROL_STEPS, certify=certify)
    report = fuzz(fault.factory, f"faulty:{fault.name}", plan, clock=context.clock)
    noticed = [f for f in report.findings if f.property == fault.violates or not fault.violates]
    row = Row(
        " ".join((*fault.corpus, fault.name)),
        fault.reference,
        Kind.NAMED,
        fault.source,
        Fate.SURVIVED if fault.violates else Fate.PASSED,
        reason=f"{fault.violates or 'nothing'} found in {report.work['steps']:,} steps",
        seconds=report.seconds,
    )
    if not noticed:
        return evolve(row, reason=f"no {row.reason}") if fault.violates else row
    finding = noticed[0]
    steps = len(finding.trace.steps)
    return evolve(
        row,
        fate=Fate.KILLED if fault.violates else Fate.FLAGGED,
        property=finding.property,
        property_id=finding.id,
        engine="fuzz",
        steps=steps,
        shortest=steps == 1 or finding.trace.shortest == PROVED,
        trace=tuple(_told(step) for step in finding.trace.steps),
        reason="; ".join(_against_what_is_known(fault, steps)),
    )


def _against_what_is_known(fault: Fault, steps: int) -> Iterator[str]:
    if steps > fault.shortest:
        yield f"known in {counted(fault.shortest, 'step')}"
    if fault.differs:
        on_record = "" if fault.recorded is None else f"{counted(fault.recorded, 'step')} on record: "
        yield f"{on_record}{fault.differs}"


def _told(step: Step) -> str:
    return f"{step.action}({', '.join([step.at, *(f'{name}={x}' for name, x in step.args.items())])})"
