from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

import headless
import told
from headless import Tab
from sample_systems.at_hand import skipped_where_missing
from shardproof import trace_file
from shardproof.parts import PARTS, read
from shardproof.render import diagram
from shardproof.render.page.document import page
from shardproof.story.telling import tell
from shardproof.story.told import NOWHERE, Story

# A browser starts once for all of them, but opening and drawing pages takes its time.
pytestmark = pytest.mark.heavy

REPLAY = "replay with  shardproof replay x.trace.json"
TRACES = Path(__file__).parents[3] / "traces"
GALLERY = Path(__file__).parents[3] / "gallery"
GOLDEN = Path(__file__).parents[3] / "golden" / "page"

#: Of the many widths of screens, a small telephone and a wide desk.
NARROW, WIDE = (360, 740), (1600, 1000)

#: The page of the finding on the first screen of the README, as it is shown there.
FIRST_SCREEN = (1200, 620)

#: What two pictures must have in common: see likeness.js. Other letters leave 0.92 of it (measured with
#: serifs, with one width for all letters, and with a tenth less of it); a card that is missing, 0.85.
ALIKE_MIN, SHADE_MAX = 0.9, 8.0


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """A browser. Where nobody looks at what was skipped, missing it is a failure."""
    path = headless.installed()
    if path is None:
        reason = f"none of {', '.join(headless.NAMES)} is installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with headless.browser(path) as opened:
        yield opened


@frozen
class Shown:
    """A story, and its page on disk."""

    story: Story
    address: str


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What a shard without deduplication does, as the model tells it."""
    return kept(
        tell(trace_file.load(TRACES / "no-deduplication.trace.json")), tmp_path_factory.mktemp("double")
    )


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """One with everything that a page can have."""
    return kept(told.damaged(), tmp_path_factory.mktemp("damaged"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """One that means harm."""
    return kept(told.hostile(), tmp_path_factory.mktemp("hostile"))


def kept(story: Story, folder: Path) -> Shown:
    path = folder / "page.html"
    path.write_text(page(story, REPLAY), encoding="utf-8")
    return Shown(story, path.as_uri())


def opened(tab: Tab, shown: Shown, size: tuple[int, int] = WIDE, scheme: str = "light", at: str = "") -> None:
    tab.emulate(*size, prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    tab.open(shown.address + at)


def step_shown(tab: Tab) -> int:
    return int(tab.js("parseInt(document.querySelector('#step-title').textContent.slice(5))"))


def soon(tab: Tab, condition: str) -> None:
    """Wait until it is so; a page has until the patience of the tab ends."""
    deadline = time.monotonic() + tab.patience_s
    while not tab.js(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


#: The tables of what shards hold, as [shard, [[before, after] ...], [as before ...]].
TABLES = """
[...document.querySelectorAll(".tables table")].map(table => [
  table.querySelector("caption").firstChild.textContent,
  [...table.querySelectorAll("tr.changed")].map(row => [...row.children].map(
    cell => cell.querySelector(":scope > code")?.textContent ?? "")),
  [...table.querySelectorAll(".facts li")].map(item => item.textContent),
])
"""


def held(tab: Tab) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What each shard holds before and after the step that is shown."""
    before: dict[str, set[str]] = {}
    after: dict[str, set[str]] = {}
    for shard, changed, same in tab.js(TABLES):
        before[shard] = {*same, *(old for old, _ in changed if old)}
        after[shard] = {*same, *(new for _, new in changed if new)}
    return before, after


def facts(story: Story, steps: int) -> dict[str, set[str]]:
    by_shard: dict[str, set[str]] = {}
    for fact in story.facts(steps):
        by_shard.setdefault(fact.shard if fact.shard != NOWHERE else "everywhere", set()).add(str(fact))
    return by_shard


def without_empty(by_shard: dict[str, set[str]]) -> dict[str, set[str]]:
    return {shard: held for shard, held in by_shard.items() if held}


def assert_shows(tab: Tab, story: Story, index: int) -> None:
    """All that a story has of one step is on the page."""
    moment = story.moments[index]
    before, after = held(tab)
    assert step_shown(tab) == index + 1
    assert without_empty(before) == facts(story, index)
    assert without_empty(after) == facts(story, index + 1)
    words = tab.js("document.querySelector('#moment').textContent")
    for text in moment.step.changed:
        assert text in words
    for clause in moment.guard:
        assert clause.text in words
        assert clause.story.replace("`", "") in words
        assert all(meaning.replace("`", "") in words for meaning in clause.means)
    refusing = tab.js("document.querySelector('.guard .refuses .condition')?.textContent ?? ''")
    assert refusing == (moment.refusing.text if moment.refusing else "")
    assert tab.js("document.querySelector('.row.current')?.dataset.step") == str(index + 1)


class TestOpening:
    def test_asks_for_nothing_and_complains_of_nothing(self, tab: Tab, double: Shown, damaged: Shown) -> None:
        """
        From disk, a page asks for itself only, and neither the console nor its policy has anything to say.
        """
        for shown in (double, damaged):
            opened(tab, shown)

            assert tab.requests == [shown.address]
            assert tab.complaints == []

    def test_shows_where_it_goes_wrong(self, tab: Tab, double: Shown) -> None:
        """
        A page opens at the violation, with the two answers side by side.
        """
        opened(tab, double)

        assert_shows(tab, double.story, 5)
        sides = tab.js("[...document.querySelectorAll('.answer-of .what')].map(e => e.textContent)")
        assert sides == ["✕refused, consumed", "✓accepted"]
        assert tab.js("document.querySelectorAll('.answer-of.apart').length") == 1

    def test_lets_no_other_script_run(self, tab: Tab, double: Shown) -> None:
        """
        A script that gets into the page all the same is stopped by the policy, and so is a style.
        """
        opened(tab, double)

        tab.js(
            "(() => { const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
            "document.body.append(s); document.body.setAttribute('style', 'color: red');"
            "const i = new Image(); i.src = 'http://127.0.0.1:9/'; document.body.append(i) })()"
        )
        tab.settled()

        assert tab.js("window.hacked") is None
        assert len(tab.complaints) == 3
        assert all("Content Security Policy" in complaint for complaint in tab.complaints)

    def test_at_a_step_that_the_address_names(self, tab: Tab, double: Shown) -> None:
        """
        A permalink opens its step, whatever was shown before, and a wrong one opens the violation.
        """
        for at, index in (("#step-3", 2), ("#step-1", 0), ("#step-99", 5), ("#step-0", 5), ("#x", 5)):
            opened(tab, double, at=at)

            assert_shows(tab, double.story, index)
        tab.js("location.hash = '#step-2'")
        soon(tab, "document.querySelector('#step-title').textContent.startsWith('Step 2')")


class TestEvidence:
    def test_has_what_is_damaged_marked_in_red_and_in_a_word(self, tab: Tab, damaged: Shown) -> None:
        """
        Of the tree the leaf whose receipt was changed, and the hash that was, and no other node.
        """
        opened(tab, damaged)

        nodes = tab.js(
            "[...document.querySelectorAll('.moment .tree .node')].map(node => ["
            "node.querySelector('text').textContent,"
            "node.querySelector('.word')?.textContent ?? '', node.querySelector('.cross') !== null,"
            "getComputedStyle(node.querySelector('rect')).stroke === 'rgb(173, 31, 31)'])"
        )
        assert {name: marks for name, *marks in nodes if any(marks)} == {
            "1 to 2": ["damaged", True, True],
            "r2": ["damaged", True, True],
        }
        assert len(nodes) == 9
        assert "damaged: receipt r0" in tab.js("document.querySelector('.evidence').textContent")


class TestStepping:
    def test_by_keys(self, tab: Tab, double: Shown) -> None:
        """
        From the first step to the violation and back, every step shows what the story has of it.
        """
        opened(tab, double)
        last = len(double.story.moments) - 1

        tab.press("Home")
        for index in range(last + 1):
            assert_shows(tab, double.story, index)
            tab.press("ArrowRight")
        for index in range(last, -1, -1):
            assert_shows(tab, double.story, index)
            tab.press("ArrowLeft")
        assert step_shown(tab) == 1
        tab.press("End")
        assert step_shown(tab) == last + 1
        tab.press("Home")
        tab.press("x")
        assert step_shown(tab) == last + 1
        soon(tab, "location.hash === '#step-6'")
        assert tab.complaints == []

    def test_by_mouse(self, tab: Tab, double: Shown) -> None:
        """
        Rows of the diagram, buttons, and the link to the step that made a clause false lead to steps.
        """
        opened(tab, double)

        tab.click(".guard .refuses a")
        assert_shows(tab, double.story, 4)
        assert tab.js("document.activeElement.id") == "step-title"
        tab.click('#diagram [data-step="2"] .hit')
        assert_shows(tab, double.story, 1)
        tab.click("#forward")
        tab.click("#forward")
        tab.click("#back")
        assert_shows(tab, double.story, 2)
        tab.click("#first")
        assert step_shown(tab) == 1
        tab.click("#last")
        assert_shows(tab, double.story, 5)

    def test_by_the_slider(self, tab: Tab, double: Shown) -> None:
        """
        The slider goes to any step, and moves by keys while it has the focus.
        """
        opened(tab, double)

        tab.click("#scrub")
        middle = step_shown(tab)
        tab.press("ArrowLeft")
        assert middle in (3, 4)
        assert step_shown(tab) == middle - 1
        tab.press("End")
        assert step_shown(tab) == 6

    def test_by_playing(self, tab: Tab, double: Shown) -> None:
        """
        The space bar plays from the beginning once the end was reached, and stops.
        """
        opened(tab, double)

        tab.press(" ")
        assert step_shown(tab) == 1
        soon(tab, "document.querySelector('#step-title').textContent.startsWith('Step 2')")
        tab.press(" ")
        assert tab.js("document.querySelector('#play').getAttribute('aria-pressed')") == "false"

    def test_through_thousands_of_steps(
        self, tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Of a long trace only what is seen is drawn, and facts of any step are those of the story.
        """
        shown = kept(told.long(1_500), tmp_path)
        opened(tab, shown)

        for index in (1_499, 0, 733, 127, 128, 129, 1_498):
            tab.js(f"location.hash = '#step-{index + 1}'")
            soon(tab, f"document.querySelector('#step-title').textContent.startsWith('Step {index + 1} ')")
            tab.js("document.querySelectorAll('.more').forEach(button => button.click())")
            assert_shows(tab, shown.story, index)
            assert 0 < tab.js("document.querySelectorAll('#diagram g.row').length") < 120


class TestBeingRead:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_by_everybody(self, tab: Tab, damaged: Shown, double: Shown, scheme: str) -> None:
        """
        Axe finds nothing to object to, in both schemes, on narrow and wide screens, with all unfolded.
        """
        for shown, size, before in (
            (damaged, WIDE, "document.querySelector('#unfold').click()"),
            (double, NARROW, "document.querySelector('#keys').click()"),
        ):
            opened(tab, shown, size, scheme)
            tab.js(before)
            assert objections(tab) == []

    def test_aloud(self, tab: Tab, double: Shown) -> None:
        """
        Once a step has settled, a screen reader is told which it is, who says what, and what is wrong.
        """
        opened(tab, double)

        tab.press("ArrowLeft")
        tab.press("ArrowRight")
        soon(tab, "document.querySelector('#status').textContent.startsWith('Step 6')")

        violation = double.story.trace.violation
        assert violation is not None
        assert tab.js("document.querySelector('#status').textContent") == (
            "Step 6 of 6. relayer → B: deliver r0 by h0. model: refused, consumed; system: accepted. "
            f"Here it goes wrong. {violation.clause.replace('`', '')}"
        )
        assert tab.js("document.querySelector('#scrub').getAttribute('aria-valuetext')") == (
            "step 6 of 6: deliver r0 by h0"
        )

    def test_on_narrow_and_wide_screens(
        self, tab: Tab, double: Shown, damaged: Shown, hostile: Shown
    ) -> None:
        """
        No page is wider than its screen, whatever is in it.
        """
        for shown in (double, damaged, hostile):
            for size in (NARROW, WIDE):
                opened(tab, shown, size)
                tab.js("document.querySelector('#unfold').click()")

                assert tab.js("document.documentElement.scrollWidth") <= size[0]

    def test_with_the_help_of_a_key(self, tab: Tab, double: Shown) -> None:
        """
        A question mark shows the keys; Escape puts them away, and the keys of steps rest in between.
        """
        opened(tab, double)

        tab.press("?")
        tab.press("Home")
        assert tab.js("document.querySelector('#help').open") is True
        assert step_shown(tab) == 6
        tab.press("Escape")
        assert tab.js("document.querySelector('#help').open") is False
        tab.click("#keys")
        tab.click("#help button")
        assert tab.js("document.querySelector('#help').open") is False
        assert tab.complaints == []

    def test_without_motion(self, tab: Tab, double: Shown) -> None:
        """
        Who prefers no motion gets none.
        """
        opened(tab, double)

        assert tab.js("getComputedStyle(document.querySelector('.band')).transitionDuration") == "0s"

    def test_without_a_script(self, tab: Tab, damaged: Shown) -> None:
        """
        Where scripts are off, every step is there as text and in a picture, with nothing that would need one.
        """
        tab.allow_scripts(False)
        try:
            for size in (WIDE, NARROW):
                opened(tab, damaged, size)
                assert_is_all_there(tab, damaged.story)
                assert_is_drawn(tab, damaged.story)
                assert not any(is_seen(tab, part) for part in ("#picture", "#moment", "#timeline", "#copy"))
                assert tab.js("document.documentElement.scrollWidth") <= size[0]
        finally:
            tab.allow_scripts(True)

    def test_on_paper(self, tab: Tab, damaged: Shown) -> None:
        """
        Printed in the dark, a page is white, with all steps, the whole diagram, the tree, and no buttons.
        """
        opened(tab, damaged, scheme="dark")
        tab.press("Home")
        assert not is_seen(tab, ".plain")

        tab.call("Emulation.setEmulatedMedia", media="print")
        try:
            assert_is_all_there(tab, damaged.story)
            assert_is_drawn(tab, damaged.story)
            assert is_seen(tab, ".rule")
            assert is_seen(tab, "#why")
            assert not any(
                is_seen(tab, part) for part in ("#moment", "#timeline", "#copy", "#unfold", "#picture")
            )
            assert tab.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
            assert objections(tab) == []
            printed = base64.b64decode(tab.call("Page.printToPDF")["data"])
        finally:
            tab.call("Emulation.setEmulatedMedia", media="")
        assert printed.startswith(b"%PDF")

    def test_on_paper_between_the_rows(self, tab: Tab, tmp_path: Path) -> None:
        """
        A long diagram goes on on the next page, under the names of its lanes; what fits on none is left out.
        """
        opened(tab, kept(told.long(260), tmp_path))
        tab.call("Emulation.setEmulatedMedia", media="print")
        try:
            style = "getComputedStyle(document.querySelector('.sequence {}')).{}"
            assert tab.js(style.format("thead", "display")) == "table-header-group"
            assert tab.js(style.format("tbody tr", "breakInside")) == "avoid"
            rows = tab.js("[...document.querySelectorAll('.sequence tbody tr')].map(row => row.textContent)")
        finally:
            tab.call("Emulation.setEmulatedMedia", media="")
        assert len(rows) == 201
        assert rows[10] == "… 60 steps …"
        assert rows[11].startswith("71")

    def test_as_the_same_tree_with_a_script_and_without(self, tab: Tab, damaged: Shown) -> None:
        """
        Python and the script draw the same boxes, words and crosses at the same places, under the same name.
        """
        opened(tab, damaged)

        with_script, without = (tab.js(f"({ELEMENTS})('{place} .tree')") for place in (".moment", ".plain"))

        assert len(with_script) > 30
        assert with_script == without

    def test_as_a_command_that_can_be_copied(self, tab: Tab, double: Shown) -> None:
        """
        The button copies the command, or selects it where a page may not write to the clipboard.
        """
        opened(tab, double)

        tab.click("#copy")
        soon(tab, "document.querySelector('#copy').textContent === 'copied' || String(getSelection()) !== ''")

        if tab.js("document.querySelector('#copy').textContent") != "copied":
            assert tab.js("String(getSelection())").strip() == "shardproof replay x.trace.json"


def is_seen(tab: Tab, selector: str) -> bool:
    """Whether what `selector` finds can be seen."""
    return bool(tab.js(f"document.querySelector({json.dumps(selector)}).checkVisibility()"))


#: What can be seen of the drawings that need no script: rows, and words and crosses at damaged nodes.
DRAWN = """
[".sequence tbody tr", ".plain .node.damaged .word", ".plain .node.damaged .cross"].map(part =>
  [...document.querySelectorAll(part)].filter(
    mark => mark.checkVisibility() && mark.getBoundingClientRect().width > 5).map(mark => mark.textContent))
"""

#: Every element of a drawing, with its attributes, and the letters in it.
ELEMENTS = """
drawing => [...document.querySelectorAll(`${drawing}, ${drawing} :not(title)`)].map(element => [
  element.localName,
  ...[...element.attributes].map(({ name, value }) => `${name}=${value.trim()}`).sort(),
  element.localName === "text" ? element.textContent : "",
].join(" "))
"""


def assert_is_drawn(tab: Tab, story: Story) -> None:
    """Every step has a row that can be seen; what is damaged has a word and a cross, whatever its colour."""
    rows, words, crosses = tab.js(DRAWN)
    assert len(rows) == len(story.moments)
    assert all(diagram.label(m.step)[:20] in row for row, m in zip(rows, story.moments, strict=True))
    assert [i for i, row in enumerate(rows) if "✕" in row] == [len(rows) - 1]
    assert words == ["damaged", "damaged"]
    assert len(crosses) == 2


def objections(tab: Tab) -> list[str]:
    """What axe has to say against the page as it is shown."""
    with skipped_where_missing():
        (axe,) = read(PARTS["axe-core"], ["axe.min.js"]).values()
    tab.js(axe.decode())
    found: list[str] = tab.js(
        "axe.run(document).then(found => found.violations.map("
        "v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join('; ')))"
    )
    return found


def assert_is_all_there(tab: Tab, story: Story) -> None:
    """Every step of the story can be seen in the list of all steps, with its answers and its clauses."""
    items = tab.js(
        "[...document.querySelectorAll('#list > li')].map(e => e.checkVisibility() ? e.textContent : '')"
    )
    assert len(items) == len(story.moments)
    for text, moment in zip(items, story.moments, strict=True):
        assert moment.step.action in text
        assert all(clause.text in text for clause in moment.guard)
        assert all(str(change.after) in text for change in moment.changes)


@pytest.mark.parametrize("page", sorted(GALLERY.glob("*.html")), ids=lambda page: page.stem)
class TestIncidents:
    """The pages of the gallery, as they are committed."""

    def test_can_be_stepped_through(self, tab: Tab, page: Path) -> None:
        """
        From disk, asking for nothing: each step by a key and back by another, and to the violation by mouse.
        """
        shown = incident(page)
        last = len(shown.story.moments) - 1
        opened(tab, shown)

        tab.press("Home")
        for index in range(last + 1):
            assert_shows(tab, shown.story, index)
            tab.press("ArrowRight")
        for index in range(last, -1, -1):
            assert_shows(tab, shown.story, index)
            tab.press("ArrowLeft")
        tab.click(f'#diagram [data-step="{last + 1}"] .hit')
        assert_shows(tab, shown.story, last)

        assert tab.requests == [shown.address]
        assert tab.complaints == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_can_be_read_by_everybody(self, tab: Tab, page: Path, scheme: str) -> None:
        """
        No page is wider than a telephone or a desk, and axe finds nothing to object to, on either of them.
        """
        first, then = (NARROW, WIDE) if scheme == "dark" else (WIDE, NARROW)
        for size in (first, then):
            opened(tab, incident(page), size, scheme)

            assert tab.js("document.documentElement.scrollWidth") <= size[0]
        assert objections(tab) == []


def incident(page: Path) -> Shown:
    """A page of the gallery, and the story that it tells."""
    return Shown(tell(trace_file.load(TRACES / f"{page.stem}.trace.json")), page.as_uri())


class TestHostileText:
    def test_is_shown_and_does_nothing(self, tab: Tab, hostile: Shown) -> None:
        """
        Through all steps no script of it runs, no element of it appears, and nothing is asked for.
        """
        opened(tab, hostile)

        tab.press("Home")
        for _ in hostile.story.moments:
            tab.js("document.querySelectorAll('.more').forEach(button => button.click())")
            tab.press("ArrowRight")

        assert tab.complaints == []
        assert tab.requests == [hostile.address]
        assert tab.js("window.hacked") is None
        assert (
            tab.js("document.querySelectorAll('img, iframe, [onerror], [onfocus], [style*=hack]').length")
            == 0
        )
        assert tab.js("document.scripts.length") == 2
        assert "<img src=x onerror='window.hacked = 2'>" in tab.js(
            "document.querySelector('#list').textContent"
        )
        assert tab.js("/[\\u202e\\u2066\\u2028\\x00-\\x08\\x1b]/.test(document.body.textContent)") is False

    def test_turns_no_direction(self, tab: Tab, hostile: Shown) -> None:
        """
        Letters that are written from right to left stay within their own element.
        """
        opened(tab, hostile, at="#step-4")

        outside = tab.js(
            "[...document.querySelectorAll('#moment *')].filter(e => [...e.childNodes].some("
            "n => n.nodeType === 3 && /[\\u0590-\\u06ff]/.test(n.data))).map(e => e.localName)"
        )
        assert outside
        assert set(outside) <= {"bdi", "text", "title"}


class TestLooks:
    @pytest.mark.parametrize(
        "name, size, scheme",
        [
            ("wide-light", WIDE, "light"),
            ("wide-dark", WIDE, "dark"),
            ("narrow-light", NARROW, "light"),
            ("first-screen", FIRST_SCREEN, "light"),
        ],
    )
    def test_as_it_did(
        self, tab: Tab, damaged: Shown, double: Shown, name: str, size: tuple[int, int], scheme: str
    ) -> None:
        """
        A page looks as it looked when somebody last looked at it, as far as letters of other machines allow.
        """
        opened(tab, double if size == FIRST_SCREEN else damaged, size, scheme)
        shot = tab.screenshot(*size, scale=0.4 if size == WIDE else 1)
        path = GOLDEN / f"{name}.png"
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(shot)

        assert alike(tab, path.read_bytes(), shot), (
            f"{name} differs; look at it, then run with UPDATE_GOLDEN=1"
        )

    def test_a_difference_is_seen_and_other_letters_are_none(self, tab: Tab, damaged: Shown) -> None:
        """
        A card that is missing, larger letters, or wrong in another colour is seen; serifs are none of that.
        """
        root = "document.documentElement.style"
        changes = {
            "": True,
            f"{root}.setProperty('--letters', 'serif')": True,
            "document.querySelector('.guard').remove()": False,
            "document.querySelector('#picture').remove()": False,
            f"{root}.fontSize = '22px'": False,
            f"{root}.setProperty('--wrong', '#1b6846'), {root}.setProperty('--wrong-wash', '#eeeeff')": False,
        }
        pictures = []

        for change in changes:
            opened(tab, damaged)
            tab.js(change)
            tab.settled()
            pictures.append(tab.screenshot(*WIDE, scale=0.4))

        assert [alike(tab, pictures[0], picture) for picture in pictures] == list(changes.values())


def alike(tab: Tab, one: bytes, other: bytes) -> bool:
    """Whether two pictures show the same, as far as letters of other machines allow."""
    pictures = json.dumps([base64.b64encode(picture).decode() for picture in (one, other)])
    brightness, redness, shade = tab.js(
        f"({(Path(__file__).parent / 'likeness.js').read_text()})({pictures})"
    )
    return bool(brightness >= ALIKE_MIN and redness >= ALIKE_MIN and shade <= SHADE_MAX)
