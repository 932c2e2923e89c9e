"""What tests of all rooms share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

# The same examples on every machine, however slow: neither a seed nor a clock decides what a test says.
settings.register_profile(
    "tests", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
# Others every night, and ten times as many: `ci/nightly` names this profile on the command line, and a seed.
settings.register_profile(
    "nightly", settings.get_profile("tests"), derandomize=False, max_examples=1_000, print_blob=True
)
settings.load_profile("tests")

# Nor does what ran before. Now and then Hypothesis draws what stands in the source of a module of ours that
# happens to be loaded; kept from looking, it draws the same from a seed in whatever company a test runs.
providers._get_local_constants = lambda: providers._local_constants

# Where our own tests run is no business of the commands that they try: these have to say the same anywhere.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
    os.environ.pop(_name, None)

#: A document, the mark behind which its generated part stands, the mark before which it ends, and what it is.
Documented = Callable[[Path, str, str, str], None]


@pytest.fixture
def documented() -> Documented:
    """Compares a part of a document with what it is made of; with UPDATE_GOLDEN=1, rewrites it."""

    def compare(document: Path, begin: str, end: str, part: str) -> None:
        text, wanted = document.read_text("utf-8"), f"{begin}\n{part}\n{end}"
        if os.environ.get("UPDATE_GOLDEN") == "1":
            text = re.sub(re.escape(begin) + ".*" + re.escape(end), lambda _: wanted, text, flags=re.DOTALL)
            document.write_text(text, "utf-8")
        assert wanted in text, f"{document.name} is stale; look at it, then run with UPDATE_GOLDEN=1"

    return compare
