"""Finds lost, repeated and forged messages in cross-shard protocols, by traces and by proof."""

from __future__ import annotations

__version__ = "0.1.0"
