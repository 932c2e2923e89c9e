from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from drawn import examples
from shardproof.render import inert, report, text
from shardproof.render.diagram import ASCII, STEPS_MAX, UNICODE, draw, left_out
from shardproof.render.report import Answer
from shardproof.trace import NOT_NEEDED, Explanation, Search, Step, Trace, Violation
from shardproof.verdict import Deviating, Finding, Kind, NotProved, Report, State, Verdict

REPLAY = text.replay_line(
    Path("shardproof-out/executes-at-most-once-3f9c.trace.json"), "faulty:no-deduplication"
)


def step(
    action: str, at: str, expected: str = "accepted", actual: str = "accepted", *changed: str, **args: str
) -> Step:
    return Step(action, at, args, expected, actual, changed)


DOUBLE = Trace(
    adapter="faulty:no-deduplication",
    layers=("exactly-once", "finality"),
    shards=("A", "B", "C"),
    property="executes-at-most-once",
    property_id="P01",
    because="a receipt executed twice mints its amount out of thin air",
    steps=(
        step("emit", "A", receipt="r0", to="B"),
        step("produce", "A", header="h0"),
        step("finalise", "A", header="h0"),
        step("learn", "B", header="h0"),
        step(
            "deliver",
            "B",
            "accepted",
            "accepted",
            "B executed r0",
            receipt="r0",
            header="h0",
            evidence="r0@h0",
        ),
        step(
            "deliver",
            "B",
            "either",
            "refused, bad",
            receipt="r0",
            header="h0",
            evidence="r0@h0",
            damage="evidence:flip:17",
        ),
        step(
            "deliver",
            "B",
            "refused, consumed",
            "accepted",
            "B executed r0 2 times",
            receipt="r0",
            header="h0",
            evidence="r0@h0",
        ),
    ),
    violation=Violation(
        6, "refused, consumed", "accepted", "consumed: B consumed r0 at step 5", "B executed r0 2 times"
    ),
    search=Search("fuzz", 7, 12, 345),
    explanation=Explanation(
        without=(
            "step 7 cannot be taken",
            "step 3 cannot be taken",
            "nothing is violated: step 4 is refused, not final",
            "nothing is violated: step 5 is refused, untrusted header",
            "nothing is violated",
            "nothing is violated: step 7 is refused, consumed",
            "nothing is violated",
        ),
        first_wrong=5,
        refused_instead="the same without the damage is refused (consumed): the change makes it pass",
        look_for="Look where `deliver` records that a receipt was consumed.",
        known_by="what is refused before this deliver is accepted after it",
    ),
)

FINDING = Finding(
    "P01",
    DOUBLE.property,
    DOUBLE.because,
    Kind.SAFETY,
    DOUBLE,
    ("executes-only-what-was-emitted",),
    "shrunk from 41 steps to 7",
)


def rendered(width: int, *, ascii_only: bool, found: Finding = FINDING) -> str:
    return text.finding(found, width, ascii_only=ascii_only, replay=REPLAY)


class TestFinding:
    @pytest.mark.parametrize("width", [60, 100, 140])
    @pytest.mark.parametrize("form", ["unicode", "ascii"])
    def test_is_told_as_a_story(self, width: int, form: str, golden: Any) -> None:
        """
        A finding says what is violated, why it matters, what happened, who refuses, and what to type.
        """
        golden(f"finding/{form}-{width}.txt", rendered(width, ascii_only=form == "ascii") + "\n")

    def test_says_of_a_step_that_can_be_left_out_that_it_can(self) -> None:
        """
        A trace that is not as short as can be is not shown as if every step mattered.
        """
        told = DOUBLE.explanation
        assert told is not None
        longer = evolve(DOUBLE, explanation=evolve(told, without=(NOT_NEEDED, *told.without[1:])))

        shown = rendered(200, ascii_only=True, found=evolve(FINDING, trace=longer))

        assert "step 1 (emit at A): the same is violated: this step is not needed; step 6" in shown

    def test_without_an_explanation_it_is_shown_as_ever(self) -> None:
        """
        A trace that was never asked why says nothing of it.
        """
        plain = rendered(100, ascii_only=True, found=evolve(FINDING, trace=evolve(DOUBLE, explanation=None)))

        assert not any(word in plain for word in ("first wrong", "needs ", "refused if", "look for"))

    def test_a_failure_of_progress_is_called_one(self) -> None:
        """
        What should have happened and did not is told apart from what should not have happened.
        """
        assert "(progress: a receipt executed" in rendered(
            100, ascii_only=True, found=evolve(FINDING, kind=Kind.PROGRESS)
        )

    @pytest.mark.parametrize("width", range(40, 160, 7))
    def test_ends_with_the_line_to_paste(self, width: int) -> None:
        """
        The last line is the command, whole at every width, because it is there to be pasted.
        """
        assert rendered(width, ascii_only=True).splitlines()[-1] == REPLAY

    def test_quotes_what_a_shell_would_take_apart(self) -> None:
        """
        A path with a space, and an adapter with a semicolon, are one word each.
        """
        line = text.replay_line(Path("my out/a.trace.json"), "m:A;rm")

        assert line == "replay with  shardproof replay 'my out/a.trace.json' --adapter 'm:A;rm'"


# ---- foreign text ------------------------------------------------------------------------------------

hostile = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "\x1b[2J\x1b[31m",
            "\u202eabc\u2066",
            "x" * 5_000,
            "漢字" * 40,
            "é" + "\u0301" * 200,
            "relayer",
            "a\nb\tc",
            "\r\n",
            "",
        ]
    ),
)


@st.composite
def hostile_traces(draw: st.DrawFn) -> Trace:
    shards = tuple(draw(st.lists(hostile.filter(bool), min_size=1, max_size=6, unique=True)))
    steps = tuple(
        Step(
            draw(st.sampled_from(["emit", "produce", "learn", "deliver", "restart"])),
            draw(st.sampled_from(shards)),
            {
                name: draw(hostile)
                for name in draw(st.sets(st.sampled_from(["receipt", "header", "evidence", "damage", "to"])))
            },
            draw(hostile),
            draw(hostile),
            tuple(draw(st.lists(hostile, max_size=2))),
        )
        for _ in range(draw(st.integers(0, 4)))
    )
    wrong = (
        Violation(draw(st.integers(0, len(steps) - 1)), *(draw(hostile) for _ in range(4))) if steps else None
    )
    return evolve(
        DOUBLE,
        shards=shards,
        steps=steps,
        violation=wrong,
        property=draw(hostile),
        because=draw(hostile),
        search=Search(draw(hostile)),
        explanation=draw(hostile_explanations(len(steps))) if steps else None,
    )


def hostile_explanations(steps: int) -> st.SearchStrategy[Explanation]:
    said = hostile.map("nothing is violated: {}".format) | hostile | st.just(NOT_NEEDED)
    without = st.lists(said, min_size=steps, max_size=steps).map(tuple)
    return st.builds(Explanation, without, st.integers(0, steps - 1), hostile, hostile, hostile)


class TestForeignText:
    @examples(200)
    @given(hostile_traces(), st.integers(40, 120), st.booleans())
    def test_cannot_do_anything(self, trace: Trace, width: int, ascii_only: bool) -> None:
        """
        Whatever names hold: no control character, no change of direction, no line that is too wide.
        """
        shown = text.trace(trace, width, ascii_only=ascii_only)

        for line in shown.splitlines():
            assert inert.cells(line) <= width, line
        assert all(c == "\n" or c.isprintable() for c in shown)
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in shown if c != "\n")
        if ascii_only:
            assert shown.isascii()

    def test_megabytes_are_cut(self) -> None:
        """
        An answer of a megabyte takes a few lines.
        """
        trace = evolve(
            DOUBLE, violation=evolve(DOUBLE.violation, differs="x" * 1_000_000) if DOUBLE.violation else None
        )

        assert len(text.trace(trace, 100, ascii_only=True)) < 5_000

    def test_a_shard_called_relayer_has_a_lane_of_its_own(self) -> None:
        """
        The relayer of the diagram is not taken for a shard of that name.
        """
        trace = evolve(
            DOUBLE,
            shards=("relayer", "B"),
            steps=(step("emit", "relayer", receipt="r0", to="B"),),
            violation=None,
        )

        assert "'relayer'" in draw(trace, 100, ASCII)[0]

    def test_steps_at_no_shard_are_told_one_by_one(self) -> None:
        """
        A protocol of somebody's own may call an action like one of ours, and know no shards.
        """
        trace = evolve(
            DOUBLE,
            shards=(),
            steps=(step("emit", ""), step("deliver", "")),
            violation=None,
        )

        assert [line.split()[1:3] for line in draw(trace, 100, ASCII)] == [[":", "emit"], [":", "deliver"]]


# ---- the diagram -------------------------------------------------------------------------------------


class TestDiagram:
    def test_fits_many_shards(self) -> None:
        """
        Fifty shards that all take part fit into 60 columns, without lanes.
        """
        shards = tuple(f"shard-{i}" for i in range(50))
        trace = evolve(
            DOUBLE,
            shards=shards,
            steps=tuple(step("produce", s, header=f"h{i}") for i, s in enumerate(shards)),
            violation=None,
        )

        lines = draw(trace, 60, UNICODE)

        assert len(lines) == 50
        assert max(map(len, lines)) <= 60
        assert "shard-49: produce h49" in lines[-1]

    def test_leaves_out_shards_that_do_nothing(self) -> None:
        """
        A lane is there for each shard that takes part, and for no other.
        """
        assert draw(DOUBLE, 100, ASCII)[0].split() == ["A", "relayer", "B"]

    def test_shows_how_a_long_trace_begins_and_ends(self) -> None:
        """
        Of thousands of steps, the first and the last are shown, and how many are left out.
        """
        many = tuple(step("produce", "A", header=f"h{i}") for i in range(5_000))
        trace = evolve(DOUBLE, steps=many, violation=Violation(4_999, "a", "b"))

        lines = draw(trace, 100, ASCII)

        assert len(lines) < STEPS_MAX + 10
        assert lines[11] == "  ... 4,800 steps are left out ..."
        assert lines[-1].endswith("<-- here")

    @pytest.mark.parametrize(
        "count, said", [(1, "1 step is"), (2, "2 steps are"), (1_000, "1,000 steps are")]
    )
    def test_counts_what_is_left_out_in_words_that_agree(self, count: int, said: str) -> None:
        """
        One step, or several, in every form.
        """
        unlike = tuple(step("produce", "A", header=f"h{i}") for i in range(count + 2))
        alike = tuple(step("emit", "A", receipt=f"r{i}", to="B") for i in range(count + 2))

        assert left_out(evolve(DOUBLE, steps=unlike), 1, count + 1) == f"{said} left out"
        like_these = said.replace("steps", "steps like these")
        assert left_out(evolve(DOUBLE, steps=alike), 1, count + 1) == f"{like_these} left out"

    def test_marks_the_one_step_that_is_wrong(self) -> None:
        """
        The mark is at the system's answer of the violating step, once.
        """
        marked = [line for line in draw(DOUBLE, 100, ASCII) if "<-- here" in line]

        assert [line.split()[-4:] for line in marked] == [["system:", "accepted", "<--", "here"]]


# ---- reports -----------------------------------------------------------------------------------------

HOLDS = Report(
    "fuzz",
    Verdict.HOLDS,
    "every one of 1,234 random and adversarial runs with 3 shards",
    work={"steps": 12345},
    properties=("executes-at-most-once",),
    not_applicable={"reverts-atomically": "the adapter has no revert"},
    tables={
        "what the adversary tried": tuple((f"attack-{i}", f"{i * 100:,}") for i in range(9)),
        "nothing": (),
    },
    never_exercised={
        "deliver: consumed": "never the reason for a refusal",
        "deliver: wrong source": "never passed",
    },
    systems=("reference",),
)
KNOWN = Deviating("P01", ("executes-at-most-once",), "the table comes with release 2", State.SEEN)
ALSO_KNOWN = Deviating("P02", ("executes-only-what-was-emitted",), "as above", State.SEEN)
GONE = Deviating("P26", ("reverts-atomically",), "it was slow", State.GONE, "this search would have seen it")
DIFFERENT = evolve(
    DOUBLE,
    adapter="reference and mine",
    property="agree-on-deliver",
    violation=Violation(6, "reference: refused, consumed", "mine: accepted, B executed r0 2 times", "", "so"),
)
UNDECIDED = Report(
    "prove",
    Verdict.INCONCLUSIVE,
    "41 of 42 obligations",
    reasons=("the solver gave up on one obligation",),
    not_proved=(
        NotProved(
            "executes-at-most-once, kept by deliver",
            "unknown",
            "before\n  consumed(B, r0)\nafter\n  \x1b[1m",
            "8 steps",
        ),
    ),
)


def answer(*reports: Report, **more: Any) -> Answer:
    return Answer(
        "check",
        reports,
        {"shardproof": "0.1.0"},
        **{"adapter": "reference", "seed": 7, "seconds": 1.25, **more},
    )


class TestReport:
    @pytest.mark.parametrize(
        "name, given",
        [
            ("holds", answer(HOLDS)),
            ("inconclusive", answer(UNDECIDED, HOLDS)),
            (
                "violated",
                answer(
                    HOLDS,
                    evolve(HOLDS, verdict=Verdict.VIOLATED, findings=(FINDING,)),
                    files={
                        ("fuzz", FINDING.property): Path(
                            "shardproof-out/executes-at-most-once-3f9c.trace.json"
                        )
                    },
                ),
            ),
            (
                "expected",
                answer(evolve(HOLDS, findings=(FINDING,), deviations=(KNOWN, ALSO_KNOWN, GONE))),
            ),
            (
                "different",
                answer(
                    evolve(
                        HOLDS,
                        engine="differ",
                        verdict=Verdict.VIOLATED,
                        systems=("reference", "mine"),
                        findings=(
                            Finding(
                                "-", DIFFERENT.property, "they differ", Kind.DIFFERENCE, DIFFERENT, (), ""
                            ),
                        ),
                    ),
                    files={("differ", DIFFERENT.property): Path("x.trace.json")},
                ),
            ),
        ],
    )
    def test_says_what_was_checked_and_what_not(self, name: str, given: Answer, golden: Any) -> None:
        """
        Each engine says its verdict, what exactly it checked, and what it did not; findings come last.
        """
        golden(f"report/{name}.txt", report.as_text(given, 100, ascii_only=True) + "\n")

    def test_a_known_deviation_that_is_gone_is_an_error(self) -> None:
        """
        Where nothing else is wrong, the file that says so is; where something is, that comes first.
        """
        gone = answer(evolve(HOLDS, deviations=(GONE,)))
        worse = answer(evolve(HOLDS, verdict=Verdict.VIOLATED, findings=(FINDING,), deviations=(GONE,)))

        assert (gone.exit_code, worse.exit_code) == (2, 1)
        assert gone.error is not None
        assert gone.error.summary == "a known deviation no longer happens: P26"

    def test_of_nothing_is_inconclusive(self) -> None:
        """
        An answer without any report holds for nothing.
        """
        assert report.as_json(answer())["verdict"] == "inconclusive"
        assert report.as_json(answer())["exit_code"] == 4

    def test_says_the_same_to_a_program(self, golden: Any) -> None:
        """
        The JSON object has the verdict, its exit code, and all that the text says.
        """
        import json

        given = answer(
            UNDECIDED,
            evolve(HOLDS, verdict=Verdict.VIOLATED, findings=(FINDING,)),
            files={("fuzz", FINDING.property): Path("x.json")},
        )

        golden("report/violated.json", json.dumps(report.as_json(given), indent=2) + "\n")
