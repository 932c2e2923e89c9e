"""
A process that is a right shard, and breaks the protocol in the way that its first argument names.

It uses the standard library only, and little of it, because it is started often: run it with
`python -I -S`. Headers certify themselves; what is in one is known to all shards, as they live in
one process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

#: The answer to one request, without its number.
Answer = dict[str, Any]

MODE = sys.argv[1] if len(sys.argv) > 1 else "right"

REQUIRED = ["open", "close", "emit", "produce", "prove", "deliver", "executed"]

FOREVER = 600

#: Where one that remembers writes down what it has done.
NOTES = Path("consumed")


class Shards:
    """All shards: what each has emitted, consumed and executed, and every header."""

    def __init__(self) -> None:
        self.clear([])

    def clear(self, names: list[str]) -> None:
        self.emitted: dict[str, list[str]] = {name: [] for name in names}
        self.consumed: dict[str, set[str]] = {name: set() for name in names}
        self.effects: dict[str, list[Answer]] = {name: [] for name in names}
        self.headers: dict[str, tuple[str, frozenset[str]]] = {}
        self.remembered: list[str] = []

    def open(self, topology: Answer) -> Answer:
        self.clear(topology["shards"])
        if MODE == "remembers" and NOTES.exists():
            self.remembered = NOTES.read_text().split()
        return {"ok": None}

    def close(self) -> Answer:
        return {"ok": None}

    def emit(self, source: str, destination: str, payload: str) -> Answer:
        number = len(self.emitted[source])
        receipt = f"{source}>{destination}#{number}:{payload}".encode().hex()
        self.emitted[source].append(receipt)
        return {"ok": receipt}

    def produce(self, shard: str) -> Answer:
        header = f"{shard}@{len(self.headers)}".encode().hex()
        self.headers[header] = shard, frozenset(self.emitted[shard])
        return {"ok": header}

    def prove(self, receipt: str, header: str) -> Answer:
        return {"ok": "01"} if receipt in self.headers[header][1] else {"refused": "not committed to"}

    def deliver(self, delivery: Answer) -> Answer:
        shard, receipt = delivery["destination"], delivery["receipt"]
        source, committed = self.headers.get(delivery["header"], ("", frozenset()))
        if receipt not in committed:
            return {"refused": "unproven"}
        route, _, payload = bytes.fromhex(receipt).decode().partition(":")
        if route.partition(">")[2].partition("#")[0] != shard:
            return {"refused": "wrong destination"}
        if receipt in self.consumed[shard] or receipt in self.remembered:
            return {"refused": "consumed"}
        if MODE == "clock" and time.monotonic_ns() // 1000 % 3 == 0:
            return {"refused": "not now"}
        if MODE == "remembers":
            with NOTES.open("a") as notes:
                notes.write(receipt + "\n")
        self.consumed[shard].add(receipt)
        self.effects[shard].append({"payload": payload, "source": source})
        return {"ok": None}

    def executed(self, shard: str, since: int) -> Answer:
        return {"ok": self.effects[shard][since:]}


def out(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def say(answer: Answer) -> None:
    out(json.dumps(answer).encode() + b"\n")


def hello(number: int) -> None:
    said: Answer = {"protocol": 1, "name": "hostile", "version": "1", "verbs": REQUIRED}
    if MODE == "no-greeting":
        time.sleep(FOREVER)
    if MODE == "version":
        said["protocol"] = 2
    if MODE == "lies":
        said["verbs"] = [*REQUIRED, "learn"]
    if MODE == "lists-nonsense":
        said["verbs"] = [*REQUIRED, "lern"]
    if MODE == "lacks":
        said["verbs"] = [verb for verb in REQUIRED if verb != "prove"]
    if MODE == "changes":
        said["version"] = str(os.getpid())
    say({"id": number, "ok": said})


#: What happens instead of an answer, or with it, in the verb that stands before.
def misbehave(number: int, answer: Answer) -> bool:
    match MODE.partition(":")[0]:
        case "hang":
            print("waiting for a lock", file=sys.stderr, flush=True)
            time.sleep(FOREVER)
        case "exit":
            print("Traceback: \x1b[31mno database\x1b[0m", file=sys.stderr, flush=True)
            os._exit(7)
        case "exit-zero":
            os._exit(0)
        case "signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "garbage":
            out(b"DEBUG \x1b[2J delivered #1\n")
        case "half":
            out(b'{"id":')
            time.sleep(FOREVER)
        case "half-exit":
            out(b'{"id":')
            os._exit(1)
        case "long":
            try:
                for _ in range(1600):
                    out(b"7" * (1 << 16))
            except BrokenPipeError:
                os._exit(1)
        case "child":
            subprocess.Popen([sys.executable, "-I", "-S", "-c", f"import time; time.sleep({FOREVER})"])
            os._exit(3)
        case "order":
            say({"id": number + 1, **answer})
        case "unasked":
            say({"id": 100_000, **answer})
        case "old":
            say({"id": number - 1, **answer})
        case "twice":
            say({"id": number, **answer})
            say({"id": number, **answer})
        case "floods":
            try:
                while True:
                    os.write(2, b"noise " * 1000 + b"\n")
                    out(b'{"id":1,"ok":null}\n' * 100)
            except BrokenPipeError:
                os._exit(1)
        case "stderr":
            while True:
                os.write(2, b"noise " * 1000 + b"\n")
        case "utf8":
            out(b'{"id":%d,"refused":"\xff\xfe"}\n' % number)
        case "type":
            say({"id": number, "ok": 7})
        case "hex":
            say({"id": number, "ok": "00 01"})
        case "negative":
            say({"id": -1, **answer})
        case "huge":
            out(b'{"id":%s,"ok":null}\n' % (b"9" * 5000))
        case "nan":
            out(b'{"id":%d,"ok":NaN}\n' % number)
        case "float":
            out(b'{"id":%d.0,"ok":null}\n' % number)
        case "deep":
            out(b"[" * 100_000 + b"\n")
        case "double-field":
            out(b'{"id":%d,"ok":null,"ok":null}\n' % number)
        case "two-words":
            say({"id": number, "ok": None, "refused": "both"})
        case "closes":
            os.close(1)
            time.sleep(FOREVER)
        case "shuts":
            os.close(0)
            say({"id": number, **answer})
            time.sleep(FOREVER)
        case "stopped":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "error":
            say({"id": number, "error": MODE.split(":")[2], "message": "because"})
        case _:
            return False
    return True


def main() -> None:
    shards, wrong_at = Shards(), [*MODE.split(":"), ""][1]
    if MODE == "deaf":
        sys.stdin.readline()
        hello(0)
        time.sleep(FOREVER)
    for line in sys.stdin:
        asked = json.loads(line)
        number, verb = asked.pop("id"), asked.pop("verb")
        if verb == "hello":
            hello(number)
        elif verb not in REQUIRED:
            say({"id": number, "error": "unknown-verb", "message": verb})
        else:
            answer = getattr(shards, verb)(**asked)
            if verb != wrong_at or not misbehave(number, answer):
                say({"id": number, **answer})


main()
