from __future__ import annotations

import pytest

from sample_protocols.exercise import EXERCISE
from shardproof.errors import UsageError
from shardproof.readings.evaluate import Evaluator
from shardproof.readings.generated import Generated
from shardproof.readings.scope import Layout, OutOfScope
from shardproof.readings.scopes import scope_of
from shardproof.readings.variants import VARIANTS
from shardproof_models.language.protocol import compose
from shardproof_models.layers.encodings import Encoding, canonical, made_for
from shardproof_models.layers.exactly_once import Header, Receipt, Shard, exactly_once, witness
from shardproof_models.layers.finality import finality
from shardproof_models.layers.reorganisation import reorganisation
from shardproof_models.stacks import stack

CORE = stack("core")


def test_sizes_are_what_a_person_counts() -> None:
    """Blocks are counted for each shard, besides its genesis."""
    scope = scope_of(CORE, shards=3, receipts=2, headers=2)

    assert [len(scope.domain(sort)) for sort in (Shard, Receipt, Header)] == [3, 2, 9]
    assert scope.said == "3 shards, 2 receipts and 2 blocks a shard"
    assert scope_of(CORE, receipts=1).said == "2 shards, 1 receipt and 1 block a shard"


@pytest.mark.parametrize("shards", [2, 3, 5])
def test_the_topology_is_one_that_the_protocol_speaks_of(shards: int) -> None:
    """What it assumes of rigid symbols is true."""
    assert Evaluator(CORE, scope_of(CORE, shards=shards, receipts=4)).axioms_hold()


@pytest.mark.parametrize(
    "sizes, message",
    [
        ({"shard": 2}, r"a scope has no 'shard'\n  help      did you mean 'shards'\?"),
        ({"receipts": 0}, r"a scope needs from 1 to 64 receipts\n  got       0"),
        ({"headers": 65}, r"a scope needs from 1 to 64 headers"),
    ],
)
def test_a_size_that_makes_no_sense_is_refused(sizes: dict[str, int], message: str) -> None:
    """With the repair in the message."""
    with pytest.raises(UsageError) as error:
        scope_of(CORE, **sizes)
    assert error.match(message)


def test_a_protocol_of_other_words_has_no_scope_here() -> None:
    """The message names what is unknown."""
    with pytest.raises(
        UsageError, match="no scope is known for a protocol with beside, worth, friends, most"
    ):
        scope_of(EXERCISE)


def test_every_cell_has_a_place_of_its_own() -> None:
    """The canonical form of a world is one value for each cell, in this order."""
    layout = Layout(CORE, scope_of(CORE))

    assert [layout.index(symbol, args) for symbol, args in layout.cells] == list(range(len(layout.cells)))


def test_a_cell_that_does_not_exist_is_out_of_scope() -> None:
    """The symbol and the sort that has too few values are named."""
    layout = Layout(CORE, scope_of(CORE))
    emitted = next(s for s in CORE.state if s.name == "emitted")

    with pytest.raises(OutOfScope) as cut:
        layout.index(emitted, (9,))

    assert (cut.value.symbol, cut.value.sort) == ("emitted", "Receipt")
    assert str(cut.value) == "emitted needs more Receipt than there are in this scope"


def test_what_was_never_written_may_begin_as_something_else_than_its_copy() -> None:
    """
    Among twins only, and in both readings: where the two begin alike, a copy that is forgotten is not missed.
    """
    protocol = compose("reverts", exactly_once, finality, reorganisation)
    plain = scope_of(protocol)
    begins = {}
    for scope in (plain, VARIANTS["twins"](protocol, plain)):
        reading = Evaluator(protocol, scope)
        generated = Generated(protocol, scope)
        assert generated.plain(generated.initial()) == reading.initial()
        for symbol in (witness, protocol.remembers[witness]):
            cells = zip(reading.layout.cells, reading.initial(), strict=True)
            begins[symbol.name, scope.said] = {value for (of, _), value in cells if of is symbol}

    last = len(plain.domain(Header)) - 1
    assert [*begins.values()] == [{last}, {last}, {last}, {0}]


@pytest.mark.parametrize("receipts, abroad", [(1, []), (3, [5])])
def test_of_several_careless_spellings_the_last_is_made_for_elsewhere(
    receipts: int, abroad: list[int]
) -> None:
    """So it is seen which of two reasons is given first; and there are careless ones made for here, too."""
    bridge = stack("bridge")
    scope = scope_of(bridge, receipts=receipts)
    careless = [x for x in scope.domain(Encoding) if not scope.rigid[canonical.name](x)]

    assert [x for x in careless if scope.rigid[made_for.name](x) != 0] == abroad
    assert [x for x in careless if x not in abroad] != []
