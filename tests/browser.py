"""A real browser for tests: Chromium without a window, led through its debugging pipe. No package is needed for it.

Tests that ask for it are skipped where there is no Chromium. A page is asked in JavaScript (:meth:`Page.ask`), and
waited for by condition, never by time.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import subprocess
from base64 import b64decode
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60_000  # milliseconds after which a page that never comes to it is at fault


def found() -> str | None:
    """Where the browser is."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Page:
    """One page of a browser."""

    def __init__(self, send, receive):
        self._send, self._receive = send, receive
        self._numbers = itertools.count(1)
        self._session = None
        self.errors = []  # what the page complained of
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def _call(self, method, **params):
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        self._send({"id": number, "method": method, "params": params, **session})
        while True:
            message = self._receive()
            self._note(message)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def _note(self, message):
        params = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"].get("exception", {}).get("description", "error"))
        if message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def open(self, url):
        self._call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def ask(self, script):
        """The value of an expression, awaited."""
        found = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition):
        """Wait for a condition, in JavaScript."""
        script = f"""new Promise((done, fail) => {{
            const begun = performance.now();
            const look = () => {{
                let there = false;
                try {{ there = {condition}; }} catch {{ /* not yet */ }}
                if (there) done(true);
                else if (performance.now() - begun > {PATIENCE}) fail(new Error("never: " + document.body.innerText));
                else setTimeout(look, 20);
            }};
            look();
        }})"""
        return self.ask(script)

    def click(self, selector):
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(f"{found} && !{found}.disabled")
        self.ask(f"{found}.click()")

    def size(self, width, height, *, dark=False):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)

    def picture(self, path):
        data = self._call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        Path(path).write_bytes(b64decode(data))


@contextmanager
def chromium(profile):
    """A browser with a profile of its own in the folder ``profile``; gives a function that opens a page."""
    read_end, their_write = os.pipe()
    their_read, write_end = os.pipe()

    def prepared():  # Chromium reads its third descriptor and writes its fourth
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (their_read, their_write)]  # out of each other's way
        os.dup2(ends[0], 3)
        os.dup2(ends[1], 4)

    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "close_fds": False}
    command = [found(), *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, preexec_fn=prepared, pass_fds=(), **options) as process:
        os.close(their_read)
        os.close(their_write)
        with os.fdopen(read_end, "rb") as reader, os.fdopen(write_end, "wb", buffering=0) as writer:
            pending = bytearray()

            def send(message):
                writer.write(json.dumps(message).encode() + b"\0")

            def receive():
                while b"\0" not in pending:
                    part = os.read(reader.fileno(), 1 << 20)
                    assert part, "the browser has gone"
                    pending.extend(part)
                message, _, rest = bytes(pending).partition(b"\0")
                pending[:] = rest
                return json.loads(message)

            try:
                yield lambda: Page(send, receive)
            finally:
                process.terminate()
                process.wait()
