"""What our own tests draw: the same examples by day, and at night others that its seed brings back."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from drawn import examples

HERE = Path(__file__)
TESTS = HERE.parent
#: Who may say how many examples there are, and by what they are drawn.
SAID_IN = {TESTS / "conftest.py", TESTS / "samples" / "drawn.py"}

NUMBERS = st.integers(0, 2**48)


class TestSubject:
    """Two tests that show what they draw; those below look at them, by day here and at night elsewhere."""

    @given(NUMBERS)
    def test_as_many_as_usual(self, number: int) -> None:
        """
        Nothing is said of how many.
        """
        print("usual", number)

    @examples(20)
    @given(NUMBERS)
    def test_few(self, number: int) -> None:
        """
        So many are said.
        """
        print("few", number)


def drawn(*flags: str) -> dict[str, list[str]]:
    """What the subject draws in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-rP", "-p", "no:cacheprovider", *flags]
    result = subprocess.run(
        [*command, f"{HERE}::TestSubject"], cwd=TESTS.parent, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return {kind: re.findall(rf"^{kind} (\d+)$", result.stdout, re.MULTILINE) for kind in ("usual", "few")}


@pytest.mark.heavy
def test_a_seed_of_the_night_brings_its_examples_back() -> None:
    """
    Ten times as many as by day, others with another seed, and the same in whichever process they are drawn.
    """
    first = drawn("--hypothesis-profile=nightly", "--hypothesis-seed=1", "-p", "no:xdist")
    again = drawn("--hypothesis-profile=nightly", "--hypothesis-seed=1", "--numprocesses=1")
    other = drawn("--hypothesis-profile=nightly", "--hypothesis-seed=2", "-p", "no:xdist")

    assert {kind: len(numbers) for kind, numbers in first.items()} == {"usual": 1_000, "few": 200}
    assert again == first
    assert all(first[kind] != other[kind] for kind in first)


def test_the_profile_is_the_one_that_is_asked_for(request: pytest.FixtureRequest) -> None:
    """
    That of the command line; where it names none, one by which every run draws the same.
    """
    profile = request.config.getoption("--hypothesis-profile") or "tests"

    assert settings.get_current_profile_name() == profile
    assert settings.default == settings.get_profile(profile)
    assert settings.get_profile("tests").derandomize
    assert settings.get_profile("tests").deadline is None
    assert not settings.get_profile("nightly").derandomize
    assert settings.get_profile("nightly").deadline is None
    assert settings.get_profile("nightly").print_blob


def test_what_is_loaded_chooses_no_example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    A module of ours with numbers in it, loaded or not: the same is drawn from the same seed.
    """

    def numbers() -> list[int]:
        found = []

        @seed(1)
        @settings(max_examples=200)
        @given(NUMBERS)
        def draw(number: int) -> None:
            found.append(number)

        draw()
        return found

    before = numbers()
    source = tmp_path / "of_ours.py"
    source.write_text("NUMBERS = [" + ", ".join(str(10**9 + 7 * n) for n in range(400)) + "]\n", "utf-8")
    module = types.ModuleType("of_ours")
    module.__file__ = str(source)
    monkeypatch.setitem(sys.modules, "of_ours", module)

    assert numbers() == before


def said(source: str) -> Iterator[int]:
    """Lines that say how many examples there are, or that what is drawn shall be the same every night."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg in ("max_examples", "derandomize"):
            yield node.value.lineno


def test_no_test_has_examples_of_its_own() -> None:
    """
    A number of examples that a test says is multiplied at night: it says so by `examples`.
    """
    places = {
        f"{path.relative_to(TESTS)}:{line}"
        for path in TESTS.rglob("*.py")
        if path not in SAID_IN and path != HERE
        for line in said(path.read_text("utf-8"))
    }

    assert places == set()
    assert [*said("@settings(max_examples=3)\ndef test(): ...")] == [1]
    assert [*said("QUIET = settings(deadline=None,\n derandomize=True)")] == [2]
