"""
A Chromium without a window, driven over a pipe: the DevTools protocol, and no library in between.

The pipe is a pair of file descriptors, so no port is opened, and nothing but this process can speak
to the browser. Its version need not match anything: of the protocol only what has been stable for
years is used.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field

#: What the browser is called, where it is installed; Debian's own name is the first.
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    # Containers of build servers run as root, and have a small /dev/shm.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-extensions",
    "--disable-component-update",
    "--disable-background-networking",
    "--force-color-profile=srgb",
    # Glyphs at whole pixels and in grey: the same on more machines.
    "--font-render-hinting=none",
    "--disable-lcd-text",
)


def installed() -> str | None:
    """The path of the browser, if there is one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class BrowserError(Exception):
    """The browser said no, said nothing in time, or is gone."""


@define
class Tab:
    """One page that is open. What goes wrong in it is written down as it happens."""

    _read: int
    _write: int
    patience_s: float = 20.0
    #: Texts of console errors, of exceptions, and of violations of the page's policy.
    complaints: list[str] = field(init=False, factory=list)
    #: Addresses that were asked for.
    requests: list[str] = field(init=False, factory=list)
    #: Whether pages may run scripts; what is asked here runs all the same.
    _scripts: bool = field(init=False, default=True)
    _session: str = field(init=False, default="")
    _number: int = field(init=False, default=0)
    _buffer: bytes = field(init=False, default=b"")

    def attach(self) -> None:
        """Open a page of its own, and listen to what it does."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """What the browser answers to `method`; what it says in the meantime is written down."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        deadline = time.monotonic() + self.patience_s
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._read, 1 << 20) if ready else b""
            if not chunk:
                raise BrowserError("the browser is gone" if ready else "the browser does not answer")
            self._buffer += chunk
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(raw)
        self._noted(message.get("method", ""), message.get("params", {}))
        return message

    def _noted(self, method: str, said: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.complaints.append(said["entry"]["text"])

    def open(self, address: str) -> None:
        """Load a page, and wait until it has done all that it does by itself."""
        self.complaints.clear()
        self.requests.clear()
        # Two addresses that differ behind the # would be one page.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        deadline = time.monotonic() + self.patience_s
        while self.js("document.readyState != 'complete' || location.href == 'about:blank'"):
            if time.monotonic() > deadline:
                raise BrowserError(f"{address} does not end to load")
        self.settled()

    def js(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are waited for. Raises what it raises."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    def settled(self) -> None:
        """Wait until what was asked for has been drawn."""
        if not self._scripts:
            # Then nothing is asked for, and frames call nobody back.
            return
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def press(self, key: str) -> None:
        """Press and release a key, as a keyboard would."""
        codes = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, " ": 32, "Escape": 27, "Tab": 9}
        name = {" ": "Space"}.get(key, key)
        text = {"text": key} if len(key) == 1 else {}
        common = {"key": key, "code": name, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)
        self.settled()

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of what `selector` finds, wherever that is on the screen."""
        found = json.dumps(selector)
        self.js(f"document.querySelector({found}).scrollIntoView({{block: 'center'}})")
        at = self.js(
            f"(() => {{ const r = document.querySelector({found}).getBoundingClientRect();"
            "return {x: r.x + r.width / 2, y: r.y + r.height / 2} })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)
        self.settled()

    def emulate(self, width: int = 1280, height: int = 900, **features: str) -> None:
        """The size of the window, and what the person prefers: `prefers_color_scheme="dark"`."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        preferred = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media="", features=preferred)
        self.settled()

    def allow_scripts(self, allowed: bool) -> None:
        """Whether pages that are opened from now on may run scripts."""
        self.call("Emulation.setScriptExecutionDisabled", value=not allowed)
        self._scripts = allowed

    def screenshot(self, width: int, height: int, scale: float = 1) -> bytes:
        """The upper left of what is seen in the window, as PNG."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"])


def _pipe() -> tuple[int, int]:
    """Both ends of a pipe, out of the way of the numbers that the browser wants."""
    ends = os.pipe()
    moved = (fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 10))
    for end in ends:
        os.close(end)
    return moved


@contextmanager
def browser(path: str, environ: Mapping[str, str] | None = None) -> Iterator[Tab]:
    """A browser with one tab; it keeps nothing, and ends with its processes."""
    to_browser, write = _pipe()
    read, from_browser = _pipe()
    with tempfile.TemporaryDirectory(prefix="headless-", ignore_cleanup_errors=True) as profile:
        # A shell, because the browser wants its pipe at 3 and 4, and may not have our own ends.
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser} {to_browser}<&- {from_browser}>&-'
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", path, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=None if environ is None else dict(environ),
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            tab = Tab(read, write)
            tab.attach()
            yield tab
        finally:
            os.close(write)
            os.close(read)
            # With its own group: it has a dozen processes, and all of them write into the profile.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
