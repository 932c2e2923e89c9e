"""
The story as data for the script of the page: strings that are clean already, and numbers.

What is said often (facts, clauses) is said once and referred to by its number: of a trace of
thousands of steps only what changes is written at each.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from attrs import define, field

from ...story.told import NOWHERE, Change, Clause, Fact, Moment, Story
from ...trace import Step, Trace
from .. import diagram
from .markup import clean
from .tree import drawn

#: Who changes what is carried: a lane of its own, where somebody does.
ADVERSARY = "adversary"

#: Lanes that are drawn: of more, a picture says nothing.
LANES_MAX = 60

_NAME = 60

T = TypeVar("T", bound=Hashable)


@define
class _Numbered(Generic[T]):
    """Things in the order in which they were first seen."""

    numbers: dict[T, int] = field(factory=dict)

    def __call__(self, thing: T) -> int:
        return self.numbers.setdefault(thing, len(self.numbers))


def content(story: Story) -> dict[str, Any]:
    """
    All that the script needs of a story.

    `lanes`: names and kinds. `homes`: where facts belong. `facts`: [home, text, number of its
    meaning or -1]. `clauses`: [refusal, text, numbers of meanings]. `meanings`: sentences.
    `steps`: see `_step`. `open`: the index of the step to begin with.
    """
    trace = story.trace
    facts, clauses, meanings = (
        _Numbered[Fact](),
        _Numbered[tuple[str, str, tuple[str, ...]]](),
        _Numbered[str](),
    )
    lanes = lanes_of(trace)
    steps = [_step(story, moment, lanes, facts, clauses) for moment in story.moments]
    homes = _Numbered[str]()
    for shard in trace.shards:
        homes(shard)
    told_facts = [
        [
            homes(f.shard),
            clean(str(f), 200),
            meanings(story.glossary[f.symbol]) if f.symbol in story.glossary else -1,
        ]
        for f in facts.numbers
    ]
    told_clauses = [
        [clean(r, 200), clean(t), [meanings(m) for m in means]] for r, t, means in clauses.numbers
    ]
    return {
        "lanes": [{"name": clean(name, _NAME), "kind": kind} for name, kind in lanes],
        "homes": [clean(name, _NAME) if name != NOWHERE else "everywhere" for name in homes.numbers],
        "facts": told_facts,
        "clauses": told_clauses,
        "meanings": [clean(text) for text in meanings.numbers],
        "steps": steps,
        "open": len(steps) - 1 if trace.violation is None else min(trace.violation.step, len(steps) - 1),
    }


# ---- who takes part -----------------------------------------------------------------------------------


def tampered(step: Step) -> bool:
    """Whether what is shown at this step was forged, or damaged on its way."""
    args = step.args
    return (
        "damage" in args
        or args.get("receipt", "").startswith("forged")
        or args.get("header") == "null"
        or step.action == "forge_header"
    )


def ends(trace: Trace, step: Step) -> tuple[str, str]:
    """The kinds and names of the lanes where a step begins and ends, as `kind:name`."""
    place = f"shard:{step.at}"
    origin, target = diagram.ends(trace, step, place)
    if not tampered(step):
        return _carried(origin, diagram.RELAYER), _carried(target, diagram.RELAYER)
    return (
        (f"{ADVERSARY}:", place)
        if origin == target
        else (_carried(origin, ADVERSARY), _carried(target, ADVERSARY))
    )


def _carried(end: str, carrier: str) -> str:
    return f"{carrier}:" if end == diagram.RELAYER else end


def lanes_of(trace: Trace) -> list[tuple[str, str]]:
    """The lanes that are used, from left to right: each a name and a kind."""
    used = {end for step in trace.steps for end in ends(trace, step)}
    places = dict.fromkeys((*trace.shards, *(step.at for step in trace.steps)))
    shards = [(name, "shard") for name in places if f"shard:{name}" in used]
    carriers = [(kind, kind) for kind in (diagram.RELAYER, ADVERSARY) if f"{kind}:" in used]
    return [*shards[:1], *carriers, *shards[1:]][:LANES_MAX]


def way(trace: Trace, step: Step) -> str:
    """`relayer → B`, or `A` where nothing is carried."""
    names = [clean(end.partition(":")[2], _NAME) or end.partition(":")[0] for end in ends(trace, step)]
    return names[0] if names[0] == names[1] else f"{names[0]} → {names[1]}"


# ---- what happens -------------------------------------------------------------------------------------


def answers(story: Story, index: int) -> list[tuple[str, str]]:
    """Who says what about a step: the model and the system, or the systems that differ."""
    trace, moment = story.trace, story.moments[index]
    step, violation = moment.step, trace.violation
    # What the model answered then counts; it is asked again only where nobody wrote that down.
    expected, actual = step.expected or moment.model, step.actual
    if violation is not None and violation.step == index:
        expected, actual = violation.expected or expected, violation.actual or actual
        if trace.of_several():
            return [_named(expected, "one system"), _named(actual, "the others")]
    if expected == "either":
        expected = "either is right"
    return [(name, said) for name, said in (("model", expected), ("system", actual)) if said]


def _named(answer: str, otherwise: str) -> tuple[str, str]:
    """An answer with the name of its system before it, as two; of several systems, as it is."""
    name, colon, said = answer.partition(": ")
    return (clean(name, _NAME), said) if colon and "; " not in said else (otherwise, answer)


def _step(
    story: Story,
    moment: Moment,
    lanes: list[tuple[str, str]],
    facts: _Numbered[Fact],
    clauses: _Numbered[tuple[str, str, tuple[str, ...]]],
) -> dict[str, Any]:
    """
    One step, without what would be empty.

    `from`, `to`: numbers of lanes; `way`, `label`: as words; `answers`: [who, what] each; `wrong`:
    whether it is where the trace goes wrong; `guard`: [clause, holds, since, story] each; `delta`:
    [fact before, fact after] each, -1 for none; `evidence`: as in `tree.py`.
    """
    trace, step = story.trace, moment.step
    origin, target = (_lane(end, lanes) for end in ends(trace, step))
    wrong = trace.violation is not None and trace.violation.step == moment.index
    told: dict[str, Any] = {
        "from": origin,
        "to": target,
        "way": way(trace, step),
        "label": clean(diagram.label(step), 300),
        "names": [clean(step.args[key], _NAME) for key in ("receipt", "header") if key in step.args],
        "answers": [[who, clean(what)] for who, what in answers(story, moment.index)],
        "wrong": wrong,
        "tampered": tampered(step),
        "changed": [clean(text) for text in step.changed],
        "guard": [_clause(clause, clauses) for clause in moment.guard],
        "delta": [_change(change, facts) for change in moment.changes],
        "evidence": drawn(moment.evidence) if moment.evidence is not None else None,
        "astray": clean(moment.astray),
    }
    if wrong and trace.violation is not None:
        told["refusedBy"], told["differs"] = clean(trace.violation.clause), clean(trace.violation.differs)
    # A lane may have the number 0, which is not nothing.
    return {key: value for key, value in told.items() if value or (value == 0 and value is not False)}


def _lane(end: str, lanes: list[tuple[str, str]]) -> int:
    kind, _, name = end.partition(":")
    lane = (name, kind) if kind == "shard" else (kind, kind)
    return lanes.index(lane) if lane in lanes else len(lanes) - 1


def _clause(clause: Clause, clauses: _Numbered[tuple[str, str, tuple[str, ...]]]) -> list[Any]:
    number = clauses((clause.refusal, clause.text, clause.means))
    if clause.holds:
        return [number]
    return [number, -1 if clause.since is None else clause.since, clean(clause.story)]


def _change(change: Change, facts: _Numbered[Fact]) -> list[int]:
    return [-1 if fact is None else facts(fact) for fact in (change.before, change.after)]
