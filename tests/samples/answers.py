"""Answers made by hand, of every kind that a run can have, and with any text in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve

from shardproof.loading import Source
from shardproof.render.report import Answer
from shardproof.trace import Search, Step, Trace, Violation
from shardproof.verdict import Deviating, Finding, Kind, NotProved, Report, State, Verdict

SYSTEM = "mine:Shard"


def finding(name: str = "executes-at-most-once", kind: Kind = Kind.SAFETY, **more: Any) -> Finding:
    """A second delivery that was accepted, under any name."""
    because = more.pop("because", "a receipt executed twice mints its amount out of thin air")
    trace = Trace(
        adapter=SYSTEM,
        layers=("exactly-once", "finality"),
        shards=("A", "B"),
        property=name,
        property_id="P01",
        because=because,
        steps=(
            Step("emit", "A", {"receipt": "r0", "to": "B"}, "accepted", "accepted"),
            Step("deliver", "B", {"receipt": "r0", "header": "h0"}, "refused, consumed", "accepted"),
        ),
        violation=Violation(
            1,
            "refused, consumed",
            "accepted",
            "consumed: B had executed r0 at step 1 (`consumed(B, key(r0))`)",
        ),
        search=Search("fuzz", 7, 12, 345),
    )
    shrinking = ((0, 41), (3, 20), (90, 2))
    told = {"also": (), "shrunk": "shrunk from 41 steps to 2", "shrinking": shrinking} | more
    return Finding("P01", name, because, kind, trace, **told)


def fuzzed(**more: Any) -> Report:
    """What the fuzzer says where everything holds, unless something else is said."""
    told: dict[str, Any] = {
        "properties": ("executes-at-most-once", "reverts-atomically"),
        "not_applicable": {"survives-a-crash": "the adapter has no crash"},
        "work": {"steps": 3_000, "runs": 70},
        "tables": {
            "what the adversary tried": (("a second delivery", "1,234"), ("a forgery", "never tried")),
            "clauses": (("deliver: consumed", "refused 12, passed 34"),),
        },
        "never_exercised": {"deliver: unproven": "never reached"},
        "seconds": 1.5,
        "systems": (SYSTEM,),
        "series": {"different situations": ((1, 1), (200, 80), (3_000, 120))},
    }
    told["verdict"] = Verdict.HOLDS
    return Report(engine="fuzz", checked="70 random and adversarial runs", **(told | more))


PROVED = Report(
    "prove",
    Verdict.HOLDS,
    "12 obligations",
    properties=("executes-at-most-once",),
    series={
        "obligations proved by effort": ((900, 1), (4_000, 11), (90_000, 12)),
        "effort by depth": ((0, 5),),
    },
    details={
        "obligations by what they ask for": (("holds initially", "asked 12, proved 12, effort 90,000"),)
    },
)

EXPLORED = Report(
    "explore",
    Verdict.INCONCLUSIVE,
    "every trace of up to 9 steps",
    reasons=("the limit of 1,000 worlds was reached",),
    not_proved=(NotProved("keeps order", "unknown", "r0 = r1", "up to 8 steps"),),
    properties=("executes-at-most-once", "executes"),
    series={"worlds by depth": ((0, 1), (1, 7), (2, 40))},
)


def answer(*reports: Report, **more: Any) -> Answer:
    """The answer of `check` with these reports; its findings have files in `out`."""
    told: dict[str, Any] = {
        "adapter": SYSTEM,
        "layers": ("exactly-once",),
        "seed": 7,
        "seconds": 3.25,
        "files": {
            (report.engine, found.property): Path(f"out/{i}-{j}.trace.json")
            for i, report in enumerate(reports)
            for j, found in enumerate(report.findings)
        },
        "sources": {SYSTEM: Source(Path("src/mine.py"), 12)},
        "page": Path("out/report.html"),
        "repeat": "shardproof check --adapter mine:Shard --out out --seed 7",
        "set_elsewhere": ("profile",),
    }
    told["versions"] = {"shardproof": "0.1.0", "python": "3.11"}
    return Answer("check", reports, **(told | more))


def holds() -> Answer:
    """Everything holds."""
    return answer(PROVED, fuzzed())


def violated() -> Answer:
    """One thing is violated, one engine came to no end, one proved everything."""
    found = finding(also=("reverts-atomically",))
    return answer(PROVED, EXPLORED, fuzzed(verdict=Verdict.VIOLATED, findings=(found,)))


def expected() -> Answer:
    """What is violated was known; another thing that was known is gone."""
    known = (
        Deviating("P01", ("executes-at-most-once",), "the next release has a table", State.SEEN),
        Deviating("P26", ("reverts-atomically",), "no table of blocks", State.GONE, "this search would have"),
    )
    return answer(fuzzed(findings=(finding(),), deviations=known))


def hostile(text: str) -> Answer:
    """Every text that comes from outside, and every one that might, is this one."""
    found = finding(text)
    step = Step("emit", text, {"receipt": text, "to": text}, text, text, (text,))
    trace = evolve(
        found.trace,
        adapter=text,
        shards=(text, "B"),
        because=text,
        property_id=text,
        steps=(step,),
        violation=Violation(0, text, text, text, text),
    )
    found = evolve(found, id=text, because=text, trace=trace, also=(text + "2",), shrunk=text)
    report = Report(
        text,
        Verdict.VIOLATED,
        text,
        (found,),
        (NotProved(text, text, text, text),),
        (text,),
        {text: 3},
        {text + "3": text},
        (text + "4",),
        {text: ((text, text),), text + "5": ((text, "7"),)},
        {text: text},
        (Deviating(text, (text + "6",), text, State.NOT_SEEN, text),),
        1.0,
        (text,),
        {text: ((1, 2), (3, 4))},
        {text + "7": ((text, text),)},
    )
    return answer(
        report,
        adapter=text,
        layers=(text,),
        versions={text: text},
        repeat=text,
        set_elsewhere=(text,),
        sources={text: Source(Path("src/mine.py"), 3)},
    )
