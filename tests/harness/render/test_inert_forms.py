"""
Foreign text in every form at once: shown, and never acted on.

Names of shards, answers of systems and sentences of a file come from outside. Each form is read
in another program, so each has its own idea of what is inert; one table of hostile texts is put
through all of them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from drawn import examples
from shardproof.itf import reader
from shardproof.render import shiviz
from shardproof.render.forms import FORMS, Shown
from shardproof.render.inert import cells
from shardproof.story.told import Change, Clause, Fact, Moment, Story
from shardproof.trace import Extent, Instance, Search, Step, Trace, Violation

HOSTILE: Mapping[str, str] = {
    "script": "<script>alert(1)</script>",
    "image": "![x](https://example.org/x.png) [y](javascript:z) <img src=x onerror=y>",
    "mention": "@everyone #1 GH-1 owner/repo#2 https://example.org www.example.org a@example.org",
    "control": "\x1b[2J\x1b]0;title\x07\x00\x08\x7f\x9b",
    "right-to-left": "\u202eevil\u2066\u200b\ufeff",
    "lines": "a\nb\r\nc\u2028d\x0be\n\n# heading\n- item\n```\n</details>",
    "backticks": "`a` ``b`` ```` ` ",
    "bars": "a|b\\|c\\\\|d | e |",
    "quotes": "'\"\"\"'''\\\"\\",
    "python": '"); import os; os.system("x"); ("',
    "interpolation": "{0} {x} %s %(x)s ${x} $(x) \\N{DIGIT ONE} \\u0041",
    "mermaid": "end\n%%{init: {}}%%\nrect red; end; A->>B: x #quot; wrap: note",
    "surrogates": "\ud800 \udfff \udc80",
    "broken UTF-8": b"\xff\xfe\xc3(".decode("utf-8", "surrogateescape"),
    "marks": "e" + "\u0301" * 300,
    "wide": "漢字😀" * 30,
    "names": "relayer end shard0 __import__ null none",
    "spaces": " \t ",
    "megabyte": "x" * 1_000_000,
}

#: What Markdown is made of where nothing is linked, fetched or laid out anew.
_PARTS = frozenset({"text", "code_inline", "html_inline", "softbreak", "strong_open", "strong_close"})

#: However much is said, a form for people says no more than fits on a few screens.
_CHARACTERS_MAX = 60_000

#: What a person reads in a terminal, an issue or a diagram; the others are for programs, and are whole.
_CUT = ("text", "markdown", "mermaid", "shiviz")


def story(text: str) -> Story:
    """A story that says `text` wherever a file can say something."""
    other = f"{text}2"
    deliver = {"receipt": "r0", "header": "h0", "evidence": "r0@h0"}
    steps = (
        Step("emit", text, {"receipt": "r0", "to": other}, "accepted", "accepted"),
        Step("produce", text, {"header": "h0"}, "accepted", text),
        Step("learn", other, {"header": "h0", "damage": "header:flip:3"}, text, text),
        Step("deliver", other, deliver, f"refused, {text}", text, (f"{other} executed r0", text)),
    )
    trace = Trace(
        adapter=text,
        layers=("exactly-once",),
        shards=(text, other),
        property=text,
        property_id=text,
        because=text,
        steps=steps,
        violation=Violation(3, text, text, text, text),
        search=Search(text, 7, 1, 1),
        versions={text: text},
    )
    return around(trace, text)


def of_the_model(text: str) -> Story:
    """The same of a trace of somebody's own protocol, where actions and arguments are called `text` too."""
    step = Step(text, text, {text: text}, text, "", (text,))
    trace = evolve(
        story(text).trace,
        adapter="model",
        steps=(step, evolve(step, at="")),
        violation=Violation(1, text, text, text, text),
        instance=Instance({text: Extent(0, 1)}, {text: (0,)}, ({text: 0}, {}), {text: 0}),
    )
    return around(trace, text)


def around(trace: Trace, text: str) -> Story:
    """A story of `trace` in which everything is called `text`."""
    fact = Fact(text, "consumed", (text,), text)
    moments = tuple(
        Moment(step, i, text, (Clause(text, text, False, (text,), 0),), (Change(None, fact),), text)
        for i, step in enumerate(trace.steps)
    )
    return Story(trace, moments, text, text, ((text, text),), {text: text}, (fact,))


def written(name: str, text: str, told: Callable[[str], Story] = story) -> str:
    """`text` in a form, shown from a file that is called so as far as files can be."""
    path = Path("out") / (re.sub(r"[/\x00\ud800-\udfff]", "", text)[:100] + ".trace.json")
    return FORMS[name].write(Shown(told(text), path))


# ---- what each reader would act on ----------------------------------------------------------------


def _text(shown: str, _: Trace) -> None:
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert all(cells(line) <= 100 for line in shown.splitlines())


def _json(shown: str, trace: Trace) -> None:
    document = json.loads(shown)
    assert shown.isascii()
    assert document["shards"] == list(trace.shards)
    assert document["because"] == trace.because


def _itf(shown: str, trace: Trace) -> None:
    assert shown.isascii()
    document = json.loads(shown)
    # The longest are longer than a file of ours may have them, and everything else comes back.
    if len(trace.because) < 150:
        assert reader.of_document(document) == trace


def _markdown(shown: str, trace: Trace) -> None:
    assert all(c.isprintable() or c == "\n" for c in shown)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(shown)
    kinds = [token.type for token in tokens]
    assert kinds.count("fence") == 2
    assert kinds.count("heading_open") == 1
    assert kinds.count("td_open") == 5 * (len(trace.steps))
    assert "html_block" not in kinds
    for token in tokens:
        for part in token.children or ():
            assert part.type in _PARTS
            if part.type == "html_inline":
                assert part.content == "<br>"
            if part.type == "text":
                assert not re.search(r"[@#<>\[\]!`]|://|www\.|\bGH-\d", part.content), part.content


def _mermaid(shown: str, trace: Trace) -> None:
    said = r"(?:[A-Za-z0-9 .,()'+=/:-]|#[0-9]+;)*"
    place = r"(?:shard[0-9]+|relayer)"
    lines = (
        r"sequenceDiagram",
        rf"  title {said}",
        rf"  participant {place} as {said}",
        rf" +{place}->>{place}: {said}",
        rf" +Note over {place}: {said}",
        r"  rect rgb\(255, 225, 225\)",
        r"  end",
    )
    for line in shown.splitlines():
        assert any(re.fullmatch(pattern, line) for pattern in lines), line
        assert line == "  end" or not re.search(r"\bend\b", line, re.IGNORECASE), line


def _shiviz(shown: str, trace: Trace) -> None:
    assert shown.isascii()
    pattern = re.compile(shiviz.PARSER.replace("(?<", "(?P<"))
    body = shown.split("\n", 2)[2]
    found = list(pattern.finditer(body))
    assert "".join(match[0] + "\n" for match in found) == body
    assert len(found) == len(trace.steps)
    assert all(json.loads(match["clock"])[match["host"]] for match in found)


def _pytest(shown: str, trace: Trace) -> None:
    assert shown.isascii()
    tree = ast.parse(shown)
    compile(shown, "made_test.py", "exec")
    *_, test = tree.body
    assert isinstance(test, ast.FunctionDef)
    assert [type(node).__name__ for node in tree.body] == ["Expr", "ImportFrom", "FunctionDef"]
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert calls == ["run", "shards.emit", "shards.produce", "shards.learn", "shards.deliver"]
    literals = {node.value for node in ast.walk(test) if isinstance(node, ast.Constant)}
    assert set(trace.shards) <= literals
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    assert names <= {"run", "shards", "shard_adapter", "str"}


#: For each form, what it would mean that something is acted on.
INERT: Mapping[str, Callable[[str, Trace], None]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "pytest": _pytest,
    "mermaid": _mermaid,
    "shiviz": _shiviz,
    "itf": _itf,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", INERT)
def test_is_shown_and_not_acted_on(form: str, text: str) -> None:
    """
    Whatever a file says, a form says it, and its reader does nothing because of it.
    """
    shown = written(form, text)

    INERT[form](shown, story(text).trace)
    if form in _CUT:
        assert len(shown) < _CHARACTERS_MAX


#: What any of the readers makes something of, to be put together at random.
_SIGNS = (*HOSTILE["mermaid"].split(), *"`|\\\n#@<>[]!{}'\"*_~$%", "www.", "://")
_PIECES = st.one_of(st.sampled_from(_SIGNS), st.text())


@pytest.mark.deep
@examples(500)
@given(st.lists(_PIECES, min_size=1, max_size=12).map("".join).filter(bool))
def test_nothing_else_is_acted_on_either(text: str) -> None:
    """
    The same of texts that nobody has thought of.
    """
    for form, look in INERT.items():
        look(written(form, text), story(text).trace)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", [form for form in INERT if form != "pytest"])
def test_nor_is_what_actions_of_the_model_are_called(form: str, text: str) -> None:
    """
    A trace with an instance may have any action; of what no adapter has, there is no test to write.
    """
    INERT[form](written(form, text, of_the_model), of_the_model(text).trace)


@pytest.mark.parametrize("form", INERT)
def test_plain_words_are_legible(form: str) -> None:
    """
    Nothing is escaped that needs no escaping: otherwise nobody could read it.
    """
    shown = written(form, "oslo")

    assert "oslo2 executed r0" in shown or form == "pytest"
    assert "oslo" in shown


def test_every_form_for_people_is_looked_at() -> None:
    """
    A form that is added is added here, or is a page, which is looked at where it is made.
    """
    assert set(FORMS) - set(INERT) <= {"html"}
