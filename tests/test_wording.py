"""How a sentence counts, and how a card's values read."""

import pytest

from kantor.wording import counted, spelt


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (True, "yes"),
        (5883810, "5,883,810"),
        (0.25, "0.25"),
        ([36, 66], "36, 66"),
        ([[36, 66], [0.5, 1.5], [7]], "(36, 66), (0.5, 1.5), 7"),
        (["last", "lag-2"], "last, lag-2"),
        ({"hidden_units": 512, "bars": None, "rules": [], "about": "", "seed": 0}, "hidden units 512, seed 0"),
        ({"inputs": ["last", "held"], "name": "choir", "nest": {"z": {}}}, "inputs (last, held), name choir"),
        ({"chords": [[60, 64]] * 2000, "most": 300}, "chords (2,000 values), most 300"),
        (
            {"stages": [{"epochs": 9}, {"epochs": 2}], "by": {"alto": 0.1}},
            "stages ((epochs 9), (epochs 2)), by (alto 0.1)",
        ),
        ({"a\x1b[31m": "b\nc"}, "a\ufffd[31m b\ufffdc"),
    ],
)
def test_a_value_reads_without_the_signs_of_json(value, said):
    assert spelt(value) == said


def test_one_is_no_plural():
    assert [counted(count, "piece") for count in (0, 1, 2, 2000)] == ["0 pieces", "1 piece", "2 pieces", "2,000 pieces"]


def test_what_is_nested_beyond_reason_is_counted():
    deep = {}
    for _ in range(5000):
        deep = {"within": [deep, deep]}
    assert spelt(deep).count("value") == 8
