"""Several requests in one line: what comes back is judged one by one, and what is known grows old."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from shardproof.adapter import ACCEPTED, REQUIRED, Adapter, Delivery, Refused, Topology
from shardproof.adapters.process.adapter import adapter_for
from shardproof.adapters.process.child import Child
from shardproof.adapters.process.diagnosis import BrokenProcessError
from shardproof.adapters.process.serve import Server
from shardproof.loading import load
from shardproof.system import System

#: Changes the answer to a line before it arrives.
Twist = Callable[[bytes], bytes]


class Here(Child):
    """No process: the other end of the protocol, in this one."""

    def __init__(self, twist: Twist) -> None:
        self.server, self.twist = Server(load("watermark")()), twist
        self.lines: list[bytes] = []

    def exchange(self, line: bytes, seconds: float) -> bytes:
        self.lines.append(line)
        return self.twist(self.server.line(line).encode())

    def stderr(self) -> str:
        return ""

    def status(self, seconds: float = 0) -> str | None:
        return None

    def surplus(self) -> bytes:
        return b""

    def end(self, *, kindly: bool) -> None:
        pass


def opened(monkeypatch: pytest.MonkeyPatch, twist: Twist = lambda line: line) -> tuple[Adapter, Here]:
    """An adapter with such a child, opened on two shards, one receipt under way to B."""
    here = Here(lambda line: line)
    module = "shardproof.adapters.process.adapter"
    monkeypatch.setattr(f"{module}._started", lambda command, furnish: here)
    monkeypatch.setattr(f"{module}.words", lambda command, folder: ("here",))
    adapter = adapter_for("here")()
    adapter.open(Topology.of(2))
    here.twist = twist
    return adapter, here


def under_way(adapter: Adapter) -> Delivery:
    """A receipt that is due at B."""
    receipt = adapter.emit("A", "B", b"r0")
    assert isinstance(receipt, bytes)
    header = adapter.produce("A")
    assert isinstance(header, bytes)
    header = adapter.finalise("A", header)
    assert isinstance(header, bytes)
    adapter.learn("B", header)
    evidence = adapter.prove(receipt, header)
    assert isinstance(evidence, bytes)
    return Delivery("B", receipt, header, evidence)


#: The greeting of a process that says nothing of batches, and its answer to `open`.
SAID = {
    True: json.dumps({"id": 0, "ok": {"protocol": 1, "name": "alone", "verbs": [*REQUIRED]}}),
    False: '{"id":1,"ok":null}',
}

LOOKS = (("executed", ("B", 0)), ("executed", ("A", 0)))


def test_what_was_foreseen_costs_no_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for a delivery and both looks; what was not foreseen is asked."""
    adapter, here = opened(monkeypatch)
    delivery = under_way(adapter)
    here.lines.clear()

    adapter.foresee("deliver", LOOKS)
    assert adapter.deliver(delivery) == ACCEPTED
    assert [x.payload for x in adapter.executed("B", 0) if not isinstance(x, bytes)] == [b"r0"]
    assert adapter.executed("A", 0) == ()
    assert len(here.lines) == 1

    assert adapter.executed("B", 1) == ()
    assert len(here.lines) == 2


def test_what_is_known_is_forgotten_as_soon_as_anything_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that is older than the last event would hide it."""
    adapter, _ = opened(monkeypatch)
    delivery = under_way(adapter)

    adapter.foresee("deliver", LOOKS)
    assert isinstance(adapter.deliver(Delivery("B", b"", b"", b"")), Refused)
    assert adapter.executed("B", 0) == ()
    assert adapter.deliver(delivery) == ACCEPTED

    assert len(adapter.executed("B", 0)) == 1


def test_a_hint_waits_for_its_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked in between goes alone."""
    adapter, here = opened(monkeypatch)
    here.lines.clear()

    adapter.foresee("produce", LOOKS)
    adapter.emit("A", "B", b"r0")
    adapter.produce("A")

    assert [line[:1] for line in here.lines] == [b"{", b"["]


BROKEN: dict[str, tuple[Twist, str, str]] = {
    "one too few": (lambda line: line[: line.rindex(b",{")] + b"]", "not a list of 3 answers", "deliver"),
    "no list": (lambda line: line[1 : line.index(b"}") + 1], "not a list of 3 answers", "deliver"),
    "another order": (
        lambda line: b"[" + b",".join(line[1:-1].replace(b"},{", b"}\n{").split(b"\n")[::-1]) + b"]",
        "answered another request than 'deliver'",
        "deliver",
    ),
    "a look of the wrong type": (
        lambda line: line.replace(b"[]", b"7", 1),
        "answer to 'executed' makes no sense",
        "executed",
    ),
    "a look that is refused": (
        lambda line: line.replace(b'"ok":[]', b'"refused":"no"', 1),
        "answer to 'executed' makes no sense",
        "executed",
    ),
    "a look that is none": (
        lambda line: line.replace(b'"ok":[]', b'"okay":[]', 1),
        "broke the protocol in its answer to 'executed'",
        "executed",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_one_wrong_answer_spoils_the_line_and_is_named(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a line is believed of which something is wrong."""
    twist, said, verb = BROKEN[case]
    adapter, here = opened(monkeypatch)
    here.twist = twist

    adapter.foresee("deliver", LOOKS)
    with pytest.raises(BrokenProcessError) as error:
        adapter.deliver(Delivery("B", b"", b"", b""))

    assert said in str(error.value)
    assert error.value.verb == verb


def test_a_process_that_takes_one_request_a_line_is_not_told_of_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is worked out that nobody can use."""
    together, _ = opened(monkeypatch)
    monkeypatch.setattr(Server, "line", lambda server, line: SAID[b'"hello"' in line])
    alone, _ = opened(monkeypatch)

    assert System(together).foresees
    assert not System(alone).foresees


def test_a_number_that_the_protocol_does_not_know_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """It surely did not happen, and the message says which value it was."""
    adapter, here = opened(monkeypatch)
    here.lines.clear()

    with pytest.raises(BrokenProcessError, match="the protocol has no such value") as error:
        adapter.executed("B", 1 << 60)

    assert error.value.definite
    assert here.lines == []
