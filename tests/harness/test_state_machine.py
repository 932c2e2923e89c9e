"""The same search as a rule-based state machine, in somebody's own suite."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from drawn import examples
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.loading import load
from shardproof.state_machine import ViolationError, state_machine

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

QUIET = settings(
    examples(60), stateful_step_count=40, suppress_health_check=list(HealthCheck), print_blob=False
)


class TestOfMyShards(state_machine(ReferenceAdapter).TestCase):  # type: ignore[misc]  # made at run time
    """As the documentation shows it: a right shard passes."""

    settings = settings(examples(30), stateful_step_count=40, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    "fault, broken",
    [
        ("no-deduplication", "executes-at-most-once"),
        ("null-root", "executes-only-what-was-emitted"),
        pytest.param("non-final-header", "trusts-only-final-headers", marks=pytest.mark.deep),
    ],
)
def test_a_fault_fails_with_an_exception_of_its_property(fault: str, broken: str) -> None:
    """One class a property: Hypothesis would merge two bugs that raise the same one."""
    machine = seed(1)(state_machine(load(f"faulty:{fault}")))

    with pytest.raises((ViolationError, ExceptionGroup)) as caught:
        run_state_machine_as_test(machine, settings=QUIET)

    error = caught.value
    found = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
    assert broken in {e.wrong.property for e in found if isinstance(e, ViolationError)}
    assert broken.replace("-", "_") in {type(e).__name__ for e in found}
