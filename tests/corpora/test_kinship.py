"""Versions of a piece are told by their notes, whatever else differs; other pieces are not taken for versions."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora import _kinship
from kantor.corpora._kinship import SKETCH, fingerprint, kin
from kantor.score import NOTE, Part, Score, Tempo


def line(pitches, step=480, **known):
    return Score.from_notes([(i * step, step, pitch, 80, 0) for i, pitch in enumerate(pitches)], **known)


def drawn(seed, count=200, low=40, high=80):
    return np.random.default_rng(seed).integers(low, high, count).tolist()


melodies = st.lists(st.integers(20, 100), min_size=1, max_size=80)


@given(melodies, st.integers(-20, 20), st.integers(100, 2000), st.integers(30, 300))
def test_transposition_pace_and_tempo_change_nothing(pitches, by, step, tempo):
    other = line([pitch + by for pitch in pitches], step, tempi=(Tempo(0, float(tempo)),))
    same = np.array_equal(fingerprint(line(pitches)), fingerprint(other))
    assert same or step / 480 * 60 / tempo <= 0.035  # so fast that its notes are chords


@given(st.lists(st.lists(st.integers(30, 90), min_size=1, max_size=5, unique=True), min_size=1, max_size=30), st.data())
def test_the_order_in_which_the_notes_of_a_chord_are_struck_changes_nothing(chords, data):
    together, apart = [], []
    for i, chord in enumerate(chords):
        for pitch in chord:
            together.append((i * 480, 400, pitch, 80, 0))
            late = data.draw(st.integers(0, 30))  # within 31 ms
            apart.append((i * 480 + late, 400, pitch, data.draw(st.integers(1, 127)), data.draw(st.integers(0, 2))))
    parts = (Part(), Part(), Part())
    one, other = Score.from_notes(together, parts=parts), Score.from_notes(apart, parts=parts)
    assert np.array_equal(fingerprint(one), fingerprint(other))


def runs(pitches):
    """What a fingerprint stands for, said plainly."""
    steps = [after - before for before, after in itertools.pairwise(pitches)]
    return {tuple(steps[i : i + 6]) for i in range(len(steps) - 5)} or {tuple(steps)}


@given(st.lists(st.lists(st.sampled_from([60, 62, 64]), min_size=1, max_size=40), min_size=1, max_size=8))
def test_pieces_are_linked_as_counting_all_their_runs_would_link_them(pieces):
    sets = [runs(pitches) for pitches in pieces]
    group = list(range(len(pieces)))
    for i, mine in enumerate(sets):
        for j, theirs in enumerate(sets):
            common = len(mine & theirs)
            if common >= 0.06 * len(mine | theirs) or common >= max(24, 0.2 * min(len(mine), len(theirs))):
                group = [min(group[i], group[j]) if g in (group[i], group[j]) else g for g in group]
    found = kin([fingerprint(line(pitches)) for pitches in pieces])
    assert found == [min(i for i, g in enumerate(group) if g == mine) for mine in group]


def test_a_wrong_note_and_a_left_out_repeat_make_no_other_piece():
    pitches = drawn(1)
    wrong = [*pitches[:50], 30, *pitches[51:]]
    assert kin([fingerprint(line(p)) for p in (pitches, wrong, pitches[:120] * 2)]) == [0, 0, 0]


def test_an_excerpt_belongs_to_its_piece():
    pieces = [line(drawn(seed, 1000)) for seed in range(4)]
    excerpt = pieces[2].cut(480 * 300, 480 * 350)
    assert kin([fingerprint(score) for score in [*pieces, excerpt]]) == [0, 1, 2, 3, 2]


def test_an_excerpt_belongs_to_a_piece_far_longer_than_a_fingerprint():
    whole = drawn(1, 20_000)
    assert kin([fingerprint(line(pitches)) for pitches in (whole, drawn(2, 20_000), whole[5000:6000])]) == [0, 1, 0]


def test_what_two_share_counts_even_where_a_third_between_them_has_it_too():
    common = drawn(7, 29)  # 23 runs of 200: 6.1 % of all, yet little of the long one
    pieces = [common + drawn(1, 177), common + drawn(2, 3000), common + drawn(3, 177)]
    assert kin([fingerprint(line(pitches)) for pitches in pieces]) == [0, 1, 0]


def test_different_pieces_are_different():
    assert kin([fingerprint(line(drawn(seed))) for seed in range(50)]) == list(range(50))


def test_kin_of_kin_is_kin():
    a, b = drawn(1), drawn(2)
    scores = [line(pitches) for pitches in (a, b, a + b)]
    assert kin([fingerprint(score) for score in scores]) == [0, 0, 0]


def test_more_versions_than_are_compared_at_once_are_one_piece():
    pitches = drawn(3)
    many = [[*pitches[:i], 20, *pitches[i + 1 :]] for i in range(3 * _kinship._NEIGHBOURS)]
    others = [drawn(seed) for seed in range(10, 20)]
    found = kin([fingerprint(line(p)) for p in many + others])
    assert found == [0] * len(many) + list(range(len(many), len(many) + 10))


def test_a_fingerprint_does_not_grow_with_the_piece_and_still_tells_it():
    long = [line(drawn(seed, 20_000)) for seed in (1, 2)]
    half = line(drawn(1, 20_000)[:10_000])
    prints = [fingerprint(score) for score in [*long, half]]
    assert all(len(found) == SKETCH for found in prints)
    assert all((np.diff(found) > 0).all() for found in prints)
    assert kin(prints) == [0, 1, 0]


def test_drums_have_no_say_where_anything_else_sounds():
    tune = line(drawn(4)).notes
    beat = np.zeros(100, dtype=NOTE)
    beat["onset"], beat["duration"], beat["pitch"], beat["velocity"], beat["part"] = np.arange(100) * 333, 9, 38, 99, 1
    band = Score(np.concatenate([tune, beat]), parts=(Part("Flute", 73), Part("Drums", 0, is_drum=True)))
    assert np.array_equal(fingerprint(band), fingerprint(line(drawn(4))))
    alone = Score(beat, parts=band.parts)
    assert len(fingerprint(alone)) == 1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_files_and_few_notes_do_no_harm(count):
    assert kin([]) == []
    short = [fingerprint(line([60] * count)), fingerprint(line([61] * count))]
    assert kin(short) == [0, 0]
    assert kin([fingerprint(line([60, 62])), fingerprint(line([60, 63])), fingerprint(line([70, 72]))]) == [0, 1, 0]
