"""
The C program for a protocol at a scope: what `kernel.c` leaves open.

    successors   the worlds after each attempt that is accepted, in the order of the attempts
    bad, wrong   whether a world violates an invariant, or a step a step property
    look         which witnesses a world is one of
    covered      what each clause made of many worlds: apart from the search, which needs not know
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.terms import Bool

from ..evaluate import World
from ..scope import Layout
from .expression import Beyond, Expression, disjunction, is_partial, negation
from .ground import Instance
from .packing import Packing, must_fit, packing_of
from .reach import Reach, reach
from .reduction import Reduced, Reductions, reduced
from .sentences import Sentences
from .steps import Steps
from .text import Text

__all__ = ["Program", "Sentences", "program"]

_KERNEL = Path(__file__).with_name("kernel.c")

#: A world of one word is cheap to make, also where it is not wanted: cheaper than to guess wrong.
_BRANCHLESS_WORDS = 1


@frozen(eq=False)
class Program:
    """C, and what its numbers mean."""

    layout: Layout
    initial: World
    packing: Packing
    source: str
    #: What may be out of range, by its number, from 1.
    beyond: tuple[Beyond, ...]
    #: Attempts that are made in vain in every world: the clause that refuses them, from 1.
    always_refused: tuple[tuple[Action, int], ...]
    #: Where the counts of each action begin: one for each of its clauses.
    rows: dict[str, int]
    #: The most attempts that any world might accept.
    fanout: int
    witnesses: int
    #: What is searched in place of the protocol, if something was left out.
    reduced: Reduced | None = None


def program(
    layout: Layout, initial: World, sentences: Sentences, reductions: Reductions | None = None
) -> Program:
    """The program for a protocol at a scope, or for what is left of it. Raises `TooWideError`."""
    if reductions is not None:
        left = reduced(layout, sentences, reductions)
        writer = Writer(left.layout, left.initial, left.packing, left.reached, left.sentences, left)
        return writer.program()
    reached = reach(layout, initial, lambda values: must_fit(layout, values))
    packing = packing_of(layout, reached.grounder.values)
    return Writer(layout, initial, packing, reached, sentences).program()


@frozen(eq=False)
class Writer:
    """Writes what is particular to a protocol at a scope, for sentences about it."""

    layout: Layout
    initial: World
    packing: Packing
    reached: Reach
    sentences: Sentences
    reduced: Reduced | None = None
    text: Text = field(init=False)
    steps: Steps = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "text", Text(self.packing))
        object.__setattr__(self, "steps", Steps(self.layout, self.packing, self.text))

    def program(self) -> Program:
        possible = [i for i in self.reached.instances if i.guard != 0]
        rows, row = {}, 0
        for action in self.layout.protocol.actions:
            rows[action.name] = row
            row += len(action.clauses) + 1
        body = [
            *(self._renamed(possible) if self._symmetric else self._steps(possible)),
            *self.bad(),
            *self.look(),
            *self._covered(rows),
        ]
        # Known only now: writing the body numbers what may be out of range.
        head = self.head(FANOUT=max(len(possible), 1))
        generated = "\n".join((*head, *body))
        return Program(
            self.layout,
            self.initial,
            self.packing,
            _KERNEL.read_text(encoding="utf-8").replace("/*GENERATED*/", generated),
            tuple(self.text.beyond),
            tuple(self._in_vain()),
            rows,
            max(len(possible), 1),
            len(self.sentences.witnesses),
            self.reduced,
        )

    def head(self, **sizes: int) -> Iterator[str]:
        """Sizes, and the type of a world: after the body was written, which numbers what leaves its range."""
        sizes |= {
            "WORDS": self.packing.words,
            "WITNESSES": len(self.sentences.witnesses),
            "SITES": len(self.text.beyond),
        }
        yield from (f"#define {name} {size}" for name, size in sizes.items())
        if self.sentences.steps:
            yield "#define STEPS"
        yield "typedef struct { u64 w[WORDS]; } S;"

    @property
    def _symmetric(self) -> bool:
        return self.reduced is not None and bool(self.reduced.symmetry.group)

    def _steps(self, instances: Sequence[Instance]) -> Iterator[str]:
        yield from self._successors(instances, "successors")
        yield from self.wrong()

    def _renamed(self, instances: Sequence[Instance]) -> Iterator[str]:
        """
        The same where only representatives of worlds are kept.

        A step property speaks of the step as it was taken, so it is looked at before the world after it
        is renamed; what was wrong is remembered until `wrong` is asked, which is always at once.
        """
        assert self.reduced is not None
        yield from self.reduced.representatives.text()
        yield from self._successors(instances, "taken")
        looked_at = ""
        if self.sentences.steps:
            yield from self.wrong("breaks")
            yield "static __thread struct { int any; S world; } broken;"
            yield "static inline int wrong(const S x, const S y, u8 *unread) {"
            yield "  (void)x; (void)unread;"
            different = " | ".join(f"(broken.world.w[{k}] ^ y.w[{k}])" for k in range(self.packing.words))
            yield f"  return broken.any && !({different});"
            yield "}"
            looked_at = "int is_broken = !broken.any && breaks(x, out[k], 0);"
        yield "static u32 successors(const S x, S *out, u64 *cuts) {"
        yield "  u32 n = taken(x, out, cuts);"
        if looked_at:
            yield "  broken.any = 0;"
            yield f"  for (u32 k = 0; k < n; k++) {{ {looked_at} out[k] = least(out[k]);"
            yield "    if (is_broken) { broken.any = 1; broken.world = out[k]; } }"
        else:
            yield "  for (u32 k = 0; k < n; k++) out[k] = least(out[k]);"
        yield "  return n;"
        yield "}"

    def _successors(self, instances: Sequence[Instance], name: str) -> Iterator[str]:
        yield f"static u32 {name}(const S x, S *out, u64 *cuts) {{"
        yield "  u32 n = 0;"
        for instance in instances:
            lines, plain = self.steps.effects(instance)
            may_fail = is_partial(instance.guard) or any("cut" in line for line in lines)
            yield f"  /* {instance.action.name}{instance.args} */"
            effects = " ".join(lines)
            guard = self.text.number(instance.guard)
            if may_fail:
                yield f"  {{ int cut = 0; if ({guard} && !cut) {{ S y = x; {effects}"
                yield "    if (cut) ++*cuts; else out[n++] = y; } else *cuts += cut != 0; }"
            elif plain and self.packing.words <= _BRANCHLESS_WORDS:
                yield f"  {{ S y = x; {effects} out[n] = y; n += {guard}; }}"
            else:
                yield f"  if ({guard}) {{ S y = x; {effects} out[n++] = y; }}"
        yield "  return n;"
        yield "}"

    def _grounded(self, formulas: tuple[Bool, ...]) -> list[Expression]:
        return [self.reached.grounder.expression(self.layout.protocol.expand(f), {}) for f in formulas]

    def _violated(self, formulas: tuple[Bool, ...]) -> Iterator[str]:
        grounded = self._grounded(formulas)
        for holds in filter(is_partial, grounded):
            yield f"  {{ int cut = 0; int holds = {self.text.number(holds)};"
            # What could not be evaluated is not violated, but it was not checked either.
            yield "    if (cut) unread[cut] = 1; else if (!holds) return 1; }"
        violated = disjunction(negation(e) for e in grounded if not is_partial(e))
        yield f"  return {self.text.number(violated)};"

    def bad(self) -> Iterator[str]:
        """Whether a world violates an invariant."""
        yield "static inline int bad(const S x, u8 *unread) {"
        yield from self._violated(self.sentences.invariants)
        yield "}"

    def wrong(self, name: str = "wrong") -> Iterator[str]:
        """Whether a step violates a step property."""
        if self.sentences.steps:
            yield f"static inline int {name}(const S x, const S y, u8 *unread) {{"
            yield from self._violated(self.sentences.steps)
            yield "}"

    def look(self) -> Iterator[str]:
        """Which witnesses a world is one of."""
        yield "static inline void look(const S x, u8 *seen, u8 *unread) {"
        for number, holds in enumerate(self._grounded(self.sentences.witnesses)):
            yield f"  if (!seen[{number}]) {{ int cut = 0, holds = {self.text.number(holds)};"
            yield f"    if (cut) unread[cut] = 1; else seen[{number}] = holds; }}"
        yield "}"

    # ---- what each clause did ---------------------------------------------------------------------

    def _in_vain(self) -> Iterator[tuple[Action, int]]:
        if self.reduced is not None:
            # Clauses are not counted where worlds and attempts are left out.
            return
        for instance in self.reached.instances:
            if (refusing := _first_false(instance)) is not None:
                yield instance.action, refusing + 1

    def _covered(self, rows: dict[str, int]) -> Iterator[str]:
        """`decided[row of the action]` counts what was accepted, and behind it what each clause refused."""
        yield "static void covered(const S *worlds, u64 count, u64 *decided, u64 *cuts) {"
        for instance in self.reached.instances:
            if _first_false(instance) is None:
                yield f"  /* {instance.action.name}{instance.args} */"
                yield from self._decided(instance, rows[instance.action.name])
        yield "}"

    def _decided(self, instance: Instance, row: int) -> Iterator[str]:
        lines = self.steps.effects(instance)[0] if instance.guard != 0 else []
        failing = any("cut" in line for line in lines)
        if self.reduced is not None and not failing and not any(map(is_partial, instance.clauses)):
            return
        if failing or any(map(is_partial, instance.clauses)):
            yield "  for (u64 k = 0; k < count; k++) {"
            yield "    const S x = worlds[k]; int cut = 0, clause = 0;"
            for number, clause in enumerate(instance.clauses, 1):
                if clause != 1:
                    yield f"    if (!cut && !clause && !{self.text.number(clause)}) clause = {number};"
            if failing:
                yield f"    if (!cut && !clause) {{ S y = x; {' '.join(lines)} (void)y; }}"
            yield f"    if (cut) cuts[cut]++; else decided[{row} + clause]++;"
            yield "  }"
            return
        # Counting is branchless, so that the compiler can do several worlds at a time.
        telling = [(k, c) for k, c in enumerate(instance.clauses, 1) if c != 1]
        passed = ["count", *(f"n{k}" for k, _ in telling)]
        yield "  {"
        if telling:
            yield f"    u64 {', '.join(f'n{k} = 0' for k, _ in telling)};"
            yield "    for (u64 k = 0; k < count; k++) { const S x = worlds[k]; u64 p = 1;"
            for number, clause in telling:
                yield f"      p &= {self.text.number(clause)}; n{number} += p;"
            yield "    }"
        for (number, _), before, after in zip(telling, passed, passed[1:], strict=False):
            yield f"    decided[{row + number}] += {before} - {after};"
        yield f"    decided[{row}] += {passed[-1]};"
        yield "  }"


def _first_false(instance: Instance) -> int | None:
    """The clause that refuses this attempt in every world, if all before it are always true."""
    for number, clause in enumerate(instance.clauses):
        if clause == 0:
            return number
        if clause != 1:
            return None
    return None
