"""What a trace says of shorter ones: in its file, to people, and to who runs it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve

from shardproof import cli, model_replay, settings, trace_file
from shardproof.commands import traces
from shardproof.commands.mutants import Mutants
from shardproof.engines.explore import explore
from shardproof.engines.mutants import Fate, Row, Score
from shardproof.readings.scopes import scope_of
from shardproof.render import text
from shardproof.trace import Certificate, Search, Step, Trace, Violation
from shardproof.verdict import Verdict
from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import Kind
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of

#: A receipt that nobody emitted, under no header, after something that does not matter.
LONG = Trace(
    "faulty:null-root",
    ("exactly-once",),
    ("A", "B", "C"),
    "executes-only-what-was-emitted",
    "P02",
    "",
    (
        Step("restart", "A"),
        Step("deliver", "B", {"receipt": "forged:A>B:0", "header": "null", "evidence": "none"}),
    ),
    Violation(1, "refused", "accepted"),
    Search("by hand"),
)
CERTIFIED = evolve(
    LONG,
    steps=LONG.steps[1:],
    violation=Violation(0, "refused", "accepted"),
    shortest="proved",
    certificate=Certificate(0, 0, 0, "2 shards, up to 1 receipt and 1 block", ()),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, without anybody's settings."""
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def by_settings(folder: Path, **given: object) -> settings.Settings:
    """What a command line would have asked for."""
    return settings.resolve(given, {}, folder)


class TestFile:
    def test_keeps_the_certificate(self, folder: Path) -> None:
        """
        And a file without one has no word of it, as before there were any.
        """
        whole = evolve(CERTIFIED, certificate=Certificate(3, 17, 40, "2 shards", ("deliver", "emit")))

        assert trace_file.loads(trace_file.dumps(whole), folder) == whole
        assert b"certificate" not in trace_file.dumps(LONG)

    def test_is_told_in_a_sentence(self) -> None:
        """
        What was run, and within what; and where that was not all, how far it came.
        """
        ran = Certificate(3, 1_700, 4_000, "2 shards, up to 1 receipt and 1 block", ("deliver", "emit"))

        proved = text.shortest(evolve(CERTIFIED, certificate=ran))
        unknown = text.shortest(evolve(LONG, certificate=ran))

        assert proved == (
            "no shorter trace shows it: every sequence of up to 3 moves was run, with 2 shards, up to "
            "1 receipt and 1 block and 2 kinds of moves (1,700 sequences, 4,000 moves)"
        )
        assert unknown.startswith(
            "whether a shorter one exists is not established: only every sequence of up to 3 moves was run"
        )


class TestCommands:
    def test_shrinking_finds_out_what_a_file_may_say_in_vain(self, folder: Path) -> None:
        """
        The claim of a long trace is not believed; the short one has a certificate.
        """
        path = trace_file.save(evolve(LONG, shortest="proved"), folder)

        again = traces.shrink(path, by_settings(folder, adapter="faulty:null-root", certify="1000"))

        assert again.written is not None
        written = trace_file.load(again.written)
        assert (len(written.steps), written.shortest) == (1, "proved")
        assert written.certificate is not None

    def test_what_was_as_short_as_can_be_is_written_with_its_certificate(self, folder: Path) -> None:
        """
        There is something new to say of it.
        """
        path = trace_file.save(evolve(CERTIFIED, shortest="not established", certificate=None), folder)
        asked = by_settings(folder, adapter="faulty:null-root", certify="1000")

        again = traces.shrink(path, asked)

        assert again.written is not None
        assert trace_file.load(again.written).shortest == "proved"
        assert traces.shrink(path, by_settings(folder, adapter="faulty:null-root")).written is None

    def test_what_a_file_says_of_one_system_it_does_not_say_of_another(self, folder: Path) -> None:
        """
        A replay keeps the claim where it reproduces on the system that it was made for, and only there.
        """
        path = trace_file.save(CERTIFIED, folder)

        there = traces.replay(path, by_settings(folder, adapter="faulty:null-root"))
        elsewhere = traces.replay(path, by_settings(folder, adapter="reference"))

        assert (there.trace.shortest, there.trace.certificate) == ("proved", CERTIFIED.certificate)
        assert (elsewhere.trace.shortest, elsewhere.trace.certificate) == ("not established", None)

    def test_a_number_of_moves_is_a_number(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        Anything else is a usage error that names the flag.
        """
        assert cli.run(["fuzz", "--adapter", "reference", "--certify", "all"]) == 2
        assert "--certify: certify is not a whole number in range" in capsys.readouterr().err


class TestModel:
    @pytest.fixture
    def mistaken(self) -> Protocol:
        """Headers are believed before they are final."""
        sound = stack("core")
        actions = tuple(
            evolve(a, clauses=tuple(c for c in a.clauses if str(c.refusal) != "not final"))
            if a.name == "learn"
            else a
            for a in sound.actions
        )
        return evolve(sound, actions=actions)

    @pytest.fixture
    def short(self, mistaken: Protocol) -> Trace:
        """What a search finds."""
        asked = tuple(p for p in properties_of(mistaken) if p.name == "trusts-only-final-headers")
        return explore(mistaken, scope_of(mistaken), properties=asked).findings[0].trace

    def test_a_long_trace_is_matched_by_a_search_of_its_scope(
        self, mistaken: Protocol, short: Trace, folder: Path
    ) -> None:
        """
        A step that does not matter, and the search finds the trace that does without it.
        """
        long = evolve(short, steps=(Step("emit", "A", {"receipt": "r7", "to": "B"}), *short.steps))
        path = trace_file.save(evolve(long, shortest="not established", violation=None), folder)

        again = traces.shrink_of_the_model(
            path, trace_file.load(path), mistaken, properties_of(mistaken), by_settings(folder)
        )

        assert again.verdict is Verdict.VIOLATED
        assert (len(again.trace.steps), again.trace.shortest) == (len(short.steps), "proved")
        assert again.summary.startswith(f"shrunk from {len(long.steps)} steps to {len(short.steps)}")

    def test_a_short_one_is_proved_and_one_of_too_many_worlds_is_not(
        self, mistaken: Protocol, short: Trace, folder: Path
    ) -> None:
        """
        A search that reaches a limit establishes nothing.
        """
        path = trace_file.save(evolve(short, shortest="not established"), folder)
        trace, asked = trace_file.load(path), by_settings(folder)

        whole = traces.shrink_of_the_model(path, trace, mistaken, properties_of(mistaken), asked)
        cut = traces.shrink_of_the_model(
            path, trace, mistaken, properties_of(mistaken), evolve(asked, worlds_max=1)
        )

        assert (whole.trace.shortest, cut.trace.shortest) == ("proved", "not established")
        assert "no shorter trace shows it" in whole.summary
        assert "limit of 1 worlds" in cut.summary

    def test_one_that_does_not_reproduce_is_only_run(self, short: Trace, folder: Path) -> None:
        """
        On a sound protocol there is nothing to shrink.
        """
        path = trace_file.save(short, folder)

        again = traces.shrink(path, by_settings(folder))

        assert again.verdict is Verdict.HOLDS
        assert model_replay.is_of_the_model(short)
        assert again.written is None


class TestMutants:
    @pytest.mark.parametrize(
        "shortest, certified, verdict",
        [
            ((True, True), True, Verdict.HOLDS),
            ((True, False), True, Verdict.INCONCLUSIVE),
            ((True, False), False, Verdict.HOLDS),
            ((), True, Verdict.INCONCLUSIVE),
        ],
    )
    def test_a_trace_that_is_not_certified_leaves_it_open(
        self, shortest: tuple[bool, ...], certified: bool, verdict: Verdict
    ) -> None:
        """
        Where it was asked for; of a mistake whose refutation is no trace there is nothing to ask.
        """
        rows = [
            Row(str(n), "core", Kind.NAMED, "", Fate.KILLED, steps=3, shortest=known)
            for n, known in enumerate(shortest)
        ]
        rows.append(Row("barrier", "core", Kind.NAMED, "", Fate.KILLED, reason="two worlds"))
        versions: Mapping[str, str] = {}

        answer = Mutants(Score.of(rows), ("core",), 0.0, versions, certified)

        assert answer.verdict is verdict

    def test_the_record_alone_with_every_trace_a_shortest_one(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """
        Of one stack here; of all of them each night.
        """
        assert cli.run(["mutants", "--named", "--certify", "--stack", "exactly-once"]) == 0
        assert "2 of 2 shortest traces proved" in capsys.readouterr().out
