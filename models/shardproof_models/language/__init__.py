"""The logic in which protocols and properties are written. Start with `terms`, then `protocol`."""
