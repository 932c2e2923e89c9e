"""
Anvil behind the seam to a virtual machine: a process of its own for each chain, spoken to over loopback.

A second opinion on the first engine, and slower: each call is four requests. The process ends
when it is closed, when its engine is forgotten, and when this process ends in any way at all:
a shell waits for the end of its own input, which nobody else holds, and then kills it.

Blocks are mined one for each transaction that succeeds, so their numbers, as a transaction
sees them, count these; a call that only asks, and the clock, see what `chain` says.

Source: Foundry, `anvil`; the Ethereum JSON-RPC API, `eth_` and `evm_`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import weakref
from functools import cache
from typing import IO, Any, Final

from ...errors import AdapterError, MissingPartError, printable
from ...parts import PARTS, read
from .engine import BLOCK_SECONDS, GAS_LIMIT, GENESIS_TIME, Log, RevertError

_ARGUMENTS: Final = (
    *("--host", "127.0.0.1", "--port", "0"),
    *("--accounts", "0", "--auto-impersonate", "--hardfork", "cancun", "--no-mining"),
    *("--gas-limit", str(GAS_LIMIT), "--base-fee", "0", "--gas-price", "0"),
    *("--timestamp", str(GENESIS_TIME), "--disable-code-size-limit", "--no-cors"),
)

#: Kills what it has started once nobody holds its input any more.
_KEEPER: Final = '"$0" "$@" </dev/null & child=$!; cat >/dev/null; kill -9 $child'

_LISTENING: Final = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")

#: A start takes a tenth of a second; after so much, it has failed.
TIMEOUT_S: Final = 30.0

#: JSON-RPC, as anvil answers where a contract reverted: its output is beside the message.
_REVERTED: Final = 3

_FUNDS: Final = hex(10**24)


class AnvilEngine:
    """One anvil process, and one chain in it."""

    def __init__(self, chain_id: int) -> None:
        self._process, port = _started(chain_id)
        # Also when nobody closes it, and it is merely forgotten.
        self._end = weakref.finalize(self, _ended, self._process)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._funded: set[str] = set()
        self._logs: list[Log] = []
        # It would tell of each request, to a pipe that nobody empties.
        self._asked("anvil_setLoggingEnabled", False)
        self.begin(1, GENESIS_TIME + BLOCK_SECONDS)

    def deploy(self, sender: str, code: bytes) -> str:
        """Run creation code; the address of the new contract."""
        self._output({"from": sender, "data": _hex(code)})
        receipt = self._mined({"from": sender, "data": _hex(code)})
        address: str = receipt["contractAddress"]
        return address.lower()

    def call(self, sender: str, to: str, data: bytes, *, static: bool) -> bytes:
        """What the contract returns: asked first, so that a refusal is known in its own words."""
        request = {"from": sender, "to": to, "data": _hex(data)}
        output = self._output(request)
        if not static:
            self._logs = [
                Log(x["address"].lower(), tuple(_bytes(t) for t in x["topics"]), _bytes(x["data"]))
                for x in self._mined(request)["logs"]
            ]
        return output

    def logs(self) -> list[Log]:
        """What the last call logged, in order."""
        return self._logs

    def begin(self, block: int, time: int) -> None:
        """The calls that follow are in this block, at this time."""
        self._block, self._time = block, time

    def checkpoint(self) -> object:
        """A mark to undo to."""
        return self._asked("evm_snapshot")

    def undo(self, checkpoint: object) -> None:
        """The state as it was at the newest checkpoint."""
        if self._asked("evm_revert", checkpoint) is not True:
            raise AdapterError("anvil does not return to a checkpoint", got=repr(checkpoint))

    def release(self) -> None:
        """Anvil lets go of a checkpoint when it returns to an older one."""

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._end()

    # ---- inside -----------------------------------------------------------------------------

    def _output(self, request: dict[str, str]) -> bytes:
        at = {"number": hex(self._block), "time": hex(self._time)}
        return _bytes(self._asked("eth_call", {**request, "gas": hex(GAS_LIMIT)}, "latest", {}, at))

    def _mined(self, request: dict[str, str]) -> Any:
        sender = request["from"]
        if sender not in self._funded:
            self._asked("anvil_setBalance", sender, _FUNDS)
            self._funded.add(sender)
        paid = {**request, "gas": hex(GAS_LIMIT), "gasPrice": "0x0"}
        transaction = self._asked("eth_sendTransaction", paid)
        self._asked("evm_mine", {"timestamp": hex(self._time)})
        receipt = self._asked("eth_getTransactionReceipt", transaction)
        if receipt is None or receipt["status"] != "0x1":
            raise AdapterError(
                "anvil refused a transaction that it had said would succeed",
                got="no receipt" if receipt is None else f"status {receipt['status']}",
            )
        return receipt

    def _asked(self, method: str, *parameters: object) -> Any:
        asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        try:
            self._connection.request("POST", "/", asked, {"Content-Type": "application/json"})
            answer = json.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise AdapterError(
                f"anvil does not answer {method}",
                got=f"{type(error).__name__}: {error}",
                said=f"exit code {self._process.poll()}" if self._process.poll() is not None else None,
            ) from error
        if "error" not in answer:
            return answer["result"]
        failure = answer["error"]
        if failure.get("code") == _REVERTED:
            raise RevertError(_bytes(failure.get("data") or "0x"))
        message = printable(str(failure.get("message")), 200)
        if method in ("eth_call", "eth_sendTransaction"):
            # The chain does not take such a transaction at all, or the machine stopped.
            raise RevertError(halt=message.removeprefix("EVM error "))
        raise AdapterError(f"anvil refuses {method}", said=message)


def _started(chain_id: int) -> tuple[subprocess.Popen[bytes], int]:
    """A process in a group of its own, and the port that it has chosen."""
    program = _program()
    process = subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, f"/proc/self/fd/{program}", *_ARGUMENTS, "--chain-id", str(chain_id)],
        pass_fds=(program,),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None, "a pipe was asked for"
    said = b""
    for line in process.stdout:
        said += line
        if found := _LISTENING.search(line.decode(errors="replace")):
            return process, int(found[1])
    _ended(process)
    raise AdapterError("anvil does not start", said=said.decode(errors="replace")[-1_000:] or None)


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group, and wait, so that nothing of it is left."""
    # Where it has ended by itself, there is nobody to kill.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        _closed(pipe)


def _closed(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


@cache
def _program() -> int:
    """
    The program, in memory: what is kept on disk is the archive whose digest is checked.

    So nothing is left behind either, however this process ends. A file descriptor.
    """
    if sys.platform != "linux":
        raise MissingPartError("anvil is a program for Linux here", help="use the adapter without :anvil")
    descriptor = os.memfd_create("anvil")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(read(PARTS["anvil"], ("bin/anvil",))["bin/anvil"])
    return descriptor


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
