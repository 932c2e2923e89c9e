"""What a guide shows is what one gets who follows it."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from shardproof.cli import run

GUIDE = Path(__file__).parent.parent / "harness" / "guides" / "python.md"
TEXT = GUIDE.read_text("utf-8")

#: The files of the guide, by the name in their first line.
FILES = dict(re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
#: What is put in their place later, in this order.
MENDED, RESTARTED = re.findall(
    r"```python\n(        key = .*?|    def restart\(self, shard.*?)```", TEXT, re.DOTALL
)
STORIES = re.findall(r"<!-- shardproof (.*?) -->\n```text\n(.*?)```", TEXT, re.DOTALL)
LOSES = """        if said["number"] in self.seen:
            raise BadParcelError("seen before")
        self.seen.add(said["number"])
"""


def typed(
    command: str, files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """The exit code and the output of a command where these files are."""
    for name, text in files.items():
        Path(name).write_text(text)
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    code = run(shlex.split(command))
    return code, capsys.readouterr().out


@pytest.mark.heavy
def test_a_python_service_gets_the_verdicts_that_the_guide_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The service loses a parcel, and is mended; it forgets at a restart, which is then known; and holds.
    """
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    # Files that are written twice within a second must not be taken for the same.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (first, lost), (second, forgotten) = STORIES
    files = dict(FILES)

    code, out = typed(first, files, capsys, monkeypatch)
    assert (code, lost.strip() in out) == (1, True), out

    assert LOSES in files["parcels.py"]
    files["parcels.py"] = files["parcels.py"].replace(LOSES, MENDED)
    code, out = typed(first, files, capsys, monkeypatch)
    assert (code, out.splitlines()[0]) == (0, "fuzz      holds")

    files["my_adapter.py"] += "\n" + RESTARTED
    code, out = typed(second, files, capsys, monkeypatch)
    assert (code, forgotten.strip() in out) == (1, True), out

    code, out = typed(f"{second} --deviations known.toml", files, capsys, monkeypatch)
    assert (code, out.splitlines()[-1][:6]) == (0, "holds ")

    files["parcels.py"] = files["parcels.py"].replace("        self.seen = set()\n", "        pass\n")
    code, _ = typed(f"{second} --deviations known.toml", files, capsys, monkeypatch)
    assert code == 2
