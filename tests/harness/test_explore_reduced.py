"""
What a search leaves out changes neither its verdict nor the length of what it finds.

The searches that leave nothing out are the judge here: everything is searched twice. How much is left
is known for the benchmark protocol: what is invisible there are the forged copies and the clients that
nobody asks, and what is symmetric are receipts of one shard, and rings of shards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, field, frozen

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.engines.explore import Reductions, Way, explore
from shardproof.errors import DisagreementError
from shardproof.readings.native import packing, reduction, slicing, symmetry
from shardproof.readings.native.compiler import CompilerError
from shardproof.readings.native.kernel import program_of
from shardproof.readings.native.program import Sentences
from shardproof.readings.native.reduction import Reduced
from shardproof.readings.native.slicing import Cone
from shardproof.readings.scope import Scope
from shardproof.readings.scopes import scope_of
from shardproof.verdict import Report, Verdict
from shardproof_models.language.actions import Parts, Refusal, add, assign, require
from shardproof_models.language.protocol import Layer, Protocol, compose
from shardproof_models.language.terms import (
    Bool,
    Entity,
    Number,
    Symbol,
    equal,
    exists,
    forall,
    ite,
    next_,
    number,
    rebuild,
)
from shardproof_models.mistakes import dropped_clauses
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Catalogue, Property, Role

WORLDS = 10**7


def of_the_benchmark(
    mutant: int = 0, size: tuple[int, int, int] = (2, 3, 2), reductions: Reductions | bool = True, **how: Any
) -> Report:
    protocol, properties = benchmark(mutant)
    chosen = how.pop("properties", properties)
    how = {"worlds_max": WORLDS, "way": Way.KERNEL, **how}
    return explore(protocol, benchmark_scope(*size), properties=chosen, reductions=reductions, **how)


def both(protocol: Protocol, scope: Scope, **how: Any) -> tuple[Report, Report]:
    """The search that leaves nothing out, and the one that does."""
    how = {"worlds_max": WORLDS, **how}
    return explore(protocol, scope, **how), explore(protocol, scope, way=Way.KERNEL, reductions=True, **how)


def said(report: Report) -> tuple[object, ...]:
    """What must not depend on what is left out."""
    return (
        report.verdict,
        report.reasons,
        report.properties,
        [len(f.trace.steps) for f in report.findings],
    )


class TestWhatIsLeft:
    @pytest.mark.parametrize(
        "reductions, size, worlds, transitions",
        [
            (Reductions(symmetry=False), (2, 4, 1), 10_816, 70_512),
            (Reductions(slicing=False), (2, 4, 1), 23_436, 249_550),
            (Reductions(), (2, 4, 1), 1_596, 10_317),
            (Reductions(), (3, 4, 2), 13_431, 112_673),
        ],
    )
    def test_few_worlds_stand_for_many(
        self, reductions: Reductions, size: tuple[int, int, int], worlds: int, transitions: int
    ) -> None:
        """Of 173,056, and of 3,481,600; with slicing alone, exactly a sixteenth of the first."""
        report = of_the_benchmark(size=size, reductions=reductions)

        assert report.verdict is Verdict.HOLDS
        assert (report.work["worlds"], report.work["transitions"]) == (worlds, transitions)

    def test_what_was_left_out_is_said(self) -> None:
        """And no clause is said to have been counted, or not to have been exercised."""
        report = of_the_benchmark(size=(2, 4, 1))

        assert report.checked == (
            "every trace of benchmark with 2 shards, 4 receipts and 1 copies in flight "
            "(1,596 worlds, 10,317 transitions up to renaming and what no property sees, depth 22)"
        )
        assert dict(report.tables)["what was left out"] == (
            ("cells that a property sees", "20 of 26"),
            ("attempts that may change one", "22 of 42"),
            ("actions that change none", "forge, drop_forged, deliver_forged"),
            ("worlds that one stands for", "up to 8, which differ by names"),
            ("what each clause did", "is not counted in a search that leaves something out"),
        )
        assert "clauses" not in report.tables
        assert report.never_exercised == {}

    def test_several_threads_and_less_memory_answer_alike(self) -> None:
        """As they do where nothing is left out."""
        assert of_the_benchmark(threads=3) == of_the_benchmark()
        assert of_the_benchmark(1, threads=3) == of_the_benchmark(1)
        assert of_the_benchmark(size=(2, 5, 2), memory_max=1 << 20).reasons == (
            "the limit of 1 MB of memory was reached",
        )

    def test_limits_are_met_and_said(self) -> None:
        """Of steps, and of the worlds that are kept."""
        short = of_the_benchmark(depth_max=4)
        few = of_the_benchmark(worlds_max=50)

        assert short.checked.startswith("every trace of up to 4 steps of benchmark")
        assert short.verdict is Verdict.HOLDS
        assert few.reasons == ("the limit of 50 worlds was reached",)
        assert few.work["worlds"] == 50


class TestOneVerdict:
    @pytest.mark.parametrize("mutant", [0, 1, 2])
    def test_the_benchmark_and_its_mutants(self, mutant: int) -> None:
        """Found in as many steps, which are steps of the whole protocol."""
        whole, less = of_the_benchmark(mutant, reductions=False), of_the_benchmark(mutant)

        assert said(whole) == said(less)
        assert whole.work["worlds"] > less.work["worlds"]
        assert [f.property for f in whole.findings] == [f.property for f in less.findings]

    @pytest.mark.parametrize("name, receipts", [("exactly-once", 3), ("self-certified", 3)])
    def test_stacks(self, name: str, receipts: int) -> None:
        """All that is asked of them."""
        protocol = stack(name)

        whole, less = both(protocol, scope_of(protocol, receipts=receipts))

        assert said(whole) == said(less)
        assert whole.work["worlds"] > less.work["worlds"]

    @pytest.mark.parametrize("mutant", ["deliver without 'consumed'", "learn without 'not final'"])
    def test_named_mistakes(self, mutant: str) -> None:
        """One that an invariant notices and one that needs light clients, where receipts are symmetric."""
        protocol = dict(dropped_clauses(stack("final")))[mutant]

        whole, less = both(protocol, scope_of(protocol, receipts=3))

        assert said(whole) == said(less)
        assert whole.verdict is Verdict.VIOLATED

    @pytest.mark.deep
    @pytest.mark.parametrize("name", ["exactly-once", "final", "core", "exactly-once-inbox"])
    def test_every_dropped_clause(self, name: str) -> None:
        """Whatever a search says of it that leaves nothing out."""
        for mutant in dict(dropped_clauses(stack(name))).values():
            whole, less = both(mutant, scope_of(mutant, receipts=1), worlds_max=300_000)

            assert said(whole) == said(less), mutant.name

    @pytest.mark.deep
    def test_one_property_at_a_time(self) -> None:
        """Each sees another part of the protocol, and none of them everything."""
        protocol = stack("final")
        scope = scope_of(protocol, receipts=1)
        for chosen in properties_of(protocol, Role.SAFETY, Role.STEP):
            whole, less = both(protocol, scope, properties=(chosen,))

            assert said(whole) == said(less), chosen.name


# ---- a protocol for what the others do not have ------------------------------------------------------


class Meter(Entity):
    """Something that counts."""


class Ticks(Number):
    """What it has counted."""


NO = Refusal("no")


@frozen(eq=False)
class Meters:
    """
    Meters that count up to `most`; each tick also adds `noise` to what no property sees.

    With a `favourite`, all others wait for the one meter that a rigid symbol names.
    """

    most: int = 2
    noise: int = 1
    favourite: bool = False
    meters: int = 3
    count: Symbol[Any, Any] = field(init=False)
    heard: Symbol[Any, Any] = field(init=False)
    protocol: Protocol = field(init=False)

    def __attrs_post_init__(self) -> None:
        layer = Layer("meters")

        @layer.rigid
        def first() -> Meter: ...

        @layer.rigid
        def known(t: Ticks) -> Bool: ...

        @layer.state
        def count(m: Meter) -> Ticks:
            return number(0, Ticks)

        @layer.state
        def heard(m: Meter) -> Ticks:
            return number(0, Ticks)

        @layer.action
        def tick(m: Meter) -> Parts:
            yield require(count(m) < self.most, NO)
            if self.favourite:
                yield require(equal(m, first()) | (count(first()) > 0), NO)
            yield add(count(m), 1)
            yield add(heard(m), self.noise)

        @layer.action
        def forget(m: Meter) -> Parts:
            yield require(heard(m) > 0, NO)
            yield assign(heard(m), 0)

        for name, made in (("count", count), ("heard", heard), ("protocol", compose("meters", layer))):
            object.__setattr__(self, name, made)

    @property
    def scope(self) -> Scope:
        """With room for numbers up to 3."""
        rigid: dict[str, Callable[..., int]] = {
            "first": lambda: self.meters - 1,
            "known": lambda t: int(t == 2),
        }
        return Scope({Meter: self.meters, Ticks: 4}, rigid, f"{self.meters} meters")

    def says(self, what: Callable[[Any], Bool], role: Role = Role.SAFETY) -> Property:
        """A sentence about every meter, or about some if it is a witness."""
        m = self.count.parameters[0]
        return Property("M", "says", role, (m,), what(m), "it is what this test asks")

    def sums(self, most: int = 4) -> Property:
        """No two meters have counted more than this together: nobody sees that without a search."""
        return self.says(lambda m: forall(Meter, lambda n: self.count(m) + self.count(n) <= most))

    def both(self, *chosen: Property, **how: Any) -> tuple[Report, Report]:
        """The search that leaves nothing out, and the one that does."""
        return both(self.protocol, self.scope, properties=chosen, **how)

    def left(self, *chosen: Property) -> Reduced:
        """What the second of them searches."""
        invariants = tuple(p.formula for p in chosen if p.role is Role.SAFETY)
        steps = tuple(p.formula for p in chosen if p.role is Role.STEP)
        made = program_of(self.protocol, self.scope, Sentences(invariants, steps), Reductions()).reduced
        assert made is not None
        return made


class TestSymmetry:
    def test_what_nobody_tells_apart_is_symmetric(self) -> None:
        """Six renamings of three meters: ten multisets of three counts, of 27 worlds."""
        made = Meters()
        kept = made.sums()

        whole, less = made.both(kept)

        assert made.left(kept).renamings == 6
        assert less.work["worlds"] == 10
        assert said(whole) == said(less)

    def test_a_guard_that_names_one_is_not_symmetric_in_it(self) -> None:
        """The two others still are: worlds in which the first has not counted have nobody else who has."""
        made = Meters(favourite=True)
        kept = made.sums()

        whole, less = made.both(kept)

        assert made.left(kept).renamings == 2
        assert less.work["worlds"] == 1 + 2 * 6
        assert said(whole) == said(less)

    def test_a_sentence_that_names_one_is_not_symmetric_in_it(self) -> None:
        """What is violated by one meter only must not be looked for at another."""
        made = Meters()
        first, _ = made.protocol.rigid
        named = made.says(lambda m: ~equal(m, first()) | (made.count(m) <= 1))

        whole, less = made.both(named)

        assert made.left(named).renamings == 2
        assert said(whole) == said(less)
        assert [len(f.trace.steps) for f in less.findings] == [2]

    def test_an_initial_world_that_tells_one_apart_is_not_symmetric_in_it(self) -> None:
        """One meter has heard something at the beginning; later each of them may have heard as much."""
        made = Meters()
        first, _ = made.protocol.rigid
        heard = made.heard
        m = heard.parameters[0]
        begins = evolve(heard, body=ite(equal(m, first()), number(1, Ticks), number(0, Ticks)))
        sums = forall(Meter, lambda n: begins(m) + begins(n) <= 6)
        kept = Property("M", "says", Role.SAFETY, (m,), sums, "it is what this test asks")

        made_of = _with(made.protocol, heard, begins)
        left = program_of(made_of, made.scope, Sentences((kept.formula,)), Reductions()).reduced

        assert left is not None
        assert left.renamings == 2

    def test_a_step_is_judged_before_it_is_renamed(self) -> None:
        """One meter changes in a step, though by renaming another may take the place of one that forgets."""
        made = Meters()

        def stays(m: Any) -> Bool:
            return equal(made.heard(m), next_(made.heard(m)))

        alone = made.says(lambda m: forall(Meter, lambda n: equal(m, n) | stays(m) | stays(n)), Role.STEP)
        never = made.says(lambda m: next_(made.count(m)) + made.count(m) <= 0, Role.STEP)

        for chosen, found in ((alone, []), (never, [1])):
            whole, less = made.both(chosen)
            assert made.left(chosen).renamings == 6
            assert said(whole) == said(less)
            assert [len(f.trace.steps) for f in less.findings] == found
            assert dict(less.tables)["what was left out"][0][0] != "nothing"

    def test_what_is_looked_at_first_tells_entities_apart(self) -> None:
        """Where a number may be out of range, "some" and "all" end at the first that decides."""
        made = Meters()
        _, known = made.protocol.rigid
        for chosen in (
            made.says(lambda m: exists(Meter, lambda n: known(made.count(n) + 2))),
            made.says(lambda m: known(made.count(m) + 2)),
        ):
            whole, less = made.both(chosen)

            assert made.left(chosen).renamings == 1
            assert said(whole) == said(less)

    def test_entities_that_are_values_are_renamed_too(self) -> None:
        """Everybody begins as his own friend: seven sorts of friendships among three, of 27."""
        layer = Layer("friends")

        @layer.state
        def friend(m: Meter) -> Meter:
            return m

        @layer.action
        def befriend(m: Meter, n: Meter) -> Parts:
            yield assign(friend(m), n)

        m = Meter(friend.parameters[0].head)
        lonely = Property(
            "M", "says", Role.SAFETY, (), exists(Meter, lambda m: equal(friend(m), m)), "a test"
        )
        never = Property("M", "never", Role.WITNESS, (m,), ~equal(friend(m), m), "a test")
        protocol, scope = compose("friends", layer), Scope({Meter: 3}, {}, "3 meters")

        for chosen, worlds in (((never,), 7), ((lonely, never), None)):
            whole, less = both(protocol, scope, properties=chosen)
            assert said(whole) == said(less)
            assert worlds in (None, less.work["worlds"])

    def test_a_group_that_was_not_established_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """If every renaming of the topology is believed, the new kernel does not find what Python does."""
        made = Meters(favourite=True)
        kept = made.sums()
        monkeypatch.setattr(symmetry._Compared, "keeps", lambda *_: True)
        monkeypatch.setattr(reduction, "_rigid", lambda *_: ())
        assert made.left(kept).renamings == 6

        with pytest.raises(DisagreementError, match="something was left out that does matter"):
            made.both(kept)

    def test_large_groups_are_used_in_part(self) -> None:
        """Of five meters 120 renamings; and what was not used is said."""
        made = Meters(meters=5, most=1)
        kept = made.sums()

        left = made.left(kept)

        assert 1 < left.renamings <= symmetry.GROUP_MAX
        assert "64" in left.symmetry.because
        whole, less = made.both(kept)
        assert said(whole) == said(less)


class TestSlicing:
    def test_what_a_sentence_sees_is_kept(self) -> None:
        """Of the one that hears, both symbols; of the one that counts, one."""
        made = Meters()

        assert len(made.left(made.sums()).cone.cells) == 3
        assert len(made.left(made.says(lambda m: made.heard(m) <= 2)).cone.cells) == 6

    def test_an_attempt_that_matters_and_is_left_out_is_noticed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On purpose: all deliveries."""
        sliced = slicing.cone_of

        def without(*args: Any) -> Cone:
            cone = sliced(*args)
            return evolve(cone, instances=tuple(i for i in cone.instances if i.action.name != "deliver"))

        monkeypatch.setattr(reduction, "cone_of", without)

        with pytest.raises(DisagreementError, match="something was left out that does matter"):
            of_the_benchmark(size=(2, 2, 2))

    def test_a_step_property_that_sees_a_step_that_changes_nothing(self) -> None:
        """Every accepted step must change a count: forgetting does not, so it may not be left out."""
        made = Meters()
        changes = exists(Meter, lambda m: ~equal(made.count(m), next_(made.count(m))))
        chosen = Property("M", "changes", Role.STEP, (), changes, "it is what this test asks")

        whole, less = made.both(chosen)

        assert said(whole) == said(less)
        assert [f.trace.steps[-1].action for f in less.findings] == ["forget"]
        assert dict(less.tables)["what was left out"][0][0] == "nothing"

    def test_a_number_that_a_property_sees_and_that_leaves_its_range_is_inconclusive(self) -> None:
        """Also where at this scope the property is true whatever the number is."""
        made = Meters(most=9)

        whole, less = made.both(made.says(lambda m: made.count(m) <= 3))

        assert whole.verdict is less.verdict is Verdict.INCONCLUSIVE
        assert "because count needs more Ticks" in less.reasons[0]

    def test_a_number_that_no_property_sees_may_leave_its_range(self) -> None:
        """With room for it, it would not have mattered; so what was inconclusive holds, and rightly so."""
        made = Meters(most=3, noise=2)

        whole, less = made.both(made.says(lambda m: made.count(m) <= 3))

        assert whole.verdict is Verdict.INCONCLUSIVE
        assert less.verdict is Verdict.HOLDS

    def test_a_violation_that_the_scope_has_no_room_for_is_none(self) -> None:
        """Every second tick is cut off, for noise; then all is searched, and that is what is answered."""
        made = Meters(noise=4)

        whole, less = made.both(made.says(lambda m: made.count(m) <= 1))

        assert said(whole) == said(less)
        assert less.verdict is Verdict.INCONCLUSIVE
        assert dict(less.tables)["what was left out"] == (
            ("nothing", "the violation found first leaves the scope in what no property sees"),
        )

    def test_nothing_that_changes_is_seen(self) -> None:
        """What is true of every world is so after steps that were left out."""
        made = Meters()

        whole, less = made.both(made.says(lambda m: made.count(m) <= 9))

        assert said(whole) == said(less)
        assert less.verdict is Verdict.HOLDS


class TestWhichWay:
    def test_few_worlds_are_searched_in_python_and_nothing_is_left_out(self) -> None:
        """Clauses are counted then."""
        report = of_the_benchmark(size=(2, 2, 1), way=Way.EITHER)

        assert dict(report.tables)["what was left out"] == (("nothing", "there are few worlds"),)
        assert "clauses" in report.tables
        assert "up to" not in report.checked

    def test_without_a_compiler_nothing_is_left_out_and_that_is_said(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same verdict, later."""
        monkeypatch.setenv("CC", "no-such-compiler")

        report = of_the_benchmark(size=(2, 2, 2), way=Way.EITHER)

        assert report.verdict is Verdict.HOLDS
        assert report.work["worlds"] == 484
        assert "by Python alone: no C compiler was found" in report.checked
        assert dict(report.tables)["what was left out"][0][0] == "nothing"
        with pytest.raises(CompilerError):
            of_the_benchmark(way=Way.KERNEL)

    def test_what_does_not_fit_together_is_searched_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Twenty meters, and two sentences that see a number each: together more than one word."""
        monkeypatch.setattr(packing, "WORDS", (1,))
        protocol, scope, chosen = _apart(20)
        how: dict[str, Any] = {"properties": chosen, "depth_max": 2}

        report = explore(protocol, scope, way=Way.KERNEL, reductions=Reductions(symmetry=False), **how)

        assert report.verdict is Verdict.VIOLATED
        assert [(f.property, len(f.trace.steps)) for f in report.findings] == [("right-is-small", 2)]
        assert "in 2 searches, up to what no property sees" in report.checked
        assert said(report) == said(explore(protocol, scope, way=Way.PYTHON, **how))


def _apart(meters: int) -> tuple[Protocol, Scope, tuple[Property, ...]]:
    """Two numbers of each meter that have nothing to do with each other, and a sentence about each."""
    layer, catalogue = Layer("apart"), Catalogue()

    @layer.state
    def left(m: Meter) -> Ticks:
        return number(0, Ticks)

    @layer.state
    def right(m: Meter) -> Ticks:
        return number(0, Ticks)

    @layer.action
    def tick_left(m: Meter) -> Parts:
        yield require(left(m) < 3, NO)
        yield add(left(m), 1)

    @layer.action
    def tick_right(m: Meter) -> Parts:
        yield require(right(m) < 3, NO)
        yield add(right(m), 1)

    @catalogue.invariant("A1", because="it is what this test asks")
    def left_is_small(m: Meter) -> Bool:
        return left(m) <= 2

    @catalogue.invariant("A2", because="it is what this test asks")
    def right_is_small(m: Meter) -> Bool:
        return right(m) <= 1

    protocol = compose("apart", layer)
    return protocol, Scope({Meter: meters, Ticks: 4}, {}, f"{meters} meters"), catalogue.of(protocol)


def _with(protocol: Protocol, old: Symbol[Any, Any], new: Symbol[Any, Any]) -> Protocol:
    """The protocol with another symbol in place of one."""

    def renamed(t: Any) -> Any:
        return rebuild(t, lambda x: evolve(x, head=new) if x.head is old else x)

    actions = tuple(
        evolve(
            a,
            clauses=tuple(evolve(c, condition=renamed(c.condition)) for c in a.clauses),
            effects=tuple(
                evolve(e, cell=renamed(e.cell), value=renamed(e.value), where=renamed(e.where))
                for e in a.effects
            ),
        )
        for a in protocol.actions
    )
    return evolve(protocol, symbols=tuple(new if s is old else s for s in protocol.symbols), actions=actions)
