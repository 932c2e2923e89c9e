from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shardproof import trace_file
from shardproof.cli import main
from shardproof.commands import traces
from shardproof.errors import UsageError
from shardproof.render.forms import FORMS, Shown
from shardproof.story.told import Story

Told = Callable[[str], Story]

#: Published without types.
jsonschema: Any = importlib.import_module("jsonschema")

TOP = Path(__file__).parents[3]
TRACE = TOP / "tests" / "traces" / "no-deduplication.trace.json"

BEGIN, END = "<!-- forms: written by tests/harness/render/test_forms.py -->", "<!-- end of forms -->"


def test_the_table_of_forms_is_that_of_the_code(documented: Callable[[Path, str, str, str], None]) -> None:
    """
    `harness/README.md` lists what there is.
    """
    rows = "\n".join(f"| `{name}` | `*{form.suffix}` | {form.says} |" for name, form in FORMS.items())

    documented(
        TOP / "harness" / "README.md",
        BEGIN,
        END,
        f"\n| `--format` | file | what it is |\n|---|---|---|\n{rows}\n",
    )


def test_the_help_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    """
    So does the command.
    """
    with pytest.raises(SystemExit):
        main(["show", "--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert all(
        f"{name}: {form.says}" in said or f"{name} (the default)" in said for name, form in FORMS.items()
    )


def test_an_unknown_form_is_answered_with_the_nearest() -> None:
    """
    A slip of the finger is named.
    """
    with pytest.raises(UsageError, match="'mermiad'") as refused:
        traces.show(TRACE, "mermiad", 100)

    assert ("help", "did you mean 'mermaid'?") in refused.value.facts


@pytest.mark.parametrize("form", FORMS)
def test_becomes_a_file(form: str, tmp_path: Path) -> None:
    """
    With a folder, any form is a file in it, called like the trace.
    """
    # Of layers that there are not, so that the model holds nothing: what it holds is not asked here.
    elsewhere = evolve(trace_file.load(TRACE), layers=("elsewhere",))
    path = tmp_path / "kept.trace.json"
    trace_file.write(elsewhere, path)

    place = traces.show(path, form, 100, tmp_path / "out")

    assert place == str(tmp_path / "out" / f"kept{FORMS[form].suffix}")
    assert Path(place).read_bytes().endswith(b"\n")


@pytest.mark.parametrize("form", FORMS)
def test_is_the_same_every_time(form: str, told: Told) -> None:
    """
    What is written is a function of the trace: it can be compared and kept.
    """
    shown = Shown(told("refunded-again"), TRACE)

    assert FORMS[form].write(shown) == FORMS[form].write(shown)


def test_text_says_by_what_the_model_refuses(told: Told) -> None:
    """
    As the story does; and in ASCII where nothing else can be shown.
    """
    story = told("refunded-again")
    text = FORMS["text"].write(Shown(story, TRACE, ascii_only=True))

    refusing = story.moments[-1].refusing
    assert refusing is not None
    assert f"refused by   {refusing.refusal}: {refusing.story}" in " ".join(text.split()).replace(
        "refused by ", "refused by   "
    )
    assert text.isascii()
    assert not FORMS["text"].write(Shown(story, TRACE)).isascii()


def test_json_is_as_its_schema_says(told: Told) -> None:
    """
    What other tools are given is what they were promised.
    """
    said = json.loads(FORMS["json"].write(Shown(told("refunded-again"), TRACE)))

    jsonschema.validate(said, json.loads(trace_file.SCHEMA_FILE.read_text("utf-8")))


#: The format of ADR-015, as a schema: what a trace, a state and an expression is.
ITF = {
    "type": "object",
    "required": ["vars", "states"],
    "additionalProperties": False,
    "properties": {
        "#meta": {"type": "object"},
        "params": {"type": "array", "items": {"type": "string"}},
        "vars": {"type": "array", "items": {"type": "string"}},
        "states": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"#meta": {"type": "object"}},
                "patternProperties": {"^[^#]": {"$ref": "#/$defs/expression"}},
                "additionalProperties": False,
            },
        },
        "loop": {"type": "integer"},
    },
    "$defs": {
        "expressions": {"type": "array", "items": {"$ref": "#/$defs/expression"}},
        "pair": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"$ref": "#/$defs/expression"}},
        "expression": {
            "oneOf": [
                {"type": ["string", "boolean"]},
                {"type": "integer", "exclusiveMinimum": -(2**53), "exclusiveMaximum": 2**53},
                {"$ref": "#/$defs/expressions"},
                {
                    "type": "object",
                    "required": ["#bigint"],
                    "additionalProperties": False,
                    "properties": {"#bigint": {"type": "string", "pattern": "^-?[0-9]+$"}},
                },
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        "#tup": {"$ref": "#/$defs/expressions"},
                        "#set": {"$ref": "#/$defs/expressions"},
                        "#map": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
                    },
                },
                {
                    "type": "object",
                    "patternProperties": {"^[^#]": {"$ref": "#/$defs/expression"}},
                    "additionalProperties": False,
                },
            ]
        },
    },
}


@pytest.mark.parametrize("name", ["no-deduplication", "refunded-again", "every-child-claims-it"])
def test_itf_is_as_its_description_says(name: str, told: Told) -> None:
    """
    Nothing stands in a file that the format does not have, and every state has every variable.
    """
    said = json.loads(FORMS["itf"].write(Shown(told(name), TRACE)))

    jsonschema.validate(said, ITF)
    assert all({*said["vars"]} <= {*state} for state in said["states"])
    assert {*said["params"]} <= {*said["states"][0]}
