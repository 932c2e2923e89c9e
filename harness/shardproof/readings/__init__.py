"""The three ways to read one definition: Python evaluates it, Z3 reasons about it."""
