from __future__ import annotations

import re

import pytest

from shardproof_models.language.protocol import Layer, compose
from shardproof_models.language.terms import Bool
from shardproof_models.layers.exactly_once import Receipt, emitted, exactly_once
from shardproof_models.layers.reorganisation import reorganisation
from shardproof_models.stacks import STACKS, stack
from shardproof_properties.catalogue import CATALOGUES, properties_of
from shardproof_properties.property import Catalogue, Property, Role

#: The numbers of the catalogue that the layers so far are about.
SAFETY = {"P01", "P02", "P03", "P10", "P12", "P21", "P26", "P27", "P28"}
PROGRESS = {"Q1", "Q4", "Q5", "Q9"}

CORE = properties_of(stack("core"))


def test_the_core_is_about_every_number_that_it_claims() -> None:
    """No number without a sentence, and no sentence without a number of the catalogue."""
    modelled = {p.id for p in CORE if p.role is not Role.CONCRETE}

    assert modelled == SAFETY | PROGRESS


@pytest.mark.parametrize("property", CORE, ids=lambda p: p.name)
def test_a_property_says_what_it_costs_to_be_wrong(property: Property) -> None:
    """And what it means, in a sentence; its name is a sentence without a subject."""
    assert property.because
    assert property.because[0].islower()
    assert not property.because.endswith(".")
    assert property.doc.endswith(".") or property.role is Role.LEMMA
    # One that was made from another is called after it.
    own = re.sub(r"(, part \d+,)?( after a loss at .*)?$", "", property.name)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*(\[[a-z_]+\])?", own)


@pytest.mark.parametrize("name", STACKS)
def test_names_are_unique(name: str) -> None:
    """A report, a trace and the command line know a property by its name."""
    names = [p.name for p in properties_of(stack(name))]

    assert len(set(names)) == len(names)


def test_a_lemma_supports_something() -> None:
    """The number of a lemma is that of a property that its proof needs."""
    assert {p.id for p in CORE if p.role is Role.LEMMA} <= {p.id for p in CORE if p.role is not Role.LEMMA}


def test_every_group_has_a_witness() -> None:
    """What is said of executions, of trust and of reorganisation is shown not to be said of nothing."""
    assert {p.id for p in CORE if p.role is Role.WITNESS} >= {"P01", "P02", "P10", "P26"}


def test_a_property_applies_where_all_that_it_speaks_of_is() -> None:
    """The lowest stack has fewer, and none about finality or reorganisation."""
    low = {p.name for p in properties_of(stack("exactly-once"))}

    assert "executes-at-most-once" in low
    assert "trusts-only-final-headers" not in low
    assert low < {p.name for p in CORE}


def test_one_sentence_for_each_symbol_that_a_shard_keeps() -> None:
    """A layer that adds state gets its sentence about reorganisation without asking."""
    core = stack("core")

    assert {p.name for p in CORE if p.id == "P26" and p.role is Role.STEP and "[" in p.name} == {
        f"reverts-atomically[{s.name}]" for s in core.remembers
    }


def test_a_property_can_be_tied_to_a_layer() -> None:
    """It may be expressible without the layer that makes it true."""
    catalogue = Catalogue()

    @catalogue.invariant("P99", reorganisation, because="it is only claimed there")
    def never_emitted(m: Receipt) -> Bool:
        """Nothing is emitted."""
        return ~emitted(m)

    assert catalogue.of(stack("exactly-once")) == ()
    assert catalogue.of(stack("core")) == (never_emitted,)
    assert str(never_emitted) == "never-emitted"


def test_a_formula_is_closed_as_its_role_says() -> None:
    """A safety property is for all, a witness for some."""
    starts = {p.role: str(p.formula).partition(" ")[0] for p in CORE if p.variables}

    assert starts[Role.SAFETY] == starts[Role.STEP] == starts[Role.LEMMA] == "forall"
    assert starts[Role.WITNESS] == "exists"


def test_roles_select() -> None:
    """Several roles at once, in the order of the catalogue."""
    some = properties_of(stack("core"), Role.WITNESS, Role.ISOLATION)

    assert {p.role for p in some} == {Role.WITNESS, Role.ISOLATION}
    assert [p for p in CORE if p in some] == list(some)


def test_a_protocol_of_other_words_has_no_properties_of_ours() -> None:
    """Only what speaks of nothing at all, a statement about any protocol, is left."""
    nothing = compose("nothing", Layer("nothing"))

    assert {p.role for p in properties_of(nothing)} <= {Role.ISOLATION}
    assert exactly_once not in nothing.layers
    assert all(c.entries or c.schemas for c in CATALOGUES)
