"""
The help of a command: a sentence, flags by what they are about, a working example, the exit codes.

One layout for all commands, so that a reader finds the same thing in the same place.
"""

from __future__ import annotations

from typing import Any

import click

from ..errors import UsageError, nearest

EXIT_CODES = (
    ("0", "holds: everything that was asked for was checked"),
    ("1", "violated: the finding is printed, and its trace is written"),
    ("2", "usage: the command, a setting or a file is wrong"),
    ("3", "broken: the adapter or its system did not keep the contract"),
    ("4", "inconclusive: a budget ran out, nothing ran, it was interrupted, or shardproof itself failed"),
)

#: What a flag is about, in the order in which they are shown.
WHAT, HOW_MUCH, OUTPUT = "What", "How much", "Output"


class Flag(click.Option):
    """An option that knows its group in the help."""

    def __init__(self, *args: Any, group: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.group = group


class Command(click.Command):
    """A command whose help has groups of flags, a working example and the exit codes."""

    def __init__(self, *args: Any, example: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.example = example

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As ever; but what is said twice and can be meant once only is no matter of which came last."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        flags = [flag for flag in order if isinstance(flag, click.Option) and not flag.multiple]
        for flag in flags:
            said = [other.opts[0] for other in flags if other.name == flag.name]
            if len(said) > 1 and (not flag.is_flag or len({*said}) > 1):
                raise UsageError(
                    f"{said[0]} is given more than once"
                    if len({*said}) == 1
                    else "only one of these can be meant",
                    got=" and ".join(said),
                    help="which of them is meant cannot be known: give one",
                )
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group in (WHAT, HOW_MUCH, OUTPUT):
            flags = [p for p in self.get_params(ctx) if isinstance(p, Flag) and p.group == group]
            records = [record for flag in flags if (record := flag.get_help_record(ctx))]
            if group == OUTPUT:
                records.append(("--help", "Show this message."))
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_epilog(formatter, self.example)


class Commands(click.Group):
    """The commands in the order in which one meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self,
        ctx: click.Context,
        args: list[str],
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise UsageError(f"unknown command {args[0]!r}", help=nearest(args[0], self.commands))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        with formatter.section(OUTPUT):
            formatter.write_dl(
                [
                    ("--version", "Show the version."),
                    ("--help", "Show this message, or with a command its own."),
                ]
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_epilog(formatter, "shardproof check --adapter reference")


def _write_epilog(formatter: click.HelpFormatter, example: str) -> None:
    with formatter.section("Example"):
        formatter.write_text(example)
    with formatter.section("Exit codes"):
        formatter.write_dl(EXIT_CODES)
