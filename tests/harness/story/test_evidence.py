"""Evidence as a tree: the shape is the reference's, and what was damaged is where it is said to be."""

from __future__ import annotations

from functools import cache

import pytest

from shardproof.story.evidence import siblings
from shardproof.story.telling import tell
from shardproof.story.told import Evidence, Node
from shardproof.trace import Search, Step, Trace
from shardproof_models.shards.commitment import Tree
from shardproof_models.stacks import STACKS

CORE = tuple(layer.name for layer in STACKS["core"].layers)


def shown(receipts: int = 5, headers: int = 1, /, **args: str) -> Evidence:
    """What a relayer shows to B, after A has emitted so many receipts and sealed them in each header."""
    made = [Step("emit", "A", {"receipt": f"r{n}", "to": "B"}) for n in range(receipts)]
    sealed = [Step("produce", "A", {"header": f"h{n}"}) for n in range(headers)]
    given = {"receipt": "r1", "header": "h0", "evidence": "r1@h0", **args}
    steps = (*made, *sealed, Step("deliver", "B", given))
    story = tell(Trace("nobody", CORE, ("A", "B"), "", "", "", steps, None, Search("hand")))
    found = story.moments[-1].evidence
    assert found is not None
    return found


@cache
def hashed(node: Node) -> bytes:
    """The hash of a node, from its leaves, as the reference makes it."""
    if not node.children:
        return Tree.leaf(b"%d" % node.first)
    return Tree.node(*map(hashed, node.children))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 21])
def test_the_tree_is_that_of_the_reference(count: int) -> None:
    """Root, and for each leaf the nodes beside its way up, hash for hash."""
    tree = Tree()
    for number in range(count):
        tree.append(b"%d" % number)

    assert hashed(Node(0, count)) == tree.root(count)
    for leaf in range(count):
        assert tuple(hashed(node) for node in siblings(leaf, count)) == tree.path(leaf, count)


def test_honest_evidence() -> None:
    """The receipts in order, the leaf, and the hashes beside its way up, the lowest first."""
    assert shown() == Evidence(
        receipt="r1",
        header="h0",
        of="r1",
        within="h0",
        leaves=("r0", "r1", "r2", "r3", "r4"),
        leaf=1,
        path=("0:1", "2:4", "4:5"),
        says="evidence that h0 commits to r1; leaf 2 of 5, and 3 hashes beside its way up",
    )
    assert shown().root == Node(0, 5)


@pytest.mark.parametrize(
    "args, says",
    [
        ({"receipt": "r2"}, "shown with another receipt, r2"),
        ({"header": "null"}, "shown under no header at all"),
        ({"header": "h1"}, "shown under another header, h1"),
    ],
)
def test_evidence_of_something_else(args: dict[str, str], says: str) -> None:
    """Of another receipt, or under another header: said as such, with the tree that it is of."""
    found = shown(5, 2, **args)

    assert found.says == f"{shown().says}; {says}"
    assert (found.leaf, found.path) == (shown().leaf, shown().path)


def test_no_evidence() -> None:
    """The tree of the header that is shown, and no leaf of it."""
    found = shown(evidence="none")

    assert (found.says, found.leaf, found.path) == ("no evidence", None, ())
    assert found.leaves == ("r0", "r1", "r2", "r3", "r4")
    assert shown(evidence="none", header="null").root is None


@pytest.mark.parametrize(
    "damage, where",
    [
        ("receipt:flip:3", ("receipt",)),
        ("receipt:splice:2", ("receipt",)),
        ("header:zero:0", ("header",)),
        ("evidence:cut:1", ("everything",)),
        ("evidence:splice:2", ("everything",)),
        ("multiproof:beside:0", ("everything",)),
        ("path:moved:1", ("index",)),
        ("path:next:0", ("index",)),
        ("path:recounted:1", ("index",)),
        ("path:shortened:0", ("index", "0:1")),
        ("path:lengthened:0", ("index", "0:1")),
        ("path:twisted:1", ("2:4", "4:5")),
        ("path:twisted:2", ("0:1", "2:4")),
        ("path:reweighted:4", ("2:4",)),
        ("path:inner-node:0", ("receipt", "0:1")),
    ],
)
def test_what_is_damaged(damage: str, where: tuple[str, ...]) -> None:
    """By nodes of the tree, or by the part of what is shown; and in words."""
    honest, found = shown(), shown(damage=damage)

    assert found.damaged == where
    assert found.says.startswith(f"{honest.says}; ")
    assert found.path == honest.path


def test_damage_that_left_everything_as_it_was_is_none() -> None:
    """What the model was recorded to answer tells: a receipt that was harmed is proved by nothing."""
    made = (
        Step("emit", "A", {"receipt": "r0", "to": "B"}),
        Step("produce", "A", {"header": "h0"}),
        Step("finalise", "A", {"header": "h0"}),
        Step("learn", "B", {"header": "h0"}),
    )
    given = {"receipt": "r0", "header": "h0", "evidence": "r0@h0", "damage": "receipt:malleate:1"}
    stories = [
        tell(
            Trace(
                "nobody",
                CORE,
                ("A", "B"),
                "",
                "",
                "",
                (*made, Step("deliver", "B", given, expected, "refused, by somebody")),
                None,
                Search("hand"),
            )
        )
        for expected in ("refused, unproven", "either")
    ]

    found = [story.moments[-1].evidence for story in stories]
    assert [story.moments[-1].model for story in stories] == ["refused, unproven", "either"]
    assert [e.damaged for e in found if e] == [("receipt",), ()]
    assert found[1] is not None
    assert found[1].says.endswith("another one of the same text, which left it as it was")


def test_evidence_of_an_outcome_has_no_tree() -> None:
    """The model says what a header attests, and not in which order."""
    layers = ("exactly-once", "finality", "failures", "deadlines", "outcomes")
    steps = (
        Step("emit", "A", {"receipt": "r0", "to": "B", "deadline": "0"}),
        Step("produce", "B", {"header": "h0"}),
        Step("time_out", "A", {"receipt": "r0", "header": "h0", "evidence": "r0@h0"}),
    )
    found = (
        tell(Trace("nobody", layers, ("A", "B"), "", "", "", steps, None, Search("hand"))).moments[2].evidence
    )

    assert found is not None
    assert (found.proves, found.leaves, found.says) == ("absence", (), "evidence that r0 is absent from h0")
