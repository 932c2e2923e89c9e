"""
What `shardproof init` writes: files of this package, copied into the folder of a user.

A template is a folder that runs where it is, Python under the same lint and types as all else, and
a line in `TEMPLATES`. A file may import another one of its folder; where the copy stands, that one
is a neighbour, and `text` says so. Two templates may have a file in common but for a few words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

_FOLDER = Path(__file__).parent


@frozen
class Template:
    """One way to write an adapter."""

    name: str
    #: The files that are written, with what each is for.
    files: Mapping[str, str]
    #: What `--adapter` says to run it, from the folder where it was written.
    adapter: str
    #: The file that pytest runs.
    test: str
    #: The template that has those files which are not in the folder of this one.
    follows: str = ""
    #: What reads otherwise in a file of the template that this one follows.
    otherwise: Mapping[str, str] = field(factory=dict)

    def text(self, file: str) -> str:
        """What is written into one of the files. Raises `OSError` if this package is not whole."""
        own = _FOLDER / self.name / file
        if self.follows and not own.exists():
            text = (_FOLDER / self.follows / file).read_text(encoding="utf-8")
            for theirs, ours in self.otherwise.items():
                text = text.replace(theirs, ours)
        else:
            text = own.read_text(encoding="utf-8")
        # Where it is copied to, a neighbour is known by its own name and has a block of imports for
        # itself, and shardproof is one library among others.
        text = re.sub(
            r"^(import pytest|from hypothesis .*)\n\n(?=from shardproof)", r"\1\n", text, flags=re.MULTILINE
        )
        return text.replace(f"from shardproof.templates.{self.name}.", "\nfrom ")


TEMPLATES: Mapping[str, Template] = {
    template.name: template
    for template in (
        Template(
            "python",
            {
                "my_adapter.py": "the adapter: runs as it is, and says at each verb what to put in its place",
                "test_my_adapter.py": "its test, for your own suite",
            },
            "my_adapter:MyAdapter",
            "test_my_adapter.py",
        ),
        Template(
            "process",
            {
                "my_shard.py": "the process: runs as it is, and says at each verb what to put in its place",
                "test_my_shard.py": "its test, for your own suite",
            },
            "cmd:python my_shard.py",
            "test_my_shard.py",
        ),
        Template(
            "javascript",
            {
                "my_shard.mjs": "the process: runs as it is, and says at each verb what to put in its place",
                "shardproof.mjs": "the protocol that it speaks: nothing to change",
                "test_my_shard.py": "its test, for your own suite",
            },
            "cmd:node my_shard.mjs",
            "test_my_shard.py",
            follows="process",
            otherwise={
                "import sys\n": "",
                "cmd:{shlex.quote(sys.executable)} ": "cmd:node ",
                "my_shard.py')": "my_shard.mjs')",
            },
        ),
    )
}
