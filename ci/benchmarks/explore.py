"""
How fast worlds are explored, beside other explorers on the same protocol, in one run on one machine.

Prints, for each size and explorer: worlds, transitions, CPU seconds (the median of several rounds, which
take turns), worlds a CPU second, peak memory a world, and how that compares with ours on one thread.
Whoever is not installed is said to be so. Exits with 1 if anybody's counts are not the golden ones.
Compiling is not counted, for nobody, and of ours only the search is: what else `explore` does is said
apart. The line `reduced` leaves out what the verdict does not depend on: its worlds are fewer, and what
is checked of it is that the search was complete and that everything holds. Of programs written in
Python all is counted, because there it hardly matters.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen
from explorers import promela
from explorers.golden import LARGEST, SIZES, WALKED, A, Size

HERE = Path(__file__).parent

ROUNDS = 5

#: The search of ours that leaves something out, so that its counts are its own.
REDUCED = "shardproof, reduced"

#: Plain Python and what is written in it take minutes where others take seconds.
PATIENT = 200_000


@frozen
class Figures:
    """What one explorer has shown in one round."""

    worlds: int
    #: Not everybody tells.
    transitions: int | None
    cpu: float
    seconds: float
    #: Bytes a world, at most.
    memory: float


Explorer = Callable[[Size], Figures]


def ours(threads: int, *more: str) -> Explorer:
    """shardproof, with so many threads."""

    def explored(size: Size) -> Figures:
        output, *_ = measured([*program("ours.py"), *size.arguments, str(threads), *more])
        worlds, transitions, cpu, seconds, memory, *_ = map(float, output.split())
        return Figures(int(worlds), int(transitions), cpu, seconds, memory)

    return explored


def spin(search: str) -> Explorer:
    """SPIN, depth first or breadth first."""

    def explored(size: Size) -> Figures:
        with tempfile.TemporaryDirectory() as folder:
            command = promela.build(size, search, Path(folder))
            output, cpu, seconds, memory = measured(command, Path(folder))
        return Figures(*promela.counted(output), cpu, seconds, memory / size.worlds)

    return explored


def in_python(name: str) -> Explorer:
    """A program in this folder, which prints worlds and perhaps transitions."""

    def explored(size: Size) -> Figures:
        output, cpu, seconds, memory = measured([*program(name), *size.arguments])
        worlds, *transitions = map(int, output.split())
        return Figures(worlds, transitions[0] if transitions else None, cpu, seconds, memory / size.worlds)

    return explored


def program(name: str) -> tuple[str, str]:
    """The command that runs a program of this folder."""
    return sys.executable, str(HERE / "explorers" / name)


def measured(
    command: Sequence[str], folder: Path | None = None, cache: str = ""
) -> tuple[str, float, float, int]:
    """What a program prints, its CPU seconds, its seconds, and the bytes of memory that it had at most."""
    roots = os.pathsep.join([str(HERE), str(HERE.parents[1] / "tests" / "samples"), *sys.path])
    environment = {**os.environ, "PYTHONPATH": roots, **({"SHARDPROOF_CACHE": cache} if cache else {})}
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{output}")
    return output, used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss << 10


def explorers(size: Size) -> dict[str, Explorer | None]:
    """Whom to compare at this size; `None` for those who are not installed."""
    known: dict[str, Explorer | None] = {"shardproof": ours(1), "shardproof, 2 threads": ours(2)}
    known[REDUCED] = ours(2, "reduced")
    for search in promela.SEARCHES:
        known[f"SPIN {search}"] = spin(search) if promela.installed() else None
    if size.worlds <= PATIENT:
        known["plain Python"] = in_python("plain.py")
        minicheck = importlib.util.find_spec("minicheck")
        known["minicheck"] = in_python("with_minicheck.py") if minicheck else None
    return known


def compare(size: Size) -> bool:
    """Print the table of a size; whether all counts are as they should be."""
    print(f"\n{size}: {size.worlds:,} worlds, {size.transitions:,} transitions")
    print(f"{'':<26}{'CPU s':>8}{'s':>8}{'worlds / CPU s':>16}{'bytes a world':>15}{'ours is faster':>16}")
    them, good = explorers(size), True
    rounds: dict[str, list[Figures]] = {name: [] for name, explorer in them.items() if explorer}
    for _ in range(ROUNDS):
        for name, figures in rounds.items():
            explorer = them[name]
            assert explorer is not None
            figures.append(explorer(size))
    own = statistics.median(f.cpu for f in rounds["shardproof"])
    for name in them:
        if name not in rounds:
            print(f"{name:<26}not installed")
            continue
        first = rounds[name][0]
        golden = first.worlds == size.worlds and first.transitions in (None, size.transitions)
        right = golden or name == REDUCED
        good = good and right
        cpu, seconds, memory = (
            statistics.median(getattr(f, what) for f in rounds[name]) for what in ("cpu", "seconds", "memory")
        )
        wrong = "" if right else f"   <-- counts {first.worlds:,} and {first.transitions:,}"
        ratio = f"{cpu / own:>15.1f}x"
        print(
            f"{name:<26}{cpu:>8.3f}{seconds:>8.3f}{first.worlds / cpu:>16,.0f}{memory:>15.0f}{ratio}{wrong}"
        )
    to_a_verdict(rounds)
    return good


def to_a_verdict(rounds: dict[str, list[Figures]]) -> None:
    """Print how long the search that leaves something out takes to its verdict, beside SPIN."""
    least = {name: statistics.median(f.seconds for f in figures) for name, figures in rounds.items()}
    spins = [seconds for name, seconds in least.items() if name.startswith("SPIN")]
    against = f", {min(spins) / least[REDUCED]:,.0f} times sooner than SPIN" if spins else ""
    print(f"reduced to {rounds[REDUCED][0].worlds:,} worlds: a verdict in {least[REDUCED]:.4f} s{against}")


def ready() -> None:
    """Print what comes besides a search: getting ready, the whole of `explore`; and random walks."""
    arguments = [*program("ours.py"), *A.arguments, "1"]
    with tempfile.TemporaryDirectory() as cache:
        (first, *_), (again, *_) = (measured(arguments, cache=cache) for _ in range(2))
    compiling, cached, whole = float(first.split()[5]), *map(float, again.split()[5:])
    print(f"\n{A}: ready in {compiling:.3f} s with an empty cache, in {cached:.3f} s with a full one")
    print(f"{A}: the whole of `explore`, clauses counted, in {whole:.3f} s")
    steps, *_ = measured([*program("ours.py"), *WALKED.arguments, "walk"])
    print(f"{WALKED}: {float(steps):,.0f} random steps a CPU second")


if __name__ == "__main__":
    chosen = [*SIZES, LARGEST] if "--largest" in sys.argv[1:] else SIZES
    if not promela.installed():
        print("SPIN is not installed (Debian: spin)" if shutil.which("spin") is None else "no C compiler")
    ready()
    right = [compare(size) for size in chosen]
    sys.exit(0 if all(right) else 1)
