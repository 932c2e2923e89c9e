"""Traces of the model in any stack: replayed and told from what their files say."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof import model_replay, trace_file
from shardproof.commands.mutants import ON_RECORD, Asked
from shardproof.engines.explore import explore
from shardproof.engines.mutants.alone import first_violation
from shardproof.engines.mutants.watched import violable
from shardproof.engines.mutants.worlds import Checks, Worlds
from shardproof.engines.prove import search
from shardproof.errors import TraceError
from shardproof.model_trace import trace_of
from shardproof.readings.evaluate import Evaluator
from shardproof.readings.scopes import scope_of
from shardproof.readings.variants import VARIANTS
from shardproof.story.telling import tell
from shardproof.trace import Extent, Instance, Search, Trace
from shardproof.verdict import Verdict
from shardproof_models.mistakes import NAMED, Mistake
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Role

#: Two worlds side by side show these, and not one trace.
BESIDE = {"barrier", "B38"}

KEPT = "all {} steps keep it"
NO_ACTION = "step {} is none of this protocol, which has no action {!r}"

#: What stands in the way of each on the right protocol: a clause, or nothing, where the mistake is no clause.
RIGHT = {
    "hoarding": KEPT.format(4),
    "late-collection": KEPT.format(5),
    "B24": "step 2 is refused, not final",
    "B26": "step 2 is refused, a watcher objects first",
    "B33": "step 7 is refused, not elapsed",
    "B37": KEPT.format(5),
    "B40": KEPT.format(4),
    "B41": "step 4 is refused, not pending",
    "B42": KEPT.format(2),
    "B47": KEPT.format(1),
    "B48": KEPT.format(3),
    "B50": KEPT.format(5),
    "B51": KEPT.format(4),
    "B54": NO_ACTION.format(3, "receive_early"),
    "B01": "step 1 is refused, untrusted header",
    "B02": "step 5 is refused, unproven",
    "B03": "step 2 is refused, unproven",
    "B10": "step 5 is refused, not canonical",
    "B11": "step 6 is refused, consumed",
    "B14": "step 5 is refused, consumed",
    "B16": KEPT.format(5),
    "B18": "step 3 is refused, out of sequence",
    "B27": KEPT.format(5),
    "B29": KEPT.format(7),
    "B30": KEPT.format(4),
    "B31": KEPT.format(7),
    "B19": "step 1 is refused, unknown validators",
    "B20": KEPT.format(1),
    "B21": KEPT.format(7),
    "B22": "step 2 is refused, already initialised",
    "B55": KEPT.format(1),
    "B56": NO_ACTION.format(1, "emit_wrapped"),
    "B57": KEPT.format(1),
}


def violated(mistake: Mistake) -> Trace:
    """The first trace to a violation, in the smallest of the usual scopes that has one."""
    assert mistake.right is not None
    for scope in Asked(lambda: 0.0, 0, 10_000, None).scopes(mistake.protocol):
        worlds = Worlds(mistake.protocol, scope, 0)
        checks = Checks(worlds, violable(mistake.right, properties_of(mistake.right), mistake))
        found = first_violation(worlds, checks, ON_RECORD.attempts_alone // len(worlds.attempts), None).found
        if found is not None and found.broken is not None:
            taken = [(mistake.protocol.action(name), args) for name, args in found.steps]
            return trace_of(mistake.protocol, scope, taken, found.broken, Search("explore"))
    raise AssertionError(f"no trace violates anything: {mistake.name}")


def read_back(trace: Trace) -> Trace:
    """The trace that is in its file."""
    return trace_file.loads(trace_file.dumps(trace), Path("some.trace.json"))


@pytest.mark.heavy
@pytest.mark.parametrize("name", RIGHT)
def test_a_mistake_on_record_is_found_again_in_its_file(name: str) -> None:
    """
    It is reproduced on the protocol that has it, the right one says what is in the way, and it is told.
    """
    mistake = NAMED[name]()
    assert mistake.right is not None
    trace = read_back(violated(mistake))

    wrong, right = (model_replay.replay(trace, p) for p in (mistake.protocol, mistake.right))
    told = tell(trace)

    assert (wrong.verdict, wrong.trace) == (Verdict.VIOLATED, trace)
    assert (right.verdict, right.reproduced) == (Verdict.HOLDS, False)
    assert right.summary == f"not reproduced: {RIGHT[name]}"
    # An action that only the mistake has is told by nobody.
    known = {action.name for action in mistake.right.actions}
    assert [bool(m.astray) for m in told.moments] == [s.action not in known for s in trace.steps]
    assert [bool(m.guard) for m in told.moments if not m.astray] == [
        bool(mistake.right.action(s.action).clauses) for s in trace.steps if s.action in known
    ]
    refusing = [f"step {m.index + 1} is {m.model}" for m in told.moments if m.refusing is not None]
    assert refusing[:1] == ([RIGHT[name]] if " is refused, " in RIGHT[name] else [])


def test_every_mistake_that_one_trace_shows_is_in_the_table() -> None:
    """
    Nothing on record is left out, and nothing is said of what is not on record.
    """
    assert {*RIGHT} | BESIDE == {name for name in NAMED if NAMED[name].violates}


def test_a_protocol_of_somebodys_own_is_replayed_by_its_own_sentences() -> None:
    """
    Its steps, sorts and tables are in the file, whatever they are called, and there need be no shards.
    """
    sound, properties = benchmark()
    protocol = evolve(sound, actions=tuple(evolve(action, clauses=()) for action in sound.actions))
    report = explore(protocol, benchmark_scope(2, 2, 1), properties=properties, worlds_max=10_000)
    trace = read_back(report.findings[0].trace)

    again = model_replay.replay(trace, protocol, properties)
    right = model_replay.replay(trace, sound, properties)

    assert trace.instance is not None
    assert (again.verdict, again.trace) == (Verdict.VIOLATED, trace)
    assert right.summary == "not reproduced: step 1 is refused, disabled"
    with pytest.raises(TraceError, match="which this protocol does not have"):
        model_replay.replay(trace, protocol)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["B03", "B18", "B55"])
def test_what_a_solver_finds_in_any_topology_is_found_again(name: str) -> None:
    """
    Whose ends, keys and amounts are as the solver chose them.
    """
    mistake = NAMED[name]()
    sentences = properties_of(mistake.protocol, Role.SAFETY, Role.STEP)
    found = search.violation(mistake.protocol, sentences, 4, seed=0, timeout_ms=60_000).found
    assert found is not None
    trace = read_back(search.finding(mistake.protocol, found, 0).trace)

    again = model_replay.replay(trace, mistake.protocol)

    assert (again.verdict, again.trace) == (Verdict.VIOLATED, trace)
    assert {moment.astray for moment in tell(trace).moments} == {""}


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["everything", "near", "optimistic-bridge"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_an_instance_says_all_that_a_scope_is(name: str, variant: str) -> None:
    """
    Every rigid value and every cell of the first world is the same in the scope that is read back.
    """
    protocol = stack(name)
    scope = VARIANTS[variant](protocol, scope_of(protocol, shards=2, receipts=3, headers=1))
    made = Evaluator(protocol, scope)
    emit = protocol.action("emit")
    trace = read_back(
        trace_of(protocol, scope, [(emit, (0,))], properties_of(protocol)[0], Search("explore"))
    )

    again = Evaluator(protocol, model_replay.scope_of(trace, protocol))

    assert again.layout.table == made.layout.table
    assert again.initial() == made.initial()
    assert [again.scope.domain(s) for s in protocol.sorts] == [made.scope.domain(s) for s in protocol.sorts]


# ---- what is wrong with an instance --------------------------------------------------------------


def late() -> Trace:
    """A trace in which it matters when a receipt expires."""
    protocol = NAMED["B33"]().protocol
    return explore(protocol, scope_of(protocol, shards=2, receipts=1), worlds_max=10_000).findings[0].trace


def without(table: Any, *names: str) -> dict[str, Any]:
    """A table with some entries left out."""
    return {name: value for name, value in table.items() if name not in names}


def wrong(kind: str) -> Trace:
    """A trace that can be read, and makes no sense."""
    trace = late()
    was = trace.instance
    assert was is not None
    first, *rest = was.taken
    changed: dict[str, Instance] = {
        "no size": evolve(was, sorts=without(was.sorts, "Time")),
        "counted from 1": evolve(was, sorts={**was.sorts, "Receipt": Extent(1, 1)}),
        "too large": evolve(was, sorts={**was.sorts, "Header": Extent(0, 10_000), "Receipt": Extent(0, 11)}),
        "no table": evolve(was, rigid=without(was.rigid, "deadline")),
        "a short table": evolve(was, rigid={**was.rigid, "deadline": ()}),
        "a value of no sort": evolve(was, rigid={**was.rigid, "source": (2,)}),
        "against an axiom": evolve(was, rigid={**was.rigid, "genesis": (0, 0)}),
        "an opening of nothing": evolve(was, openings={"clock": 0}),
        "no argument": evolve(was, taken=({}, *rest)),
        "an argument of no sort": evolve(was, taken=({"m": -1}, *rest)),
        "other words": evolve(was, taken=(*rest[:2], first, *rest[2:])),
    }
    return evolve(trace, instance=changed[kind])


@pytest.mark.parametrize(
    "kind, said",
    [
        ("no size", "the trace does not say how many of Time there are"),
        ("counted from 1", "the trace does not count Receipt from 0"),
        ("too large", "what the trace says there is, is too much to be run on the model alone"),
        ("no table", "the trace does not say what deadline is"),
        ("a short table", "the trace does not say what deadline is of everything"),
        ("a value of no sort", "the trace says that source is what there is none of"),
        ("against an axiom", "what the trace says never changes is not as the protocol assumes it to be"),
        ("an opening of nothing", "no state of this protocol begins as 'clock' = 0"),
        ("no argument", "step 1 does not say what m of emit is"),
        ("an argument of no sort", "step 1: there is no such Receipt as m of emit"),
        ("other words", "step 1 does not say what m of emit is"),
    ],
)
def test_what_makes_no_sense_is_said(kind: str, said: str) -> None:
    """
    No traceback, and nothing that a file says is taken for what the model holds.
    """
    trace = read_back(wrong(kind))

    with pytest.raises(TraceError) as caught:
        model_replay.replay(trace, NAMED["B33"]().protocol)

    assert caught.value.summary == said
    assert {moment.astray for moment in tell(trace).moments} == {said}


def spoilt(document: Any, dice: random.Random) -> Any:
    """The document of a trace with one number of its instance changed, or two of its steps swapped."""
    made = copy.deepcopy(document)
    instance, steps = made["instance"], made["steps"]
    value = dice.choice((-5, -1, 0, 1, 2, 3, 5, 1_000_000))
    change = dice.randrange(4)
    if change == 0:
        instance["sorts"][dice.choice([*instance["sorts"]])]["size"] = dice.randrange(1, 6)
    elif change == 1:
        instance["sorts"][dice.choice([*instance["sorts"]])]["first"] = dice.randrange(-2, 2)
    elif change == 2:
        table = instance["rigid"][dice.choice([*instance["rigid"]])]
        table[dice.randrange(len(table))] = value
    else:
        i, j = (dice.randrange(len(steps)) for _ in range(2))
        for rows in (steps, instance["taken"]):
            rows[i], rows[j] = rows[j], rows[i]
    return made


@pytest.mark.heavy
def test_whatever_an_instance_says_there_is_an_answer() -> None:
    """
    A verdict, a story, or an error of the trace; some of each, and nothing else.
    """
    dice, mistake = random.Random(0), NAMED["B33"]()
    document = json.loads(trace_file.dumps(late()))
    answers: set[Verdict | None] = set()
    for _ in range(150):
        data = json.dumps(spoilt(document, dice)).encode()
        trace = trace_file.loads(data, Path("some.trace.json"))
        tell(trace)
        try:
            answers.add(model_replay.replay(trace, mistake.protocol).verdict)
        except TraceError:
            answers.add(None)

    assert answers == {None, *Verdict}


def test_words_that_say_another_thing_than_the_instance_are_refused() -> None:
    """
    What is shown to people is what is run.
    """
    trace = late()
    emit, *rest = trace.steps
    renamed = evolve(trace, steps=(evolve(emit, args={**emit.args, "receipt": "r7"}), *rest))

    with pytest.raises(TraceError, match="step 1 says another receipt than it was taken with"):
        model_replay.replay(renamed, NAMED["B33"]().protocol)


def test_there_are_as_many_shards_as_names_of_them() -> None:
    """
    A name of no shard, or a shard without a name, is said.
    """
    with pytest.raises(TraceError, match="the trace has other shards than it says there are"):
        model_replay.replay(evolve(late(), shards=("A", "B", "C")), NAMED["B33"]().protocol)


def test_numbers_that_run_out_settle_nothing() -> None:
    """
    A step to a number that the trace does not have is no refusal, and no violation.
    """
    trace = late()
    assert trace.instance is not None
    short = evolve(trace.instance, sorts={**trace.instance.sorts, "Time": Extent(0, 2)})

    replayed = model_replay.replay(evolve(trace, instance=short), NAMED["B33"]().protocol)

    assert replayed.verdict is Verdict.INCONCLUSIVE
    assert replayed.summary == "not reproduced: clock needs more Time than there are in this scope"


def test_a_longer_trace_is_matched_by_a_search_of_what_it_says_there_is() -> None:
    """
    The scope of a search is the one that the trace was found in.
    """
    trace, protocol = late(), NAMED["B33"]().protocol

    scope = model_replay.scope_of(read_back(trace), protocol)

    again = explore(protocol, scope, worlds_max=10_000).findings[0].trace
    assert evolve(again, search=trace.search) == trace
