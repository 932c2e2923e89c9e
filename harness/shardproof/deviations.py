"""
Known deviations: what a system is expected to violate, and why that is so, as a file.

    [[deviation]]
    property = "executes-at-most-once"    # or its number, P01
    adapter = "my_adapter:MyAdapter"      # only of this one; left out, of every adapter
    reason = "the new table of receipts is not deployed yet"
    trace = "known/twice.trace.json"      # that shows it, as seen from this file; may be left out

What systems are known to differ in, where they are asked the same, is an entry too: its property is the
name of the difference, such as `agree-on-deliver`, and its adapter is all of them: "A and B".

What is expected is shown with its trace and fails nothing. The line must go once it is no longer
true: a search that checked all it was to check, and has not seen it, says that it is gone, which is
an error. A search that is inconclusive for another reason has not seen enough to say so. With a
trace there is nothing to chance: it is run again first, and shows the deviation or shows that it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from . import trace_file
from .errors import UsageError, nearest
from .files import tables
from .replay import Replayed, differences, replay
from .selection import Applicable, System, applicable, sentences
from .together import agreements
from .trace import DIFFERENCE, Trace
from .verdict import Deviating, Report, State, Verdict, broken

#: What stands between the names of several adapters, here and in traces.
_AND = " and "

_ENTRIES = "deviation"
_WORDS = ("property", "adapter", "reason", "trace")


@frozen
class Deviation:
    """One entry of the file."""

    #: As it is written: the name of a sentence, or a number, under which there may be several.
    property: str
    names: tuple[str, ...]
    reason: str
    #: As the command line names it, or several in any order; empty for every adapter.
    adapter: str = ""
    #: The file of a run that shows it, and what became of that on this system.
    trace: Path | None = None
    replayed: State | None = None


def load(path: Path) -> tuple[Deviation, ...]:
    """The entries of a file. Raises `UsageError` if it cannot be read, or says what makes no sense."""
    document = tables(
        path,
        f"{path} cannot be read as known deviations",
        f"TOML, with a table [[{_ENTRIES}]] for each of them",
    )
    if other := [word for word in document if word != _ENTRIES]:
        raise UsageError(
            f"{path}: unknown entry {other[0]!r}",
            expected=f"[[{_ENTRIES}]]",
            help=nearest(other[0], (_ENTRIES,)),
        )
    entries = document.get(_ENTRIES, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise UsageError(
            f"{path}: {_ENTRIES} is not a list of tables",
            expected=f"[[{_ENTRIES}]], with two brackets",
            got=repr(entries),
        )
    known = sentences()
    read = tuple(
        _entry(entry, f"{path}, deviation {n}", known, path.parent) for n, entry in enumerate(entries, 1)
    )
    seen: dict[tuple[str, str], str] = {}
    for one in read:
        for name in one.names:
            if other_word := seen.get((name, one.adapter)):
                raise UsageError(
                    f"{path}: {name} is said to deviate twice",
                    got=" and ".join(dict.fromkeys((other_word, one.property))),
                    help="one of the two is enough: leave the other out",
                )
            seen[name, one.adapter] = one.property
    return read


def _entry(entry: Mapping[str, Any], where: str, known: Sequence[Applicable], folder: Path) -> Deviation:
    if unknown := [word for word in entry if word not in _WORDS]:
        raise UsageError(f"{where}: unknown word {unknown[0]!r}", help=nearest(unknown[0], _WORDS))
    for word, value in entry.items():
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise UsageError(f"{where}: {word} says nothing", expected="a text", got=repr(value))
    if missing := [word for word in ("property", "reason") if word not in entry]:
        raise UsageError(
            f"{where}: {missing[0]} is missing",
            expected="property and reason, and adapter where it is one of several",
            help="a deviation without a reason is a bug that nobody looks at"
            if "property" in entry
            else None,
        )
    word = entry["property"].strip()
    of_several = word in agreements()
    names = (word,) if of_several else tuple(s.name for s in known if word in (s.name, s.id) and word != "-")
    if not names:
        said = {s.name for s in known} | {s.id for s in known if s.id != "-"}
        raise UsageError(
            f"{where}: unknown property {word!r}",
            expected="a property that can be seen of an implementation, by name or number",
            help=nearest(word, agreements() if word.startswith(DIFFERENCE) else said),
        )
    adapter = entry.get("adapter", "").strip()
    if of_several and adapter and _AND not in adapter:
        raise UsageError(
            f"{where}: {word} says what several systems differ in",
            expected='all of them, as in adapter = "A and B"',
            got=adapter,
        )
    trace = folder / entry["trace"].strip() if "trace" in entry else None
    return Deviation(word, names, entry["reason"].strip(), adapter, trace)


def of_system(known: Sequence[Deviation], system: System) -> tuple[Deviation, ...]:
    """
    The deviations of one system; where there is a trace of one, it is run again.

    Raises `UsageError` where one is said of this adapter by name, and its property says nothing of it, or
    where a trace cannot be read or run on it.
    """
    said = {s.name: s.not_applicable for s in applicable(system.capabilities, system.stack)}
    mine = [one for one in known if one.adapter in ("", system.name) and one.property not in agreements()]
    for one in mine:
        if one.adapter and all(said[name] for name in one.names):
            raise UsageError(
                f"known deviation {one.property}: the property says nothing of {system.name}",
                got=said[one.names[0]],
                help="so it can never be seen to deviate: leave the entry out",
            )
    return tuple(_again(one, lambda trace: replay(system.make, system.name, trace)) for one in mine)


def of_several(known: Sequence[Deviation], systems: Sequence[System]) -> tuple[Deviation, ...]:
    """
    What these systems are known to differ in; where there is a trace of one, they are all asked again.

    Raises `UsageError` where one is said of them by name, and they cannot all be asked for that, or where a
    trace cannot be read or run on them.
    """
    together = _AND.join(one.name for one in systems)
    possible = agreements(frozenset.intersection(*(one.capabilities for one in systems)))
    ours = [
        one
        for one in known
        if one.property in agreements() and (not one.adapter or _same(one.adapter, together))
    ]
    for one in ours:
        if one.adapter and one.property not in possible:
            raise UsageError(
                f"known deviation {one.property}: not all of {together} can be asked for that",
                help="so they can never be seen to differ in it: leave the entry out",
            )
    made = [(one.name, one.make) for one in systems]
    return tuple(_again(one, lambda trace: differences(made, trace)) for one in ours)


def _same(some: str, others: str) -> bool:
    """Whether the same adapters are named, in whatever order."""
    return sorted(some.split(_AND)) == sorted(others.split(_AND))


def _again(one: Deviation, run: Callable[[Trace], Replayed]) -> Deviation:
    if one.trace is None:
        return one
    again = run(trace_file.load(one.trace))
    if again.verdict is Verdict.VIOLATED:
        # Something else that it violates is for the search to find, and says nothing of this.
        return evolve(one, replayed=State.SEEN if again.trace.property in one.names else None)
    return evolve(one, replayed=State.GONE if again.verdict is Verdict.HOLDS else None)


def excused(known: Sequence[Deviation]) -> frozenset[str]:
    """The names of all sentences that are expected to be violated."""
    return frozenset(name for one in known for name in one.names)


def judged(report: Report, known: Sequence[Deviation]) -> Report:
    """The report of a search, with what was expected set apart from what was not."""
    if not known:
        return report
    names = excused(known)
    unexpected = [found for found in report.findings if not names.issuperset(broken(found))]
    states = tuple(_state(one, report, stopped=bool(unexpected)) for one in known)
    if unexpected:
        verdict = Verdict.VIOLATED
    elif report.reasons:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.HOLDS
    return evolve(report, verdict=verdict, deviations=states)


def _state(one: Deviation, report: Report, *, stopped: bool) -> Deviating:
    def state(what: State, why: str = "") -> Deviating:
        return Deviating(one.property, one.names, one.reason, what, why)

    if any(name in one.names for found in report.findings for name in broken(found)):
        return state(State.SEEN)
    if one.replayed is not None:
        shows = "shows it" if one.replayed is State.SEEN else "no longer shows it"
        return state(one.replayed, f"{one.trace} {shows}; {one.reason}")
    # What breaks no sentence has no line among them, and is looked for all the time.
    judged_by = [n for n in one.names if n in report.properties or n == "follows-the-model"]
    if not judged_by:
        why = next((report.not_applicable[n] for n in one.names if n in report.not_applicable), "")
        return state(State.NOT_APPLICABLE, why or "it was not among what was looked for")
    if stopped:
        return state(State.NOT_SEEN, "the search ended with what else it found")
    if report.reasons:
        return state(
            State.NOT_SEEN, f"too little was run to say that it is gone: {'; '.join(report.reasons)}"
        )
    return state(State.GONE, "this search would have said that it holds")
