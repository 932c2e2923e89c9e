"""
A run as JUnit XML: a suite for each engine, a case for each property.

A case passes only where an engine says that its property holds. A violation is a failure; what was known,
does not apply or was not decided is skipped, with the reason; what is inconclusive is an error, because
who counts tests takes everything else for a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from ...errors import ShardproofError
from ...verdict import Report
from .. import inert, text
from ..outcomes import Outcome, State, outcomes
from ..report import Answer
from .places import story

#: Characters of a text, at most: some readers keep all of them in memory, and show none.
LONGEST = 20_000


def junit(answer: Answer) -> bytes:
    """The file of a run that came to a verdict."""
    root = ET.Element("testsuites", name="shardproof", time=_seconds(answer.seconds))
    for report in answer.reports:
        root.append(_suite(answer, report))
    for counted in ("tests", "failures", "errors"):
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in root)))
    return _file(root)


def broken(command: str, error: ShardproofError) -> bytes:
    """The file of a run that came to none: one case, which is an error."""
    counts = {"tests": "1", "failures": "0", "errors": "1"}
    root = ET.Element("testsuites", {"name": "shardproof", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": _text(command), "skipped": "0", **counts})
    case = ET.SubElement(suite, "testcase", name="came to a verdict", classname="shardproof")
    _said(case, "error", "no verdict", error.summary, str(error))
    return _file(root)


def _suite(answer: Answer, report: Report) -> ET.Element:
    suite = ET.Element("testsuite", name=_text(report.engine), time=_seconds(report.seconds))
    _properties(
        suite,
        {
            "adapter": answer.adapter,
            "verdict": report.verdict.value,
            "seed": "" if answer.seed is None else str(answer.seed),
            "repeat": answer.repeat,
            **{f"version of {name}": version for name, version in answer.versions.items()},
        },
    )
    told = outcomes(report)
    for one in told:
        suite.append(_case(answer, report, one))
    for counted, tag in (("tests", "testcase"), ("failures", "*/failure"), ("errors", "*/error")):
        suite.set(counted, str(len(suite.findall(tag))))
    suite.set("skipped", str(len(suite.findall("*/skipped"))))
    ET.SubElement(suite, "system-out").text = _text(report.checked)
    return suite


def _properties(suite: ET.Element, values: Mapping[str, str]) -> None:
    properties = ET.SubElement(suite, "properties")
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", name=_text(name), value=_text(value))


def _case(answer: Answer, report: Report, one: Outcome) -> ET.Element:
    case = ET.Element("testcase", name=_text(one.property), classname=_text(f"shardproof.{report.engine}"))
    match one.state:
        case State.HOLDS:
            pass
        case State.VIOLATED:
            kind = "violated" if one.finding is None else text.word(one.finding, "")
            _said(case, "failure", kind, one.why, _story(answer, report, one))
        case State.EXPECTED:
            _said(case, "skipped", "known deviation", one.why, "")
        case State.NOT_APPLICABLE | State.NOT_DECIDED:
            _said(case, "skipped", one.state.value, f"{one.state.value}: {one.why}", "")
        case State.INCONCLUSIVE | State.GONE:
            _said(case, "error", one.state.value, f"{one.state.value}: {one.why}", "")
    return case


def _said(case: ET.Element, tag: str, kind: str, message: str, whole: str) -> None:
    element = ET.SubElement(case, tag, type=kind, message=_text(inert.line(message)))
    element.text = _text(whole) or None


def _story(answer: Answer, report: Report, one: Outcome) -> str:
    if one.finding is None:
        return ""
    path = answer.files.get((report.engine, one.finding.property))
    return story(answer, report.engine, one.finding, path, ascii_only=False)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(foreign: str) -> str:
    """What XML can hold: other characters are shown as their codes, not left out and not refused."""
    cut = foreign if len(foreign) <= LONGEST else f"{foreign[:LONGEST]}... (cut)"
    return "".join(c if _is_xml(c) else repr(c)[1:-1] for c in cut)


def _is_xml(character: str) -> bool:
    # XML 1.0, section 2.2; and what is no letter, mark or sign does not belong on a terminal either.
    return character == "\n" or character.isprintable()


def _file(root: ET.Element) -> bytes:
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"
