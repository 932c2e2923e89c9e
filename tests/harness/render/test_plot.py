from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

import told
from shardproof.render import plot

GROWTH = plot.Line("fuzz: different situations", ((1, 1), (200, 80), (3_000, 120)), "steps", "situations", ())


def read(markup: str) -> ET.Element:
    """The markup, which is well-formed."""
    return ET.fromstring(f"<div>{markup}</div>")


class TestLine:
    def test_says_in_words_and_in_a_table_what_it_draws(self) -> None:
        """Who does not see the drawing learns its title, its sense, and its numbers."""
        figure = read(plot.line(GROWTH, "x"))

        (svg,) = figure.iter("svg")
        assert svg.get("aria-labelledby") == "x-title x-desc"
        assert [svg.findtext(name) for name in ("title", "desc")] == [
            "fuzz: different situations",
            "situations, from 1 at 1 steps to 120 at 3,000",
        ]
        assert [[cell.text for cell in row] for row in figure.iter("tr")] == [
            ["steps", "situations"],
            ["1", "1"],
            ["200", "80"],
            ["3,000", "120"],
        ]

    def test_draws_each_point_where_it_is(self) -> None:
        """To the right as steps are taken, upwards as there is more; a value lasts until the next one."""
        (path,) = [p for p in read(plot.line(GROWTH, "x")).iter("path") if p.get("class") == "course"]

        numbers = [float(n) for n in re.findall(r"[\d.]+", path.get("d") or "")]
        wide, high = plot.WIDTH - plot.LEFT - plot.RIGHT, plot.HEIGHT - plot.TOP - plot.BOTTOM
        assert numbers[-2:] == [
            plot.WIDTH - plot.RIGHT,
            pytest.approx(plot.TOP + high * (1 - 120 / 150), 0.1),
        ]
        assert numbers[2] == pytest.approx(plot.LEFT + wide * 200 / 3_000, 0.01)

    def test_marks_have_a_shape_and_a_word(self) -> None:
        """Where a finding was met is told without colour."""
        marked = plot.Line("a", ((0, 1), (10, 2)), "steps", "b", ((4, "executes-at-most-once"),))

        figure = read(plot.line(marked, "x"))

        (event,) = [g for g in figure.iter("g") if g.get("class") == "event"]
        assert event.findtext("title") == "executes-at-most-once"
        assert figure.findtext(".//desc") == "b, from 1 at 0 steps to 2 at 10; executes-at-most-once at 4"

    def test_few_numbers_of_many_points_are_in_the_table(self) -> None:
        """The first and the last among them."""
        points = tuple((i, i * i) for i in range(200))

        rows = [*read(plot.line(plot.Line("a", points, "x", "y"), "x")).iter("tr")]

        assert len(rows) == plot.ROWS + 1
        assert [cell.text for cell in rows[1]] == ["0", "0"]
        assert [cell.text for cell in rows[-1]] == ["199", "39,601"]

    def test_nothing_is_drawn_of_nothing(self) -> None:
        """No empty axes."""
        assert plot.line(plot.Line("a", (), "x", "y"), "x") == ""

    @pytest.mark.parametrize("points", [((0, 0),), ((5, 0), (5_000_000_000, 0)), ((0, 10**12), (1, 0))])
    def test_every_point_is_on_the_drawing(self, points: tuple[tuple[int, int], ...]) -> None:
        """One point, no height, and very large numbers are drawn as well."""
        (path,) = read(plot.line(plot.Line("a", points, "x", "y"), "x")).iter("path")

        numbers = [float(n) for n in re.findall(r"[\d.]+", path.get("d") or "")]
        assert all(0 <= n <= plot.WIDTH for n in numbers)

    def test_axes_end_at_plain_numbers(self) -> None:
        """So that what stands between them can be read."""
        assert [plot._nice(v) for v in (1, 7, 11, 120, 2_148, 38_884_768)] == [
            1,
            8,
            15,
            150,
            3_000,
            40_000_000,
        ]
        assert [plot._short(v) for v in (0, 7.5, 150, 3_000, 15_000, 2_000_000)] == [
            "0",
            "7.5",
            "150",
            "3000",
            "15k",
            "2M",
        ]

    @pytest.mark.parametrize("text", told.HOSTILE, ids=lambda t: repr(t[:12]))
    def test_foreign_text_stays_text(self, text: str) -> None:
        """Nothing in a title, an axis or a mark becomes an element."""
        line = plot.line(plot.Line(text, ((0, 1), (2, 3)), text, text, ((1, text),)), "x")

        figure = read(line)
        assert {e.tag for e in figure.iter()} <= {
            *("div", "figure", "figcaption", "bdi", "svg", "title", "desc", "line", "text", "path", "g"),
            *("details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
        }
        assert len(line) < 20_000


class TestBars:
    def test_the_longest_is_full_and_none_is_nothing(self) -> None:
        """A bar is as long as its number; what there is at all can be seen."""
        table = read(
            plot.bars([("a", 200, "200"), ("b", 50, "50"), ("c", 0, "never"), ("d", 0.1, "")], "t", ("", "n"))
        )

        assert [rect.get("width") for rect in table.iter("rect")] == ["100.0", "25.0", "0.0", "0.5"]
        assert [cell.text for cell in table.iter("td") if cell.get("class") == "number"] == [
            *("200", "50", "never"),
            None,
        ]
