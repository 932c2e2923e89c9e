from __future__ import annotations

import os
import subprocess
import sys

# The collector calls back while a signal comes in: what its handler raises there is dropped.
PROGRAM = """
import gc, os, signal, sys, time
from shardproof.stopping import listen

listen()

def meanwhile(phase, info):
    gc.callbacks.remove(meanwhile)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)

gc.callbacks.append(meanwhile)
try:
    gc.collect()
    print("dropped", flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    print("came again")
"""


def test_a_stop_that_is_dropped_comes_again() -> None:
    """
    Hypothesis has a callback at each collection: without this one in ten stops of a young search was lost.
    """
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert (ran.stdout, ran.stderr) == ("dropped\ncame again\n", "")


def test_what_else_is_dropped_is_noted_as_ever() -> None:
    """
    An error in a finaliser is Python's to tell.
    """
    program = """
from shardproof.stopping import listen

class Bad:
    def __del__(self):
        raise ValueError("in a finaliser")

listen()
Bad()
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert "ValueError: in a finaliser" in ran.stderr
