from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

import told
from shardproof.render import diagram, inert
from shardproof.render.forms import FORMS, Shown
from shardproof.render.page import plain_sequence, plain_tree
from shardproof.render.page.content import answers, content, lanes_of
from shardproof.render.page.document import page
from shardproof.render.page.markup import data, said, sentence
from shardproof.render.page.tree import drawn
from shardproof.story.told import EVERYTHING, HEADER, INDEX, Evidence
from shardproof.trace import Violation

REPLAY = "replay with  shardproof replay x.trace.json"

#: Everything that a page may consist of.
ELEMENTS = (
    "html head meta title style body header main div p h1 h2 h3 span strong b a code pre cite ul ol li "
    "dl dt dd ins del br bdi svg button input output dialog form kbd script section "
    "figure figcaption table thead tbody tr td g text line path rect circle"
)
ATTRIBUTES = (
    "lang charset name content http-equiv class id hidden tabindex role title type min max value step for "
    "width height href rel method viewbox x y x1 x2 y1 y2 rx cx cy r d"
)


@define
class Read(HTMLParser):
    """What a page consists of."""

    elements: list[str] = field(init=False, factory=list)
    attributes: list[tuple[str, str]] = field(init=False, factory=list)
    text: list[str] = field(init=False, factory=list)
    inline: dict[str, list[str]] = field(
        init=False, factory=lambda: {"style": [], "script": [], "content": []}
    )
    _within: str = field(init=False, default="")

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._within = dict(attrs).get("id") or tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            self.inline[self._within].append(data)
        else:
            self.text.append(data)

    def words(self) -> str:
        return " ".join("".join(self.text).split())


def read(text: str) -> Read:
    parser = Read()
    parser.feed(text)
    parser.close()
    return parser


def content_of(text: str) -> Any:
    return json.loads("".join(read(text).inline["content"]))


class TestDocument:
    def test_allows_its_own_style_and_script_and_nothing_besides(self) -> None:
        """
        The policy names the digest of the one style and of the one script, and no source of anything else.
        """
        parts = read(page(told.damaged(), REPLAY))

        (policy,) = (v for _, v in parts.attributes if v.startswith("default-src"))
        digests = {
            name: base64.b64encode(hashlib.sha256("".join(parts.inline[name]).encode()).digest()).decode()
            for name in ("style", "script")
        }
        assert policy == (
            f"default-src 'none'; script-src 'sha256-{digests['script']}'; "
            f"style-src 'sha256-{digests['style']}'; base-uri 'none'; form-action 'none'"
        )

    def test_needs_no_other_file(self) -> None:
        """
        Nothing in a page is loaded from elsewhere; the only address is that of an incident, as a link.
        """
        written = page(told.damaged(), REPLAY)

        addresses = set(re.findall(r"https?://[^\s\"'<]+", written))
        assert addresses == {"https://example.org/what-happened", "http://www.w3.org/2000/svg"}
        assert not re.search(r"@import|url\(|\bsrc=|<link|fetch\(|XMLHttp|innerHTML|eval\(", written)

    def test_is_the_same_each_time(self) -> None:
        """
        A page is a function of the story.
        """
        assert page(told.damaged(), REPLAY) == page(told.damaged(), REPLAY)

    def test_of_twenty_steps_is_small(self) -> None:
        """
        A page of twenty steps can be sent in a mail.
        """
        assert len(page(told.long(20), REPLAY)) < 150_000

    def test_says_what_a_terminal_says(self) -> None:
        """
        Every label and every answer of the diagram for terminals is in the page, in the same words.
        """
        story = told.damaged()

        words = read(page(story, REPLAY)).words()

        for index, step in enumerate(story.trace.steps):
            assert diagram.label(step) in words
            for line in diagram.outcome(story.trace, index):
                assert inert.line(line).removeprefix("model: ").removeprefix("system: ") in words
        for moment in story.moments:
            for clause in moment.guard:
                assert clause.text in words
                assert clause.story.replace("`", "") in words
            for change in moment.changes:
                assert str(change.after) in words
        assert story.says in words
        assert story.formula in words

    def test_of_no_steps_is_a_page_too(self) -> None:
        """
        A trace without steps is shown as what it is.
        """
        story = told.long(6)
        empty = evolve(story, trace=evolve(story.trace, steps=(), violation=None), moments=())
        written = read(page(empty, REPLAY))

        assert "recorded" in written.words()
        assert "figure" not in written.elements


class TestForeignText:
    def test_is_never_markup(self) -> None:
        """
        Whatever names, answers and facts hold, a page consists of our own elements and attributes only.
        """
        hostile = told.hostile()
        answer = f"{told.HOSTILE[1]}: {told.HOSTILE[0]}"
        differ = evolve(
            hostile.trace, property=f"agree-on-{told.HOSTILE[0]}", violation=Violation(3, answer, answer)
        )
        harmless = read(page(told.damaged(), REPLAY))

        for story in (hostile, evolve(hostile, trace=differ)):
            harmful = read(page(story, REPLAY))
            assert set(harmful.elements) <= set(ELEMENTS.split())
            assert {n for n, _ in harmful.attributes if not n.startswith("aria-")} <= set(ATTRIBUTES.split())
            assert harmful.elements.count("script") == harmless.elements.count("script") == 2
            assert harmful.inline["script"] == harmless.inline["script"]

    def test_is_written_with_codes_for_what_is_no_letter(self) -> None:
        """
        Control characters, turned directions and half characters become codes, in text and in data.
        """
        written = page(told.hostile(), REPLAY)

        assert all(c.isprintable() or c == "\n" for c in written)
        assert "\\u202egnp.exe" in read(written).words()
        assert all(c.isprintable() for step in content_of(written)["steps"] for c in step["label"])

    def test_is_isolated_where_it_may_turn_the_direction(self) -> None:
        """
        Letters of other scripts stand in an element that isolates them; others need none.
        """
        assert said("\u05d0 <b>") == "<bdi>\u05d0 &lt;b&gt;</bdi>"
        assert said("A & B") == "A &amp; B"

    def test_is_cut_with_a_note(self) -> None:
        """
        Of a megabyte the page shows the beginning, and says how much it leaves out.
        """
        written = page(told.hostile(), REPLAY)

        assert len(written) < 400_000
        assert "x... (998000 more characters)" in read(written).words()

    @pytest.mark.parametrize("text", told.HOSTILE[:-1])
    def test_survives_as_data(self, text: str) -> None:
        """
        Data is ASCII without a sign that ends a script or opens a comment, and reads as what was written.
        """
        written = data({text: [text]})

        assert written.isascii()
        assert not set("<>&") & set(written)
        assert json.loads(written) == {text: [text]}

    def test_of_a_file_is_not_offered_to_be_run(self) -> None:
        """
        The line to be pasted names an adapter, and never a command: whoever pastes it chooses what is run.
        """
        story = told.long(6)
        foreign = evolve(story, trace=evolve(story.trace, adapter="cmd:curl evil | sh"))

        ours, theirs = (FORMS["html"].write(Shown(s, Path("a b.trace.json"))) for s in (story, foreign))

        assert "shardproof replay 'a b.trace.json' --adapter faulty:no-deduplication " in read(ours).words()
        assert "shardproof replay 'a b.trace.json' --adapter NAME " in read(theirs).words()


def test_a_sentence_has_code_and_links_to_steps_that_there_are() -> None:
    """
    Backticks become code, "step N" a link where there is such a step, and neither lets markup in.
    """
    assert sentence("`a<b` since step 5, not step 9", 6) == (
        '<code>a&lt;b</code> since <a href="#step-5">step 5</a>, not step 9'
    )
    assert sentence("one ` only") == "one ` only"


class TestLanes:
    def test_an_adversary_has_one_where_something_is_forged_or_damaged(self) -> None:
        """
        Honest traces have shards and a relayer; what was tampered with comes from a lane of its own.
        """
        assert lanes_of(told.long(6).trace) == [("A", "shard"), ("relayer", "relayer"), ("B", "shard")]
        assert lanes_of(told.damaged().trace) == [
            ("A", "shard"),
            ("relayer", "relayer"),
            ("adversary", "adversary"),
            ("B", "shard"),
        ]

    def test_a_shard_may_be_called_like_the_relayer(self) -> None:
        """
        A shard called "relayer" has its own lane.
        """
        trace = told.long(6).trace
        steps = tuple(evolve(s, at="relayer" if s.at == "B" else s.at) for s in trace.steps)

        assert lanes_of(evolve(trace, steps=steps, shards=("A", "relayer"))) == [
            ("A", "shard"),
            ("relayer", "relayer"),
            ("relayer", "shard"),
        ]


class TestAnswers:
    def test_of_systems_that_differ_have_their_names(self) -> None:
        """
        Where two systems part ways, each answer is that of a system; before, that of the model and one.
        """
        story = told.long(6)
        several = evolve(
            story.trace,
            property="agree-on-deliver",
            violation=Violation(5, "reference: refused, consumed", "mine: accepted, B executed r0 2 times"),
        )
        three = evolve(several, violation=Violation(5, "a: refused", "b: accepted; c: accepted"))

        assert answers(evolve(story, trace=several), 4) == [("model", "accepted"), ("system", "accepted")]
        assert answers(evolve(story, trace=several), 5) == [
            ("reference", "refused, consumed"),
            ("mine", "accepted, B executed r0 2 times"),
        ]
        assert answers(evolve(story, trace=three), 5) == [
            ("a", "refused"),
            ("the others", "b: accepted; c: accepted"),
        ]

    def test_of_a_model_are_asked_for_where_none_is_recorded(self) -> None:
        """
        A trace that says only what was done is shown with what the model answers to it.
        """
        story = told.long(6)
        moments = tuple(evolve(m, step=evolve(m.step, expected="", actual="")) for m in story.moments)
        bare = evolve(story, moments=moments, trace=evolve(story.trace, violation=None))

        assert answers(bare, 5) == [("model", "refused, consumed")]


class TestTree:
    def test_a_small_one_is_drawn_whole(self) -> None:
        """
        Every leaf of a small tree is drawn; what the relayer shows and what is damaged is marked.
        """
        (moment,) = (m for m in told.damaged().moments if m.evidence and m.evidence.damaged)
        assert moment.evidence is not None

        shown = drawn(moment.evidence)

        def node(name: str, role: str, *parts: Any, damaged: bool = False) -> dict[str, Any]:
            return {
                "name": name,
                "role": role,
                "damaged": damaged,
                **({"parts": list(parts)} if parts else {}),
            }

        left = node("1 to 2", "shown", node("r0", ""), node("r1", ""), damaged=True)
        right = node("3 to 4", "way", node("r2", "way", damaged=True), node("r3", "shown"))
        assert shown["tree"] == node(
            "root in h0", "way", node("1 to 4", "way", left, right), node("r4", "shown")
        )
        assert shown["harm"] == [["damaged", "receipt r0"]]
        assert shown["alt"] == f"{moment.evidence.says.replace('`', '')}; damaged: 1 to 2, r2"

    def test_a_damaged_header_spoils_the_root_and_a_damaged_position_the_leaf(self) -> None:
        """
        What is damaged beside the tree is marked where it would have to fit.
        """
        one = drawn(Evidence("r0", "h0", "r0", "h0", leaves=("r0",), leaf=0, damaged=(HEADER,)))
        two = drawn(Evidence("r0", "h0", "r0", "h0", leaves=("r0", "r1"), leaf=1, damaged=(INDEX,)))

        assert one["tree"] == {"name": "r0 = root", "role": "way", "damaged": True}
        assert [part["damaged"] for part in two["tree"]["parts"]] == [False, True]
        assert two["tree"]["damaged"] is False

    def test_evidence_of_which_everything_is_damaged_is_so_at_each_part(self) -> None:
        """
        Where no single part is known to be damaged, the way is, and all that is shown beside it.
        """
        leaves = ("r0", "r1", "r2", "r3")
        everything = Evidence("r0", "h0", "r0", "h0", "receipt", leaves, 0, ("1:2", "2:4"), (EVERYTHING,))

        shown = drawn(everything)

        assert shown["alt"] == "; damaged: root in h0, 1 to 2, r0, r1, 3 to 4"

    def test_of_a_large_one_only_the_way_is_drawn(self) -> None:
        """
        Of a thousand leaves one is drawn, and what is beside its way is folded.
        """
        leaves = tuple(f"r{i}" for i in range(1000))

        tree = json.dumps(drawn(Evidence("r37", "h0", "r37", "h0", leaves=leaves, leaf=37))["tree"])

        assert tree.count('"name"') == 21
        assert tree.count('"folded"') == 9


class TestPicturesWithoutAScript:
    def test_evidence_is_that_of_the_step_where_it_goes_wrong(self) -> None:
        """
        Its damaged nodes are named, and have a cross and a word each; nothing else has.
        """
        figure = plain_tree.evidence(told.damaged())

        assert "Evidence shown at step 6" in figure
        assert 'with the second of 3 hashes damaged; damaged: 1 to 2, r2"' in figure
        assert figure.count('class="cross"') == figure.count(">damaged</text>") == 2
        assert "<strong>damaged: </strong>receipt r0" in figure

    def test_evidence_is_that_of_an_earlier_step_if_nothing_is_shown_where_it_goes_wrong(self) -> None:
        """
        What was damaged last before it matters then, and what was shown honestly does not.
        """
        story = told.damaged()
        late = evolve(story.moments[0], index=6, evidence=None)
        later = evolve(
            story,
            moments=(*story.moments, late),
            trace=evolve(
                story.trace, steps=(*story.trace.steps, late.step), violation=Violation(6, "a", "b")
            ),
        )
        honest = told.long(6)
        nothing = evolve(honest.moments[-1], evidence=None)

        assert "Evidence shown at step 6" in plain_tree.evidence(later)
        assert plain_tree.evidence(evolve(honest, moments=(*honest.moments[:-1], nothing))) == ""
        assert plain_tree.evidence(evolve(story, trace=evolve(story.trace, violation=None))) == ""

    def test_a_step_is_a_row(self) -> None:
        """
        A row says who does what and what comes of it; where it goes wrong there is a cross, and both answers.
        """
        story = told.long(6)
        drawn = plain_sequence.sequence(story, content(story))
        rows = [re.findall("<text[^>]*>([^<]*)", row) for row in drawn.split("<tr>")[1:]]

        assert rows[:2] == [["A", "relayer", "B"], ["1", "emit r0 to B", "accepted"]]
        assert rows[6:] == [["✕ 6", "deliver r0 by h0", "model: refused, consumed", "system: accepted"]]

    def test_of_many_lanes_there_is_a_sentence(self) -> None:
        """
        A picture whose letters nobody can read is none.
        """
        story = told.long(6)
        lanes = [{"name": f"s{i}", "kind": "shard"} for i in range(13)]

        assert plain_sequence.sequence(story, {**content(story), "lanes": lanes}) == (
            "<p>13 lanes are too many to be drawn on paper; all steps are below.</p>"
        )


def test_steps_refer_to_facts_and_clauses_that_are_written_once() -> None:
    """
    A fact that is changed twice, and a clause that is asked at each step, are one entry each.
    """
    told_content = content(told.long(500))

    facts = [text for _, text, _ in told_content["facts"]]
    assert len(facts) == len({(home, text) for home, text, _ in told_content["facts"]})
    assert len(told_content["clauses"]) == 2
    assert told_content["open"] == 499
