"""What `shardproof.mjs` does for the verbs of an adapter in JavaScript, on both ends of a line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import shardproof.templates

PROTOCOL = Path(shardproof.templates.__file__).parent / "javascript" / "shardproof.mjs"
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None and not os.environ.get("CI"),
    reason="node is not installed: apt-get install nodejs",
)

#: Verbs that answer in each way in which one may.
PROBE = """
import { PENDING, refused, serve } from "PROTOCOL";

console.log("said at the start");
setInterval(() => {}, 1000);
let last = "";
const later = (value) => new Promise((resolve) => setTimeout(() => resolve(value), 5));
serve("probe", {
  async open({ topology }) { last = topology.shards.join(""); await later(); last += "!"; },
  emit: ({ payload }) => Buffer.concat([payload, Buffer.from(last)]),
  produce: () => "00ff",
  prove: async ({ receipt }) => refused(`no proof of ${receipt.length} bytes`),
  deliver: ({ delivery }) => { console.log("looked at", delivery.evidence); return PENDING; },
  executed: () => [{ payload: Uint8Array.of(1, 255), source: "A" }, { payload: Buffer.of(), source: null }],
  balance: () => 12345678901234567890n,
  dissect: ({ evidence }) => ({ index: 1n << 70n, count: null, siblings: [evidence] }),
  assemble: ({ path }) => Buffer.from(`${path.index + 1n} ${path.count} ${path.siblings[0].length}`),
  snapshot: () => new Map([["last", last]]),
  restore({ token }) { last = token.get("last"); },
  settle() { throw new Error("cannot rest"); },
}, { version: "7", stack: "core" });
"""


def said(*lines: Any, folder: Path) -> tuple[list[Any], str]:
    """What the probe answers to these lines, and what it says to people."""
    probe = folder / "probe.mjs"
    probe.write_text(PROBE.replace("PROTOCOL", PROTOCOL.as_posix()), "utf-8")
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    done = subprocess.run(
        ["node", probe], input=text, capture_output=True, text=True, check=True, timeout=60, cwd=folder
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_each_kind_of_answer_stands_on_the_line_as_the_protocol_says(tmp_path: Path) -> None:
    """Bytes are digits, whole numbers text, nothing null; refused, pending and errors are told apart."""
    opened = {"id": 1, "verb": "open", "topology": {"shards": ["A", "B"], "reserve": 0}}
    delivery = {"destination": "B", "receipt": "", "header": "", "evidence": "00ff"}
    path = {"index": str(2**70), "count": None, "siblings": ["0000"]}

    answers, stderr = said(
        {"id": 0, "verb": "hello", "protocol": 1},
        # One line: what comes second finds what came first, though that took a while.
        [opened, {"id": 2, "verb": "emit", "source": "A", "destination": "B", "payload": "68"}],
        {"id": 3, "verb": "prove", "receipt": "0000", "header": ""},
        {"id": 4, "verb": "deliver", "delivery": delivery},
        {"id": 5, "verb": "executed", "shard": "B", "since": 0},
        {"id": 6, "verb": "balance", "shard": "B"},
        {"id": 7, "verb": "dissect", "evidence": "00ff"},
        {"id": 8, "verb": "assemble", "path": path},
        folder=tmp_path,
    )

    greeting = answers[0]["ok"]
    assert (greeting["name"], greeting["version"], greeting["stack"]) == ("probe", "7", "core")
    assert answers[1:] == [
        [{"id": 1, "ok": None}, {"id": 2, "ok": b"hAB!".hex()}],
        {"id": 3, "refused": "no proof of 2 bytes"},
        {"id": 4, "pending": True},
        {"id": 5, "ok": [{"payload": "01ff", "source": "A"}, {"payload": "", "source": None}]},
        {"id": 6, "ok": "12345678901234567890"},
        {"id": 7, "ok": {"index": str(2**70), "count": None, "siblings": ["00ff"]}},
        {"id": 8, "ok": f"{2**70 + 1} null 2".encode().hex()},
    ]
    assert "said at the start\nlooked at <Buffer 00 ff>" in stderr


def test_a_snapshot_may_be_anything(tmp_path: Path) -> None:
    """What travels is the number of one, which can be given back any number of times."""

    def opening(*shards: str) -> Any:
        return {"id": 0, "verb": "open", "topology": {"shards": shards, "reserve": 0}}

    emit = {"id": 1, "verb": "emit", "source": "A", "destination": "B", "payload": ""}

    answers, _ = said(
        [opening("A"), {"id": 2, "verb": "snapshot"}, opening("B"), {"id": 3, "verb": "snapshot"}],
        [{"id": 4, "verb": "restore", "token": 0}, emit, {"id": 5, "verb": "restore", "token": 1}, emit],
        folder=tmp_path,
    )

    first, second = (answer["ok"] for answer in answers[0][1::2])
    assert first != second
    assert [bytes.fromhex(answer["ok"]) for answer in answers[1][1::2]] == [b"A!", b"B!"]


def test_what_is_no_answer_is_an_error_and_says_why(tmp_path: Path) -> None:
    """A text where bytes belong would be read as digits; what is thrown has its stack on stderr."""
    answers, stderr = said(
        {"id": 1, "verb": "produce", "shard": "A"},
        {"id": 2, "verb": "settle", "shard": "A"},
        {"id": 3, "verb": "toString"},
        folder=tmp_path,
    )

    assert answers == [
        {
            "id": 1,
            "error": "internal",
            "message": 'TypeError: produce is the text "00ff": bytes are a Buffer',
        },
        {"id": 2, "error": "internal", "message": "Error: cannot rest"},
        {"id": 3, "error": "unknown-verb", "message": "toString"},
    ]
    assert "probe.mjs" in stderr
