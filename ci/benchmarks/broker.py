"""
A broker killed with SIGKILL in the middle of traffic, many times: is anything lost, or executed twice?

One shard publishes with many messages under way, another takes, executes and acknowledges, and
remembers positions; the broker is killed while both are at it, and started again. What was not
confirmed is published again, under its identity and within the window. Exits with 1 if a confirmed
message was not executed, or any message was executed twice.

Arguments: how many kills (100), and a seed (1).
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter

from attrs import define, field

from shardproof.adapters.nats_broker import Broker, Channel, ClientError

INBOX = "B"
#: Messages that are published at the same time.
UNDER_WAY = 16
#: A broker is killed after at most so many confirmations since it was started.
CONFIRMATIONS_MAX = 60
#: How it shows that the broker is gone; who waits for an answer is told by `run`.
GONE = (ClientError, ConnectionError, TimeoutError, asyncio.CancelledError)


@define
class Traffic:
    """What both ends know, and what was counted."""

    waiting: list[int] = field(factory=list)
    sent: int = 0
    confirmed: set[int] = field(factory=set)
    #: Confirmations until the broker is killed.
    left: int = 0
    enough: asyncio.Event = field(factory=asyncio.Event)
    #: The positions at which something was taken, and what was executed, how often.
    positions: set[int] = field(factory=set)
    executed: Counter[int] = field(factory=Counter)
    published: int = 0
    duplicates: int = 0
    handed_again: int = 0

    def next(self) -> int:
        """The message to publish: one that was not confirmed, or else a new one."""
        if self.waiting:
            return self.waiting.pop()
        self.sent += 1
        return self.sent - 1


async def publish(channel: Channel, traffic: Traffic, end: int | None) -> None:
    """Publish until the broker is gone, or until `end` messages were confirmed and none is waiting."""
    while end is None or traffic.waiting or traffic.sent < end:
        number = traffic.next()
        traffic.published += 1
        try:
            stored = await channel.publish(INBOX, b"%d" % number, f"A {number}")
        except GONE:
            traffic.waiting.append(number)
            return
        traffic.duplicates += stored.is_duplicate
        traffic.confirmed.add(number)
        traffic.left -= 1
        if traffic.left == 0:
            traffic.enough.set()


async def consume(channel: Channel, traffic: Traffic, *, to_the_end: bool = False) -> None:
    """Take and execute until the broker is gone, or until nothing is left."""
    while not (to_the_end and await channel.is_at_rest(INBOX)):
        try:
            for handed in await channel.take(INBOX):
                traffic.handed_again += handed.times > 1
                if handed.position not in traffic.positions:
                    traffic.positions.add(handed.position)
                    traffic.executed[int(handed.data)] += 1
                await handed.acknowledge()
        except GONE:
            return


async def run(kills: int, seed: int) -> Traffic:
    """All of it, and at the end a broker that is left alone until nothing waits any more."""
    dice, broker, traffic = random.Random(seed), Broker(), Traffic()
    try:
        for _ in range(kills):
            channel = await Channel.to(broker.start())
            await channel.is_at_rest(INBOX)
            ends = [publish(channel, traffic, None) for _ in range(UNDER_WAY)] + [consume(channel, traffic)]
            traffic.enough.clear()
            traffic.left = 1 + dice.randrange(CONFIRMATIONS_MAX)
            tasks = [asyncio.create_task(end) for end in ends]
            await traffic.enough.wait()
            broker.kill()
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended
            await channel.close()
        channel = await Channel.to(broker.start())
        await publish(channel, traffic, traffic.sent)
        await consume(channel, traffic, to_the_end=True)
        await channel.close()
    finally:
        broker.remove()
    return traffic


def main(kills: int = 100, seed: int = 1) -> int:
    """Print the counts; 1 if there is anything wrong with them."""
    begin = time.perf_counter()
    traffic = asyncio.run(run(kills, seed))
    lost = traffic.confirmed - traffic.executed.keys()
    twice = [number for number, times in traffic.executed.items() if times > 1]
    print(f"broker killed {kills} times in {time.perf_counter() - begin:.1f} s, seed {seed}")
    confirmed = len(traffic.confirmed)
    print(f"  sent {traffic.sent:,}, confirmed {confirmed:,}, published {traffic.published:,} times")
    print(f"  dropped as duplicates {traffic.duplicates:,}, handed out again {traffic.handed_again:,}")
    print(f"  executed {len(traffic.executed):,}, lost {len(lost):,}, executed twice {len(twice):,}")
    return int(bool(lost or twice or not traffic.duplicates))


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
