"""
Compiled contracts: out of published packages, and out of the folders that builds leave.

Hardhat and Foundry write each contract as JSON, Hardhat's plugin TypeChain as a JavaScript
factory with the interface and the creation code as two literals. All are read as text, so
that no JavaScript runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from ...errors import AdapterError, UsageError, nearest
from .interface import Interface

_ABI: Final = re.compile(r"^const _abi = (\[.*?^\]);", re.DOTALL | re.MULTILINE)
_CODE: Final = re.compile(r'^const _bytecode =\s*"0x([0-9a-fA-F]*)"', re.MULTILINE)
_KEY: Final = re.compile(r"^(\s*)(\w+):", re.MULTILINE)
_TRAILING_COMMA: Final = re.compile(r",(?=\s*[\]}])")


@frozen
class Artefact:
    """One compiled contract: what it understands, and the code that creates it."""

    interface: Interface = field(repr=False)
    code: bytes = field(repr=lambda code: f"<{len(code)} bytes>")


def from_typechain(text: str, name: str) -> Artefact:
    """The contract in a TypeChain factory, which is called `name` in errors."""
    abi, code = _ABI.search(text), _CODE.search(text)
    if abi is None or code is None:
        raise AdapterError(
            f"{name} is not a compiled contract that can be deployed",
            expected="a TypeChain factory with an interface and linked creation code",
            got="no interface" if abi is None else "no linked creation code",
        )
    literal = _TRAILING_COMMA.sub("", _KEY.sub(r'\1"\2":', abi[1]))
    try:
        return Artefact(Interface.of(json.loads(literal)), bytes.fromhex(code[1]))
    except ValueError as error:
        raise AdapterError(f"the interface or the code of {name} cannot be read", got=str(error)) from error


def from_json(text: str, name: str, libraries: Mapping[str, str] | None = None) -> Artefact:
    """
    The contract in a file of Hardhat, Foundry, Truffle or the compiler itself; `name` is for errors.

    `libraries` says of each library that it is to be linked with where that is deployed.
    """
    try:
        read = json.loads(text)
    except ValueError as error:
        raise AdapterError(f"{name} is not JSON", got=str(error)) from error
    code = _creation(read) if isinstance(read, dict) else None
    if code is None or not isinstance(read.get("abi"), list):
        raise AdapterError(
            f"{name} is not a compiled contract",
            expected='an "abi", and a "bytecode" as text or with an "object"',
            got=", ".join(list(read)[:8]) if isinstance(read, dict) else type(read).__name__,
        )
    digits = _linked(code.removeprefix("0x"), _links(read), libraries or {})
    if not re.fullmatch(r"[0-9a-fA-F]+", digits):
        raise AdapterError(
            f"{name} is not a compiled contract that can be deployed",
            expected="linked creation code",
            got="the place of a library that is not linked" if digits else "no code, as of an interface",
            help=f"say where they are: libraries={{{', '.join(f'{x!r}: address' for x in _links(read))}}}"
            if digits and _links(read)
            else None,
        )
    try:
        return Artefact(Interface.of(read["abi"]), bytes.fromhex(digits))
    except (ValueError, KeyError, TypeError) as error:
        raise AdapterError(
            f"the interface or the code of {name} cannot be read", got=f"{type(error).__name__}: {error}"
        ) from error


def _creation(read: dict[str, Any]) -> str | None:
    """The creation code: Hardhat has it as text, Foundry in an object, the compiler below `evm`."""
    code = read.get("bytecode", read.get("evm", {}).get("bytecode") if "evm" in read else None)
    code = code.get("object") if isinstance(code, dict) else code
    return code if isinstance(code, str) else None


def _links(read: Mapping[str, Any]) -> dict[str, list[int]]:
    """For each library, at which bytes of the creation code its address belongs."""
    code = read.get("bytecode")
    references = code.get("linkReferences") if isinstance(code, dict) else read.get("linkReferences")
    if not isinstance(references, dict):
        return {}
    return {
        library: [int(place["start"]) for place in places]
        for source in references.values()
        for library, places in source.items()
    }


def _linked(digits: str, links: Mapping[str, list[int]], libraries: Mapping[str, str]) -> str:
    for library, address in libraries.items():
        for start in links.get(library, ()):
            digits = digits[: 2 * start] + address.removeprefix("0x") + digits[2 * start + 40 :]
    return digits


def own(name: str) -> Artefact:
    """One of the contracts of this package, as they were compiled and committed: `adapters/contracts`."""
    path = Path(__file__).parents[1] / "contracts" / f"{name}.json"
    return from_json(path.read_text(encoding="utf-8"), path.name)


def built(folder: Path | str, contract: str, libraries: Mapping[str, str] | None = None) -> Artefact:
    """
    A contract by name out of a folder that a build has left: Foundry's `out`, or Hardhat's `artifacts`.

    `Source.sol:Name` where several sources have a contract of that name; `libraries` as in `from_json`.
    Raises `UsageError` where there is none or more than one, `AdapterError` where it cannot be deployed.
    """
    folder = Path(folder)
    source, _, name = contract.rpartition(":")
    found = {
        f"{path.parent.name}:{path.stem}": path
        for path in sorted(folder.rglob("*.json"))
        if path.parent.suffix == ".sol"
    }
    if not found:
        raise UsageError(
            f"no compiled contracts in {folder}",
            expected="Foundry's out, or Hardhat's artifacts: NAME.sol/NAME.json at any depth",
            help="run the build first: `forge build`, or `npx hardhat compile`",
        )
    named = [key for key in found if key.rpartition(":")[2] == name and source in ("", key.partition(":")[0])]
    if len(named) != 1:
        raise UsageError(
            f"{len(named) or 'no'} contracts called {contract!r} in {folder}",
            got=", ".join(named) or None,
            help=f"say which, as {named[0]!r}"
            if named
            else nearest(name, [key.rpartition(":")[2] for key in found]),
        )
    path = found[named[0]]
    return from_json(path.read_text(encoding="utf-8"), str(path), libraries)
