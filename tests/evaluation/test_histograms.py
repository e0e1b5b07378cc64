"""Pitches, steps and durations are counted as others count them, and compared as others compare."""

import io as memory
import itertools
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial.distance import braycurtis

from kantor import io
from kantor.errors import InputError
from kantor.evaluation.histograms import LAST, histograms, intersection
from kantor.score import Part, Score
from strategies import scores

SIZES = {"pitch": 128, "step": 97, "duration": 97}
counts = st.lists(st.integers(0, 10**6), min_size=5, max_size=5).map(np.array).filter(np.any)


def nonzero(histogram):
    return {int(place): int(histogram[place]) for place in np.flatnonzero(histogram)}


def test_a_few_bars_counted_by_hand():
    tune = [(0, 480, 60, 80, 0), (480, 240, 62, 80, 0), (720, 160, 64, 80, 0), (880, 160, 62, 80, 0)]
    chord = [(1440, 1920, 60, 80, 0), (1440, 2400, 64, 80, 0), (1440, 1919, 48, 80, 1), (6000, 120, 60, 80, 1)]
    counted = histograms([Score.from_notes(tune + chord)])
    assert nonzero(counted["pitch"]) == {48: 1, 60: 3, 62: 2, 64: 2}
    # a quarter, an eighth, a third of one; 28 from the triplet to the chord, 0 twice within, the rest is beyond 4
    assert nonzero(counted["step"]) == {24: 1, 12: 1, 8: 1, 28: 1, 0: 2, 96: 1}
    assert nonzero(counted["duration"]) == {24: 1, 12: 1, 8: 2, 96: 3, 6: 1}


def test_onsets_go_to_the_grid_before_steps_are_taken():
    late = Score.from_notes([(9, 480, 60, 80, 0), (11, 480, 64, 80, 0), (489, 480, 67, 80, 0)])  # 20 ticks are one
    counted = histograms([late])
    assert nonzero(counted["step"]) == {1: 1, 23: 1}
    assert nonzero(histograms([late.replace(ticks_per_quarter=480 * 4)])["step"]) == {0: 1, 6: 1}


def test_the_shapes_are_those_promised_even_for_nothing():
    for music in ([], [Score.from_notes([])], [Score.from_notes([(0, 480, 60, 80, 0)])]):
        assert {name: (len(counted), counted.dtype) for name, counted in histograms(music).items()} == {
            name: (size, np.int64) for name, size in SIZES.items()
        }
    assert not any(counted.any() for counted in histograms([]).values())
    assert nonzero(histograms([Score.from_notes([(0, 480, 60, 80, 0)])])["step"]) == {}


def test_drums_have_rhythm_and_no_pitch():
    beat = [(at * 240, 120, 36 + at % 2, 80, 1) for at in range(4)]
    counted = histograms([Score.from_notes([(0, 960, 60, 80, 0), *beat], parts=(Part("Lead"), Part("Kit", 0, True)))])
    assert nonzero(counted["pitch"]) == {60: 1}
    assert nonzero(counted["step"]) == {0: 1, 12: 3}
    assert nonzero(counted["duration"]) == {48: 1, 6: 4}


def test_the_longest_notes_there_can_be_are_counted():
    giant = Score.from_notes([(0, 2**40, 0, 80, 0), (2**40, 0, 127, 80, 0)], ticks_per_quarter=1)
    assert nonzero(histograms([giant])["step"]) == {LAST: 1}
    assert nonzero(histograms([giant])["duration"]) == {0: 1, LAST: 1}


@given(st.lists(scores(monophonic=False), max_size=3))
def test_sets_are_counted_piece_by_piece(music):
    whole = histograms(music)
    for name in SIZES:
        assert np.array_equal(whole[name], sum((histograms([s])[name] for s in music), np.zeros(SIZES[name])))
    assert whole["duration"].sum() == sum(map(len, music))
    assert whole["step"].sum() == sum(max(len(score) - 1, 0) for score in music)


@given(scores(monophonic=False, max_frames=12), st.integers(-36, 40))
def test_transposition_moves_pitches_and_nothing_else(score, semitones):
    moved = score.notes.copy()
    moved["pitch"] += semitones
    before, after = histograms([score]), histograms([score.replace(notes=moved)])
    assert np.array_equal(after["pitch"], np.roll(before["pitch"], semitones))
    assert np.array_equal(after["step"], before["step"])
    assert np.array_equal(after["duration"], before["duration"])


@given(scores(monophonic=False, max_frames=12), st.integers(1, 5), st.integers(0, 10**6))
def test_neither_the_resolution_nor_a_rest_before_the_music_matters(score, factor, bars):
    finer = score.notes.copy()
    finer["onset"] = finer["onset"] * factor + bars * 1920 * factor
    finer["duration"] *= factor
    same = Score(finer, score.parts, score.ticks_per_quarter * factor)
    for name, counted in histograms([score]).items():
        assert np.array_equal(histograms([same])[name], counted)


def of_pretty_midi(data):
    """The three histograms of a MIDI file by pretty_midi's reading of it, a note at a time."""
    midi = pretty_midi.PrettyMIDI(memory.BytesIO(data))
    notes = sorted((note.start, note.end, note.pitch) for part in midi.instruments for note in part.notes)
    ticks = [(midi.time_to_tick(start), midi.time_to_tick(end)) for start, end, _ in notes]
    onsets = [int(np.floor(start * 24 / midi.resolution + 0.5)) for start, _ in ticks]
    counted = {name: np.zeros(size, int) for name, size in SIZES.items()}
    for _, _, pitch in notes:
        counted["pitch"][pitch] += 1
    for start, end in ticks:
        counted["duration"][min(int(np.floor((end - start) * 24 / midi.resolution + 0.5)), 96)] += 1
    for before, after in itertools.pairwise(onsets):
        counted["step"][min(after - before, 96)] += 1
    return counted


def assert_as_pretty_midi_counts(data, score):
    theirs = of_pretty_midi(data)
    for name, counted in histograms([score]).items():
        assert np.array_equal(counted, theirs[name]), name


@given(scores())
def test_pretty_midi_counts_the_same(score):
    assume(len(score))
    assert_as_pretty_midi_counts(io.encode(score, ".mid"), score)


@pytest.mark.parametrize("name", ["elise.mid", "mz_330_2.mid", "ty_november.mid"])
def test_pretty_midi_counts_the_same_in_piano_music(shared_data: Path, name):
    file = shared_data / "classical-piano" / name
    assert_as_pretty_midi_counts(file.read_bytes(), io.load(file))


@given(counts, counts)
def test_the_intersection_is_one_minus_the_distance_of_others(a, b):
    shared = intersection(a, b)
    assert shared == pytest.approx(1 - braycurtis(a / a.sum(), b / b.sum()))
    assert 0 <= shared <= 1
    assert shared == intersection(b, a)


@given(counts, st.integers(1, 1000))
def test_a_histogram_shares_all_with_itself_however_large(a, factor):
    assert intersection(a, a) == 1
    assert intersection(a, a * factor) == pytest.approx(1)


def test_intersections_by_hand():
    assert intersection([1, 0, 0], [0, 5, 5]) == 0
    assert intersection([2, 2, 0], [0, 1, 1]) == 0.5
    assert intersection([0, 0], [0, 0]) == intersection([1, 0], [0, 0]) == 0


def test_histograms_of_other_bins_cannot_be_compared():
    with pytest.raises(InputError, match=r"same bins, got shapes \(2,\) and \(3,\)"):
        intersection([1, 2], [1, 2, 3])
