"""
Shards that lose state: what must be restored is said, and what is said is proved.

A mistake here is one that restores too little: a symbol that a crash or a reorganisation forgets,
effects that become durable before their records, a promise that a crash can take. Each has to be
refuted, and where a trace of a few steps does harm, by that trace.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import pytest
from attrs import evolve

from shardproof.engines.prove.counterexample import counterexample
from shardproof.engines.prove.induction import Prover
from shardproof.engines.prove.obligations import Obligation, assumptions, obligations
from shardproof.engines.prove.search import Violated, violation
from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import CompositionError, Protocol, compose
from shardproof_models.language.terms import PUBLIC, Symbol, Term, rebuild
from shardproof_models.layers.durability import durability
from shardproof_models.layers.exactly_once import commits, consumed, exactly_once, executions, learned
from shardproof_models.layers.failures import failures
from shardproof_models.layers.forwarding import forwarding
from shardproof_models.layers.inbox import inbox
from shardproof_models.layers.outcomes import outcomes
from shardproof_models.layers.reorganisation import is_at_an_address, reorganisation
from shardproof_models.layers.resharding import resharding
from shardproof_models.layers.sequencing import ordering
from shardproof_models.layers.value import value
from shardproof_models.stacks import STACKS, stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.losses import FOLLOWS
from shardproof_properties.property import Property, Role
from shardproof_properties.safety import REPEATABLE

pytestmark = pytest.mark.heavy

T = TypeVar("T", bound=Term)

INBOX = stack("exactly-once-inbox")

#: Blocks that can be dropped, power that can fail, and something of most kinds to lose.
BLOCKS = compose("blocks", exactly_once, reorganisation, ordering, outcomes, value, durability)

#: The same without blocks: what is durable is kept apart.
COPIES = compose("copies", exactly_once, inbox, ordering, outcomes, value, durability)

#: Blocks, and receipts that go on.
HOPS = compose("hops", exactly_once, reorganisation, ordering, outcomes, value, forwarding, durability)

#: `everything`, and in it receipts that go on in place of shards that split.
ONWARD = tuple(layer for layer in STACKS["everything"].layers if layer is not resharding)
LARGE = {"everything": stack("everything"), "onward": compose("onward", *ONWARD, forwarding)}

#: What is known of the chain of blocks, which is all that P26 and P18 rest on.
CHAIN = ("heads-are-produced", "a-parent-is-one-below", "a-genesis-is-final", "the-head-is-highest")

SIZED = {"hops": HOPS, "copies": COPIES}


@cache
def properties(protocol: Protocol) -> tuple[Property, ...]:
    return properties_of(protocol)


def unproved(protocol: Protocol, seed: int = 0) -> list[str]:
    prover = Prover(seed)
    todo = obligations(protocol, properties(protocol), REPEATABLE)
    return [o.name for o in todo if not prover.matched(o)]


def changed(protocol: Protocol, *actions: Action) -> Protocol:
    """`protocol` with these actions in place of those of the same name, or as well."""
    others = (a for a in protocol.actions if a.name not in {b.name for b in actions})
    return evolve(protocol, actions=(*others, *actions))


def claim(protocol: Protocol, action: Action, name: str) -> Obligation:
    """That `action` respects the step property called `name`."""
    about = next(p for p in properties(protocol) if p.name == name)
    goal = action.step(protocol.expand(about.body))
    chain = tuple(p for p in properties(protocol) if p.name in CHAIN)
    return Obligation(name, assumptions(protocol, chain), goal, about, action, action.guard)


def respects(protocol: Protocol, action: Action, name: str) -> bool:
    return Prover().matched(claim(protocol, action, name))


def refuted(protocol: Protocol, action: Action, name: str) -> bool:
    """Whether there is a world in which `action` does not respect the step property called `name`."""
    return counterexample(protocol, claim(protocol, action, name)) is not None


def forgetting(action: Action, symbol: Symbol[Any, Any]) -> Action:
    """`action` that leaves `symbol` as it is."""
    return evolve(action, effects=tuple(e for e in action.effects if e.symbol is not symbol))


def shortest(protocol: Protocol, depth: int, *names: str) -> Violated | None:
    """A shortest trace that violates one of the sentences called `names`."""
    about = tuple(p for p in properties(protocol) if p.name in names)
    return violation(protocol, about, depth, seed=0, timeout_ms=60_000).found


def steps(found: Violated | None) -> list[str]:
    return [action.name for action, _ in found.path.steps] if found else []


class TestTheTheorem:
    """Stacks that lose state are as safe as those that do not; for the small ones see `test_prove_stacks`."""

    @pytest.mark.parametrize(
        "name, seed",
        [
            pytest.param("everything", 0, marks=pytest.mark.deep),
            pytest.param("everything", 1, marks=pytest.mark.deep),
            pytest.param("onward", 0, marks=pytest.mark.deep),
            pytest.param("onward", 1, marks=pytest.mark.deep),
        ],
    )
    def test_all_layers_together_are(self, name: str, seed: int) -> None:
        """
        With resharding, and with receipts that go on: as large as what is proved gets.
        """
        assert unproved(LARGE[name], seed) == []

    @pytest.mark.parametrize("name", ["copies", pytest.param("hops", marks=pytest.mark.deep)])
    def test_so_does_what_layers_add(self, name: str) -> None:
        """
        Nothing has to be said of a new layer: its invariants are read as they would be after losses.
        """
        assert unproved(SIZED[name]) == []

    def test_without_the_readings_nothing_is_proved_of_losses(self) -> None:
        """
        The generated lemmas are what the proof rests on, not an ornament.
        """
        prover = Prover()
        plain = tuple(p for p in properties(INBOX) if " after a loss at " not in p.name)
        failed = {o.name for o in obligations(INBOX, plain, REPEATABLE) if not prover.matched(o)}

        assert "crash preserves executes-at-most-once" in failed

    def test_each_set_of_shards_is_read_once(self) -> None:
        """
        Of a sentence about two shards: one has lost state, or the other, or both.
        """
        names = {p.name for p in properties(stack("core"))}
        found = {n for n in names if n.startswith("executes-only-what-was-emitted, part 1")}

        assert found == {
            "executes-only-what-was-emitted, part 1, after a loss at d",
            "executes-only-what-was-emitted, part 1, after a loss at source(m)",
            "executes-only-what-was-emitted, part 1, after a loss at d, source(m)",
        }

    def test_who_loses_nothing_has_no_readings(self) -> None:
        """
        A stack without crashes and reorganisations is proved as before.
        """
        assert not [p.name for p in properties(stack("final")) if " after a loss at " in p.name]

    def test_what_follows_from_others_is_an_invariant(self) -> None:
        """
        A name in the list of what needs no induction is that of a sentence of the largest stack.
        """
        known = {p.name for p in properties(stack("everything")) if p.role in (Role.SAFETY, Role.LEMMA)}

        assert known >= FOLLOWS.keys()

    def test_what_follows_is_not_taken_for_granted(self) -> None:
        """
        It follows from the other invariants, never from itself: without those it does not.
        """
        core = stack("core")
        name = "trusts-only-produced-headers follows from the invariants"

        def follows(known: tuple[Property, ...]) -> bool:
            (only,) = (o for o in obligations(core, known) if o.name == name)
            return Prover().matched(only)

        assert follows(properties(core))
        assert not follows(tuple(p for p in properties(core) if p.name != "trusts-only-final-headers"))


class TestForgetting:
    """A crash, a flush, a block or a reorganisation that leaves out one symbol."""

    @pytest.mark.parametrize("symbol", BLOCKS.remembers, ids=str)
    def test_a_reorganisation_restores_each_symbol(self, symbol: Symbol[Any, Any]) -> None:
        """
        P26 notices whatever it is that `revert` does not return, or `produce` does not remember.
        """
        name = f"reverts-atomically[{symbol.name}]"
        revert, produce = BLOCKS.action("revert"), BLOCKS.action("produce")

        assert respects(BLOCKS, revert, name)
        assert respects(BLOCKS, produce, name)
        assert refuted(BLOCKS, forgetting(revert, symbol), name)
        assert refuted(BLOCKS, forgetting(produce, BLOCKS.remembers[symbol]), name)

    @pytest.mark.parametrize("symbol", BLOCKS.remembers, ids=str)
    def test_a_crash_goes_back_to_the_newest_block(self, symbol: Symbol[Any, Any]) -> None:
        """
        P18 notices whatever it is that survives a crash and is not in the newest block.
        """
        name, crash = f"crashes-atomically[{symbol.name}]", BLOCKS.action("crash")

        assert respects(BLOCKS, crash, name)
        assert refuted(BLOCKS, forgetting(crash, symbol), name)

    @pytest.mark.parametrize("symbol", COPIES.keeps, ids=str)
    def test_each_symbol_becomes_durable_with_the_others(self, symbol: Symbol[Any, Any]) -> None:
        """
        P18 notices whatever it is that a flush leaves out, or that survives a crash and is not durable.
        """
        crash, flush = COPIES.action("crash"), COPIES.action("flush")
        lost, kept = f"crashes-atomically[{symbol.name}]", f"becomes-durable-atomically[{symbol.name}]"

        assert respects(COPIES, crash, lost)
        assert respects(COPIES, flush, kept)
        assert refuted(COPIES, forgetting(crash, symbol), lost)
        assert refuted(COPIES, forgetting(flush, COPIES.keeps[symbol]), kept)

    @pytest.mark.parametrize("symbol", stack("core-durable").remembers, ids=str)
    @pytest.mark.parametrize("name, about", [("revert", "reverts"), ("crash", "crashes")])
    def test_of_the_core_a_trace_shows_it(self, name: str, about: str, symbol: Symbol[Any, Any]) -> None:
        """
        From the first world, a few steps lead to a shard that has not all of what it had.
        """
        core = stack("core-durable")
        broken = changed(core, forgetting(core.action(name), symbol))

        assert steps(shortest(broken, 7, f"{about}-atomically[{symbol.name}]"))[-1] == name

    def test_what_is_forgotten_does_harm(self) -> None:
        """
        A crash that takes the record of an execution and leaves its effect repeats it.
        """
        broken = changed(INBOX, forgetting(INBOX.action("crash"), executions))

        assert steps(shortest(broken, 7, "executes-at-most-once"))[-2:] == ["crash", "deliver"]


class TestSplitFlush:
    """Effects become durable before their records."""

    def split(self) -> Protocol:
        flush = INBOX.action("flush")
        records = {INBOX.keeps[consumed]}
        early = tuple(e for e in flush.effects if e.symbol not in records)
        late = tuple(e for e in flush.effects if e.symbol in records)
        first = evolve(flush, name="flush_effects", effects=early)
        second = evolve(flush, name="flush_records", effects=late)
        others = tuple(a for a in INBOX.actions if a is not flush)
        return evolve(INBOX, actions=(*others, first, second))

    def test_executes_twice(self) -> None:
        """
        The power fails between the two writes; the receipt is delivered again.
        """
        found = steps(shortest(self.split(), 7, "executes-at-most-once"))

        assert found[-3:] == ["flush_effects", "crash", "deliver"]
        assert found.count("deliver") == 2

    def test_is_noticed_before_it_does_harm(self) -> None:
        """
        P18 is broken by the first write already: what would be left is an effect without a record.
        """
        found = steps(shortest(self.split(), 7, "durable-effects-are-durably-recorded"))

        assert found[-1] == "flush_effects"
        assert "crash" not in found


class TestReleasingVolatileState:
    """A header commits to what a crash can still take."""

    def volatile(self) -> Protocol:
        produce = INBOX.action("produce")
        kept = {copy: symbol for symbol, copy in INBOX.keeps.items()}

        def hasty(term: T) -> T:
            return rebuild(term, lambda t: evolve(t, head=kept[t.head]) if t.head in kept else t)

        effects = tuple(
            evolve(e, value=hasty(e.value), where=hasty(e.where)) if e.symbol.home is PUBLIC else e
            for e in produce.effects
        )
        return changed(INBOX, evolve(produce, effects=effects))

    def test_promises_what_can_be_lost(self) -> None:
        """
        Emitted and committed to, and not durable yet.
        """
        assert steps(shortest(self.volatile(), 3, "commits-only-to-what-is-durable")) == ["emit", "produce"]

    def test_executes_what_was_never_sent(self) -> None:
        """
        The power fails: the sender does not know of the receipt that its header proves.
        """
        found = steps(shortest(self.volatile(), 4, "executes-only-what-was-emitted"))

        assert sorted(found) == ["crash", "deliver", "emit", "produce"]

    def test_the_right_one_commits_to_what_is_durable(self) -> None:
        """
        The same search finds nothing where what is released is computed from what is durable.
        """
        assert shortest(INBOX, 4, "executes-only-what-was-emitted", "commits-only-to-what-is-durable") is None
        assert commits in {e.symbol for e in INBOX.action("produce").effects}


class TestWhoTakesOver:
    def test_has_nothing_durable_without_blocks(self) -> None:
        """
        A child of a split that crashes before it was flushed would have nothing: refused when composed.
        """
        with pytest.raises(CompositionError, match="nothing durable yet"):
            compose("split and crash", exactly_once, inbox, failures, resharding, durability)

    def test_who_has_retired_loses_nothing(self) -> None:
        """
        What a shard held when it retired is its heirs': neither a crash nor a reorganisation takes it.
        """
        both = compose("reshards", exactly_once, reorganisation, resharding, durability)

        for name in ("revert", "crash", "produce"):
            assert "not live" in {str(c.refusal) for c in both.action(name).clauses}, name

    @pytest.mark.parametrize("founding", ["split", "merge"])
    def test_begins_with_a_block_of_what_it_took_over(self, founding: str) -> None:
        """
        Or else a reorganisation of its first block would leave it without the records of its parents.
        """
        both = compose("reshards", exactly_once, reorganisation, resharding)
        broken = changed(both, forgetting(both.action(founding), both.remembers[consumed]))
        prover = Prover()
        todo = (o for o in obligations(broken, properties(both), REPEATABLE) if o.action is not None)

        assert any(not prover.matched(o) for o in todo if o.name.startswith(f"{founding} preserves"))

    def test_takes_over_what_is_at_an_address_and_not_what_is_a_shards_own(self) -> None:
        """
        Balances and emissions go where their address goes; records are copied, and each shard keeps its own.
        """
        assert {s.name for s in LARGE["everything"].remembers if is_at_an_address(s)} >= {
            "balance",
            "emitted",
            "circulating",
            "queued",
        }
        assert not any(is_at_an_address(s) for s in (consumed, executions, learned))
