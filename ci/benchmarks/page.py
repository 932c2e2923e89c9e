"""
How soon a page of a long trace is there, and how smoothly its slider moves, in the Chromium of this machine.

A machine is noisy: of several rounds the median is shown. No figure here fails a build.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "samples"))

import told
from headless import NAMES, Tab, browser, installed
from shardproof.render.page.document import page

LENGTHS = (20, 500, 5_000)
ROUNDS = 5

#: Milliseconds of the page's own work for each of sixty places all over the slider.
SCRUB = """
(async () => {
  const slider = document.getElementById("scrub");
  const spent = [];
  for (let i = 0; i < 60; i++) {
    slider.value = 1 + ((i * 7919) % Number(slider.max));
    slider.dispatchEvent(new Event("input"));
    // The page draws in the next frame; what comes after that and its layout is nobody's work.
    const begin = await new Promise((done) => requestAnimationFrame(() => done(performance.now())));
    document.body.getBoundingClientRect();
    spent.push(performance.now() - begin);
  }
  return spent.sort((one, other) => one - other);
})()
"""


def opened(tab: Tab, address: str) -> float:
    """Seconds from the request to a page that is drawn and can be used."""
    begin = time.perf_counter()
    tab.open(address)
    return time.perf_counter() - begin


def main() -> None:
    """A line for each length of a trace."""
    path = installed()
    if path is None:
        sys.exit(f"ci/bench page: none of {', '.join(NAMES)} is installed")
    print("    steps   written       size   opened    a step of the slider: median, 95 of 100")
    with tempfile.TemporaryDirectory() as folder, browser(path) as tab:
        tab.emulate(1600, 1000)
        for steps in LENGTHS:
            story = told.long(steps)
            begin = time.perf_counter()
            file = Path(folder) / f"{steps}.html"
            file.write_text(page(story, "replay with  shardproof replay x.trace.json"), encoding="utf-8")
            written = time.perf_counter() - begin
            seconds = statistics.median(opened(tab, file.as_uri()) for _ in range(ROUNDS))
            spent = tab.js(SCRUB)
            print(
                f"  {steps:>7,}  {written:6.2f} s  {file.stat().st_size / 1000:6,.0f} kB  {seconds:5.2f} s"
                f"    {spent[len(spent) // 2]:.1f} ms, {spent[len(spent) * 95 // 100]:.1f} ms"
            )


if __name__ == "__main__":
    main()
