"""
Tours: walks over every transition of a model at a scope, to be driven on an implementation.

`graph` is what there is to walk on, `walks` decides where to go next, `cast` makes moves of
transitions, `agreement` says whether the judge then stands where the model does, and `variants`
is what an adversary tries on the way. Nothing here runs a system; `engines/tour.py` does.
"""
