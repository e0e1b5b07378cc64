"""Rules of time: how much begins, and when; what comes again; what stays."""

import math

import numpy as np
import pytest

from kantor.errors import OptionError, RuleError
from kantor.rules import OPEN, SILENT, View
from kantor.rules.density import Density
from kantor.rules.grid import Grid
from kantor.rules.locked import Locked
from kantor.rules.no_loops import NoLoops
from kantor.rules.polyphony import Polyphony
from kantor.rules.repetition import Repetition
from kantor.score import NOTE, Meter, Score

STEP = 120


def plan(bars=4, meter=(4, 4), **known):
    return Score(np.empty(0, NOTE), meters=(Meter(0, *meter),), length_ticks=bars * 1920, **known)


def struck_at(frames, *places, voices=4, pitch=60):
    """A view in which the first voice, or voices, are struck at these places and hold."""
    grid = np.full((frames, voices), SILENT)
    struck = np.zeros(grid.shape, dtype=bool)
    for place in places:
        frame, voice = place if isinstance(place, tuple) else (place, 0)
        grid[frame:, voice] = pitch - 12 * voice
        struck[frame, voice] = True
    return View(grid, struck, np.arange(frames))


def faulty(rule, view):
    return np.flatnonzero(rule.faults(view).any(-1)).tolist()


def test_density_counts_onsets_within_any_quarter():
    rule = Density(3).bound(plan(), STEP)
    assert faulty(rule, struck_at(16, 0, 1, 2, 4, 8)) == []
    assert faulty(rule, struck_at(16, 0, 1, 2, 3, 8)) == [3]
    assert faulty(rule, struck_at(16, 2, 3, 4, 5, 9)) == [5]
    assert faulty(rule, struck_at(16, (4, 0), (4, 1), (4, 2), (4, 3))) == [4]
    assert rule.reach == 3
    assert Density(3).bound(plan(), 20).reach == 23
    with pytest.raises(OptionError, match="density of 0 or more"):
        Density(-1)


def test_polyphony_counts_what_sounds():
    rule = Polyphony(2).bound(plan(), STEP)
    assert faulty(rule, struck_at(8, (0, 0), (2, 1), (4, 2))) == [4, 5, 6, 7]
    assert rule.faults(struck_at(8, (0, 0), (2, 1), (4, 2)))[4].tolist() == [True, True, True, False]


def test_onsets_keep_to_a_grid_that_bar_lines_set():
    assert faulty(Grid().bound(plan(), STEP), struck_at(16, 0, 1, 2, 7, 8)) == [1, 7]
    assert faulty(Grid("1/4").bound(plan(), STEP), struck_at(16, 0, 2, 4)) == [2]
    assert faulty(Grid("3/8").bound(plan(meter=(6, 8)), STEP), struck_at(16, 0, 4, 6, 12)) == [4]
    after_a_pickup = plan(anacrusis_ticks=120)
    assert faulty(Grid("1/4").bound(after_a_pickup, STEP), struck_at(16, 0, 1, 4, 5)) == [0, 4]
    triplets = Grid("1/12").bound(plan(), 20)
    assert faulty(triplets, struck_at(64, 8, 12, 16, 24)) == [12]
    for unit in ("1/16", "1/32"):
        assert faulty(Grid(unit).bound(plan(), STEP), struck_at(16, *range(16))) == []
    for text in ("", "8", "1/0", "eighth"):
        with pytest.raises(OptionError, match="try grid=1/8"):
            Grid(text)


def test_what_is_struck_again_is_a_repetition():
    rule = Repetition().bound(plan(), STEP)
    assert faulty(rule, struck_at(8, 0, 3)) == [3]
    assert faulty(rule, struck_at(8, (0, 0), (3, 1))) == []
    assert Repetition.weight == math.log(2)
    pitch = np.array([[60, 55], [55, 60]])
    crossed = View(pitch, np.ones((2, 2), bool), np.arange(2))
    assert faulty(rule, crossed) == []
    assert faulty(rule, View(pitch, crossed.struck, crossed.frames, voiced=False)) == [1]
    assert faulty(Repetition("chord"), crossed) == [1]
    assert faulty(Repetition("chord"), View(np.array([[60, 55], [60, 57]]), crossed.struck, crossed.frames)) == []
    with pytest.raises(OptionError, match="repetition of note or chord"):
        Repetition("bar")


def loop(times, length, other=0):
    """A figure of ``length`` frames, so many times; then ``other`` frames of something else."""
    rng = np.random.default_rng(length)
    figure = rng.integers(40, 80, (length, 4))
    pitch = np.concatenate([np.tile(figure, (times, 1)), rng.integers(40, 80, (other, 4))])
    return View(pitch, np.ones(pitch.shape, bool), np.arange(len(pitch)))


def test_a_bar_that_comes_a_fifth_time_in_a_row_is_a_loop():
    rule = NoLoops().bound(plan(bars=8), STEP)
    assert faulty(rule, loop(4, 16, other=32)) == []
    assert faulty(rule, loop(5, 16, other=16)) == [79]
    assert faulty(rule, loop(6, 16)) == [79, 95]
    assert rule.reach == 79
    assert faulty(NoLoops("beat").bound(plan(), STEP), loop(6, 4)) == [19, 23]
    assert faulty(NoLoops("frame", 3).bound(plan(), STEP), loop(4, 1, other=4)) == [2, 3]
    held = loop(5, 16)
    once = View(held.pitch, held.struck & (np.arange(80) != 33)[:, None], held.frames)
    assert faulty(rule, once) == []
    rests = View(np.full((80, 4), SILENT), np.zeros((80, 4), bool), np.arange(80))
    assert faulty(rule, rests) == []
    for options in ({"span": "phrase"}, {"times": 1}):
        with pytest.raises(OptionError, match="expected loops"):
            NoLoops(**options)


def test_bars_are_counted_in_their_meter():
    waltz = NoLoops(times=2).bound(plan(meter=(3, 4)), STEP)
    assert faulty(waltz, loop(2, 12, other=8)) == [23]
    assert faulty(waltz, loop(2, 16)) == []


def test_locked_notes_stay():
    rule = Locked(((0, 480, 72, 0), (240, 240, 48, 3))).bound(plan(), STEP)
    pitch = np.array([[72, 60, 55, 50], [72, 60, 55, 50], [72, 60, 55, 48], [72, 60, 55, 48], [60, 60, 55, 48]])
    struck = np.vstack([np.ones((1, 4), bool), pitch[1:] != pitch[:-1]])

    def found(pitch, struck):
        return np.argwhere(rule.faults(View(pitch, struck, np.arange(5)))).tolist()

    assert found(pitch, struck) == []
    other, silent = pitch.copy(), pitch.copy()
    other[1, 0], silent[2, 3] = 71, SILENT
    assert found(other, struck) == [[1, 0]]
    assert found(silent, struck) == [[2, 3]]
    again = struck.copy()
    again[3, 0] = True
    assert found(pitch, again) == [[3, 0]]
    assert found(np.where(pitch == 72, OPEN, pitch), struck) == []
    loose = Locked(rule.notes, strikes=False).bound(plan(), STEP)
    assert not loose.faults(View(pitch, again, np.arange(5))).any()


def test_without_voices_locked_notes_come_first():
    rule = Locked(((0, 120, 72, 0), (0, 120, 48, 3))).bound(plan(), STEP)
    for frame, wrong in [([72, 48, 60], []), ([72, 60], [1]), ([72], []), ([60, 50, 48], [0, 1]), ([72, OPEN, 60], [])]:
        view = View(np.array([frame]), np.ones((1, len(frame)), bool), np.arange(1), voiced=False)
        assert np.flatnonzero(rule.faults(view)[0]).tolist() == wrong


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ("C4", r"rows \(onset, .*got 'C'; try locked="),
        (((0, 0, 60, 0),), r"rows .*got \(0, 0, 60, 0\)"),
        (((0, 1, 60, 4),), r"rows .*got \(0, 1, 60, 4\)"),
        ((5,), "rows .*got 5"),
        (((0, 9000, 60, 0),), "within 7680 ticks"),
        (((0, 480, 60, 0), (240, 480, 62, 0)), "one locked note at a time"),
    ],
)
def test_what_cannot_be_locked_is_refused(notes, words):
    with pytest.raises(RuleError, match=words):
        Locked(notes).bound(plan(), STEP)
