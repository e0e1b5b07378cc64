"""The look for disasters: each trouble is told, with what to try; music like the corpus's is not."""

import numpy as np
import pytest

from kantor.evaluation.collapse import Usual, collapse, usual
from kantor.score import NOTE, Key, Meter, Part, Score

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def line(pitches, step=480):
    rows = [(step * at, step, int(pitch), 80, 0) for at, pitch in enumerate(pitches)]
    return Score.from_notes(rows, parts=(Part("Piano"),), meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),))


def walk(seed, notes=64):
    rng = np.random.default_rng(seed)
    return line([SCALE[at] for at in np.abs(rng.integers(-2, 3, notes).cumsum()) % 8])


CORPUS = [walk(seed) for seed in range(12)]


def test_music_like_the_corpus_is_let_be():
    known = usual(CORPUS)
    assert known.notes_per_quarter == 1
    assert known.off_grid == 0
    assert [collapse(walk(seed, 32), known) for seed in range(50, 70)] == [None] * 20


@pytest.mark.parametrize(
    ("sample", "trouble", "remedy"),
    [
        (Score(np.zeros(0, NOTE), parts=(Part(),), length_ticks=1920), "is silent", "recipe.positive_weight"),
        (line([60] * 32), "repeats one note 32 times", "more dropout"),
        (line(np.tile(SCALE, 32), step=60), "far more than the corpus", "early epochs"),
        (line(np.tile(SCALE[:4], 8)), "of the bars repeat another", "--rule no-loops"),
        (
            line(np.random.default_rng(0).permutation(np.tile(np.arange(60, 72), 3))),
            "keeps to no scale",
            "--rule in-key",
        ),
    ],
    ids=["silence", "one note", "too much", "loops", "chaos"],
)
def test_a_trouble_is_told_with_its_remedy(sample, trouble, remedy):
    said = collapse(sample, usual(CORPUS))
    assert said is not None
    assert trouble in said
    assert remedy in said


def test_a_beat_that_is_lost_is_told_and_a_performance_is_not():
    rng = np.random.default_rng(3)
    onsets = np.sort(rng.integers(0, 32 * 480, 40))
    rows = [(int(onset), 200, SCALE[n % 7], 80, 0) for n, onset in enumerate(onsets)]
    drifting = Score.from_notes(rows, parts=(Part(),), meters=(Meter(0, 4, 4),))
    said = collapse(drifting, usual(CORPUS))
    assert said is not None
    assert "has lost the beat" in said
    assert "--quantise" in said
    assert collapse(drifting, Usual(1.0, off_grid=0.8)) is None


def test_of_no_music_nothing_is_usual():
    assert usual([]) == Usual(0.0)
    assert collapse(walk(0), usual([])) is None
