import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import theory
from kantor.errors import OptionError
from kantor.score import Key, Meter

keys = st.builds(Key, st.just(0), st.integers(-6, 6), st.sampled_from(["major", "minor"]))


@pytest.mark.parametrize(
    ("text", "fifths", "mode"),
    [
        ("C", 0, "major"),
        ("Am", 0, "minor"),
        ("G", 1, "major"),
        ("Gm", -2, "minor"),
        ("G minor", -2, "minor"),
        ("g minor", -2, "minor"),
        ("G MINOR", -2, "minor"),
        ("Bb", -2, "major"),
        ("B♭ major", -2, "major"),
        ("B flat major", -2, "major"),
        ("b-flat minor", -5, "minor"),
        ("bm", 2, "minor"),
        ("Bbm", -5, "minor"),
        ("eb minor", -6, "minor"),
        ("F#m", 3, "minor"),
        ("F# minor", 3, "minor"),
        ("GM", 1, "major"),
        (" Dmin ", -1, "minor"),
        ("C#", 7, "major"),
        ("Cb", -7, "major"),
    ],
)
def test_a_key_is_read(text, fifths, mode):
    assert theory.parse_key(text) == Key(0, fifths, mode)


@pytest.mark.parametrize("text", ["", "g", "bb", "H", "G dorian", "Gmm", "G##", "major", "7", "C/G", "G\nm\n x"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(OptionError, match="try 'G'"):
        theory.parse_key(text)


def test_a_key_of_eight_sharps_is_refused_with_its_plain_name():
    with pytest.raises(OptionError, match=r"8 sharps; try 'Ab major'"):
        theory.parse_key("G#")
    with pytest.raises(OptionError, match=r"11 flats; try 'E minor'"):
        theory.parse_key("Fb minor")


@given(keys)
def test_a_key_reads_its_own_name(key):
    assert theory.parse_key(theory.key_name(key)) == key


def test_a_key_without_mode_is_named_by_both():
    assert theory.key_name(Key(0, -2)) == "Bb major or G minor"
    assert theory.tonic(Key(0, -2)) == 10


@given(keys, st.integers(-30, 30))
def test_transposing_a_key_moves_its_tonic(key, semitones):
    moved = theory.transpose_key(key, semitones)
    assert theory.tonic(moved) == (theory.tonic(key) + semitones) % 12
    assert moved.mode == key.mode
    assert abs(moved.fifths) <= 6
    assert theory.transpose_key(moved, -semitones).fifths % 12 == key.fifths % 12


def test_a_key_transposed_by_nothing_or_an_octave_stays_on_its_side():
    assert theory.transpose_key(Key(5, -6, "major"), 12) == Key(5, -6, "major")
    assert theory.transpose_key(Key(5, 7, "major"), 0) == Key(5, 7, "major")
    assert theory.transpose_key(Key(5, 7, "major"), 12) == Key(5, -5, "major")


@pytest.mark.parametrize(
    ("pitch", "fifths", "name"),
    [
        (60, 0, "C4"),
        (61, 0, "C#4"),
        (63, 0, "Eb4"),
        (68, 0, "G#4"),
        (70, 0, "Bb4"),
        (71, -3, "B4"),
        (68, -3, "Ab4"),
        (60, 7, "B#3"),
        (59, -7, "Cb4"),
        (66, 1, "F#4"),
        (66, -6, "Gb4"),
        (0, 0, "C-1"),
    ],
)
def test_a_note_is_spelled_by_its_key(pitch, fifths, name):
    assert theory.note_name(pitch, fifths) == name


@given(keys)
def test_a_scale_is_spelled_with_each_letter_once(key):
    names = [theory.note_name(60 + pitch, key.fifths) for pitch in theory.scale(key)]
    assert len({name[0] for name in names}) == 7


def test_scales():
    assert theory.scale(Key(0, 0, "minor"), "harmonic minor") == {9, 11, 0, 2, 4, 5, 8}
    assert theory.scale(Key(0, 0, "minor"), "melodic minor") == {9, 11, 0, 2, 4, 6, 8}
    assert theory.scale(Key(0, 1, "major"), "harmonic minor") == {7, 9, 11, 0, 2, 4, 6}


def test_pitch_classes_of_one_and_of_many():
    assert theory.pitch_class(61) == 1
    assert theory.pitch_class(np.array([60, 71])).tolist() == [0, 11]


@pytest.mark.parametrize(
    ("pitches", "found"),
    [
        ([48, 64, 67, 72], (0, "major")),
        ([52, 60, 67], (0, "major")),
        ([57, 60, 64], (9, "minor")),
        ([59, 62, 65], (11, "diminished")),
        ([60, 64, 68], (0, "augmented")),
        ([60, 64], None),
        ([60, 64, 67, 70], None),
        ([60, 62, 67], None),
        ([], None),
    ],
)
def test_triads(pitches, found):
    assert theory.triad(pitches) == found
    assert theory.is_triad(pitches) == (found is not None)


@pytest.mark.parametrize(
    ("pitches", "key", "ends"),
    [
        ([48, 55, 64, 72], Key(0, 0, "major"), True),
        ([48, 60, 64, 72], Key(0, 0, "major"), True),  # no fifth
        ([48, 60, 67, 72], Key(0, 0, "major"), False),  # no third
        ([52, 60, 67, 72], Key(0, 0, "major"), False),  # first inversion
        ([48, 63, 67, 72], Key(0, 0, "major"), False),  # minor third
        ([45, 61, 64, 69], Key(0, 0, "minor"), True),  # Picardy third
        ([45, 60, 64, 69], Key(0, 0, "minor"), True),
        ([45, 60, 61, 69], Key(0, 0, "minor"), False),
        ([45, 60, 64, 69], Key(0, 0), True),
        ([48, 64, 67, 72], Key(0, 0), True),
        ([48, 63, 67, 72], Key(0, 0), False),
        ([43, 59, 62, 67], Key(0, 0), False),
        ([], Key(0, 0), False),
    ],
)
def test_what_can_end_a_piece(pitches, key, ends):
    assert theory.is_tonic_triad(pitches, key) is ends


def test_meters():
    assert theory.parse_meter("3/4") == Meter(0, 3, 4)
    assert theory.parse_meter(" 12 / 8 ") == Meter(0, 12, 8)


@pytest.mark.parametrize("text", ["", "4", "4/3", "0/4", "4/0", "65/4", "4/128", "-3/4", "3.5/4", "C", "4/4/4", "٣/4"])
def test_what_is_no_meter_is_refused(text):
    with pytest.raises(OptionError, match="try '3/4'"):
        theory.parse_meter(text)


def test_intervals_have_names():
    assert theory.interval_name(0) == "unison"
    assert theory.interval_name(-7) == "perfect fifth"
    assert theory.interval_name(12) == theory.interval_name(-24) == "octave"
    assert theory.interval_name(19) == "perfect fifth"
