"""A chorale by the frame is the chorale by the cell, regrouped."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fakes import FakeModel, rambling
from kantor.errors import OptionError, ScoreError
from kantor.evaluation.likelihood import likelihood, protocols_of
from kantor.representations.choir import Choir
from kantor.representations.chorale import Chorale
from strategies import scores

SHARED = ("phase", "now", "held", "lag-2", "beat", "key")
each_spelling = pytest.mark.parametrize("spelling", ["plain", "full"])


def both(spelling, score):
    """The same music by the frame and by the cell; scores that neither takes are not judged."""
    known = {"spelling": spelling, "order": "SBAT", "inputs": SHARED}
    try:
        Chorale(**known).encode(score)
    except ScoreError:
        assume(False)
    return Choir(**known), Chorale(**known)


@each_spelling
@given(score=scores(max_parts=4))
def test_a_frame_holds_the_cells_of_its_turns(spelling, score):
    choir, chorale = both(spelling, score)
    frames, cells = choir.encode(score), chorale.encode(score)
    assert frames.values.reshape(-1).tolist() == cells.values[:, 0].tolist()
    assert np.array_equal(frames.conditions, cells.conditions[::4])
    assert frames.notes == cells.notes


@each_spelling
@given(score=scores(max_parts=4), seed=st.integers(0, 1000))
def test_what_may_come_and_what_would_sound_is_what_the_cells_say(spelling, score, seed):
    choir, chorale = both(spelling, score)
    encoding, rng = choir.encode(score), np.random.default_rng(seed)
    within = rng.random((4, 128)) < 0.8
    by_frame = choir.derive(encoding.plan, within=within, joint=1)
    by_cell = chorale.derive(encoding.plan, within=within, joint=4)
    for frame in encoding.values[:12]:
        for turn in range(4):
            shown = np.where(np.arange(4) < turn, frame, 0)[None]
            assert np.array_equal(by_frame.allowed(turn, shown), by_cell.allowed(0, shown[:, :1]))
            ours, theirs = by_frame.situation(turn, shown, 3), by_cell.situation(0, shown[:, :1], 3)
            for one, other in zip(ours, theirs, strict=True):
                assert np.array_equal(one, other)
            by_cell.push(frame[None, turn : turn + 1])
        by_frame.push(frame[None])
        assert by_frame.progress() == by_cell.progress()


@given(score=scores(max_parts=4))
def test_right_cells_are_counted_one_by_one(score):
    choir, _ = both("full", score)
    encoding = choir.encode(score)
    figures = likelihood(FakeModel.of(choir, rambling, chained=True), choir, [score])
    assert figures.notes == encoding.values.size
    assert figures.frames == len(encoding)
    assert set(figures.nats_by_field) == {"soprano", "bass", "alto", "tenor"}
    hits = figures.accuracy * encoding.values.size
    assert hits == pytest.approx(round(hits))
    copied = (1 - figures.copy_accuracy) * 4 * (len(encoding) - 1)
    assert copied == pytest.approx(choir.changed(encoding)[1:].sum())


def test_a_window_whose_first_cell_is_given_has_no_frames():
    assert protocols_of(Choir()) == ("whole", "frames")


@pytest.mark.parametrize("name", ["voice", "own"])
def test_what_is_one_voices_own_is_no_input_of_a_frame(name):
    with pytest.raises(OptionError, match=f"expected inputs of a whole frame, got '{name}'"):
        Choir(inputs=(name,))
