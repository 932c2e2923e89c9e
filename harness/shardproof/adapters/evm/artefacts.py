"""
Compiled contracts out of published packages.

Hardhat projects publish each contract as a TypeChain factory: a JavaScript file with the
interface and the creation code as two literals. Both are read as text, so that no
JavaScript runs.
"""

from __future__ import annotations

import json
import re
from typing import Final

from attrs import field, frozen

from ...errors import AdapterError
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
