"""The Streamlit page served by its own command, in Debian's Chromium: it is heard, and asks nothing of other hosts."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import mido
import pytest

pytest.importorskip("streamlit.testing.v1", reason="Streamlit is not installed")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def address():
    """Where Streamlit serves the page, as the README says to start it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.address", "localhost"]
    command += ["--server.headless", "true", "--server.port", str(port)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **pipes) as server:
        try:
            said = iter(server.stdout.readline, "")
            yield next(found[0] for line in said if (found := re.search(r"http://localhost:\d+", line)))
        finally:
            server.kill()  # asked politely it waits for its visitors to leave


def test_one_press_and_it_can_be_heard_and_taken_home(address, page, tmp_path):
    asked = set()
    page.set_default_timeout(120_000)
    page.on("request", lambda request: asked.add(urlsplit(request.url)))
    page.goto(address)
    page.get_by_role("button", name="Compose").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download MIDI").click()
    download.value.save_as(tmp_path / "made.mid")
    page.wait_for_function("document.querySelector('audio').duration > 30")
    assert page.get_by_role("img", name="Piano roll").evaluate("picture => picture.naturalWidth") > 0
    assert mido.MidiFile(tmp_path / "made.mid").length > 30
    assert {url.hostname for url in asked if url.scheme in ("http", "https", "ws", "wss")} == {"localhost"}
