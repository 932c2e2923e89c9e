"""
The flags that commands share, each with one meaning and one help text.

Values are text here and are read in `settings`, by the words that the environment and
pyproject.toml use too. Names of Python that stand for a flag are those of the settings.
A flag of one command only stands at that command, in `cli`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from .errors import UsageError
from .render.help import HOW_MUCH, OUTPUT, WHAT, Flag

F = TypeVar("F", bound=Callable[..., Any])


def _flag(name: str, group: str, metavar: str, help: str, **more: Any) -> Callable[[F], F]:
    return click.option(f"--{name}", name, cls=Flag, group=group, metavar=metavar, help=help, **more)


def _only_one(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> str | None:
    if len(given) > 1:
        raise UsageError(
            "more than one adapter",
            got=", ".join(given),
            help="shardproof fuzz compares several; this command looks at one",
        )
    return given[0] if given else None


_FLAGS: Mapping[str, Callable[[F], F]] = {
    "adapter": _flag(
        "adapter",
        WHAT,
        "NAME",
        "The system: a name from `list adapters`, or module:Class or cmd:COMMAND of yours.",
        multiple=True,
        callback=_only_one,
    ),
    "adapters": click.option(
        "--adapter",
        "adapter",
        cls=Flag,
        group=WHAT,
        metavar="NAME",
        multiple=True,
        help="The system: a name from `list adapters`, or module:Class or cmd:COMMAND of yours. Given again, "
        "another one: where the two differ.",
    ),
    "stack": _flag("stack", WHAT, "NAME", "The protocol, as a stack of layers from `list stacks`."),
    "protocol": _flag(
        "protocol", WHAT, "NAME", "The protocol: a stack, or module:NAME of your own (shardproof.subject)."
    ),
    "layers": _flag("layers", WHAT, "A,B,...", "The protocol, layer by layer, from `list layers`."),
    "property": _flag(
        "property", WHAT, "NAME", "Only this property, by name or number; may be given again.", multiple=True
    ),
    "scope": _flag(
        "scope", HOW_MUCH, "K=N,...", "How large a system: shards=2,receipts=2,headers=1, or some of it."
    ),
    "depth": _flag("depth", HOW_MUCH, "N", "Steps of a trace, at most."),
    "seconds": _flag("seconds", HOW_MUCH, "S", "How long to search, at most; a profile has its own."),
    "steps": _flag(
        "steps", HOW_MUCH, "N", "Steps to fuzz in all, in place of --seconds: the same work on every machine."
    ),
    "walk": _flag(
        "walk",
        HOW_MUCH,
        "STEPS",
        "So many random steps of the model, in walks of up to --depth, in place of every trace.",
    ),
    "memory": _flag(
        "memory", HOW_MUCH, "SIZE", "What a search may take, e.g. 4G; in place of a number of worlds."
    ),
    "threads": _flag("threads", HOW_MUCH, "N", "Threads that search [default: 1]."),
    "reduce": click.option(
        "--reduce",
        cls=Flag,
        group=HOW_MUCH,
        is_flag=True,
        # Not a no: the environment or the project may have said yes.
        default=None,
        help="Leave out what no property sees and what differs by names: larger scopes, same verdict, "
        "no count of clauses.",
    ),
    "call_seconds": click.option(
        "--call-seconds",
        "call_seconds",
        cls=Flag,
        group=HOW_MUCH,
        metavar="S",
        help="How long one call of the adapter may take [default: 10 for a process, 30 else].",
    ),
    "seed": _flag("seed", HOW_MUCH, "N", "Repeats a run; drawn and printed if it is left out."),
    "from_rare_worlds": click.option(
        "--from-rare-worlds",
        cls=Flag,
        group=HOW_MUCH,
        is_flag=True,
        # Not a no: the environment or the project may have said yes.
        default=None,
        help="One run in eight begins where random walks of the model seldom come.",
    ),
    "require_coverage": click.option(
        "--require-coverage",
        cls=Flag,
        group=HOW_MUCH,
        is_flag=True,
        # Not a no: the environment or the project may have said yes.
        default=None,
        help="A clause that was never exercised makes the answer inconclusive.",
    ),
    "certify": click.option(
        "--certify",
        cls=Flag,
        group=HOW_MUCH,
        metavar="[N]",
        is_flag=False,
        # The default of `shortest.BUDGET`, which need not be imported for a help text.
        flag_value="200000",
        help="Is there a shorter trace? All of them are run, in up to N moves a finding [default: 200000].",
    ),
    "profile": _flag("profile", HOW_MUCH, "NAME", "Budgets by name: dev (the default), ci or nightly."),
    "deviations": _flag(
        "deviations", WHAT, "FILE", "What the system is known to violate, as TOML: shown, and no failure."
    ),
    "out": _flag(
        "out",
        OUTPUT,
        "FOLDER",
        "Where findings go [default: shardproof-out]; if it is given, the report of the run too.",
    ),
}


def flags(*names: str) -> Callable[[F], F]:
    """The flags of these names, in this order, and `--json`, which every command has."""

    def decorate(function: F) -> F:
        json_flag = click.option(
            "--json",
            "as_json",
            cls=Flag,
            group=OUTPUT,
            is_flag=True,
            help="One JSON object on stdout, and nothing else.",
        )
        function = json_flag(function)
        for name in reversed(names):
            function = _FLAGS[name](function)
        return function

    return decorate
