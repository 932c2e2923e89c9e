"""
What has to be there for a hypothesis to be applied: its triggers.

The solver looks for triggers by itself, and of those that need several terms it takes one set,
which need not be the one that a person would think of: of "a proof, and an execution, imply a
success" it may take the proof and the success. Here each hypothesis gets one that reads it
forwards, from what its premise speaks of, and one that reads it backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import z3

from shardproof_models.language.terms import Binder, Bool, Op, Symbol, Term, Variable, subterms

from ...readings.smt import Unbounded


def triggered(say: Unbounded, hypothesis: Bool) -> Any:
    """The translation of `hypothesis`, with triggers if it is for all of something."""
    if not (isinstance(hypothesis.head, Binder) and hypothesis.head.op is Op.FORALL):
        return say(hypothesis)
    variables, body = hypothesis.head.variables, hypothesis.args[0]
    sets = [*_triggers(variables, body)]
    patterns = [z3.MultiPattern(*map(say, terms)) for terms in sets]
    return z3.ForAll([say(v) for v in variables], say(body), patterns=patterns)


def _triggers(variables: tuple[Term, ...], body: Term) -> Iterator[tuple[Term, ...]]:
    wanted = frozenset(v.head for v in variables)
    sides = body.args if body.head is Op.IMPLIES else (body,)
    for side in sides:
        cells = [(t, found) for t in subterms(side) if _is_cell(t) and (found := _free(t) & wanted)]
        alone = [t for t, found in cells if found == wanted]
        if alone:
            yield from ((t,) for t in alone)
        elif together := _cover(cells, wanted):
            yield together


def _cover(
    cells: list[tuple[Term, frozenset[Variable]]], wanted: frozenset[Variable]
) -> tuple[Term, ...] | None:
    """Few of `cells` that have all the variables `wanted`: those of state before those that never change."""
    chosen: list[Term] = []
    missing = wanted
    while missing:
        best = max(cells, key=lambda c: (len(c[1] & missing), c[0].head.is_state), default=None)
        if best is None or not best[1] & missing:
            return None
        chosen.append(best[0])
        missing -= best[1]
    return tuple(chosen)


def _is_cell(t: Term) -> bool:
    """Whether it is made of symbols and variables only, as a trigger has to be."""
    return isinstance(t.head, Symbol) and all(isinstance(s.head, Symbol | Variable) for s in subterms(t))


def _free(t: Term) -> frozenset[Variable]:
    return frozenset(s.head for s in subterms(t) if isinstance(s.head, Variable))
