"""
A trace as a sequence diagram: a lane for each shard that takes part, and one for the relayer.

What is said stands on its arrow where there is room, and beside the lanes otherwise. No row
is wider than the width that is given; where not even bare lanes fit, there are none.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from ..trace import Step, Trace
from . import inert

RELAYER = "relayer"

#: Rows for steps; of a longer trace, the first few and all that lead to the violation.
STEPS_MAX = 200
_FIRST = 10

#: Of so many alike steps in a row, or more, the first two and the last are shown.
ALIKE = 12

#: What a column of answers needs to be readable.
_TEXT_MIN = 26
_MARGIN = 2


@frozen
class Strokes:
    """What lines are made of."""

    lane: str
    along: str
    right: str
    left: str
    here: str
    event: str


UNICODE = Strokes("│", "─", "▶", "◀", "◀── here", "●")
ASCII = Strokes("|", "-", ">", "<", "<-- here", "*")


@frozen
class Row:
    """One step: from where to where, what is said, and what comes of it."""

    number: int
    origin: str
    target: str
    label: str
    outcome: tuple[str, ...]
    here: bool


@frozen
class Diagram:
    """Where the lanes are."""

    names: tuple[str, ...]
    #: The names as they stand above the lanes.
    heads: tuple[str, ...]
    columns: tuple[int, ...]
    #: Cells from the left edge to where the text starts.
    text_at: int
    width: int
    strokes: Strokes
    digits: int
    labels_on_arrows: bool

    def at(self, name: str) -> int:
        """The column of the lane called `name`."""
        return self.columns[self.names.index(name)]


def draw(trace: Trace, width: int, strokes: Strokes) -> list[str]:
    """The steps of `trace`, in lines of at most `width` cells."""
    ascii_only = strokes is ASCII
    rows = [_row(trace, i, ascii_only) for i in shown_steps(trace)]
    lanes = _lanes(trace, rows, ascii_only)
    diagram = _plan(lanes, rows, max(width, 40), strokes, len(str(len(trace.steps))))
    lines = [_heads(diagram)] if diagram.columns else []
    before = 0
    for row in rows:
        if row.number > before + 1:
            lines.append(" " * _MARGIN + f"... {left_out(trace, before, row.number - 1)} ...")
        before = row.number
        lines += _draw_row(diagram, row)
    return [text.rstrip() for text in lines]


def shown_steps(trace: Trace) -> list[int]:
    """
    The indices of the steps that are shown: all but the middle of many that are alike.

    Of what is longer still, the first few and the last.
    """
    count = len(trace.steps)
    last = count if trace.violation is None else trace.violation.step + 1
    shown = []
    for stretch in _stretches(trace, count):
        shown += [*stretch[:2], stretch[-1]] if len(stretch) >= ALIKE else stretch
    if len(shown) <= STEPS_MAX:
        return shown
    until = [index for index in shown if index < last]
    return [*until[:_FIRST], *until[_FIRST:][_FIRST - STEPS_MAX :]]


def _stretches(trace: Trace, count: int) -> Iterator[list[int]]:
    """All indices in order, with those of steps that are alike together."""
    wrong = -1 if trace.violation is None else trace.violation.step
    stretch: list[int] = []
    for index in range(count):
        if stretch and (
            wrong in (index, stretch[-1]) or not _alike(trace.steps[stretch[-1]], trace.steps[index])
        ):
            yield stretch
            stretch = []
        stretch.append(index)
    if stretch:
        yield stretch


def _alike(first: Step, *others: Step) -> bool:
    """Whether steps differ only by which receipt they are about."""

    def shape(step: Step) -> tuple[object, ...]:
        args = {k: v for k, v in step.args.items() if k not in ("receipt", "evidence")}
        honest = step.args.get("evidence") == f"{step.args.get('receipt')}@{step.args.get('header')}"
        return step.action, step.at, args, honest, step.expected, step.actual, len(step.changed)

    return all(shape(step) == shape(first) for step in others)


def left_out(trace: Trace, start: int, end: int) -> str:
    """What stands in place of the steps from index `start` until before `end`, which are not shown."""
    count = end - start
    like_it = " like these" if start and _alike(trace.steps[start - 1], *trace.steps[start : end + 1]) else ""
    return f"{count:,} step is left out" if count == 1 else f"{count:,} steps{like_it} are left out"


def _lanes(trace: Trace, rows: list[Row], ascii_only: bool) -> tuple[str, ...]:
    used = {place for row in rows for place in (row.origin, row.target)}
    # A shard might be called like the relayer: theirs is quoted, ours is bare.
    shards = [_shard(name, ascii_only) for name in trace.shards]
    if not used <= {RELAYER, *shards}:
        # A protocol of somebody's own may have actions of these names, and shards that are none of ours.
        return ()
    shards = [name for name in shards if name in used]
    return (*shards[:1], *([RELAYER] if RELAYER in used else []), *shards[1:])


def _shard(name: str, ascii_only: bool) -> str:
    shown = inert.line(name, ascii_only=ascii_only, longest=60)
    return f"'{shown}'" if shown == RELAYER else shown


# ---- what is said --------------------------------------------------------------------------------


def _row(trace: Trace, index: int, ascii_only: bool) -> Row:
    step = trace.steps[index]
    here = trace.violation is not None and trace.violation.step == index
    origin, target = ends(trace, step, _shard(step.at, ascii_only))
    said = inert.line(label(step), ascii_only=ascii_only)
    answers = tuple(inert.line(text, ascii_only=ascii_only) for text in outcome(trace, index))
    return Row(index + 1, origin, target, said, answers, here)


def ends(trace: Trace, step: Step, place: str) -> tuple[str, str]:
    """From where to where a step goes that happens at `place`; the same twice, where nothing is carried."""
    if step.at not in trace.shards:
        return place, place
    if step.action == "emit":
        return place, RELAYER
    if "evidence" in step.args or step.action in ("learn", "learn_validators"):
        return RELAYER, place
    return place, place


def label(step: Step) -> str:
    """What is tried, in a few words: `deliver r0 by h0`."""
    args = step.args
    words = [step.action, args.get("receipt", ""), args.get("header", "") if "receipt" not in args else ""]
    if "to" in args:
        words.append(f"to {args['to']}")
    if "evidence" in args:
        words.append(_evidence(step))
    if "damage" in args:
        words.append(f"({args['damage']})")
    return " ".join(word for word in words if word)


def _evidence(step: Step) -> str:
    """What an honest relayer would show needs no words; what differs from it does."""
    receipt, header, evidence = (step.args.get(key, "") for key in ("receipt", "header", "evidence"))
    if evidence == f"{receipt}@{header}":
        return f"by {header}"
    return f"by {header} with {'no evidence' if evidence == 'none' else evidence}"


def outcome(trace: Trace, index: int) -> Iterator[str]:
    """What comes of a step, a line each: the answers, and what changed."""
    step, violation = trace.steps[index], trace.violation
    expected, actual = step.expected, step.actual
    if violation is not None and violation.step == index:
        expected, actual = violation.expected or expected, violation.actual or actual
    if trace.of_several() and violation is not None and violation.step == index:
        # The answers of two systems, with their names before them.
        yield expected
        yield actual
    elif not actual or not expected or expected == actual:
        yield expected or actual
    elif expected == "either":
        yield f"{actual} (either is right)"
    else:
        yield f"model: {expected}"
        yield f"system: {actual}"
    yield from step.changed


# ---- where it is drawn ---------------------------------------------------------------------------


def _plan(lanes: tuple[str, ...], rows: list[Row], width: int, strokes: Strokes, digits: int) -> Diagram:
    start = _MARGIN + digits + 2
    widest = max((inert.cells(row.label) for row in rows), default=0)
    if not lanes:
        return Diagram((), (), (), start, width, strokes, digits, labels_on_arrows=False)
    # From roomy to tight; the first plan that leaves enough for what is said is drawn.
    for on_arrows, gap, name_max in (
        (True, widest + 7, 40),
        (False, 11, 20),
        (False, 8, 10),
        (False, 5, 7),
        (False, 3, 4),
        (False, 3, 2),
    ):
        at, columns = start, []
        names = [inert.cut(name, name_max) for name in lanes]
        for i, name in enumerate(names):
            columns.append(at + (inert.cells(name) - 1) // 2 if i == 0 else at)
            at = columns[-1] + max(gap, _between(names, i))
        labels = 0 if on_arrows else 10
        at_last = [
            inert.cells(row.label) + 1 for row in rows if on_arrows and row.origin == row.target == lanes[-1]
        ]
        text_at = columns[-1] + 4 + max(_overhang(names), *at_last, 0)
        if text_at + labels + _TEXT_MIN <= width:
            return Diagram(lanes, tuple(names), tuple(columns), text_at, width, strokes, digits, on_arrows)
    return Diagram(lanes, (), (), start, width, strokes, digits, labels_on_arrows=False)


def _between(names: list[str], i: int) -> int:
    """Columns from lane `i` to the next one, so that their names do not touch."""
    if i + 1 == len(names):
        return 0
    return inert.cells(names[i]) // 2 + (inert.cells(names[i + 1]) - 1) // 2 + 3


def _overhang(names: list[str]) -> int:
    return inert.cells(names[-1]) // 2


def _heads(diagram: Diagram) -> str:
    text = ""
    for name, column in zip(diagram.heads, diagram.columns, strict=True):
        text = inert.pad(text, column - (inert.cells(name) - 1) // 2) + name
    return text


def _draw_row(diagram: Diagram, row: Row) -> Iterator[str]:
    strokes = diagram.strokes
    number = f"{row.number:>{_MARGIN + diagram.digits}}"
    beside: list[str] = []
    if diagram.columns:
        drawn = _arrow(diagram, row)
        if not diagram.labels_on_arrows:
            beside.append(row.label)
    else:
        way = (
            row.target
            if row.origin == row.target
            else f"{row.origin} {strokes.along}{strokes.right} {row.target}"
        )
        drawn = ""
        beside.append(f"{way}: {row.label}")
    outcome = list(row.outcome)
    blank = _lanes_only(diagram)
    room = diagram.width - diagram.text_at
    lines = [*_together(beside, outcome, room)]
    if row.here:
        # Last of the two answers, where there are two: what the system said is what is wrong.
        place = min(
            len(lines) - 1, next((i for i, t in enumerate(lines) if t.lstrip().startswith("system:")), 0)
        )
        mark = f"   {strokes.here}"
        if inert.cells(lines[place]) + len(mark) <= room:
            lines[place] += mark
        else:
            lines.insert(place + 1, strokes.here)
    for i, text in enumerate(lines):
        left = number + drawn[len(number) :] if i == 0 and drawn else number if i == 0 else blank
        yield inert.pad(left, diagram.text_at) + text


def _together(beside: list[str], outcome: list[str], room: int) -> Iterator[str]:
    """The label and the first answer on one line if they fit, and everything wrapped."""
    if beside and outcome and inert.cells(beside[0]) + 3 + inert.cells(outcome[0]) <= room:
        column = max(inert.cells(beside[0]) + 3, min(27, room - inert.cells(outcome[0])))
        yield inert.pad(beside[0], column) + outcome[0]
        rest = [(column, text) for text in outcome[1:]]
    else:
        for text in beside:
            yield from inert.wrap(text, room)
        rest = [(2 if beside else 0, text) for text in outcome]
    for indent, text in rest:
        indented = indent if inert.cells(text) + indent <= room else min(indent, 2)
        for part in inert.wrap(text, room - indented):
            yield " " * indented + part


def _lanes_only(diagram: Diagram) -> str:
    text = ""
    for column in diagram.columns:
        text = inert.pad(text, column) + diagram.strokes.lane
    return text


def _arrow(diagram: Diagram, row: Row) -> str:
    strokes, cells = diagram.strokes, list(inert.pad(_lanes_only(diagram), diagram.text_at))
    start, end = diagram.at(row.origin), diagram.at(row.target)
    low, high = min(start, end), max(start, end)
    if start == end:
        cells[start] = strokes.event
        text = f" {row.label} "
        if diagram.labels_on_arrows:
            return _over(cells, start + 1, text)
        return "".join(cells)
    for column in range(low + 1, high):
        cells[column] = strokes.along
    if end > start:
        cells[high - 1] = strokes.right
    else:
        cells[low + 1] = strokes.left
    return _over(cells, low + 3, f" {row.label} ") if diagram.labels_on_arrows else "".join(cells)


def _over(cells: list[str], column: int, text: str) -> str:
    """The cells, with `text` written over them from `column` on."""
    return "".join(cells[:column]) + text + "".join(cells[column + inert.cells(text) :])
