from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest

from shardproof.adapter import (
    CAPABILITIES,
    REQUIRED,
    Adapter,
    Delivery,
    Execution,
    Outcome,
    Path,
    Refused,
    Topology,
    capabilities,
)
from shardproof.adapters.reference import ReferenceAdapter, variant
from shardproof.attacks import NEEDS
from shardproof.commands.advice import advice, sharper
from shardproof.errors import AdapterError
from shardproof.rehearsal import Rehearsal, rehearse
from shardproof.selection import applicable


def rehearsed(make: Callable[[], Adapter]) -> Rehearsal:
    ticks = itertools.count()
    able = capabilities(make())
    verbs = (*REQUIRED, *(verb for verb in CAPABILITIES if verb in able))
    return rehearse(make, "x", verbs, lambda: next(ticks) * 1e-6)


class Counts(ReferenceAdapter):
    """What it says of a refusal depends on how many instances have refused."""

    count = itertools.count()

    def deliver(self, delivery: Delivery) -> Outcome:
        said = super().deliver(delivery)
        return Refused(f"refusal number {next(self.count)}") if isinstance(said, Refused) else said


class Remembers(ReferenceAdapter):
    """Its effects outlive `open`."""

    def __init__(self) -> None:
        self.old: dict[str, list[Execution]] = {}

    def open(self, topology: Topology) -> None:
        if hasattr(self, "_shards"):
            for shard in self._shards:
                self.old[shard] = [*super().executed(shard, 0), *self.old.get(shard, [])][:1]
        super().open(topology)

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [*super().executed(shard, 0), *self.old.get(shard, ())][since:]


class CountsOpenings(ReferenceAdapter):
    """Nothing is left but a number, in a reason."""

    openings = 0

    def open(self, topology: Topology) -> None:
        self.openings += 1
        super().open(topology)

    def deliver(self, delivery: Delivery) -> Outcome:
        said = super().deliver(delivery)
        return Refused(f"in run {self.openings}") if isinstance(said, Refused) else said


class ComesBackWrong(ReferenceAdapter):
    """Its snapshots are of its beginning, whenever they are taken."""

    def open(self, topology: Topology) -> None:
        self.topology = topology
        super().open(topology)

    def snapshot(self) -> object:
        return "the beginning"

    def restore(self, token: object) -> None:
        self.open(self.topology)


class TellsHowItRestarted(ReferenceAdapter):
    """A refusal that nobody hears."""

    def restart(self, shard: str) -> None:
        return Refused("not now")  # type: ignore[return-value]  # the point of the test


class TakesApartNonsense(ReferenceAdapter):
    """Evidence taken apart is a path."""

    def dissect(self, evidence: bytes) -> Path:
        return (0, 1, ())  # type: ignore[return-value]  # the point of the test


class ListsText(ReferenceAdapter):
    """Effects must be payloads."""

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [x.payload.decode() for x in super().executed(shard, since)]  # type: ignore[misc]  # the point


class RefusesToForge(ReferenceAdapter):
    """Anybody can write the bytes of a receipt: there is nothing to refuse."""

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        return Refused("we do not forge")  # type: ignore[return-value]  # the point of the test


class CannotTakeApart(ReferenceAdapter):
    """Raises where only the adversary asks."""

    def dissect(self, evidence: bytes) -> Path:
        raise KeyError("no such leaf")


class TestDriving:
    @pytest.mark.parametrize(
        "make",
        [ReferenceAdapter, variant("near"), pytest.param(variant("everything"), marks=pytest.mark.heavy)],
    )
    def test_asks_for_every_verb(self, make: Callable[[], Adapter]) -> None:
        """
        Whatever a system can do is done at least once, and a correct one keeps its contract.
        """
        seen = rehearsed(make)

        assert [verb for verb, asked in seen.verbs.items() if not asked.count] == []
        assert (seen.broken, seen.violated) == ({}, ())
        assert {"deterministic", "open", "answers"} <= seen.kept.keys()
        assert seen.calls_a_second > 0


class TestContract:
    @pytest.mark.parametrize(
        "make, what, said",
        [
            (Counts, "deterministic", "a new instance, asked the same, answers otherwise: call "),
            (Remembers, "open", "after it, executed still has 1 of the run before at "),
            (CountsOpenings, "open", "it leaves something of the run before: call "),
            (ComesBackWrong, "snapshot, restore", "after a return to the middle of a run"),
            (TellsHowItRestarted, "restart", "it should answer None, and answers refused, not now"),
        ],
    )
    def test_what_is_broken_is_said(self, make: type[Adapter], what: str, said: str) -> None:
        """
        Each breach that no single answer shows has its own name, and its own sentence.
        """
        seen = rehearsed(make)

        assert list(seen.broken) == [what]
        assert said in seen.broken[what]

    @pytest.mark.parametrize(
        "make, said",
        [
            (TakesApartNonsense, "answer to 'dissect' makes no sense"),
            (ListsText, "answer to 'executed' makes no sense"),
            (CannotTakeApart, "raised in 'dissect'"),
            (RefusesToForge, "answer to 'forge' makes no sense"),
        ],
    )
    def test_an_answer_that_is_none_ends_it(self, make: type[Adapter], said: str) -> None:
        """
        Nothing can be built on an answer of a wrong type, or on none, also where only an adversary asks.
        """
        with pytest.raises(AdapterError, match=said):
            rehearsed(make)


class TestAdvice:
    def test_is_what_the_harness_will_do_with_it(self) -> None:
        """
        With the verbs that are recommended, the sentences that are promised apply, and did not before.
        """
        able = frozenset({"restart"})
        before = {s.name for s in applicable(able) if not s.not_applicable}

        for one in advice(able):
            after = {s.name for s in applicable(able | {*one.verbs}) if not s.not_applicable}
            assert {s.name for s in one.opens} == after - before != set()

    def test_names_what_a_verb_rests_on(self) -> None:
        """
        A verb is recommended with those without which it could never be done: who carries value sends it.
        """
        best = advice(frozenset({"learn", "finalise", "revert"}))

        assert all("send" in one.verbs for one in best if "balance" in one.verbs)
        assert best[0].verbs == ("send", "deliver_failing", "balance")

    def test_a_light_client_comes_first(self) -> None:
        """
        Of a system that has the required verbs only, showing headers opens most for one verb.
        """
        assert advice(frozenset())[0].verbs == ("learn",)

    def test_of_attacks_is_what_the_adversary_will_try(self) -> None:
        """
        With the verbs that are recommended, the kinds that are promised can be tried, and could not before.
        """
        able = frozenset({"learn", "forge"})
        before = {kind for kind, needs in NEEDS.items() if {*needs} <= able}

        for one in sharper(able):
            after = {kind for kind, needs in NEEDS.items() if {*needs} <= able | {*one.verbs}}
            assert set(one.attacks) == after - before != set()
        assert sharper(able)[0].verbs == ("dissect", "assemble")

    def test_of_attacks_is_none_where_the_adversary_understands_all(self) -> None:
        """
        What only a verb of another kind would open is a matter of properties.
        """
        assert (
            sharper(frozenset({"forge", "dissect", "assemble", "assemble_multiproof", "leaf", "reenter"}))
            == ()
        )
