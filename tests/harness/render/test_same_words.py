"""Of why the model refuses what went wrong, every form says the same words, and so does a run."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve

from sample_systems.two_faced import TwoFaced
from shardproof import trace_file
from shardproof.commands.answer import in_words_of_all
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import Source
from shardproof.render import text
from shardproof.render.ci import github, junit, sarif
from shardproof.render.forms import FORMS, Shown
from shardproof.render.report import Answer, as_text
from shardproof.render.run import document
from shardproof.story.telling import in_words, tell
from shardproof.story.told import Story
from shardproof.trace import Trace
from shardproof.verdict import Finding, Kind, Report, Verdict

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

TRACES = sorted((Path(__file__).parents[2] / "traces").glob("*.trace.json"))

#: Those of which nothing is refused: something is due, or breaks no clause of the step at which it shows.
UNREFUSED = frozenset(
    {
        "amount-is-what-is-claimed",
        "context-not-given-back",
        "counter-from-the-wrong-block",
        "counters-not-imported",
        "dropped-when-early",
        "effects-survive-revert",
        "events-of-a-failure",
        "filter-missing-in-validation",
        "heights-of-two-chains-compared",
        "jams-after-bad-evidence",
        "middle-keeps-it",
        "no-funds-no-bounce",
        "nonce-without-source",
        "null-asset-is-free",
        "reason-of-this-node",
        "record-before-effect",
        "records-survive-revert",
        "resume-waits-behind-the-data",
        "second-way-in",
        "set-up-twice",
        "stored-payload-blocks",
        "swallows-receipts",
        "totals-only",
        "waits-for-every-shard",
    }
)

REFUSED = [path for path in TRACES if path.name.partition(".")[0] not in UNREFUSED]


def as_found(trace: Trace) -> Trace:
    """A kept trace as a search has it that has just found it: of the clause, only the name is known."""
    assert trace.violation is not None
    name = trace.violation.clause.partition(":")[0]
    return evolve(trace, violation=evolve(trace.violation, clause=name))


def answer(trace: Trace, path: Path) -> Answer:
    """What a search answers that has just found it."""
    found = Finding(trace.property_id, trace.property, trace.because, Kind.SAFETY, as_found(trace))
    report = Report("fuzz", Verdict.VIOLATED, "a run", (found,), systems=("mine:Shard",))
    told = in_words_of_all(report)
    files = {("fuzz", trace.property): path}
    source = {"mine:Shard": Source(path.parent / "mine.py", 1)}
    return Answer("fuzz", (told,), {}, adapter="mine:Shard", files=files, sources=source)


def read(said: str) -> str:
    """What a person reads: without line breaks, and without the marks of code, which a page shows as such."""
    return " ".join(said.replace("`", "").split())


def page(said: str) -> str:
    """The same of HTML."""
    return read(html.unescape(re.sub(r"<[^>]*>", "", said)))


#: What a form writes, as it is read where it is meant for.
READ: Mapping[str, Callable[[str], str]] = {
    "text": read,
    "json": read,
    "markdown": read,
    "pytest": lambda said: read(re.sub(r"(?m)^ *# ", "", said)),
    "mermaid": lambda said: read(re.sub(r"#(\d+);", lambda code: chr(int(code[1])), said)),
    "shiviz": read,
    "itf": read,
    "html": page,
}


def in_forms(story: Story, path: Path) -> dict[str, str]:
    """A trace in every form, as it is read."""
    shown = Shown(story, path, 100, ascii_only=True)
    return {name: READ[name](form.write(shown)) for name, form in FORMS.items()}


def of_a_run(one: Answer, folder: Path) -> dict[str, str]:
    """All that a run shows of its finding, as it is read."""
    ((_, found, path),) = one.findings
    assert path is not None
    located = sarif.sarif(one, folder)
    assert located is not None
    failure = ET.fromstring(junit.junit(one)).find(".//failure")
    assert failure is not None
    return {
        "the terminal": read(as_text(one, 100, ascii_only=True)),
        "the test of a conformance suite": read(text.finding(found, 100, ascii_only=False, replay="")),
        "the page of the run": page(document.page(one)),
        "SARIF": read(json.loads(located)["runs"][0]["results"][0]["message"]["text"]),
        "JUnit": read(failure.text or ""),
        "an annotation": read("".join(github.notes(one, folder)).replace("%0A", "\n")),
        "the summary of a step": read(github.step_summary(one).decode()),
        "the file": read(trace_file.dumps(found.trace).decode()),
    }


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.partition(".")[0])
def test_whoever_says_why_it_is_refused_says_the_same(path: Path) -> None:
    """
    Of every kept trace: what a run prints and leaves behind, and each form in which the trace is shown.
    """
    kept = trace_file.load(path)
    story = tell(kept)
    assert story.trace.violation is not None
    sentence = story.trace.violation.clause
    written = {name: form.write(Shown(story, path, 100, ascii_only=True)) for name, form in FORMS.items()}

    said = {name: READ[name](one) for name, one in written.items()} | of_a_run(
        answer(kept, path), path.parent
    )

    assert bool(sentence) == (path.name.partition(".")[0] not in UNREFUSED)
    assert [where for where, one in said.items() if read(sentence) not in one] == []


def test_that_it_is_not_known_why_is_said_wherever_it_is_told() -> None:
    """
    A system that breaks its contract when it is asked why, run as a search runs it; and of nothing else.
    """
    made = fuzz(TwoFaced, "mine:Shard", Plan(1, steps=200), clock=lambda: 0.0)
    (finding,) = made.findings
    path = Path("shardproof-out/executes-at-most-once-3f9c.trace.json").absolute()
    story = tell(finding.trace)

    said = in_forms(story, path) | of_a_run(answer(finding.trace, path), path.parent)
    knowing = in_forms(tell(trace_file.load(TRACES[0])), TRACES[0])

    assert "raised in 'deliver' (ValueError: who asks?)" in finding.trace.unexplained
    assert [where for where, one in said.items() if finding.trace.unexplained not in one] == []
    assert [where for where, one in knowing.items() if "unexplained" in one] == []


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name.partition(".")[0])
def test_what_was_recorded_decides_which_clause_and_no_word_more(path: Path) -> None:
    """
    The words of an older version, those of this one and the bare name come to the same sentence.
    """
    kept = trace_file.load(path)
    told = in_words(kept)

    assert kept.violation is not None
    assert told.violation is not None
    assert in_words(told) == told == in_words(as_found(kept))
    if kept.violation.clause:
        assert told.violation.clause.partition(":")[0] == kept.violation.clause.partition(":")[0]
    # And nothing else of a trace is told anew.
    assert evolve(told, violation=kept.violation) == kept
