"""What metrics said of ten real files, they say still."""

import importlib.util
import json
from pathlib import Path

import pytest

from kantor import metrics
from kantor.io import load

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden.json").read_text(encoding="ascii"))


@pytest.fixture(scope="module")
def regenerate():
    spec = importlib.util.spec_from_file_location("regenerate_metrics", FOLDER / "regenerate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ten_files_are_kept_with_every_figure(regenerate):
    assert tuple(GOLDEN) == regenerate.PIECES
    assert all(list(said) == list(metrics.figures()) for said in GOLDEN.values())


@pytest.mark.parametrize("piece", GOLDEN)
def test_a_file_is_heard_as_it_was(piece, regenerate):
    now = regenerate.said(load(regenerate.file_of(piece)))
    for name, then in GOLDEN[piece].items():
        assert now[name] == (None if then is None else pytest.approx(then, abs=1e-6)), name
