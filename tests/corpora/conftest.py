import os

import pytest

from kantor import corpora


@pytest.fixture(scope="session")
def bach(tmp_path_factory):
    """The chorales, read at most once a run; a cache that the caller names by KANTOR_CACHE outlives the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KANTOR_CACHE", os.environ.get("KANTOR_CACHE") or str(tmp_path_factory.mktemp("cache")))
        yield corpora.load("bach", progress=False)
