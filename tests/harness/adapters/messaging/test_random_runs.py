"""
Random runs of three shards and a relayer who is neither quick nor always honest.

Each run is taken twice, by systems that must not be told apart: the shards of the second one
are stopped and started, and lose power, all the time.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sample_systems.quick_relayer import ANSWERING, JOURNEYS, VERBS, given_bytes
from shardproof.adapter import ACCEPTED, Delivery, Message, Refused, Topology
from shardproof.adapters.messaging import VARIANTS, MessagingAdapter
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.ledger import ENDOWMENT, Escrow
from shardproof_models.shards.messaging.message import FullReceipt
from shardproof_models.shards.messaging.messenger import Messenger
from shardproof_models.shards.messaging.optimistic import WINDOW
from shardproof_models.shards.messaging.pruning import Pruning

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

SHARDS = "ABC"
#: What asks a shard for a decision on a receipt, and what it is shown.
PRESENTED = {
    "deliver": "prove",
    "deliver_failing": "prove",
    "reenter": "prove",
    "skip": "prove",
    "acknowledge": "prove_outcome",
    "time_out": "prove_absence",
    "time_out_again": "prove_absence",
    "time_out_on_close": "prove_absence",
}


def opened(stack: str) -> MessagingAdapter:
    system = VARIANTS[stack]()
    system.open(Topology.of(3))
    return system


class Run:
    """One run, on two systems."""

    def __init__(self, stack: str, random: Random) -> None:
        self.stack, self.random = stack, random
        self.verbs = VERBS[stack] | {"deliver"}
        self.system, self.shaken = opened(stack), opened(stack)
        self.receipts: list[bytes] = []
        self.headers: dict[str, list[bytes]] = {name: [] for name in SHARDS}
        #: How often each verb was accepted.
        self.accepted: dict[str, int] = {}
        self.responses = dict.fromkeys(SHARDS, 0)
        #: Of a stack that reorganises: what each shard was when it produced each block of its branch.
        self.history = {name: [contents(self.system, name)] for name in SHARDS}

    def ask(self, verb: str, *args: Any) -> Any:
        """Ask both systems; they answer alike, though one of them loses power on the way."""
        shaken, random = self.shaken, self.random
        home = args[0] if isinstance(args[0], str) else getattr(args[0], "destination", "A")
        if verb not in ("send", "nest") and random.random() < 0.02:
            shaken.restart(home)
        if "crash" in self.verbs and verb in PRESENTED and random.random() < 0.2:
            shaken.crash(home, random.randrange(12))
        answer, again = getattr(self.system, verb)(*args), getattr(shaken, verb)(*args)
        if again == Refused("lost power"):
            again = getattr(shaken, verb)(*args)
        assert again == answer, (verb, args)
        if not isinstance(answer, Refused):
            self.accepted[verb] = self.accepted.get(verb, 0) + 1
        return answer

    # ---- one step ---------------------------------------------------------------------------------

    def step(self) -> None:
        kinds = ["send"] * 3 + ["block"] * 2 + ["learn"] + ["present"] * 8 + ["clock", "rare", "rare"]
        getattr(self, self.random.choice(kinds))()
        for name in SHARDS:
            self.check_books(name)
            if "responses" in self.verbs:
                emitted = self.system.responses(name, self.responses[name])
                self.responses[name] += len(emitted)
                self.receipts += [response.receipt for response in emitted]

    def send(self) -> None:
        random = self.random
        source, destination, third = random.sample(SHARDS, 3)
        timely = random.choice([None, random.randrange(1, 20)])
        message = Message(
            source,
            destination,
            b"%d" % len(self.receipts),
            random.randrange(2),
            timely if "acknowledge" in self.verbs else None,
            random.randrange(9),
            onward=third if "responses" in self.verbs and random.random() < 0.3 else None,
        )
        receipt = self.ask("send", message)
        if isinstance(receipt, bytes):
            self.receipts.append(receipt)

    def block(self) -> None:
        name = self.random.choice(SHARDS)
        header = given_bytes(self.ask("produce", name))
        self.history[name].append(contents(self.system, name))
        if "revert" in self.verbs and self.random.random() < 0.6:
            self.headers[name].append(header)
            return
        self.finalise(name, header)

    def finalise(self, name: str, header: bytes) -> None:
        for older in (*self.headers[name][-40:], header):
            final = self.ask("finalise", name, older)
            if isinstance(final, bytes):
                self.headers[name].append(final)

    def learn(self) -> None:
        name, other = self.random.choice(SHARDS), self.random.choice(SHARDS)
        if self.headers[other]:
            self.teach(
                name, self.headers[other][-1 - self.random.randrange(min(3, len(self.headers[other])))]
            )

    def teach(self, name: str, header: bytes) -> None:
        """What it takes, most of the time, to have a header believed."""
        if "claim" in self.verbs:
            self.ask("claim", name, header)
            for _ in range(self.random.randrange(WINDOW + 1)):
                self.ask("advance_clock", name)
        self.ask("learn", name, header)

    def present(self) -> None:
        if self.receipts:
            verb = self.random.choice([verb for verb in PRESENTED if verb in self.verbs])
            self.show(verb, self.random.choice(self.receipts[-20:]))

    def show(self, verb: str, receipt: bytes) -> Any:
        read = FullReceipt.decode(receipt)
        onward = PRESENTED[verb] == "prove"
        known = self.headers[read.source if onward else read.destination]
        if not known:
            return None
        header = known[-1 - self.random.randrange(min(2, len(known)))]
        evidence = getattr(self.system, PRESENTED[verb])(receipt, header)
        assert evidence == getattr(self.shaken, PRESENTED[verb])(receipt, header)
        at = read.destination if onward else read.source
        if self.random.random() < 0.6:
            self.teach(at, header)
        shown = b"" if isinstance(evidence, Refused) else evidence
        return self.ask(verb, Delivery(at, receipt, header, shown))

    def clock(self) -> None:
        if "advance_clock" in self.verbs:
            self.ask("advance_clock", self.random.choice(SHARDS))

    def rare(self) -> None:
        name, other = self.random.sample(SHARDS, 2)
        match self.random.choice(["close", "rotate", "prune", "revert", "revert", "replicate"]):
            case "close" if "close_channel" in self.verbs and self.random.random() < 0.6:
                self.ask("close_channel", name, other, self.random.randrange(2))
            case "rotate" if "rotate" in self.verbs:
                self.hand_over(name)
            case "prune" if "prune" in self.verbs:
                # A record that is forgotten is a difference, and the only one.
                for each in (self.system, self.shaken):
                    each.prune(name)
            case "revert" if "revert" in self.verbs and self.headers[name]:
                header = self.headers[name][-1]
                if self.ask("revert", name, header) == ACCEPTED:
                    del self.history[name][AttestingHeader.decode(header).height :]
                    assert contents(self.system, name) == self.history[name][-1]
            case "replicate":
                root = self.system.state_root(name)
                assert self.system.replicate(name) == self.shaken.state_root(name) == root

    def hand_over(self, name: str) -> None:
        """Validators change, after everybody has learned who comes next."""
        self.seal(name)
        announcing = self.headers[name][-1]
        for other in SHARDS:
            self.ask("learn", other, announcing)
            assert self.ask("learn_validators", other, announcing) == ACCEPTED
            # What a reorganisation would take back nobody would tell it again.
            self.seal(other)
        self.ask("rotate", name)

    def seal(self, name: str) -> None:
        """A new block, and it is final."""
        header = given_bytes(self.ask("produce", name))
        self.history[name].append(contents(self.system, name))
        self.finalise(name, header)

    # ---- what is so at every moment, and at the end -----------------------------------------------

    def check_books(self, name: str) -> None:
        """What the users of a shard hold follows from what was locked and minted there."""
        shard = self.system.at(name, Messenger)
        if isinstance(shard, Escrow):
            books = sum(shard.minted.values()) - sum(shard.locked.values())
            assert self.system.balance(name) == ENDOWMENT + books
            assert all(entry >= 0 for book in (shard.minted, shard.locked) for entry in book.values())

    def come_to_rest(self) -> None:
        """Everything is carried where it belongs, and what cannot arrive goes back."""
        for moment in range(2):
            if moment == 1:
                self.give_up()
            for _ in range(4):
                for name in SHARDS:
                    self.seal(name)
                    for other in SHARDS:
                        assert self.ask("learn", other, self.headers[name][-1]) == ACCEPTED
                for receipt in list(self.receipts):
                    again = "time_out_again" if self.random.random() < 0.5 else "time_out"
                    for verb in ("deliver", "skip", "acknowledge", again, "time_out_on_close"):
                        if verb in self.verbs:
                            self.show(verb, receipt)
                for name in SHARDS:
                    if "responses" in self.verbs:
                        emitted = self.system.responses(name, self.responses[name])
                        self.responses[name] += len(emitted)
                        self.receipts += [response.receipt for response in emitted]

    def give_up(self) -> None:
        """Too late for whatever has a deadline, and all channels are closed."""
        for name in SHARDS:
            for _ in range(20):
                self.ask("advance_clock", name)
            for other in SHARDS:
                for channel in range(2):
                    if "close_channel" in self.verbs:
                        self.ask("close_channel", name, other, channel)


def contents(system: MessagingAdapter, name: str) -> dict[str, dict[object, object]]:
    """What a shard keeps; of a stack that does not reorganise nobody asks."""
    shard = system.at(name, Messenger)
    return {t.name: dict(t) for t in shard.tables.all()} if isinstance(shard, Pruning) else {}


@pytest.mark.parametrize("stack", [*VERBS])
@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_by_stopping_and_nothing_by_going_back(stack: str, seed: int) -> None:
    """
    A system that is restarted and loses power gives the same answers; at every moment the books balance,
    another node agrees, and a reorganisation restores what the parent had.
    """
    run = Run(stack, Random(seed))
    for _ in range(100):
        run.step()


@pytest.mark.parametrize("stack", ANSWERING)
@pytest.mark.parametrize("seed", range(5))
def test_in_the_end_nothing_is_under_way(stack: str, seed: int) -> None:
    """
    Honest relayers bring every receipt to an outcome: what all users hold together is what they had, and
    what is locked on one side is minted on the other.
    """
    run = Run(stack, Random(seed))
    for _ in range(80):
        run.step()
    run.come_to_rest()

    system = run.system
    assert sum(map(system.balance, SHARDS)) == 3 * ENDOWMENT
    for name in SHARDS:
        assert not system.at(name, Messenger).tables.table("pending")
        for other in SHARDS:
            here, there = system.at(name, Messenger), system.at(other, Messenger)
            if isinstance(here, Escrow) and isinstance(there, Escrow):
                assert here.locked.get(other, 0) == there.minted.get(name, 0)


@pytest.mark.parametrize("stack", [*VERBS])
def test_random_runs_reach_what_they_are_meant_to_test(stack: str) -> None:
    """
    Every verb that the runs try is accepted in some of them: otherwise they would show nothing.
    """
    accepted: dict[str, int] = {}
    for seed in range(4):
        run = Run(stack, Random(seed))
        for _ in range(120):
            run.step()
        if stack in ANSWERING:
            run.come_to_rest()
        for verb, count in run.accepted.items():
            accepted[verb] = accepted.get(verb, 0) + count
    tried = (set(PRESENTED) | {"send", "learn", "rotate", "close_channel", "revert", "claim"}) & run.verbs
    if stack in JOURNEYS:
        assert any(FullReceipt.decode(receipt).payload.startswith(b"onward:") for receipt in run.receipts)

    assert tried - accepted.keys() == set()
