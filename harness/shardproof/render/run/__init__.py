"""
A run as a page: one file that a browser opens from disk, without a script and without a request.

It is put together in `document.py`, of the sections that `sections.py` writes, on the sheet of
`../page`, whose letters, colours and manners with foreign text it shares.
"""
