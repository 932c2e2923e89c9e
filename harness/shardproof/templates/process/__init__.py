"""An adapter as a process that speaks JSON lines, and its test: `shardproof init --process` copies both."""
