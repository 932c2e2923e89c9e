"""The suite that a third party runs: pytest --pyargs shardproof.conformance --shard-adapter NAME."""
