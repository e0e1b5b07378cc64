"""Profiles of Hypothesis, and where the shared data lies, if it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]  # machines differ; what is drawn does not
settings.register_profile("dev", deadline=None, max_examples=30, suppress_health_check=_QUIET)
settings.register_profile("ci", deadline=None, max_examples=30, suppress_health_check=_QUIET, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data beside the repository; tests that ask for it are skipped where it is absent."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "data").is_dir():
            return parent / "shared" / "data"
    pytest.skip("the shared data is not here")
