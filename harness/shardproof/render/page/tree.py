"""
What is drawn of a Merkle tree: the way from a leaf to the root, what is beside it, and no more.

A header may commit to thousands of receipts. Of these a proof has the one leaf and one hash for
each level, and so has the drawing; what lies under those hashes is folded, unless the tree is small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...story.told import EVERYTHING, HEADER, INDEX, RECEIPT, Evidence, Node
from .markup import clean

#: A tree of so many leaves is drawn whole.
WHOLE = 8

_NAME = 60


def drawn(evidence: Evidence) -> dict[str, Any]:
    """
    The evidence as data: `says`; `harm`, [how, what] each; and `tree`, nodes within nodes.

    A node has a `name`; a `role`, which is "way", "shown" (a hash that is part of the evidence) or
    ""; `damaged`; and `parts` of its own, where they are drawn. `alt` is what a drawing of the tree
    shows besides what is said, for those who do not see it.
    """
    tree = None if evidence.root is None else _node(evidence, evidence.root)
    damaged = ", ".join(_damaged(tree)) if tree else ""
    return {
        "says": clean(evidence.says),
        "harm": [[how, clean(what, _NAME)] for how, what in harm(evidence)],
        "tree": tree,
        **({"alt": clean(f"{evidence.says}; damaged: {damaged}").replace("`", "")} if damaged else {}),
    }


def _damaged(node: dict[str, Any]) -> Iterator[str]:
    """The names of nodes that are drawn as damaged, from the root down."""
    if node["damaged"]:
        yield node["name"]
    for part in node.get("parts", ()):
        yield from _damaged(part)


def harm(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What is wrong with what stands beside the tree, and with all of it: how, and what."""
    if evidence.receipt.startswith("forged"):
        yield "forged", evidence.receipt
    if evidence.header == "null":
        yield "made up", "the header"
    what = {
        RECEIPT: f"receipt {evidence.receipt}",
        HEADER: f"header {evidence.header}",
        INDEX: "the position of the leaf",
        EVERYTHING: "all of the evidence",
    }
    yield from (("damaged", name) for part, name in what.items() if part in evidence.damaged)


def _node(evidence: Evidence, node: Node) -> dict[str, Any]:
    on_way = evidence.leaf is not None and node.first <= evidence.leaf < node.end
    whole = len(evidence.leaves) <= WHOLE
    parts = [_node(evidence, child) for child in node.children] if on_way or whole else []
    role = "way" if on_way else "shown" if node.id in evidence.path else ""
    return {
        "name": _name(evidence, node),
        "role": role,
        "damaged": node.id in evidence.damaged
        or _spoilt(evidence, node)
        or (EVERYTHING in evidence.damaged and role != ""),
        **({"parts": parts} if parts else {"folded": True} if node.children else {}),
    }


def _spoilt(evidence: Evidence, node: Node) -> bool:
    """Whether a node is another one because of what stands beside the tree: the header has the root in it."""
    leaf = node.first == evidence.leaf and node.end == node.first + 1
    return (leaf and not {RECEIPT, INDEX}.isdisjoint(evidence.damaged)) or (
        node == evidence.root and HEADER in evidence.damaged
    )


def _name(evidence: Evidence, node: Node) -> str:
    leaf = clean(evidence.leaves[node.first], _NAME) if node.end - node.first == 1 else ""
    if node == evidence.root:
        return f"{leaf} = root" if leaf else f"root in {clean(evidence.within or evidence.header, _NAME)}"
    if leaf:
        return leaf
    return f"{node.first + 1} to {node.end}"
