"""
Shards whose failures are answered by a receipt of their own: calls, and the systems that are made of them.

Read `call_shard.py` first; each other layer extends it in a file of its own, and `systems.py`
says which layers make one system. `inbox.py` stands apart: it proves nothing, and must not forget.
"""
