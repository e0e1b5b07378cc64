import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.data.augmentation import part_ranges, shifts, transpose
from kantor.score import Key, Part, Score
from strategies import scores


def two_parts(high, low, **known):
    parts = (Part("high"), Part("low"))
    return Score.from_notes([(0, 480, high, 80, 0), (0, 480, low, 80, 1)], parts=parts, **known)


def test_a_transposition_moves_notes_and_keys():
    moved = transpose(two_parts(72, 60, keys=(Key(0, 0, "major"), Key(240, -3, "minor"))), 2)
    assert moved.notes["pitch"].tolist() == [74, 62]
    assert moved.keys == (Key(0, 2, "major"), Key(240, -1, "minor"))


def test_a_transposition_keeps_what_is_not_pitch():
    score = two_parts(72, 60, fermatas=(240,), title="x", length_ticks=960)
    moved = transpose(score, -5)
    back = {"notes": score.notes, "keys": score.keys}
    assert moved.replace(**back) == score


@given(score=scores(), semitones=st.integers(-11, 11))
def test_a_transposition_there_and_back_sounds_the_same(score, semitones):
    again = transpose(transpose(score, semitones), -semitones)
    assert np.array_equal(again.notes, score.notes)
    tonics = [[(key.fifths * 7) % 12 for key in piece.keys] for piece in (score, again)]
    assert tonics[0] == tonics[1]


def test_ranges_are_those_of_all_pieces_part_by_part():
    pieces = [two_parts(72, 48), two_parts(65, 55)]
    assert part_ranges(pieces, 2).tolist() == [[65, 72], [48, 55]]


def test_a_part_that_never_sounds_has_an_empty_range():
    assert part_ranges([two_parts(72, 48)], 3)[2].tolist() == [127, 0]


def test_a_piece_moves_as_far_as_its_tightest_part():
    ranges = np.array([[60, 74], [40, 60]])
    assert shifts(two_parts(72, 48), ranges, 6).tolist() == [-6, -5, -4, -3, -2, -1, 0, 1, 2]
    assert shifts(two_parts(61, 43), ranges, 6).tolist() == [-1, 0, 1, 2, 3, 4, 5, 6]


def test_a_piece_that_fills_the_ranges_stays():
    ranges = np.array([[72, 72], [40, 60]])
    assert shifts(two_parts(72, 48), ranges, 6).tolist() == [0]


@given(pieces=st.lists(scores(max_parts=4, min_parts=4), min_size=2, max_size=4), at_most=st.integers(0, 12))
def test_every_shift_stays_in_the_ranges_and_a_wider_one_would_not(pieces, at_most):
    ranges = part_ranges(pieces, 4)
    for piece in pieces:
        if not len(piece):
            continue
        allowed = shifts(piece, ranges, at_most)
        for semitones in range(-at_most, at_most + 1):
            moved = part_ranges([transpose(piece, semitones)], 4)
            sounding = moved[:, 0] <= moved[:, 1]
            inside = (moved[sounding, 0] >= ranges[sounding, 0]).all() and (
                moved[sounding, 1] <= ranges[sounding, 1]
            ).all()
            assert (semitones in allowed) == inside


@pytest.mark.parametrize("semitones", [0, 12, -12])
def test_an_octave_keeps_the_key(semitones):
    assert transpose(two_parts(72, 60, keys=(Key(0, 4, "minor"),)), semitones).keys == (Key(0, 4, "minor"),)
