from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shardproof import settings
from shardproof.errors import UsageError
from shardproof.settings import Settings, profiles, resolve


def project(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


class TestPrecedence:
    def test_command_line_then_environment_then_project_then_profile(self, tmp_path: Path) -> None:
        """
        A setting is taken from the nearest place where somebody gave it.
        """
        folder = project(
            tmp_path, '[tool.shardproof]\nseed = 1\nseconds = 1.5\ndepth = 11\nadapter = "watermark"\n'
        )
        environ = {"SHARDPROOF_SEED": "2", "SHARDPROOF_SECONDS": "2.5", "OTHER": "x"}

        found = resolve({"seed": "3", "depth": None, "property": ()}, environ, folder)

        assert (found.seed, found.seconds, found.depth, found.adapter) == (3, 2.5, 11, "watermark")
        assert found.shards == profiles()["dev"]["shards"]
        assert found.given == {"seed"}

    def test_the_nearest_project_counts(self, tmp_path: Path) -> None:
        """
        The project is the folder with a pyproject.toml at or above where the command runs.
        """
        below = project(tmp_path, "[tool.shardproof]\nseed = 9\n") / "a" / "b"
        below.mkdir(parents=True)

        assert resolve({}, {}, below).seed == 9

    def test_a_stack_on_the_command_line_beats_layers_elsewhere(self, tmp_path: Path) -> None:
        """
        Which protocol is one question: the nearer answer counts, in whichever of the two words it is given.
        """
        folder = project(tmp_path, '[tool.shardproof]\nlayers = ["exactly-once"]\n')

        found = resolve({"stack": "core"}, {}, folder)

        assert (found.stack, found.layers) == ("core", None)

    def test_a_profile_sets_budgets(self, tmp_path: Path) -> None:
        """
        A profile is a set of budgets, any of which can still be given.
        """
        found = resolve({"profile": "nightly", "scope": "shards=5"}, {}, tmp_path)

        assert found.seconds == profiles()["nightly"]["seconds"]
        assert found.shards == 5
        assert found.explore_scope == {"shards": 5, "receipts": 3, "headers": 1}

    def test_text_and_toml_say_the_same(self, tmp_path: Path) -> None:
        """
        A list and a table of the project read as the text of a flag does.
        """
        folder = project(
            tmp_path,
            '[tool.shardproof]\nproperty = ["P01", "P02"]\nscope = {shards = 2, receipts = 1}\n',
        )

        asked: dict[str, Any] = {"property": ("P01", "P02"), "scope": "shards=2,receipts=1"}
        assert resolve({}, {}, folder).properties == resolve(asked, {}, tmp_path / "x").properties
        assert resolve({}, {}, folder).scope == {"shards": 2, "receipts": 1}

    def test_memory_is_counted_in_megabytes_or_gigabytes(self, tmp_path: Path) -> None:
        """
        In bytes nobody counts.
        """
        found = [resolve({"memory": text}, {}, tmp_path).memory for text in ("500M", "4g")]

        assert found == [500 * 2**20, 4 * 2**30]
        assert resolve({}, {"SHARDPROOF_THREADS": "2"}, tmp_path).threads == 2
        assert resolve({}, {"SHARDPROOF_CALL_SECONDS": "0.5"}, tmp_path).call_seconds == 0.5

    def test_a_flag_that_is_left_out_says_nothing(self, tmp_path: Path) -> None:
        """
        A yes in the environment or the project counts where the flag is not given, and so does a no.
        """
        folder = project(tmp_path, "[tool.shardproof]\nrequire_coverage = true\n")

        assert resolve({"require_coverage": None}, {}, folder).require_coverage
        assert not resolve({}, {"SHARDPROOF_REQUIRE_COVERAGE": "false"}, folder).require_coverage
        assert resolve(
            {"require_coverage": True}, {"SHARDPROOF_REQUIRE_COVERAGE": "false"}, folder
        ).require_coverage

    @pytest.mark.parametrize("name", list(profiles()))
    def test_every_profile_is_whole(self, name: str, tmp_path: Path) -> None:
        """
        Each profile of the package has every budget.
        """
        assert isinstance(resolve({"profile": name}, {}, tmp_path), Settings)


WRONG: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "seconds: 0": ({"seconds": "0"}, {}, ""),
    "seconds: below 0": ({"seconds": "-1"}, {}, ""),
    "seconds: not a number": ({"seconds": "soon"}, {}, ""),
    "seconds: not finite": ({"seconds": "nan"}, {}, ""),
    "seconds: infinite": ({"seconds": "inf"}, {}, ""),
    "seed: below 0": ({"seed": "-1"}, {}, ""),
    "seed: too large": ({"seed": str(1 << 64)}, {}, ""),
    "seed: huge": ({"seed": "9" * 5000}, {}, ""),
    "depth: 0": ({"depth": "0"}, {}, ""),
    "memory: no unit": ({"memory": "800"}, {}, ""),
    "memory: none": ({"memory": "0G"}, {}, ""),
    "memory: not a number": ({"memory": "muchG"}, {}, ""),
    "call_seconds: none": ({"call_seconds": "0"}, {}, ""),
    "call_seconds: for ever": ({"call_seconds": "inf"}, {}, ""),
    "threads: none": ({"threads": "0"}, {}, ""),
    "scope: unknown part": ({"scope": "shrads=2"}, {}, ""),
    "scope: no number": ({"scope": "shards"}, {}, ""),
    "scope: twice": ({"scope": "shards=2,shards=3"}, {}, ""),
    "scope: not a number": ({"scope": "shards=two"}, {}, ""),
    "layers: none": ({"layers": " , "}, {}, ""),
    "adapter: empty": ({"adapter": ""}, {}, ""),
    "out: a null byte": ({}, {}, '[tool.shardproof]\nout = "a\\u0000b"\n'),
    "project: too deep": ({}, {}, f"x = {'[' * 5_000}"),
    "require_coverage: neither": ({}, {}, "[tool.shardproof]\nrequire_coverage = 1\n"),
    "profile: unknown": ({"profile": "nigthly"}, {}, ""),
    "stack and layers": ({"stack": "core", "layers": "exactly-once"}, {}, ""),
    "environment: unknown": ({}, {"SHARDPROOF_SECOND": "5"}, ""),
    "environment: wrong": ({}, {"SHARDPROOF_SEED": "x"}, ""),
    "project: unknown": ({}, {}, "[tool.shardproof]\nsed = 1\n"),
    "project: wrong": ({}, {}, "[tool.shardproof]\nseconds = 0\n"),
    "project: not a table": ({}, {}, "[tool]\nshardproof = 1\n"),
    "project: not TOML": ({}, {}, "[tool.shardproof\n"),
}


class TestErrors:
    def test_say_where_and_what(self, tmp_path: Path, golden: Any) -> None:
        """
        A wrong setting is answered with where it stands, what was expected, and what is nearest.
        """
        told = []
        for name, (given, environ, toml) in WRONG.items():
            project(tmp_path, toml)
            with pytest.raises(UsageError) as caught:
                resolve(given, environ, tmp_path)
            message = str(caught.value).replace(str(tmp_path), "FOLDER").replace("9" * 1_000, "9...")
            told.append(f"# {name}\nerror: {message}\n")

        golden("errors/settings.txt", "\n".join(told))

    def test_a_file_that_cannot_be_read_is_an_error(self, tmp_path: Path) -> None:
        """
        A project whose settings cannot be known is not a project without settings.
        """
        (tmp_path / "pyproject.toml").write_bytes(b"\xff")

        with pytest.raises(UsageError, match="cannot be read"):
            resolve({}, {}, tmp_path)


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    """
    The cache of third-party parts is named by a variable with our prefix, which is no setting.
    """
    assert resolve({}, {"SHARDPROOF_CACHE": "/somewhere"}, tmp_path) == resolve({}, {}, tmp_path)
    assert settings.PREFIX == "SHARDPROOF_"
