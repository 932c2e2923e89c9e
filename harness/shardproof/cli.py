"""
The `shardproof` command: arguments in, exit code out.

What a command does is in `commands/`; how an answer looks is in `render/`; what the flags mean
is in `flags`. Here are the commands with their help, and the one place where anything is
printed: the result on stdout, all else on stderr. Engines are imported when they are asked
for, so that `--help` does not wait for a solver.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO, TypeVar

import click

from . import __version__
from .errors import ShardproofError, UsageError
from .failures import StoppedError, as_bug, as_usage_error
from .files import append
from .flags import flags
from .parts import cache_folder
from .render.help import HOW_MUCH, OUTPUT, WHAT, Command, Commands, Flag
from .stopping import listen
from .streams import UnwritableError, prepare

#: A terminal that nobody can ask is taken for this wide.
WIDTH = 100

#: How long a thread may take to end, once there is nothing left to say.
PATIENCE_S = 2.0

T = TypeVar("T")


# ---- printing ----------------------------------------------------------------------------------------


def _ascii_only() -> bool:
    try:
        "│▶●".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def _width() -> int:
    return max(shutil.get_terminal_size((WIDTH, 24)).columns, 40) if sys.stdout.isatty() else WIDTH


def _print_json(document: Mapping[str, Any]) -> None:
    text = json.dumps(document, indent=2)
    # Which some logs take for the beginning of a command; it means the same.
    print(text.replace("##[", "\\u0023#["))


def _print_text(text: str, stream: TextIO | None = None) -> None:
    if _on_github():
        from .render.ci import github

        text = github.harmless(text)
    print(text, file=stream)


def _for_github(lines: Iterable[str], summary: bytes) -> None:
    """Annotations and the summary of a step, where a workflow of GitHub runs us; stdout stays the result."""
    for line in lines:
        print(line, file=sys.stderr)
    if not (path := os.environ.get("GITHUB_STEP_SUMMARY")):
        return
    try:
        append(Path(path), summary)
    except UsageError as error:
        # A verdict is none the worse for it.
        print(f"note: no summary of this step: {error}", file=sys.stderr)


def _on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _answer(answer: Any, as_json: bool) -> int:
    from .render import report

    if _on_github():
        from .render.ci import github

        _for_github(github.notes(answer, _repository()), github.step_summary(answer))
    if as_json:
        _print_json(report.as_json(answer))
    else:
        _print_text(report.as_text(answer, _width(), ascii_only=_ascii_only()))
        if answer.error is not None:
            _print_text(f"error: {answer.error}", sys.stderr)
    return int(answer.exit_code)


def _settings(given: Mapping[str, object]) -> Any:
    from attrs import evolve

    from . import settings

    adapters = given.get("adapter")
    if not isinstance(adapters, tuple):
        return settings.resolve(given, os.environ, Path.cwd())
    # One by one: the name of a process may have a comma in it.
    first, *others = adapters or (None,)
    found = settings.resolve({**given, "adapter": first}, os.environ, Path.cwd())
    return evolve(found, against=tuple(others))


def _context() -> Any:
    from .commands.context import Context
    from .progress import Progress

    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return Context(
        time.monotonic,
        Progress(sys.stderr, live=live),
        lambda: int.from_bytes(os.urandom(4), "big"),
        click.get_current_context().find_root().obj or (),
        _repository(),
        partial(os.chdir, Path.cwd()),
        Path(tempfile.gettempdir()),
    )


def _repository() -> Path:
    """The top of the repository, where a build server says so and we are in it; else where one stands."""
    here = Path.cwd()
    said = (os.environ.get(name) for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"))
    return next((top for name in said if name and (top := Path(name)) in (here, *here.parents)), here)


def _run(command: Callable[[Any, Any], T], given: Mapping[str, object]) -> T:
    """What `command` answers; foreign code may run in it, so stdout and the time of its calls are watched."""
    from .commands.patience import patient
    from .commands.presence import present
    from .commands.silence import silent

    settings = _settings(given)
    context = _context()
    # Of several, nobody knows which of them is running.
    name = " or ".join((settings.adapter, *settings.against)) if settings.adapter else None
    with silent(name), present(name), patient(name, settings.call_seconds):
        return command(settings, context)


def _search(command: Callable[[Any, Any], Any], given: Mapping[str, object], as_json: bool) -> int:
    """A command that answers with the reports of engines, which may be kept in a folder."""
    from .commands.kept import kept

    return _answer(_run(kept(command), given), as_json)


# ---- commands ----------------------------------------------------------------------------------------


@click.group(cls=Commands, invoke_without_command=True)
@click.option("--version", is_flag=True, hidden=True)
@click.pass_context
def shardproof(ctx: click.Context, version: bool) -> int:
    """
    Finds lost, repeated and forged messages in cross-shard protocols: by random traces, by every
    trace, and by proof.
    """
    if version:
        print(f"shardproof {__version__}")
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
    return 0


@shardproof.command(
    cls=Command,
    short_help="Write an adapter to begin with, and its test.",
    example="shardproof init my-harness",
)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--python",
    "template",
    cls=Flag,
    group=WHAT,
    flag_value="python",
    default=True,
    help="The adapter is a Python class (the default).",
)
@click.option(
    "--process",
    "template",
    cls=Flag,
    group=WHAT,
    flag_value="process",
    help="It is a process that speaks JSON lines, to be translated into any language.",
)
@click.option(
    "--javascript",
    "template",
    cls=Flag,
    group=WHAT,
    flag_value="javascript",
    help="It is a process in JavaScript, beside a file that speaks JSON lines for it.",
)
@click.option("--force", cls=Flag, group=OUTPUT, is_flag=True, help="Overwrite files that are there.")
@flags()
def init(folder: Path, template: str, force: bool, as_json: bool) -> int:
    """
    Write an adapter to begin with, and its test, into FOLDER, which is made if it is not there. Both
    run at once, on a small system inside the adapter, and say at each verb what to put in its place.
    """
    from .commands import init as command

    written = command.init(folder, template, force=force)
    if as_json:
        _print_json(command.as_json(written))
    else:
        print(command.as_text(written))
    return 0


_SEARCH = ("adapter", "stack", "layers", "property")


@shardproof.command(
    cls=Command,
    short_help="Prove, explore and fuzz, within a budget.",
    example="shardproof check --adapter reference --seconds 30",
)
@flags(
    *_SEARCH,
    "deviations",
    "scope",
    "depth",
    "seconds",
    "seed",
    "certify",
    "call_seconds",
    "require_coverage",
    "profile",
    "out",
)
def check(as_json: bool, **given: object) -> int:
    """
    Everything within a budget: the protocol that an adapter needs is proved and explored, and the
    adapter is fuzzed.
    """
    from .commands import check as command

    return _search(command.check, given, as_json)


@shardproof.command(
    cls=Command,
    short_help="Random and adversarial runs of an adapter.",
    example="shardproof fuzz --adapter faulty:no-deduplication --seed 7",
)
@flags(
    "adapters",
    *_SEARCH[1:],
    "deviations",
    "scope",
    "depth",
    "seconds",
    "steps",
    "seed",
    "from_rare_worlds",
    "certify",
    "call_seconds",
    "require_coverage",
    "profile",
    "out",
)
def fuzz(as_json: bool, **given: object) -> int:
    """
    Random and adversarial runs of an adapter, against the model. Of several adapters each is run so, and
    then all are asked the same: the first step at which two differ is exit code 1, though it violates no
    property of either.
    """
    from .commands import fuzz as command

    return _search(command.fuzz, given, as_json)


@shardproof.command(
    cls=Command,
    short_help="Every trace of the model within a scope.",
    example="shardproof explore --stack final --scope shards=2,receipts=1",
)
@flags(
    *_SEARCH,
    "deviations",
    "protocol",
    "scope",
    "walk",
    "depth",
    "seconds",
    "seed",
    "memory",
    "threads",
    "reduce",
    "certify",
    "call_seconds",
    "require_coverage",
    "profile",
    "out",
)
def explore(as_json: bool, **given: object) -> int:
    """
    Every trace of the model within a scope. With --adapter also a tour: the adapter is driven along
    every transition of its model, and an adversary tries at every world what must be refused there.

    With --walk, random walks of the model instead, in scopes that are too wide for every trace: they
    may find a violation, and measure how deep it is and whether new worlds still turn up.
    """
    from .commands import explore as command

    return _search(command.explore, given, as_json)


@shardproof.command(
    cls=Command, short_help="The model, without bounds.", example="shardproof prove --stack core"
)
@flags(*_SEARCH, "depth", "seconds", "seed", "profile", "out")
@click.option(
    "--certificate",
    cls=Flag,
    group=OUTPUT,
    metavar="FOLDER",
    help="Write every obligation there as SMT-LIB, for other solvers.",
)
@click.option(
    "--confirm",
    "confirmed",
    cls=Flag,
    group=HOW_MUCH,
    is_flag=True,
    help="Ask a second solver, cvc5, of every obligation too; needs the extra cvc5.",
)
def prove(as_json: bool, certificate: str | None, confirmed: bool, **given: object) -> int:
    """
    The model, for any number of shards, receipts and headers; with --depth, for every trace of so
    many steps. An adapter is not run: it only says which layers it needs.
    """
    from .commands import prove as command
    from .settings import folder

    where = None if certificate is None else folder("--certificate", certificate)
    return _search(
        lambda settings, context: command.prove(settings, context, where, confirmed), given, as_json
    )


@shardproof.command(
    cls=Command,
    short_help="Every known and generated mistake in the model, and who notices it.",
    example="shardproof mutants --stack core",
)
@flags("adapter", "stack", "scope", "seed", "certify", "profile")
@click.option(
    "--named",
    cls=Flag,
    group=WHAT,
    is_flag=True,
    help="Only what has happened to real systems: the record, and no small changes.",
)
def mutants(as_json: bool, named: bool, **given: object) -> int:
    """
    Every known and generated mistake in the model, and which property notices it, of one stack or of
    all of them; with --adapter, the mistakes that are known of that reference, by fuzzing. A mistake
    that nobody notices is a violation; survivors come first. With --certify, a trace of which it is not
    proved that it is a shortest one makes the answer inconclusive.
    """
    from .commands import mutants as command
    from .render import report

    answer = _run(lambda settings, context: command.mutants(settings, context, named=named), given)
    if as_json:
        _print_json(command.as_json(answer))
    else:
        print(report.sections(command.sections(answer), _width(), ascii_only=_ascii_only()))
    return int(answer.verdict.exit_code)


_TRACE = click.argument("trace", type=click.Path(path_type=Path))


@shardproof.command(
    cls=Command,
    short_help="Run a saved trace again.",
    example="shardproof replay shardproof-out/FINDING.trace.json --adapter reference",
)
@_TRACE
@flags("adapters", "protocol", "call_seconds")
def replay(trace: Path, as_json: bool, **given: object) -> int:
    """
    Run a saved trace again, on an adapter that you name: 1 if it violates something, 0 if it no
    longer does. A trace of the model alone runs on the model, or on the protocol that you name.
    """
    from .commands import traces

    return _again(_run(lambda settings, _: traces.replay(trace, settings), given), as_json)


@shardproof.command(
    cls=Command,
    short_help="Make a saved trace shorter.",
    example="shardproof shrink long.trace.json --adapter my_module:MyAdapter",
)
@_TRACE
@flags("adapter", "protocol", "certify", "call_seconds", "out")
def shrink(trace: Path, as_json: bool, **given: object) -> int:
    """
    Make a saved trace shorter, with the same finding. That none is shorter is found out with --certify,
    whatever the file says; of the model alone, by a search of all traces of its scope.
    """
    from .commands import traces

    return _again(
        _run(lambda settings, context: traces.shrink(trace, settings, context.go_home), given), as_json
    )


class Forms(Flag):
    """The flag that says in which form, and its help, which is the table of forms."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Read when help is asked for: no other command waits for it."""
        from .render.forms import FORMS

        default, *_ = FORMS
        says = (f"{name}{' (the default)' if name == default else ''}: {f.says}" for name, f in FORMS.items())
        return "--format NAME", "How. " + "; ".join(says) + "."


@shardproof.command(
    cls=Command,
    short_help="Render a saved trace.",
    example="shardproof show shardproof-out/FINDING.trace.json",
)
@_TRACE
@click.option("--format", "form", cls=Forms, group=OUTPUT, metavar="NAME")
@flags("protocol", "out")
def show(trace: Path, form: str | None, as_json: bool, out: str | None, protocol: str | None) -> int:
    """Render a saved trace. Nothing is run but the model."""
    from .commands import traces
    from .settings import folder

    if as_json and form not in (None, "json"):
        raise UsageError("two forms for one trace", got=f"--json and --format {form}")
    if form is None:
        form = "json" if as_json else "text"
    where = None if out is None else folder("--out", out)
    print(traces.show(trace, form, _width(), where, ascii_only=_ascii_only(), protocol=protocol))
    return 0


@shardproof.command(
    "list",
    cls=Command,
    short_help="Properties, layers, stacks, actions, adapters.",
    example="shardproof list actions --stack core",
)
@click.argument("what", metavar="[properties|layers|stacks|actions|adapters]", required=False)
@flags("stack", "layers", "property")
def list_(what: str | None, as_json: bool, **given: object) -> int:
    """What there is: properties, layers, stacks, actions or adapters."""
    from .commands import catalogue
    from .render import report

    if what is None:
        raise UsageError(
            "a list of what?", expected=", ".join(catalogue.LISTS), help="e.g. shardproof list adapters"
        )
    found = catalogue.listed(what, _settings(given))
    if as_json:
        rows = (
            found
            if isinstance(found, str)
            else {title: [list(row) for row in rows] for title, rows in found.items()}
        )
        _print_json({what: rows})
    else:
        print(found if isinstance(found, str) else report.sections(found, _width(), ascii_only=_ascii_only()))
    return 0


@shardproof.command(
    cls=Command,
    short_help="What works here, and what an adapter can do.",
    example="shardproof doctor --adapter reference",
)
@flags("adapter", "call_seconds")
@click.option(
    "--fetch", cls=Flag, group=HOW_MUCH, is_flag=True, help="Get third-party parts that are missing first."
)
def doctor(as_json: bool, fetch: bool, **given: object) -> int:
    """
    What works here: versions, engines, extras, third-party parts. With --adapter, that adapter in place of
    the last two: every verb that it has is asked at least once: how fast it answers, whether it keeps its
    contract, which properties apply, and which verb would open most, of properties and of attacks.
    """
    from .commands import doctor as command
    from .render import report

    found = _run(lambda settings, context: command.doctor(settings, context, fetch=fetch), given)
    if as_json:
        rows = {title: dict(rows) for title, rows in found.sections.items()}
        _print_json({"healthy": found.healthy, "exit_code": found.exit_code, **found.facts, "sections": rows})
    else:
        print(report.sections(found.sections, _width(), ascii_only=_ascii_only()))
    return found.exit_code


def _again(again: Any, as_json: bool) -> int:
    from .commands.context import versions
    from .render import text

    if as_json:
        _print_json(
            {
                "verdict": again.verdict.value,
                "exit_code": again.verdict.exit_code,
                "summary": again.summary,
                "adapter": again.adapter,
                "property": again.trace.property,
                "id": again.trace.property_id,
                "trace": str(again.written or again.path),
                "steps": len(again.trace.steps),
                "versions": dict(versions()),
            }
        )
    else:
        print(
            text.again(
                again.trace,
                again.summary,
                _width(),
                ascii_only=_ascii_only(),
                replay=text.replay_line(
                    again.written or again.path, again.adapter, *again.against, protocol=again.protocol
                ),
            )
        )
    return int(again.verdict.exit_code)


# ---- the way out -------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    prepare()
    # A class of one's own is in the folder where one works. Last, so that it hides nothing of ours.
    try:
        sys.path.append(str(Path.cwd()))
    except OSError as error:
        # Somebody has removed it meanwhile; no file that is named could be found or written.
        gone = UsageError("the folder where this runs is not there", got=error.strerror, help="cd to another")
        _leave(_failed(gone, as_json=False))
    # Hypothesis keeps notes about source files; they do not belong where somebody runs a command.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_folder() / "hypothesis"))
    listen()
    _leave(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """One command, and its exit code: whatever happens, it is one of the five."""
    as_json = "--json" in arguments
    try:
        code = shardproof.main(
            list(arguments), prog_name="shardproof", standalone_mode=False, obj=tuple(arguments)
        )
        sys.stdout.flush()
    except UnwritableError as error:
        return _failed(error, as_json=False)
    except ShardproofError as error:
        return _failed(error, as_json)
    except click.UsageError as error:
        return _failed(as_usage_error(error), as_json)
    except (KeyboardInterrupt, click.Abort):
        return _failed(
            StoppedError("interrupted: nothing was decided", help="what is not finished does not hold"),
            as_json,
        )
    except Exception as error:
        return _failed(as_bug(error), as_json)
    return code if isinstance(code, int) else 0


def _failed(error: ShardproofError, as_json: bool) -> int:
    from .render import report

    if _on_github():
        from .render.ci import github

        _for_github((github.failure(error),), github.failed_summary(error))
    if as_json:
        _print_json(report.error_json(error))
    else:
        _print_text(f"error: {error}", sys.stderr)
    return error.exit_code


def _leave(status: int) -> NoReturn:
    """
    End the process with `status`, as Python does, but without waiting for ever.

    A thread that an adapter has left behind would keep a command, which has said all that it has to say.
    """

    def late() -> None:
        time.sleep(PATIENCE_S)
        print(
            f"note: {len(left)} threads still run, and were not waited for: {left[0].name}", file=sys.stderr
        )
        os._exit(status)

    others = {threading.main_thread(), threading.current_thread()}
    left = [t for t in threading.enumerate() if t not in others and not t.daemon]
    if left:
        sys.stdout.flush()
        threading.Thread(target=late, daemon=True).start()
    sys.exit(status)
