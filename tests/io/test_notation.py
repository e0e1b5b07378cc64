"""How notes are written down: spelling, values, beams, accidentals, voices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.io.notation import NoteValue, Spelling, accidentals, beams, note_value, spell, split, voices
from kantor.score import Meter, Score


@pytest.mark.parametrize(
    ("pitch", "fifths", "mode", "written"),
    [
        (60, 0, "major", ("C", 0, 4)),
        (61, 2, "major", ("C", 1, 4)),  # D major
        (61, -4, "major", ("D", -1, 4)),  # A flat major
        (66, 0, "", ("F", 1, 4)),
        (70, 0, "", ("B", -1, 4)),
        (68, 0, "minor", ("G", 1, 4)),  # A minor's leading tone
        (71, -3, "minor", ("B", 0, 4)),  # C minor's
        (60, 4, "minor", ("B", 1, 3)),  # C sharp minor's, an octave number below
        (59, -6, "major", ("C", -1, 4)),  # G flat major's fourth degree
        (62, 7, "minor", ("C", 2, 4)),
    ],
)
def test_pitches_are_spelled_by_the_key(pitch, fifths, mode, written):
    assert spell(pitch, fifths, mode) == Spelling(*written)


@given(st.integers(0, 127), st.integers(-7, 7), st.sampled_from(["major", "minor", ""]))
def test_a_spelling_sounds_its_pitch(pitch, fifths, mode):
    step, alter, octave = spell(pitch, fifths, mode)
    assert 12 * (octave + 1) + "C D EF G A B".index(step) + alter == pitch
    assert abs(alter) <= 2


@given(st.integers(0, 32), st.integers(1, 64))
def test_pieces_of_a_note_add_up_and_each_has_a_value(position, sixteenths):
    pieces = split(position * 120, sixteenths * 120)
    assert sum(pieces) == sixteenths * 120
    assert all(note_value(ticks) for ticks in pieces)


@pytest.mark.parametrize(
    ("position", "ticks", "pieces"),
    [
        (0, 1920, [1920]),
        (0, 1440, [1440]),
        (240, 480, [480]),  # a syncopation keeps its value
        (360, 480, [120, 360]),
        (0, 600, [480, 120]),
        (320, 160, [160]),  # a triplet's last
        (0, 17, [15, 2]),
    ],
)
def test_notes_are_cut_at_beats(position, ticks, pieces):
    assert split(position, ticks) == pieces


def test_values_have_names():
    assert note_value(720) == NoteValue("quarter", 1, triplet=False)
    assert note_value(160) == NoteValue("eighth", 0, triplet=True)
    assert note_value(17) is None


def test_beams_join_a_beat():
    eighth, sixteenth = note_value(240), note_value(120)
    bar = [(0, eighth, True), (240, sixteenth, True), (360, sixteenth, True), (480, eighth, True)]
    assert beams(bar, Meter(0, 4, 4)) == [("begin",), ("continue", "begin"), ("end", "end"), ()]
    dotted = [(0, note_value(360), True), (360, sixteenth, True)]
    assert beams(dotted, Meter(0, 4, 4)) == [("begin",), ("end", "backward hook")]
    compound = [(at, eighth, True) for at in range(0, 1440, 240)]
    assert [b[0] for b in beams(compound, Meter(0, 6, 8))] == ["begin", "continue", "end"] * 2


def test_an_accidental_holds_to_the_bar_line():
    sharp, natural = Spelling("F", 1, 4), Spelling("F", 0, 4)
    assert accidentals([(sharp, False), (sharp, False), (natural, False)], fifths=0) == [True, False, True]
    assert accidentals([(sharp, False), (natural, False)], fifths=1) == [False, True]
    assert accidentals([(sharp, True), (sharp, False)], fifths=0) == [False, True]


def test_voices_do_not_overlap_and_lose_nothing():
    rows = [(0, 480, 60, 80, 0), (0, 480, 64, 80, 0), (240, 480, 67, 80, 0), (480, 240, 62, 80, 0)]
    lines = voices(Score.from_notes(rows).notes)
    assert [[chord.pitches for chord in line] for line in lines] == [[(60, 64), (62,)], [(67,)]]
