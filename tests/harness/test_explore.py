from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.engines.explore import explore
from shardproof.errors import UsageError
from shardproof.readings.scope import Scope
from shardproof.readings.scopes import scope_of
from shardproof.trace import Step
from shardproof.verdict import Kind, Verdict
from shardproof_models.language.actions import Parts, Refusal, add, assign, insert, require
from shardproof_models.language.protocol import Layer, Protocol, compose
from shardproof_models.language.terms import FALSE, Bool, Entity, Number, equal, next_, number
from shardproof_models.layers.finality import Height
from shardproof_models.mistakes import dropped_clauses
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Catalogue, Property, Role


class Meter(Entity):
    """Something that counts."""


class Ticks(Number):
    """What it has counted: not a number of the environment."""


NO = Refusal("no")


def counting(most: int, *, sort: type[Ticks | Height] = Ticks) -> tuple[Protocol, Catalogue, Scope]:
    """One meter that counts up to `most`, at a scope with room for 3, and sentences about it."""
    layer, catalogue = Layer("counting"), Catalogue()

    if issubclass(sort, Height):

        @layer.state
        def count(m: Meter) -> Height:
            return number(0, Height)
    else:

        @layer.state
        def count(m: Meter) -> Ticks:
            return number(0, Ticks)

    @layer.action
    def tick(m: Meter) -> Parts:
        yield require(count(m) < most, NO)
        yield add(count(m), 1)

    @catalogue.invariant("C1", because="it is what the tests break")
    def counts_to_two(m: Meter) -> Bool:
        """No meter counts beyond two."""
        return count(m) <= 2

    @catalogue.step("C2", because="it is what the tests break")
    def counts_up(m: Meter) -> Bool:
        """A step never takes back what was counted."""
        return count(m) <= next_(count(m))

    @catalogue.sometimes("C1")
    def counts_at_all(m: Meter) -> Bool:
        """Something is counted."""
        return count(m) > 0

    return compose("counting", layer), catalogue, Scope({Meter: 1, sort: range(4)}, {}, "1 meter")


class TestGoldenCounts:
    """What SPIN, TLC, rumur and Stateright count, to the last digit."""

    def test_counts_worlds_transitions_and_depth(self) -> None:
        """The benchmark model with 2 shards, 3 receipts and 2 copies."""
        protocol, properties = benchmark()

        report = explore(protocol, benchmark_scope(2, 3, 2), properties=properties)

        assert report.verdict is Verdict.HOLDS
        assert report.work == {"worlds": 18_568, "transitions": 174_836, "depth": 23, "cut": 0}
        assert report.checked == (
            "every trace of benchmark with 2 shards, 3 receipts and 2 copies in flight "
            "(18,568 worlds, 174,836 transitions, depth 23)"
        )

    @pytest.mark.parametrize(
        "mutant, property, actions",
        [
            (1, "applies-at-most-once", "emit seal relay send send deliver deliver"),
            (2, "applies-only-what-was-emitted", "forge deliver_forged"),
        ],
    )
    def test_finds_a_shortest_violation(self, mutant: int, property: str, actions: str) -> None:
        """Breadth first: 7 steps without deduplication, 2 without a proof, and nobody finds less."""
        protocol, properties = benchmark(mutant)

        report = explore(protocol, benchmark_scope(2, 4, 2), properties=properties)

        (finding,) = report.findings
        assert report.verdict is Verdict.VIOLATED
        assert (finding.property, finding.kind, finding.trace.shortest) == (property, Kind.SAFETY, "proved")
        assert [step.action for step in finding.trace.steps] == actions.split()


class TestViolations:
    def test_a_violated_invariant_is_a_finding_with_its_trace(self) -> None:
        """The trace has names that an adapter understands, and says what it ends in."""
        core = stack("core")
        mutants = dict(dropped_clauses(core))

        report = explore(mutants["deliver without 'consumed'"], scope_of(core, receipts=1))

        (finding,) = report.findings
        assert (finding.id, finding.property) == ("P01", "executes-at-most-once")
        assert finding.trace.steps == (
            Step("emit", "A", {"receipt": "r0", "to": "B"}, "accepted"),
            Step("produce", "A", {"header": "h0"}, "accepted"),
            Step("finalise", "A", {"header": "h0"}, "accepted"),
            Step("learn", "B", {"header": "h0"}, "accepted"),
            Step(
                "deliver",
                "B",
                {"receipt": "r0", "header": "h0", "evidence": "r0@h0"},
                "accepted",
                "",
                ("B executed r0",),
            ),
            Step(
                "deliver",
                "B",
                {"receipt": "r0", "header": "h0", "evidence": "r0@h0"},
                "accepted",
                "",
                ("B executed r0",),
            ),
        )
        assert finding.trace.violation is not None
        assert finding.trace.violation.step == 5
        assert finding.trace.violation.differs == "B executed r0 2 times"
        assert (finding.trace.adapter, finding.trace.shards) == ("model", ("A", "B"))
        assert finding.trace.search.engine == "explore"
        assert report.checked.startswith(
            "every trace of up to 5 steps of core with 2 shards, 1 receipt and 1 block"
        )

    def test_a_violated_step_property_is_found_at_the_step(self) -> None:
        """Even if the step leads nowhere new."""
        protocol, catalogue, scope = counting(2)
        (tick,) = protocol.actions
        count = tick.effects[0].cell
        reset = evolve(tick, name="reset", effects=(assign(count, 0),), clauses=())

        report = explore(evolve(protocol, actions=(tick, reset)), scope, properties=catalogue.of(protocol))

        (finding,) = report.findings
        assert (finding.property, len(finding.trace.steps)) == ("counts-up", 2)

    def test_a_violated_initial_world_needs_no_step(self) -> None:
        """Nothing has happened, and it is wrong already."""
        protocol, _, scope = counting(2)
        catalogue = Catalogue()
        count = next(iter(protocol.state))

        @catalogue.invariant("C3", because="it is what this test breaks")
        def counts_from_one(m: Meter) -> Bool:
            return ~equal(count(m), 0)

        report = explore(protocol, scope, properties=catalogue.of(protocol))

        assert [f.trace.steps for f in report.findings] == [()]
        assert report.work["worlds"] == 1

    def test_all_that_one_step_violates_is_named(self) -> None:
        """One bug is one finding."""
        protocol, catalogue, scope = counting(3)
        twin = Property(
            "C9", "twin", Role.SAFETY, catalogue.entries[0].variables, catalogue.entries[0].body, "again"
        )

        report = explore(protocol, scope, properties=(*catalogue.of(protocol), twin))

        assert [(f.property, f.also) for f in report.findings] == [("counts-to-two", ("twin",))]


class TestInconclusive:
    def test_a_number_that_is_cut_may_have_been_the_violation(self) -> None:
        """The symbol and the sort are named."""
        protocol, catalogue, scope = counting(9)

        report = explore(
            protocol, evolve(scope, sizes={Meter: 1, Ticks: range(3)}), properties=catalogue.of(protocol)
        )

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("1 steps were cut off because count needs more Ticks than the scope has",)
        assert report.work == {"worlds": 3, "transitions": 2, "depth": 2, "cut": 1}

    def test_a_number_of_the_environment_may_be_cut(self) -> None:
        """A block above the last height is beyond the scope, as a further block is; but it is counted."""
        protocol, catalogue, scope = counting(9, sort=Height)

        report = explore(
            protocol, evolve(scope, sizes={Meter: 1, Height: range(3)}), properties=catalogue.of(protocol)
        )

        assert report.verdict is Verdict.HOLDS
        assert report.work["cut"] == 1
        assert report.tables == {
            "steps that the scope cut": (("count, Height", "1"),),
            # A step that was cut is neither enabled nor refused.
            "actions": (("tick", "enabled 2, taken 2, refused 0"),),
            "clauses": (("tick: no", "refused 0, passed 2"),),
        }

    def test_the_limit_of_worlds_says_what_was_covered(self) -> None:
        """Every trace of some length, and not all longer ones."""
        protocol, properties = benchmark()

        report = explore(protocol, benchmark_scope(2, 3, 2), properties=properties, worlds_max=1_000)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("the limit of 1,000 worlds was reached",)
        assert report.work["worlds"] == 1_000
        assert report.checked.startswith(f"every trace of up to {report.work['depth']} steps of benchmark")

    def test_a_limit_that_is_just_enough_is_no_limit(self) -> None:
        """The answer does not depend on room that was not needed."""
        protocol, properties = benchmark()

        report = explore(protocol, benchmark_scope(2, 3, 2), properties=properties, worlds_max=18_568)

        assert report.verdict is Verdict.HOLDS

    def test_a_witness_that_is_not_reached_is_named(self) -> None:
        """What is true of nothing has not been checked."""
        core = stack("core")

        report = explore(core, scope_of(core, receipts=1))

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == (
            "the witness executes-from-each-of-two-shards was not reached: it needs a larger scope",
        )

    def test_a_protocol_that_cannot_move_was_not_checked(self) -> None:
        """No step, no answer."""
        protocol, catalogue, scope = counting(0)

        report = explore(protocol, scope, properties=catalogue.of(protocol)[:2])

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("no step was taken, so nothing was checked",)

    def test_nothing_to_check_is_not_a_success(self) -> None:
        """Also where only witnesses are asked for."""
        protocol, catalogue, scope = counting(2)

        report = explore(protocol, scope, properties=catalogue.of(protocol)[2:])

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("there was no property to check",)

    def test_a_property_that_leaves_the_scope_was_not_checked(self) -> None:
        """It speaks of a cell that does not exist."""
        layer, catalogue = Layer("lamps"), Catalogue()

        @layer.state
        def lit(k: Ticks) -> Bool:
            return FALSE

        @layer.action
        def light(k: Ticks) -> Parts:
            yield insert(lit(k))

        @catalogue.invariant("L1", because="it is what this test breaks")
        def the_next_is_lit_or_not(k: Ticks) -> Bool:
            return lit(k + 1) | ~lit(k + 1)

        report = explore(
            compose("lamps", layer), Scope({Ticks: range(2)}, {}), properties=tuple(catalogue.entries)
        )

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == (
            "a property could not be evaluated because lit needs more Ticks than the scope has",
        )


class TestDepth:
    def test_holds_up_to_a_number_of_steps(self) -> None:
        """A limit that was asked for is part of the answer, not a failure."""
        protocol, properties = benchmark()

        report = explore(protocol, benchmark_scope(2, 3, 2), properties=properties, depth_max=5)

        assert report.verdict is Verdict.HOLDS
        assert report.checked.startswith("every trace of up to 5 steps of benchmark with 2 shards")
        assert report.work["depth"] == 5

    def test_finds_a_violation_exactly_at_the_limit(self) -> None:
        """Seven steps are enough for the mutant, six are not."""
        protocol, properties = benchmark(1)

        verdicts = [
            explore(protocol, benchmark_scope(2, 2, 2), properties=properties, depth_max=depth).verdict
            for depth in (6, 7)
        ]

        assert verdicts == [Verdict.HOLDS, Verdict.VIOLATED]


class TestUsage:
    def test_a_scope_that_breaks_an_axiom_is_refused(self) -> None:
        """Two receipts under one key are not what the protocol speaks of."""
        core = stack("core")
        scope = scope_of(core, receipts=3)

        with pytest.raises(
            UsageError, match="core does not speak of this scope: what it assumes is false there"
        ):
            explore(core, evolve(scope, rigid={**scope.rigid, "key": lambda _: 0}))

    @pytest.mark.parametrize("worlds_max, depth_max", [(0, None), (1, -1)])
    def test_a_search_without_room_is_refused(self, worlds_max: int, depth_max: int | None) -> None:
        """It could say nothing."""
        core = stack("core")

        with pytest.raises(UsageError, match="a search needs at least one world and no negative depth"):
            explore(core, scope_of(core), worlds_max=worlds_max, depth_max=depth_max)


def test_progress_is_reported_while_it_works() -> None:
    """The counts grow, and the last ones are those of the report."""
    protocol, properties = benchmark()
    seen: list[Mapping[str, int]] = []

    report = explore(protocol, benchmark_scope(2, 2, 1), properties=properties, progress=seen.append)

    assert [dict(s) for s in sorted(seen, key=lambda s: s["worlds"])] == [dict(s) for s in seen]
    assert seen[-1] == report.work
    assert all(0 < s["frontier"] <= s["worlds"] for s in seen[:-1])


@pytest.mark.parametrize("name", ["exactly-once", "final", "self-certified"])
def test_small_stacks_hold(name: str) -> None:
    """Every trace with two shards, two receipts, one block each; witnesses are reached, lemmas true."""
    protocol = stack(name)
    properties = properties_of(protocol, Role.SAFETY, Role.STEP, Role.WITNESS, Role.LEMMA)

    report = explore(protocol, scope_of(protocol), properties=properties)

    assert report.reasons == ()
    assert report.verdict is Verdict.HOLDS


def test_the_core_holds() -> None:
    """The same for finality and reorganisation together: the smallest scope that reaches every witness."""
    core = stack("core")
    properties = properties_of(core, Role.SAFETY, Role.STEP, Role.WITNESS, Role.LEMMA)

    report = explore(core, scope_of(core), properties=properties)

    assert report.reasons == ()
    assert report.verdict is Verdict.HOLDS
    assert report.properties == tuple(p.name for p in properties)
