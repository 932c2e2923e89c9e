"""What a shard knows of other shards: the headers that their consensus has certified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .encoding import MalformedError
from .header import Header


class LightClient:
    """
    Learns headers of any shard, in any order, and never believes the certificate on sight.

    It recomputes the certificate instead of asking whether somebody has checked it: that
    question, answered by the caller, was Wormhole's loss of February 2022.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys
        self._learned: dict[bytes, Header] = {}

    def __len__(self) -> int:
        return len(self._learned)

    @property
    def learned(self) -> Iterable[Header]:
        """Every header that was learned, in order."""
        return self._learned.values()

    def learn(self, header: bytes) -> bool:
        """Remember `header` if it is one, and final; says whether it was."""
        try:
            claimed = Header.decode(header)
        except MalformedError:
            return False
        if not self.accepts(claimed):
            return False
        self.remember(claimed)
        return True

    def accepts(self, header: Header) -> bool:
        """Whether the consensus of its shard vouches for `header`."""
        key = self._keys.get(header.shard)
        return key is not None and header.is_certified(key)

    def remember(self, header: Header) -> None:
        """Trust `header` from now on."""
        self._learned.setdefault(header.hash(), header)

    def trusts(self, header: Header) -> bool:
        """Whether `header` was learned. Its certificate may be absent: what counts is its hash."""
        return header.hash() in self._learned

    def truncate(self, size: int) -> None:
        """Forget all headers after the first `size`."""
        while len(self._learned) > size:
            self._learned.popitem()  # the newest: a dictionary keeps the order of insertion
