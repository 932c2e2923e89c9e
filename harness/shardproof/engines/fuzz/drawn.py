"""The numbers that decide runs, as Hypothesis draws them: what it likes to try comes with them."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st


def numbers_of_runs(seed: int, runs: int, size: int) -> list[list[int]]:
    """
    For each of so many runs `size` numbers of 64 bits.

    All at once: where a system runs between two draws, its code and data push Hypothesis out of the
    processor's cache, and a draw takes twice as long.
    """
    found: list[list[int]] = []
    # One draw of fixed size a run. Where an integer is drawn, Hypothesis now and then takes one that
    # stands in the source files of the project it finds itself in, and then a seed would mean
    # something else on another machine; bytes of this size stand in nobody's files.
    length = 8 * size

    @seeded(seed)
    @settings(
        max_examples=runs,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(st.binary(min_size=length, max_size=length))
    def draw(drawn: bytes) -> None:
        found.append([int.from_bytes(drawn[i : i + 8], "big") for i in range(0, length, 8)])

    draw()
    return found
