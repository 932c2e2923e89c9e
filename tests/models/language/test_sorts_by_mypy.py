"""What `mypy --strict` says of terms with wrong sorts, before anything is run."""

from __future__ import annotations

import re
from pathlib import Path

from mypy import api

TOP = Path(__file__).parents[3]

#: Each line that is marked is a mistake in sorts, and no other line is.
SOURCE = """
from __future__ import annotations

from shardproof_models.language.actions import Parts, Refusal, add, assign, each, insert, require
from shardproof_models.language.protocol import Layer
from shardproof_models.language.terms import FALSE, Bool, Entity, Number
from shardproof_models.language.terms import exists, forall, implies, next_, number


class Shard(Entity): ...
class Receipt(Entity): ...
class Count(Number): ...
class Height(Number): ...


layer = Layer("layer")


@layer.state
def sent(m: Receipt) -> Bool:
    return FALSE


@layer.state
def runs(d: Shard, m: Receipt) -> Count:
    return number(0, Height)  # wrong


@layer.state
def tip(d: Shard) -> Height:
    return number(0, Height)


@layer.widens(sent)  # wrong
def another(m: Shard) -> Bool:
    return FALSE


@layer.action
def act(d: Shard, m: Receipt) -> Parts:
    yield require(sent(m) & (runs(d, m) < 2), Refusal("fine"))
    yield require(sent(d), Refusal("no"))  # wrong
    yield require(runs(m, d) < 2, Refusal("no"))  # wrong
    yield require(runs(d, m), Refusal("no"))  # wrong
    yield require(d == m, Refusal("no"))  # wrong
    yield require(runs(d, m) == tip(d), Refusal("no"))  # wrong
    yield require(runs(d, m) < tip(d), Refusal("no"))  # wrong
    yield require(tip(d) + runs(d, m) > 2, Refusal("no"))  # wrong
    yield require(implies(d, sent(m)), Refusal("no"))  # wrong
    yield require(forall(Shard, lambda x: sent(x)), Refusal("no"))  # wrong
    yield require(exists(Receipt, lambda w: runs(d, w)), Refusal("no"))  # wrong
    yield insert(sent(m))
    yield insert(runs(d, m))  # wrong
    yield add(runs(d, m), 1)
    yield add(sent(m), 1)  # wrong
    yield each(Receipt, lambda w: insert(sent(w), where=sent(m)))
    yield each(Receipt, lambda w: insert(sent(d)))  # wrong
    yield assign(runs(d, m), "two")  # wrong


after: Bool = next_(sent)  # wrong
"""


def test_mypy_finds_every_wrong_sort(tmp_path: Path) -> None:
    """On each marked line there is an error, and on no other."""
    file = tmp_path / "wrong_sorts.py"
    file.write_text(SOURCE)
    wrong = {i for i, line in enumerate(SOURCE.splitlines(), 1) if "# wrong" in line}

    out, err, _ = api.run(
        [
            "--strict",
            "--config-file",
            str(TOP / "pyproject.toml"),
            "--no-error-summary",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(file),
        ]
    )

    found = {int(match[1]) for match in re.finditer(r"wrong_sorts\.py:(\d+): error", out)}
    assert err == ""
    assert found == wrong, out
