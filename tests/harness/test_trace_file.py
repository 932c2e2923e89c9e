from __future__ import annotations

import copy
import importlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from drawn import examples
from shardproof import trace_file
from shardproof.errors import TraceError, UsageError
from shardproof.schema import KEYWORDS
from shardproof.trace import (
    ARGUMENTS,
    FORMAT,
    OPTIONAL,
    Explanation,
    Extent,
    Instance,
    Search,
    Step,
    Trace,
    Violation,
)

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

PATH = Path("some.trace.json")

#: Published without types.
jsonschema: Any = importlib.import_module("jsonschema")

DOUBLE = Trace(
    adapter="faulty:no-deduplication",
    layers=("exactly-once", "finality"),
    shards=("A", "B", "C"),
    property="executes-at-most-once",
    property_id="P01",
    because="a receipt executed twice mints its amount out of thin air",
    steps=(
        Step("emit", "A", {"receipt": "r0", "to": "B"}, "accepted", "accepted"),
        Step("produce", "A", {"header": "h0"}, "accepted", "accepted"),
        Step("learn", "B", {"header": "h0", "damage": "header:flip:3"}, "refused, not final", "refused, bad"),
        Step(
            "deliver",
            "B",
            {"receipt": "r0", "header": "h0", "evidence": "r0@h0"},
            "refused, consumed",
            "accepted",
            ("B executed r0",),
        ),
    ),
    violation=Violation(
        3, "refused, consumed", "accepted", "consumed: B consumed r0 at step 2", "B executed r0 2 times"
    ),
    search=Search("fuzz", 7, 12, 345),
    versions={"shardproof": "0.1.0"},
)


def document(trace: Trace = DOUBLE) -> dict[str, Any]:
    """What the file of a trace holds."""
    made: dict[str, Any] = json.loads(trace_file.dumps(trace))
    return made


def read(data: object) -> Trace:
    return trace_file.loads(data if isinstance(data, bytes) else json.dumps(data).encode(), PATH)


def validator() -> Any:
    schema = json.loads(trace_file.SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALIDATOR = validator()

# ---- traces, of every shape that the format allows ---------------------------------------------------

names = st.text(min_size=1, max_size=8)
numbers = st.integers(0, 10**9 - 1)
headers = st.one_of(st.just("null"), numbers.map("h{}".format))
receipts = st.one_of(
    numbers.map("r{}".format),
    numbers.map("answer:r{}".format),
    st.builds("forged:{}>{}:{}".format, st.sampled_from("AB"), st.sampled_from("AB"), numbers),
)
values = {
    "receipt": receipts,
    "header": headers,
    "evidence": st.one_of(st.just("none"), st.builds("r{}@h{}".format, numbers, numbers)),
    "damage": st.builds(
        "{}:{}:{}".format,
        st.sampled_from(["receipt", "header", "evidence", "path", "multiproof"]),
        st.sampled_from(["flip", "cut", "last-leaf"]),
        numbers,
    ),
    "inner": st.builds("r{}@h{}".format, numbers, numbers),
    "payload": st.just("takeover"),
    **dict.fromkeys(
        ("channel", "deadline", "amount", "claimed", "asset", "entrance", "number"), numbers.map(str)
    ),
}
SHARDS = ("to", "onward", "other", "another")


@st.composite
def steps(draw: st.DrawFn, shards: tuple[str, ...]) -> Step:
    action = draw(st.sampled_from(sorted(ARGUMENTS)))
    args = {
        name: draw(st.sampled_from(shards) if name in SHARDS else values[name])
        for name in ARGUMENTS[action]
        if name not in OPTIONAL or draw(st.booleans())
    }
    changed = tuple(draw(st.lists(st.text(max_size=20), max_size=2)))
    return Step(
        action,
        draw(st.sampled_from(shards)),
        args,
        draw(st.text(max_size=20)),
        draw(st.text(max_size=20)),
        changed,
    )


@st.composite
def taken_by_the_model(draw: st.DrawFn, shards: tuple[str, ...]) -> Step:
    """Whatever the action of a protocol of somebody's own is called, and wherever it happens."""
    args = draw(st.dictionaries(names, st.text(max_size=8), max_size=3))
    return Step(draw(names), draw(st.sampled_from(("", *shards))), args, draw(st.text(max_size=20)))


elements = st.integers(-(10**6), 10**6)
given_elements = st.dictionaries(names, elements, max_size=3)


@st.composite
def instances(draw: st.DrawFn, count: int) -> Instance:
    return Instance(
        draw(st.dictionaries(names, st.builds(Extent, elements, st.integers(1, 10**4)), max_size=3)),
        draw(st.dictionaries(names, st.lists(elements, max_size=4).map(tuple), max_size=3)),
        tuple(draw(given_elements) for _ in range(count)),
        draw(given_elements),
    )


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    alone = draw(st.booleans())
    shards = tuple(draw(st.lists(names, min_size=0 if alone else 1, max_size=4, unique=True)))
    step = taken_by_the_model(shards) if alone else steps(shards)
    taken = tuple(draw(st.lists(step, max_size=5)))
    text = st.text(max_size=20)
    count = st.integers(0, 2**64 - 1)
    violation = (
        draw(st.builds(Violation, st.integers(0, len(taken) - 1), text, text, text, text)) if taken else None
    )
    return Trace(
        adapter="model" if alone else draw(text),
        layers=tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True))),
        shards=shards,
        property=draw(text),
        property_id=draw(text),
        because=draw(text),
        steps=taken,
        violation=violation,
        search=draw(st.builds(Search, text, st.none() | count, count, count)),
        instance=draw(instances(len(taken))) if alone else None,
        reserve=draw(st.integers(0, len(shards))),
        shortest=draw(st.sampled_from(["proved", "not established"])),
        versions=draw(st.dictionaries(names, text, max_size=2)),
        explanation=draw(st.none() | explanations(len(taken))) if taken else None,
        unexplained=draw(text),
    )


def explanations(steps: int) -> st.SearchStrategy[Explanation]:
    text = st.text(max_size=20)
    without = st.lists(text, min_size=steps, max_size=steps).map(tuple)
    return st.builds(Explanation, without, st.integers(0, steps - 1), text, text, text)


class TestRoundTrip:
    @given(traces())
    def test_reads_back_what_was_written(self, trace: Trace) -> None:
        """
        Every trace, whatever its strings hold, comes back equal from its file.
        """
        assert read(trace_file.dumps(trace)) == trace

    @given(traces())
    def test_writes_what_the_published_schema_allows(self, trace: Trace) -> None:
        """
        Another tool that validates by the schema accepts every file that we write.
        """
        VALIDATOR.validate(document(trace))

    @given(traces())
    def test_is_inert_for_whoever_looks_at_the_file(self, trace: Trace) -> None:
        """
        A file is printable ASCII: no viewer acts on a control character in a name.
        """
        data = trace_file.dumps(trace)

        assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in data)
        assert data.endswith(b"}\n")

    def test_has_one_form(self, golden: Any) -> None:
        """
        The same trace is the same bytes, on every machine: a step a line, fields in order.
        """
        golden("trace/double.trace.json", trace_file.dumps(DOUBLE).decode())


# ---- the loader and the schema agree -----------------------------------------------------------------


def consistent(found: Any) -> bool:
    """What the schema cannot say: names of shards, and the index of the violation."""
    shards = found["shards"]
    named = ("to", "onward", "other", "another")
    said = [[s["at"], *(s["args"][name] for name in named if name in s["args"])] for s in found["steps"]]
    if (instance := found.get("instance")) is not None:
        if found["adapter"] != "model" or len(instance["taken"]) != len(found["steps"]):
            return False
        said = [[s["at"]] for s in found["steps"] if s["at"]]
    within = all(shard in shards for step in said for shard in step)
    told = found.get("explanation")
    of_it = told is None or (
        len(told["without"]) == len(found["steps"]) and told["first_wrong"] < len(found["steps"])
    )
    return (
        within and of_it and (found["violation"] is None or found["violation"]["step"] < len(found["steps"]))
    )


JUNK: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    3.0,
    2**64,
    "",
    "x",
    "r0",
    "h1",
    "null",
    "h1\n",
    "emit",
    "deliver",
    [],
    ["A"],
    ["A", "A"],
    {},
    {"header": "h0"},
    {"receipt": "r0", "to": "A"},
    "\x1b[31m",
    "é" * 300,
)


def broken(found: Any, dice: random.Random) -> Any:
    """The document with one thing changed somewhere: a value replaced, a field dropped, added or renamed."""
    places: list[tuple[Any, ...]] = [()]
    stack: list[tuple[tuple[Any, ...], Any]] = [((), found)]
    while stack:
        path, value = stack.pop()
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((*path, key))
            stack.append(((*path, key), value[key]))
    made = copy.deepcopy(found)
    *above, last = dice.choice(places[1:])
    parent = made
    for key in above:
        parent = parent[key]
    change = dice.randrange(4)
    if change == 0:
        del parent[last]
    elif change == 1 and isinstance(parent, dict):
        parent[f"{last}z"] = parent.pop(last)
    elif change == 2 and isinstance(parent, dict):
        parent[dice.choice(["damage", "to", "evidence", "extra", "seed"])] = dice.choice(JUNK)
    else:
        parent[last] = dice.choice(JUNK)
    return made


class TestAgreement:
    @examples(400)
    @given(traces(), st.integers(0, 2**32))
    def test_accepts_exactly_what_the_schema_accepts(self, trace: Trace, seed: int) -> None:
        """
        A damaged document is read if it satisfies the published schema and is consistent, and only then.
        """
        dice = random.Random(seed)
        found = broken(document(trace), dice)
        if dice.random() < 0.3:
            found = broken(found, dice)
        right = VALIDATOR.is_valid(found) and consistent(found)

        try:
            read(found)
        except TraceError:
            assert not right
        else:
            assert right

    def test_refuses_each_kind_of_junk_somewhere(self) -> None:
        """
        The damage above does both: it leaves some documents right, and spoils others.
        """
        dice = random.Random(0)
        found = [VALIDATOR.is_valid(broken(document(), dice)) for _ in range(300)]

        assert 20 < sum(found) < 280

    def test_knows_every_keyword_of_its_schema(self) -> None:
        """
        No keyword of the schema is skipped by the reader.
        """

        def keywords(schema: Any) -> set[str]:
            found = set()
            for key, value in schema.items():
                found.add(key)
                below = (
                    value.values() if key in ("properties", "$defs") else value if key == "allOf" else [value]
                )
                for part in below:
                    if isinstance(part, dict):
                        found |= keywords(part)
            return found

        assert keywords(trace_file.schema().root) <= KEYWORDS.keys()

    def test_takes_a_whole_number_with_a_point(self) -> None:
        """
        3.0 is an integer to JSON Schema, and to us.
        """
        found = document()
        found["violation"]["step"] = 3.0

        assert read(found) == DOUBLE


# ---- what is wrong, and what is said of it -----------------------------------------------------------


def changed(**fields: Any) -> bytes:
    return json.dumps({**document(), **fields}).encode()


def with_step(**fields: Any) -> bytes:
    found = document()
    found["steps"][3] |= fields
    return json.dumps(found).encode()


ALONE = evolve(
    DOUBLE,
    adapter="model",
    steps=(Step("relay", "", {"s": "0"}, "accepted"),),
    violation=None,
    instance=Instance({"Relay": Extent(0, 2)}, {"length": (1, 2)}, ({"s": 1},), {"marked": 0}),
)


def with_instance(**fields: Any) -> bytes:
    found = document(ALONE)
    found["instance"] |= fields
    return json.dumps(found).encode()


WRONG: dict[str, bytes] = {
    "empty file": b" \n",
    "not JSON": b"executes-at-most-once\n",
    "cut short": trace_file.dumps(DOUBLE)[:300],
    "cut within a string": b'{"format": "shardpr',
    "not UTF-8": b'{"adapter": "\xff"}',
    "a list": b"[]",
    "no format": json.dumps({k: v for k, v in document().items() if k != "format"}).encode(),
    "another format": changed(format="itf"),
    "a newer version": changed(format="shardproof-trace/2"),
    "unknown field": json.dumps({**document(), "verson": 1}).encode(),
    "unknown field in a step": with_step(expectd="accepted"),
    "argument of another action": with_step(
        args={"receipt": "r0", "header": "h0", "evidence": "none", "to": "B"}
    ),
    "missing field": json.dumps({k: v for k, v in document().items() if k != "steps"}).encode(),
    "missing argument": with_step(args={"receipt": "r0", "header": "h0"}),
    "wrong type": changed(shards="A, B"),
    "wrong value": with_step(action="delivr"),
    "wrong symbol": with_step(args={"receipt": "first", "header": "h0", "evidence": "none"}),
    "wrong damage": with_step(
        args={"receipt": "r0", "header": "h0", "evidence": "none", "damage": "evidence:flip"}
    ),
    "field twice": trace_file.dumps(DOUBLE).replace(b'"adapter"', b'"because"'),
    "not a number": trace_file.dumps(DOUBLE).replace(b'"seed": 7', b'"seed": NaN'),
    "too long a number": trace_file.dumps(DOUBLE).replace(b'"seed": 7', b'"seed": ' + b"9" * 5000),
    "too large a number": trace_file.dumps(DOUBLE).replace(b'"seed": 7', b'"seed": 1e999'),
    "shard twice": changed(shards=["A", "B", "B"]),
    "unknown shard": with_step(at="D"),
    "violation elsewhere": changed(violation={"step": 4, "expected": "", "actual": ""}),
    "nested too deeply": b'{"steps": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too many steps": changed(steps=[{"action": "restart", "at": "A", "args": {}}] * 100_001),
    "an instance of a system": json.dumps({**document(ALONE), "adapter": "reference"}).encode(),
    "an instance and an answer": json.dumps(
        {**document(ALONE), "steps": [{"action": "relay", "at": "", "args": {}, "actual": "accepted"}]}
    ).encode(),
    "an instance of another trace": with_instance(taken=[]),
    "no such sizes": with_instance(sorts={"Relay": {"first": 0, "size": 0}}),
    "too large a sort": with_instance(sorts={"Relay": {"first": 0, "size": 10**9}}),
    "too large an element": with_instance(rigid={"length": [2**64]}),
    "too long a table": with_instance(rigid={"length": [0] * 100_001}),
    "a truth value for an element": with_instance(taken=[{"s": True}]),
    "a field of an instance that there is not": with_instance(openning={}),
    "an action of nobody, without an instance": json.dumps(
        {key: value for key, value in document(ALONE).items() if key != "instance"}
    ).encode(),
    "control characters": changed(format="\x1b[2J\u202e"),
}


class TestErrors:
    @pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
    def test_are_errors_of_the_trace(self, data: bytes) -> None:
        """
        Whatever is wrong with a file is a `TraceError` that names the file.
        """
        with pytest.raises(TraceError, match=str(PATH)):
            read(data)

    def test_say_what_and_where(self, golden: Any) -> None:
        """
        Each message says what is wrong, where, and what is nearest to right.
        """
        told = []
        for name, data in WRONG.items():
            with pytest.raises(TraceError) as caught:
                read(data)
            told.append(f"# {name}\nerror: {caught.value}\n")

        golden("errors/traces.txt", "\n".join(told))

    def test_every_cut_is_noticed(self) -> None:
        """
        A file that was cut short anywhere is not a shorter trace.
        """
        data = trace_file.dumps(DOUBLE)

        for length in range(len(data) - 2):
            with pytest.raises(TraceError):
                read(data[:length])

    def test_a_huge_file_is_refused_before_it_is_parsed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        What is longer than the limit is refused by its length alone, and the message names the limits.
        """
        path = tmp_path / "huge.trace.json"
        path.write_bytes(b" " * (3 << 20))
        monkeypatch.setattr(trace_file, "BYTES_MAX", 2 << 20)

        with pytest.raises(TraceError, match="too large") as caught:
            trace_file.load(path)

        assert dict(caught.value.facts)["expected"] == "at most 2 MiB, and 100,000 steps"

    def test_a_million_steps_are_too_many(self, tmp_path: Path) -> None:
        """
        A trace of a million steps is refused, and the message says how many are read.
        """
        path = tmp_path / "million.trace.json"
        step = b'{"action":"restart","at":"A","args":{}},'
        data = changed(steps=[]).replace(b'"steps": []', b'"steps": [' + (step * 1_000_000)[:-1] + b"]")
        path.write_bytes(data)

        with pytest.raises(TraceError, match="out of bounds") as caught:
            trace_file.load(path)

        assert dict(caught.value.facts)["expected"] == "at most 100,000 entries"

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        """
        A path that leads nowhere, or to a folder, is an error of the trace, too.
        """
        for path in (tmp_path / "none.trace.json", tmp_path):
            with pytest.raises(TraceError, match=str(path)):
                trace_file.load(path)


class TestExplained:
    @pytest.mark.parametrize(
        "wrong",
        [{"first_wrong": 4}, {"without": ["a"]}, {"known_by": 3}, {"because": "x"}, {"look_for": None}],
    )
    def test_is_of_the_trace_that_it_is_in(self, wrong: dict[str, Any]) -> None:
        """
        A sentence for each step, and a step that there is; nothing else, and nothing of another kind.
        """
        told = Explanation(("a", "b", "c", "d"), 3, "e", "f")
        written = document(evolve(DOUBLE, explanation=told))
        assert read(written).explanation == told
        written["explanation"] |= wrong

        with pytest.raises(TraceError):
            read(written)

    def test_a_file_from_before_says_nothing_of_it(self) -> None:
        """
        Traces that nobody was asked about are written and read as ever.
        """
        assert not {"explanation", "unexplained"} & {*document(DOUBLE)}
        assert (read(document(DOUBLE)).explanation, read(document(DOUBLE)).unexplained) == (None, "")


class TestInstance:
    def test_is_written_only_where_there_is_one(self) -> None:
        """
        Traces of systems, and those whose steps say everything, are written and read as ever.
        """
        assert "instance" not in document(DOUBLE)
        assert read(document(DOUBLE)).instance is None
        assert read(document(ALONE)) == ALONE

    def test_another_instance_is_another_trace(self, tmp_path: Path) -> None:
        """
        The same words with another deadline are another finding, and neither file takes the other's place.
        """
        assert ALONE.instance is not None
        other = evolve(ALONE, instance=evolve(ALONE.instance, rigid={"length": (2, 2)}))

        paths = [trace_file.save(trace, tmp_path) for trace in (ALONE, other, ALONE)]

        assert paths[0] == paths[2] != paths[1]
        assert [trace_file.load(path) for path in paths] == [ALONE, other, ALONE]


class TestSave:
    def test_name_does_not_depend_on_versions(self, tmp_path: Path) -> None:
        """
        The line to paste is the same on a machine with other versions, and the first file stays.
        """
        first = trace_file.save(evolve(DOUBLE, versions={"hypothesis": "1"}), tmp_path)

        second = trace_file.save(evolve(DOUBLE, versions={"hypothesis": "2"}), tmp_path)

        assert first == second
        assert trace_file.load(first).versions == {"hypothesis": "1"}

    def test_a_file_gets_the_reasons_that_it_has_not_got(self, tmp_path: Path) -> None:
        """
        Why a trace goes wrong is not part of its name; a file that says it already is left as it is.
        """
        told = Explanation(("a", "b", "c", "d"), 3, "e", "f")
        bare = trace_file.save(DOUBLE, tmp_path)
        assert trace_file.load(bare).explanation is None

        paths = {
            trace_file.save(evolve(DOUBLE, explanation=told), tmp_path),
            trace_file.save(DOUBLE, tmp_path),
        }
        paths.add(trace_file.save(evolve(DOUBLE, explanation=evolve(told, look_for="g")), tmp_path))

        assert paths == {bare}
        assert trace_file.load(bare).explanation == told

    def test_a_file_that_says_less_of_why_gets_what_says_more(self, tmp_path: Path) -> None:
        """
        That it is not known is more than nothing, a part is more than that, and all is more than a part.
        """
        told = Explanation(("a", "b", "c", "d"), 3, "e", "f")
        unknown = evolve(DOUBLE, unexplained="why")
        part, whole = evolve(unknown, explanation=told), evolve(DOUBLE, explanation=told)

        for less, more in ((DOUBLE, unknown), (unknown, part), (part, whole)):
            folder = tmp_path / str(len([*tmp_path.iterdir()]))
            paths = {trace_file.save(one, folder) for one in (less, more, less)}
            assert [trace_file.load(path) for path in paths] == [more]

    def test_other_words_for_the_same_make_no_other_file(self, tmp_path: Path) -> None:
        """
        The line to paste is that of the finding, and not of how a version tells it.
        """
        assert DOUBLE.violation is not None
        before, other = (
            evolve(DOUBLE, violation=evolve(DOUBLE.violation, clause=clause))
            for clause in ("consumed: B had executed r0 at step 5", "unproven")
        )

        paths = [trace_file.save(one, tmp_path) for one in (DOUBLE, before, other)]

        assert paths[0] == paths[1] != paths[2]

    def test_names_a_file_by_property_and_content(self, tmp_path: Path) -> None:
        """
        A finding is found by the name of its property, and saving it again makes no second file.
        """
        first = trace_file.save(DOUBLE, tmp_path / "out")
        second = trace_file.save(DOUBLE, tmp_path / "out")

        assert first == second
        assert [p.name for p in (tmp_path / "out").iterdir()] == [first.name]
        assert first.name.startswith("executes-at-most-once-")
        assert first.name.endswith(".trace.json")
        assert trace_file.load(first) == DOUBLE

    def test_never_overwrites_another_file(self, tmp_path: Path) -> None:
        """
        Where the name is taken by something else, the digest in it becomes longer.
        """
        first = trace_file.save(DOUBLE, tmp_path)
        first.write_text("mine")

        second = trace_file.save(DOUBLE, tmp_path)

        assert first.read_text() == "mine"
        assert second != first
        assert trace_file.load(second) == DOUBLE

    def test_makes_a_name_that_a_shell_leaves_alone(self, tmp_path: Path) -> None:
        """
        Brackets, slashes and control characters of a property do not reach the name of the file.
        """
        path = trace_file.save(evolve(DOUBLE, property="../a[b]\n\x1b;"), tmp_path)

        assert path.parent == tmp_path
        assert path.name.startswith("a-b-")

    def test_leaves_nothing_half_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A file appears whole or not at all.
        """

        def fail(*_: object) -> Path:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", fail)

        with pytest.raises(UsageError, match="cannot be written"):
            trace_file.save(DOUBLE, tmp_path)

        assert list(tmp_path.iterdir()) == []

    def test_says_when_a_folder_cannot_be_used(self, tmp_path: Path) -> None:
        """
        A file where the folder should be is an error that says what to do.
        """
        (tmp_path / "out").write_text("")

        with pytest.raises(UsageError, match="--out"):
            trace_file.save(DOUBLE, tmp_path / "out")


def test_the_format_is_the_one_of_the_schema() -> None:
    """
    The version in the code and the one in the schema are one.
    """
    assert trace_file.schema().root["properties"]["format"]["const"] == FORMAT


def test_the_arguments_are_those_of_the_schema() -> None:
    """
    Each action takes exactly the arguments that the schema allows it.
    """
    allowed: dict[str, set[str]] = {}
    for rule in trace_file.schema().root["$defs"]["step"]["allOf"]:
        condition = rule["if"]["properties"]["action"]
        for action in condition.get("enum", [condition.get("const")]):
            allowed[action] = set(rule["then"]["properties"]["args"]["propertyNames"]["enum"])

    assert allowed == {action: set(args) for action, args in ARGUMENTS.items()}
