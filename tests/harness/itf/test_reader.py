from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shardproof import trace_file
from shardproof.commands import traces
from shardproof.errors import TraceError, UsageError
from shardproof.itf import reader
from shardproof.itf.values import Map, read
from shardproof.render import itf
from shardproof.settings import Settings, resolve
from shardproof.story.telling import tell
from shardproof.story.told import Moment, Story
from shardproof.strict_json import MismatchError
from shardproof.trace import Step
from shardproof.verdict import Verdict

TRACES = Path(__file__).parents[2] / "traces"


def settings(out: Path, **given: str) -> Settings:
    return resolve({"out": str(out), **given}, {}, out)


def some(value: object) -> dict[str, object]:
    """An optional value that is there, as Quint writes it."""
    return {"tag": "Some", "value": {"#bigint": str(value)} if type(value) is int else value}


#: Not picked for this action.
NONE = {"tag": "None", "value": {"#tup": []}}


def quint(*steps: tuple[str, dict[str, object]], **more: object) -> dict[str, Any]:
    """A trace as Quint writes it, with variables of a specification that is none of ours."""
    names = {name for _, picks in steps for name in picks}
    states = [("init", {}), *steps]
    return {
        "#meta": {"format": "ITF", "source": "bridge.qnt", "status": "violation"},
        # Quint says these twice.
        "vars": ["bridge::n", "mbt::actionTaken", "mbt::nondetPicks", "mbt::actionTaken", "mbt::nondetPicks"],
        "states": [
            {
                "#meta": {"index": i},
                "bridge::n": {"#bigint": str(i)},
                "mbt::actionTaken": action,
                "mbt::nondetPicks": {n: some(picks[n]) if n in picks else NONE for n in sorted(names)},
            }
            for i, (action, picks) in enumerate(states)
        ],
        **more,
    }


#: One receipt, delivered twice: with numbers, and with names of their own.
ACTIONS: tuple[tuple[str, dict[str, object]], ...] = (
    ("emit", {"receipt": 0, "source": 0, "destination": 1}),
    ("produce", {"header": 0, "shard": 0}),
    ("finalise", {"header": 0}),
    ("learn", {"header": 0, "destination": 1}),
    ("deliver", {"receipt": 0, "header": 0, "destination": 1}),
    ("deliver", {"receipt": 0, "header": 0, "destination": 1}),
)
NUMBERS = quint(*ACTIONS)
NAMES = quint(
    ("emit", {"receipt": "msg", "at": "rome", "to": "oslo"}),
    ("produce", {"header": "b1", "at": "rome"}),
    ("finalise", {"header": "b1"}),
    ("learn", {"header": "b1", "at": "oslo"}),
    ("deliver", {"receipt": "msg", "header": "b1", "at": "oslo", "evidence": "r0@h0"}),
    ("deliver", {"receipt": "msg", "header": "b1", "at": "oslo"}),
)
OF_A_MODULE = quint(
    *((f"bridge::{action}", {f"bridge::{name}": v for name, v in picks.items()}) for action, picks in ACTIONS)
)


def kept(tmp_path: Path, document: dict[str, Any]) -> Path:
    path = tmp_path / "found.itf.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


class TestQuint:
    @pytest.mark.parametrize(
        "document, shards",
        [(NUMBERS, ("A", "B")), (NAMES, ("rome", "oslo")), (OF_A_MODULE, ("A", "B"))],
        ids=["numbers", "names", "module"],
    )
    def test_is_a_trace(self, document: dict[str, Any], shards: tuple[str, ...]) -> None:
        """
        Actions of ours with picks of theirs: numbers are ours, names are counted, evidence is honest.
        """
        trace = reader.of_document(document)

        a, b = shards
        delivered = Step("deliver", b, {"receipt": "r0", "header": "h0", "evidence": "r0@h0"})
        assert trace.shards == shards
        assert trace.steps == (
            Step("emit", a, {"receipt": "r0", "to": b}),
            Step("produce", a, {"header": "h0"}),
            Step("finalise", a, {"header": "h0"}),
            Step("learn", b, {"header": "h0"}),
            delivered,
            delivered,
        )
        assert trace.property == ""
        assert "finality" in trace.layers

    def test_what_cannot_be_proved_comes_without_evidence(self) -> None:
        """
        Under no header, and of what nobody emitted, an honest relayer has nothing to show.
        """
        document = quint(
            ("emit", {"receipt": "r0", "at": "A", "to": "B"}),
            ("deliver", {"receipt": "r0", "header": "null", "at": "B"}),
            ("produce", {"header": "h0", "at": "A"}),
            ("deliver", {"receipt": "forged:A>B:0", "header": "h0", "at": "B"}),
        )

        shown = [step.args.get("evidence") for step in reader.of_document(document).steps]
        assert shown == [None, "none", None, "none"]

    def test_a_block_is_taken_back_where_it_was_produced(self) -> None:
        """
        Who says only which block, has said where.
        """
        document = quint(
            ("produce", {"header": "h0", "at": "A"}),
            ("produce", {"header": "h1", "at": "B"}),
            ("revert", {"header": "h1"}),
        )

        assert [step.at for step in reader.of_document(document).steps] == ["A", "B", "B"]

    def test_of_too_many_states_nobody_tries_everything(self) -> None:
        """
        States without actions are for small files.
        """
        document = {"vars": ["emitted"], "states": [{"emitted": {"#set": []}}] * 61}

        with pytest.raises(MismatchError, match="too many things to try every action"):
            reader.of_document(document)

    def test_that_quint_has_written_is_a_finding(self, tmp_path: Path) -> None:
        """
        A trace that the tool itself found of a specification without a check, on a system without that check.
        """
        path = Path(__file__).with_name("bridge.itf.json")

        again = traces.replay(path, settings(tmp_path, adapter="faulty:no-deduplication"))

        assert again.verdict is Verdict.VIOLATED
        assert again.trace.property == "executes-at-most-once"
        assert again.trace.steps[-1].action == "deliver"

    def test_may_pick_everything_before_it_chooses(self) -> None:
        """
        Many specifications pick for all actions at once: what an action is not taken with says nothing of it.
        """
        picks = {"receipt": "r0", "header": "h0"}
        at_once = quint(
            ("emit", {**picks, "at": "A", "destination": "B"}),
            ("produce", {**picks, "at": "A", "destination": "A"}),
            ("finalise", {**picks, "at": "A", "destination": "B"}),
            ("learn", {**picks, "at": "B", "destination": "A"}),
            ("deliver", {**picks, "at": "B", "destination": "A"}),
            ("deliver", {**picks, "at": "B", "destination": "B"}),
        )

        assert reader.of_document(at_once).steps == reader.of_document(NUMBERS).steps

    def test_is_replayed_and_shrunk(self, tmp_path: Path) -> None:
        """
        Where it names no property, whatever a system violates is the finding.
        """
        path = kept(tmp_path, NUMBERS)

        again = traces.replay(path, settings(tmp_path, adapter="faulty:no-deduplication"))
        sound = traces.replay(path, settings(tmp_path, adapter="reference"))
        longer = kept(tmp_path, quint(*ACTIONS[:1], ("emit", {"receipt": 1, "at": 1, "to": 0}), *ACTIONS[1:]))
        shorter = traces.shrink(longer, settings(tmp_path, adapter="faulty:no-deduplication"))

        assert (again.verdict, again.summary) == (
            Verdict.VIOLATED,
            "executes-at-most-once is violated at step 6",
        )
        assert (sound.verdict, sound.summary) == (Verdict.HOLDS, "all 6 steps went as the model says")
        assert shorter.summary == "shrunk from 7 steps to 6"
        assert shorter.trace.property == "executes-at-most-once"
        assert shorter.written is not None

    def test_without_a_system_there_is_no_question(self, tmp_path: Path) -> None:
        """
        The model refuses what it refuses; whether a system does has to be asked of one.
        """
        with pytest.raises(UsageError, match="on which system"):
            traces.replay(kept(tmp_path, NUMBERS), settings(tmp_path))

    def test_is_shown(self, tmp_path: Path) -> None:
        """
        It is shown like any other, and not written over.
        """
        path = kept(tmp_path, NUMBERS)

        assert "deliver r0 by h0" in traces.show(path, "text", 100)
        with pytest.raises(UsageError, match="written over"):
            traces.show(path, "itf", 100, tmp_path)

    @pytest.mark.parametrize(
        "step, said",
        [
            (("delivr", {"receipt": 0}), "no action of ours is called 'delivr'"),
            (("produce", {"header": 0}), "at which shard"),
            (("produce", {"header": 0, "at": 0, "shard": 1}), "says twice at which shard"),
            (("produce", {"header": 0, "at": 0, "colour": "red"}), "taken with 'colour'"),
            (("produce", {"header": 0, "at": True}), "neither a name nor a number"),
            (("produce", {"header": 0, "at": 10**9}), "no number of a shard"),
            (("emit", {"receipt": 0, "at": 0}), "lacks the field 'to'"),
            (("emit", {"receipt": 0, "at": 0, "to": "B"}), "names here and numbers there"),
        ],
    )
    def test_what_makes_no_sense_is_said(
        self, step: tuple[str, dict[str, object]], said: str, tmp_path: Path
    ) -> None:
        """
        An unknown action, a pick that means nothing, a shard that is missing: never half a trace.
        """
        with pytest.raises(TraceError, match=said):
            reader.load(kept(tmp_path, quint(step)))

    def test_shards_are_in_the_order_in_which_they_are_named(self) -> None:
        """
        Every argument that names a shard counts, and there are two at least.
        """
        onward = quint(("emit", {"receipt": "r0", "at": "A", "to": "B", "onward": "C"}))

        assert reader.of_document(onward).shards == ("A", "B", "C")
        assert reader.of_document(quint(("produce", {"header": 0, "at": "oslo"}))).shards == ("oslo", "A")

    def test_names_like_ours_and_others_do_not_mix(self) -> None:
        """
        `r0` and `msg` in one file could be the same receipt, so they are none.
        """
        mixed = quint(
            ("emit", {"receipt": "r0", "at": "A", "to": "B"}),
            ("emit", {"receipt": "msg", "at": "A", "to": "B"}),
        )

        with pytest.raises(MismatchError, match="called as ours are, or none"):
            reader.of_document(mixed)

    def test_a_first_state_that_an_action_led_to_is_a_step(self) -> None:
        """
        Some tools leave out the state in which nothing has happened yet.
        """
        later = {**NUMBERS, "states": NUMBERS["states"][1:]}

        assert reader.of_document(later).steps == reader.of_document(NUMBERS).steps

    def test_a_lasso_is_refused(self) -> None:
        """
        A run that never ends has no last step.
        """
        with pytest.raises(MismatchError, match="never ends"):
            reader.of_document({**NUMBERS, "loop": 2})


def held(*states: dict[str, Any], **params: Any) -> dict[str, Any]:
    """A file of states and nothing else, as TLC writes them."""
    names = sorted({name for state in states for name in state})
    blank: dict[str, Any] = {"executions": {"#map": []}}
    full = [{name: state.get(name, blank.get(name, {"#set": []})) for name in names} for state in states]
    return {"params": sorted(params), "vars": names, "states": [{**params, **full[0]}, *full[1:]]}


ENDS = {
    "shards": ["A", "B"],
    "source": {"#map": [["r0", "A"]]},
    "destination": {"#map": [["r0", "B"]]},
}
EMITTED = {"emitted": {"#set": ["r0"]}}
PRODUCED = {**EMITTED, "produced": {"#set": ["h0"]}, "commits": {"#set": [{"#tup": ["h0", "r0"]}]}}
FINAL = {**PRODUCED, "finalised": {"#set": ["h0"]}}
LEARNED = {**FINAL, "learned": {"#set": [{"#tup": ["B", "h0"]}]}}


def executed(times: int) -> dict[str, Any]:
    return {**LEARNED, "executions": {"#map": [[{"#tup": ["B", "r0"]}, times]]}}


class TestStates:
    def test_show_which_steps_were_taken(self) -> None:
        """
        Each state is what exactly one step makes of the one before it; the last one no sound protocol has.
        """
        trace = reader.of_document(
            held({}, EMITTED, PRODUCED, FINAL, LEARNED, executed(1), executed(2), **ENDS)
        )

        assert [step.action for step in trace.steps] == [
            "emit",
            "produce",
            "finalise",
            "learn",
            "deliver",
            "deliver",
        ]
        assert trace.steps == reader.of_document(NUMBERS).steps

    def test_of_a_protocol_with_a_mistake_are_explained(self) -> None:
        """
        What a checker found of a protocol that lacks a clause: the last step is one that the model refuses.
        """
        recorded = trace_file.load(TRACES / "no-deduplication.trace.json")
        steps = tuple(evolve(step, actual="") for step in recorded.steps)
        said = json.loads(itf.write(tell(evolve(recorded, adapter="model", steps=steps))))
        bare = {
            "vars": [name for name in said["vars"] if not name.startswith("mbt::")],
            "states": [
                {name: v for name, v in state.items() if not name.startswith("mbt::")}
                for state in said["states"]
            ],
        }

        found = reader.of_document(bare)

        assert said["states"][-1]["executions"]["#map"][0][1] == {"#bigint": "2"}
        assert [(s.action, s.at, s.args) for s in found.steps] == [
            (s.action, s.at, s.args) for s in recorded.steps
        ]

    def test_what_is_allowed_explains_before_what_is_not(self) -> None:
        """
        Where a delivery under one header is allowed, it was not under another that B never saw.
        """
        ends = {**ENDS, "origin": {"#map": [["h0", "A"], ["h1", "A"]]}}
        both = {"produced": {"#set": ["h0", "h1"]}}
        later = (FINAL, LEARNED, executed(1))
        states: list[dict[str, Any]] = [{}, EMITTED, PRODUCED, FINAL, *({**s, **both} for s in later)]
        # What the second commits to is not said.
        said = [{name: v for name, v in state.items() if name != "commits"} for state in states]

        assert reader.of_document(held(*said, **ends)).steps[-1].args["header"] == "h0"

    def test_a_client_may_have_learned_what_it_must_not(self) -> None:
        """
        What no guard allows happens in spite of it, at a light client as well.
        """
        learned = {**PRODUCED, "learned": {"#set": [{"#tup": ["B", "h0"]}]}, "finalised": {"#set": []}}

        found = reader.of_document(held({}, EMITTED, PRODUCED, learned, **ENDS))

        assert [step.action for step in found.steps] == ["emit", "produce", "learn"]

    def test_of_ours_are_enough(self, tmp_path: Path) -> None:
        """
        The states of a trace that we have written, without what was done, give what was done.
        """
        trace = trace_file.load(TRACES / "no-deduplication.trace.json")
        said = json.loads(itf.write(tell(trace)))
        bare = {
            "vars": [name for name in said["vars"] if not name.startswith("mbt::")],
            # The last step is refused by the model, and so changes nothing of what it holds.
            "states": [
                {name: v for name, v in state.items() if not name.startswith("mbt::")}
                for state in said["states"][:-1]
            ],
        }

        found = reader.of_document(bare)

        assert [(s.action, s.at, s.args) for s in found.steps] == [
            (s.action, s.at, s.args) for s in trace.steps[:-1]
        ]

    @pytest.mark.parametrize(
        "states, said",
        [
            (held({}, EMITTED, shards=["A", "B"]), "2 steps explain"),
            (held({}, LEARNED, **ENDS), "no step explains"),
            (held({}, EMITTED, EMITTED, **ENDS), "like the one before"),
            (held(EMITTED, PRODUCED, **ENDS), "not how the model begins"),
            (held({"emited": {"#set": []}}, **ENDS), "no state symbol of ours is called 'emited'"),
            (held({}, **ENDS), "the states say nothing"),
        ],
        ids=["ambiguous", "unexplained", "stutter", "beginning", "unknown", "nothing"],
    )
    def test_what_they_do_not_show_is_said(self, states: dict[str, Any], said: str, tmp_path: Path) -> None:
        """
        Two explanations, none, no change, an unknown variable: an error, and no guess.
        """
        with pytest.raises(TraceError, match=said):
            reader.load(kept(tmp_path, states))


class TestOurs:
    @pytest.fixture
    def said(self) -> dict[str, Any]:
        trace = trace_file.load(TRACES / "no-deduplication.trace.json")
        story = Story(trace, tuple(Moment(step, i, "") for i, step in enumerate(trace.steps)))
        made: dict[str, Any] = json.loads(itf.write(story))
        return made

    def test_a_file_is_known_by_what_it_says(self, said: dict[str, Any], tmp_path: Path) -> None:
        """
        Whatever it is called, a trace is read in the format that it has.
        """
        path = tmp_path / "renamed.trace.json"
        path.write_text(json.dumps(said), "utf-8")

        assert reader.load(path) == trace_file.load(TRACES / "no-deduplication.trace.json")

    @pytest.mark.parametrize(
        "spoil, error",
        [
            (lambda d: d["#meta"].update(shardproof=3), "not what a trace says"),
            (lambda d: d["#meta"]["shardproof"].update(format="shardproof-trace/9"), "another version"),
            (lambda d: d["states"][1].update({"mbt::nondetPicks": {}}), "not as it was written"),
            (lambda d: d["states"][1].pop("mbt::actionTaken"), "lacks the variable"),
            (lambda d: d["states"][2].update({"mbt::actionTaken": "produse"}), "unknown value"),
            (lambda d: d["states"].pop(), "no step of this trace"),
            (lambda d: d.update(states=[]), "states are missing"),
            (lambda d: d.update(states="x"), "states are missing"),
            (lambda d: d.update(vars=3), "no list of names"),
        ],
    )
    def test_a_spoiled_file_is_refused(
        self, said: dict[str, Any], spoil: Any, error: str, tmp_path: Path
    ) -> None:
        """
        What was changed by hand and makes no trace is an error that says where.
        """
        spoiled = json.loads(json.dumps(said))
        spoil(spoiled)

        with pytest.raises(TraceError, match=error):
            reader.load(kept(tmp_path, spoiled))


class TestValues:
    @pytest.mark.parametrize(
        "value, meant",
        [
            ({"#bigint": "-12"}, -12),
            (7, 7),
            ({"#tup": ["A", {"#bigint": "1"}]}, ("A", 1)),
            ({"#set": ["A", "B"]}, frozenset({"A", "B"})),
            ({"#map": [["A", 1]]}, Map(frozenset({("A", 1)}))),
            ({"x": True}, Map(frozenset({("x", True)}))),
        ],
    )
    def test_are_those_of_the_format(self, value: object, meant: object) -> None:
        """
        Each way of writing a value has one meaning.
        """
        assert read(value, "x") == meant

    @pytest.mark.parametrize(
        "value",
        [
            None,
            1.5,
            {"#bigint": "1.5"},
            {"#bigint": 1},
            {"#bigint": "9" * 5_000},
            {"#set": 3},
            {"#map": [["A"]]},
            {"#map": [["A", 1], ["A", 2]]},
            {"#unserializable": "x"},
            {"#tup": [], "more": 1},
        ],
    )
    def test_nothing_else_is_one(self, value: object) -> None:
        """
        What the format does not have is refused, and not taken for a record.
        """
        with pytest.raises(MismatchError, match="x is no"):
            read(value, "x")
