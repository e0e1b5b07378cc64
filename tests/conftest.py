"""Profiles of Hypothesis, where the shared data lies, if it does, and a browser, if there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from kantor import corpora
from kantor.bundle import Bundle
from kantor.networks import Lstm
from kantor.representations import columns
from kantor.representations.chorale import Chorale

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]  # machines differ; what is drawn does not
settings.register_profile("dev", deadline=None, max_examples=15, suppress_health_check=_QUIET)
settings.register_profile("ci", deadline=None, max_examples=15, suppress_health_check=_QUIET, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data beside the repository; tests that ask for it are skipped where it is absent."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "data").is_dir():
            return parent / "shared" / "data"
    pytest.skip("the shared data is not here")


@pytest.fixture(scope="session")
def bach(tmp_path_factory: pytest.TempPathFactory) -> Iterator[corpora.Corpus]:
    """The chorales, read at most once a run; a cache that the caller names by KANTOR_CACHE outlives the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KANTOR_CACHE", os.environ.get("KANTOR_CACHE") or str(tmp_path_factory.mktemp("cache")))
        yield corpora.load("bach", progress=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright, never downloaded; tests that ask for it are skipped where it is absent.

    It lives as long as a file of tests: while it does, its driver's event loop runs in this thread, and no other can.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium here")
    with playwright.sync_playwright() as driver:
        # without a sandbox, as root in a container has it; the pages are our own
        options = ["--no-sandbox", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
        browser = driver.chromium.launch(executable_path=chromium, args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page; what goes wrong in it fails the test."""
    context = browser.new_context()
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A network that has learnt nothing, as a bundle; treat it as read-only."""
    import torch

    from kantor.models import build
    from kantor.training.export import export

    representation = Chorale(spelling="full", order="SBAT", inputs=("voice", "now", "meter", "remaining"))
    config = Lstm(embedding=6, hidden=8, layers=2, head=5)
    torch.manual_seed(0)
    network = build(config, *columns(representation))
    return export(network, config, representation, tmp_path_factory.mktemp("models") / "tiny", {"name": "tiny"})
