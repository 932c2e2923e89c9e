"""Adapters are foreign code: each breach of contract has its own message, and nothing counts as holding."""

from __future__ import annotations

import asyncio
import itertools
import pathlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from shardproof.adapter import (
    ACCEPTED,
    PENDING,
    Adapter,
    Delivery,
    Execution,
    Outcome,
    Path,
    Refused,
    Topology,
)
from shardproof.adapters.faulty import FAULTS
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.commands.patience import patient
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.errors import EXIT_BROKE, AdapterError
from shardproof.loading import load
from shardproof.verdict import INTERRUPTED, Report, Verdict

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy


def run(make: Callable[[], Adapter], steps: int = 3_000) -> Report:
    """A short search."""
    ticks = itertools.count()
    return fuzz(make, "bad", Plan(1, steps=steps), clock=lambda: float(next(ticks)))


class Raises(ReferenceAdapter):
    """Raises where it should refuse."""

    def deliver(self, delivery: Delivery) -> Outcome:
        if len(delivery.evidence) < 10:
            raise ValueError("short evidence \x1b[31m")
        return super().deliver(delivery)


class TalksNonsense(ReferenceAdapter):
    """Answers with something that is no outcome."""

    def deliver(self, delivery: Delivery) -> Outcome:
        super().deliver(delivery)
        return True  # type: ignore[return-value]  # the point of the test


class EmitsNonsense(ReferenceAdapter):
    """A receipt must be bytes."""

    def emit(self, source: str, destination: str, payload: bytes) -> bytes:
        super().emit(source, destination, payload)
        return "receipt"  # type: ignore[return-value]  # the point of the test


class ShowsNonsense(ReferenceAdapter):
    """Effects must be payloads."""

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [x.payload.decode() for x in super().executed(shard, since)]  # type: ignore[misc]  # the point


class Forgets(Adapter):
    """Lacks most verbs."""

    def open(self, topology: object) -> None:
        pass

    def close(self) -> None:
        pass


class LeavesTheProgram(ReferenceAdapter):
    """Ends the process where it should refuse."""

    def deliver(self, delivery: Delivery) -> Outcome:
        sys.exit(0)


class CannotBeMade(ReferenceAdapter):
    """Fails before it starts."""

    def __init__(self) -> None:
        raise OSError("no database")


class Fickle(ReferenceAdapter):
    """Its answers depend on what other instances were asked before."""

    count = itertools.count()

    def deliver(self, delivery: Delivery) -> Outcome:
        if delivery.evidence and next(self.count) % 5 == 4:
            return Refused("not in the mood")
        return super().deliver(delivery)


class Counts(ReferenceAdapter):
    """What it says of a refusal depends on how often it has refused before, also other systems."""

    count = itertools.count()

    def deliver(self, delivery: Delivery) -> Outcome:
        said = super().deliver(delivery)
        return Refused(f"refusal number {next(self.count)}") if isinstance(said, Refused) else said


class NeverSettles(ReferenceAdapter):
    """Says later, and cannot be waited for."""

    def deliver(self, delivery: Delivery) -> Outcome:
        super().deliver(delivery)
        return PENDING


class Cancelled(ReferenceAdapter):
    """Raises what is no `Exception`, as a task does that was cancelled."""

    def deliver(self, delivery: Delivery) -> Outcome:
        raise asyncio.CancelledError


class LeavesWhenMade(ReferenceAdapter):
    """Ends the process with an exit code of its own, before there is anything to ask."""

    def __init__(self) -> None:
        sys.exit(0)


class FollowsANumber(ReferenceAdapter):
    """Has no name for its stack."""

    stack = 3  # type: ignore[assignment]  # the point of the test


class RestartsLater(ReferenceAdapter):
    """Begins something that nobody waits for, so no shard was ever restarted."""

    async def restart(self, shard: str) -> None:  # type: ignore[override]  # the point of the test
        super().restart(shard)


class RefusesToRestart(ReferenceAdapter):
    """Says no where nobody listens."""

    def restart(self, shard: str) -> None:
        return Refused("not now")  # type: ignore[return-value]  # the point of the test


class Rows(list[Execution]):
    """A list that is read from somewhere."""

    def __iter__(self) -> Iterator[Execution]:
        raise OSError("connection lost")


class ReadsLater(ReferenceAdapter):
    """Hands out what can no longer be read."""

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return Rows()


class AsksForAnother(ReferenceAdapter):
    """Has another instance that is none."""

    def another(self) -> Adapter | None:
        return 3  # type: ignore[return-value]  # the point of the test


class ForeseesNothing(ReferenceAdapter):
    """Breaks over a hint."""

    def foresee(self, verb: str, calls: Sequence[object]) -> None:
        raise RuntimeError("not foreseen")


class Opaque(bytes):
    """Bytes that cannot be compared."""

    __hash__ = None  # type: ignore[assignment]  # the point of the test

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("never compare these")


class HandsOutOpaque(ReferenceAdapter):
    """What it makes is bytes, and more."""

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        made = super().emit(source, destination, payload)
        return made if isinstance(made, Refused) else Opaque(made)


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(
    "make, said",
    [
        (Cancelled, "the adapter raised in 'deliver'"),
        (LeavesWhenMade, "the adapter cannot be constructed"),
        (FollowsANumber, "the adapter's 'stack' is not a text"),
        (RestartsLater, "the adapter's answer to 'restart' makes no sense"),
        (RefusesToRestart, "the adapter's answer to 'restart' makes no sense"),
        (ReadsLater, "the adapter's answer to 'executed' cannot be read"),
        (AsksForAnother, "the adapter's answer to 'another' makes no sense"),
        (ForeseesNothing, "the adapter raised in 'foresee'"),
        (Raises, "the adapter raised in 'deliver'"),
        (LeavesTheProgram, "the adapter raised in 'deliver'"),
        (TalksNonsense, "the adapter's answer to 'deliver' makes no sense"),
        (EmitsNonsense, "the adapter's answer to 'emit' makes no sense"),
        (ShowsNonsense, "the adapter's answer to 'executed' makes no sense"),
        (Forgets, "the adapter lacks the verb 'emit'"),
        (CannotBeMade, "the adapter cannot be constructed"),
        (Fickle, "the adapter is not deterministic"),
        (Counts, "the adapter is not deterministic"),
        (NeverSettles, "the adapter answers PENDING to 'deliver' but has no 'settle'"),
    ],
)
def test_each_breach_has_its_own_message(make: type[Adapter], said: str) -> None:
    """What broke, in the words of whoever wrote the adapter; never a traceback, never a verdict."""
    with pytest.raises(AdapterError) as error:
        run(make)

    assert said in str(error.value)
    assert error.value.exit_code == EXIT_BROKE
    assert "\x1b" not in str(error.value)


def test_bytes_of_a_class_of_ones_own_are_bytes() -> None:
    """Libraries derive from `bytes`; how two of them compare must not decide a verdict."""
    assert run(HandsOutOpaque, 8_000).verdict is Verdict.HOLDS


LACKING = """\
from shardproof.adapter import Adapter


class Mine(Adapter):
    def open(self, topology): pass
    def close(self): pass
"""


def test_a_class_without_a_required_verb_is_refused_when_it_is_loaded(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earliest moment to say so is before anything runs."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "lacking_verbs.py").write_text(LACKING, encoding="utf-8")

    with pytest.raises(AdapterError, match="lacks a required verb") as error:
        load("lacking_verbs:Mine")

    assert "emit, produce, prove, deliver, executed" in str(error.value)


class RefusesEverything(ReferenceAdapter):
    """Accepts no emit at all."""

    def emit(self, source: str, destination: str, payload: bytes) -> Refused:
        return Refused("closed")


def test_a_system_that_accepts_nothing_is_inconclusive() -> None:
    """Safety is cheap for a system that refuses everything."""
    report = run(RefusesEverything)

    assert report.verdict is Verdict.INCONCLUSIVE
    assert "no receipt could be emitted" in report.reasons[0]


class NeverReverts(ReferenceAdapter):
    """Has the verb, and refuses it every time."""

    def revert(self, shard: str, header: bytes) -> Outcome:
        return Refused("we do not do that")


def test_reorganisations_that_are_all_refused_are_inconclusive() -> None:
    """That nothing was restored wrongly says nothing where nothing was reverted."""
    report = run(NeverReverts, 12_000)

    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reasons == ("reverts-atomically was never exercised: give it more time",)


class Later(ReferenceAdapter):
    """An asynchronous system: what it is given it does when it is let come to rest."""

    def open(self, topology: Topology) -> None:
        super().open(topology)
        self.waiting: list[Delivery] = []

    def deliver(self, delivery: Delivery) -> Outcome:
        self.waiting.append(delivery)
        return PENDING

    def settle(self, shard: str) -> None:
        for delivery in self.waiting:
            super().deliver(delivery)
        self.waiting = []


def test_what_is_pending_is_judged_by_its_effects() -> None:
    """A claim of 'later' is neither yes nor no; what was executed once all came to rest is."""
    assert run(Later, 12_000).verdict is Verdict.HOLDS


class Liar(ReferenceAdapter):
    """Says that it accepted whatever it is shown, and does the right thing."""

    def deliver(self, delivery: Delivery) -> Outcome:
        super().deliver(delivery)
        return ACCEPTED


def test_a_silently_ignored_replay_is_no_violation() -> None:
    """Judge by effects: some systems answer a second delivery with success and do nothing."""
    assert run(Liar, 12_000).verdict is Verdict.HOLDS


class Hangs(ReferenceAdapter):
    """Never comes back from one verb, and holds on to what would stop it."""

    stubborn = True

    def deliver(self, delivery: Delivery) -> Outcome:
        while True:
            try:
                time.sleep(60)
            except AdapterError:
                if self.stubborn:
                    self.stubborn = False
                    continue
                raise

    def open(self, topology: Topology) -> None:
        super().open(topology)
        self.stubborn = True


def test_a_call_that_does_not_come_back_ends_the_run_and_names_the_verb() -> None:
    """Looked at once a second; an adapter that catches the first interruption is interrupted again."""
    with patient("bad:Hangs", 1), pytest.raises(AdapterError, match="did not come back from 'deliver'"):
        run(Hangs)

    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


class HangsWhenMade(ReferenceAdapter):
    """Waits for a database that is not there."""

    def __init__(self) -> None:
        time.sleep(60)


@pytest.mark.heavy
def test_an_adapter_that_is_never_made_ends_the_run() -> None:
    """Its constructor is foreign code like its verbs."""
    with patient("bad:HangsWhenMade", 1), pytest.raises(AdapterError, match="from 'its constructor'"):
        run(HangsWhenMade)


class TakesApartBadly(ReferenceAdapter):
    """Raises where only the adversary asks."""

    def dissect(self, evidence: bytes) -> Path:
        raise KeyError("no such leaf")


def test_what_only_the_adversary_asks_is_asked_with_care_too() -> None:
    """A verb that takes evidence apart may break like any other, and it is no bug of ours."""
    with pytest.raises(AdapterError, match="raised in 'dissect'"):
        run(TakesApartBadly)


class Ending(FAULTS["no-deduplication"].factory):  # type: ignore[misc]  # as found at run time
    """Executes twice, and after some time ends the search."""

    calls = 0
    how: BaseException = KeyboardInterrupt()

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        Ending.calls += 1
        if Ending.calls > 1_000:
            raise self.how
        evidence: bytes | Refused = super().prove(receipt, header)
        return evidence


class Breaking(Ending):
    """The same, and breaks."""

    how = OSError("connection lost")


class TestWhatWasFoundUntilThen:
    """A search that ends before its time has still found what it has found."""

    @pytest.fixture(autouse=True)
    def anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Ending, "calls", 0)

    def test_is_in_the_report_of_a_search_that_was_stopped(self) -> None:
        """Ctrl-C ends a search, and takes nothing away; what was not run is not said to hold."""
        report = run(Ending, 10**9)

        assert (report.verdict, report.reasons[0]) == (Verdict.VIOLATED, INTERRUPTED)
        assert [found.property for found in report.findings] == ["executes-at-most-once"]

    def test_comes_with_the_error_of_an_adapter_that_broke(self) -> None:
        """Nothing that it did counts as holding; that something was violated stays true."""
        with pytest.raises(AdapterError, match="raised in 'prove'") as error:
            run(Breaking, 10**9)

        assert [found.property for found in error.value.found] == ["executes-at-most-once"]

    def test_of_a_search_that_was_stopped_at_once_is_nothing(self) -> None:
        """And so is what holds."""
        Ending.calls = 1_000

        report = run(Ending, 10**9)

        assert (report.verdict, report.reasons[0]) == (Verdict.INCONCLUSIVE, INTERRUPTED)
