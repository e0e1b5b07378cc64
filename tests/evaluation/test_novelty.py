"""What a piece shares with others: known by how the pieces were made."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kantor.data.augmentation import transpose
from kantor.evaluation.novelty import Memory
from kantor.score import Meter, Part, Score

QUARTER = 480


def tune(steps, start=60, name="Piano"):
    """Quarters, each so many semitones above the one before, over a bass an octave lower."""
    pitches = (start + np.cumsum(steps)).tolist()
    rows = [(QUARTER * n, QUARTER, pitch, 80, 0) for n, pitch in enumerate(pitches)]
    rows += [(QUARTER * n, QUARTER, pitch - 12 - n % 3, 80, 0) for n, pitch in enumerate(pitches)]
    return Score.from_notes(rows, parts=(Part(name),), meters=(Meter(0, 4, 4),))


ONE = tune([0, 2, 2, 1, 2, 2, 2, 1, -1, -2, -2, -2])
OTHER = tune([0, -3, 5, -4, 1, 6, -5, 3])


@pytest.mark.parametrize("semitones", [-5, 0, 4])
def test_a_piece_is_found_whole_in_any_transposition(semitones):
    found = Memory([("other", OTHER), ("one", ONE)]).copied(transpose(ONE, semitones))
    assert (found.run, found.quarters, found.start, found.piece, found.bars) == (12, 12.0, 0.0, "one", 1.0)


def test_only_what_is_shared_counts():
    mixed = tune([0, 7, -7, -4, 1, 6, -5, 3])
    found = Memory([("one", ONE), ("other", OTHER)]).copied(mixed)
    assert (found.run, found.quarters, found.start, found.piece) == (6, 6.0, 2.0, "other")  # the first came otherwise
    assert found.bars == 0.5


def cut(score, first, last):
    """Some of its bars, of four quarters."""
    return score.cut(4 * QUARTER * first, 4 * QUARTER * last)


@pytest.mark.parametrize("bar", [0, 1, 2])
@pytest.mark.parametrize("semitones", [0, 3])
def test_a_bar_that_is_cut_out_is_found_whole(bar, semitones):
    found = Memory([("one", ONE)]).copied(transpose(cut(ONE, bar, bar + 1), semitones))
    assert (found.run, found.quarters, found.bars) == (4, 4.0, 1.0)


def test_bars_are_found_in_whatever_order_and_keys_they_come():
    """Bars of one piece, each in a key of its own: how the bass comes to a bar is no part of it."""
    keys = (0, -4, 5)
    rows = []
    for place, bar in enumerate((2, 0, 1)):
        notes = transpose(cut(ONE, bar, bar + 1), keys[place]).notes
        rows += [(4 * QUARTER * place + n["onset"], *n.tolist()[1:]) for n in notes]
    shuffled = Score.from_notes(rows, parts=(Part("Piano"),), meters=(Meter(0, 4, 4),))
    assert Memory([("one", ONE)]).copied(shuffled).bars == 1


def test_a_bar_that_begins_with_a_rest_is_found_and_its_rest_counts():
    def rested(before):
        rows = [(0, 4 * QUARTER, before, 80, 0)]
        rows += [(QUARTER * at, QUARTER, pitch, 80, 0) for at, pitch in ((5, 60), (6, 64), (7, 62))]
        return Score.from_notes(rows, parts=(Part("Piano"),), meters=(Meter(0, 4, 4),))

    found = Memory([("low", rested(48))]).copied(rested(55))
    assert (found.run, found.quarters, found.start, found.bars) == (4, 4.0, 4.0, 1.0)
    other = rested(48).replace(notes=rested(48).notes[1:])  # begins with the rest, which is no moment
    assert Memory([("low", rested(48))]).copied(other).run == 3


def test_drums_are_no_music_to_copy():
    drums = Score.from_notes([(0, QUARTER, 36, 80, 0)], parts=(Part("Drums", is_drum=True),))
    assert Memory([("one", ONE)]).copied(drums).run == 0
    assert Memory([("drums", drums), ("one", ONE)]).copied(ONE).piece == "one"


def test_no_run_goes_on_from_one_piece_into_the_next():
    both = Memory([("a", tune([0, 2, 4])), ("b", tune([0, 2, 4]))])
    assert both.copied(tune([0, 2, 4, 0, 2, 4])).run == 3


def test_nothing_is_shared_with_nothing():
    empty = ONE.replace(notes=ONE.notes[:0])
    assert Memory([]).copied(ONE).run == 0
    assert Memory([("one", ONE)]).copied(empty).run == 0


def test_another_rhythm_is_other_music():
    slow = ONE.replace(
        notes=np.array([(2 * n[0], 2 * n[1], *n.tolist()[2:]) for n in ONE.notes], dtype=ONE.notes.dtype),
        length_ticks=2 * ONE.length_ticks,
    )
    assert Memory([("one", ONE)]).copied(slow).run == 0


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=24), st.lists(st.integers(-4, 4), min_size=2, max_size=24))
@example([0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0])
def test_the_longest_run_is_that_of_a_plain_search(mine, theirs):
    one, other = tune(mine), tune(theirs)
    memory = Memory([("other", other)])
    known = [tuple(row) for row in _windows(one)], [tuple(row) for row in _windows(other)]
    longest = max(
        (
            size
            for size in range(1, 25)
            for at in range(len(known[0]) - size + 1)
            if _has(known[1], known[0][at : at + size])
        ),
        default=0,
    )
    assert memory.copied(one).run == longest


def _windows(score):
    """Each quarter as what is struck, seen from the bass, and how the bass came there (the first came from nowhere)."""
    by_onset = [
        sorted(score.notes["pitch"][score.notes["onset"] == at].tolist()) for at in np.unique(score.notes["onset"])
    ]
    lows = [chord[0] for chord in by_onset]
    return [
        (lows[n] - lows[n - 1] if n else 0, *(pitch - lows[n] for pitch in chord)) for n, chord in enumerate(by_onset)
    ]


def _has(sequence, part):
    """Whether it is there, however the bass came to its first quarter."""
    return any(
        sequence[at][1:] == part[0][1:] and sequence[at + 1 : at + len(part)] == part[1:]
        for at in range(len(sequence) - len(part) + 1)
    )
