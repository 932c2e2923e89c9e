"""What the scripts in `ci` say of their stages: which passed, which did not and why; and how they exit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
LIMITS = """
[x]
seconds_max_in_all = 2

[x.seconds_max]
short = 1
long = 60
"""
#: A command that finds what it should, and fails where it is told to.
COMMAND = """#!/bin/sh
case "$0 $*" in
*"$BROKEN"*) exit 3 ;;
*:pushed*) exit 1 ;;
esac
"""
#: The same as a Python, which also answers what the scripts ask about themselves, and builds no wheel.
PYTHON = f"""{COMMAND}
case "$1 $2" in
"- /"*) ;;
-c\\ * | -\\ *) exec "{sys.executable}" "$@" ;;
esac
"""


def ran(script: str, **environment: str) -> tuple[int, str]:
    """The exit code of a script in bash, and its summary, with no seconds and no columns."""
    python = str(Path(sys.executable).parent)
    result = subprocess.run(
        ["bash", "-c", script, "a-script"],
        cwd=TOP,
        env={**os.environ, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, summary = result.stdout.partition("=== summary")
    return result.returncode, re.sub(r"(?<=\S) +", " ", re.sub(r"\b\d+ s\b", "N s", summary))


def staged(body: str, folder: Path) -> tuple[int, str]:
    """The same of stages with the limits above."""
    (folder / "limits.toml").write_text(LIMITS, "utf-8")
    begin = "set -euo pipefail; source ci/environment; source ci/stages; stages=x\n"
    end = "\ntrap 'conclude; exit \"$failed\"' EXIT\n"
    return ran(begin + end + body, BUDGETS=str(folder / "limits.toml"))


@pytest.mark.skipif(shutil.which("timeout") is None, reason="stages have no limits without coreutils")
def test_each_stage_has_a_line(tmp_path: Path) -> None:
    """
    What passed and what failed, each failure with its reason and its command; runs of one name are one stage.
    """
    code, summary = staged(
        """
        stage long 0 true
        stage "long wrong" 1 sh -c 'exit 1'
        stage "long wrong" 1 true seed 2
        stage "long killed" 0 sh -c 'kill -9 $$'
        stage "short slow" 0 sleep 60
        stage "short stubborn" 0 sh -c 'trap "" TERM; sleep 2; exit 7'
        skip "the rest" "there is nothing left"
        finished=yes
        """,
        tmp_path,
    )

    assert summary == (
        ", N s in all\n"
        "long N s passed\n"
        "long wrong N s FAILED (1 of 2 runs passed)\n"
        "    exit code 0 where 1 was expected: true seed 2\n"
        "long killed N s FAILED\n"
        "    killed by signal 9: sh -c kill\\ -9\\ \\$\\$\n"
        "short slow N s FAILED\n"
        "    stopped after N s (x.seconds_max.short in the budgets): sleep 60\n"
        "short stubborn N s FAILED\n"
        "    stopped after N s (x.seconds_max.short in the budgets): "
        'sh -c trap\\ \\"\\"\\ TERM\\;\\ sleep\\ 2\\;\\ exit\\ 7\n'
        "the rest skipped: there is nothing left\n"
        "a-script FAILED\n"
    )
    assert code == 1


@pytest.mark.parametrize(
    "how, said",
    [
        ("exit 0", []),
        ("stage unlimited 0 true", ["unlimited N s FAILED", "    cut short: true"]),
        (
            "trap 'exit 130' TERM; stage 'long one' 0 sh -c 'kill $0; exit 4' $$",
            ["long one N s FAILED", "    cut short: sh -c kill\\ \\$0\\;\\ exit\\ 4 PID"],
        ),
    ],
    ids=["it ends", "it has a mistake", "somebody stops it"],
)
def test_a_script_that_is_cut_short_says_so(how: str, said: list[str], tmp_path: Path) -> None:
    """
    What was not run, or not to its end, is no success.
    """
    code, summary = staged(f"stage long 0 true\n{how}\nstage long 0 true\nfinished=yes", tmp_path)

    assert re.sub(r"4 \d+$", "4 PID", summary, flags=re.MULTILINE).splitlines()[1:] == [
        "long N s passed",
        *said,
        "a-script was cut short, and the rest not run",
        "a-script FAILED",
    ]
    assert code == 1


def test_where_time_is_over_a_stage_is_not_run(tmp_path: Path) -> None:
    """
    Stages share what all of them have, and one for which nothing is left has failed.
    """
    code, summary = staged("ends=0\nstage long 0 true\nfinished=yes", tmp_path)

    assert summary.splitlines()[1:] == [
        "long N s FAILED",
        "    not run, for want of time (x.seconds_max_in_all in the budgets): true",
        "a-script FAILED",
    ]
    assert code == 1


def test_what_is_forgiven_is_said(tmp_path: Path) -> None:
    """
    A failure that does not count is in the summary all the same, and later ones do count.
    """
    forgiven = "stage long 0 false\nforgive\n"

    for rest, expected in (("", 0), ("stage 'long two' 0 false\n", 1)):
        code, summary = staged(f"{forgiven}{rest}finished=yes", tmp_path)

        assert "long N s FAILED\n" in summary
        assert code == expected


@pytest.mark.heavy
@pytest.mark.parametrize(
    "script, broken, failed",
    [
        ("nightly", "nothing", []),
        ("nightly", "shardproof mutants", ["mutants", "named"]),
        ("test", "nothing", []),
        ("test", "doctor", ["parts"]),
    ],
)
def test_every_stage_is_run_and_fails_its_script(
    script: str, broken: str, failed: list[str], tmp_path: Path
) -> None:
    """
    With commands that do nothing, and one that fails: that is said, all others ran, and the script fails.
    """
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("python", "shardproof", "ruff", "mypy", "coverage"):
        (tools / name).write_text(PYTHON if name == "python" else COMMAND, "utf-8")
        (tools / name).chmod(0o755)
    budgets = tomllib.loads((TOP / "ci" / "budgets.toml").read_text("utf-8"))
    stages = budgets["ci" if script == "test" else script]["seconds_max"]

    code, summary = ran(
        f"exec ci/{script}",
        VIRTUAL_ENV=str(tmp_path),
        BUDGETS="ci/rehearsal.toml",
        NIGHT="7",
        BROKEN=broken,
        CI="true",
    )

    lines = [line.split() for line in summary.splitlines() if re.search(r"\w N s (passed|FAILED)", line)]
    assert {name for name, *_ in lines} == {*stages}
    assert [name for name, *_, result in lines if result == "FAILED"] == failed
    assert f"ci/{script} {'FAILED' if failed else 'passed'}\n" in summary
    assert code == bool(failed)


def test_the_night_ends_before_it_is_ended() -> None:
    """
    The server that runs it gives it more time than it takes: there is a summary, and its findings are kept.
    """
    workflow = (TOP / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    (given_min,) = re.findall(r"\n  nightly:\n(?:    .*\n)*?    timeout-minutes: (\d+)\n", workflow)
    budgets = tomllib.loads((TOP / "ci" / "budgets.toml").read_text("utf-8"))

    assert budgets["nightly"]["seconds_max_in_all"] + 600 <= int(given_min) * 60
