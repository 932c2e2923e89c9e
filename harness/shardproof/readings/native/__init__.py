"""
The fast reading in machine code: a protocol at a scope becomes C, is compiled once, and searches worlds.

Terms are grounded (`ground`) to expressions over cells (`expression`), after what no step can change
has been found (`reach`); cells are packed into words (`packing`); actions and sentences are written as
C (`text`, `program`) around a search that is always the same (`kernel.c`); `compiler` builds and
keeps it; `kernel` is the door to it.

A search may be of less: `reduction` says what is left, by `slicing` (what no sentence sees) and `symmetry`
(`renaming`s, compared by `diagram`s; a `representative` for all).
"""
