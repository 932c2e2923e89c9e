"""The first thing that people read is a recording, and stays one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from shardproof.cli import run

README = Path(__file__).parent.parent / "README.md"


def test_the_failing_run_on_the_first_screen_is_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block under the command in the comment is the finding, to the letter."""
    match = re.search(r"<!-- shardproof (.*) -->\n```text\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert match is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    code = run(shlex.split(match[1]))

    printed = capsys.readouterr().out
    assert code == 1
    assert match[2].strip() in printed
