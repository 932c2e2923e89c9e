"""Processes that break the protocol, each in its own way: told by verb and step, and nothing is left."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shardproof.adapter import AdapterFactory, Topology, capabilities
from shardproof.cli import run as command
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.errors import EXIT_BROKE, AdapterError
from shardproof.loading import load
from shardproof.moves import Deliver, Emit, Learn, Produce, Proof
from shardproof.oracle import Oracle
from shardproof.runs import Bench
from shardproof.verdict import Report, Verdict
from shardproof_models.stacks import composed, layers_for

HOSTILE = Path(__file__).parents[3] / "samples" / "sample_systems" / "hostile_process.py"

#: See `tests/harness/conftest.py`.
Golden = Callable[[str, str], None]

#: Short, because the machine has nothing to wait for: what hangs here hangs for ten minutes.
CALL_SECONDS = 0.7

#: What ends by itself, and takes its time on a slow machine: a line of a hundred megabytes.
LONG, LONG_SECONDS = "long:", 20.0

#: A run in which each required verb is asked, and one that only a liar has.
MOVES = (
    Emit(0, 0, 1),
    Produce(0, 0),
    Learn(1, 0),
    Deliver(1, 0, 0, Proof(0, 0)),
    Deliver(1, 0, 0, Proof(0, 0)),
)


def factory(mode: str, call_seconds: float | None = None) -> AdapterFactory:
    """What makes the hostile process in one of its modes."""
    return load(f"cmd:{sys.executable} -I -S {HOSTILE} {mode}", call_seconds)


def error_of(mode: str) -> AdapterError | None:
    """What the fixed run ends with."""
    try:
        adapter = factory(mode, LONG_SECONDS if mode.startswith(LONG) else CALL_SECONDS)()
        oracle = Oracle.for_run(composed(layers_for(capabilities(adapter))), 2, 20)
        bench = Bench(adapter, oracle, Topology.of(2))
        try:
            bench.first(MOVES)
        finally:
            bench.close()
    except AdapterError as error:
        return error
    return None


@pytest.fixture(scope="module")
def errors() -> dict[str, AdapterError | None]:
    """What each breach ends with. They wait for their deadlines side by side, and leave nothing."""
    before = offspring()
    modes = [breach[0] for breach in BREACHES]
    with ThreadPoolExecutor(16) as pool:
        found = dict(zip(modes, pool.map(error_of, modes), strict=True))
    assert {number: name for number, name in offspring().items() if number not in before} == {}
    return found


def offspring() -> dict[int, str]:
    """Every process of this session's hostile programs, by number: what it is called, and its state."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ours = int(state[1]) == os.getpid()
        if bytes(HOSTILE) in words or (state[0] == "Z" and ours) or b"import time; time.sleep(600)" in words:
            found[int(folder.name)] = f"{state[0]} {words}"
    return found


BREACHES = [
    ("hang:open", "did not answer 'open': it did not answer in time", "before step 1", "waiting for a lock"),
    ("hang:emit", "did not answer 'emit': it did not answer in time", "emit at", "waiting for a lock"),
    ("hang:produce", "did not answer 'produce': it did not answer in time", "produce at", "buffer"),
    ("hang:prove", "did not answer 'prove': it did not answer in time", "deliver at", "buffer"),
    ("hang:deliver", "did not answer 'deliver': it did not answer in time", "deliver at", "buffer"),
    ("hang:executed", "did not answer 'executed': it did not answer in time", "at  ", "buffer"),
    ("hang:close", "did not answer 'close': it did not answer in time", "after the last run", "buffer"),
    ("exit:deliver", "did not answer 'deliver': it has ended with exit code 7", "deliver at", "no database"),
    ("exit-zero:emit", "did not answer 'emit': it has ended with exit code 0", "emit at", "read on"),
    ("signal:deliver", "did not answer 'deliver': it has ended by signal SIGSEGV", "deliver at", "native"),
    (
        "garbage:deliver",
        "broke the protocol in its answer to 'deliver': not JSON",
        "deliver at",
        "DEBUG \\x1b[2J",
    ),
    ("half:deliver", "did not answer 'deliver': it began an answer", "deliver at", '{"id":'),
    ("half-exit:deliver", "did not answer 'deliver': it has ended with exit code 1", "deliver at", '{"id":'),
    ("long:emit", "did not answer 'emit': its answer has no end", "emit at", "777"),
    ("child:deliver", "exit code 3, and something that it started keeps its pipes open", "deliver at", ""),
    ("order:emit", "answered another request than 'emit'", "emit at", "waits for its turn"),
    ("unasked:emit", "answered another request than 'emit'", "emit at", "was never asked"),
    ("old:emit", "answered another request than 'emit'", "emit at", "has been answered"),
    ("twice:deliver", "answered another request than 'executed'", "deliver at", "answers twice"),
    (
        "twice:close",
        "broke the protocol in its answer to 'close'",
        "after the last run",
        "more than it was asked",
    ),
    ("floods:emit", "answered another request than 'emit'", "emit at", "noise"),
    ("stderr:emit", "did not answer 'emit': it did not answer in time", "emit at", "noise"),
    ("utf8:deliver", "in its answer to 'deliver': not UTF-8: the byte 0xff", "deliver at", ""),
    ("type:emit", "answer to 'emit' makes no sense: expected bytes", "emit at", "7 in"),
    ("type:deliver", "answer to 'deliver' makes no sense: expected null", "deliver at", "7 in"),
    ("type:executed", "answer to 'executed' makes no sense: expected a list of execution", "at  ", "7 in"),
    ("hex:prove", "answer to 'prove' makes no sense: expected bytes", "deliver at", "00 01"),
    ("negative:emit", "answered another request than 'emit'", "emit at", '"id": -1'),
    ("huge:deliver", "in its answer to 'deliver': not JSON", "deliver at", "999"),
    ("nan:deliver", "in its answer to 'deliver': NaN is not JSON", "deliver at", ""),
    ("float:deliver", "in its answer to 'deliver':", "deliver at", "is not a whole number"),
    ("deep:emit", "in its answer to 'emit': nested too deeply", "emit at", "[[["),
    ("double-field:deliver", "in its answer to 'deliver': a field appears twice", "deliver at", ""),
    ("two-words:deliver", "in its answer to 'deliver': not one of ok, refused", "deliver at", ""),
    ("closes:emit", "did not answer 'emit': it has closed its stdout and lives on", "emit at", ""),
    ("shuts:emit", "did not answer 'produce': it has closed its stdin and lives on", "produce at", "read on"),
    ("stopped:emit", "did not answer 'emit': it did not answer in time", "emit at", ""),
    ("error:deliver:unavailable", "reports an error in 'deliver': unavailable", "deliver at", "definite: "),
    ("error:deliver:internal", "reports an error in 'deliver': internal", "deliver at", "indefinite: "),
    (
        "error:deliver:nonsense",
        "answer to 'deliver' makes no sense: expected one of the codes",
        "deliver at",
        "",
    ),
    ("deaf", "did not answer 'open': it did not answer in time", "before step 1", ""),
    ("no-greeting", "did not answer 'hello': it did not answer in time", "before any run", "the greeting"),
    ("version", "'hello' is no greeting: it speaks version 2", "before any run", "speaks version 1"),
    (
        "lists-nonsense",
        "'hello' is no greeting: it lists a verb that there is not",
        "",
        "did you mean 'learn'",
    ),
    ("lacks", "'hello' is no greeting: it lacks a required verb, prove", "before any run", ""),
    ("changes", "'hello' is no greeting: it is another one than before", "before step 1", ""),
    ("lies", "reports an error in 'learn': unknown-verb", "learn at", "list only verbs that it has"),
]


@pytest.mark.parametrize("mode, said, step, also", BREACHES, ids=[b[0] for b in BREACHES])
def test_each_breach_ends_the_run_and_names_the_verb_and_the_step(
    errors: dict[str, AdapterError | None], mode: str, said: str, step: str, also: str
) -> None:
    """What stands on a terminal can be read: one story, short, and without control characters."""
    error = errors[mode]

    assert error is not None
    told = str(error)
    assert error.exit_code == EXIT_BROKE
    assert said in told
    assert step in told
    assert also in told
    assert "\x1b" not in told
    assert len(told) < 1_500


#: One of each sort, whose text is compared whole.
TOLD = (
    "hang:deliver",
    "exit:deliver",
    "signal:deliver",
    "garbage:deliver",
    "half:deliver",
    "child:deliver",
    "old:emit",
    "type:deliver",
    "error:deliver:internal",
    "version",
    "lists-nonsense",
    "lies",
)


def test_what_is_told_is_fit_to_be_read(errors: dict[str, AdapterError | None], golden: Golden) -> None:
    """To the letter, because a person reads it who has just lost an hour."""
    told = [f"# {mode}\nerror: {errors[mode]}\n" for mode in TOLD]

    golden("errors/processes.txt", "\n".join(told))


def search(mode: str, steps: int) -> Report:
    """A short search on the hostile process in one of its modes."""
    ticks = itertools.count()
    return fuzz(factory(mode), "hostile", Plan(1, steps=steps), clock=lambda: float(next(ticks)))


def test_the_same_program_without_a_mode_is_right() -> None:
    """So what the others are caught at is what their mode does."""
    assert search("right", 1_500).verdict is Verdict.HOLDS


@pytest.mark.parametrize("mode", ["clock", "remembers"])
def test_what_outlives_open_or_looks_at_the_clock_is_no_finding(mode: str) -> None:
    """A run is taken again by another process in another folder, where it has to go as before."""
    with pytest.raises(AdapterError, match="the adapter is not deterministic"):
        search(mode, 1_500)


@pytest.mark.parametrize("mode", ["exit:deliver", "lacks"])
def test_a_search_that_breaks_is_no_verdict_of_what_came_before(
    mode: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A partial report would say that so many steps hold."""
    monkeypatch.chdir(tmp_path)

    name = f"cmd:{sys.executable} -I -S {HOSTILE} {mode}"
    code = command(["fuzz", "--adapter", name, "--steps", "300", "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert code == EXIT_BROKE
    assert answer.keys() == {"verdict", "error", "exit_code"}
    assert answer["verdict"] is None
