"""A contract at an address of a chain: ask it, or send it a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import field, frozen

from ...adapter import ACCEPTED, Outcome, Refused
from .artefacts import Artefact
from .chain import SENDER, Chain
from .engine import Log, RevertError
from .incremental_tree import IncrementalTree
from .interface import Event, Interface, decoded, encoded


class Events:
    """A view: the values of every event of one kind."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._values: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._values)

    def append(self, log: Log) -> None:
        """Take in one more."""
        self._values.append(self._event.decoded(log))

    def truncate(self, length: int) -> None:
        """Forget all but the first `length`."""
        del self._values[length:]

    def __getitem__(self, position: int) -> dict[str, Any]:
        return self._values[position]

    def after(self, since: int) -> list[dict[str, Any]]:
        """All but the first `since`."""
        return self._values[since:]


class LoggedTree(IncrementalTree):
    """A view: the tree of what was logged, one leaf an event."""

    def __init__(self, event: Event, leaf: Callable[[dict[str, Any]], bytes]) -> None:
        super().__init__()
        self._event = event
        self._leaf = leaf

    def append(self, log: Log) -> None:
        """Take in one more."""
        self.add(self._leaf(self._event.decoded(log)))


@frozen
class Contract:
    """A contract at an address of a chain."""

    chain: Chain = field(repr=False)
    address: str
    interface: Interface = field(repr=False)
    #: Its address as a word of 32 bytes, as messages between chains write it.
    word: bytes = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "word", bytes(12) + bytes.fromhex(self.address[2:]))

    @classmethod
    def deployed(cls, chain: Chain, artefact: Artefact, *arguments: object) -> Contract:
        """A new one."""
        code = artefact.code + encoded(artefact.interface.constructor, arguments)
        return cls(chain, chain.create(code), artefact.interface)

    def call(self, name: str, *arguments: object) -> Any:
        """Ask; one value, or a tuple of several. Raises `RevertError`."""
        function = self.interface.function(name)
        output = self.chain.call(self.address, function.selector + encoded(function.inputs, arguments))
        values = decoded(function.outputs, output)
        return values[0] if len(values) == 1 else values

    def send(self, name: str, *arguments: object, sender: str = SENDER) -> list[Log]:
        """Do; what was logged. Raises `RevertError`."""
        function = self.interface.function(name)
        data = function.selector + encoded(function.inputs, arguments)
        return self.chain.send(self.address, data, sender)

    def attempt(self, name: str, *arguments: object, sender: str = SENDER) -> Outcome:
        """Do, and say in the contract's own words why not."""
        try:
            self.send(name, *arguments, sender=sender)
        except RevertError as reverted:
            return Refused(self.interface.reason(reverted))
        return ACCEPTED

    def topic(self, event: str) -> bytes:
        """How logs name that event."""
        return self.interface.event(event).topic

    def logged(self, logs: Iterable[Log], event: str) -> list[dict[str, Any]]:
        """The values of each event of that kind which this contract has logged, in order."""
        kind = self.interface.event(event)
        return [kind.decoded(x) for x in logs if x.address == self.address and x.topics[:1] == (kind.topic,)]

    def watch(self, event: str) -> Events:
        """All events of that kind from now on, in step with the chain wherever it returns to."""
        events = Events(self.interface.event(event))
        self.chain.watch(self.address, self.topic(event), events)
        return events

    def tree(self, event: str, leaf: Callable[[dict[str, Any]], bytes]) -> LoggedTree:
        """The Merkle tree over all events of that kind from now on, with the leaf that each stands for."""
        tree = LoggedTree(self.interface.event(event), leaf)
        self.chain.watch(self.address, self.topic(event), tree)
        return tree
