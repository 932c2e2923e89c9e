"""
A trace as one page that a browser opens from disk, with nothing to fetch and nothing to run but ours.

Read `document.py` first, which puts the page together. What is told stands in it twice: as plain
HTML (`prose.py`) with its pictures (`plain_sequence.py`, `plain_tree.py`), which is all that is needed
to read or to print it, and as data (`content.py`, `tree.py`), which the script shows step by step. Both
are made of the same story. The page itself is `page.html`, `page.css` and the scripts, of which
`explorer.js` is the one that knows the others.
"""
