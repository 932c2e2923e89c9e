"""
Snapshots for an adapter that keeps all of its system in itself: one word more among its bases.

Only for systems of plain Python objects: nothing of them may be in a module, in a file, or in
another process, because a snapshot is the pickled instance, and whatever is elsewhere stays as
it is. Tokens are bytes, so that equal ones are the same state; see `shortest/certificate.py`.
"""

from __future__ import annotations

import pickle

from ..adapter import Adapter


class InstanceSnapshots(Adapter):
    """`class Mine(MyAdapter, InstanceSnapshots)` can return to where it was."""

    def catch_up(self) -> object:
        """Do now what would be done later of what was done before, so that it need not be kept."""

    def snapshot(self) -> bytes:
        self.catch_up()
        return pickle.dumps(self.__dict__, pickle.HIGHEST_PROTOCOL)

    def restore(self, token: object) -> None:
        assert isinstance(token, bytes), "a token is one of ours"
        self.__dict__.clear()
        self.__dict__.update(pickle.loads(token))  # noqa: S301  # made by `snapshot`, in this process
