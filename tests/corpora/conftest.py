"""Where downloads come from, and where they go, in the tests."""

import socket

import pytest

from file_server import running


@pytest.fixture(scope="module")
def running_server():
    with running() as server:
        yield server


@pytest.fixture
def server(running_server, monkeypatch):
    """A server without files, in this very process; proxies of the machine play no part."""
    monkeypatch.setenv("no_proxy", "*")
    place = running_server.fresh()
    yield place
    place.over.set()


@pytest.fixture
def nobody(monkeypatch):
    """An address at which nobody answers."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder where downloads lie, in a cache that is empty."""
    monkeypatch.setenv("KANTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KANTOR_MIRROR", raising=False)
    return tmp_path / "cache" / "corpora"
