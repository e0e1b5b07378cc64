"""A running studio, and a browser that looks at it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import kantor

STUDIO = Path(kantor.__file__).parent / "studio"


@pytest.fixture(scope="session")
def static() -> Path:
    if not (STUDIO / "static/index.html").is_file():
        pytest.skip("the studio's page is not built")
    return STUDIO / "static"


@pytest.fixture(scope="session")
def address(static: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a studio serves, by its own command."""
    log = tmp_path_factory.mktemp("studio") / "log.txt"
    command = [
        sys.executable,
        "-u",
        "-c",
        "from kantor.cli import main; main()",
        "studio",
        "--port",
        "0",
        "--no-browser",
    ]
    with log.open("w") as errors:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=dict(os.environ))
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found, f"the studio did not start: {line}{log.read_text()}"
            yield found[0]
        finally:
            server.terminate()
            server.communicate(timeout=30)


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Any]:
    """Opens the page in a browser of its own; whatever goes wrong in it, or leaves this machine, fails the test."""
    contexts, wrong = [], []

    def asked(request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.hostname not in ("127.0.0.1", "localhost"):
            wrong.append(f"asked {request.url}")

    def said(message: Any) -> None:
        if message.type in ("error", "warning"):
            wrong.append(f"{message.type}: {message.text}")

    def visit(where: str = "", *, ready: bool = True, context: Any = None, **options: Any) -> Any:
        if context is None:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            context.set_default_timeout(30_000)
            contexts.append(context)
        page = context.new_page()
        page.on("request", asked)
        page.on("websocket", lambda socket: asked(_As(socket.url)))
        page.on("console", said)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.goto(address + where)
        if ready:
            page.wait_for_selector("html[data-ready]")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


class _As:
    """A socket's address, as a request has it."""

    def __init__(self, url: str) -> None:
        self.url = url
