"""
The obligations as files, for any solver that reads SMT-LIB 2: each says `unsat` if it holds.

They are printed from the terms, not by the solver that proved them, so they check its reading
too. Names depend on the protocol only: two certificates can be compared file by file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Binder, Bool, Literal, Number, Op, Symbol, Term, Variable

from ...errors import UsageError
from .obligations import Obligation

#: The version of the manifest.
FORMAT = "shardproof-certificate/1"

_WRITTEN: Mapping[Op, str] = {
    Op.AND: "and",
    Op.OR: "or",
    Op.NOT: "not",
    Op.IMPLIES: "=>",
    Op.EQ: "=",
    Op.LT: "<",
    Op.LE: "<=",
    Op.ADD: "+",
    Op.SUB: "-",
    Op.ITE: "ite",
    Op.FORALL: "forall",
    Op.EXISTS: "exists",
}


def write(directory: Path, protocol: Protocol, obligations: tuple[Obligation, ...]) -> None:
    """One file for each obligation, and `manifest.json`. Raises `UsageError` where it cannot write."""
    entries = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for number, obligation in enumerate(obligations):
            text = script(obligation)
            name = f"{number:04}-{re.sub('[^a-z0-9]+', '-', obligation.name.lower()).strip('-')}.smt2"
            (directory / name).write_text(text, encoding="utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            entries.append(
                {"obligation": obligation.name, "file": name, "expected": "unsat", "sha256": digest}
            )
        manifest = {
            "format": FORMAT,
            "protocol": protocol.name,
            "layers": [layer.name for layer in protocol.layers],
            "obligations": entries,
        }
        (directory / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the certificate cannot be written: {directory}",
            got=error.strerror or str(error),
            help="name a folder that can be written",
        ) from error


def script(obligation: Obligation) -> str:
    """The question whether the hypotheses can hold and the goal fail."""
    printer = _Printer()
    claims = [printer.write(t) for t in (*obligation.hypotheses, obligation.guard, ~obligation.goal)]
    lines = [f"; {obligation.name}", "(set-logic ALL)", *printer.declared]
    return "\n".join([*lines, *(f"(assert {claim})" for claim in claims), "(check-sat)"]) + "\n"


@define
class _Printer:
    """Terms as text, and the declarations that they need, in order of first mention."""

    declared: list[str] = field(factory=list)
    _known: set[type[Term] | Symbol[Any, Any]] = field(factory=set)
    _variables: dict[Variable, str] = field(factory=dict)
    _count: int = 0

    def write(self, term: Term) -> str:
        """`term`, whose variables are free until a binder says otherwise."""
        head = term.head
        if isinstance(head, Variable):
            if head not in self._variables:
                # Free in the whole obligation: some value, about which only the assertions say more.
                self.declared.append(f"(declare-const {self._name(head)} {self._sort(type(term))})")
            return self._variables[head]
        if isinstance(head, Literal):
            value = str(head.value).lower()
            return f"(- {value[1:]})" if value.startswith("-") else value
        if isinstance(head, Binder):
            return self._bound(head, term.args[0])
        if isinstance(head, Symbol):
            self._declare(head)
        name = head.name if isinstance(head, Symbol) else _WRITTEN[head]
        return f"({' '.join([name, *map(self.write, term.args)])})" if term.args else name

    def _bound(self, binder: Binder, body: Term) -> str:
        # A variable may be bound in one place and free in another: each time, it gets a new name.
        outside = dict(self._variables)
        bound = " ".join(f"({self._name(v.head)} {self._sort(type(v))})" for v in binder.variables)
        text = f"({_WRITTEN[binder.op]} ({bound}) {self.write(body)})"
        for v in binder.variables:
            del self._variables[v.head]
        self._variables |= outside
        return text

    def _name(self, variable: Variable) -> str:
        self._count += 1
        # An apostrophe, as in d', is no part of a plain symbol.
        self._variables[variable] = f"{re.sub('[^A-Za-z0-9_]', '_', variable.name)}!{self._count}"
        return self._variables[variable]

    def _declare(self, symbol: Symbol[Any, Any]) -> None:
        if symbol not in self._known:
            self._known.add(symbol)
            domain = " ".join(self._sort(type(p)) for p in symbol.parameters)
            self.declared.append(f"(declare-fun {symbol.name} ({domain}) {self._sort(symbol.sort)})")

    def _sort(self, sort: type[Term]) -> str:
        if issubclass(sort, Bool | Number):
            return "Bool" if issubclass(sort, Bool) else "Int"
        if sort not in self._known:
            self._known.add(sort)
            self.declared.append(f"(declare-sort {sort.__name__} 0)")
        return sort.__name__
