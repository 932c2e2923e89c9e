"""
Why a formula of a guard is false, in a sentence: plain words and the formula after them.

Where there are no words for it (`words.py`), by the formula alone. It is the sentence that every form says of
the clause that refuses (`refusal.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, frozen

from shardproof_models.language.terms import Literal, Symbol, Term, Variable

from ..readings.generated import Check, Generated
from ..trace import Step
from . import words
from .cells import Naming
from .chronicle import Past

#: What the parameters of an action stand for.
Given = Mapping[Variable, int]


@frozen(eq=False)
class Formula:
    """A formula over the parameters of an action, ready to be looked at again and again."""

    check: Check
    #: Whether it says that something is not so, and then what.
    denied: bool
    whole: tuple[str, ...]
    said: tuple[str, ...]
    #: What a comparison compares, where that is more than a parameter.
    sides: tuple[tuple[tuple[str, ...], type[Term], Term], ...]
    #: Where all of it is a relation of the world, or that it does not hold.
    relation: Term | None
    #: The relations of which one has to hold, where that is all of it.
    either: tuple[Term, ...]
    #: Whether it speaks of the world at all, and not only of the topology.
    changes: bool

    def text(self, names: Sequence[str]) -> str:
        """The formula with what its parameters stand for."""
        return filled(self.whole, names)


@define(eq=False)
class Reasons:
    """Sentences about formulas, along a trace of these steps."""

    generated: Generated
    name: Naming
    steps: Sequence[Step]

    def why(
        self,
        part: Formula,
        given: Given,
        names: Sequence[str],
        past: Past,
        since: int | None,
        *,
        earlier: bool,
    ) -> str:
        """
        Why, and since when, `part` is false in `past`: in plain words with the formula, or that alone.

        `since` is the step that made it so, if one did; `earlier`, that this is the step that is told.
        """
        text = filled(part.said, names)
        if plain := self._plainly(part, given, past, since, earlier):
            return f"{plain} ({'' if part.denied else 'not '}`{text}`)"
        compared = ", ".join(
            f"{filled(side, names)} is {self.name(sort, value)}"
            for side, sort, term in part.sides
            if (value := self.value(term, given, past)) is not None
        )
        if since is not None:
            said = (
                f"`{text}` became {'true' if part.denied else 'false'} at {_called(self.steps[since], since)}"
            )
            return f"{said}: {compared}" if compared else said
        if not part.changes:
            return compared or f"`{text}` is {'so' if part.denied else 'not so'}"
        if part.denied:
            return f"`{text}` from the beginning"
        return f"no step makes `{text}` true" + (f" ({compared})" if compared else "")

    def _plainly(self, part: Formula, given: Given, past: Past, since: int | None, earlier: bool) -> str:
        """The same for who knows nothing of formulas, as far as there are words."""
        step = None if since is None else self.steps[since]
        when = "" if step is None or since is None else f"since {_called(step, since)}"
        if part.relation is not None:
            relation, about = part.relation.head.name, self._named(part.relation, given, past)
            if about is None:
                return ""
            if step is not None and since is not None and (event := words.event(relation, about, step)):
                return f"{event} earlier in this step" if earlier else f"{event} at step {since + 1}"
            said = words.fact(relation, about, holds=part.denied)
            # What is not so, no step has made so; of what is so, one wants to know since when.
            when = when or ("from the beginning" if part.denied else "")
            when = f"any more {when}" if when and not part.denied else when
            return f"{said} {when}".rstrip() if said else ""
        parts = [self._worth(term, given, past) for _, _, term in part.sides]
        for term in part.either:
            about = self._named(term, given, past)
            parts.append("" if about is None else words.fact(term.head.name, about, holds=False))
        said = ", and ".join(dict.fromkeys(parts))
        return (f"{said}, {when}" if when else said) if parts and all(parts) else ""

    def _named(self, term: Term, given: Given, past: Past) -> list[str] | None:
        """What the arguments of a term are called; `None` where one of them is not known."""
        known = [(type(a), self.value(a, given, past)) for a in term.args]
        named = [self.name(sort, value) for sort, value in known if value is not None]
        return named if len(named) == len(known) else None

    def _worth(self, term: Term, given: Given, past: Past) -> str:
        """What a function is worth, in plain words; empty where there are none."""
        about, value = self._named(term, given, past), self.value(term, given, past)
        if about is None or value is None or not isinstance(term.head, Symbol):
            return ""
        return words.value(term.head.name, about, self.name(type(term), value))

    def value(self, term: Term, given: Given, past: Past) -> int | None:
        """What a term is worth; `None` of what is more than functions of functions."""
        head, generated = term.head, self.generated
        if isinstance(head, Literal):
            return int(head.value)
        if isinstance(head, Variable):
            return given.get(head)
        if not isinstance(head, Symbol):
            return None
        args = [self.value(a, given, past) for a in term.args]
        known = [a for a in args if a is not None]
        if len(known) < len(args):
            return None
        if head in generated.index:
            return generated.cell(past, head, *known)
        return generated.constant(head, *known) if head in generated.rigid_index else None


def filled(template: tuple[str, ...], names: Sequence[str]) -> str:
    """The text of a formula with what its parameters stand for."""
    return "".join(names[int(piece)] if i % 2 else piece for i, piece in enumerate(template))


def _called(step: Step, index: int) -> str:
    """A step as one speaks of it within a sentence: "step 6, restart at B"."""
    return f"step {index + 1}, {step.action} at {step.at}"
