"""Solidity's compiler: asked once for the same question, and what it says when it cannot answer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from shardproof.adapters.evm import compiler
from shardproof.adapters.evm.compiler import compiled
from shardproof.errors import AdapterError, MissingPartError
from shardproof.parts import PARTS, located

pytestmark = pytest.mark.needs("solc")

TWO = "library Two { function two() internal pure returns (uint) { return 2; } }"
SOURCES = {
    "One.sol": 'pragma solidity ^0.8.0; import "lib/Two.sol"; contract One { uint public two = Two.two(); }',
    "lib/Two.sol": f"pragma solidity ^0.8.0; {TWO}",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that has the compiler alone."""
    archive = located(PARTS["solc"])
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / archive.name).symlink_to(archive)
    monkeypatch.setenv("SHARDPROOF_CACHE", str(tmp_path))
    return tmp_path


def test_compiles_once_and_again_where_what_was_kept_is_damaged(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another source is another question; the same one is answered by the cache, unless it is nonsense."""
    asked: list[str] = []
    answer = compiler._answer

    def counted(question: str) -> dict[str, Any]:
        asked.append(question)
        return answer(question)

    monkeypatch.setattr(compiler, "_answer", counted)

    first = compiled(SOURCES, "One.sol", "One")
    again = compiled(SOURCES, "One.sol", "One")
    (kept,) = (cache / "compiled").iterdir()
    kept.write_text("{", encoding="utf-8")
    anew = compiled(SOURCES, "One.sol", "One")

    assert first == again == anew
    assert "two" in first.interface.functions
    assert len(asked) == 2


def test_says_what_does_not_compile() -> None:
    """The compiler's own words."""
    with pytest.raises(AdapterError, match=r"One\.sol does not compile") as caught:
        compiled({"One.sol": SOURCES["One.sol"]}, "One.sol", "One")

    assert "lib/Two.sol" in dict(caught.value.facts)["said"]


def test_needs_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Node.js nothing is compiled, and the message says what to install."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    with pytest.raises(MissingPartError, match=r"Node\.js is needed"):
        compiled(SOURCES, "One.sol", "One")


def test_tells_a_compiler_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no answer is an error, with what was said instead."""
    monkeypatch.setattr(compiler, "_DRIVER", "console.error('out of memory'); process.exit(7)")

    with pytest.raises(AdapterError, match="the compiler failed") as caught:
        compiled(SOURCES, "One.sol", "One")

    assert dict(caught.value.facts)["got"] == "exit code 7"
    assert "out of memory" in dict(caught.value.facts)["said"]


def test_does_without_a_cache_that_cannot_be_written(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it compiles each time, and says nothing."""
    (cache / "compiled").write_text("a file where a folder should be", encoding="utf-8")
    one = {"abi": [], "evm": {"bytecode": {"object": "60"}}}
    monkeypatch.setattr(compiler, "_answer", lambda _question: {"contracts": {"One.sol": {"One": one}}})

    assert compiled(SOURCES, "One.sol", "One").code == b"\x60"
