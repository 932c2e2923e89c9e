"""
A process made of an adapter in Python: `python -m shardproof.adapters.process.serve NAME`.

For a system that crashes or hangs in native code, which an adapter in the process of the harness
could not survive; and the protocol, read from its other end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from ...adapter import CAPABILITIES, REQUIRED, Adapter, capabilities
from ...loading import load
from .values import MistypedError
from .wire import HELLO, VERBS, VERSION, GarbledError, parsed, reply


class Server:
    """Answers the requests to one adapter."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        able = {*REQUIRED, *capabilities(adapter)}
        self.verbs = [verb for verb in (*REQUIRED, *CAPABILITIES) if verb in able]
        #: Tokens of snapshots are objects: what travels is the number of one.
        self.tokens: list[object] = []

    def line(self, line: bytes) -> str:
        """The answer to one line: to a request, or to several."""
        try:
            asked = parsed(line)
        except GarbledError as error:
            return _error(None, "malformed", str(error))
        if isinstance(asked, list):
            return f"[{','.join([self.request(one) for one in asked])}]"
        return self.request(asked)

    def request(self, asked: Any) -> str:
        """The answer to one request."""
        if type(asked) is not dict or type(asked.get("id")) is not int:
            return _error(None, "malformed", "a request is an object with an id")
        number, name = asked["id"], asked.get("verb")
        if name == HELLO:
            return self._hello(number)
        if name not in self.verbs:
            return _error(number, "unknown-verb", str(name))
        verb = VERBS[name]
        try:
            given = [kind.read(asked[argument]) for argument, kind in verb.arguments]
        except (KeyError, MistypedError) as error:
            return _error(number, "malformed", str(error))
        try:
            if name == "restore":
                given = [self.tokens[given[0]]]
            answer = getattr(self.adapter, name)(*given)
            if name == "snapshot":
                self.tokens.append(answer)
                answer = len(self.tokens) - 1
            return reply(number, verb, answer)
        except Exception as error:
            return _error(number, "internal", f"{type(error).__name__}: {error}")

    def _hello(self, number: int) -> str:
        named = f'"name":{quoted(self.adapter.name or type(self.adapter).__name__)}'
        said = f'"version":"","stack":{quoted(self.adapter.stack)},"batches":true'
        verbs = ",".join(map(quoted, self.verbs))
        return f'{{"id":{number},"ok":{{"protocol":{VERSION},{named},{said},"verbs":[{verbs}]}}}}'


def _error(number: int | None, code: str, message: str) -> str:
    shown = "null" if number is None else number
    return f'{{"id":{shown},"error":{quoted(code)},"message":{quoted(message)}}}'


def _lines(descriptor: int) -> Iterator[bytes]:
    begun = b""
    while data := os.read(descriptor, 1 << 16):
        *lines, begun = (begun + data).split(b"\n")
        yield from lines


def main() -> None:
    """Serve the adapter that the command line names, until stdin is closed."""
    # What the adapter prints must not stand between answers, nor before them.
    answers = os.dup(1)
    os.dup2(2, 1)
    server = Server(load(sys.argv[1])())
    for line in _lines(0):
        data = server.line(line).encode() + b"\n"
        while data:
            data = data[os.write(answers, data) :]


if __name__ == "__main__":
    main()
