"""
A folder for a whole run, where somebody asked for one: the page, the summary, and what machines read.

Without `--out`, only the traces of findings are written, as ever: a folder that grows by seven files
wherever somebody tries something is no service. With it, all of them are there whatever the verdict is,
and none is that of an earlier run.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import evolve

from .. import files
from ..errors import ShardproofError, UsageError
from ..render import summary
from ..render.ci import gitlab, junit, sarif
from ..render.forms import FORMS, Shown
from ..render.report import Answer
from ..render.run import document
from ..render.run.findings import page_of
from ..settings import Settings
from ..story.telling import tell
from .context import Context

PAGE, SUMMARY, JUNIT = "report.html", "summary.json", "junit.xml"
GITLAB, SARIF = "gl-code-quality-report.json", "shardproof.sarif"

#: All that a run leaves in its folder besides traces and their pages.
NAMES = (PAGE, SUMMARY, JUNIT, GITLAB, SARIF)

Search = Callable[[Settings, Context], Answer]


def kept(search: Search) -> Search:
    """`search`, of which everything is kept in the folder that `--out` names, if it does."""

    def run(settings: Settings, context: Context) -> Answer:
        if "out" not in settings.asked:
            return search(settings, context)
        folder = settings.out
        # Now, because nobody wants to learn after an hour that it cannot be written; and what an earlier
        # run has left would be taken for the result of this one, if this one is stopped.
        files.clear(folder, NAMES)
        repeat = _repeat(context.arguments, None)
        try:
            answer = search(settings, context)
        except ShardproofError as error:
            context.go_home()
            try:
                _write(folder, _of_no_answer(context, repeat, error))
            except UsageError as unwritten:
                error.add("besides", unwritten.summary)
            raise
        answer = evolve(
            answer,
            page=folder / PAGE,
            repeat=_repeat(context.arguments, answer.seed),
            set_elsewhere=tuple(sorted(settings.asked - settings.given)),
        )
        try:
            _write(folder, _of_an_answer(answer, context))
            for _, found, path in answer.findings:
                if path is not None:
                    shown = Shown(tell(found.trace), path)
                    files.write(page_of(path), FORMS["html"].write(shown).encode("utf-8"))
        except UsageError as error:
            # The verdict is told all the same.
            return evolve(answer, page=None, unwritten=error)
        return answer

    return run


def _repeat(arguments: tuple[str, ...], seed: int | None) -> str:
    named = any(argument.partition("=")[0] == "--seed" for argument in arguments)
    drawn = () if seed is None or named else ("--seed", str(seed))
    return shlex.join(("shardproof", *arguments, *drawn)) if arguments else ""


def _of_an_answer(answer: Answer, context: Context) -> Mapping[str, bytes]:
    placed = sarif.sarif(answer, context.folder)
    return {
        PAGE: document.page(answer).encode("utf-8"),
        SUMMARY: summary.dumps(summary.summary(answer)),
        JUNIT: junit.junit(answer),
        GITLAB: gitlab.code_quality(answer, context.folder),
        **({} if placed is None else {SARIF: placed}),
    }


def _of_no_answer(context: Context, repeat: str, error: ShardproofError) -> Mapping[str, bytes]:
    command = context.arguments[0] if context.arguments else ""
    return {
        PAGE: document.broken(command, repeat, error).encode("utf-8"),
        SUMMARY: summary.dumps(summary.broken(command, repeat, error)),
        JUNIT: junit.broken(command, error),
    }


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, data in contents.items():
        files.write(folder / name, data)
