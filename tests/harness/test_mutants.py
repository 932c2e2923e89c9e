"""
Every mistake is killed, or shown to be none, or said to have survived; nobody guesses.

A tool that counts kills has to be seen to count none where there is none: a property less, and a
mistake survives; a mistake that is none, and it is proved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import pytest
from attrs import evolve

from shardproof import cli
from shardproof.commands import mutants as command
from shardproof.engines.explore import explore
from shardproof.engines.mutants import Budget, Fate, Judge, Row, Score, lemma_rows
from shardproof.engines.mutants.beside import (
    FOLLOWS,
    REASONS,
    How,
    Noticed,
    UnconfirmedError,
    confirm,
)
from shardproof.engines.mutants.worlds import Checks, Worlds
from shardproof.readings.scopes import scope_of
from shardproof.verdict import Verdict
from shardproof_models.language.actions import Action, Refusal, insert, require
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import FALSE, Bool, Symbol, Variable
from shardproof_models.language.terms import Kind as SymbolKind
from shardproof_models.layers.exactly_once import (
    Count,
    Header,
    Receipt,
    Shard,
    emitted,
    executions,
    genesis,
    learned,
)
from shardproof_models.mistakes import Kind, Mistake, generated, with_action
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

ONCE, CORE = stack("exactly-once"), stack("core")
SMALL = {"shards": 2, "receipts": 1, "headers": 1}


def judge(
    protocol: Protocol = ONCE, properties: Iterable[Property] | None = None, budget: Budget | None = None
) -> Judge:
    chosen = properties_of(protocol) if properties is None else tuple(properties)
    solver = command._Solver(0, 60_000)
    ticks = count()
    asked = command.Asked(lambda: float(next(ticks)), 0, 60_000, None)
    return Judge(
        protocol, chosen, asked.scopes, asked.walked, solver, asked.clock, budget or command.SEARCHED
    )


def one(mistake: Mistake, **more: Any) -> Row:
    (row,) = judge(mistake.right or ONCE, **more).rows([mistake])
    return row


def of(name: str, protocol: Protocol = ONCE) -> Mistake:
    (mistake,) = (m for m in generated(protocol) if m.name == name)
    return evolve(mistake, right=protocol)


def made(name: str, change: Callable[[Action], Action], protocol: Protocol = ONCE, **more: Any) -> Mistake:
    mistaken = with_action(protocol, change(protocol.action(name)))
    return Mistake("made", Kind.CLAUSE, mistaken, protocol.name, "made for a test", right=protocol, **more)


def parameter(action: Action, sort: type[Any]) -> Any:
    return next(p for p in action.parameters if isinstance(p, sort))


@pytest.fixture(scope="module")
def core() -> Score:
    """What becomes of every mistake in the core."""
    # Enough to see everything up to the depth at which the last of them shows.
    budget = evolve(command.SEARCHED, attempts=120_000)
    return Score.of(judge(CORE, budget=budget).rows(generated(CORE)))


class TestTheCore:
    def test_every_generated_mistake_is_killed_or_none(self, core: Score) -> None:
        """
        Nothing in the core is there for nothing, and nothing is unwatched.
        """
        assert core.verdict is Verdict.HOLDS, [r for r in core.rows if r.fate is not Fate.KILLED]
        assert core.mistakes + core.count(Fate.EQUIVALENT) == len(list(generated(CORE)))

    def test_only_clauses_that_never_fail_together_can_change_places(self, core: Score) -> None:
        """
        A block is not both produced and dropped; what is final was produced.

        And the last final block is history that only the proof reads.
        """
        none = {row.id: row.engine for row in core.rows if row.fate is Fate.EQUIVALENT}

        assert none == {
            "produce 'dropped' before 'already produced'": "prove",
            "finalise 'already final' before 'not produced'": "prove",
            "revert 'already final' before 'not produced'": "prove",
            "finalise without 'last_final(origin(h)) := h'": "cone",
        }

    @pytest.mark.parametrize(
        "name, property, steps",
        [
            ("deliver without 'consumed'", "executes-at-most-once", 6),
            ("deliver without 'wrong destination'", "executes-at-its-destination", 5),
            ("learn without 'learned(d, h) := true'", "delivers-what-is-due", 5),
            ("emit without 'already emitted'", "emit, if accepted, changes something", 2),
            ("produce without 'produced(h) := true'", FOLLOWS, 2),
            ("deliver 'unproven' before 'wrong source'", REASONS, 2),
            # Only receipts for two shards under one key can be told apart by this order.
            ("deliver 'consumed' before 'wrong destination'", REASONS, 6),
        ],
    )
    def test_each_is_killed_by_what_it_is_about(
        self, core: Score, name: str, property: str, steps: int
    ) -> None:
        """
        A property, a promise, an honest attempt refused, another reason; in the fewest steps.
        """
        (row,) = (row for row in core.rows if row.id == name)

        assert (row.fate, row.property, row.steps, row.shortest) == (Fate.KILLED, property, steps, True)
        assert len(row.trace) == steps

    def test_the_trace_is_told(self) -> None:
        """
        Step by step, with arguments.
        """
        assert one(of("emit without 'already emitted'")).trace == ("emit(m=0)", "emit(m=0)")


class TestSurvivors:
    @pytest.mark.heavy
    def test_without_the_property_the_mistake_survives(self) -> None:
        """
        The kill is the property's, and nobody else's.
        """
        name = "deliver without 'wrong destination'"
        blind = [p for p in properties_of(ONCE) if p.name == "executes-only-what-was-emitted"]

        assert one(of(name)).fate is Fate.KILLED
        row = one(of(name), properties=blind)
        assert row.fate is Fate.SURVIVED
        assert row.reason.startswith("it accepts what the protocol refuses, after 4 steps for the first time")

    def test_an_effect_that_nobody_watches_survives(self) -> None:
        """
        Of what is never said to have been executed, no property complains.
        """
        blind = [p for p in properties_of(ONCE) if p.name == "executes-only-what-was-emitted"]

        row = one(of("deliver without 'executions(d, m) += 1'"), properties=blind)

        assert row.fate is Fate.SURVIVED
        assert row.reason.startswith("it leaves another world behind, after 4 steps")

    def test_a_mistake_in_what_is_wrong_already_is_undecided(self) -> None:
        """
        Of a protocol that violates something, nothing is learned from making it worse.
        """
        wrong = of("deliver without 'unproven'").protocol

        row = next(judge(wrong).rows(generated(wrong)))

        assert row.fate is Fate.UNDECIDED
        assert row.reason == "the protocol without the mistake violates executes-only-what-was-emitted"

    def test_a_protocol_without_a_scope_is_undecided(self) -> None:
        """
        Where nobody knows a scope, nothing is said, and the others go on.
        """
        unknown: Symbol[[], Bool] = Symbol("unheard_of", SymbolKind.RIGID, (), Bool)
        wrong = evolve(ONCE, symbols=(*ONCE.symbols, unknown))

        row = next(judge(wrong).rows(generated(wrong)))

        assert (row.fate, row.reason) == (
            Fate.UNDECIDED,
            "no scope is known for a protocol with unheard_of",
        )


class TestEquivalence:
    @pytest.mark.parametrize("part", ["effects", "clauses"])
    def test_what_is_said_twice_can_be_forgotten_once(self, part: str) -> None:
        """
        The solver proves that it makes no difference.
        """
        learn = ONCE.action("learn")
        twice = with_action(ONCE, evolve(learn, **{part: getattr(learn, part) * 2}))
        kind = {"effects": Kind.EFFECT, "clauses": Kind.CLAUSE}[part]

        rows = list(
            judge(twice).rows(m for m in generated(twice) if m.kind is kind and m.name.startswith("learn"))
        )

        assert [row.fate for row in rows] == [Fate.EQUIVALENT] * 2
        assert {row.engine for row in rows} == {"prove"}

    def test_what_can_be_told_apart_is_never_called_equivalent(self) -> None:
        """
        The proof is asked of every mistake that a trace has killed, and never goes through.
        """
        judging = judge()

        for mistake in generated(ONCE):
            assert not judging.claims.is_equivalent(mistake), mistake.name

    def test_a_difference_in_a_world_that_nobody_reaches_is_none(self) -> None:
        """
        What is recorded as consumed was executed on a header that is trusted: invariants are assumed.
        """

        def also(action: Action) -> Action:
            d, h = parameter(action, Shard), parameter(action, Header)
            return evolve(action, clauses=(*action.clauses, require(learned(d, h), Refusal("never heard"))))

        assert one(made("deliver", also)).fate is Fate.EQUIVALENT


class TestTooStrict:
    def test_the_world_in_which_what_is_due_is_refused_is_the_violation(self) -> None:
        """
        The trace leads there, and does not make the attempt.
        """

        def timid(action: Action) -> Action:
            d, m = parameter(action, Shard), parameter(action, Receipt)
            seen = learned(d, genesis(d))
            return evolve(action, clauses=(*action.clauses, require(seen, Refusal(f"timid {m}"))))

        row = one(made("deliver", timid))

        assert (row.property, row.property_id, row.steps) == ("what-is-due-can-be-delivered", "Q1", 3)
        assert row.trace == ("emit(m=0)", "produce(h=2)", "learn(d=1, h=2)")

    def test_a_refusal_at_the_start_takes_no_steps(self) -> None:
        """
        Before anything has happened, who wants to send must be able to.
        """
        row = one(made("emit", lambda a: evolve(a, clauses=(*a.clauses, require(FALSE, Refusal("closed"))))))

        assert (row.property, row.property_id, row.steps, row.shortest) == (
            "what-can-be-paid-can-be-sent",
            "Q1",
            0,
            True,
        )

    def test_an_attempt_that_nobody_promised_is_seen_by_the_model(self) -> None:
        """
        No property says that a final block can be reverted, and none should; the protocol does.
        """
        closed = require(FALSE, Refusal("closed"))
        row = one(made("revert", lambda a: evolve(a, clauses=(*a.clauses, closed)), CORE))

        assert (row.property, row.property_id, row.steps, row.trace) == (
            FOLLOWS,
            "-",
            2,
            ("produce(h=2)", "revert(h=2)"),
        )


class TestNamed:
    @pytest.mark.heavy
    def test_only_a_property_that_the_record_names_counts(self) -> None:
        """
        A mistake that somebody else notices is not the one on record.
        """
        forgot = of("deliver without 'wrong destination'")

        right = one(evolve(forgot, kind=Kind.NAMED, violates=("P03",), shortest=9, differs="longer there"))
        wrong = one(evolve(forgot, kind=Kind.NAMED, violates=("P12",)))

        assert (right.fate, right.property) == (Fate.KILLED, "executes-at-its-destination")
        assert right.reason == "9 steps on record: longer there"
        assert wrong.fate is Fate.SURVIVED

    def test_a_negative_control_is_let_pass(self) -> None:
        """
        It only delays: refusing for a while is no violation.
        """
        closed = require(FALSE, Refusal("closed"))
        shut = made("revert", lambda a: evolve(a, clauses=(*a.clauses, closed)), CORE)

        assert one(evolve(shut, kind=Kind.NAMED)).fate is Fate.PASSED

    def test_a_negative_control_that_violates_something_is_flagged(self) -> None:
        """
        Then the record is wrong, or we are.
        """
        row = one(evolve(of("deliver without 'unproven'"), kind=Kind.NAMED))

        assert (row.fate, row.property) == (Fate.FLAGGED, "executes-only-what-was-emitted")
        assert Score.of([row]).verdict is Verdict.VIOLATED

    def test_who_asks_another_shard_is_refuted_in_two_worlds(self) -> None:
        """
        No trace shows it; the solver has two worlds that differ only elsewhere.
        """

        def nosy(action: Action) -> Action:
            asks = require(emitted(parameter(action, Receipt)), Refusal("taken back"))
            return evolve(action, clauses=(*action.clauses, asks))

        row = one(evolve(made("deliver", nosy), kind=Kind.NAMED, violates=("P27",)))

        assert (row.fate, row.property, row.engine) == (Fate.KILLED, "isolates-shards", "prove")
        assert row.reason == "deliver isolates-shards"

    def test_an_action_that_should_not_be_there_is_searched_for_alone(self) -> None:
        """
        A second way to execute has no counterpart in the protocol, and its worlds are its own.
        """
        deliver = ONCE.action("deliver")
        more = evolve(ONCE, actions=(*ONCE.actions, evolve(deliver, name="mint", clauses=())))

        row = one(Mistake("mint", Kind.NAMED, more, "exactly-once", "", violates=("P02",)))

        assert (row.property, row.engine, row.steps, row.shortest) == (
            "executes-only-what-was-emitted",
            "explore",
            1,
            True,
        )

    def test_a_promise_that_is_broken_where_nothing_can_be_compared(self) -> None:
        """
        A new action makes the shard deaf; what is due is refused from then on.
        """
        d = Shard(Variable("d"))
        deaf: Symbol[[Shard], Bool] = Symbol("deaf", SymbolKind.STATE, (d,), Bool, FALSE, "", d)
        close = Action("close", (d,), (), (insert(deaf(d)),), d)
        deliver = ONCE.action("deliver")
        hears = require(~deaf(parameter(deliver, Shard)), Refusal("deaf"))
        wrong = with_action(ONCE, evolve(deliver, clauses=(*deliver.clauses, hears)))
        wrong = evolve(wrong, symbols=(*wrong.symbols, deaf), actions=(*wrong.actions, close))

        row = one(Mistake("deaf", Kind.NAMED, wrong, "exactly-once", "", violates=("Q1",)))

        assert (row.property_id, row.engine, row.steps, row.shortest) == ("Q1", "explore", 4, True)

    def test_a_mistake_that_shows_in_another_topology_only_is_found_by_the_solver(self) -> None:
        """
        Two receipts under one key: in the plain topology each has its own.
        """
        more = evolve(ONCE, axioms=ONCE.axioms[1:])

        row = one(Mistake("keys", Kind.NAMED, more, "exactly-once", "", violates=("P21",)))

        assert (row.property, row.engine, row.steps) == ("marks-only-what-it-executes", "prove", 4)


class TestLemmas:
    def test_without_a_lemma_the_proof_fails(self) -> None:
        """
        The obligation that is no longer proved is named.
        """
        rows = list(lemma_rows(ONCE, properties_of(ONCE), command._Solver(0, 1_000), lambda: 0.0))

        assert [(row.id, row.property) for row in rows] == [
            ("the proof without executed-is-recorded", "deliver preserves executes-at-most-once"),
            ("the proof without committed-was-emitted", "deliver preserves executes-only-what-was-emitted"),
        ]
        assert {row.fate for row in rows} == {Fate.KILLED}

    def test_a_lemma_that_nobody_needs_survives(self) -> None:
        """
        What follows from another property is not needed beside it.
        """
        known = properties_of(ONCE)
        once = next(p for p in known if p.name == "executes-at-its-destination")
        idle = evolve(once, name="executes-there", role=Role.LEMMA)

        rows = lemma_rows(ONCE, (*known, idle), command._Solver(0, 1_000), lambda: 0.0)

        last = list(rows)[-1]
        assert (last.fate, last.reason) == (Fate.SURVIVED, "everything is proved without it")


class TestWorlds:
    def test_are_those_that_the_explorer_finds(self) -> None:
        """
        As many, and as deep.
        """
        scope = scope_of(CORE, **SMALL)
        worlds, report = Worlds(CORE, scope, 10**7), explore(CORE, scope, properties=())

        assert worlds.complete
        assert (len(worlds.found), worlds.known_depth) == (report.work["worlds"], report.work["depth"])

    def test_walks_reach_what_is_too_far_for_a_search(self) -> None:
        """
        With room for few worlds, those nearest to the start are a part, and some are far away.
        """
        worlds = Worlds(CORE, scope_of(CORE, **SMALL), 29 * 400)

        assert not worlds.complete
        assert worlds.known_depth == 3
        assert len(worlds.answers) == 400
        assert len(worlds.levels) > 8

    def test_what_a_walk_finds_is_made_shorter_and_not_called_shortest(self) -> None:
        """
        No step can be left out of it, but there may be another trace.
        """
        budget = Budget(attempts=29 * 300)

        row = next(judge(CORE, budget=budget).rows([of("deliver without 'consumed'", CORE)]))

        assert (row.fate, row.property, row.shortest) == (Fate.KILLED, "executes-at-most-once", False)
        assert row.steps in (6, 7, 8)


class TestASecondOpinion:
    @pytest.mark.parametrize(
        "how, property, steps",
        [
            (How.VIOLATION, "executes-at-most-once", [("emit", (0,))]),
            (How.VIOLATION, "executes-at-most-once", [("learn", (0, 2))]),
            (How.IDLE, None, [("emit", (0,))]),
            (How.REFUSED, None, [("emit", (0,))]),
            (How.REFUSED, None, [("emit", (0,)), ("emit", (0,))]),
            (How.REASON, None, [("emit", (0,)), ("emit", (0,))]),
        ],
    )
    def test_a_trace_that_shows_nothing_is_not_taken_for_a_kill(
        self, how: How, property: str | None, steps: list[tuple[str, tuple[int, ...]]]
    ) -> None:
        """
        Whatever a search says, the plain reading has to see it too.
        """
        worlds = Worlds(ONCE, scope_of(ONCE, **SMALL), 0)
        broken = next((p for p in properties_of(ONCE) if p.name == property), None)

        with pytest.raises(UnconfirmedError):
            confirm(worlds, ONCE, Noticed(how, broken, "x", tuple(steps)))

    def test_what_the_scope_cannot_say_is_no_violation_and_is_remembered(self) -> None:
        """
        A property that reads beyond the range of its numbers was not checked.
        """
        c, d, m = Count(Variable("c")), Shard(Variable("d")), Receipt(Variable("m"))
        seen: Symbol[[Count], Bool] = Symbol("seen", SymbolKind.STATE, (c,), Bool, FALSE)
        wider = evolve(ONCE, symbols=(*ONCE.symbols, seen))
        far = Property("P00", "far", Role.SAFETY, (d, m), seen(executions(d, m) + 9), "it is far")
        worlds = Worlds(wider, scope_of(wider, **SMALL), 0)
        checks = Checks(worlds, (far,))

        assert checks.broken_in(worlds.found[0]) is None
        assert checks.unread


def row(fate: Fate, name: str = "a") -> Row:
    return Row(name, "core", Kind.CLAUSE, "generated", fate)


class TestTheScore:
    @pytest.mark.parametrize(
        "fates, verdict",
        [
            ([], Verdict.INCONCLUSIVE),
            ([Fate.KILLED, Fate.EQUIVALENT, Fate.PASSED], Verdict.HOLDS),
            ([Fate.KILLED, Fate.UNDECIDED], Verdict.INCONCLUSIVE),
            ([Fate.KILLED, Fate.UNDECIDED, Fate.SURVIVED], Verdict.VIOLATED),
            ([Fate.KILLED, Fate.FLAGGED], Verdict.VIOLATED),
        ],
    )
    def test_one_survivor_is_a_violation(self, fates: list[Fate], verdict: Verdict) -> None:
        """
        Nothing at all is inconclusive; so is what was not decided.
        """
        assert Score.of(map(row, fates)).verdict is verdict

    def test_survivors_come_first(self) -> None:
        """
        They are what one wants to read.
        """
        rows = [row(Fate.KILLED, "a"), row(Fate.SURVIVED, "b"), row(Fate.KILLED, "c"), row(Fate.FLAGGED, "d")]

        assert [r.id for r in Score.of(rows).rows] == ["b", "d", "a", "c"]

    def test_what_is_no_mistake_does_not_count(self) -> None:
        """
        Neither an equivalent one nor a negative control makes the share better.
        """
        rows = [row(f) for f in (Fate.KILLED, Fate.SURVIVED, Fate.EQUIVALENT, Fate.PASSED, Fate.FLAGGED)]

        assert str(Score.of(rows)) == (
            "1 of 2 mistakes noticed, 50.0 %; 1 equivalent, 1 of 2 negative controls let pass"
        )


_ROWS: dict[object, tuple[Row, ...]] = {}


@pytest.fixture
def searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's own rows of one stack, for people and for tools: the search is the same."""

    def once(source: Callable[..., Iterable[Row]]) -> Callable[..., Iterator[Row]]:
        def rows(*asked: Any) -> Iterator[Row]:
            if source not in _ROWS:
                _ROWS[source] = tuple(source(*asked))
            return iter(_ROWS[source])

        return rows

    monkeypatch.setattr(command, "SOURCES", tuple(map(once, command.SOURCES)))


class TestTheCommand:
    @pytest.mark.heavy
    @pytest.mark.usefixtures("searched_once")
    def test_says_so_for_people(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        The table and the score; everything is noticed, so it exits with 0.
        """
        assert cli.run(["mutants", "--stack", "exactly-once"]) == 0

        out = " ".join(capsys.readouterr().out.split())
        assert "noticed by executes-at-most-once (explore); 5 steps, the fewest" in out
        assert "mistakes noticed, 100.0 %" in out

    @pytest.mark.heavy
    @pytest.mark.usefixtures("searched_once")
    def test_says_the_same_for_tools(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        One object, with a row for each mistake.
        """
        assert cli.run(["mutants", "--stack", "exactly-once", "--json"]) == 0

        said = json.loads(capsys.readouterr().out)
        assert (said["verdict"], said["exit_code"]) == ("holds", 0)
        assert len(said["rows"]) == said["score"]["mistakes"] + said["score"]["equivalent"]
        assert {r["fate"] for r in said["rows"]} == {"killed"}

    def test_a_survivor_is_exit_code_1(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        It is printed first, with its reason; whoever has rows to show adds a source.
        """
        alive = evolve(row(Fate.SURVIVED, "leaf for node"), subject="faulty", reason="nobody looks")
        monkeypatch.setattr(command, "SOURCES", (lambda *_: iter([row(Fate.KILLED), alive]),))

        assert cli.run(["mutants"]) == 1

        assert capsys.readouterr().out.splitlines()[:2] == [
            "survived: 1",
            "    faulty  leaf for node; nobody looks; 0.00 s",
        ]

    def test_a_stack_that_is_none_is_a_usage_error(self) -> None:
        """
        Answered with the nearest one.
        """
        assert cli.run(["mutants", "--stack", "cores"]) == 2
