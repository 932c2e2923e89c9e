"""
No property without a witness, a mistake that it sees, and an engine.

The table in `properties/README.md` is made here, from the catalogue, the mistakes and the faulty
shards, so it cannot go stale: run with UPDATE_GOLDEN=1 to write it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from shardproof.adapters.faulty import FAULTS
from shardproof.engines.fuzz import OBSERVED
from shardproof.engines.prove.induction import Prover
from shardproof.engines.prove.obligations import Obligation, assumptions
from shardproof.observable import OBSERVABLE
from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool
from shardproof_models.mistakes import IN_BYTES_ONLY, NAMED, generated
from shardproof_models.stacks import STACKS, stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

README = Path(__file__).parents[2] / "properties" / "README.md"
BEGIN, END = "<!-- the catalogue, generated -->", "<!-- end of the catalogue -->"

#: The catalogue: what may not happen, and what has to.
NUMBERS = (*(f"P{n:02}" for n in range(1, 29)), *(f"Q{n}" for n in range(1, 10)))

SENTENCES = (Role.SAFETY, Role.STEP, Role.ENABLED, Role.ISOLATION, Role.PROGRESS, Role.CONCRETE)

#: Sentences in words say what is behind a finding that has another name: by these mistakes.
BEHIND = {
    "proofs-are-sound": ("no-proof-check", "leaf-for-node"),
    "commitments-bind": ("leaf-for-node", "duplicated-last-leaf"),
    "keys-are-canonical": ("key-is-proof", "key-is-signature"),
    "acts-only-in-its-own-name": ("wrong-source",),
    "survives-a-crash": ("effect-before-record", "record-before-effect"),
}


def base(name: str) -> str:
    """The sentence of which a schema makes one for each symbol."""
    return name.partition("[")[0]


@cache
def sentences() -> Mapping[str, tuple[str, Property]]:
    """Each sentence by name, with the smallest stack that it says something of."""
    found: dict[str, tuple[str, Property]] = {}
    for name in sorted(STACKS, key=lambda n: len(STACKS[n].layers)):
        for p in properties_of(stack(name), *SENTENCES):
            found.setdefault(base(p.name), (name, p))
    return dict(sorted(found.items(), key=lambda item: (NUMBERS.index(item[1][1].id), item[0])))


@cache
def witnesses() -> Mapping[str, tuple[str, ...]]:
    """For each number, what shows that its sentences are not true of nothing."""
    known = {p.name: p.id for name in STACKS for p in properties_of(stack(name), Role.WITNESS)}
    return {n: tuple(name for name, of in known.items() if of == n) for n in NUMBERS}


def engines(p: Property) -> str:
    """How a sentence is checked."""
    ways = {
        Role.SAFETY: ["proved", "explored"] if p.first_order else ["explored"],
        Role.STEP: ["proved", "explored"],
        Role.ENABLED: ["proved", "explored"],
        Role.ISOLATION: ["proved of two worlds"],
        Role.PROGRESS: [],
        Role.CONCRETE: ["on bytes"],
    }[p.role]
    if base(p.name) in OBSERVED or p.role is Role.CONCRETE:
        ways.append("fuzzed")
    return ", ".join(ways)


def seen_by(name: str, p: Property) -> Iterator[str]:
    """The mistakes on record that a sentence is said to notice."""
    yield from (e.name for e in NAMED.values() if {name, p.id} & {*e.violates})
    for fault in FAULTS.values():
        numbers = {n for entry in fault.corpus for n in IN_BYTES_ONLY.get(entry, ())}
        if fault.violates == name or p.id in numbers or fault.name in BEHIND.get(name, ()):
            yield f"`faulty:{fault.name}`"


@cache
def made_up(name: str) -> str:
    """A generated mistake that breaks the proof of a sentence; none is "" ."""
    where, p = sentences()[name]
    protocol, (known, prover) = stack(where), leaned_on(where)
    for mistake in generated(protocol):
        changed = next(a for a in mistake.protocol.actions if a not in protocol.actions)
        goal = _obligation(mistake.protocol, p, changed)
        if goal is not None and not prover.matched(
            Obligation(mistake.name, known, goal, guard=changed.guard)
        ):
            return mistake.name
    return ""


@cache
def leaned_on(where: str) -> tuple[tuple[Bool, ...], Prover]:
    """What a proof of any sentence of a stack may assume, and who has read it once."""
    protocol = stack(where)
    return assumptions(protocol, properties_of(protocol)), Prover()


def _obligation(mistaken: Protocol, p: Property, changed: Action) -> Bool | None:
    if p.role is Role.ENABLED:
        # What has to be possible is said by the guards, so by those of the mistake.
        there = next(q for q in properties_of(mistaken, *SENTENCES) if base(q.name) == base(p.name))
        return mistaken.expand(there.body)
    if p.role is Role.STEP:
        return changed.step(mistaken.expand(p.body))
    return changed.after(mistaken.expand(p.body)) if p.role is Role.SAFETY and p.first_order else None


def table() -> str:
    """The catalogue, as it stands in the README."""
    lines = [
        "| Id | Sentence | Says | From the layers | Checked | Witness | Notices |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, (where, p) in sentences().items():
        on_record = list(dict.fromkeys(seen_by(name, p)))
        notices = ", ".join(on_record[:6]) + (", ..." if len(on_record) > 6 else "")
        layers = ", ".join(layer.name for layer in p.within) or where
        shown = ", ".join(f"`{w}`" for w in witnesses()[p.id][:2]) or _shown(name, p)
        says = " ".join(p.doc.split())
        lines.append(
            f"| {p.id} | `{name}` | {says} | {layers} | {engines(p)} | {shown} | "
            f"{notices or f'`{made_up(name)}`'} |"
        )
    return "\n".join(lines)


def _shown(name: str, p: Property) -> str:
    if p.role is Role.ENABLED:
        return "its action is taken"
    if name in BEHIND:
        return "attacks are counted by kind"
    return "a run in which it could have been violated" if name in OBSERVED else ""


def test_every_number_of_the_catalogue_has_a_sentence() -> None:
    """P01 to P28 and Q1 to Q9, none left out and none made up."""
    assert {p.id for _, p in sentences().values()} == {*NUMBERS}


@pytest.mark.parametrize("name", sentences())
def test_every_sentence_is_checked_by_something(name: str) -> None:
    """A sentence that no engine looks at is a wish."""
    assert engines(sentences()[name][1])


@pytest.mark.parametrize("name", sentences())
def test_every_sentence_is_shown_to_be_about_something(name: str) -> None:
    """By a world or a step that a search reaches, or by a run that could have broken it."""
    _, p = sentences()[name]

    assert witnesses()[p.id] or _shown(name, p)


@pytest.mark.parametrize("name", sentences())
def test_every_sentence_notices_a_mistake(name: str) -> None:
    """One on record, or one that breaks its proof and was made up for the purpose."""
    _, p = sentences()[name]

    assert any(seen_by(name, p)) or made_up(name)


@pytest.mark.parametrize("name", BEHIND)
def test_what_is_behind_a_finding_is_a_mistake_that_there_is(name: str) -> None:
    """The mistakes that are named here can be tried."""
    assert {*BEHIND[name]} <= FAULTS.keys()


@pytest.mark.parametrize("name", OBSERVABLE)
def test_what_is_observed_is_in_the_catalogue(name: str) -> None:
    """No engine reports a property that nobody has declared."""
    assert name in sentences()


def test_the_table_in_the_readme_is_the_catalogue(documented: Callable[[Path, str, str, str], None]) -> None:
    """Whoever adds a property has added it to the documentation."""
    documented(README, BEGIN, END, table())
