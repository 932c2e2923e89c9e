"""Where the like has happened: the very mistake first, then others that broke the same sentence."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from shardproof import trace_file
from shardproof.adapters.faulty import CONTROLS, FAULTS
from shardproof.story.incidents import MOST, incidents
from shardproof.trace import Trace
from shardproof_models.mistakes import NAMED

TRACES = Path(__file__).parents[2] / "traces"


def past(name: str) -> Trace:
    """A past counterexample."""
    return trace_file.load(TRACES / f"{name}.trace.json")


def test_the_mistake_itself_comes_first() -> None:
    """That of every faulty system, in its own words, and then its entries of the record."""
    for path in TRACES.glob("*.trace.json"):
        trace = trace_file.load(path)
        fault = FAULTS[trace.adapter.removeprefix("faulty:")]

        says, source = incidents(trace)[0]
        assert (says, source) == (fault.summary, fault.source)


def test_of_any_other_system_what_broke_the_same_sentence() -> None:
    """Nobody is told twice, and there are not too many."""
    found = incidents(evolve(past("no-deduplication"), adapter="my_adapter:MyAdapter"))
    sources = [source for _, source in found]
    known = {fault.source for fault in FAULTS.values() if fault.violates == "executes-at-most-once"}

    assert len(found) == MOST
    assert len(set(sources)) == MOST
    assert set(sources) <= known


def test_a_number_finds_what_the_record_says_of_it() -> None:
    """An entry of the record may name the number of a property only."""
    trace = evolve(past("null-root"), adapter="mine", property="trusts-only-final-headers", property_id="P10")
    sources = {source for _, source in incidents(trace)}

    assert NAMED["B24"].source in sources
    assert incidents(evolve(trace, property="nothing", property_id="-")) == ()


def test_so_do_the_entries_of_the_record_that_it_follows() -> None:
    """Whoever is named in the record is told of next, before others of the kind."""
    told = incidents(past("key-is-proof"))

    assert FAULTS["key-is-proof"].corpus == ("B10",)
    assert [source for _, source in told[:2]] == [FAULTS["key-is-proof"].source, NAMED["B10"].source]


def test_a_control_is_told_of_too() -> None:
    """What looks like a mistake and is none has a story as well."""
    name, control = next(iter(CONTROLS.items()))

    told = incidents(evolve(past("no-deduplication"), adapter=f"faulty:{name}", property="", property_id=""))

    assert (" ".join(control.summary.split()), control.source) in told


def test_an_instance_of_a_sentence_is_that_sentence() -> None:
    """What broke `reverts-atomically` of one symbol broke it."""
    trace = evolve(past("effects-survive-revert"), adapter="mine", property_id="-")

    assert incidents(evolve(trace, property="reverts-atomically[consumed]")) == incidents(trace) != ()
