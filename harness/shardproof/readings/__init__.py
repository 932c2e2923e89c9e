"""The ways to read one definition: Python evaluates it, Z3 reasons about it, a C compiler makes it fast."""
