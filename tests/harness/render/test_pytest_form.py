from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shardproof.errors import UsageError
from shardproof.render import pytest_test
from shardproof.render.named import may_be_named
from shardproof.story.told import Story
from shardproof.testing import ViolationError
from shardproof.trace import Step, Trace

Told = Callable[[str], Story]

ROOTS = [str(Path(__file__).parents[3] / root) for root in ("harness", "models", "properties")]


#: A fixed system of somebody's own, in the folder where pytest is started.
MINE = """
from shardproof.loading import load

Mine = load("reference:ibc-unordered")
"""


def of_the_model(trace: Trace) -> Trace:
    """The same steps, as the model alone would have taken them."""
    return evolve(trace, adapter="model", steps=tuple(evolve(step, actual="") for step in trace.steps))


def made_by(source: str) -> Callable[[str | None], None]:
    """The one test in a module."""
    names: dict[str, Any] = {}
    exec(compile(source, "made_test.py", "exec"), names)
    (found,) = (value for name, value in names.items() if name.startswith("test_"))
    made: Callable[[str | None], None] = found
    return made


def test_is_short_and_readable(told: Told, golden: Any) -> None:
    """
    A call for each step, in the words of the trace, and remarks where something is refused.
    """
    golden("forms/double_test.py.txt", pytest_test.write(told("no-deduplication").trace))


@pytest.mark.parametrize("name", ["no-deduplication", "refunded-again", "marked-after-callback"])
def test_fails_with_the_same_finding(name: str, told: Told) -> None:
    """
    On the system that the trace is of, the test fails with its property, at its step.
    """
    trace = told(name).trace

    with pytest.raises(ViolationError) as failed:
        made_by(pytest_test.write(trace))(None)

    again = failed.value.trace
    assert (again.property, again.violation and again.violation.clause) == (
        trace.property,
        trace.violation and trace.violation.clause,
    )
    assert str(failed.value).startswith(f"violated  {trace.property}")


def test_passes_on_a_fixed_system(told: Told) -> None:
    """
    A refusal that the model agrees with is no failure.
    """
    made_by(pytest_test.write(told("no-deduplication").trace))("reference")


@pytest.mark.heavy
def test_runs_as_it_is(told: Told, tmp_path: Path) -> None:
    """
    `pytest FILE` fails on the systems with a mistake, skips what no system has done, and passes where fixed.

    One file of each kind: of the core, of messages with outcomes, and of the model alone.
    """
    files = {
        "core_test.py": told("no-deduplication").trace,
        "messages_test.py": told("refunded-again").trace,
        "model_test.py": of_the_model(told("no-deduplication").trace),
    }
    (tmp_path / "kept").mkdir()
    for name, trace in files.items():
        (tmp_path / "kept" / name).write_text(pytest_test.write(trace), "ascii")
    (tmp_path / "mine.py").write_text(MINE, "ascii")

    def started(*flags: str) -> tuple[int, str]:
        done = subprocess.run(
            # As the command `pytest` does, without the folder where one is.
            [sys.executable, "-P", "-m", "pytest", "-rs", "-p", "no:cacheprovider", *flags],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(ROOTS)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout

    code, said = started()
    assert (code, "2 failed, 1 skipped" in said) == (1, True), said
    assert "B executed r0 2 times" in said
    assert "no system has done this" in said
    # The line of the test is shown, and no line of ours.
    assert "testing.py" not in said

    code, said = started("--shard-adapter", "reference:ibc-unordered", "--shard-adapter", "mine:Mine")
    assert (code, "6 passed" in said) == (0, True), said


def test_of_the_model_alone_says_what_is_possible(told: Told) -> None:
    """
    No system is known to fail it, so without one it is skipped, and with one it is judged.
    """
    test = made_by(pytest_test.write(of_the_model(told("no-deduplication").trace)))

    with pytest.raises(pytest.skip.Exception, match="--shard-adapter"):
        test(None)
    with pytest.raises(ViolationError):
        test("faulty:no-deduplication")


def test_a_file_never_chooses_a_program(told: Told) -> None:
    """
    A trace that names a command makes a test that names none, and says so.
    """
    source = pytest_test.write(evolve(told("no-deduplication").trace, adapter="cmd:rm -rf ~"))

    assert "with run(shard_adapter, shards=" in source
    with pytest.raises(UsageError, match="on which system"):
        made_by(source)(None)


@pytest.mark.parametrize(
    "adapter, named",
    [
        ("reference", True),
        ("reference:near", True),
        ("openzeppelin:4.9.1", True),
        ("my_shards.core:MyShards", True),
        ("cmd:./my-shard", False),
        ("cmd", False),
        ("x; rm", False),
        ("a:b:c", False),
        ("", False),
        ("reference\n", False),
        ("x" * 201, False),
    ],
)
def test_what_may_be_named(adapter: str, named: bool) -> None:
    """
    A name, or a module and a class in it; nothing that a shell or the seam would start.
    """
    assert may_be_named(adapter) is named


@pytest.mark.parametrize(
    "text", ["A", "it's", 'a"b', "\"'", "\\", "\n", "\u202e", "\ud800", "漢字", "😀", "{x}"]
)
def test_a_literal_is_what_it_says(text: str) -> None:
    """
    Python reads back the name, whatever is in it, from ASCII.
    """
    written = pytest_test.literal(text)

    assert ast.literal_eval(written) == text
    assert written.isascii()


def test_where_systems_differ_is_no_test(told: Told) -> None:
    """
    What is about two systems is run again on both, and is no test of one.
    """
    trace = told("no-deduplication").trace

    with pytest.raises(UsageError, match="no test of one"):
        pytest_test.write(evolve(trace, property="agree-on-deliver"))
    with pytest.raises(UsageError, match="without steps"):
        pytest_test.write(evolve(trace, steps=(), violation=None))


@pytest.mark.parametrize(
    "step, call",
    [
        (Step("emit", "A", {"receipt": "r0", "to": "B", "amount": "1"}), 'emit("r0", "A", to="B", amount=1)'),
        (Step("revert", "A", {"header": "h0"}), 'revert("h0")'),
        (Step("restart", "A"), 'restart("A")'),
        (
            Step("learn", "B", {"header": "h0", "damage": "header:flip:1"}),
            'learn("h0", at="B", damage="header:flip:1")',
        ),
        (
            Step("deliver", "B", {"receipt": "forged:A>B:0", "header": "null", "evidence": "none"}),
            'deliver("forged:A>B:0", at="B", under="null")',
        ),
        (
            Step("deliver", "B", {"receipt": "r0", "header": "h0", "evidence": "r1@h0"}),
            'deliver("r0", at="B", under="h0", evidence="r1@h0")',
        ),
        (
            Step("reenter", "B", {"receipt": "r0", "header": "h0", "evidence": "r0@h0"}),
            'present("reenter", "r0", at="B", under="h0")',
        ),
        (
            Step("close_channel", "A", {"other": "B", "number": "1"}),
            'step("close_channel", "A", other="B", number=1)',
        ),
    ],
)
def test_each_step_is_a_call(step: Step, call: str, told: Told) -> None:
    """
    What an honest relayer would show is not said; everything else is.
    """
    trace = evolve(told("no-deduplication").trace, steps=(step,), violation=None, explanation=None)

    assert call in pytest_test.write(trace)


@pytest.mark.parametrize(
    "receipt, header, evidence, call",
    [
        ("r0", "h0", "r0@h0", 'deliver("r0", at="B", under="h0")'),
        ("r0", "null", "none", 'deliver("r0", at="B", under="null")'),
        ("forged:A>B:0", "h0", "none", 'deliver("forged:A>B:0", at="B", under="h0")'),
        ("r0", "h0", "none", 'deliver("r0", at="B", under="h0", evidence="none")'),
        ("forged:A>B:0", "h0", "r0@h0", 'deliver("forged:A>B:0", at="B", under="h0", evidence="r0@h0")'),
    ],
)
def test_only_evidence_that_nobody_would_expect_is_said(
    receipt: str, header: str, evidence: str, call: str, told: Told
) -> None:
    """
    Of what was emitted there is a proof, under a header; of what was not there is none.
    """
    trace = told("no-deduplication").trace
    shown = Step("deliver", "B", {"receipt": receipt, "header": header, "evidence": evidence})
    steps = (*trace.steps[:-1], shown)

    assert pytest_test.write(evolve(trace, steps=steps)).rstrip().endswith(f"shards.{call}")


@pytest.mark.parametrize("count, said", [(pytest_test.ROOM, False), (pytest_test.ROOM + 1, True)])
def test_a_run_has_as_much_room_as_it_needs(count: int, said: bool, told: Told) -> None:
    """
    More steps than a run has room for are said, and so are shards that may be founded on the way.
    """
    trace = told("no-deduplication").trace
    steps = tuple(evolve(trace.steps[0], args={"receipt": f"r{n}", "to": "B"}) for n in range(count))

    long = pytest_test.write(evolve(trace, steps=steps, violation=None, explanation=None))
    founded = pytest_test.write(evolve(trace, shards=("A", "B", "C", "D"), reserve=2))

    assert (f"steps_max={count}" in long) is said
    assert "reserve=2" in founded
    assert "reserve" not in long


@pytest.mark.parametrize("text", ["\\N{x", "\\x", "\\", 'ends in "'])
def test_what_a_trace_says_cannot_end_or_break_the_docstring(text: str, told: Told) -> None:
    """
    A module with such a sentence in it is one that Python reads.
    """
    trace = evolve(told("no-deduplication").trace, property=text, because=text)

    assert isinstance(ast.parse(pytest_test.write(trace)).body[0], ast.Expr)


def test_a_step_that_is_refused_on_the_way_says_so(told: Told) -> None:
    """
    What is surprising is a remark above its call; that something is accepted is none.
    """
    trace = told("no-deduplication").trace
    early = evolve(trace.steps[-1], expected="refused, untrusted header", actual="refused", changed=())
    steps = (*trace.steps[:1], early, *trace.steps[1:])
    lines = pytest_test.write(evolve(trace, steps=steps, explanation=None)).splitlines()

    at = lines.index("        # refused, untrusted header")
    assert lines[at + 1] == '        shards.deliver("r0", at="B", under="h0")'
    assert lines[at - 1] == '        shards.emit("r0", "A", to="B")'
