"""How a command ends that has no answer: stopped, called in a wrong way, or by a mistake of ours."""

from __future__ import annotations

import sys
import tempfile
import traceback

import click

from . import __version__
from .errors import EXIT_INCONCLUSIVE, ShardproofError, UsageError, nearest
from .foreign import raised

_LINES_WITHOUT_A_FILE = 12


class StoppedError(ShardproofError):
    """Somebody pressed Ctrl-C, or told us to terminate."""

    exit_code = EXIT_INCONCLUSIVE


class _BugError(ShardproofError):
    """What should not happen: it says nothing of the adapter, and nothing of the protocol."""

    exit_code = EXIT_INCONCLUSIVE


def as_usage_error(error: click.UsageError) -> UsageError:
    """What click says is wrong with a command line, in our layout."""
    command = error.ctx.command_path if error.ctx else "shardproof"
    if isinstance(error, click.NoSuchOption):
        if error.option_name[1:].isdecimal():
            # After a flag whose value may be left out.
            return UsageError("a number below 0", got=error.option_name, help=f"see {command} --help")
        known = (
            [o for p in error.ctx.command.params for o in p.opts if o.startswith("--")] if error.ctx else []
        )
        close = nearest(error.option_name, known) if known else ""
        return UsageError(f"{command} has no flag {error.option_name}", help=close or f"see {command} --help")
    text = error.format_message().rstrip(".")
    return UsageError(text[:1].lower() + text[1:], help=f"see {command} --help")


def as_bug(error: Exception) -> ShardproofError:
    """An exception that should not have come so far; its traceback goes into a file that the error names."""
    told = f"shardproof {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n"
    told += "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="shardproof-",
            suffix=".txt",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(told)
        where = f"please report it with what is in {file.name}"
    except OSError as full:
        # The last lines say where it happened, and there is no better place for them.
        last = told.rstrip().splitlines()[-_LINES_WITHOUT_A_FILE:]
        where = "\n".join((f"please report it with this, as no file takes it ({raised(full)}):", *last))
    return _BugError(
        "this is a bug in shardproof, and says nothing of the system that was checked",
        got=raised(error),
        help=where,
    )
