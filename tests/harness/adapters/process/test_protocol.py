"""What `harness/PROTOCOL.md` says is what the code does: its tables are made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shardproof.adapter import (
    ACCEPTED,
    CAPABILITIES,
    PENDING,
    REQUIRED,
    Adapter,
    Delivery,
    Ended,
    Ending,
    Execution,
    Message,
    Multiproof,
    Refused,
    Response,
    Topology,
)
from shardproof.adapter import Path as Siblings
from shardproof.adapters.process import adapter, child, wire
from shardproof.adapters.process.values import DIGITS_MAX, KINDS, NUMBER_MAX, MistypedError

PROTOCOL = Path(__file__).parents[4] / "harness" / "PROTOCOL.md"

#: See `tests/conftest.py`.
Documented = Callable[[Path, str, str, str], None]


def verbs() -> str:
    """Each verb with its arguments and its answer."""
    rows = ["| Verb | Given | Answers with | |", "|---|---|---|---|"]
    for verb in wire.VERBS.values():
        given = ", ".join(f"`{name}`: {kind.name}" for name, kind in verb.arguments)
        forms = [verb.answer.name, *["refused"] * verb.refusable, *["pending"] * verb.pending]
        first = " ".join((getattr(Adapter, verb.name).__doc__ or "").split("\n\n")[0].split())
        need = "required. " if verb.name in REQUIRED else ""
        rows.append(f"| `{verb.name}` | {given} | {', '.join(forms)} | {need}{first} |")
    return "\n".join(rows)


def values() -> str:
    """Each kind of value."""
    rows = [f"| {kind.name} | {kind.says} |" for kind in KINDS]
    return "\n".join(["| Kind | On the line |", "|---|---|", *rows])


def errors() -> str:
    """Each code of an error."""
    rows = [
        f"| `{fault.code}` | {'definite' if fault.definite else 'indefinite'} | {fault.says} |"
        for fault in wire.FAULTS.values()
    ]
    return "\n".join(["| Code | | Says |", "|---|---|---|", *rows])


def limits() -> str:
    """What is bounded, and by how much."""
    rows = (
        ("an answer, from its request on", f"{adapter.CALL_SECONDS_MAX:g} s, or `--call-seconds`"),
        ("the greeting, from the start on", f"{adapter.GREETING_TIMES} times as long"),
        ("the end, after stdin is closed", f"{child.GRACE_SECONDS:g} s, and then it is killed"),
        ("a line", f"{wire.LINE_BYTES_MAX:,} bytes"),
        ("a number", f"{NUMBER_MAX:,} to either side of 0"),
        ("a whole", f"{DIGITS_MAX} digits"),
        ("name, version and stack of a greeting", f"{adapter.NAME_MAX} characters each"),
    )
    return "\n".join(["| What | At most |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])


@pytest.mark.parametrize("table", [verbs, values, errors, limits], ids=lambda table: table.__name__)
def test_the_tables_are_what_the_code_says(table: Callable[[], str], documented: Documented) -> None:
    """Whoever writes a process reads the document, and not our code."""
    name = table.__name__
    begin = f"<!-- {name}: made by tests/harness/adapters/process/test_protocol.py -->"

    documented(PROTOCOL, begin, f"<!-- end of {name} -->", table())


def test_every_verb_of_the_seam_can_travel() -> None:
    """A verb that is added to the seam is one of the protocol at once."""
    assert [*wire.VERBS] == [*REQUIRED, *CAPABILITIES]


SAMPLES: dict[str, Any] = {
    "name": 'A "quoted" name \n\u00e9\u2028',
    "bytes": bytes(range(256)),
    "number": -NUMBER_MAX,
    "whole": 10**DIGITS_MAX // 11,
    "nothing": None,
    "truth": True,
    "anything": {"a": [1, None, "x"]},
    "topology": Topology(("A", "B"), 1),
    "delivery": Delivery("B", b"r", b"", b"\xff"),
    "message": Message("A", "B", b"p", 1, None, 3, 4, 0, 1, "C"),
    "path": Siblings(1 << 255, None, (b"a", b"bb")),
    "multiproof": Multiproof((b"a", b""), 1 << 64, (b"s",), (True, False)),
    "execution": Execution(b"p", None),
    "ended": Ended(b"p", Ending.EXPIRED),
    "ending": Ending.FAILED,
    "response": Response(b"r", "B", b"p", b"q", 1 << 200),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_value_comes_back_as_it_went(kind: Any) -> None:
    """Nothing is lost on the line, and nothing but ASCII stands on it."""
    written = kind.write(SAMPLES[kind.name])

    assert written.isascii()
    assert "\n" not in written
    assert kind.read(wire.parsed(written.encode())) == SAMPLES[kind.name]


@pytest.mark.parametrize("kind", [k for k in KINDS if k.name != "anything"], ids=lambda kind: kind.name)
def test_what_is_of_no_kind_is_told_so(kind: Any) -> None:
    """A reader takes what its kind is, and nothing that merely resembles it."""
    strange = [True, False, 2**53, -(2**53), "0g", "0 1", "00 11", "xyz", [1], {}, {"shards": []}, "1" * 100]
    taken = []
    for value in [*strange, None]:
        try:
            kind.read(value)
        except MistypedError:
            continue
        taken.append(value)

    texts = [x for x in strange if isinstance(x, str)]
    expected = {"name": texts, "nothing": [None], "bytes": ["1" * 100], "truth": [True, False]}
    assert taken == expected.get(kind.name, [])


ANSWERS = [
    ("deliver", ACCEPTED),
    ("deliver", PENDING),
    ("deliver", Refused('because "no"')),
    ("emit", b"receipt"),
    ("emit", Refused("full")),
    ("open", None),
    ("executed", (Execution(b"p", "A"), Execution(b"q"))),
    ("ended", (Ended(b"p", Ending.SUCCEEDED),)),
    ("balance", -(10**30)),
    ("forge_header", (b"h", b"e")),
    ("dissect", Siblings(0, 1, ())),
    ("snapshot", [1, "x"]),
]


@pytest.mark.parametrize("verb, answer", ANSWERS)
def test_an_answer_comes_back_as_it_went(verb: str, answer: Any) -> None:
    """Both ends read the same table."""
    line = wire.reply(7, wire.VERBS[verb], answer)

    number, word, value = wire.answered(wire.parsed(line.encode()))
    assert number == 7
    assert wire.read(wire.VERBS[verb], word, value, "") == answer


@pytest.mark.parametrize("verb, word", [("open", "refused"), ("emit", "pending"), ("executed", "refused")])
def test_a_verb_cannot_answer_with_what_it_does_not_know(verb: str, word: str) -> None:
    """The seam has no refusal for what only looks, and nothing that is pending where bytes are due."""
    with pytest.raises(MistypedError):
        wire.read(wire.VERBS[verb], word, True if word == "pending" else "no", "")


def test_the_numbers_of_requests_and_names_are_escaped_once() -> None:
    """A shard may be called anything, also what looks like the end of a request."""
    asked = wire.request(3, wire.VERBS["emit"], ('A","x":"%s', "B", b"\x00"))

    assert wire.parsed(asked.encode()) == {
        "id": 3,
        "verb": "emit",
        "source": 'A","x":"%s',
        "destination": "B",
        "payload": "00",
    }


@pytest.mark.parametrize(
    "line, why",
    [
        (b"", "an empty line"),
        (b"\xff", "not UTF-8: the byte 0xff"),
        (b'{"id":1} 2', "something follows the value"),
        (b'{"id":1,"id":2}', "a field appears twice"),
        (b"1.5", "1.5 is not a whole number"),
        (b"Infinity", "Infinity is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"ready", "not JSON"),
    ],
    ids=lambda part: part[:12] if isinstance(part, bytes) else "",
)
def test_a_line_that_is_no_json_says_what_is_wrong_with_it(line: bytes, why: str) -> None:
    """What a lenient parser would take is refused as well, because another one would read something else."""
    with pytest.raises(wire.GarbledError, match=why):
        wire.parsed(line)


@pytest.mark.parametrize(
    "value, why",
    [
        ([], "not an object"),
        ({"ok": None}, "without an id"),
        ({"id": 1}, "but nothing"),
        ({"id": 1, "ok": None, "pending": True}, "but ok, pending"),
        ({"id": 1, "ok": None, "message": "x"}, "but ok, message"),
    ],
)
def test_an_answer_that_is_none_says_what_it_is_instead(value: Any, why: str) -> None:
    """One word, and with an error a message."""
    with pytest.raises(wire.GarbledError, match=why):
        wire.answered(value)


@pytest.mark.parametrize(
    "word, value", [("pending", 1), ("pending", "yes"), ("refused", None), ("error", "x")]
)
def test_each_word_has_its_own_kind_of_value(word: str, value: Any) -> None:
    """`pending` is true and nothing like it, a refusal has a reason, and an error one of the codes."""
    with pytest.raises(MistypedError):
        wire.read(wire.VERBS["deliver"], word, value, "")


@pytest.mark.parametrize(
    "kind, value",
    [
        ("bytes", "0 0"),
        ("bytes", "00 01"),
        ("bytes", "0"),
        ("number", True),
        ("number", 1 << 53),
        ("whole", "\u0661"),
        ("whole", "--1"),
        ("whole", "1" * 81),
        ("truth", 1),
        ("execution", {"payload": "00", "source": None, "more": 1}),
        ("execution", {"payload": "00", "origin": None}),
        ("ending", "Succeeded"),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: str, value: Any) -> None:
    """Also where Python would take the one for the other."""
    read = next(one.read for one in KINDS if one.name == kind)

    with pytest.raises(MistypedError):
        read(value)
