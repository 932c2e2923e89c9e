"""How many examples a test asks of Hypothesis, where the usual hundred are too few or take too long."""

from __future__ import annotations

from hypothesis import settings


def examples(count: int) -> settings:
    """So many in every run, and at night as many times more as there are of every other test."""
    by_day, now = (settings.get_profile(name) for name in ("tests", settings.get_current_profile_name()))
    return settings(max_examples=count * now.max_examples // by_day.max_examples)
