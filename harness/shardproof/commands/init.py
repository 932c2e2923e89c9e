"""An adapter to begin with and its test, written into a folder, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from ..errors import UsageError, nearest
from ..templates import TEMPLATES, Template

#: Enough for a first verdict.
_SECONDS = 30


@frozen
class Written:
    """What was written where."""

    folder: Path
    template: Template

    @property
    def commands(self) -> tuple[str, ...]:
        """What to type next, from the folder where `init` was typed."""
        enter = "" if self.folder == Path() else f"cd {shlex.quote(str(self.folder))} && "
        adapter = shlex.quote(self.template.adapter)
        return (
            # So that Python finds the adapter beside its test, however pytest is set up.
            f"{enter}python -m pytest {self.template.test}",
            f"shardproof doctor --adapter {adapter}",
            f"shardproof check --adapter {adapter} --seconds {_SECONDS}",
        )


def init(folder: Path, template: str, *, force: bool) -> Written:
    """Write the files of a template. Raises `UsageError`, and then nothing was written."""
    if template not in TEMPLATES:
        raise UsageError(f"unknown template {template!r}", help=nearest(template, TEMPLATES))
    chosen = TEMPLATES[template]
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", help="name a folder, or one that is not there yet")
    there = [name for name in chosen.files if (folder / name).exists() or (folder / name).is_symlink()]
    if there and not force:
        raise UsageError(
            f"{' and '.join(str(folder / name) for name in there)} would be overwritten",
            expected="a folder without them",
            help="name another folder, or overwrite them with --force",
        )
    texts = {name: chosen.text(name) for name in chosen.files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written",
            got=error.strerror or str(error),
            help="name a folder where you may write",
        ) from error
    return Written(folder, chosen)


def as_text(written: Written) -> str:
    """What was written and what to type next; the last lines can be pasted."""
    files = {str(written.folder / name): why for name, why in written.template.files.items()}
    column = max(map(len, files))
    return "\n".join(
        [
            *(f"wrote  {name:<{column}}  {why}" for name, why in files.items()),
            "",
            "It runs as it is. Next:",
            "",
            *(f"  {command}" for command in written.commands),
            "",
            "Then put your system in the place of the stub, verb by verb, from the top.",
        ]
    )


def as_json(written: Written) -> Mapping[str, Any]:
    """The same for programs."""
    return {
        "exit_code": 0,
        "wrote": [str(written.folder / name) for name in written.template.files],
        "adapter": written.template.adapter,
        "next": list(written.commands),
    }
