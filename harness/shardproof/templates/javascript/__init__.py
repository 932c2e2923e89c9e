"""An adapter in JavaScript and the protocol that it speaks: `shardproof init --javascript` copies both."""
