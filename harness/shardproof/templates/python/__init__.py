"""An adapter as a Python class, and its test: `shardproof init` copies both files as they stand."""
