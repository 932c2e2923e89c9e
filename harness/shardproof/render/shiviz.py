"""
A trace as a log for ShiViz (https://bestchai.bitbucket.io/shiviz/), which draws what happened before what.

Each event has a vector clock: how much its shard knew of every other one. A shard comes to know of
another by what a relayer brings it: a header that the other produced, a receipt that it emitted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from attrs import define, field

from ..trace import Step, Trace
from . import inert
from .diagram import label, outcome

#: By what ShiViz takes the log apart. It reads this from the first line; the second would separate runs.
PARSER = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)"

#: Characters of a host's name that are shown.
_HOST_MAX = 60

Clock = dict[str, int]


def write(trace: Trace) -> str:
    """The log: two lines for each event."""
    clocks = _Clocks(hosts(dict.fromkeys((*trace.shards, *(step.at for step in trace.steps)))))
    events = [
        f"{host} {json.dumps(clock)}\n{_event(trace, i)}"
        for i, (host, clock) in enumerate(clocks.of(trace.steps))
    ]
    return "\n".join([PARSER, "", *events]) + "\n"


def hosts(places: Iterable[str]) -> dict[str, str]:
    """Names without spaces, one for each place where something happens, and no two alike."""
    named: dict[str, str] = {}
    for name in places:
        short = quote(name, safe="@:+,", errors="surrogatepass") or "-"
        cut = short if len(short) <= _HOST_MAX else f"{short[:_HOST_MAX]}..."
        host, number = cut, 1
        while host in named.values():
            number += 1
            host = f"{cut}~{number}"
        named[name] = host
    return named


def _event(trace: Trace, index: int) -> str:
    step, violation = trace.steps[index], trace.violation
    here = violation is not None and violation.step == index
    more = (
        (("refused by", violation.clause), ("unexplained", trace.unexplained)) if violation and here else ()
    )
    why = (f"{word} {text}" for word, text in more if text)
    said = ", ".join(text for text in (label(step), *outcome(trace, index), *why) if text)
    return inert.line(f"{'VIOLATION ' if here else ''}{index + 1} {said}", ascii_only=True)


@define
class _Clocks:
    """What each shard knows of the others, and what is known with each thing that a relayer carries."""

    hosts: dict[str, str]
    _now: dict[str, Clock] = field(init=False, factory=dict)
    _carried: dict[str, Clock] = field(init=False, factory=dict)

    def of(self, steps: Sequence[Step]) -> Iterator[tuple[str, Clock]]:
        """The host and the clock of each step."""
        for step in steps:
            host = self.hosts[step.at]
            clock = self._now.setdefault(host, {})
            for thing in _brought(step):
                for other, count in self._carried.get(thing, {}).items():
                    clock[other] = max(clock.get(other, 0), count)
            clock[host] = clock.get(host, 0) + 1
            for thing in _made(step):
                self._carried[thing] = dict(clock)
            yield host, dict(clock)


def _made(step: Step) -> Iterator[str]:
    """What others can know of this shard by from now on."""
    if step.action == "emit":
        yield step.args.get("receipt", "")
    if step.action in ("produce", "finalise"):
        yield step.args.get("header", "")
    if "receipt" in step.args and step.action != "emit":
        # What it emits because of it.
        yield f"answer:{step.args['receipt']}"


def _brought(step: Step) -> Iterator[str]:
    """What a relayer shows to this shard."""
    if step.action == "emit":
        return
    yield from (step.args.get(name, "") for name in ("receipt", "header"))
    for name in ("evidence", "inner"):
        receipt, _, header = step.args.get(name, "").partition("@")
        yield from (receipt, header)
