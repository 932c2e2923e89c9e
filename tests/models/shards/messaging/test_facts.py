from __future__ import annotations

from hashlib import sha256

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shardproof_models.shards.encoding import MalformedError
from shardproof_models.shards.messaging.facts import NOTHING, FactProof, Facts, Leaf, fork


def key(name: int) -> bytes:
    return sha256(b"%d" % name).digest()


def recorded(names: range) -> Facts:
    facts = Facts()
    for name in names:
        facts = facts.recording(key(name), b"v%d" % name)
    return facts


records = st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.binary(max_size=2)), max_size=30)


@given(records, st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_every_key_is_proved_present_or_absent(
    entries: list[tuple[bytes, bytes]], others: list[bytes]
) -> None:
    """
    For each key the tree gives evidence that convinces of what was last recorded under it, or of nothing.
    """
    facts = Facts()
    for name, value in entries:
        facts = facts.recording(name, value)

    for name in (*dict(entries), *others):
        proof = facts.prove(name)
        assert proof.shows(facts.root, name)
        assert proof.value(name) == dict(entries).get(name)


@given(records)
def test_the_root_does_not_tell_in_which_order(entries: list[tuple[bytes, bytes]]) -> None:
    """
    The same records give the same root, however they came: a restart that reads them anew attests the same.
    """
    once = dict(entries)
    there, back = Facts(), Facts()
    for name, value in once.items():
        there = there.recording(name, value)
    for name, value in reversed(once.items()):
        back = back.recording(name, value)

    assert there.root == back.root


def test_what_is_recorded_later_does_not_change_what_was_attested() -> None:
    """
    An older tree goes on giving evidence under its own root, of what it had and of what it did not have yet.
    """
    old = recorded(range(10))
    root = old.root
    new = recorded(range(20))

    assert old.root == root != new.root
    assert old.prove(key(15)).shows(root, key(15))
    assert old.prove(key(15)).value(key(15)) is None
    assert new.prove(key(15)).value(key(15)) == b"v15"


@pytest.mark.parametrize("name", [3, 99], ids=["present", "absent"])
def test_no_byte_of_a_proof_is_loose(name: int) -> None:
    """
    Whichever byte is changed: the proof cannot be read any more, or shows nothing under this root.
    """
    facts = recorded(range(40))
    honest = facts.prove(key(name)).encode()

    for at in range(len(honest)):
        for bit in (1, 128):
            forged = honest[:at] + bytes([honest[at] ^ bit]) + honest[at + 1 :]
            try:
                proof = FactProof.decode(forged)
            except MalformedError:
                continue
            assert not proof.shows(facts.root, key(name)), at


def test_evidence_of_one_absence_is_none_of_another() -> None:
    """
    What is in the place of one key says nothing of a key with another place: the path is bound to the key.
    """
    facts = recorded(range(40))
    absent, present = facts.prove(key(99)), key(7)

    assert absent.shows(facts.root, key(99))
    assert not absent.shows(facts.root, present)


def test_an_inner_node_is_not_nothing_and_not_a_leaf() -> None:
    """
    A path that stops above a subtree shows neither that it is empty nor a leaf of the adversary's making.
    """
    facts = recorded(range(40))
    proof = facts.prove(key(3))
    short = proof.siblings[:-1]
    assert proof.found is not None
    node = fork(proof.siblings[-1], proof.found.hash())

    assert not FactProof(short, None).shows(facts.root, key(3))
    assert not FactProof(short, Leaf(key(3), node)).shows(facts.root, key(3))
    assert not FactProof((), None).shows(facts.root, key(3))
    assert FactProof((), None).shows(NOTHING, key(3))


def test_a_longer_path_shows_nothing_more() -> None:
    """
    Below what is in a place there is nothing to show: one more sibling is another root.
    """
    facts = recorded(range(8))
    proof = facts.prove(key(99))

    for sibling in (NOTHING, b"\x01" * 32):
        assert not evolve(proof, siblings=(*proof.siblings, sibling)).shows(facts.root, key(99))
    assert not FactProof((NOTHING,) * 257, None).shows(facts.root, key(99))
