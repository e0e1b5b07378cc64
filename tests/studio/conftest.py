"""A studio in threads, for tests that ask it over HTTP and its socket."""

import pytest
from fastapi.testclient import TestClient

from kantor.studio.app import Settings, create

HOME = "http://127.0.0.1"


@pytest.fixture(scope="package")
def client(tmp_path_factory):
    """A running studio without a page."""
    settings = Settings(threads=True, workers=1, warm=(), static=tmp_path_factory.mktemp("static"))
    with TestClient(create(settings), base_url=HOME) as running:
        yield running
