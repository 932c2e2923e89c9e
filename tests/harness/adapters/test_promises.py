from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from drawn import examples
from shardproof.adapter import (
    ACCEPTED,
    Adapter,
    Delivery,
    Execution,
    Message,
    Outcome,
    Refused,
    Response,
    Topology,
    capabilities,
)
from shardproof.adapters.promises import VARIANTS, ActorsAdapter, InboxAdapter, NearAdapter, TonAdapter
from shardproof_models.shards.calling.accounts import ENDOWMENT
from shardproof_models.shards.calling.queues import QueueingShard

ADDRESSES = ("A", "B", "C")
TOPOLOGY = Topology((*ADDRESSES, "D", "E", "F", "G"), reserve=4)
CALLS = (NearAdapter, TonAdapter, ActorsAdapter)
WITH_VALUE = (NearAdapter, TonAdapter)
WITH_FRAMES = (NearAdapter, ActorsAdapter)


def given_bytes(answer: bytes | Refused) -> bytes:
    assert isinstance(answer, bytes), answer
    return answer


@define
class Net:
    """A system, and who answers for which address in it, as an honest relayer knows."""

    system: Adapter
    owner: dict[str, str] = field(factory=lambda: {name: name for name in ADDRESSES})

    def sealed(self, address: str) -> bytes:
        """A final header of whoever answers for an address, learned by everybody."""
        shard = self.owner[address]
        header = given_bytes(self.system.produce(shard))
        if "finalise" in capabilities(self.system):
            header = given_bytes(self.system.finalise(shard, header))
            for other in TOPOLOGY.shards:
                assert self.system.learn(other, header) == ACCEPTED
        return header

    def sent(self, payload: bytes, source: str = "A", destination: str = "B", amount: int = 0) -> Delivery:
        """An honest delivery of a new receipt."""
        receipt = given_bytes(self.system.send(Message(source, destination, payload, amount=amount)))
        assert self.system.drain(source, destination) == ACCEPTED
        return self.proved(receipt, source, destination)

    def proved(self, receipt: bytes, source: str, destination: str) -> Delivery:
        """An honest delivery of a receipt, on a new header."""
        header = self.sealed(source)
        evidence = given_bytes(self.system.prove(receipt, header))
        return Delivery(self.owner[destination], receipt, header, evidence)

    def answered(self, shard: str, address: str) -> Delivery:
        """An honest delivery of the newest response that `shard` has emitted, in the name of `address`."""
        response = self.system.responses(shard, 0)[-1]
        return self.proved(response.receipt, address, response.destination)

    def split(self, shard: str, into: tuple[str, str], left: str, right: str) -> None:
        """A split, after which the addresses in `left` and `right` have new owners."""
        assert self.system.split(shard, into) == ACCEPTED
        self.owner |= dict.fromkeys(left, into[0]) | dict.fromkeys(right, into[1])

    def merge(self, shards: tuple[str, str], into: str) -> None:
        """A merge, after which two shards have one successor."""
        assert self.system.merge(shards, into) == ACCEPTED
        self.owner = {a: into if shard in shards else shard for a, shard in self.owner.items()}

    def total(self) -> int:
        """What all users of all shards hold together."""
        return sum(self.system.balance(shard) for shard in TOPOLOGY.shards)

    def roots(self) -> dict[str, bytes]:
        """The digest of every shard."""
        return {shard: self.system.state_root(shard) for shard in TOPOLOGY.shards}

    def replicas(self) -> dict[str, bytes]:
        """The digest of every shard at another node."""
        return {shard: self.system.replicate(shard) for shard in TOPOLOGY.shards}


def opened(kind: Callable[[], Adapter]) -> Net:
    system = kind()
    system.open(TOPOLOGY)
    return Net(system)


def each(*kinds: type[Adapter]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return pytest.mark.parametrize("net", kinds, ids=lambda kind: kind.stack, indirect=True)


@pytest.fixture
def net(request: pytest.FixtureRequest) -> Net:
    return opened(request.param)


class TestWhatEachStackCanDo:
    @pytest.mark.parametrize(
        "kind, can",
        [
            (NearAdapter, {"nest", "balance", "drain", "split", "merge", "send", "responses", "learn"}),
            (TonAdapter, {"balance", "drain", "split", "merge", "send", "responses", "learn", "prune"}),
            (ActorsAdapter, {"nest", "drain", "send", "responses", "learn", "prune", "advance_clock"}),
            (InboxAdapter, {"crash"}),
        ],
        ids=lambda x: getattr(x, "stack", ""),
    )
    def test_has_the_verbs_of_its_layers(self, kind: type[Adapter], can: set[str]) -> None:
        """
        A capability is a layer: what a stack lacks, its adapter does not offer.
        """
        of_all = {"deliver_failing", "announced", "reenter", "restart", "state_root", "replicate", "forge"}
        of_proofs = {"finalise", "dissect", "assemble", "leaf"}

        assert capabilities(kind()) == can | of_all | (of_proofs if "learn" in can else set())

    def test_is_found_by_the_name_of_its_stack(self) -> None:
        """
        A variant of the reference is called like the stack that it follows.
        """
        assert {name: kind().name for name, kind in VARIANTS.items()} == {
            name: f"reference:{name}" for name in ("near", "ton", "actors", "exactly-once-inbox")
        }


class TestDeliver:
    @each(*CALLS)
    def test_executes_what_is_proved_once(self, net: Net) -> None:
        """
        A call takes effect with its payload and in the name of its source; a second delivery does not.
        """
        delivery = net.sent(b"one")

        assert net.system.deliver(delivery) == ACCEPTED
        assert net.system.deliver(delivery) == Refused("consumed")
        assert list(net.system.executed("B", 0)) == [Execution(b"one", "A")]
        assert list(net.system.announced("B", 0)) == [b"one"]

    @each(*CALLS)
    def test_names_the_first_clause_that_fails(self, net: Net) -> None:
        """
        The order of refusals is the order of the model's clauses: each line also breaks those after it.
        """
        system = net.system
        done, elsewhere = net.sent(b"one"), net.sent(b"two", "C", "A")
        assert system.deliver(done) == ACCEPTED
        unknown = given_bytes(system.produce("A"))
        forged = system.forge("A", "B", b"three")

        def answer(receipt: bytes, header: bytes, evidence: bytes = b"") -> Outcome:
            return system.deliver(Delivery("B", receipt, header, evidence))

        assert [
            answer(forged, b""),
            answer(elsewhere.receipt, unknown),
            answer(elsewhere.receipt, done.header),
            answer(forged, done.header, done.evidence),
            answer(b"", done.header, done.evidence),
            answer(done.receipt, done.header),
            answer(elsewhere.receipt, elsewhere.header, elsewhere.evidence),
            answer(done.receipt, done.header, done.evidence),
        ] == [
            Refused(reason)
            for reason in (
                "untrusted header",
                "untrusted header",
                "wrong source",
                "unproven",
                "unproven",
                "unproven",
                "wrong destination",
                "consumed",
            )
        ]

    @pytest.mark.parametrize("kind", [*CALLS, InboxAdapter], ids=lambda kind: kind.stack)
    @given(data=st.binary(max_size=200), cut=st.integers(0, 300))
    @examples(60)
    def test_refuses_any_bytes(self, kind: type[Adapter], data: bytes, cut: int) -> None:
        """
        Whatever is shown as a receipt, a header or evidence, the answer is a refusal and not an exception.
        """
        net = opened(kind)
        system = net.system
        receipt = given_bytes(system.emit("A", "B", b"one"))
        honest = net.proved(receipt, "A", "B")
        before = system.state_root("B")
        shown = [
            evolve(honest, receipt=data),
            evolve(honest, header=data),
            evolve(honest, receipt=honest.receipt[:cut] + data),
            # What comes last is the certificate: without it a header is the same header.
            evolve(honest, header=honest.header[: cut % (len(honest.header) - 36)] + data),
        ]
        if "learn" in capabilities(system):
            shown += [evolve(honest, evidence=data), evolve(honest, evidence=honest.evidence[:cut] + data)]

        for delivery in shown:
            if (delivery.receipt, delivery.header, delivery.evidence) != (
                honest.receipt,
                honest.header,
                honest.evidence,
            ):
                for verb in (system.deliver, system.deliver_failing, system.reenter):
                    assert isinstance(verb(delivery), Refused)
                if "nest" in capabilities(system):
                    assert isinstance(system.nest(delivery, honest), Refused)
                if "learn" in capabilities(system) and delivery.header != honest.header:
                    assert isinstance(system.learn("C", delivery.header), Refused)
        assert system.state_root("B") == before

    @each(*CALLS, InboxAdapter)
    def test_the_callback_finds_its_receipt_spent(self, net: Net) -> None:
        """
        The record comes before the callback: one that presents its own receipt gets nowhere.
        """
        delivery = net.proved(given_bytes(net.system.emit("A", "B", b"one")), "A", "B")

        assert net.system.reenter(delivery) == ACCEPTED
        assert [e.payload for e in payloads(net.system, "B")] == [b"one"]

    @each(*CALLS)
    def test_numbers_without_an_encoding_are_refused(self, net: Net) -> None:
        """
        A request that cannot be written down is refused, and nothing is debited for it.
        """
        for wrong in (
            Message("A", "B", b"x", amount=-1),
            Message("A", "B", b"x", deadline=1 << 64),
            Message("A", "B", b"x", channel=-1),
        ):
            assert net.system.send(wrong) == Refused("not a number")
        assert net.system.send(Message("D", "B", b"x")) == Refused("no such address")


def payloads(system: Adapter, shard: str) -> list[Execution]:
    return [x if isinstance(x, Execution) else Execution(x) for x in system.executed(shard, 0)]


class TestResponses:
    @each(*CALLS)
    def test_a_failure_is_answered(self, net: Net) -> None:
        """
        A call that fails has no effect and no event; what it carried goes back with a call of its own.
        """
        failing = net.sent(b"one", amount=7)

        assert net.system.deliver_failing(failing) == ACCEPTED
        assert net.system.deliver(failing) == Refused("consumed")
        assert not net.system.executed("B", 0)
        assert not net.system.announced("B", 0)
        (response,) = net.system.responses("B", 0)
        assert response == Response(response.receipt, "A", response.payload, b"one", 7)
        assert not net.system.responses("B", 1)

        back = net.answered("B", "B")
        assert net.system.deliver(back) == ACCEPTED
        assert net.system.deliver(back) == Refused("consumed")
        assert list(net.system.executed("A", 0)) == [Execution(response.payload, "B")]

    @each(*CALLS)
    def test_a_response_cannot_fail(self, net: Net) -> None:
        """
        What a response brings back is not lost again, nor sent back again: it is credited without a callback.
        """
        net.system.deliver_failing(net.sent(b"one", amount=7))
        back = net.answered("B", "B")

        assert net.system.deliver_failing(back) == Refused("a response cannot fail")
        assert not net.system.responses("A", 0)
        assert net.system.deliver(back) == ACCEPTED

    @each(*CALLS)
    def test_two_failures_have_two_responses(self, net: Net) -> None:
        """
        Responses to equal calls are different, and each names the one that it answers.
        """
        for _ in range(2):
            assert net.system.deliver_failing(net.sent(b"same")) == ACCEPTED

        first, second = net.system.responses("B", 0)
        assert first.answers == second.answers == b"same"
        assert first.payload != second.payload

    @each(*WITH_VALUE)
    def test_the_value_goes_and_comes_back(self, net: Net) -> None:
        """
        Debited once where it is sent, it is credited once: where it arrives, or, if that fails, where it was.
        """
        system = net.system
        assert system.deliver(net.sent(b"one", amount=5)) == ACCEPTED
        assert [system.balance(s) for s in "AB"] == [ENDOWMENT - 5, ENDOWMENT + 5]

        assert system.deliver_failing(net.sent(b"two", amount=7)) == ACCEPTED
        assert [system.balance(s) for s in "AB"] == [ENDOWMENT - 12, ENDOWMENT + 5]

        assert system.deliver(net.answered("B", "B")) == ACCEPTED
        assert [system.balance(s) for s in "AB"] == [ENDOWMENT - 5, ENDOWMENT + 5]

    @each(*WITH_VALUE)
    def test_nobody_pays_what_he_does_not_have(self, net: Net) -> None:
        """
        A request beyond the balance is refused; one that takes all of it is not.
        """
        beyond = Message("A", "B", b"one", amount=ENDOWMENT + 1)

        assert net.system.send(beyond) == Refused("insufficient balance")
        given_bytes(net.system.send(evolve(beyond, amount=ENDOWMENT)))
        assert net.system.balance("A") == 0

    @each(*WITH_VALUE)
    def test_a_response_needs_no_balance(self, net: Net) -> None:
        """
        Who has nothing left still gives back what failed.
        """
        failing = net.sent(b"one", amount=7)
        given_bytes(net.system.send(Message("B", "C", b"all", amount=ENDOWMENT)))

        assert net.system.deliver_failing(failing) == ACCEPTED
        assert net.system.deliver(net.answered("B", "B")) == ACCEPTED
        assert [net.system.balance(s) for s in "AB"] == [ENDOWMENT, 0]


class TestQueues:
    @each(*CALLS)
    def test_a_full_link_takes_no_request(self, net: Net) -> None:
        """
        A link has room for so many requests; another one from the same address is not concerned.
        """
        for i in range(QueueingShard.capacity):
            given_bytes(net.system.send(Message("A", "B", b"%d" % i)))

        assert net.system.send(Message("A", "B", b"more")) == Refused("queue full")
        given_bytes(net.system.send(Message("A", "C", b"more")))
        given_bytes(net.system.send(Message("B", "A", b"more")))

    @each(*CALLS)
    def test_draining_makes_room(self, net: Net) -> None:
        """
        The link carries away as many requests as wait on it, and no more.
        """
        for i in range(QueueingShard.capacity):
            given_bytes(net.system.send(Message("A", "B", b"%d" % i)))

        drained = [net.system.drain("A", "B") for _ in range(QueueingShard.capacity + 1)]

        assert drained == [ACCEPTED] * QueueingShard.capacity + [Refused("not queued")]
        given_bytes(net.system.send(Message("A", "B", b"more")))
        assert net.system.drain("D", "B") == Refused("no such address")

    @each(*CALLS)
    def test_a_response_has_a_lane_of_its_own(self, net: Net) -> None:
        """
        A response is emitted on a link that is full of requests, and takes none of their places.
        """
        failing = net.sent(b"one")
        for i in range(QueueingShard.capacity):
            given_bytes(net.system.send(Message("B", "A", b"%d" % i)))

        assert net.system.deliver_failing(failing) == ACCEPTED
        assert len(net.system.responses("B", 0)) == 1
        drained = [net.system.drain("B", "A") for _ in range(QueueingShard.capacity + 1)]
        assert drained == [ACCEPTED] * QueueingShard.capacity + [Refused("not queued")]

    def test_a_full_link_is_suspended_until_it_is_empty(self) -> None:
        """
        Between full and empty nothing is sent on it; other links go on.
        """
        net = opened(ActorsAdapter)
        for i in range(QueueingShard.capacity):
            given_bytes(net.system.send(Message("A", "B", b"%d" % i)))

        answers = []
        for _ in range(QueueingShard.capacity - 1):
            assert net.system.drain("A", "B") == ACCEPTED
            net.system.restart("A")
            answers.append(net.system.send(Message("A", "B", b"more")))
        assert answers == [Refused("suspended")] * (QueueingShard.capacity - 1)
        given_bytes(net.system.send(Message("A", "C", b"more")))

        assert net.system.drain("A", "B") == ACCEPTED
        given_bytes(net.system.send(Message("A", "B", b"more")))


class TestFrames:
    @each(*WITH_FRAMES)
    def test_an_outer_callback_knows_who_called_it(self, net: Net) -> None:
        """
        A callback that was interrupted by another one is answered by its own sender.
        """
        outer, inner = net.sent(b"outer"), net.sent(b"inner", "C")

        assert net.system.nest(outer, inner) == ACCEPTED
        assert list(net.system.executed("B", 0)) == [Execution(b"inner", "C"), Execution(b"outer", "A")]

    @each(*WITH_FRAMES)
    def test_what_is_refused_inside_changes_nothing_outside(self, net: Net) -> None:
        """
        The outer callback goes on, whatever it presents: itself, nonsense, or what belongs elsewhere.
        """
        for payload, inner in ((b"one", None), (b"two", Delivery("B", b"", b"", b"")), (b"three", "C")):
            outer = net.sent(payload)
            shown = outer if inner is None else net.sent(b"else", "A", "C") if inner == "C" else inner
            assert isinstance(shown, Delivery)
            assert net.system.nest(outer, shown) == ACCEPTED

        assert list(net.system.executed("B", 0)) == [
            Execution(payload, "A") for payload in (b"one", b"two", b"three")
        ]


class TestOrder:
    def test_a_channel_is_executed_in_order(self) -> None:
        """
        What comes early is refused, and may come again in its turn.
        """
        net = opened(TonAdapter)
        first, second = net.sent(b"one"), net.sent(b"two")

        assert net.system.deliver(second) == Refused("out of order")
        assert net.system.deliver(first) == ACCEPTED
        assert net.system.deliver(second) == ACCEPTED

    def test_failing_is_being_dealt_with(self) -> None:
        """
        A call that fails holds up nothing: neither its own channel, nor another address, nor another source.
        """
        net = opened(TonAdapter)
        poison, after = net.sent(b"poison"), net.sent(b"after")
        others = [net.sent(b"to C", "A", "C"), net.sent(b"from C", "C", "B")]

        assert [net.system.deliver(d) for d in others] == [ACCEPTED] * 2
        assert net.system.deliver_failing(poison) == ACCEPTED
        assert net.system.deliver(after) == ACCEPTED

    def test_channels_do_not_wait_for_each_other(self) -> None:
        """
        Two channels between the same addresses count apart; a response keeps to that of its call.
        """
        net = opened(TonAdapter)
        late = net.sent(b"late")
        receipt = given_bytes(net.system.send(Message("A", "B", b"other", channel=1)))

        assert net.system.deliver_failing(net.proved(receipt, "A", "B")) == ACCEPTED
        assert net.system.deliver_failing(late) == ACCEPTED
        assert [net.system.deliver(net.answered("B", "B"))] == [ACCEPTED]

    def test_a_watermark_says_what_the_records_said(self) -> None:
        """
        Pruned or not, restarted or not, what was executed is refused as such, and what is next is not.
        """
        net = opened(TonAdapter)
        done = [net.sent(b"%d" % i) for i in range(3)]
        assert [net.system.deliver(d) for d in done[:2]] == [ACCEPTED] * 2

        net.system.prune("B")
        net.system.restart("B")

        assert [net.system.deliver(d) for d in done] == [Refused("consumed")] * 2 + [ACCEPTED]
        net.system.prune("B")
        assert [net.system.deliver(d) for d in done] == [Refused("consumed")] * 3


class TestDeadlines:
    def test_nothing_is_delivered_from_its_deadline_on(self) -> None:
        """
        The clock of the receiver decides: one tick before, it is executed, and then no more.
        """
        net = opened(ActorsAdapter)
        early, late = (
            given_bytes(net.system.send(Message("A", "B", payload, deadline=deadline)))
            for payload, deadline in ((b"early", 2), (b"late", 1))
        )
        forever = given_bytes(net.system.send(Message("C", "B", b"forever")))
        net.system.advance_clock("B")
        net.system.advance_clock("A")

        shown = [(early, "A"), (late, "A"), (forever, "C")]
        answers = [net.system.deliver(net.proved(r, source, "B")) for r, source in shown]

        assert answers == [ACCEPTED, Refused("consumed"), ACCEPTED]

    def test_what_is_over_may_be_forgotten(self) -> None:
        """
        Before the deadline a record stays, after it it goes; a second delivery is refused all along.
        """
        net = opened(ActorsAdapter)
        done = net.proved(given_bytes(net.system.send(Message("A", "B", b"one", deadline=2))), "A", "B")
        assert net.system.deliver(done) == ACCEPTED

        for ticks in range(4):
            before = net.roots()["B"]
            net.system.prune("B")
            assert (net.roots()["B"] == before) == (ticks != 2)
            net.system.restart("B")
            assert net.system.deliver(done) == Refused("consumed")
            net.system.advance_clock("B")


class TestResharding:
    @each(*WITH_VALUE)
    def test_refuses_what_the_model_refuses(self, net: Net) -> None:
        """
        Who does not take part cannot retire, who takes part cannot be founded, and two are not one.
        """
        assert [
            net.system.split("D", ("E", "F")),
            net.system.split("A", ("B", "E")),
            net.system.split("A", ("E", "E")),
            net.system.merge(("A", "D"), "E"),
            net.system.merge(("A", "B"), "C"),
            net.system.merge(("A", "A"), "E"),
        ] == [Refused(r) for r in ("not live", "not fresh", "same shard") * 2]
        net.merge(("A", "B"), "D")
        assert net.system.split("A", ("E", "F")) == Refused("not live")
        assert net.system.merge(("C", "D"), "D") == Refused("not fresh")

    @each(*WITH_VALUE)
    def test_addresses_go_to_children_alternately(self, net: Net) -> None:
        """
        In the order of all shards, the first, third, ... address is the left child's: B is the right's.
        """
        net.merge(("A", "B"), "D")
        net.split("D", ("E", "F"), "A", "B")

        for address, child in (("A", "E"), ("B", "F")):
            assert net.system.balance(child) == ENDOWMENT
            delivery = net.sent(b"to " + address.encode(), "C", address)
            wrong = {"E": "F", "F": "E"}[child]
            assert net.system.deliver(evolve(delivery, destination=wrong)) == Refused("wrong destination")
            assert net.system.deliver(evolve(delivery, destination="D")) == Refused("wrong destination")
            assert net.system.deliver(delivery) == ACCEPTED
        assert net.system.balance("D") == 0

    @each(*WITH_VALUE)
    def test_what_is_under_way_arrives_once(self, net: Net) -> None:
        """
        Receipts that the parent sealed, that it had only emitted, and that were sent to it, arrive; each
        once, whether on the header of the parent or on that of the child.
        """
        system = net.system
        net.merge(("A", "B"), "D")
        sealed, incoming = net.sent(b"sealed", "A", "C"), net.sent(b"incoming", "C", "A")
        emitted = given_bytes(system.send(Message("A", "C", b"emitted", amount=3)))
        net.split("D", ("E", "F"), "A", "B")

        on_child = net.proved(sealed.receipt, "A", "C")
        assert system.deliver(sealed) == ACCEPTED
        assert system.deliver(on_child) == Refused("consumed")
        assert system.deliver(net.proved(emitted, "A", "C")) == ACCEPTED
        assert system.deliver(evolve(incoming, destination="E")) == ACCEPTED
        assert system.deliver(evolve(incoming, destination="F")) == Refused("wrong destination")
        assert net.total() == 3 * ENDOWMENT

    @each(*WITH_VALUE)
    def test_a_child_does_not_speak_for_its_sibling(self, net: Net) -> None:
        """
        A receipt of the parent is proved by the child that has its address, and by no other header.
        """
        net.merge(("A", "B"), "D")
        receipt = given_bytes(net.system.send(Message("A", "C", b"one")))
        net.split("D", ("E", "F"), "A", "B")
        mine, others, retired = net.sealed("A"), net.sealed("B"), given_bytes(net.system.produce("D"))
        retired = given_bytes(net.system.finalise("D", retired))
        assert net.system.learn("C", retired) == ACCEPTED

        assert isinstance(net.system.prove(receipt, others), Refused)
        evidence = given_bytes(net.system.prove(receipt, mine))
        of_retired = given_bytes(net.system.prove(receipt, retired))
        assert net.system.deliver(Delivery("C", receipt, others, evidence)) == Refused("wrong source")
        assert net.system.deliver(Delivery("C", receipt, retired, of_retired)) == Refused("wrong source")
        assert net.system.deliver(Delivery("C", receipt, mine, evidence)) == ACCEPTED

    @each(*WITH_VALUE)
    def test_records_outlive_every_succession(self, net: Net) -> None:
        """
        What was executed before a split, between, and before a merge, is refused ever after.
        """
        system = net.system
        done = [net.sent(b"one", "C", "A")]
        assert system.deliver(done[0]) == ACCEPTED
        net.merge(("A", "B"), "D")
        done.append(net.sent(b"two", "C", "A"))
        assert system.deliver(done[1]) == ACCEPTED
        net.split("D", ("E", "F"), "A", "B")
        done.append(net.sent(b"three", "C", "A"))
        assert system.deliver(done[2]) == ACCEPTED
        net.merge(("E", "F"), "G")

        for shard in "ADEG":
            again = [system.deliver(evolve(d, destination=shard)) for d in done]
            assert again == [Refused("consumed" if shard == "G" else "wrong destination")] * 3
        assert system.deliver(net.sent(b"four", "C", "A")) == ACCEPTED

    @each(*WITH_VALUE)
    def test_a_failure_after_a_split_goes_back_to_the_heir(self, net: Net) -> None:
        """
        The response goes to the address, whoever answers for it by then, and gives back all of it.
        """
        net.merge(("A", "B"), "D")
        failing = net.sent(b"one", "A", "C", amount=9)
        net.split("D", ("E", "F"), "A", "B")
        assert net.system.deliver_failing(failing) == ACCEPTED

        back = net.answered("C", "C")
        assert back.destination == "E"
        assert net.system.deliver(back) == ACCEPTED
        assert [net.system.balance(s) for s in "EF"] == [ENDOWMENT] * 2

    @each(*WITH_VALUE)
    def test_queues_go_with_their_address(self, net: Net) -> None:
        """
        A link that was full is full for the heir, and only for the one who has the address.
        """
        net.merge(("A", "B"), "D")
        for i in range(QueueingShard.capacity):
            given_bytes(net.system.send(Message("A", "C", b"%d" % i)))
        net.split("D", ("E", "F"), "A", "B")

        assert net.system.send(Message("A", "C", b"more")) == Refused("queue full")
        given_bytes(net.system.send(Message("B", "C", b"more")))
        for _ in range(QueueingShard.capacity):
            assert net.system.drain("A", "C") == ACCEPTED
        # What the sibling has not taken over it does not bring back.
        net.merge(("E", "F"), "G")
        given_bytes(net.system.send(Message("A", "C", b"more")))

    @pytest.mark.parametrize("pruned", range(32))
    def test_watermarks_are_kept_by_channel(self, pruned: int) -> None:
        """
        A merged shard repeats nothing that one parent had executed, and loses nothing that the other had
        not; whoever has pruned, and whoever has not.
        """
        net = opened(TonAdapter)

        def prune(shards: str) -> None:
            for shard in shards:
                if pruned >> "ABDEF".index(shard) & 1:
                    net.system.prune(shard)

        to_a = [net.sent(b"a%d" % i, "C", "A") for i in range(3)]
        to_b = [net.sent(b"b%d" % i, "C", "B") for i in range(2)]
        assert [net.system.deliver(d) for d in (*to_a[:2], to_b[0])] == [ACCEPTED] * 3
        prune("AB")
        net.merge(("A", "B"), "D")
        prune("D")
        net.split("D", ("E", "F"), "A", "B")
        assert net.system.deliver(evolve(to_a[2], destination="E")) == ACCEPTED
        prune("EF")
        net.merge(("E", "F"), "G")
        net.system.prune("G")

        again = [net.system.deliver(evolve(d, destination="G")) for d in (*to_a, *to_b)]

        assert again == [Refused("consumed")] * 4 + [ACCEPTED]
        assert net.system.deliver(net.sent(b"new", "C", "A")) == ACCEPTED

    @each(*WITH_VALUE)
    def test_positions_are_not_used_twice(self, net: Net) -> None:
        """
        The counters of a channel go with its source: an heir begins where the parent stopped.
        """
        net.merge(("A", "B"), "D")
        first = net.sent(b"same", "A", "C")
        net.split("D", ("E", "F"), "A", "B")
        net.system.restart("E")
        second = net.sent(b"same", "A", "C")

        assert first.receipt != second.receipt
        assert [net.system.deliver(d) for d in (first, second)] == [ACCEPTED] * 2


# ---- long runs -------------------------------------------------------------------------------------


@define
class Run:
    """A random run of users, relayers, operators and an adversary who repeats everything."""

    net: Net
    random: Random
    restarts: bool = False
    #: Honest deliveries that were not accepted yet, and those that were.
    due: list[tuple[bytes, str, str]] = field(factory=list)
    done: list[Delivery] = field(factory=list)
    #: How many responses of each shard are on their way.
    seen: dict[str, int] = field(factory=lambda: dict.fromkeys(TOPOLOGY.shards, 0))
    sent: int = 0
    under_way: dict[bytes, int] = field(factory=dict)
    reserve: list[str] = field(factory=lambda: list(TOPOLOGY.shards[3:]))

    def step(self) -> None:
        net, random, system = self.net, self.random, self.net.system
        able = capabilities(system)
        kind = random.randrange(12)
        source, destination = random.sample(ADDRESSES, 2)
        if kind < 4:
            self.send(source, destination)
        elif kind < 8 and self.due:
            self.deliver(self.due.pop(random.randrange(len(self.due))))
        elif kind == 8 and self.done:
            again = random.choice(self.done)
            for shard in TOPOLOGY.shards:
                answer = system.deliver(evolve(again, destination=shard))
                assert isinstance(answer, Refused), answer
        elif kind == 9 and "drain" in able:
            system.drain(source, destination)
        elif kind == 10 and "prune" in able:
            system.prune(net.owner[source])
        elif kind == 11 and "split" in able and self.reserve and random.randrange(4) == 0:
            self.reshard()
        if self.restarts:
            system.restart(random.choice(TOPOLOGY.shards))

    def send(self, source: str, destination: str) -> None:
        payload, amount = b"r%d" % self.sent, self.random.randrange(1, 9)
        send = getattr(self.net.system, "send", None) if "send" in capabilities(self.net.system) else None
        receipt = (
            send(Message(source, destination, payload, amount=amount))
            if send
            else self.net.system.emit(source, destination, payload)
        )
        if isinstance(receipt, bytes):
            self.sent += 1
            self.under_way[payload] = amount
            self.due.append((receipt, source, destination))

    def deliver(self, what: tuple[bytes, str, str]) -> None:
        receipt, source, destination = what
        system = self.net.system
        delivery = self.net.proved(receipt, source, destination)
        fails = self.random.randrange(3) == 0
        answer = system.deliver_failing(delivery) if fails else system.deliver(delivery)
        if answer in (Refused("out of order"), Refused("a response cannot fail")):
            self.due.append(what)
            return
        assert answer == ACCEPTED, answer
        self.done.append(delivery)
        if "responses" in capabilities(system):
            shard = delivery.destination
            for response in system.responses(shard, self.seen[shard]):
                self.under_way[response.payload] = response.amount
                self.due.append((response.receipt, destination, response.destination))
            self.seen[shard] = len(system.responses(shard, 0))

    def reshard(self) -> None:
        owners = sorted(set(self.net.owner.values()))
        if len(owners) > 1 and self.random.randrange(2):
            self.net.merge(tuple(self.random.sample(owners, 2)), self.reserve.pop(0))  # type: ignore[arg-type]
        elif len(self.reserve) > 1:
            parent = self.random.choice(owners)
            into = (self.reserve.pop(0), self.reserve.pop(0))
            mine = [a for a in ADDRESSES if self.net.owner[a] == parent]
            self.net.split(
                parent, into, "".join(a for a in mine if a in "AC"), "".join(a for a in mine if a == "B")
            )

    def executed(self) -> Iterator[bytes]:
        for shard in TOPOLOGY.shards:
            effects = [x.payload for x in payloads(self.net.system, shard)]
            assert effects == list(self.net.system.announced(shard, 0))
            yield from effects

    def finish(self) -> None:
        """Relay everything that is left, until nothing is."""
        self.restarts = False
        for _ in range(10_000):
            if not self.due:
                return
            self.deliver(self.due.pop(0))
        raise AssertionError("something can never be delivered")


@pytest.mark.parametrize("seed", range(3))
class TestLongRuns:
    @each(*CALLS, InboxAdapter)
    def test_everything_arrives_or_comes_back_once(self, net: Net, seed: int) -> None:
        """
        After any run, honest relaying leaves nothing behind, each receipt has executed or failed once,
        and not a unit of value was made or lost.
        """
        run = Run(net, Random(seed))
        for _ in range(150):
            run.step()
            if "balance" in capabilities(net.system):
                under_way = sum(run.under_way[x] for x in self.left(run))
                assert net.total() + under_way == 3 * ENDOWMENT
        run.finish()

        executed = list(run.executed())
        assert len(executed) == len(set(executed))
        assert len(run.done) == run.sent + sum(run.seen.values())
        failed = run.sent - len([x for x in executed if x.startswith(b"r") and x[1:].isdigit()])
        assert failed > 0
        if "responses" in capabilities(net.system):
            assert failed == sum(run.seen.values())
        if "balance" in capabilities(net.system):
            assert net.total() == 3 * ENDOWMENT

    def left(self, run: Run) -> set[bytes]:
        """Payloads of receipts that carry value and were neither executed nor answered."""
        system = run.net.system
        answered = {r.answers for shard in TOPOLOGY.shards for r in system.responses(shard, 0)}
        return set(run.under_way) - set(run.executed()) - answered

    @pytest.mark.heavy
    @each(*CALLS, InboxAdapter)
    def test_another_node_comes_to_the_same(self, net: Net, seed: int) -> None:
        """
        Whoever executes the same inputs by himself holds the same, to the last byte, also if the first
        node was restarted after each of them.
        """
        run = Run(net, Random(seed), restarts=True)
        for i in range(120):
            run.step()
            if i % 40 == 0:
                assert net.roots() == net.replicas()
        run.finish()

        assert net.roots() == net.replicas()

    @pytest.mark.heavy
    @each(*CALLS, InboxAdapter)
    def test_a_restart_changes_nothing(self, net: Net, seed: int) -> None:
        """
        A run with a restart after each step is, byte for byte, the run without.
        """
        plain, restarted = Run(opened(type(net.system)), Random(seed)), Run(net, Random(seed))
        for _ in range(100):
            plain.step()
            restarted.step()
            for shard in TOPOLOGY.shards:
                net.system.restart(shard)

        assert restarted.net.roots() == plain.net.roots()
        assert list(restarted.executed()) == list(plain.executed())


class TestInbox:
    def test_names_the_first_clause_that_fails(self) -> None:
        """
        The order of refusals is the order of the model's clauses, with the transport in the place of proofs.
        """
        net = opened(InboxAdapter)
        system = net.system
        done = net.proved(given_bytes(system.emit("A", "B", b"one")), "A", "B")
        later = net.proved(given_bytes(system.emit("A", "B", b"two")), "A", "B")
        elsewhere = net.proved(given_bytes(system.emit("C", "A", b"three")), "C", "A")
        forged = system.forge("A", "B", b"four")
        assert system.deliver(done) == ACCEPTED
        unknown = later.header[:-5] + bytes([later.header[-5] ^ 1]) + later.header[-4:]

        def answer(receipt: bytes, header: bytes) -> Outcome:
            return system.deliver(Delivery("B", receipt, header, b"whatever"))

        assert [
            answer(forged, unknown),
            answer(elsewhere.receipt, done.header),
            answer(forged, later.header),
            answer(later.receipt, done.header),
            answer(elsewhere.receipt, elsewhere.header),
            answer(done.receipt, later.header),
            answer(later.receipt, later.header),
        ] == [
            Refused("untrusted header"),
            Refused("wrong source"),
            Refused("unproven"),
            Refused("unproven"),
            Refused("wrong destination"),
            Refused("consumed"),
            ACCEPTED,
        ]
        assert isinstance(system.prove(later.receipt, done.header), Refused)
        assert list(system.executed("B", 0)) == [Execution(b"one", "A"), Execution(b"two", "A")]


class TestPowerLoss:
    def delivered(self, writes: int, verb: str) -> tuple[Net, Delivery, Outcome]:
        net = opened(InboxAdapter)
        delivery = net.proved(given_bytes(net.system.emit("A", "B", b"one")), "A", "B")
        net.system.crash("B", writes)
        return net, delivery, getattr(net.system, verb)(delivery)

    @pytest.mark.parametrize("writes", range(4))
    @pytest.mark.parametrize("verb", ["deliver", "deliver_failing", "reenter"])
    def test_record_and_effect_are_durable_together(self, verb: str, writes: int) -> None:
        """
        Wherever the power fails, the receipt has been dealt with wholly or not at all, and a relayer who
        presents it again, because it was not told, makes it executed once.
        """
        net, delivery, answer = self.delivered(writes, verb)
        once = [b"one"] if verb != "deliver_failing" else []

        assert answer == (ACCEPTED if writes > 1 else Refused("lost power"))
        assert [x.payload for x in payloads(net.system, "B")] == (once if writes else [])
        again = getattr(net.system, verb)(delivery)
        assert again == (Refused("consumed") if writes else ACCEPTED)
        assert [x.payload for x in payloads(net.system, "B")] == once
        assert list(net.system.announced("B", 0)) == once
        assert net.roots() == net.replicas()

    @pytest.mark.parametrize("writes", range(3))
    def test_a_sender_loses_nothing_that_it_has_released(self, writes: int) -> None:
        """
        What was emitted and sealed is proved and delivered after a power loss at any write, and a position
        that was given away is not given away again.
        """
        net = opened(InboxAdapter)
        first = net.proved(given_bytes(net.system.emit("A", "B", b"one")), "A", "B")
        net.system.crash("A", writes)
        second = net.system.emit("A", "B", b"two")
        net.system.crash("A", writes)
        sealed = net.system.produce("A")

        assert isinstance(second, Refused) == isinstance(sealed, Refused) == (writes < 2)
        third = net.proved(given_bytes(net.system.emit("A", "B", b"three")), "A", "B")
        assert third.receipt != first.receipt
        assert [net.system.deliver(d) for d in (first, third)] == [ACCEPTED] * 2
        assert net.roots() == net.replicas()

    def test_a_crash_threatens_one_operation(self) -> None:
        """
        Power fails in the next operation, or at its end; the one after that is safe.
        """
        net = opened(InboxAdapter)
        delivery = net.proved(given_bytes(net.system.emit("A", "B", b"one")), "A", "B")
        net.system.crash("B", 0)

        assert net.system.deliver(evolve(delivery, header=b"")) == Refused("untrusted header")
        assert net.system.deliver(delivery) == ACCEPTED

    @pytest.mark.parametrize("seed", range(6))
    def test_random_losses_lose_nothing(self, seed: int) -> None:
        """
        However often the power fails, everything that a sender was told of arrives, once.
        """
        net, random = opened(InboxAdapter), Random(seed)
        expected = []
        for i in range(40):
            source, destination = random.sample(ADDRESSES, 2)
            net.system.crash(source, random.randrange(3))
            receipt = net.system.emit(source, destination, b"%d" % i)
            if isinstance(receipt, Refused):
                continue
            expected.append(b"%d" % i)
            delivery = net.proved(receipt, source, destination)
            for _ in range(random.randrange(1, 4)):
                net.system.crash(destination, random.randrange(3))
                net.system.deliver(delivery)
            net.system.deliver(delivery)

        executed = [x.payload for shard in ADDRESSES for x in payloads(net.system, shard)]
        assert sorted(executed) == sorted(expected)
        assert net.roots() == net.replicas()
