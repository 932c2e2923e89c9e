"""
What the process protocol costs: microseconds a request, beside the same lines sent by hand.

One process answers at once whatever it is asked. Lines are written and read by hand first, which is
what pipes, the scheduler and that process take; then the adapter asks the same. The difference is
the harness's own: making a request, waiting under a deadline, reading the answer. Rounds alternate,
and the medians are shown, of the difference too: a machine with others on it is slow for both.
What of the difference is computing, and not waiting longer to be woken up, is the CPU time.

Then whole runs: the reference in this process, and the same behind the protocol. How many requests a
step makes, and in how many lines, says what the difference should come to at the targets above.
"""

from __future__ import annotations

import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from attrs import frozen

from shardproof.adapter import Adapter, AdapterFactory, Delivery, Topology
from shardproof.adapters.process import wire
from shardproof.adapters.process.child import Child
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load

ROUNDS = 15
REQUESTS = 2_000
TOGETHER = 10
#: Microseconds of its own that a request should cost, in a line by itself and in one with others.
ALONE_MAX, TOGETHER_MAX = 40, 15

#: Answers what it is asked, as fast as Python can.
ECHO = """
import os, re
number = re.compile(rb'"id":([0-9]+),"verb":"([a-z]+)"')
said = {b"open": b"null", b"close": b"null", b"emit": b'"00ff00ff"', b"deliver": b"null", b"executed": b"[]"}
verbs = b'"open","close","emit","produce","prove","deliver","executed"'
hello = b'{"protocol":1,"name":"echo","batches":true,"verbs":[%s]}' % verbs
while True:
    data = os.read(0, 1 << 20)
    if not data:
        break
    answers = [b'{"id":%s,"ok":%s}' % (n, said.get(v, hello)) for n, v in number.findall(data)]
    line = b",".join(answers)
    os.write(1, b"[%s]\\n" % line if data[:1] == b"[" else line + b"\\n")
"""

DELIVERY = Delivery("B", bytes(40), bytes(120), bytes(100))


def seconds(do: Callable[[], object]) -> tuple[float, float]:
    """Wall time, because waiting is what this is about, and CPU time of this process."""
    begin, worked = time.perf_counter(), time.process_time()
    do()
    return time.perf_counter() - begin, time.process_time() - worked


def by_hand(process: subprocess.Popen[bytes], lines: list[bytes]) -> Callable[[], None]:
    """Write each line and read what comes."""
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin.fileno(), process.stdout.fileno()

    def run() -> None:
        for line in lines:
            os.write(stdin, line)
            while not os.read(stdout, 1 << 16).endswith(b"\n"):
                pass

    return run


def single(verb: str, arguments: tuple[object, ...]) -> tuple[list[bytes], Callable[[Adapter], None]]:
    """The same request many times: its lines, and the calls that make them."""
    lines = [wire.request(n, wire.VERBS[verb], arguments).encode() + b"\n" for n in range(REQUESTS)]

    def ask(adapter: Adapter) -> None:
        call = getattr(adapter, verb)
        for _ in range(REQUESTS):
            call(*arguments)

    return lines, ask


def together() -> tuple[list[bytes], Callable[[Adapter], None]]:
    """A delivery and what is looked at after it, in one line."""
    looks = tuple(("executed", ("B", since)) for since in range(TOGETHER - 1))
    verbs = [("deliver", (DELIVERY,)), *looks]
    lines = []
    for n in range(REQUESTS // TOGETHER):
        asked = [wire.request(n * TOGETHER + i, wire.VERBS[v], given) for i, (v, given) in enumerate(verbs)]
        lines.append(f"[{','.join(asked)}]\n".encode())

    def ask(adapter: Adapter) -> None:
        for _ in range(REQUESTS // TOGETHER):
            adapter.foresee("deliver", looks)
            adapter.deliver(DELIVERY)
            for _, given in looks:
                adapter.executed(*given)

    return lines, ask


@frozen
class Fuzzed:
    """A fuzzed run, by the step."""

    microseconds: float
    lines: float
    #: Those in a line of several count singly.
    requests: float
    #: Lines of one request only.
    alone: float


def fuzzed(make: AdapterFactory, steps: int = 10_000) -> Fuzzed:
    """Fuzz for so many steps, and count what is asked of a process."""
    sizes: list[int] = []
    exchange = Child.exchange

    def counted(child: Child, data: bytes, within: float) -> bytes:
        # Any request has an id, and no argument of the reference's has one inside.
        sizes.append(data.count(b'"id":'))
        return exchange(child, data, within)

    with mock.patch.object(Child, "exchange", counted):
        begin = time.perf_counter()
        report = fuzz(make, "process", Plan(1, steps=steps), clock=time.perf_counter)
        took = time.perf_counter() - begin
    taken = report.work["steps"]
    return Fuzzed(took / taken * 1e6, len(sizes) / taken, sum(sizes) / taken, sizes.count(1) / taken)


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "echo.py"
        program.write_text(ECHO, "utf-8")
        command = [sys.executable, "-I", "-S", str(program)]
        echo = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        adapter = load(f"cmd:{' '.join(command)}")()
        adapter.open(Topology.of(2))
        print("microseconds a request         by hand   adapter   of its own   of that CPU   target")
        for title, target, (lines, ask) in (
            ("emit", ALONE_MAX, single("emit", ("A", "B", b"r0"))),
            ("executed", ALONE_MAX, single("executed", ("B", 0))),
            ("deliver, 260 bytes", ALONE_MAX, single("deliver", (DELIVERY,))),
            (f"{TOGETHER} a line", TOGETHER_MAX, together()),
        ):
            plain = by_hand(echo, lines)
            asked = functools.partial(ask, adapter)
            pairs = [(seconds(plain), seconds(asked)) for _ in range(ROUNDS)]
            rows = [(a, b, b - a, d - c) for (a, c), (b, d) in pairs]
            figures = (statistics.median(column) / REQUESTS * 1e6 for column in zip(*rows, strict=True))
            theirs, ours, own, worked = figures
            print(f"{title:<28}{theirs:>10.1f}{ours:>10.1f}{own:>13.1f}{worked:>14.1f}{target:>9}")
        adapter.close()
        echo.kill()
        echo.wait()
    print("\nfuzzed, a step              microseconds   requests   lines   of one request")
    inside = fuzzed(load("reference"))
    print(f"reference, in process{inside.microseconds:>19.1f}")
    served = fuzzed(load(f"cmd:{sys.executable} -m shardproof.adapters.process.serve reference"))
    counts = f"{served.requests:>11.2f}{served.lines:>8.2f}{served.alone:>17.2f}"
    print(f"reference, as a process{served.microseconds:>17.1f}{counts}")
    more = served.microseconds - inside.microseconds
    own = ALONE_MAX * served.alone + TOGETHER_MAX * (served.requests - served.alone)
    print(f"{more:.1f} more, of which {own:.1f} are the harness's at the targets, and the rest the process's")


if __name__ == "__main__":
    main()
