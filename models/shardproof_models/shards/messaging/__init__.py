"""
Shards that send, execute, answer and refund: the model's stacks of bridges and of IBC, in bytes.

Read `messenger.py` first; it is what all of them share. Each further file is one layer of the
model, or one kind of bytes, and `families.py` puts the layers together. A method is one
clause or one piece of bookkeeping, so that a mistake that somebody has made is one method
made wrong.
"""
