"""
One test for each property: what a system does, held against what must be true.

Run it with `pytest --pyargs shardproof.conformance --shard-adapter NAME`. All tests of a
system share one search; see `pytest_plugin` for what makes one pass, fail or skip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from shardproof.pytest_plugin import Case


def test_keeps(shard_case: Case, request: pytest.FixtureRequest) -> None:
    """
    The property holds of the system, as far as the search has looked.
    """
    shard_case.judge(request.node)
