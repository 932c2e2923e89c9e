"""
The seam to a virtual machine, and pyrevm behind it.

An engine runs calls against one state and can undo to a checkpoint. It keeps nothing
else: blocks, history and snapshots that may be restored in any order are `chain`'s. So
little is asked that another virtual machine can stand in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Protocol

from attrs import field, frozen

from ...errors import AdapterError, printable
from .extras import revm

#: Enough for any call that we make, and far below what an endless loop would need to be noticed late.
GAS_LIMIT: Final = 100_000_000

#: Real time plays no part. Blocks start here, in November 2023, and come every twelve seconds.
GENESIS_TIME: Final = 1_700_000_000
BLOCK_SECONDS: Final = 12

#: How much of an exception's text is looked at: pyrevm can put a whole state into one.
_TEXT_MAX: Final = 4_096

_REVERT: Final = re.compile(r"Revert \{.*?output: 0x([0-9a-f]*)", re.DOTALL)
_HALT: Final = re.compile(r"Halt \{ reason: (\w+(?:\([^)]*\))?)")


class RevertError(Exception):
    """A call had no effect: the contract refused, and its output says why, or it was stopped by `halt`."""

    def __init__(self, output: bytes = b"", halt: str = "") -> None:
        super().__init__(halt or output[:100].hex())
        self.output = output
        self.halt = halt


@frozen
class Log:
    """An event that a contract has logged."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes = field(repr=lambda data: f"<{len(data)} bytes>")


class Engine(Protocol):
    """One state of one chain, changed by calls. Addresses are `0x` and 40 lower-case digits."""

    def deploy(self, sender: str, code: bytes) -> str:
        """Run creation code; the address of the new contract."""

    def call(self, sender: str, to: str, data: bytes, *, static: bool) -> bytes:
        """What the contract returns. Raises `RevertError`, and then nothing has changed."""

    def logs(self) -> list[Log]:
        """What the last call logged, in order."""

    def begin(self, block: int, time: int) -> None:
        """The calls that follow are in this block, at this time in seconds since 1970."""

    def checkpoint(self) -> object:
        """A mark to undo to. Marks nest: they are undone or released newest first, each once."""

    def undo(self, checkpoint: object) -> None:
        """The state as it was at the newest checkpoint, which is then gone."""

    def release(self) -> None:
        """Forget the newest checkpoint and keep the state."""

    def close(self) -> None:
        """Let go of what the machine holds besides memory. May be called twice."""


class PyrevmEngine:
    """
    revm in process, through pyrevm.

    What it takes to use it safely: it undoes the changes to a state but keeps what it has
    loaded, so it grows with every call and is best replaced now and then; undoing a
    checkpoint that is not the newest goes wrong in silence; and transient storage, which
    the machine clears after each transaction, survives from call to call.
    """

    def __init__(self, chain_id: int) -> None:
        machine = revm()
        env = machine.Env(cfg=machine.CfgEnv(chain_id=chain_id))
        self._evm: Any = machine.EVM(env=env, gas_limit=GAS_LIMIT, spec_id="CANCUN")
        self.begin(1, GENESIS_TIME + BLOCK_SECONDS)

    def deploy(self, sender: str, code: bytes) -> str:
        address: str = self._run(lambda: self._evm.deploy(sender, code))
        return address.lower()

    def call(self, sender: str, to: str, data: bytes, *, static: bool) -> bytes:
        self._evm.reset_transient_storage()
        try:
            output: bytes = self._evm.message_call(sender, to, calldata=data, is_static=static)
        except Exception as error:
            raise _translated(error) from None
        return output

    def logs(self) -> list[Log]:
        # `topics` has them as text; beside the data they are bytes.
        found = ((log.address, *log.data) for log in self._evm.result.logs)
        return [Log(address.lower(), tuple(topics), data) for address, topics, data in found]

    def begin(self, block: int, time: int) -> None:
        self._evm.set_block_env(revm().BlockEnv(number=block, timestamp=time, gas_limit=GAS_LIMIT))

    def checkpoint(self) -> object:
        mark: object = self._evm.snapshot()
        return mark

    def undo(self, checkpoint: object) -> None:
        self._run(lambda: self._evm.revert(checkpoint))

    def release(self) -> None:
        self._run(self._evm.commit)

    def close(self) -> None:
        pass

    def _run(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except Exception as error:
            raise _translated(error) from None


EngineFactory = Callable[[int], Engine]


def _translated(error: Exception) -> Exception:
    text = str(error)[:_TEXT_MAX]
    if reverted := _REVERT.match(text):
        digits = reverted[1]
        return RevertError(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    if halted := _HALT.match(text):
        return RevertError(halt=halted[1])
    if "Transaction(" in text:
        # The chain does not take such a transaction at all, for instance because it is too large.
        return RevertError(halt=printable(text, 200))
    return AdapterError("the virtual machine failed", said=f"{type(error).__name__}: {printable(text, 400)}")
