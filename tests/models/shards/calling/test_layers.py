from __future__ import annotations

import pytest
from attrs import define, field

from shardproof_models.shards.calling.call import Call, Request
from shardproof_models.shards.calling.call_shard import Answer, CallShard, Objection
from shardproof_models.shards.calling.durable_log import PowerLossError
from shardproof_models.shards.calling.expiry import ExpiringShard
from shardproof_models.shards.calling.frames import NestingShard
from shardproof_models.shards.calling.inbox import InboxShard, Transport
from shardproof_models.shards.calling.layout import merge, split
from shardproof_models.shards.calling.presentation import Presentation
from shardproof_models.shards.calling.promises import AnsweringShard
from shardproof_models.shards.calling.queues import Link, Queue, QueueingShard
from shardproof_models.shards.calling.systems import NearShard, TonShard
from shardproof_models.shards.calling.watermarks import PruningShard
from shardproof_models.shards.header import consensus_key
from shardproof_models.shards.shard import Refusal

KEYS = {name: consensus_key(name) for name in "ABCDE"}


@define
class Pair:
    """Two shards of one kind, and what a relayer does between them."""

    a: CallShard
    b: CallShard
    sent: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        for shard in (self.a, self.b):
            shard.found((shard.name,))

    def shown(self, deadline: int = 9) -> Presentation:
        """A new call from the first to the second, proved."""
        self.sent += 1
        receipt = self.a.send(Request("A", "B", b"%d" % self.sent, deadline=deadline))
        header = self.a.finalise(self.a.produce())
        assert isinstance(receipt, bytes)
        assert isinstance(header, bytes)
        assert self.b.learn(header) is None
        return Presentation(receipt, header, self.a.prove(receipt, header) or b"")


def pair(kind: type[CallShard]) -> Pair:
    return Pair(kind("A", KEYS), kind("B", KEYS))


class TestQueues:
    def test_carry_away_the_oldest_request_after_all_responses(self) -> None:
        """
        First in, first out; and what has a lane of its own does not wait for requests.
        """

        class Kind(QueueingShard, AnsweringShard):
            pass

        two = pair(Kind)
        assert two.b.receive(two.shown(), fails=True) is None
        first, second = (two.b.send(Request("B", "A", x)) for x in (b"first", b"second"))
        assert isinstance(two.b, Kind)
        link, (response,) = Link("B", "A"), two.b.responses

        queue, reply = two.b.queues[link], response.response.encode()
        assert (list(queue.requests), list(queue.responses)) == ([first, second], [reply])
        assert two.b.drain(link) is None
        assert (list(queue.requests), list(queue.responses)) == ([second], [])
        assert (two.b.backlog(link), two.b.queues) == (1, {link: Queue(queue.requests)})


class TestFrames:
    def test_what_runs_is_not_begun_again(self) -> None:
        """
        Also where no record stops it, a call that runs already is refused inside its own callback.
        """

        class Forgetful(NestingShard):
            inside: Answer = None

            def is_recorded(self, call: Call, key: bytes) -> bool:
                return False

            def present(self, shown: Presentation, *, fails: bool, inner: Presentation | None) -> Answer:
                self.inside = super().present(shown, fails=fails, inner=inner)
                return self.inside

            def finish(self) -> None:
                assert self.inside is Objection.RUNNING
                super().finish()

        two = pair(Forgetful)
        shown = two.shown()

        assert two.b.receive(shown, inner=shown) is None
        assert len(two.b.executed) == 1
        assert not two.b.is_running()


class TestWatermarks:
    def test_do_not_pass_a_gap(self) -> None:
        """
        What was not delivered stays deliverable, and records after it stay.
        """
        two = pair(PruningShard)
        shown = [two.shown() for _ in range(4)]
        assert isinstance(two.b, PruningShard)
        for i in (0, 1, 3):
            assert two.b.receive(shown[i]) is None

        two.b.prune()

        assert len(two.b.consumed) == 1
        assert two.b.receive(shown[2]) is None
        two.b.prune()
        assert not two.b.consumed
        assert [two.b.receive(s) for s in shown] == [Refusal.CONSUMED] * 4

    def test_an_heir_forgets_what_its_parents_could_have_forgotten(self) -> None:
        """
        Records go to heirs together with what is needed to forget them.
        """
        a, b, c, d, e = (TonShard(name, KEYS) for name in "ABCDE")
        two = Pair(a, b)
        assert b.receive(two.shown()) is None
        assert split(b, (c, d)) is None
        assert merge((c, d), e) is None
        assert len(e.consumed) == 1

        e.prune()

        assert not e.consumed
        assert not e.kept


class TestExpiry:
    def test_forgets_what_is_over_and_only_that(self) -> None:
        """
        From its deadline on a call leaves nothing behind.
        """
        two = pair(ExpiringShard)
        assert isinstance(two.b, ExpiringShard)
        for deadline in (1, 2):
            assert two.b.receive(two.shown(deadline)) is None

        left = []
        for _ in range(3):
            two.b.prune()
            left.append((len(two.b.consumed), len(two.b.deadlines)))
            two.b.tick()

        assert left == [(2, 2), (1, 1), (0, 0)]


class TestLayout:
    def test_addresses_have_one_order(self) -> None:
        """
        An heir has its addresses in the order of all, whoever it got them from first.
        """
        a, b, c = (NearShard(name, KEYS) for name in "ABC")
        a.found(("A", "D"))
        b.found(("B", "E"))

        assert merge((b, a), c) is None

        assert c.addresses == ("A", "B", "D", "E")


class TestInbox:
    def other(self) -> InboxShard:
        """The same service elsewhere, to know what it would say."""
        return InboxShard("A", KEYS, Transport())

    @pytest.mark.parametrize("writes", [0, 1])
    def test_publishes_what_is_durable_and_all_of_that(self, writes: int) -> None:
        """
        A batch whose seal was lost is not on the transport; one whose seal is durable is, after recovery.
        """
        transport, twin = Transport(), self.other()
        shard = InboxShard("A", KEYS, transport)
        receipt = shard.emit("B", b"one")
        assert twin.emit("B", b"one") == receipt
        header = twin.produce()

        shard.log.cut_after(writes)
        with pytest.raises(PowerLossError):
            shard.produce()
        published = transport.carries(header)
        shard.recover()

        assert not published
        assert transport.carries(header) == transport.carries_in(receipt, header) == bool(writes)

    def test_a_node_that_catches_up_publishes_nothing(self) -> None:
        """
        Another node hears the transport, and does not speak on it.
        """

        class Talkative(InboxShard):
            def produce(self) -> bytes:
                if self.catching_up:
                    self.emit("B", b"out of nowhere")
                return super().produce()

        transport = Transport()
        shard = Talkative("A", KEYS, transport)
        shard.produce()
        twin = shard.twin()

        (said,) = twin.outgoing.encoded
        assert not transport.carries_in(said, twin.produce())
