from __future__ import annotations

import pytest

from shardproof_models.shards.calling.durable_log import DurableLog, PowerLossError


def write_three(log: DurableLog) -> None:
    for change in (b"0", b"1", b"2"):
        log.write(change, b"with it")


class TestDurableLog:
    def test_keeps_what_was_written_in_order(self) -> None:
        """
        The changes of all writes, one after the other; a write of none is a write.
        """
        log = DurableLog()
        log.write(b"a", b"")
        log.write()
        log.write(b"b")

        assert list(log.changes()) == [b"a", b"", b"b"]
        assert len(log) == 3
        assert not log.is_threatened

    @pytest.mark.parametrize("writes", range(3))
    def test_power_fails_after_so_many_writes(self, writes: int) -> None:
        """
        What was written before stays, the write at which power fails among it; nothing comes after.
        """
        log = DurableLog()
        log.cut_after(writes)

        with pytest.raises(PowerLossError):
            write_three(log)
        with pytest.raises(PowerLossError):
            log.write(b"too late")

        assert list(log.changes())[::2] == [b"0", b"1", b"2"][:writes]
        assert log.is_threatened

    def test_goes_on_after_power_is_back(self) -> None:
        """
        A machine that is started again writes as before.
        """
        log = DurableLog()
        log.cut_after(0)
        log.power_on()

        log.write(b"a")

        assert list(log.changes()) == [b"a"]
        assert not log.is_threatened
