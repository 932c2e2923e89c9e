"""A contract at an address of a chain: ask it, or send it a transaction."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from .artefacts import Artefact
from .chain import Chain
from .engine import Log
from .interface import Interface, decoded, encoded


@frozen
class Contract:
    """A contract at an address of a chain."""

    chain: Chain = field(repr=False)
    address: str
    interface: Interface = field(repr=False)

    @classmethod
    def deployed(cls, chain: Chain, artefact: Artefact, *arguments: object) -> Contract:
        """A new one."""
        code = artefact.code + encoded(artefact.interface.constructor, arguments)
        return cls(chain, chain.create(code), artefact.interface)

    @property
    def word(self) -> bytes:
        """Its address as a word of 32 bytes, as messages between chains write it."""
        return bytes(12) + bytes.fromhex(self.address[2:])

    def call(self, name: str, *arguments: object) -> Any:
        """Ask; one value, or a tuple of several. Raises `RevertError`."""
        function = self.interface.function(name)
        output = self.chain.call(self.address, function.selector + encoded(function.inputs, arguments))
        values = decoded(function.outputs, output)
        return values[0] if len(values) == 1 else values

    def send(self, name: str, *arguments: object) -> list[Log]:
        """Do; what was logged. Raises `RevertError`."""
        function = self.interface.function(name)
        return self.chain.send(self.address, function.selector + encoded(function.inputs, arguments))

    def topic(self, event: str) -> bytes:
        """How logs name that event."""
        return self.interface.topics[event]
