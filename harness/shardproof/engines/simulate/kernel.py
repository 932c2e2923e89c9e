"""The compiled walks, and why they are believed: at first use, they are those of Python, step by step."""

from __future__ import annotations

from attrs import frozen

from ...errors import DisagreementError
from ...readings.native.compiler import cached, library
from ...readings.native.program import Sentences
from ...readings.native.walking import Walker, Walks, walks_of
from .python import PythonWalker
from .question import Question
from .tally import Tally

#: Steps between two looks at the clock, of worlds of one word; wider ones take longer.
AT_ONCE = 1_000_000

#: How many steps Python takes to compare; among them are the ends of walks, if these are not longer.
COMPARED = 400


@frozen(eq=False)
class KernelWalker:
    """Walks on where it has stopped."""

    question: Question
    walker: Walker

    @classmethod
    def of(cls, question: Question, made: Walks) -> KernelWalker:
        """Compiled walks, checked if they are new. Raises `CompilerError` and `DisagreementError`."""
        walker = Walker(made, library(made.source), question.length, question.seed)
        if walker.library.fresh:
            must_agree(question, made, cls(question, walker))
            walker.library.keep()
        return cls(question, Walker(made, walker.library, question.length, question.seed))

    @classmethod
    def cached(cls, question: Question, made: Walks) -> KernelWalker | None:
        """Compiled walks, if they have been compiled before. Raises `CompilerError`."""
        kept = cached(made.source)
        return None if kept is None else cls(question, Walker(made, kept, question.length, question.seed))

    @property
    def at_once(self) -> int:
        """Steps between two looks at the clock."""
        return AT_ONCE // self.walker.walks.packing.words

    def go_on(self, steps: int) -> None:
        """Until so many steps were taken in all, or one of them violates something."""
        self.walker.go_on(steps)

    def tally(self) -> Tally:
        """What was counted so far."""
        walker, made = self.walker, self.walker.walks
        taken = dict.fromkeys((a.name for a in self.question.protocol.actions), 0)
        for (action, _), count in zip(made.attempts, walker.counts("taken"), strict=False):
            taken[action.name] += count
        cut: dict[tuple[str, str], int] = {}
        for beyond, count in zip(made.beyond, walker.counts("cuts")[1:], strict=True):
            if count:
                cut[beyond.symbol, beyond.sort] = cut.get((beyond.symbol, beyond.sort), 0) + count
        shown, seen = walker.counts("shown"), walker.counts("seen")
        return Tally(
            walker.count("steps"),
            walker.count("number"),
            walker.count("deepest"),
            {length: n for length, n in enumerate(walker.counts("ended")) if n},
            taken,
            tuple(shown[k] + seen[k] for k in range(made.witnesses)),
            cut,
            frozenset(
                (b.symbol, b.sort)
                for b, met in zip(made.beyond, walker.counts("unread")[1:], strict=True)
                if met
            ),
            walker.distinct.estimate,
            bool(walker.count("violated")),
            bool(walker.count("stuck")),
            tuple(made.attempts[number] for number in walker.path),
        )


def program(question: Question) -> Walks:
    """The program of the walks of `question`. Raises `TooWideError`."""
    asked = (question.invariants, question.steps, question.witnesses)
    sentences = Sentences(*(tuple(p.formula for p in properties) for properties in asked))
    return walks_of(question.protocol, question.scope, sentences)


def must_agree(question: Question, made: Walks, kernel: KernelWalker) -> None:
    """Raises `DisagreementError` unless compiled walks are those of Python: their steps and all counts."""
    python = PythonWalker(question, made.packing)
    for steps in (COMPARED // 4, COMPARED):
        python.go_on(steps)
        kernel.go_on(steps)
        ours, theirs = python.tally(), kernel.tally()
        for what, expected, got in (
            ("the steps of a walk", ours.path, theirs.path),
            ("the worlds of a walk", python.stepping.generated.plain(python.at), kernel.walker.at),
            ("what is violated", ours.violated, theirs.violated),
            ("steps and walks", (ours.steps, ours.walks, ours.deepest), _extent(theirs)),
            ("where walks end", ours.ended, theirs.ended),
            ("actions", ours.taken, theirs.taken),
            ("witnesses", ours.shown, theirs.shown),
            ("different worlds", ours.distinct, theirs.distinct),
            # Of several numbers that leave their range in one step, the readings need not name the same.
            ("steps that were cut", sum(ours.cut.values()), sum(theirs.cut.values())),
        ):
            if expected != got:
                raise disagreement(question, f"they tell {what} differently", expected, got)


def _extent(tally: Tally) -> tuple[int, int, int]:
    return tally.steps, tally.walks, tally.deepest


def disagreement(
    question: Question, what: str, expected: object = None, got: object = None
) -> DisagreementError:
    """That compiled walks and those of Python disagree, and where."""
    return DisagreementError(
        f"two readings of {question.protocol.name} disagree: {what}",
        expected=expected,
        got=got,
        help="this is a mistake in shardproof, not in the protocol: please report it",
    )
