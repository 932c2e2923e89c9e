"""
A trace as a story: what the model held before and after each step, and why it refuses.

A trace says what was tried and what was answered. The story adds what the protocol makes of
it, so that every way of showing a trace, as text, page or test, says the same. Read `told.py`
first; it is the whole vocabulary. `telling.py` runs the model along a trace, with nobody's
code but ours, and `player.py` is what it runs: a system that does as the model says.
"""
