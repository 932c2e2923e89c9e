"""
A first look along random walks, and who is looked at where: quick, and never sure that nothing is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import pytest

from shardproof.commands import mutants as command
from shardproof.engines.mutants import Cascade, Effort, Fate, Judge, Row
from shardproof.engines.mutants.cascade import Place
from shardproof.readings.scopes import scope_of
from shardproof.readings.variants import VARIANTS
from shardproof.readings.walks import walk
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term
from shardproof_models.layers.exactly_once import Header
from shardproof_models.mistakes import Kind, generated
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property

pytestmark = pytest.mark.heavy

CORE = stack("core")


def glanced(properties: Iterable[Property], *names: str, protocol: Protocol = CORE) -> dict[str, Row]:
    asked = command.Asked(lambda: 0.0, 0, 60_000, None)
    solver = command._Solver(0, 60_000)
    judge = Judge(protocol, tuple(properties), asked.scopes, asked.walked, solver, asked.clock)
    mistakes = [m for m in generated(protocol) if not names or m.name in names]
    return {row.id: row for row in judge.rows(mistakes, Effort.GLANCE)}


class TestAlongWalks:
    def test_most_mistakes_are_noticed_and_none_of_the_harmless(self) -> None:
        """
        Every trace is confirmed by the plain reading; what makes no difference is proved to make none.
        """
        rows = glanced(properties_of(CORE))

        fates = [row.fate for row in rows.values()]
        assert fates.count(Fate.KILLED) >= 0.9 * (len(fates) - fates.count(Fate.EQUIVALENT))
        assert {name for name, row in rows.items() if row.fate is Fate.EQUIVALENT} == {
            "produce 'dropped' before 'already produced'",
            "finalise 'already final' before 'not produced'",
            "revert 'already final' before 'not produced'",
            "finalise without 'last_final(origin(h)) := h'",
        }
        assert {row.engine for row in rows.values() if row.fate is Fate.KILLED} == {"walks"}
        assert not any(row.shortest for row in rows.values())

    def test_a_walk_is_cut_down_to_what_shows_the_mistake(self) -> None:
        """
        No step can be left out.
        """
        name = "deliver without 'consumed'"

        row = glanced(properties_of(CORE), name)[name]

        assert row.property == "executes-at-most-once"
        assert row.steps is not None
        assert row.steps <= 12

    def test_without_the_property_nothing_is_noticed_and_nothing_is_claimed(self) -> None:
        """
        A walk that found nothing has shown nothing.
        """
        name = "deliver without 'wrong destination'"
        blind = [p for p in properties_of(CORE) if p.name == "executes-only-what-was-emitted"]

        assert glanced(properties_of(CORE), name)[name].fate is Fate.KILLED
        assert glanced(blind, name)[name].fate is Fate.UNDECIDED

    @pytest.mark.deep
    def test_an_action_that_was_able_to_change_something_must_stay_so(self) -> None:
        """
        An adversary that signs nothing is none; an upgrade to what was asked for before never did anything.
        """
        bridge = stack("bridge")
        forges, upgrades = names = (
            "forge_certificate without 'signatures(h, v) := quorum'",
            "upgrade without 'threshold(d) := quorum'",
        )

        rows = glanced(properties_of(bridge), *names, protocol=bridge)

        assert rows[forges].fate is Fate.KILLED
        assert rows[forges].property == "forge_certificate can change something"
        assert rows[upgrades].fate is Fate.EQUIVALENT

    @pytest.mark.deep
    def test_nothing_is_said_of_an_action_that_never_changed_anything(self) -> None:
        """
        Also where nobody can prove that it does not: here no invariant is known.
        """
        bridge = stack("bridge")
        name = "upgrade without 'threshold(d) := quorum'"
        unknown = [p for p in properties_of(bridge) if p.name == "executes-at-most-once"]
        read = [p for p in properties_of(bridge) if p.name == "knows-only-elected-validators"]

        assert glanced([*unknown, *read], name, protocol=bridge)[name].fate is Fate.UNDECIDED


class TestWalks:
    def test_do_hardly_anything_twice_and_refuse_what_is_refused(self) -> None:
        """
        Some walks do things twice, and none three times.
        """
        attempts = {"a": [*range(5)], "b": [*range(5, 9)]}

        taken = [list(walk(attempts, lambda i: i != 3, 100, Random(seed))) for seed in range(30)]

        assert all(3 not in steps for steps in taken)
        assert {len(steps) for steps in taken} == {8, 16}

    def test_some_put_off_for_long_what_could_be_done_at_once(self) -> None:
        """
        Else what is always possible would always come first, and nothing would be there for it to spoil.
        """
        attempts = {"spoil": [0], "work": [*range(1, 21)]}

        places = [list(walk(attempts, lambda _: True, 100, Random(seed))).index(0) for seed in range(200)]

        assert sum(place >= 20 for place in places) >= 10
        assert sum(place <= 1 for place in places) >= 10

    def test_a_seed_is_a_walk(self) -> None:
        """
        A report can be made again.
        """
        attempts = {"a": [*range(40)]}

        one, same, other = (list(walk(attempts, lambda _: True, 40, Random(seed))) for seed in (1, 1, 2))

        assert one == same != other


class TestImpostors:
    def test_the_last_block_of_each_chain_announces_somebody_made_up(self) -> None:
        """
        And a genesis never does.
        """
        bridge = stack("bridge")
        plain = scope_of(bridge, shards=2, receipts=1, headers=2)

        scope = VARIANTS["impostors"](bridge, plain)

        headers: type[Term] = Header
        announced = [scope.rigid["announces"](h) for h in scope.domain(headers)]
        genuine = [scope.rigid["genuine"](0, v) for v in announced]
        assert genuine == [True] * 4 + [False] * 2


class TestCascade:
    KEY = (Kind.CLAUSE, "a mistake")

    def cascade(self, *, trial: bool = True) -> Cascade:
        trials = {self.KEY: "a+b"} if trial else {}
        return Cascade({self.KEY: ("small", "large")}, trials, {"small": 1, "large": 2})

    def judged(self, cascade: Cascade, fates: Sequence[Fate]) -> list[Place]:
        places = []
        for fate in fates:
            batch = cascade.take()
            assert batch is not None
            places.append(batch.place)
            row = Row("a mistake", batch.place.protocol, Kind.CLAUSE, "x", fate, reason=fate.value, seconds=1)
            cascade.judged(batch, [row])
        assert cascade.take() is None
        return places

    def test_first_where_it_is_cheap_and_no_further_than_needed(self) -> None:
        """
        What was noticed in few layers was noticed.
        """
        cascade = self.cascade()

        assert self.judged(cascade, [Fate.KILLED]) == [Place("a+b", Effort.GLANCE)]
        (row,) = cascade.rows()
        assert (row.fate, row.subject) == (Fate.KILLED, "a+b")

    def test_what_is_none_is_none_in_every_stack(self) -> None:
        """
        A trial in fewer layers says nothing about stacks.
        """
        cascade = self.cascade()

        places = self.judged(cascade, [Fate.EQUIVALENT] * 3)

        assert [p.protocol for p in places] == ["a+b", "small", "large"]
        (row,) = cascade.rows()
        assert row.fate is Fate.EQUIVALENT
        assert row.reason == "equivalent; in each of the 2 stacks that have it"
        assert row.seconds == 3

    def test_none_here_and_noticed_there_is_a_mistake(self) -> None:
        """
        What one protocol has for nothing another one may need.
        """
        cascade = self.cascade(trial=False)

        self.judged(cascade, [Fate.EQUIVALENT, Fate.KILLED])

        (row,) = cascade.rows()
        assert (row.fate, row.subject) == (Fate.KILLED, "large")

    @pytest.mark.parametrize("trial", [True, False])
    def test_what_nobody_notices_is_searched_for_once_and_counts_as_what_it_is(self, *, trial: bool) -> None:
        """
        None in one stack, and unclear in another: unclear.
        """
        cascade = self.cascade(trial=trial)
        first = [Fate.UNDECIDED] if trial else []

        places = self.judged(cascade, [*first, Fate.EQUIVALENT, Fate.UNDECIDED, Fate.UNDECIDED])

        assert places[-1] == Place("a+b" if trial else "large", Effort.SEARCH)
        (row,) = cascade.rows()
        assert row.fate is Fate.UNDECIDED

    def test_a_lemma_is_not_searched_for(self) -> None:
        """
        A proof goes through without it or does not.
        """
        key = (Kind.LEMMA, "a lemma")
        cascade = Cascade({key: ("small",)})
        batch = cascade.take()
        assert batch is not None
        cascade.judged(batch, [Row("a lemma", "small", Kind.LEMMA, "x", Fate.SURVIVED)])

        assert cascade.take() is None
        assert next(cascade.rows()).fate is Fate.SURVIVED
