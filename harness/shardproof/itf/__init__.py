"""
The Informal Trace Format, in which model checkers write traces: Apalache's ADR-015, and Quint's use of it.

A trace in it is a list of states, each with a value for every variable. Read `values.py` first:
what a value is, as JSON and in Python. `states.py` says what our protocols are in variables,
`reader.py` makes traces of such files, ours or of another tool, and `inference.py` finds the steps
where a file has states and nothing else. What we write is made in `render/itf.py`.
"""
