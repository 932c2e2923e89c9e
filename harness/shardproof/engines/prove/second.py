"""
A second opinion: cvc5 reads each obligation as it is printed, and shares no line with the first solver.

What is asked is the text of the certificate, so its printer is checked as well. Confirmed is
confirmed; an unknown is said; that one solver proves what the other refutes is an error of
ours or theirs, and no verdict can stand on it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec

from attrs import frozen

from ...errors import EXIT_BROKE, ShardproofError, UsageError
from .certificate import script
from .obligations import Obligation


class Opinion(enum.Enum):
    """What the second solver says of an obligation that the first has proved."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@frozen
class Confirmed:
    """How many obligations the second solver confirms, and of which it knows nothing."""

    count: int
    unknown: tuple[str, ...] = ()


class SolversDisagreeError(ShardproofError):
    """One solver proves what the other refutes."""

    exit_code = EXIT_BROKE

    def __init__(self, obligation: str) -> None:
        super().__init__(
            f"two solvers disagree about {obligation!r}",
            expected="unsat, says z3",
            got="sat, says cvc5",
            help="this is a defect of shardproof or of a solver: please report it, with the file of "
            "prove --certificate",
        )


def must_be_installed() -> None:
    """Raises `UsageError` where there is no second solver."""
    if find_spec("cvc5") is None:
        raise UsageError(
            "the second solver is not installed",
            expected="the extra `cvc5` of shardproof",
            help="pip install 'shardproof[cvc5]', or leave out --confirm",
        )


def confirm(
    proved: Iterable[Obligation], *, timeout_ms: int, progress: Callable[[Mapping[str, int]], None]
) -> Confirmed:
    """What the second solver says of obligations that the first has proved. Raises `SolversDisagreeError`."""
    count = 0
    unknown: list[str] = []
    for obligation in proved:
        text = script(obligation)
        opinion = ask(text, timeout_ms // 4)
        if opinion is Opinion.UNKNOWN:
            # Slower, and it finds the element that somebody has to think of: who has executed a receipt.
            opinion = ask(text, timeout_ms, "enum-inst")
        if opinion is Opinion.REFUTED:
            raise SolversDisagreeError(obligation.name)
        if opinion is Opinion.CONFIRMED:
            count += 1
        else:
            unknown.append(obligation.name)
        progress({"confirmed": count, "unknown": len(unknown)})
    return Confirmed(count, tuple(unknown))


def ask(text: str, timeout_ms: int, *options: str) -> Opinion:
    """What cvc5 answers to a script in SMT-LIB 2 that ends with one question, with these options on."""
    import cvc5

    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("tlimit-per", str(timeout_ms))
    for option in options:
        solver.setOption(option, "true")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    symbols, answer = parser.getSymbolManager(), ""
    while not (command := parser.nextCommand()).isNull():
        answer = str(command.invoke(solver, symbols)).strip() or answer
    return {"unsat": Opinion.CONFIRMED, "sat": Opinion.REFUTED}.get(answer, Opinion.UNKNOWN)
