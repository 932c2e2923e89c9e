"""
Mistakes are protocols again, each with one thing changed and a name of its own.
"""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve

from shardproof_models.language.actions import Action, Effect, Refusal, add, assign, require
from shardproof_models.language.terms import TRUE, Bool, Variable, number
from shardproof_models.layers.exactly_once import Count, Header, Receipt, Shard, executions, learned
from shardproof_models.layers.finality import Height, height
from shardproof_models.mistakes import GENERATED, NAMED, Kind, Mistake, generated, with_action
from shardproof_models.stacks import stack

CORE = stack("core")
D, M, H = Shard(Variable("d")), Receipt(Variable("m")), Header(Variable("h"))
LATE = Refusal("late")


def counting(condition: Bool, *effects: Effect) -> Action:
    """An action of the core that compares numbers."""
    clauses = (require(condition, LATE),)
    return evolve(CORE.action("learn"), parameters=(D, M, H), clauses=clauses, effects=effects)


def comparisons(action: Action) -> list[str]:
    protocol = with_action(CORE, action)
    own = [m for m in generated(protocol) if m.kind is Kind.COMPARISON and m.name.startswith("learn ")]
    assert all(m.stack == "core" and m.source == GENERATED for m in own)
    return [m.name for m in own]


class TestGenerated:
    def test_each_has_a_name_of_its_own_and_one_action_that_is_not_as_it_was(self) -> None:
        """
        A row of the table is one change, and nothing else is changed.
        """
        mistakes = list(generated(CORE))

        assert len({m.name for m in mistakes}) == len(mistakes)
        for m in mistakes:
            changed = [(a, b) for a, b in zip(CORE.actions, m.protocol.actions, strict=True) if a is not b]
            assert len(changed) == 1
            assert (
                evolve(m.protocol, actions=CORE.actions) == evolve(CORE) or m.protocol.symbols == CORE.symbols
            )

    def test_every_part_of_every_action_is_got_wrong(self) -> None:
        """
        As many as there are clauses, neighbours and effects.
        """
        count = Counter(m.kind for m in generated(CORE))

        assert count[Kind.CLAUSE] == sum(len(a.clauses) for a in CORE.actions)
        assert count[Kind.ORDER] == sum(max(len(a.clauses) - 1, 0) for a in CORE.actions)
        assert count[Kind.EFFECT] == sum(len(a.effects) for a in CORE.actions)
        assert count[Kind.NAMED] == count[Kind.LEMMA] == 0

    def test_neighbours_change_places(self) -> None:
        """
        The two, and none besides.
        """
        deliver = CORE.action("deliver")
        a, b, *rest = deliver.clauses
        name = f"deliver '{b.refusal}' before '{a.refusal}'"

        (mistake,) = (m for m in generated(CORE) if m.name == name)

        assert mistake.protocol.action("deliver").clauses == (b, a, *rest)
        assert mistake.protocol.action("deliver").effects == deliver.effects

    @pytest.mark.parametrize(
        "condition, expected",
        [
            (height(H) < number(2, Height), ["height(h) < 2 as height(h) <= 2"]),
            (height(H) <= number(2, Height), ["height(h) <= 2 as height(h) < 2"]),
            (
                height(H) == number(2, Height),
                ["height(h) = 2 as height(h) <= 2", "height(h) = 2 as height(h) >= 2"],
            ),
            (learned(D, H), []),
            (learned(D, H) == True, []),  # noqa: E712  # it builds a term
        ],
        ids=["less", "less or equal", "equal numbers", "no comparison", "equal truth values"],
    )
    def test_a_comparison_is_off_by_one(self, condition: Bool, expected: list[str]) -> None:
        """
        Loosened, tightened; an equality of numbers, and of nothing else, becomes either inequality.
        """
        assert comparisons(counting(condition)) == [f"learn 'late' with {said}" for said in expected]

    def test_effects_compare_too(self) -> None:
        """
        Where an effect happens, and what it writes.
        """
        where = add(executions(D, M), 1, where=height(H) < number(2, Height))
        value = assign(learned(D, H), height(H) < number(2, Height))

        assert comparisons(counting(TRUE, where, value)) == [
            f"learn '{where}' with height(h) < 2 as height(h) <= 2",
            f"learn '{value}' with height(h) < 2 as height(h) <= 2",
        ]

    def test_only_the_one_comparison_is_changed(self) -> None:
        """
        Of two, each is got wrong alone.
        """
        both = (height(H) < number(2, Height)) & (executions(D, M) < number(1, Count))
        protocol = with_action(CORE, counting(both))

        conditions = [
            str(m.protocol.action("learn").guard)
            for m in generated(protocol)
            if m.kind is Kind.COMPARISON and m.name.startswith("learn ")
        ]
        assert conditions == [
            "height(h) <= 2 and executions(d, m) < 1",
            "height(h) < 2 and executions(d, m) <= 1",
        ]

    def test_what_is_said_twice_can_be_forgotten_once(self) -> None:
        """
        Two parts of the same text make two mistakes, under two names.
        """
        learn = CORE.action("learn")
        twice = with_action(CORE, evolve(learn, effects=learn.effects * 2))

        names = [m.name for m in generated(twice) if m.kind is Kind.EFFECT and "learned(d, h)" in m.name]

        assert names == ["learn without 'learned(d, h) := true'", "learn without 'learned(d, h) := true' (2)"]


class TestNamed:
    def test_an_entry_of_the_record_is_a_mistake_with_its_source(self) -> None:
        """
        It names its source, the properties that it violates, and how few steps show that.
        """
        mistake = NAMED["B24"]()

        assert (mistake.kind, mistake.stack, mistake.right) == (Kind.NAMED, "core", CORE)
        assert mistake.source.startswith("FuelLabs/fuel-core issue 1336")
        assert mistake.violates
        assert mistake.shortest is not None
        assert not mistake.harmless
        assert mistake.protocol.action("learn") is not CORE.action("learn")

    def test_a_negative_control_violates_nothing(self) -> None:
        """
        It is in the record so that nobody calls it a violation; a generated one is none.
        """
        assert Mistake("a", Kind.NAMED, CORE, "core", "b").harmless
        assert not Mistake("a", Kind.NAMED, CORE, "core", "b", violates=("P01",)).harmless
        assert not next(generated(CORE)).harmless

    def test_an_action_that_is_not_there_cannot_be_changed(self) -> None:
        """
        A mistake in nothing is a mistake of ours.
        """
        with pytest.raises(KeyError):
            with_action(CORE, evolve(CORE.action("learn"), name="unlearn"))


def test_a_mistake_is_called_by_its_name() -> None:
    """
    Also where a test names its parameters.
    """
    assert str(Mistake("a", Kind.NAMED, CORE, "core", "b")) == "a"
