"""
Shards on the TVM of npm's `@ton/sandbox`: a second machine for the same contract, in a process of Node.js.

The process is `sandbox.mjs`. What it runs are packages of npm, at pinned versions: each process has its
own copy, unpacked from archives whose digests were checked, in the folder that goes with it. So no copy
that somebody could have changed is ever used again, and no other folder is asked for a package.

Source: npm `@ton/sandbox`; `sandbox.mjs`; `harness/PROTOCOL.md`.
"""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Final

from ...errors import MissingPartError
from ...parts import PARTS, located, unpack
from ..process import ProcessAdapter, adapter_of
from .system import REASONS

#: What the sandbox loads, and nothing besides; a test says so.
PACKAGES: Final = tuple(
    PARTS[name]
    for name in (
        *("ton-sandbox", "ton-core", "ton-crypto", "ton-crypto-primitives"),
        *("ton-assembly", "ton-parser-runtime", "fflate", "jssha", "tweetnacl"),
    )
)

_HERE: Final = Path(__file__).parent


def sandboxed(name: str, *, remembers: bool) -> type[ProcessAdapter]:
    """The adapter called `name`. Raises `MissingPartError` without the packages, or without Node.js."""
    for part in PACKAGES:
        located(part)
    node = shutil.which("node")
    if node is None:
        raise MissingPartError(
            "Node.js is needed to run the sandbox of the TVM, and is not on this machine",
            help="install Node.js, version 18 or newer",
        )
    return adapter_of((node, str(_HERE / "sandbox.mjs")), furnish=partial(_furnish, name, remembers))


def _furnish(name: str, remembers: bool, folder: Path) -> None:
    """Everything that `sandbox.mjs` needs, in the folder of its process."""
    compiled = json.loads((_HERE / "shard.json").read_text())
    contract = {"name": name, "remembers": remembers, "code": compiled["code"], "reasons": REASONS}
    (folder / "contract.json").write_text(json.dumps(contract))
    for part in PACKAGES:
        unpack(part, folder / "node_modules" / part.package, (".cjs", ".js", ".json"))
