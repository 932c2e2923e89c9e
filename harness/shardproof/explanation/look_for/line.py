"""One line of the table: what to look for, and what has to have been observed."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from ..facts import Facts


@frozen
class Line:
    """One line of the table."""

    says: str
    #: What has to have been observed.
    where: Callable[[Facts], bool] = lambda _: True
