import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.data.augmentation import louder, part_ranges, shifts, stretch, transpose
from kantor.score import Key, Meter, Part, Score, Tempo
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


def test_drums_are_not_transposed():
    parts = (Part("Piano"), Part("Drums", 0, is_drum=True))
    score = Score.from_notes([(0, 480, 60, 80, 0), (0, 480, 38, 80, 1)], parts=parts)
    assert transpose(score, 3).notes["pitch"].tolist() == [63, 38]


@given(score=scores(), semitones=st.integers(-11, 11))
def test_a_transposition_there_and_back_sounds_the_same(score, semitones):
    again = transpose(transpose(score, semitones), -semitones)
    assert np.array_equal(again.notes, score.notes)
    tonics = [[(key.fifths * 7) % 12 for key in piece.keys] for piece in (score, again)]
    assert tonics[0] == tonics[1]


def test_drums_are_not_transposed_and_hinder_no_one():
    parts = (Part("high"), Part("drums", is_drum=True))
    score = two_parts(72, 38).replace(parts=parts)
    assert transpose(score, 3).notes["pitch"].tolist() == [75, 38]
    assert shifts(score, np.array([[60, 74], [38, 38]]), 6).tolist() == [-6, -5, -4, -3, -2, -1, 0, 1, 2]


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


# -- slower, louder --------------------------------------------------------------------------------------------------


def test_a_stretched_score_is_the_same_playing_slower():
    rows = [(0, 100, 60, 80, 0), (100, 300, 62, 70, 0), (401, 3, 64, 60, 0)]
    score = Score.from_notes(
        rows, tempi=(Tempo(0, 90.0), Tempo(200, 60.0)), keys=(Key(200, 1, "major"),), fermatas=(300,), length_ticks=500
    )
    slower = stretch(score, 1.5)
    assert slower.notes.tolist() == [(0, 150, 60, 80, 0), (150, 450, 62, 70, 0), (602, 4, 64, 60, 0)]
    assert slower.tempi == (Tempo(0, 90.0), Tempo(300, 60.0))
    assert (slower.keys, slower.fermatas, slower.length_ticks) == ((Key(300, 1, "major"),), (450,), 750)
    assert slower.parts == score.parts


def test_a_stretched_score_knows_no_bars():
    score = two_parts(72, 60, meters=(Meter(0, 3, 4),), barlines=(0, 480), anacrusis_ticks=240, length_ticks=960)
    stretched = stretch(score, 1.1)
    assert (stretched.meters, stretched.barlines, stretched.anacrusis_ticks) == ((), (), 0)
    assert stretch(score, 1) is score


@given(score=scores(monophonic=False), factor=st.floats(0.05, 3))
def test_notes_that_touched_still_touch_and_every_note_still_lasts(score, factor):
    stretched = stretch(score, factor)
    assert len(stretched) == len(score)
    assert (stretched.notes["duration"] >= 1).all()
    ends = {round(end * factor) for end in (score.notes["onset"] + score.notes["duration"]).tolist()}
    onsets = {round(onset * factor) for onset in score.notes["onset"].tolist()}
    assert set(stretched.notes["onset"].tolist()) == onsets
    if factor > 0.01:  # a sixteenth of 120 ticks is not squeezed to nothing
        assert set((stretched.notes["onset"] + stretched.notes["duration"]).tolist()) == ends
    assert stretched.length_ticks >= max(ends, default=0)


def test_a_louder_score_is_louder_within_what_midi_has():
    rows = [(0, 10, 60, velocity, 0) for velocity in (1, 40, 80, 127)]
    assert sorted(louder(Score.from_notes(rows), 1.2).notes["velocity"].tolist()) == [1, 48, 96, 127]
    assert sorted(louder(Score.from_notes(rows), 0.1).notes["velocity"].tolist()) == [1, 4, 8, 13]
    kept = louder(Score.from_notes(rows), 1.2)
    assert kept.replace(notes=Score.from_notes(rows).notes) == Score.from_notes(rows)
