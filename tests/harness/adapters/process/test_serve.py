"""An adapter behind the protocol is the same adapter: to the letter, with every verb of every stack."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import pytest
from attrs import evolve

from shardproof.adapter import REQUIRED, Topology
from shardproof.adapters.process.serve import Server
from shardproof.adapters.process.wire import parsed
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.verdict import Report


@pytest.fixture(autouse=True)
def _as_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process imports what the test does."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def searched(name: str, steps: int) -> Report:
    """A search with the same seed, whoever answers."""
    ticks = itertools.count()
    make = load(name)
    return fuzz(make, "the same", Plan(1, steps=steps), clock=lambda: float(next(ticks)))


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["faulty:no-deduplication", "watermark", "reference:everything"])
def test_a_search_goes_the_same_way_through_a_process(name: str) -> None:
    """The same steps, attacks, coverage and findings: the protocol adds nothing and loses nothing."""
    served = f"cmd:{sys.executable} -m shardproof.adapters.process.serve {name}"

    there, here = searched(served, 300), searched(name, 300)

    assert there.work["steps"] >= 300
    assert evolve(there, seconds=0) == evolve(here, seconds=0)


def test_a_conversation_goes_as_the_document_says() -> None:
    """Greeting, one request a line, several in one, and a token that comes back."""
    server = Server(load("faulty:no-deduplication")())

    hello = parsed(server.line(b'{"id":0,"verb":"hello","protocol":1}').encode())
    assert hello["ok"]["protocol"] == 1
    assert hello["ok"]["verbs"][:7] == [*REQUIRED]
    lines = (
        b'{"id":1,"verb":"open","topology":{"shards":["A","B"],"reserve":0}}',
        (
            b'[{"id":2,"verb":"emit","source":"A","destination":"B","payload":"7230"},'
            b'{"id":3,"verb":"executed","shard":"B","since":0}]'
        ),
        b'{"id":4,"verb":"deliver","delivery":{"destination":"B","receipt":"","header":"","evidence":""}}',
    )
    opened, emitted, delivered = (parsed(server.line(line).encode()) for line in lines)
    assert opened == {"id": 1, "ok": None}
    assert [answer["id"] for answer in emitted] == [2, 3]
    assert bytes.fromhex(emitted[0]["ok"]).endswith(b"r0")
    assert emitted[1]["ok"] == []
    assert delivered == {"id": 4, "refused": "untrusted header"}


BAD_REQUESTS = [
    (b"", "malformed"),
    (b"7", "malformed"),
    (b'{"id":"x"}', "malformed"),
    (b'{"id":1,"verb":"fly"}', "unknown-verb"),
    (b'{"id":1,"verb":"emit","source":"A"}', "malformed"),
    (b'{"id":1,"verb":"emit","source":"A","destination":"B","payload":"0"}', "malformed"),
    (b'{"id":1,"verb":"produce","shard":"nowhere"}', "internal"),
]


@pytest.mark.parametrize("line, code", BAD_REQUESTS)
def test_a_request_that_is_none_gets_an_error(line: bytes, code: str) -> None:
    """The other end is as strict as this one."""
    server = Server(load("reference")())

    assert parsed(server.line(line).encode())["error"] == code


class Returns(ReferenceAdapter):
    """Returns to any snapshot, of which there are none."""

    def snapshot(self) -> object:
        return None

    def restore(self, token: object) -> None:
        raise AssertionError("nobody has a token")


@pytest.mark.parametrize("token", [b"7", b'"x"', b"null"])
def test_a_token_that_was_never_given_is_an_error(token: bytes) -> None:
    """It ends no process: the next request is answered as ever."""
    server = Server(Returns())
    server.line(b'{"id":1,"verb":"open","topology":{"shards":["A","B"],"reserve":0}}')

    lines = (b'{"id":2,"verb":"restore","token":%s}' % token, b'{"id":3,"verb":"produce","shard":"A"}')
    lost, produced = (parsed(server.line(line).encode()) for line in lines)

    assert lost["error"] == "internal"
    assert bytes.fromhex(produced["ok"])


def test_what_an_adapter_prints_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither while its module is imported, nor while it is made, nor in a call."""
    (tmp_path / "talks.py").write_text(
        "from shardproof.adapters.reference import ReferenceAdapter\n"
        "print('imported', flush=True)\n"
        "class Talks(ReferenceAdapter):\n"
        "    name = 'talks'\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        print('made', flush=True)\n"
        "    def produce(self, shard):\n"
        "        print('produces', flush=True)\n"
        "        return super().produce(shard)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), *sys.path)))

    adapter = load(f"cmd:{sys.executable} -m shardproof.adapters.process.serve talks:Talks")()
    adapter.open(Topology.of(2))
    produced = adapter.produce("A")
    adapter.close()

    assert adapter.name == "talks"
    assert isinstance(produced, bytes)
