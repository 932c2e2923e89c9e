"""Shards as contracts on the TVM: a contract of our own, the machine that runs it, and the adapter."""
