"""
A trace as a story: what the model held before and after each step, and why it refuses.

A trace says what was tried and what was answered. The story adds what the protocol makes of
it, so that every way of showing a trace, as text, page or test, says the same. Read `told.py`
first; it is the whole vocabulary. `telling.py` runs the model along a trace, with nobody's
code but ours: the other half of its lockstep is `player.py`, a system that does what it is told
to, and `script.py` tells it what was recorded. `of_the_model.py` is for traces that no system
took part in.

What is told: `cells.py` makes facts of the model's world, `chronicle.py` keeps its past, `guards.py`
says since when a clause is false, `evidence.py` what was shown, `incidents.py` where the like has
happened. What damage came to, `hindsight.py` reads from the record.
"""
