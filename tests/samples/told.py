"""Stories made by hand, as no model would tell them: of any length, and with any text in them."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from shardproof.story.told import RECEIPT, Change, Clause, Evidence, Fact, Moment, Story
from shardproof.trace import Explanation, Search, Step, Trace, Violation

#: What somebody might put into a name, a payload or an answer: markup, control characters, letters
#: that turn the direction of writing, half a character, and very much of it.
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "<!-- ${content} {{ }} -->",
    "\u202egnp.exe\u2066 \u05d0\u05d1\u05d2 \u0645\u0631",
    "\ud800 \x00\x1b[31m\x07 \u2028\u2029",
    '" onfocus="window.hacked = 3" autofocus="',
    "javascript:window.hacked=4",
    "x" * 1_000_000,
)

CONSUMED = Clause(
    "consumed",
    "not consumed(B, key(r0))",
    holds=False,
    means=("Shard `d` has spent the key `k`.",),
    since=4,
    story="B had executed r0 at step 5 (`consumed(B, key(r0))`)",
)
TRUSTED = Clause(
    "untrusted header", "learned(B, h0)", holds=True, means=("The client at `d` has accepted `h`.",)
)


def trace(steps: tuple[Step, ...], violation: Violation | None) -> Trace:
    """A trace of these steps, found by nobody."""
    return Trace(
        adapter="faulty:no-deduplication",
        layers=("exactly-once", "finality"),
        shards=("A", "B", "C"),
        property="executes-at-most-once",
        property_id="P01",
        because="a receipt executed twice mints its amount out of thin air",
        steps=steps,
        violation=violation,
        search=Search("fuzz", 1, 78, 2831),
    )


def long(steps: int) -> Story:
    """Receipts that are executed one after the other, until the first one is executed again."""
    return Story(
        trace(
            tuple(m.step for m in _moments(steps)),
            Violation(
                steps - 1,
                "refused, consumed",
                "accepted",
                "consumed: B had executed r0 at step 5 (`consumed(B, key(r0))`)",
            ),
        ),
        tuple(_moments(steps)),
        "forall m: Receipt. executions(m) <= 1",
        "No receipt is executed twice.",
        glossary={
            "consumed": "Shard `d` has spent the key `k`.",
            "emitted": "The source has committed itself.",
        },
    )


def _moments(steps: int) -> Iterator[Moment]:
    for index in range(steps - 1):
        number, part = divmod(index, 5)
        source, target = "ABC"[number % 3], "ABC"[(number + 1) % 3]
        receipt, header = f"r{number}", f"h{number}"
        shown = {"receipt": receipt, "header": header, "evidence": f"{receipt}@{header}"}
        action, at, args, kept = (
            ("emit", source, {"receipt": receipt, "to": target}, ("emitted", receipt)),
            ("produce", source, {"header": header}, ("produced", header)),
            ("finalise", source, {"header": header}, ("finalised", header)),
            ("learn", target, {"header": header}, ("learned", header)),
            ("deliver", target, shown, ("consumed", receipt)),
        )[part]
        changed = (f"{at} executed {receipt}",) if action == "deliver" else ()
        step = Step(action, at, args, "accepted", "accepted", changed)
        changes = [Change(None, Fact(at, kept[0], (kept[1],), "yes"))]
        if action == "produce":
            old = Fact(at, "height", (), str(number // 3)) if number // 3 else None
            changes.append(Change(old, Fact(at, "height", (), str(number // 3 + 1))))
        guard = (TRUSTED, evolve(CONSUMED, holds=True, since=None, story="")) if action == "deliver" else ()
        yield Moment(step, index, "accepted", guard, tuple(changes), evidence=_shown(receipt, header, action))
    again = {"receipt": "r0", "header": "h0", "evidence": "r0@h0"}
    last = Step("deliver", "B", again, "refused, consumed", "accepted", ("B executed r0 2 times",))
    yield Moment(
        last, steps - 1, "refused, consumed", (TRUSTED, CONSUMED), evidence=_shown("r0", "h0", "deliver")
    )


def _shown(receipt: str, header: str, action: str) -> Evidence | None:
    if action != "deliver":
        return None
    return Evidence(
        receipt, header, receipt, header, leaves=(receipt,), leaf=0, says=f"that {header} commits to it"
    )


def damaged() -> Story:
    """One whose evidence is damaged: the receipt, and one hash of the two beside the way of its leaf."""
    story = long(6)
    steps = [m.step for m in story.moments]
    steps[5] = evolve(steps[5], args={**steps[5].args, "damage": "evidence:flip:17"})
    shown = Evidence(
        "r0",
        "h0",
        "r0",
        "h0",
        leaves=("r0", "r1", "r2", "r3", "r4"),
        leaf=2,
        path=("3:4", "0:2", "4:5"),
        damaged=("0:2", RECEIPT),
        says="evidence that `h0` commits to r2, with the second of 3 hashes damaged",
    )
    explained = Explanation(
        (
            *("step 5 cannot be taken", "step 3 cannot be taken", "step 4 cannot be taken"),
            *("step 5 cannot be taken", "nothing is violated", "nothing is violated"),
        ),
        5,
        "the same evidence with another bit of it flipped",
        "where the key of a receipt is made: it may depend on the receipt only",
    )
    told = evolve(story.trace, steps=tuple(steps), explanation=explained)
    moments = [evolve(m, step=s) for m, s in zip(story.moments, steps, strict=True)]
    moments[5] = evolve(moments[5], evidence=shown)
    incidents = (
        ("A receipt was recorded under its proof.", "a bridge, 2021"),
        ("Evidence was not looked at.", "https://example.org/what-happened"),
    )
    return evolve(story, trace=told, moments=tuple(moments), incidents=incidents)


def hostile() -> Story:
    """One in which everything that comes from outside is meant to do harm."""
    story = long(len(HOSTILE) + 1)
    steps, moments = [], []
    for moment, text in zip(story.moments, (*HOSTILE, HOSTILE[0]), strict=True):
        args = dict.fromkeys(moment.step.args, text)
        steps.append(Step(moment.step.action, text, args, text, f"{text}!", (text,)))
        clause = Clause(text, text, holds=False, means=(text,), since=0, story=text)
        change = Change(Fact(text, text, (text,), "1"), Fact(text, text, (text,), text))
        shown = Evidence(text, text, text, text, leaves=(text, text), leaf=0, path=("1:2",), says=text)
        moments.append(Moment(steps[-1], moment.index, text, (clause,), (change,), text, shown))
    told = Trace(
        adapter=HOSTILE[1],
        layers=(HOSTILE[2],),
        shards=HOSTILE,
        property=HOSTILE[0],
        property_id=HOSTILE[4],
        because=HOSTILE[3],
        steps=tuple(steps),
        violation=Violation(3, HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[7]),
        search=Search(HOSTILE[0]),
        versions={HOSTILE[0]: HOSTILE[4]},
        explanation=Explanation((*HOSTILE, HOSTILE[0]), 2, HOSTILE[0], HOSTILE[3], HOSTILE[1]),
    )
    incidents = tuple((text, text) for text in (*HOSTILE, f"https://{HOSTILE[5]}"))
    return Story(told, tuple(moments), HOSTILE[0], HOSTILE[5], incidents, {text: text for text in HOSTILE})
