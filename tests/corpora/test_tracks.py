import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora import TRACKS, tracks_of
from kantor.errors import ScoreError, UnknownNameError
from kantor.score import Meter, Part, Score
from strategies import scores

notes_drawn = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(50, 62), st.integers(1, 127), st.integers(0, 3)),
    min_size=1,
    max_size=25,
)
BAND = (Part("Piano", 0), Part("Flute", 73), Part("Drums", 0, is_drum=True), Part("Clavinet", 7))


def band(rows):
    return Score.from_notes(rows, parts=BAND, ticks_per_quarter=4)  # a thirty-second is less than a tick


def sounding(score, parts=None):
    """(tick, pitch) of all that sounds."""
    return {
        (tick, pitch)
        for onset, duration, pitch, _, part in score.notes.tolist()
        if parts is None or part in parts
        for tick in range(onset, onset + duration)
    }


def begun(score, parts):
    return {(onset, pitch) for onset, _, pitch, _, part in score.notes.tolist() if part in parts}


@given(notes_drawn)
@pytest.mark.parametrize(("which", "parts"), [("all", {0, 1, 3}), ("piano", {0, 3})])
def test_one_piano_sounds_what_the_parts_sounded(which, parts, rows):
    score = band(rows)
    if not begun(score, parts):
        with pytest.raises(ScoreError):
            tracks_of(score, which)
        return
    merged = tracks_of(score, which)
    assert merged.parts == (Part("Piano", 0),)
    assert begun(merged, {0}) == begun(score, parts)
    assert sounding(merged) <= sounding(score, parts)
    by_key = {}
    for onset, duration, pitch, *_ in merged.notes.tolist():
        by_key.setdefault(pitch, []).append((onset, onset + duration))
    for spans in by_key.values():
        assert all(end <= start for (_, end), (start, _) in zip(sorted(spans), sorted(spans)[1:], strict=False))


@given(notes_drawn)
def test_the_melody_is_what_is_highest_when_it_begins(rows):
    score = band(rows)
    pitched = [(o, o + d, p) for o, d, p, _, part in score.notes.tolist() if not score.parts[part].is_drum]
    if not pitched:
        return
    expected = sorted({(o, p) for o, _, p in pitched if p == max(q for s, e, q in pitched if s <= o < e)})
    melody = tracks_of(score, "melody")
    assert [(o, p) for o, _, p, *_ in melody.notes.tolist()] == expected
    assert len(melody.parts) == 1


@given(scores(monophonic=False))
def test_a_melody_has_one_note_at_a_time_and_is_its_own_melody(score):
    for part, name in enumerate(("x", "y", "z", "w")[: len(score.parts)]):
        score = score.replace(parts=tuple(Part(name) if i == part else p for i, p in enumerate(score.parts)))
    if not len(score):
        return
    melody = tracks_of(score, "melody")
    ends = melody.notes["onset"] + melody.notes["duration"]
    assert (ends[:-1] <= melody.notes["onset"][1:]).all()
    assert (melody.notes["duration"] > 0).all()
    assert np.array_equal(tracks_of(melody, "melody").notes, melody.notes)
    assert sounding(melody) <= sounding(score)


@pytest.mark.parametrize("name", ["Melody", "MELODY", "Lead Vocals", "voice_1", "Soprano", "Piano melody"])
def test_a_part_with_a_melodys_name_is_the_melody_even_where_others_are_higher(name):
    parts = (Part("Whistle", 78), Part(name, 52), Part("Melodic Tom", 0, is_drum=True))
    rows = [(0, 480, 90, 80, 0), (0, 480, 60, 80, 1), (480, 480, 62, 80, 1), (480, 480, 55, 80, 1), (0, 9, 99, 80, 2)]
    melody = tracks_of(Score.from_notes(rows, parts=parts), "melody")
    assert melody.notes["pitch"].tolist() == [60, 62]
    assert melody.parts == (Part("Melody", 52),)


@pytest.mark.parametrize("name", ["Invoice", "Unmelodious", "Mezzosoprano", ""])
def test_a_name_that_merely_contains_one_is_none(name):
    parts = (Part("Whistle", 78), Part(name, 52))
    assert (
        tracks_of(Score.from_notes([(0, 1, 90, 80, 0), (0, 1, 60, 80, 1)], parts=parts), "melody").notes["pitch"] == 90
    )


def test_a_silent_part_of_that_name_is_passed_over():
    score = Score.from_notes([(0, 480, 70, 80, 1)], parts=(Part("Melody"), Part("Organ", 19)))
    assert tracks_of(score, "melody").notes["pitch"].tolist() == [70]


def test_a_legato_hides_no_note_and_a_held_one_does():
    legato = Score.from_notes([(0, 500, 72, 80, 0), (480, 480, 60, 80, 0)])
    assert tracks_of(legato, "melody").notes[["onset", "duration", "pitch"]].tolist() == [(0, 480, 72), (480, 480, 60)]
    held = Score.from_notes([(0, 960, 72, 80, 0), (480, 480, 60, 80, 0)])
    assert tracks_of(held, "melody").notes[["onset", "duration", "pitch"]].tolist() == [(0, 960, 72)]


@given(scores(monophonic=False, min_parts=2))
def test_all_but_the_parts_stays(score):
    assert tracks_of(score, "") is score
    if len(score):
        for which in TRACKS[1:]:
            chosen = tracks_of(score, which)
            assert chosen.replace(notes=score.notes, parts=score.parts) == score


def test_what_is_not_there_is_one_sentence():
    flutes = Score.from_notes([(0, 1, 70, 80, 0)], parts=(Part("Flute", 73),), meters=(Meter(0, 3, 4),))
    with pytest.raises(ScoreError, match=r"notes of a piano \(program 0 to 7\), got Flute \(program 73\); try"):
        tracks_of(flutes, "piano")
    drums = Score.from_notes([(0, 1, 70, 80, 0)], parts=(Part("", 0, is_drum=True),))
    for which in TRACKS[1:]:
        with pytest.raises(ScoreError, match=r"got a part \(drums\); try other tracks"):
            tracks_of(drums, which)
    with pytest.raises(UnknownNameError, match=r"no choice of tracks named 'melodie'. Did you mean 'melody'"):
        tracks_of(flutes, "melodie")
