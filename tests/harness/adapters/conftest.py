"""What the tests of adapters share: third-party parts, without which a module is skipped."""

from __future__ import annotations

import pytest

from sample_systems.at_hand import must_be_at_hand


@pytest.fixture(scope="module", autouse=True)
def parts(request: pytest.FixtureRequest) -> None:
    """The parts that a module names: `pytestmark = pytest.mark.needs("nxtp")`."""
    for mark in request.node.iter_markers("needs"):
        must_be_at_hand(*mark.args)
