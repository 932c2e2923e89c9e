"""
What an adapter for contracts of the Ethereum virtual machine is made of.

`artefacts` reads compiled contracts out of a published package, `interface` knows their
language, `contract` speaks it, `chain` is one blockchain that can return to any earlier
moment, and `engine` is the seam to the virtual machine, so that another may stand in. No
compiler is needed.
"""
