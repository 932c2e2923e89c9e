"""
The arrows between the parts of the tree, and the habits that keep them readable, as data.

Each rule says what is forbidden where, and why; `RULES` is the list, in the order of the
design. A rule reads source text and imports nothing, so it also holds for code that no test
runs. `CAUGHT` breaks every rule on purpose, because a rule that cannot fail is a comment.

Two tables, the rules and what breaks them, are half of the file; the rest reads Python.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Protocol

import attrs
import pytest
from attrs import define, frozen

TOP = Path(__file__).parents[1]
ROOTS = {"shardproof_models": "models", "shardproof_properties": "properties", "shardproof": "harness"}
OURS = tuple(ROOTS)

#: The two places where the world outside enters: the command, and pytest's command line.
FRONT_DOORS = ("shardproof.cli", "shardproof.pytest_plugin")


def within(name: str, places: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of `places` or lies below one; a place may end in a pattern."""
    return any(fnmatchcase(name, place) or fnmatchcase(name, f"{place}.*") for place in places)


# ---- reading a module --------------------------------------------------------------------------------


@frozen
class Import:
    """One imported name, at one line. Of `from a import b`, `a` and `a.b` are both possible modules."""

    line: int
    names: tuple[str, ...]

    def may_be(self, places: tuple[str, ...]) -> bool:
        """Whether this import reaches into one of `places`."""
        return any(within(name, places) for name in self.names)


@define(slots=False)
class Module:
    """The source of a module under its dotted name."""

    name: str
    source: str
    package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        """What the parser makes of the source."""
        return ast.parse(self.source, self.name)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """What it imports: anywhere, also inside functions, for types only, or by a literal name."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[Import]:
        for node in ast.walk(self.tree):
            match node:
                case ast.Import():
                    yield from (Import(node.lineno, (alias.name,)) for alias in node.names)
                case ast.ImportFrom():
                    base = self._absolute(node)
                    yield from (Import(node.lineno, (base, f"{base}.{alias.name}")) for alias in node.names)
                case ast.Call(args=[ast.Constant(value=str(name)), *_]) if self.dotted(node.func) in DYNAMIC:
                    yield Import(node.lineno, (name,))

    def _absolute(self, node: ast.ImportFrom) -> str:
        here = self.name.split(".")
        package = here if self.package else here[:-1]
        parents = package[: len(package) - node.level + 1] if node.level else []
        return ".".join([*parents, *([node.module] if node.module else [])])

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Local names of imported things, with what they stand for."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.asname: alias.name for alias in node.names if alias.asname}
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
        return found

    def dotted(self, node: ast.expr) -> str:
        """`a.b.c` as it is known to the whole program; empty where it is not a plain name."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            head = self.dotted(node.value)
            return f"{head}.{node.attr}" if head else ""
        return ""

    @cached_property
    def uses(self) -> tuple[tuple[int, str], ...]:
        """Line and name of every plain name that is read."""
        return tuple(
            (node.lineno, name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name | ast.Attribute) and (name := self.dotted(node))
        )

    def at(self, line: int, what: str) -> str:
        """One violation, as a person would want to find it."""
        return f"{self.name}:{line} {what}"


DYNAMIC = ("importlib.import_module", "import_module", "__import__")


def modules() -> Iterator[Module]:
    """Every module of the three packages, as it is now."""
    for root in ROOTS.values():
        for path in sorted((TOP / root).rglob("*.py")):
            parts = path.relative_to(TOP / root).with_suffix("").parts
            package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if package else parts)
            yield Module(name, path.read_text(encoding="utf-8"), package)


MODULES = tuple(modules())


# ---- kinds of rules ----------------------------------------------------------------------------------


class Rule(Protocol):
    """Something that every module must keep to."""

    @property
    def id(self) -> str:
        """What the rule is called in the output of pytest."""

    @property
    def because(self) -> str:
        """What is lost where it is broken."""

    def violations(self, module: Module) -> Iterator[str]:
        """Where `module` breaks it."""


@frozen
class ImportsOnly:
    """Below `package`, nothing is imported but the standard library and what lies in `allowed`."""

    id: str
    package: str
    allowed: tuple[str, ...]
    because: str

    def violations(self, module: Module) -> Iterator[str]:
        if not within(module.name, (self.package,)):
            return
        for found in module.imports:
            top = found.names[0].partition(".")[0]
            if top not in sys.stdlib_module_names and not found.may_be(self.allowed):
                yield module.at(found.line, f"imports {found.names[-1]}")


@frozen
class ImportedOnlyBy:
    """`what` is imported by modules in `places` and by no other."""

    id: str
    what: tuple[str, ...]
    places: tuple[str, ...]
    because: str

    def violations(self, module: Module) -> Iterator[str]:
        if not within(module.name, (*self.places, *self.what)):
            for found in module.imports:
                if found.may_be(self.what):
                    yield module.at(found.line, f"imports {found.names[-1]}")


@frozen
class UsedOnlyIn:
    """The names in `what`, and what hangs on them, are used by modules in `places` and by no other."""

    id: str
    what: tuple[str, ...]
    places: tuple[str, ...]
    because: str

    def violations(self, module: Module) -> Iterator[str]:
        if not within(module.name, self.places):
            for line, name in module.uses:
                if name in self.what:
                    yield module.at(line, f"uses {name}")


@frozen
class SiblingsApart:
    """Modules directly below `package` do not import each other."""

    id: str
    package: str
    because: str

    def violations(self, module: Module) -> Iterator[str]:
        if not module.name.startswith(f"{self.package}."):
            return
        own = ".".join(module.name.split(".")[: self.package.count(".") + 2])
        for found in module.imports:
            if found.may_be((f"{self.package}.?*",)) and not found.may_be((own,)):
                yield module.at(found.line, f"imports {found.names[-1]}")


@frozen
class Downwards:
    """In `floors`, lowest first, a module imports from its own floor or a lower one, and each has a floor."""

    id: str
    floors: tuple[tuple[str, ...], ...]
    because: str

    def floor(self, name: str) -> int | None:
        return next((rank for rank, places in enumerate(self.floors) if within(name, places)), None)

    def violations(self, module: Module) -> Iterator[str]:
        if not module.name.startswith("shardproof."):
            return
        own = self.floor(module.name)
        if own is None:
            yield module.at(1, "has no floor: add it to FLOORS where it belongs")
            return
        for found in module.imports:
            floors = [floor for name in found.names if (floor := self.floor(name)) is not None]
            if floors and max(floors) > own:
                yield module.at(found.line, f"imports {found.names[-1]} from above")


@frozen
class SeededRandomness:
    """Randomness is `random.Random(seed)`, made in `places`; the module's own generator is for `doors`."""

    id: str
    places: tuple[str, ...]
    doors: tuple[str, ...]
    because: str

    def violations(self, module: Module) -> Iterator[str]:
        if within(module.name, self.doors):
            return
        for line, name in module.uses:
            if name.startswith("random.") and name.split(".")[1] != "Random":
                yield module.at(line, f"uses {name}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and module.dotted(node.func) == "random.Random":
                if not node.args:
                    yield module.at(node.lineno, "makes random.Random without a seed")
                elif not within(module.name, self.places):
                    yield module.at(node.lineno, "makes a random.Random")


@frozen
class NoDrawers:
    """No module is named for what does not fit elsewhere."""

    id: str
    names: frozenset[str]
    because: str

    def violations(self, module: Module) -> Iterator[str]:
        if module.name.rpartition(".")[2].strip("_") in self.names:
            yield module.at(1, "is a drawer")


@frozen
class Documented:
    """
    Each module, and each public class and function in it, has a docstring.

    The signatures of an overloaded function share the one of its implementation.
    """

    id: str
    because: str

    def violations(self, module: Module) -> Iterator[str]:
        if not ast.get_docstring(module.tree):
            yield module.at(1, "has no docstring")
        for node in module.tree.body:
            if (
                isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
                and not any(module.dotted(each) == "typing.overload" for each in node.decorator_list)
            ):
                yield module.at(node.lineno, f"{node.name} has no docstring")


# ---- the rules ---------------------------------------------------------------------------------------

#: The floors of the harness, from the ground up.
FLOORS = (
    # What everything may say: errors, values, and what was asked for.
    ("shardproof.errors", "shardproof.series", "shardproof.strict_json"),
    (
        "shardproof.files",
        "shardproof.foreign",
        "shardproof.parts",
        "shardproof.progress",
        "shardproof.schema",
        "shardproof.settings",
        "shardproof.stopping",
        "shardproof.streams",
    ),
    (
        "shardproof.adapter",
        "shardproof.coverage",
        "shardproof.loading",
        "shardproof.readings",
        "shardproof.trace",
    ),
    ("shardproof.model_instance",),
    ("shardproof.story.told", "shardproof.itf.names", "shardproof.itf.values"),
    # A system on one side, the model on the other.
    (
        "shardproof.adapters",
        "shardproof.adversary",
        "shardproof.multiproofs",
        "shardproof.narrowed",
        "shardproof.system",
        "shardproof.verdict",
    ),
    (
        "shardproof.deeds",
        "shardproof.ledger",
        "shardproof.observable",
        "shardproof.model_trace",
        "shardproof.oracle",
    ),
    ("shardproof.itf.states", "shardproof.moves", "shardproof.trace_file"),
    # Both of them side by side, then whole runs, then better ones.
    ("shardproof.record",),
    ("shardproof.forget", "shardproof.judge", "shardproof.model_recorded", "shardproof.presented"),
    ("shardproof.observer",),
    ("shardproof.acts",),
    ("shardproof.lockstep",),
    ("shardproof.traffic",),
    ("shardproof.relaying",),
    ("shardproof.attacks",),
    ("shardproof.runs", "shardproof.schedule", "shardproof.tours"),
    ("shardproof.shrink", "shardproof.render", "shardproof.together"),
    ("shardproof.compared", "shardproof.shortest", "shardproof.explanation"),
    ("shardproof.replay", "shardproof.model_replay"),
    # Who searches, and who asks them to.
    ("shardproof.engines", "shardproof.state_machine"),
    ("shardproof.rehearsal",),
    ("shardproof.selection", "shardproof.subject"),
    ("shardproof.random_runs", "shardproof.story", "shardproof.testing"),
    ("shardproof.itf",),
    ("shardproof.deviations",),
    # What a user's own folder holds may use any of it, and is used by nothing.
    ("shardproof.templates",),
    ("shardproof.commands",),
    (
        "shardproof.cli",
        "shardproof.conformance",
        "shardproof.failures",
        "shardproof.flags",
        "shardproof.pytest_plugin",
    ),
)

EVM = ("pyrevm", "eth_abi", "faster_eth_abi", "eth_hash", "coincurve")

#: Libraries of systems under test, each in an extra of its own.
SYSTEMS = (*EVM, "eventsourcing", "nacl", "nats", "pytoniq_core", "pytvm")

RULES: tuple[Rule, ...] = (
    ImportsOnly(
        "models-stand-alone",
        "shardproof_models",
        ("attrs", "attr", "shardproof_models"),
        because="what the protocol means is true without any harness, and must be readable and usable so",
    ),
    ImportsOnly(
        "properties-know-models",
        "shardproof_properties",
        ("attrs", "attr", "shardproof_models", "shardproof_properties"),
        because="a sentence about the protocol does not depend on how it is checked",
    ),
    ImportsOnly(
        "harness-uses-declared-libraries",
        "shardproof",
        ("attrs", "attr", "click", "cvc5", "hypothesis", "pytest", "rich", "z3", *SYSTEMS, *OURS),
        because="what pyproject.toml does not name is missing on the machine of a user",
    ),
    ImportsOnly(
        "adapters-translate",
        "shardproof.adapters",
        (
            "attrs",
            "shardproof.adapter",
            "shardproof.adapters",
            "shardproof.errors",
            "shardproof.loading",
            "shardproof.parts",
            "shardproof_models.shards",
            *SYSTEMS,
        ),
        because="an adapter that knows the properties or the engines could decide what it should report",
    ),
    Downwards(
        "harness-looks-down",
        FLOORS,
        because="what is below can be read, tested and replaced without what is above",
    ),
    SiblingsApart(
        "engines-apart",
        "shardproof.engines",
        because="each engine is a second opinion on the others",
    ),
    ImportedOnlyBy(
        "the-command-is-last",
        ("shardproof.cli",),
        (),
        because="the command line takes arguments in and exit codes out; logic in it is out of reach",
    ),
    ImportedOnlyBy(
        "z3-at-its-boundary",
        ("z3", "cvc5"),
        ("shardproof.readings.smt", "shardproof.engines.prove*"),
        because="the solver is untyped and slow to import; everything else speaks in terms",
    ),
    ImportedOnlyBy(
        "hypothesis-at-its-boundary",
        ("hypothesis",),
        ("shardproof.engines.fuzz.drawn", "shardproof.state_machine", "shardproof.templates.*.test_*"),
        because="traces replay without it, and importing it costs more than replaying most of them",
    ),
    ImportedOnlyBy(
        "pytest-at-its-boundary",
        ("pytest", "_pytest"),
        ("shardproof.pytest_plugin", "shardproof.conformance", "shardproof.templates.*.test_*"),
        because="it is no dependency of the package",
    ),
    ImportedOnlyBy(
        "systems-in-adapters",
        SYSTEMS,
        ("shardproof.adapters",),
        because="one system's libraries are nobody else's business, and belong to an extra",
    ),
    ImportedOnlyBy(
        "processes-at-their-boundary",
        ("subprocess", "multiprocessing", "pty"),
        (
            "shardproof.parts",
            "shardproof.adapters.process",
            "shardproof.adapters.evm.anvil",
            "shardproof.adapters.evm.compiler",
            "shardproof.adapters.nats_broker",
            "shardproof.commands.workers",
            "shardproof.readings.native.compiler",
        ),
        because="a process is started where it is the subject: a part being fetched, a system under test, "
        "a compiler, those who share the work of a command",
    ),
    ImportedOnlyBy(
        "terminal-at-the-edge",
        ("click", "rich"),
        (
            "shardproof.cli",
            "shardproof.failures",
            "shardproof.flags",
            "shardproof.progress",
            "shardproof.render",
        ),
        because="engines return verdicts, and only the command line prints them",
    ),
    UsedOnlyIn(
        "print-at-the-edge",
        ("print", "builtins.print", "input", "sys.stdout.write", "sys.stderr.write"),
        ("shardproof.cli",),
        because="stdout is the result, one JSON object with --json, and a stray line breaks it",
    ),
    ImportedOnlyBy(
        "clocks-at-the-door",
        ("time", "secrets", "uuid"),
        # How long a process is waited for decides whether there is an answer, and not which; and a name that
        # is made of another one (uuid5) is always the same.
        (
            *FRONT_DOORS,
            "shardproof.parts",
            "shardproof.progress",
            "shardproof.adapters.process.child",
            "shardproof.adapters.event_sourced_shard",
        ),
        because="a search that reads the clock or entropy itself cannot be repeated from its seed",
    ),
    UsedOnlyIn(
        "environment-at-the-door",
        (
            "os.environ",
            "os.getenv",
            "os.putenv",
            "os.urandom",
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
        ),
        # Which compiler there is decides how fast an answer comes, and not which.
        (*FRONT_DOORS, "shardproof.parts", "shardproof.progress", "shardproof.readings.native.compiler"),
        because="settings travel as values, so that a run is a function of its arguments",
    ),
    SeededRandomness(
        "randomness-from-a-seed",
        ("shardproof.engines",),
        FRONT_DOORS,
        because="a finding without its seed is a rumour",
    ),
    UsedOnlyIn(
        "code-is-not-data",
        ("exec", "eval", "compile", "builtins.exec", "builtins.eval", "builtins.compile"),
        ("shardproof.readings",),
        because="a trace is data; the only code made at run time is the protocol's own, by one reading",
    ),
    UsedOnlyIn(
        "modules-by-name",
        DYNAMIC,
        ("shardproof.loading", "shardproof.subject"),
        because="only an adapter or a protocol that the command line names is ever imported by name",
    ),
    ImportedOnlyBy(
        "no-executable-data",
        ("pickle", "marshal", "shelve", "dill", "cloudpickle"),
        # A snapshot is made and read by one process, and is in no file.
        ("shardproof.adapters.snapshots",),
        because="loading any of these runs what the file says",
    ),
    NoDrawers(
        "no-drawers",
        frozenset({"utils", "util", "helpers", "helper", "common", "misc", "core", "shared", "junk"}),
        because="a module is found by the idea that it holds",
    ),
    Documented(
        "documented",
        because="the docstring says what one finds here and why, which no code can",
    ),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_holds_for_the_whole_tree(rule: Rule) -> None:
    """
    No module breaks the rule; what a violation costs is in its `because`.
    """
    broken = [violation for module in MODULES for violation in rule.violations(module)]

    assert not broken, "\n".join([f"{rule.id}: {rule.because}", *broken])


#: Rule, the module that breaks it, and how.
CAUGHT = (
    ("models-stand-alone", "shardproof_models.x", "import z3"),
    ("models-stand-alone", "shardproof_models.x", "def f():\n    from shardproof_properties import safety"),
    ("models-stand-alone", "shardproof_models.layers.x", "from ...shardproof import errors"),
    ("properties-know-models", "shardproof_properties.x", "import shardproof.verdict"),
    ("properties-know-models", "shardproof_properties.x", "import hypothesis.strategies as st"),
    ("harness-uses-declared-libraries", "shardproof.engines.x", "import numpy as np"),
    ("adapters-translate", "shardproof.adapters.x", "from shardproof_properties import safety"),
    ("adapters-translate", "shardproof.adapters.x", "from shardproof_models import layers"),
    ("adapters-translate", "shardproof.adapters.x", "from ..engines import fuzz"),
    ("adapters-translate", "shardproof.adapters.x", "from .. import lockstep"),
    ("harness-looks-down", "shardproof.errors", "from . import verdict"),
    ("harness-looks-down", "shardproof.lockstep", "from .engines.fuzz import search"),
    ("harness-looks-down", "shardproof.trace", "from shardproof.render import text"),
    ("harness-looks-down", "shardproof.adapter", "import shardproof.lockstep"),
    ("harness-looks-down", "shardproof.somewhere_else", ""),
    ("engines-apart", "shardproof.engines.explore", "from .fuzz import search"),
    ("engines-apart", "shardproof.engines.prove.induction", "from .. import explore"),
    ("engines-apart", "shardproof.engines.explore", "import shardproof.engines.prove.bounded"),
    ("the-command-is-last", "shardproof.pytest_plugin", "from .cli import main"),
    ("the-command-is-last", "shardproof.engines.fuzz", "from .. import cli"),
    ("z3-at-its-boundary", "shardproof.engines.fuzz", "from z3 import Solver"),
    ("z3-at-its-boundary", "shardproof.cli", "import importlib\nimportlib.import_module('z3')"),
    ("hypothesis-at-its-boundary", "shardproof.lockstep", "import hypothesis"),
    ("pytest-at-its-boundary", "shardproof.cli", "def f():\n    import pytest"),
    ("systems-in-adapters", "shardproof.adversary", "from eth_hash.auto import keccak"),
    ("processes-at-their-boundary", "shardproof.adapters.hyperlane", "from subprocess import run"),
    ("terminal-at-the-edge", "shardproof.engines.prove", "from rich.console import Console"),
    ("print-at-the-edge", "shardproof.engines.prove", "print('ok')"),
    ("print-at-the-edge", "shardproof.lockstep", "from sys import stdout\nstdout.write('ok')"),
    ("clocks-at-the-door", "shardproof.engines.fuzz", "from time import monotonic"),
    ("clocks-at-the-door", "shardproof_models.x", "import secrets"),
    ("environment-at-the-door", "shardproof.engines.fuzz", "import os\nos.environ.get('SEED')"),
    ("environment-at-the-door", "shardproof.trace", "from os import getenv as g\ng('SEED')"),
    ("environment-at-the-door", "shardproof.trace", "from datetime import datetime\ndatetime.now()"),
    ("randomness-from-a-seed", "shardproof.engines.fuzz", "import random\nrandom.choice([1])"),
    ("randomness-from-a-seed", "shardproof.engines.fuzz", "from random import shuffle\nshuffle([])"),
    ("randomness-from-a-seed", "shardproof.engines.fuzz", "import random\nrandom.Random()"),
    ("randomness-from-a-seed", "shardproof.adversary", "from random import Random\nRandom(1)"),
    ("code-is-not-data", "shardproof.trace", "eval('1')"),
    ("code-is-not-data", "shardproof_models.x", "import builtins\nbuiltins.exec('1')"),
    ("modules-by-name", "shardproof.trace", "from importlib import import_module as load\nload(x)"),
    ("no-executable-data", "shardproof.trace", "import pickle"),
    ("no-drawers", "shardproof.engines.utils", ""),
    ("no-drawers", "shardproof_models._core", ""),
    ("documented", "shardproof.x", "x = 1"),
    ("documented", "shardproof.x", '"""A module."""\ndef f(): ...'),
    ("documented", "shardproof.x", '"""A module."""\nclass C: ...'),
)

#: The same rules, and what they must let pass.
ALLOWED = (
    ("models-stand-alone", "shardproof_models.layers.x", "import json, attrs\nfrom .. import y"),
    ("models-stand-alone", "shardproof.cli", "import z3"),
    ("adapters-translate", "shardproof.adapters.x", "from shardproof_models import shards\nimport pyrevm"),
    ("harness-looks-down", "shardproof.engines.fuzz", "from ..lockstep import run\nfrom .. import shrink"),
    ("engines-apart", "shardproof.engines.prove.x", "from . import y\nfrom ..prove import z"),
    ("z3-at-its-boundary", "shardproof.readings.smt.printer", "import z3"),
    ("z3-at-its-boundary", "shardproof.engines.prove_bounded", "import z3"),
    ("print-at-the-edge", "shardproof.lockstep", "console.print('ok')"),
    ("randomness-from-a-seed", "shardproof.engines.fuzz", "import random\nrandom.Random(seed).random()"),
    ("randomness-from-a-seed", "shardproof.adversary", "from random import Random\ndef f(r: Random): ..."),
    ("code-is-not-data", "shardproof.render.text", "import re\nre.compile('x')"),
    ("documented", "shardproof.x", '"""A module."""\ndef _f(): ...'),
    ("documented", "shardproof.x", '"""A module."""\nimport typing\n@typing.overload\ndef f(): ...'),
)


def violations(rule: str, name: str, source: str) -> list[str]:
    (found,) = (each for each in RULES if each.id == rule)
    return list(found.violations(Module(name, source)))


@pytest.mark.parametrize("rule, name, source", CAUGHT)
def test_catches_a_violation(rule: str, name: str, source: str) -> None:
    """
    Code that breaks a rule is reported by that rule, under its own name.
    """
    assert [v.partition(":")[0] for v in violations(rule, name, source)] == [name]


@pytest.mark.parametrize("rule, name, source", ALLOWED)
def test_lets_pass_what_is_meant(rule: str, name: str, source: str) -> None:
    """
    Code that a rule is not about is not reported by it.
    """
    assert violations(rule, name, source) == []


def test_every_rule_has_been_seen_to_fail() -> None:
    """
    There is no rule without an example that breaks it, and no two of one name.
    """
    assert sorted({rule for rule, _, _ in CAUGHT}) == sorted(rule.id for rule in RULES)


def test_reads_every_package() -> None:
    """
    The rules are given modules of all three packages: a moved folder must not silence them.
    """
    assert {module.name.partition(".")[0] for module in MODULES} == set(OURS)


# ---- what only running can show ----------------------------------------------------------------------


def loaded_by(code: str, *flags: str, path: tuple[Path, ...]) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `code`."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, *flags, "-c", f"{code}\n{report}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize("module", [m.name for m in MODULES if m.name in FRONT_DOORS])
def test_starting_takes_no_solver(module: str) -> None:
    """
    Neither the command nor the pytest plugin loads Z3 or Hypothesis before it is asked to search.
    """
    loaded = loaded_by(f"import {module}", path=tuple(TOP / root for root in ROOTS.values()))

    assert "shardproof" in loaded
    assert loaded & {"z3", "hypothesis"} == set()


def test_models_need_nothing_else() -> None:
    """
    With only `models` and attrs on the path, every module of the models can be imported.

    Without site-packages proper (-S), so that an installed harness cannot help out.
    """
    names = [module.name for module in MODULES if module.name.startswith("shardproof_models")]
    libraries = Path(attrs.__file__).parents[1]

    loaded = loaded_by("import " + ", ".join(names), "-S", path=(TOP / "models", libraries))

    assert loaded - sys.stdlib_module_names - {"__main__"} == {"attr", "attrs", "shardproof_models"}
