"""
Solidity's own compiler, for what must be compiled together with somebody else's source.

A library whose functions are all internal has no bytecode of its own: it becomes part of
what uses it. So that nothing of it is ever committed, such a contract is compiled where it
is needed, by the compiler that npm has as JavaScript, and kept in the user's cache under a
digest of all that it was made of.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...errors import AdapterError, MissingPartError
from ...parts import PARTS, cache_folder, read
from .artefacts import Artefact, from_json

#: The newest instructions that every engine here knows; optimised, as contracts are deployed.
_SETTINGS: Final[Mapping[str, Any]] = {
    "evmVersion": "cancun",
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"appendCBOR": False},
    "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
}

_DRIVER: Final = """
const solc = require(process.argv[1]);
const compile = solc.cwrap("solidity_compile", "string", ["string", "number", "number"]);
process.stdout.write(compile(require("fs").readFileSync(0, "utf8"), 0, 0));
"""

TIMEOUT_S: Final = 120.0


def compiled(sources: Mapping[str, str], source: str, name: str) -> Artefact:
    """
    Contract `name` of the file `source`, compiled with all of `sources`, or as it was before.

    Raises `MissingPartError` without the compiler or Node.js, `AdapterError` where it does not compile.
    """
    part = PARTS["solc"]
    asked = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sorted(sources.items())},
        "settings": _SETTINGS,
    }
    question = json.dumps(asked, sort_keys=True)
    digest = hashlib.sha256(f"{part.integrity}\n{source}:{name}\n{question}".encode()).hexdigest()
    path = cache_folder() / "compiled" / f"{name}-{digest[:32]}.json"
    try:
        return from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError, AdapterError):
        # Not there yet, or damaged: made anew.
        pass
    contract = _contract(_answer(question), source, name)
    _keep(path, json.dumps(contract))
    return from_json(json.dumps(contract), f"{source}:{name}")


def _answer(question: str) -> dict[str, Any]:
    node = shutil.which("node")
    part = PARTS["solc"]
    if node is None:
        raise MissingPartError(
            "Node.js is needed to compile contracts, and is not on this machine",
            help="install Node.js, which runs Solidity's compiler as npm has it",
        )
    with tempfile.TemporaryDirectory(prefix="shardproof-solc-") as folder:
        program = Path(folder) / "soljson.js"
        program.write_bytes(read(part, ("soljson.js",))["soljson.js"])
        try:
            done = subprocess.run(
                [node, "-e", _DRIVER, str(program)],
                input=question.encode(),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AdapterError(f"the compiler did not answer within {TIMEOUT_S:g} s") from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise AdapterError(
            "the compiler failed",
            expected="exit code 0 and JSON",
            got=f"exit code {done.returncode}",
            said=done.stderr.decode(errors="replace")[-1_000:] or None,
        ) from error
    return answer


def _contract(answer: Mapping[str, Any], source: str, name: str) -> dict[str, Any]:
    errors = [e["formattedMessage"] for e in answer.get("errors", ()) if e["severity"] == "error"]
    if errors:
        raise AdapterError(f"{source} does not compile", said="\n".join(errors)[:1_000])
    contract: dict[str, Any] = answer["contracts"][source][name]
    return contract


def _keep(path: Path, text: str) -> None:
    """In one step, because several processes may compile the same; a cache that cannot be written is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, written = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(written).replace(path)
    except OSError:
        return
