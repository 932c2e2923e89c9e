"""Whether what a test needs is on this machine: third-party parts, and libraries of extras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shardproof.errors import MissingPartError
from shardproof.parts import PARTS, located


@contextmanager
def skipped_where_missing(*, expected: bool = True) -> Iterator[None]:
    """
    What misses a part or a library in here is skipped, with the command that fetches it.

    Where nobody looks at what was skipped, missing what is `expected` there is a failure.
    """
    try:
        yield
    except MissingPartError as missing:
        if os.environ.get("CI") and expected:
            raise
        pytest.skip(str(missing))


def must_be_at_hand(*parts: str) -> None:
    """The third-party parts of these names, or a skipped test."""
    with skipped_where_missing():
        for part in parts:
            located(PARTS[part])
