"""What becomes of the judging of mistakes when somebody stops it."""

from __future__ import annotations

import io
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shardproof.commands import mutants
from shardproof.commands.context import Context
from shardproof.commands.workers import crew
from shardproof.engines.mutants import Fate, Row
from shardproof.progress import Progress
from shardproof.settings import Settings, resolve
from shardproof.verdict import INTERRUPTED, Verdict
from shardproof_models.mistakes import Kind

ROW = Row("an entry", "core", Kind.NAMED, "somewhere", Fate.KILLED)


def stopped_after(rows: int) -> mutants.Mutants:
    """The answer where somebody presses Ctrl-C once so many are judged."""

    def source(_: Settings, __: Context) -> Iterator[Row]:
        yield from [ROW] * rows
        raise KeyboardInterrupt

    context = Context(lambda: 0.0, Progress(io.StringIO(), live=False), lambda: 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutants, "SOURCES", (source,))
        return mutants.mutants(resolve({}, {}, Path("/")), context)


class TestAnswer:
    def test_has_what_was_judged_and_is_inconclusive(self) -> None:
        """
        Rows are facts; that there would be no survivor among the others nobody knows.
        """
        answer = stopped_after(2)

        assert (answer.verdict, answer.score.count(Fate.KILLED)) == (Verdict.INCONCLUSIVE, 2)
        assert mutants.as_json(answer)["interrupted"]
        assert (INTERRUPTED, "what was judged until then") in mutants.sections(answer)["inconclusive"]

    def test_where_nothing_was_judged_there_is_none(self) -> None:
        """
        Then it is said as by every command.
        """
        with pytest.raises(KeyboardInterrupt):
            stopped_after(0)


class TestWorkers:
    def test_end_with_the_command(self) -> None:
        """
        Whoever stops the command does not wait for what they are at.
        """
        workers = crew(2)
        workers.__enter__().submit(time.sleep, 20)

        assert not workers.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

        for child in multiprocessing.active_children():
            child.join(5)
        assert not multiprocessing.active_children()
