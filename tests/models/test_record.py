"""
What has happened to real systems is made again, and noticed by what it violated there.

In no more steps than the report of it takes, or the entry says why. The table in
`models/README.md` is made here, from the entries, what becomes of them, and the faulty shards, so
it cannot go stale: run with UPDATE_GOLDEN=1 to write it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from time import process_time

import pytest

from shardproof.adapters.faulty import CONTROLS, FAULTS, Fault
from shardproof.commands import mutants as command
from shardproof.engines.mutants import Fate, Row
from shardproof_models.mistakes import IN_BYTES_ONLY, NAMED

pytestmark = pytest.mark.heavy

README = Path(__file__).parents[2] / "models" / "README.md"
BEGIN, END = "<!-- the record, generated -->", "<!-- end of the record -->"

#: Those that must not be flagged.
CONTROL = tuple(name for name, entry in NAMED.items() if not entry.violates)

#: The refutation of this one is two worlds, and no trace.
WITHOUT_A_TRACE = ("barrier",)

#: How `differs` begins, by whether ours has more steps than the one on record.
COMPARED = {True: "longer: ", False: "shorter: "}


@cache
def row(name: str) -> Row:
    """What becomes of an entry."""
    (only,) = command._on_record(command.Asked(process_time, 0, 10_000, None), (name,))
    return only


@cache
def in_bytes() -> Mapping[str, Fault]:
    """The faulty shard of each entry that has one."""
    made = (*FAULTS.values(), *CONTROLS.values())
    return {entry: fault for fault in made for entry in fault.corpus}


@pytest.mark.parametrize("name", [name for name in NAMED if name not in CONTROL])
def test_is_noticed_by_what_it_violated(name: str) -> None:
    """
    A property that its entry names sees it, in the fewest steps, and these are accounted for.
    """
    entry, seen = NAMED[name], row(name)

    assert seen.fate is Fate.KILLED, seen.reason
    assert {seen.property, seen.property_id} & {*entry.violates}
    assert seen.shortest or name in WITHOUT_A_TRACE
    if entry.shortest is not None and seen.steps != entry.shortest:
        assert seen.steps is not None
        assert entry.differs.startswith(COMPARED[seen.steps > entry.shortest])
    else:
        assert entry.differs == "" or entry.differs.startswith("as long: ")


@pytest.mark.parametrize("name", CONTROL)
def test_a_control_is_let_pass_because_it_is_right(name: str) -> None:
    """
    Whatever is said of the protocol is proved of what somebody took for a mistake.
    """
    assert (row(name).fate, row(name).engine) == (Fate.PASSED, "prove")


def table() -> str:
    """The record, as it stands in the README."""
    names = sorted({*NAMED, *in_bytes()}, key=lambda name: (not name.startswith("B"), name))
    lines = [
        "| Id | What was done | Told by | Stack | Made in | Noticed by | On record | Ours | Why another |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_line, names)])


def _line(name: str) -> str:
    entry, fault = NAMED.get(name), in_bytes().get(name)
    made = " and ".join(where for where, there in (("the model", entry), ("bytes", fault)) if there)
    if entry is not None:
        seen = row(name)
        noticed = f"{seen.property_id} `{seen.property}`" if seen.property else "nobody, as it should be"
        says, source, stack = entry.says, entry.source, seen.subject
        steps = (entry.shortest, seen.steps, entry.differs)
    else:
        assert fault is not None
        numbers = ", ".join(IN_BYTES_ONLY.get(name, ()))
        noticed = f"{numbers}: `{fault.violates}`" if fault.violates else "nobody, as it should be"
        says, source, stack = fault.summary, fault.source, fault.stack
        steps = (fault.recorded, fault.shortest or None, fault.differs)
    told = [str(x) if x is not None else "" for x in steps]
    return f"| {name} | {says} | {source} | {stack} | {made} | {noticed} | {' | '.join(told)} |"


def test_the_table_in_the_readme_is_the_record(documented: Callable[[Path, str, str, str], None]) -> None:
    """
    Whoever adds an entry, or makes its trace shorter, has said so in the documentation.
    """
    documented(README, BEGIN, END, table())
