"""What to look for by the clause that refuses, where the sentence that is broken has no better line."""

from __future__ import annotations

from collections.abc import Mapping

#: Refusal -> what is asked.
CLAUSES: Mapping[str, str] = {
    "untrusted header": "Look where `deliver` decides that a header is trusted: by what was learned, and "
    "nothing else.",
    "wrong source": "Look whether `deliver` compares the source of the receipt with the shard of the header.",
    "unproven": "Look where `deliver` checks that the root of the header covers the receipt that is shown.",
    "wrong destination": "Look whether `deliver` compares the destination of the receipt with the shard "
    "that it is at.",
    "consumed": "Look where `deliver` asks whether a receipt was consumed, and where it records that it is.",
    "not final": "Look where the light client decides that a header is final.",
    "unknown header": "Look what is made of a header that nobody knows: it must not read as a default.",
    "too few signatures": "Look where the signatures of a header are counted, and against which threshold.",
    "unknown validators": "Look which validators a light client takes for those of the epoch of a header.",
    "out of order": "Look where the number of a receipt is compared with the one that is due on its channel.",
    "expired": "Look whether `deliver` compares the deadline of a receipt with the clock of its own shard.",
    "not elapsed": "Look at which clock an expiry goes by: that of the destination, as its header says.",
    "received": "Look at what an expiry is proved by: that the destination had not received the receipt.",
    "not pending": "Look where a receipt stops being pending once its sender was told how it ended.",
    "no acknowledgement": "Look at what an acknowledgement is proved by: that the destination has written "
    "it down.",
    "closed": "Look whether `deliver` asks whether the channel of a receipt is closed.",
    "not closed": "Look at what it is proved by that a channel is closed.",
    "not expired": "Look whether a receipt is skipped that can still be delivered.",
    "malformed": "Look at what a decoder does with what is left over, missing or out of range.",
    "of another domain": "Look whether what is decoded says for which chain and purpose it was made.",
    "not canonical": "Look whether a decoder accepts more than one encoding of one thing.",
    "the window is open": "Look whether a claim is believed before the window is over in which it can be "
    "challenged.",
    "challenged": "Look whether a claim is believed that somebody has challenged.",
    "not claimed": "Look whether a header is believed that nobody has claimed.",
    "running": "Look at what a callback may call while it runs.",
    "trust expired": "Look how long a light client believes the validators that it knows of without having "
    "heard more.",
    "no authority": "Look whom a payload can call: what is owned by the shard itself must not be reachable "
    "by it.",
    "a response cannot fail": "Look at what becomes of a response whose callback fails: it is done with, "
    "all the same.",
}
