from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shardproof_models.shards.calling.call import NEVER, Call, Channel, Request
from shardproof_models.shards.calling.memory import Memory, listed, unlisted
from shardproof_models.shards.calling.positions import Positions
from shardproof_models.shards.encoding import NUMBER_LIMIT, MalformedError

NUMBERS = st.integers(0, NUMBER_LIMIT - 1)
KEYS = st.binary(min_size=32, max_size=32) | st.just(b"")
CALLS = st.builds(Call, st.text(), st.text(), NUMBERS, st.binary(), NUMBERS, NUMBERS, NUMBERS, KEYS)
CHANNELS = st.builds(Channel, st.sampled_from("ABC"), st.sampled_from("ABC"), st.integers(0, 3))
POSITIONS = st.dictionaries(CHANNELS, NUMBERS).map(Positions)


class TestCall:
    @given(CALLS)
    def test_comes_back_from_its_encoding(self, call: Call) -> None:
        """
        Every call has an encoding, and reading it gives the call.
        """
        assert Call.decode(call.encode()) == call

    @given(CALLS, CALLS)
    def test_has_an_encoding_of_its_own(self, a: Call, b: Call) -> None:
        """
        Two calls have one encoding only if they are one call.
        """
        assert (a.encode() == b.encode()) == (a == b)

    @given(CALLS, st.binary(min_size=1))
    def test_reads_nothing_else(self, call: Call, rest: bytes) -> None:
        """
        What is cut short, goes on after the end, or names half a key is no call.
        """
        data = call.encode()
        for wrong in (data + rest, data[:-1], b"", rest, evolve(call, answers=b"half").encode()):
            if wrong not in (data, *([rest] if rest[:1] == data[:1] else [])):
                with pytest.raises(MalformedError):
                    Call.decode(wrong)

    def test_says_what_it_is(self) -> None:
        """
        A call that answers another is a response; its ends and its channel are its own.
        """
        request = Call("A", "B", 3, b"hello", 1)

        assert request.channel == Channel("A", "B", 1)
        assert (request.deadline, request.is_response) == (NEVER, False)
        assert evolve(request, answers=bytes(32)).is_response

    def test_a_request_knows_whether_it_can_be_written_down(self) -> None:
        """
        Each number of a request has to have an encoding.
        """
        request = Request("A", "B", b"")
        wrong = [
            wrong
            for value in (-1, NUMBER_LIMIT)
            for wrong in (
                evolve(request, channel=value),
                evolve(request, deadline=value),
                evolve(request, amount=value),
            )
        ]

        assert request.has_an_encoding()
        assert not any(each.has_an_encoding() for each in wrong)


class TestPositions:
    @given(POSITIONS)
    def test_come_back_from_their_encoding(self, positions: Positions) -> None:
        """
        Counters survive being written down; the order in which they were made does not show.
        """
        backwards = Positions(reversed(positions.items()))

        assert Positions.decode(positions.encode()) == positions
        assert backwards.encode() == positions.encode()

    def test_begin_at_nothing(self) -> None:
        """
        A channel that was never used is at 0, and asking does not make it used.
        """
        positions = Positions.decode(None)

        assert positions[Channel("A", "B", 0)] == 0
        assert positions == {}

    @given(POSITIONS)
    def test_are_divided_by_either_end(self, positions: Positions) -> None:
        """
        What belongs to the addresses of one side and of the other is together all, whichever end counts.
        """
        for divided in (Positions.sent_from, Positions.sent_to):
            left, right = divided(positions, "A"), divided(positions, "BC")
            assert not left.keys() & right.keys()
            assert {**left, **right} == positions
        assert all(channel.source == "A" for channel in positions.sent_from("A"))
        assert all(channel.destination == "A" for channel in positions.sent_to("A"))


class TestMemory:
    @given(st.dictionaries(st.text(), st.binary()))
    def test_comes_back_from_its_encoding(self, parts: dict[str, bytes]) -> None:
        """
        Every part survives, and the digest does not depend on which was named first.
        """
        memory, backwards = Memory(parts), Memory(dict(reversed(parts.items())))

        assert Memory.decode(memory.encode()) == memory
        assert memory.digest() == backwards.digest()

    @given(st.dictionaries(st.text(), st.binary()), st.dictionaries(st.text(), st.binary()))
    def test_a_digest_stands_for_all_parts(self, a: dict[str, bytes], b: dict[str, bytes]) -> None:
        """
        Equal digests are equal parts.
        """
        assert (Memory(a).digest() == Memory(b).digest()) == (a == b)

    @given(st.lists(st.binary()))
    def test_a_list_is_a_part(self, values: list[bytes]) -> None:
        """
        A list survives, an empty one too; what was not written is an empty list.
        """
        assert unlisted(listed(values)) == tuple(values)
        assert unlisted(None) == ()
