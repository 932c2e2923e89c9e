"""How we look for trouble. Engines do not know each other."""
