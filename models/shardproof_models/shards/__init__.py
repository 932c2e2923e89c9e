"""
The protocol in bytes: a small, correct, sharded chain that runs in memory.

The relational model says *that* a header commits to a receipt; here one finds *how*: real
encodings, real hashes, real proofs. Read `shard.py` first, `commitment.py` second; the
rest is what they are made of. There is no network here, and no adversary: a relayer is
whoever calls `learn` and `deliver`, with whatever bytes.
"""
