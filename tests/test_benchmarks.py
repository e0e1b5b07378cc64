"""The table of `benchmarks.seeds`: both readings of a training, and what it says of them."""

import importlib.util
import sys
from pathlib import Path

import pytest

SEEDS = Path(__file__).resolve().parents[1] / "benchmarks" / "seeds.py"


@pytest.fixture(scope="module")
def seeds():
    found = importlib.util.spec_from_file_location("benchmarks_seeds", SEEDS)
    module = importlib.util.module_from_spec(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "benchmarks_seeds", module)  # its dataclasses look themselves up
        found.loader.exec_module(module)
    return module


TRAIN = {
    "seed": "002",
    "what": "train",
    "precision": "bf16-mixed",
    "preset_precision": "32-true",
    "ratio_of_windows": [1.5, 1.25, 1.75],
    "ratio_of_windows_by_cpu": [2.0, 1.9, 2.1],
    "ratio_of_targets": [96.0, 80.0, 112.0],
    "bar_of_windows": 4,
}
WRITE = {
    "seed": "002",
    "what": "generate",
    "ratio_kantor_over_keras": [700.0, 600.0, 900.0],
    "ratio_kantor_over_keras_one_thread": [500.0, 400.0, 600.0],
    "ratio_kantor_16_side_by_side_over_keras": [3000.0, 2000.0, 4000.0],
    "bar": 200,
}


def cells(line):
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_seed_is_a_line_with_both_readings_and_the_precision_that_was_asked_for(seeds):
    head, line, *foot = seeds.table([TRAIN, WRITE]).splitlines()
    assert cells(head) == list(seeds.HEADS)
    assert cells(line) == [
        *("002", "bf16-mixed*", "1.50 (1.25 .. 1.75)", "2.00 (1.90 .. 2.10)", "96.00 (80.00 .. 112)", "4"),
        *("700 (600 .. 900)", "500 (400 .. 600)", "3,000 (2,000 .. 4,000)", "200"),
    ]
    assert "* overrides the preset's own" in " ".join(foot)
    assert cells(seeds.table([{**TRAIN, "precision": "32-true"}]).splitlines()[1])[1] == "32-true"


def test_what_was_not_measured_is_a_dash(seeds):
    bare = {name: value for name, value in TRAIN.items() if not name.startswith("ratio")}
    assert cells(seeds.table([bare]).splitlines()[1]) == ["002", "bf16-mixed*", "-", "-", "-", "4", "-", "-", "-", "-"]


def test_the_foot_names_the_lengths_of_the_windows_as_they_are(seeds):
    lengths = ", ".join(str(job.window) for seed, job in seeds.JOBS.items() if seed != "000")
    assert f"({lengths})" in seeds.FOOT
    assert f"{seeds.JOBS['000'].window} of them a window" in seeds.FOOT
