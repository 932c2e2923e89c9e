from __future__ import annotations

import base64
import hashlib
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attrs import define, evolve, field

import answers
import headless
import told
from sample_systems.at_hand import must_be_at_hand
from shardproof.errors import AdapterError
from shardproof.parts import PARTS, read
from shardproof.render.report import Answer, as_json, as_text
from shardproof.render.run.document import broken, page
from shardproof.verdict import Deviating, State, Verdict

ELEMENTS = frozenset(
    word
    for words in (
        "html head meta title style body header main section article div p h1 h2 h3 h4 strong code pre a",
        "ul li dl dt dd bdi table caption thead tbody tr th td span details summary",
        "figure figcaption svg desc text line path g rect",
    )
    for word in words.split()
)
ATTRIBUTES = frozenset(
    word
    for words in (
        "lang charset name content http-equiv class id tabindex role title href scope dir open",
        "aria-label aria-labelledby aria-hidden viewbox preserveaspectratio width height x y x1 x2 y1 y2 d",
    )
    for word in words.split()
)


@define
class Parts(HTMLParser):
    """What a page consists of."""

    elements: set[str] = field(init=False, factory=set)
    attributes: list[tuple[str, str]] = field(init=False, factory=list)
    style: str = field(init=False, default="")
    text: str = field(init=False, default="")
    _open: list[str] = field(init=False, factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.append("")

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data
        else:
            self.text += f" {data}"


def parts(text: str) -> Parts:
    found = Parts()
    found.feed(text)
    found.close()
    return found


def words(answer: Answer) -> str:
    return " ".join(parts(page(answer)).text.split())


EVERY = [answers.holds(), answers.violated(), answers.expected()]


class TestPage:
    @pytest.mark.parametrize("answer", EVERY)
    def test_allows_its_own_style_and_nothing_besides(self, answer: Answer) -> None:
        """No script, no request, no style but the one whose digest the policy names."""
        written = page(answer)
        found = parts(written)

        digest = base64.b64encode(hashlib.sha256(found.style.encode()).digest()).decode()
        assert [v for _, v in found.attributes if v.startswith("default-src")] == [
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        ]
        assert found.elements <= ELEMENTS
        assert {name for name, _ in found.attributes} <= ATTRIBUTES
        assert not re.search(r"@import|url\(|<script|https?://", written)

    def test_the_verdict_comes_first_and_then_what_it_rests_on(self) -> None:
        """In the order in which one asks: what, of what, what was found, what not, and how to do it again."""
        titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", page(answers.violated()))

        assert page(answers.violated()).index('class="verdict violated"') < page(answers.violated()).index(
            "<h2"
        )
        assert titles == [
            "What was checked",
            "What was found",
            "What was not proved",
            "Properties",
            "Never exercised",
            "How the searches went on",
            "What was exercised",
            "Do it again",
        ]

    def test_says_of_each_property_what_each_engine_says(self) -> None:
        """Also that nothing was said, and why some do not apply."""
        said = words(answers.violated())

        assert "executes-at-most-once holds inconclusive violated" in said
        assert "executes not asked inconclusive not asked" in said
        assert "survives-a-crash the adapter has no crash" in said

    def test_a_finding_has_its_story_its_page_and_the_line_to_paste(self) -> None:
        """And what was known of it, if it was."""
        written = page(answers.violated())

        assert 'href="2-0.html"' in written
        assert 'href="2-0.trace.json"' in written
        assert "shardproof replay out/2-0.trace.json --adapter mine:Shard" in written
        assert "the next release has a table" in words(answers.expected())

    def test_a_wrong_file_of_known_deviations_is_told_first(self) -> None:
        """What is gone makes the run fail, so it does not stand at the end."""
        assert page(answers.expected()).index("no longer happens") < page(answers.expected()).index(
            "checked-title"
        )

    def test_draws_how_the_searches_went_on(self) -> None:
        """New situations by steps with the finding marked, worlds by depth, and how it became short."""
        written = page(answers.violated())
        figures = re.findall(r"<figcaption>([^<]*)</figcaption>", written)

        assert figures == [
            "How it became short",
            "prove: obligations proved by effort",
            "prove: effort by depth",
            "explore: worlds by depth",
            "fuzz: different situations",
        ]
        assert "situations, from 1 at 1 steps to 120 at 3,000; executes-at-most-once at 345" in written
        assert (
            "obligations proved, from 1 at 900 effort of the solver, in its own unit to 12 at 90,000"
            in written
        )
        drawings = re.findall(r'<title id="([^"]*)"', written)
        assert len({*drawings}) == len(drawings) == 5

    def test_has_tables_that_a_terminal_leaves_out(self) -> None:
        """What is of use only beside a drawing, or very long, stands on the page and in the file."""
        written = words(answers.holds())

        assert (
            "obligations by what they ask for what asked proved effort holds initially 12 12 90,000"
            in written
        )
        assert "obligations by what they ask for" not in as_text(answers.holds(), 100, ascii_only=True)
        assert "obligations by what they ask for" in as_json(answers.holds())["tables"]["prove"]

    def test_what_nobody_expected_comes_first(self) -> None:
        """Whatever was found first."""
        known = Deviating("P01", ("executes-at-most-once",), "the next release", State.SEEN)
        both = (answers.finding(), answers.finding("delivers-what-is-due"))
        report = answers.fuzzed(verdict=Verdict.VIOLATED, findings=both, deviations=(known,))

        told = re.findall(r"<h3>(?:<bdi>)?([a-z-]+)", page(answers.answer(report)))
        assert [name for name in told if name.startswith(("executes", "delivers"))] == [
            "delivers-what-is-due",
            "executes-at-most-once",
        ]

    def test_why_an_engine_decided_nothing_is_said(self) -> None:
        """Beside what it has checked."""
        assert "the limit of 1,000 worlds was reached" in words(answers.answer(answers.EXPLORED))

    def test_what_does_not_apply_to_one_engine_may_be_decided_by_another(self) -> None:
        """It stands among the properties, and only what applies nowhere stands apart."""
        explored = evolve(answers.EXPLORED, properties=("survives-a-crash",))

        said = words(answers.answer(answers.fuzzed(), explored))

        assert "survives-a-crash not applicable inconclusive" in said
        assert "do not apply" not in said

    def test_a_long_table_is_folded(self) -> None:
        """With how many rows it has; bars can be looked over, so they are open."""
        sentences = tuple((f"clause {n}", "cannot be attempted") for n in range(20))
        bars = tuple((f"attack {n}", "7") for n in range(20))
        written = page(answers.answer(answers.fuzzed(tables={"clauses": sentences, "attacks": bars})))

        assert written.count("<details><summary>") - written.count("as a table") == 2
        assert "20 rows" in written
        assert written.count("<details open>") == 1

    def test_a_table_of_sentences_has_no_columns(self) -> None:
        """One number among them makes none."""
        rows = (("one", "refused 12"), ("two", "cannot be attempted"), ("three", "is not attempted"))

        assert "one refused 12 two cannot be attempted" in words(
            answers.answer(answers.fuzzed(tables={"clauses": rows}))
        )

    def test_steps_are_marked_on_a_line_of_steps_only(self) -> None:
        """A search that goes level by level has no place for them."""
        explored = evolve(answers.EXPLORED, verdict=Verdict.VIOLATED, findings=(answers.finding(),))

        assert "at 345" not in page(answers.answer(explored)).split('id="course"')[1].split("</section>")[0]

    def test_no_two_elements_have_one_name(self) -> None:
        """Also where an engine has drawn more than one line."""
        lines = {"situations": ((1, 1), (9, 3)), "worlds": ((1, 1), (9, 5))}
        written = page(answers.answer(answers.fuzzed(series=lines), answers.EXPLORED))

        names = [value for name, value in parts(written).attributes if name == "id"]
        assert len(names) == len({*names})
        assert "fuzz: worlds" in written

    def test_counts_are_bars_and_sentences_are_not(self) -> None:
        """What the adversary tried can be compared at a glance."""
        written = page(answers.holds())

        assert written.count("<rect") == 3
        assert "never tried" in words(answers.holds())

    def test_a_run_that_ended_by_the_clock_says_how_to_do_the_same(self) -> None:
        """Seconds are not the same steps on another machine."""
        answer = evolve(answers.holds(), command="fuzz", repeat="shardproof fuzz --seed 7")

        assert "it ended by the clock: --steps 3000 does the same on every machine" in words(answer)
        assert "by the clock" not in words(evolve(answer, repeat="shardproof fuzz --steps 3000"))

    def test_what_each_clause_did_is_in_columns(self) -> None:
        """A word, a column; what has no number stands beside them."""
        rows = (("deliver: consumed", "refused 12, passed 1,034"), ("revert", "cannot be attempted: no verb"))

        said = words(answers.answer(answers.fuzzed(tables={"clauses": rows})))

        assert (
            "clauses what refused passed deliver: consumed 12 1,034 revert cannot be attempted: no verb"
            in said
        )

    def test_is_the_same_each_time(self) -> None:
        """A page is a function of the answer."""
        assert page(answers.violated()) == page(answers.violated())

    def test_no_trace_no_links(self) -> None:
        """Where a finding has no file, nothing points at one."""
        assert "<a " not in page(evolve(answers.violated(), files={}))

    @pytest.mark.parametrize("text", told.HOSTILE, ids=lambda t: repr(t[:12]))
    def test_foreign_text_stays_text(self, text: str) -> None:
        """No element and no attribute comes of it, no direction leaves its place, and no page is huge."""
        for written in (page(answers.hostile(text)), broken(text, text, AdapterError(text, got=text))):
            found = parts(written)
            assert found.elements <= ELEMENTS
            assert {name for name, _ in found.attributes} <= ATTRIBUTES
            assert {v for n, v in found.attributes if n == "href"} <= {"0-0.html", "0-0.trace.json"}
            assert len(written.encode("utf-8")) < 200_000
            assert all(c.isprintable() or c == "\n" for c in written)

    def test_a_run_without_a_verdict_says_why(self) -> None:
        """And is not mistaken for one in which nothing was found."""
        written = broken("fuzz", "shardproof fuzz --out x", AdapterError("the adapter raised", got="OSError"))

        assert '<p class="verdict broken">no verdict</p>' in written
        assert " ".join(parts(written).text.split()).endswith(
            "Why there is none the adapter raised got OSError Try again shardproof fuzz --out x"
        )


@pytest.mark.heavy
class TestInABrowser:
    def test_axe_finds_nothing_to_object_to(self, tmp_path: Path) -> None:
        """On a narrow and a wide screen, in both schemes; nothing is wider than it, nothing is asked for."""
        must_be_at_hand("axe-core")
        if (chromium := headless.installed()) is None:
            assert not os.environ.get("CI"), f"none of {', '.join(headless.NAMES)} is installed"
            pytest.skip("no browser is installed")
        (axe,) = read(PARTS["axe-core"], ["axe.min.js"]).values()
        place = tmp_path / "report.html"
        place.write_text(page(answers.violated()), encoding="utf-8")

        with headless.browser(chromium) as tab:
            for width, scheme in ((360, "dark"), (1280, "light")):
                tab.emulate(width, 800, prefers_color_scheme=scheme)
                tab.open(place.as_uri())
                assert tab.js("document.documentElement.scrollWidth") <= width
                tab.js("document.querySelectorAll('details').forEach(one => { one.open = true })")
                assert tab.js("document.documentElement.scrollWidth") <= width
                assert tab.complaints == []
                assert tab.requests == [place.as_uri()]
                tab.js(axe.decode())
                found = tab.js(
                    "axe.run(document).then(found => found.violations.map("
                    "v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join('; ')))"
                )
                assert found == []
