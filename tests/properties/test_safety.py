"""No property is a comment: some mistake violates each, and what each is about does happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from shardproof.engines.explore import explore
from shardproof.readings.scopes import scope_of
from shardproof.verdict import Verdict
from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import dropped_clauses, dropped_effects
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

pytestmark = pytest.mark.heavy

CORE = stack("core")
SENTENCES = properties_of(CORE, Role.SAFETY, Role.STEP)

#: Blocks a shard, and worlds that are enough there: no mistake needs to be searched to its end.
SEARCHES = ((1, 6_000), (2, 1_500))


def violated_by(mistaken: Protocol, headers: int, worlds_max: int) -> Iterator[tuple[str, int]]:
    """Every property that a mistake violates near the start, and the length of a shortest trace."""
    left = SENTENCES
    while left:
        scope = scope_of(CORE, receipts=1, headers=headers)
        report = explore(mistaken, scope, properties=left, worlds_max=worlds_max)
        if report.verdict is not Verdict.VIOLATED:
            return
        (finding,) = report.findings
        found = {finding.property, *finding.also}
        yield from ((name, len(finding.trace.steps)) for name in found)
        left = tuple(p for p in left if p.name not in found)


@pytest.fixture(scope="module")
def killed() -> Mapping[str, Mapping[str, int]]:
    """Mistake -> the properties that it violates, with shortest lengths."""
    mistakes = [*dropped_clauses(CORE), *dropped_effects(CORE)]
    # The larger scope first, so that a length which both find is that of the one searched further.
    return {
        name: {p: n for search in reversed(SEARCHES) for p, n in violated_by(protocol, *search)}
        for name, protocol in mistakes
    }


@pytest.mark.deep
@pytest.mark.parametrize("property", SENTENCES, ids=lambda p: p.name)
def test_some_mistake_violates_it(property: Property, killed: Mapping[str, Mapping[str, int]]) -> None:
    """One clause or one effect of the core is dropped, and the sentence is false within a few steps."""
    assert [name for name, found in killed.items() if property.name in found]


@pytest.mark.deep
@pytest.mark.parametrize(
    "mistake, property, length",
    [
        ("deliver without 'consumed'", "executes-at-most-once", 6),
        ("deliver without 'consumed(d, key(m)) := true'", "executes-at-most-once", 6),
        ("deliver without 'unproven'", "executes-only-what-was-emitted", 2),
        ("deliver without 'wrong source'", "executes-only-what-was-emitted", 4),
        ("deliver without 'wrong destination'", "executes-at-its-destination", 5),
        ("deliver without 'untrusted header'", "executes-only-on-trusted-headers", 3),
        ("learn without 'not final'", "trusts-only-final-headers", 1),
        ("revert without 'already final'", "final-headers-stay", 1),
    ],
)
def test_known_mistakes_are_seen_by_the_property_that_is_about_them(
    mistake: str,
    property: str,
    length: int,
    killed: Mapping[str, Mapping[str, int]],
) -> None:
    """And in no more steps than it takes."""
    assert killed[mistake][property] == length


@pytest.mark.deep
def test_what_survives_is_known(killed: Mapping[str, Mapping[str, int]]) -> None:
    """
    A mistake that no safety property sees is not needed for safety, and each has its reason.

    A second time, a step does nothing; or less happens than should, which is what witnesses and
    progress properties are for.
    """
    survivors = {name for name, found in killed.items() if not found}

    assert survivors == {
        "emit without 'already emitted'",
        "finalise without 'already final'",
        "emit without 'emitted(m) := true'",
        "produce without 'produced(h) := true'",
        "produce without 'for each m: Receipt: commits(h, m) := origin(h) = source(m) implies emitted(m)'",
        "learn without 'learned(d, h) := true'",
        "finalise without 'finalised(h) := true'",
        "finalise without 'last_final(origin(h)) := h'",
    }


@pytest.mark.parametrize(
    "name", ["emit without 'emitted(m) := true'", "learn without 'learned(d, h) := true'"]
)
def test_a_protocol_in_which_nothing_happens_is_not_said_to_hold(name: str) -> None:
    """Safety is cheap for it; the witnesses are what it fails."""
    mistaken = dict(dropped_effects(CORE))[name]

    report = explore(mistaken, scope_of(CORE, receipts=1))

    assert report.verdict is Verdict.INCONCLUSIVE
    assert "the witness executes was not reached: it needs a larger scope" in report.reasons


class TestMistakes:
    def test_each_clause_and_each_effect_is_dropped_once(self) -> None:
        """As many mistakes as there are parts, under names of their own."""
        mistakes = [*dropped_clauses(CORE), *dropped_effects(CORE)]

        parts = sum(len(a.clauses) + len(a.effects) for a in CORE.actions)
        assert len(mistakes) == len({name for name, _ in mistakes}) == parts

    def test_nothing_else_is_changed(self) -> None:
        """One action has one part less; the protocol itself is as it was."""
        _, mistaken = next(dropped_clauses(CORE))

        changed = [(a, b) for a, b in zip(CORE.actions, mistaken.actions, strict=True) if a is not b]
        ((before, after),) = changed
        assert (len(before.clauses), len(after.clauses)) == (1, 0)
        assert after.effects == before.effects
