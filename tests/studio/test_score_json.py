"""Scores go over the wire and nothing is lost; what no score can be is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kantor.errors import ScoreError
from kantor.studio.messages import ScoreJson
from kantor.studio.scores import json_of, read_score, score_of
from strategies import scores


@settings(max_examples=60, deadline=None)
@given(scores())
def test_a_score_comes_back_as_it_went(score):
    text = json_of(score).model_dump_json()
    assert score_of(ScoreJson.model_validate_json(text)) == score


@settings(max_examples=60, deadline=None)
@given(st.permutations([(0, 480, 60, 0), (0, 480, 64, 0), (480, 240, 60, 0), (480, 240, 67, 1), (0, 480, 60, 1)]))
def test_it_is_known_where_each_note_stood(rows):
    fields = ("onset", "duration", "pitch", "part")
    sent = ScoreJson(notes=[dict(zip(fields, row, strict=True)) for row in rows])
    found = read_score(sent)
    for at, index in enumerate(found.order.tolist()):
        assert tuple(int(found.score.notes[at][field]) for field in fields) == rows[index]


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"notes": [{"part": 0, "pitch": 128, "onset": 0, "duration": 1}]},
        {"notes": [{"part": 0, "pitch": 60.5, "onset": 0, "duration": 1}]},
        {"notes": [{"part": 0, "pitch": 60, "onset": -1, "duration": 1}]},
        {"meters": [{"tick": 0, "numerator": 4, "denominator": 3}]},
        {"tempi": [{"tick": 0, "quarters_per_minute": 0}]},
        {"title": 3},
    ],
)
def test_what_no_score_has_is_refused(change):
    with pytest.raises(ValidationError):
        ScoreJson.model_validate_json(json.dumps({"notes": [], **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"length_ticks": 480 * 40_001},
        {"length_ticks": 480 * 30_000, "meters": [{"tick": 0, "numerator": 1, "denominator": 128}]},
        {"notes": [{"part": 3, "pitch": 60, "onset": 0, "duration": 1}], "parts": [{"name": "one"}]},
    ],
)
def test_what_is_too_long_or_does_not_hold_together_is_refused(change):
    with pytest.raises(ScoreError):
        score_of(ScoreJson.model_validate_json(json.dumps({"notes": [], **change})))
