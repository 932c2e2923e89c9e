from __future__ import annotations

from pathlib import Path

import pytest

from sample_protocols.exercise import EXERCISE
from shardproof_models.language.whiteboard import write
from shardproof_models.stacks import STACKS, stack

GOLDEN = Path(__file__).parents[2] / "golden"


def test_the_core_protocol_on_a_whiteboard() -> None:
    """The whole composed protocol, as a person would write it; compared to the letter."""
    assert f"{write(stack('core'))}\n" == (GOLDEN / "whiteboard-core.txt").read_text()


@pytest.mark.parametrize("name", STACKS)
def test_every_clause_is_on_the_whiteboard(name: str) -> None:
    """With the refusal that it stands for, action by action."""
    protocol = stack(name)
    written = write(protocol)

    for action in protocol.actions:
        for clause in action.clauses:
            assert f"  requires {clause.condition}  else {clause.refusal}" in written


def test_symbols_of_each_kind_have_their_own_list() -> None:
    """With parameters, sorts and initial values; what is open has none."""
    lines = write(EXERCISE).splitlines()

    assert "  most: Amount" in lines
    assert "  count: Amount = -1" in lines
    assert "  held(p: Place): Amount = (1 if beside(p) = p else 0)" in lines
    assert "  last(t: Token): Place" in lines[lines.index("history (no guard reads it)") :]
    assert "  friends(p: Place, q: Place): Bool" in lines[: lines.index("state")]
