from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardproof_models.shards.encoding import MalformedError, Reader
from shardproof_models.shards.messaging.plain import Plain, read, written
from shardproof_models.shards.messaging.tables import PowerLossError, Tables

plain: st.SearchStrategy[Plain] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)


@given(plain)
def test_a_plain_value_is_read_as_it_was_written(value: Plain) -> None:
    """
    One encoding for each value, and a truth is no number.
    """
    reader = Reader(written(value), b"")
    again = read(reader)
    reader.end()

    assert again == value
    assert type(again) is type(value)


def test_an_unknown_tag_is_no_value() -> None:
    """
    Bytes that nobody writes are refused.
    """
    with pytest.raises(MalformedError):
        read(Reader(b"\x07", b""))


def contents(tables: Tables) -> dict[str, dict[object, object]]:
    return {table.name: dict(table) for table in tables.all()}


def scribble(tables: Tables, random: Random) -> None:
    table = tables.table(random.choice("ab"))
    key = random.randrange(4)
    if key in table and random.random() < 0.4:
        del table[key]
    else:
        table[key] = random.randrange(9)


@pytest.mark.heavy
@given(st.randoms(use_true_random=False))
def test_undo_goes_back_to_any_moment_also_after_a_restart(random: Random) -> None:
    """
    What tables held at a moment they hold again, through writing down and reading in between.
    """
    tables = Tables()
    moments = []
    for _ in range(30):
        moments.append((tables.written, contents(tables)))
        scribble(tables, random)
        if random.random() < 0.2:
            now, known = tables.encode(tables.all()), contents(tables)
            tables = Tables.decode(now)
            assert tables.encode(tables.all()) == now
            assert contents(tables) == known
    moment, then = random.choice(moments)

    tables.undo(moment)

    assert {name: held for name, held in contents(tables).items() if held} == {
        name: held for name, held in then.items() if held
    }


def test_what_nobody_goes_back_to_is_forgotten() -> None:
    """
    Notes from before the oldest moment that is still of use cost nothing any more, and later ones stay good.
    """
    tables = Tables()
    table = tables.table("a")
    for value in range(50):
        table[0] = value
    moment = tables.written
    table[0] = 99
    tables.forget(moment)

    assert len(tables.encode(tables.all())) < 100
    tables.undo(moment)
    assert table[0] == 49


def test_power_fails_between_two_writes() -> None:
    """
    So many writes are made and the next is not; tables that are read from what was written do not fail.
    """
    tables = Tables()
    table = tables.table("a")
    tables.fail_after(2)
    table[0] = 0
    table[1] = 1

    with pytest.raises(PowerLossError):
        table[2] = 2
    assert dict(table) == {0: 0, 1: 1}
    again = Tables.decode(tables.encode(tables.all()))
    again.table("a")[2] = 2
