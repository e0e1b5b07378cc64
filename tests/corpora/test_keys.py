import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora import estimated_key, key_of
from kantor.score import Key, Part, Score
from kantor.theory import parse_key, tonic, transpose_key

HYMN = [60, 64, 67, 65, 62, 59, 60, 65, 64, 62, 60]  # C major
LAMENT = [57, 60, 64, 62, 60, 59, 57, 56, 57]  # A minor


def tune(pitches, **known):
    return Score.from_notes([(i * 480, 480, pitch, 80, 0) for i, pitch in enumerate(pitches)], **known)


@given(st.integers(-20, 20))
@pytest.mark.parametrize(("pitches", "name"), [(HYMN, "C major"), (LAMENT, "A minor")])
def test_the_estimate_moves_with_the_music(pitches, name, by):
    found, home = estimated_key(tune([pitch + by for pitch in pitches])), parse_key(name)
    assert (tonic(found), found.mode) == (tonic(transpose_key(home, by)), home.mode)


def test_a_signature_is_believed():
    assert key_of(tune(HYMN, keys=(Key(0, 3, "minor"), Key(480, 0, "major")))) == Key(0, 3, "minor")


@pytest.mark.parametrize(("pitches", "mode"), [(HYMN, "major"), (LAMENT, "minor")])
def test_a_signature_without_mode_is_completed_by_the_notes(pitches, mode):
    assert key_of(tune(pitches, keys=(Key(0, 0, ""),))) == Key(0, 0, mode)


@pytest.mark.parametrize("pitches", [[], [60], [60, 67], list(range(60, 72))], ids=["none", "one", "two", "all"])
def test_music_that_prefers_no_key_has_none(pitches):
    assert key_of(tune(pitches)) is None


def test_drums_have_no_key():
    assert key_of(tune(HYMN, parts=(Part("Drums", is_drum=True),))) is None


@pytest.mark.corpus
def test_bachs_chorales_are_mostly_in_the_key_they_say(bach):
    said = [piece.score for piece in bach.pieces() if piece.score.keys and piece.score.keys[0].mode]
    right = [
        (tonic(found), found.mode) == (tonic(score.keys[0]), score.keys[0].mode)
        for score in said
        if (found := estimated_key(score))
    ]
    assert len(right) == len(said)
    assert sum(right) > 0.75 * len(said)
