"""
The obligations as files, for any solver that reads SMT-LIB 2: each says `unsat` if it holds.

Names of files and symbols depend on the protocol only, so two certificates can be compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import z3

from shardproof_models.language.protocol import Protocol

from ...errors import UsageError
from ...readings.smt import Unbounded
from .obligations import Obligation

#: The version of the manifest.
FORMAT = "shardproof-certificate/1"


def write(directory: Path, protocol: Protocol, obligations: tuple[Obligation, ...]) -> None:
    """One file for each obligation, and `manifest.json`. Raises `UsageError` where it cannot write."""
    entries = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for number, obligation in enumerate(obligations):
            text = script(obligation)
            name = f"{number:04}-{re.sub('[^a-z0-9]+', '-', obligation.name.lower()).strip('-')}.smt2"
            (directory / name).write_text(text, encoding="utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            entries.append(
                {"obligation": obligation.name, "file": name, "expected": "unsat", "sha256": digest}
            )
        manifest = {
            "format": FORMAT,
            "protocol": protocol.name,
            "layers": [layer.name for layer in protocol.layers],
            "obligations": entries,
        }
        (directory / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "the certificate cannot be written", got=str(error), help="name a folder that can be written"
        ) from error


def script(obligation: Obligation) -> str:
    """The question whether the hypotheses can hold and the goal fail."""
    say = Unbounded()
    solver = z3.SimpleSolver()
    solver.add(*map(say, (*obligation.hypotheses, obligation.guard)), z3.Not(say(obligation.goal)))
    return f"; {obligation.name}\n(set-logic ALL)\n{solver.to_smt2()}"
