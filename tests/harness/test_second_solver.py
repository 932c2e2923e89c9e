"""The second solver: what it confirms, what it does not know, and what happens when it disagrees."""

from __future__ import annotations

import pytest

from shardproof.engines.prove import prove, second
from shardproof.engines.prove.obligations import Obligation
from shardproof.engines.prove.second import (
    Confirmed,
    Opinion,
    SolversDisagreeError,
    ask,
    confirm,
    must_be_installed,
)
from shardproof.errors import UsageError
from shardproof.verdict import Verdict
from shardproof_models.language.terms import Bool, Variable
from shardproof_models.stacks import stack

TIMEOUT_MS = 20_000


def obligation(goal: Bool, *hypotheses: Bool) -> Obligation:
    """A question about propositions."""
    return Obligation("a claim", hypotheses, goal)


def test_a_theorem_is_confirmed() -> None:
    """What follows is unsatisfiable to deny."""
    p = Bool(Variable("p"))

    assert confirm([obligation(p | ~p)], timeout_ms=TIMEOUT_MS, progress=lambda _: None) == Confirmed(1)


def test_what_does_not_follow_is_a_disagreement() -> None:
    """That the first solver has proved what the second refutes ends the run, and names the obligation."""
    p = Bool(Variable("p"))

    with pytest.raises(SolversDisagreeError, match="a claim"):
        confirm([obligation(p)], timeout_ms=TIMEOUT_MS, progress=lambda _: None)


def test_an_unknown_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither counted as confirmed nor held against the proof."""
    monkeypatch.setattr(second, "ask", lambda *_: Opinion.UNKNOWN)
    p = Bool(Variable("p"))

    answer = confirm([obligation(p | ~p)], timeout_ms=TIMEOUT_MS, progress=lambda _: None)

    assert answer == Confirmed(0, ("a claim",))


def test_a_script_that_asks_nothing_is_unknown() -> None:
    """No answer is no confirmation."""
    assert ask("(set-logic ALL)", TIMEOUT_MS) is Opinion.UNKNOWN


@pytest.mark.parametrize("name", ["final", pytest.param("exactly-once-inbox", marks=pytest.mark.heavy)])
def test_every_obligation_of_a_small_stack_is_confirmed(name: str) -> None:
    """The whole way: proved, printed with the hypotheses that it took, read by another solver."""
    report = prove(stack(name), confirmed=True)

    assert report.verdict is Verdict.HOLDS
    assert report.work["unconfirmed"] == 0
    assert report.work["confirmed"] == report.work["obligations"] > 30


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A usage error, before anything is proved."""
    monkeypatch.setattr(second, "find_spec", lambda _: None)

    with pytest.raises(UsageError, match="not installed"):
        must_be_installed()
