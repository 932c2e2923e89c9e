"""
A run as SARIF 2.1.0, for places that show findings at lines of code.

Only what an adapter is found to do has such a line: that of its class. A run of a system that is not
written in Python, or of the model, has no file; of these, traces and the page say more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...verdict import Finding, Report, Verdict
from .. import inert
from ..report import Answer
from .places import Place, Weight, fingerprint, source, story, weight

LEVELS = {Weight.GRAVE: "error", Weight.SERIOUS: "error", Weight.KNOWN: "note"}

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(answer: Answer, folder: Path) -> bytes | None:
    """The file for a run in `folder`; nothing where no adapter is a class that is written there."""
    if not any(source(answer, report.engine, folder) for report in answer.reports):
        return None
    placed = [
        (engine, found, where, path)
        for engine, found, path in answer.findings
        if (where := source(answer, engine, folder)) is not None
    ]
    rules = {found.property: found for _, found, _, _ in placed}
    run = {
        "tool": {
            "driver": {
                "name": "shardproof",
                "version": inert.line(answer.versions.get("shardproof", "")),
                "rules": [_rule(found) for found in rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                # That it was violated is what it was to find out.
                "executionSuccessful": answer.verdict is not Verdict.INCONCLUSIVE and answer.error is None,
                "exitCode": answer.exit_code,
                "toolExecutionNotifications": [*_notifications(answer)],
            }
        ],
        "results": [
            _result(answer, engine, found, where, path, [*rules].index(found.property))
            for engine, found, where, path in placed
        ],
    }
    return (json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n").encode(
        "ascii"
    )


def _rule(found: Finding) -> dict[str, Any]:
    return {
        "id": inert.line(found.property),
        "shortDescription": {"text": inert.line(found.because) or inert.line(found.property)},
    }


def _result(
    answer: Answer, engine: str, found: Finding, where: Place, path: Path | None, rule: int
) -> dict[str, Any]:
    known = answer.expected(engine, found)
    told = {
        "ruleId": inert.line(found.property),
        "ruleIndex": rule,
        "level": LEVELS[weight(answer, engine, found)],
        "message": {"text": story(answer, engine, found, path, ascii_only=True)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(str(where.file)), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": where.line},
                }
            }
        ],
        "partialFingerprints": {"shardproof/v1": fingerprint(answer, engine, found)},
    }
    if known:
        told["suppressions"] = [{"kind": "external", "justification": inert.line(known)}]
    return told


def _notifications(answer: Answer) -> Iterator[dict[str, Any]]:
    for report in answer.reports:
        yield from (_notification(report, reason) for reason in report.reasons)
    if answer.error is not None:
        yield {"level": "error", "message": {"text": inert.line(answer.error.summary)}}


def _notification(report: Report, reason: str) -> dict[str, Any]:
    return {"level": "warning", "message": {"text": inert.line(f"{report.engine}: {reason}")}}
