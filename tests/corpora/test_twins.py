import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora._twins import are_twins, intervals, melody
from kantor.score import Score

melodies = st.lists(st.integers(48, 84), min_size=12, max_size=40)


def tune(pitches):
    return Score.from_notes([(i * 480, 480, pitch, 64, 0) for i, pitch in enumerate(pitches)])


def test_repeated_notes_are_merged_and_other_parts_ignored():
    score = Score.from_notes([(0, 480, 67, 64, 0), (0, 480, 48, 64, 1), (480, 480, 67, 64, 0), (960, 480, 65, 64, 0)])
    assert melody(score) == (-2,)


@given(melodies, st.integers(-12, 12))
def test_a_transposed_melody_is_a_twin(pitches, semitones):
    steps = melody(tune(pitches))
    assert are_twins(steps, melody(tune([pitch + semitones for pitch in pitches]))) == (len(steps) >= 8)


@given(melodies, melodies)
def test_twins_are_mutual(one, other):
    assert are_twins(intervals(one), intervals(other)) == are_twins(intervals(other), intervals(one))


def test_sixteen_steps_in_a_row_make_twins_and_fifteen_do_not():
    random = np.random.default_rng(7)
    shared = random.permutation(np.arange(1, 17))
    apart = [random.permutation(np.arange(20, 60)), random.permutation(np.arange(60, 100))]
    for length, expected in ((16, True), (15, False)):
        one, other = (tuple(np.concatenate([a[:20], shared[:length], a[20:]]).tolist()) for a in apart)
        assert are_twins(one, other) is expected


def test_a_short_melody_has_no_twin():
    assert not are_twins((2, 2, 1), (2, 2, 1))
    assert not are_twins((), ())
