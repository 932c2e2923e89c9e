from __future__ import annotations

from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shardproof_models.shards.commitment import InclusionProof
from shardproof_models.shards.durable import DurableState
from shardproof_models.shards.header import Header, consensus_key
from shardproof_models.shards.receipt import Receipt
from shardproof_models.shards.shard import Refusal, Shard

KEYS = {name: consensus_key(name) for name in "ABC"}


class Chain:
    """Shards that finalise on request, and the bytes that a relayer would carry."""

    def __init__(self) -> None:
        self.shards = {name: Shard(name, KEYS) for name in KEYS}

    def finalised(self, source: str) -> bytes:
        answer = self.shards[source].finalise(self.shards[source].produce())
        assert isinstance(answer, bytes)
        return answer

    def sent(
        self, payload: bytes = b"hello", source: str = "A", destination: str = "B"
    ) -> tuple[bytes, bytes, bytes]:
        """Receipt, header and evidence, final at the source and learned by everybody."""
        receipt = self.shards[source].emit(destination, payload)
        header = self.finalised(source)
        for shard in self.shards.values():
            assert shard.learn(header) is None
        evidence = self.shards[source].prove(receipt, header)
        assert evidence is not None
        return receipt, header, evidence


@pytest.fixture
def chain() -> Chain:
    return Chain()


class TestDeliver:
    def test_executes_what_is_proved(self, chain: Chain) -> None:
        """
        A receipt that a learned header commits to is executed, with its payload and its source.
        """
        receipt, header, evidence = chain.sent()

        assert chain.shards["B"].deliver(receipt, header, evidence) is None
        assert chain.shards["B"].executed == [Receipt("A", "B", 0, b"hello")]

    def test_executes_once_under_all_headers(self, chain: Chain) -> None:
        """
        Every later header proves the receipt again, in other words, and it is still the same receipt.
        """
        receipt, header, evidence = chain.sent()
        later = chain.sent(b"more")[1]
        again = chain.shards["A"].prove(receipt, later)
        b = chain.shards["B"]

        assert again not in (None, evidence)
        assert b.deliver(receipt, header, evidence) is None
        assert b.deliver(receipt, later, again or b"") is Refusal.CONSUMED
        assert b.deliver(receipt, header, evidence) is Refusal.CONSUMED
        assert len(b.executed) == 1

    def test_refuses_in_an_order_that_tells_the_relayer_the_truth(self, chain: Chain) -> None:
        """
        The first clause that fails is the answer: each line below also breaks every clause after its own.
        """
        receipt, header, evidence = chain.sent()
        other_receipt, other_header, other_evidence = chain.sent(source="C", destination="A")
        b = chain.shards["B"]
        assert b.deliver(receipt, header, evidence) is None
        unknown = evolve(Header.decode(header), height=9).encode()

        assert b.deliver(other_receipt, unknown, b"") is Refusal.UNTRUSTED_HEADER
        assert b.deliver(other_receipt, b"", b"") is Refusal.UNTRUSTED_HEADER
        assert b.deliver(other_receipt, header, b"") is Refusal.WRONG_SOURCE
        assert b.deliver(other_receipt, other_header, b"") is Refusal.UNPROVEN
        assert b.deliver(b"", header, evidence) is Refusal.UNPROVEN
        assert b.deliver(receipt, header, b"") is Refusal.UNPROVEN
        assert b.deliver(other_receipt, other_header, other_evidence) is Refusal.WRONG_DESTINATION
        assert b.deliver(receipt, header, evidence) is Refusal.CONSUMED
        assert b.executed == [Receipt("A", "B", 0, b"hello")]

    def test_a_forged_receipt_is_not_committed_to(self, chain: Chain) -> None:
        """
        Anybody can write a receipt; no evidence of another receipt proves it.
        """
        receipt, header, evidence = chain.sent()
        forged = evolve(Receipt.decode(receipt), payload=b"a million").encode()

        assert chain.shards["B"].deliver(forged, header, evidence) is Refusal.UNPROVEN

    def test_accepts_a_learned_header_without_its_certificate(self, chain: Chain) -> None:
        """
        A header is the same header before and after it was certified; trust is in its hash.
        """
        receipt, header, evidence = chain.sent()
        bare = evolve(Header.decode(header), certificate=b"").encode()

        assert chain.shards["B"].deliver(receipt, bare, evidence) is None
        assert chain.shards["B"].deliver(receipt, header, evidence) is Refusal.CONSUMED

    def test_the_callback_finds_its_receipt_spent(self, chain: Chain) -> None:
        """
        The record comes before the callback: a callback that presents its own receipt is refused.
        """
        receipt, header, evidence = chain.sent()
        b = chain.shards["B"]
        answers = []
        b.callback = lambda _: answers.append(b.deliver(receipt, header, evidence))

        assert b.deliver(receipt, header, evidence) is None
        assert answers == [Refusal.CONSUMED]
        assert len(b.executed) == 1

    @given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
    def test_never_breaks_on_any_bytes(self, receipt: bytes, header: bytes, evidence: bytes) -> None:
        """
        Bytes from nowhere are refused, in every place where a relayer may put bytes.
        """
        chain = Chain()
        honest = chain.sent()
        b = chain.shards["B"]

        assert b.deliver(receipt, header, evidence) is Refusal.UNTRUSTED_HEADER
        assert b.deliver(receipt, honest[1], evidence) is Refusal.UNPROVEN
        assert b.deliver(honest[0], honest[1], evidence) is Refusal.UNPROVEN
        assert b.learn(header) is Refusal.UNTRUSTED_HEADER
        assert b.finalise(header) is Refusal.NOT_PRODUCED
        assert b.revert(header) is Refusal.NOT_PRODUCED
        assert b.prove(receipt, header) is None


class TestLearn:
    def test_refuses_a_header_that_is_not_final(self, chain: Chain) -> None:
        """
        Produced is not final: without a certificate a header is nobody's word.
        """
        header = chain.shards["A"].produce()

        assert chain.shards["B"].learn(header) is Refusal.UNTRUSTED_HEADER

    def test_refuses_a_certificate_of_something_else(self, chain: Chain) -> None:
        """
        The certificate covers every field, and its key belongs to one shard.
        """
        header = Header.decode(chain.finalised("A"))
        others = [
            evolve(header, shard="C"),
            evolve(header, height=2),
            evolve(header, view=1),
            evolve(header, parent=bytes(31) + b"1"),
            evolve(header, leaf_count=1),
            evolve(header, receipts_root=bytes(32)),
            evolve(header, certificate=bytes(32)),
        ]

        for other in others:
            assert chain.shards["B"].learn(other.encode()) is Refusal.UNTRUSTED_HEADER
        assert chain.shards["B"].learn(header.encode()) is None

    def test_refuses_a_shard_that_does_not_exist(self, chain: Chain) -> None:
        """
        A shard outside the network has no consensus whose word would count.
        """
        header = Header("Z", 1, 0, bytes(32), 0, bytes(32)).certify(consensus_key("Z"))

        assert chain.shards["B"].learn(header.encode()) is Refusal.UNTRUSTED_HEADER


class TestFinality:
    def test_blocks_become_final_in_order_and_once(self, chain: Chain) -> None:
        """
        A block needs a final parent, and a final block is neither finalised again nor reverted.
        """
        a = chain.shards["A"]
        first, second = a.produce(), a.produce()

        assert a.finalise(second) is Refusal.PARENT_NOT_FINAL
        certified = a.finalise(first)
        assert isinstance(certified, bytes)
        assert Header.decode(certified).hash() == Header.decode(first).hash()
        assert a.finalise(first) is Refusal.ALREADY_FINAL
        assert a.revert(certified) is Refusal.ALREADY_FINAL
        assert isinstance(a.finalise(second), bytes)

    def test_a_reverted_block_is_gone(self, chain: Chain) -> None:
        """
        It and all after it cannot become final, and prove nothing any more.
        """
        a = chain.shards["A"]
        receipt = a.emit("B", b"never mind")
        first, second = a.produce(), a.produce()

        assert a.revert(first) is None
        assert [a.finalise(first), a.finalise(second)] == [Refusal.NOT_PRODUCED] * 2
        assert a.revert(second) is Refusal.NOT_PRODUCED
        assert a.prove(receipt, first) is None

    def test_a_revert_frees_the_nonces(self, chain: Chain) -> None:
        """
        What is emitted after a revert continues the channel where the parent left it.
        """
        a = chain.shards["A"]
        chain.sent(b"kept")
        reverted = [a.emit("B", b"one"), a.emit("C", b"two"), a.emit("B", b"three")]
        assert a.revert(a.produce()) is None

        assert [a.emit("B", b"one"), a.emit("C", b"two"), a.emit("B", b"three")] == reverted
        assert [Receipt.decode(r).nonce for r in reverted] == [1, 0, 2]

    def test_no_header_is_ever_produced_twice(self, chain: Chain) -> None:
        """
        A block in the place of a reverted one is another block, though it commits to the same receipts.
        """
        receipt, header, evidence = chain.sent()
        b = chain.shards["B"]
        before = b.produce()
        assert b.revert(before) is None
        assert b.learn(header) is None
        assert b.deliver(receipt, header, evidence) is None

        assert b.produce() != before

    def test_keeps_no_more_than_what_can_be_undone(self, chain: Chain) -> None:
        """
        However long the chain, only blocks that are not final cost memory for going back.
        """
        for _ in range(50):
            chain.finalised("A")
        chain.shards["A"].produce()

        assert len(chain.shards["A"].durable().extents) == 2


def contents(state: DurableState) -> DurableState:
    """What a revert has to restore: all but the branch, which is shorter, and the view, which counts."""
    return evolve(state, view=0, branch=(), extents=())


#: `relay` and what feeds it are drawn more often than what gets in its way.
ACTIONS = ("emit", "finalise", "learn", "deliver", "revert", "restart", *("produce", "relay") * 2)


class Run:
    """A random run of two shards that sometimes change their mind."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.shards = [Shard(name, KEYS) for name in "AB"]
        self.receipts: list[bytes] = []
        self.headers: list[bytes] = []
        self.produced: list[list[bytes]] = [[], []]
        # What each shard was when it produced the block of each height of its present branch.
        self.history: list[list[DurableState]] = [[contents(s.durable())] for s in self.shards]

    def step(self) -> None:
        number = self.random.randrange(2)
        shard, history = self.shards[number], self.history[number]
        match self.random.choice(ACTIONS):
            case "emit":
                self.receipts.append(shard.emit(self.random.choice("AB"), self.random.randbytes(2)))
            case "produce":
                header = shard.produce()
                assert header not in self.produced[number]
                self.produced[number].append(header)
                self.headers.append(header)
                history.append(contents(shard.durable()))
            case "finalise" if self.headers:
                answer = shard.finalise(self.random.choice(self.headers))
                if isinstance(answer, bytes):
                    self.headers.append(answer)
            case "learn" if self.headers:
                shard.learn(self.random.choice(self.headers))
            case "relay" if self.receipts:
                self.relay(self.random.choice(self.shards), shard)
            case "deliver" if self.headers and self.receipts:
                receipt, header = self.random.choice(self.receipts), self.random.choice(self.headers)
                shard.deliver(receipt, header, self.evidence(receipt, header))
            case "revert" if self.produced[number]:
                # The newest ones, of which some are not final yet.
                header = self.random.choice(self.produced[number][-3:])
                if shard.revert(header) is None:
                    del history[Header.decode(header).height :]
                    assert contents(shard.durable()) == history[-1]
            case "restart":
                before = shard.durable()
                shard.restart()
                assert shard.durable() == before

    def relay(self, source: Shard, destination: Shard) -> None:
        """What an honest relayer does, for once without interruption; chance alone brings little home."""
        answers = [source.finalise(header) for header in self.headers]
        self.headers += [answer for answer in answers if isinstance(answer, bytes)]
        final = [header for header in self.headers if destination.learn(header) is None]
        for receipt in self.receipts:
            for header in final:
                destination.deliver(receipt, header, self.evidence(receipt, header))

    def evidence(self, receipt: bytes, header: bytes) -> bytes:
        return next((e for e in (s.prove(receipt, header) for s in self.shards) if e is not None), b"")


@given(st.randoms(use_true_random=False))
def test_a_revert_restores_everything_and_a_restart_loses_nothing(random: Random) -> None:
    """
    After a revert every part of a shard is what it was when the parent was produced, and no
    header is produced twice; after a restart every part is what it was before.
    """
    run = Run(random)
    for _ in range(60):
        run.step()
    for shard, states in zip(run.shards, run.history, strict=True):
        assert len(states) == len(shard.durable().branch) + 1
        # No effect without a record, and no record without an effect.
        assert len(set(shard.executed)) == len(shard.executed) == len(shard.consumed)


@pytest.mark.heavy
def test_random_runs_reach_what_they_are_meant_to_test() -> None:
    """
    The run above does revert executed receipts: otherwise it would show nothing.
    """
    taken_back = 0
    for seed in range(200):
        run = Run(Random(seed))
        for _ in range(60):
            before = [len(s.executed) for s in run.shards]
            run.step()
            taken_back += any(len(s.executed) < n for s, n in zip(run.shards, before, strict=True))

    # Measured: 52.
    assert taken_back > 25


def test_a_restarted_shard_goes_on_as_before(chain: Chain) -> None:
    """
    Nonces, proofs, trust and records are all there after a restart.
    """
    receipt, header, evidence = chain.sent()
    later = chain.sent(b"again")
    assert chain.shards["B"].deliver(receipt, header, evidence) is None
    for shard in chain.shards.values():
        shard.restart()
    a, b = chain.shards["A"], chain.shards["B"]

    assert b.deliver(receipt, header, evidence) is Refusal.CONSUMED
    assert b.deliver(*later) is None
    assert Receipt.decode(a.emit("B", b"third")).nonce == 2
    assert a.prove(receipt, header) == evidence == InclusionProof(0, 1, ()).encode()
