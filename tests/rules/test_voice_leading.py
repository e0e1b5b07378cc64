"""Rules of moving voices, by textbook examples and by music21's judgement of random quartets."""

import numpy as np
import pytest
from music21 import note
from music21.voiceLeading import VoiceLeadingQuartet

from kantor.errors import OptionError
from kantor.rules import OPEN, SILENT, View
from kantor.rules.no_augmented import NoAugmented
from kantor.rules.no_crossing import NoCrossing
from kantor.rules.no_direct import NoDirect
from kantor.rules.no_overlap import NoOverlap
from kantor.rules.no_parallels import NoParallels
from kantor.rules.range import Range
from kantor.rules.spacing import Spacing
from kantor.rules.stepwise import Stepwise
from kantor.score import NOTE, Key, Score


def view(*frames, struck=None):
    pitch = np.array(frames)
    moves = np.vstack([pitch[:1] >= 0, (pitch[1:] != pitch[:-1]) & (pitch[1:] >= 0)])
    return View(pitch, moves if struck is None else np.array(struck, dtype=bool), np.arange(len(pitch)))


def at_fault(rule, *frames, plan=None):
    """Voices at fault in the last frame."""
    plan = Score(np.empty(0, NOTE)) if plan is None else plan  # a score without notes is false
    return np.flatnonzero(rule.bound(plan, 120).faults(view(*frames))[-1]).tolist()


@pytest.mark.parametrize(
    ("before", "after", "voices"),
    [
        ([72, 67, 64, 48], [74, 69, 65, 50], [0, 1, 3]),  # octaves, and a compound fifth; fourths may go on
        ([67, 64, 60, 48], [69, 65, 62, 50], [0, 2, 3]),  # fifths and octaves
        ([79, 64, 60, 48], [81, 65, 62, 53], [0, 2]),  # a compound fifth, C4-G5 to D4-A5
        ([67, 64, 60, 48], [67, 64, 60, 48], []),  # held
        ([67, 64, 60, 48], [67, 65, 60, 53], []),  # the fifth C-G stays where it is
        ([67, 63, 60, 56], [69, 63, 63, 57], []),  # a fifth goes to a diminished fifth
        ([60, 60, 55, 48], [62, 62, 55, 50], [0, 1, 3]),  # a unison goes on to a unison
        ([67, 64, 60, 48], [62, 64, 55, 43], [0, 2, 3]),
        ([67, 62, 59, 48], [72, 64, 60, 41], [0, 3]),  # a fifth to a twelfth, by contrary motion
        ([67, SILENT, SILENT, 48], [69, SILENT, SILENT, 50], [0, 3]),
        ([67, OPEN, 60, SILENT], [69, OPEN, OPEN, 50], []),
    ],
)
def test_parallels_are_found(before, after, voices):
    assert at_fault(NoParallels(), before, after) == voices


def test_a_rest_breaks_a_succession_of_fifths():
    assert at_fault(NoParallels(), [67, 64, 60, 48], [SILENT] * 4, [69, 65, 62, 50]) == []


def test_a_fifth_struck_again_before_it_moves_is_found_where_it_moves():
    frames = ([67, -1, 60, -1], [67, -1, 60, -1], [69, -1, 62, -1])
    faults = NoParallels().faults(view(*frames, struck=[[1, 0, 1, 0]] * 3))
    assert faults.tolist() == [[False] * 4, [False] * 4, [True, False, True, False]]


def test_fifths_and_octaves_may_be_told_apart():
    frames = ([67, 64, 60, 48], [69, 65, 62, 50])
    assert at_fault(NoParallels("octaves"), *frames) == [2, 3]
    assert at_fault(NoParallels("fifths"), *frames) == [0, 2, 3]
    with pytest.raises(OptionError, match="no-parallels of octaves"):
        NoParallels("thirds")


@pytest.mark.parametrize(
    ("before", "after", "voices"),
    [
        ([64, 60, 55, 48], [69, 62, 57, 50], [0, 3]),  # up together, the soprano by a fourth, to a twelfth
        ([67, 60, 55, 47], [69, 62, 57, 50], []),  # the soprano by step
        ([72, 64, 55, 40], [69, 62, 57, 50], []),  # contrary motion
        ([64, 60, 55, 48], [69, 62, 57, 48], []),  # the bass stays
        ([67, 60, 55, 48], [74, 62, 57, 55], []),  # parallel fifths are another rule's
        ([72, 60, 55, 52], [67, 59, 55, 43], [0, 3]),  # down into an octave
    ],
)
def test_direct_fifths_and_octaves_of_the_outer_voices_are_found(before, after, voices):
    assert at_fault(NoDirect(), before, after) == voices


@pytest.mark.parametrize(
    ("before", "after", "voices"),
    [
        ([64, 60, 55, 48], [72, 65, 55, 48], [1]),  # the alto goes above the soprano's last note
        ([72, 67, 60, 48], [65, 64, 60, 48], [0]),  # the soprano goes below the alto's last note
        ([64, 60, 55, 48], [72, 64, 55, 48], []),  # in unison with it
        ([60, 64, 55, 48], [60, 64, 55, 48], []),  # crossed, but nobody moves
    ],
)
def test_overlaps_are_found(before, after, voices):
    assert at_fault(NoOverlap(), before, after) == voices


@pytest.mark.parametrize(
    ("frame", "crossed", "spaced"),
    [
        ([72, 67, 60, 48], [], []),
        ([67, 72, 60, 48], [0, 1], []),
        ([72, 72, 60, 60], [], []),
        ([72, 67, SILENT, 68], [1, 3], []),
        ([79, 66, 60, 48], [], [0, 1]),
        ([72, 67, 54, 48], [], [1, 2]),
        ([72, 67, 60, 41], [], []),
        ([72, 67, 60, 40], [], [2, 3]),
        ([72, OPEN, 48, 47], [], []),
    ],
)
def test_crossings_and_wide_spaces_are_found(frame, crossed, spaced):
    assert at_fault(NoCrossing(), frame) == crossed
    assert at_fault(Spacing(), frame) == spaced


@pytest.mark.parametrize(
    ("leap", "forbidden"),
    [(2, False), (5, False), (6, True), (-6, True), (7, False), (10, True), (11, True), (12, False), (14, True)],
)
def test_hard_leaps_are_found(leap, forbidden):
    assert at_fault(NoAugmented(), [60, 50, 45, 40], [60 + leap, 50, 45, 40]) == [0] * forbidden


def test_an_augmented_second_is_one_in_minor_only():
    frames = ([68, 60, 55, 48], [71, 60, 55, 48])  # A flat to B
    minor, major = (
        Score(np.empty(0, NOTE), keys=(Key(0, *key),), length_ticks=480) for key in [(-3, "minor"), (4, "major")]
    )
    assert at_fault(NoAugmented(), *frames, plan=minor) == [0]
    assert at_fault(NoAugmented(), *frames[::-1], plan=minor) == [0]
    assert at_fault(NoAugmented(), *frames, plan=major) == []
    assert at_fault(NoAugmented(), [60, 55, 50, 48], [63, 55, 50, 48], plan=minor) == []


def test_a_leap_costs_where_a_step_does_not():
    assert at_fault(Stepwise(), [60, 55, 50, 48], [62, 58, 51, 36]) == [1, 3]
    assert at_fault(Stepwise(5), [60, 55, 50, 48], [62, 58, 51, 36]) == [3]


def test_ranges_are_those_of_a_choir_or_those_that_are_asked_for():
    assert at_fault(Range(), [82, 52, 70, 39]) == [0, 1, 2, 3]
    assert at_fault(Range(), [81, 53, 69, 40]) == []
    assert at_fault(Range("60-64"), [65, 64, 60, 59]) == [0, 3]
    assert at_fault(Range("T=50-60"), [100, 20, 61, 100]) == [2]
    loose = View(np.array([[20, 21, 108, 109]]), np.ones((1, 4), bool), np.arange(1), voiced=False)
    assert Range().faults(loose)[0].tolist() == [True, False, False, True]
    assert Range("S=1-2").needs == {"voices"}
    assert not Range("1-2").needs
    for text in ("60", "C4-C5", "70-60", "X=1-2", "0-128", "60-70,,"):
        with pytest.raises(OptionError, match="range=48-72"):
            Range(text)


# -- music21's judgement -------------------------------------------------------------------------------------------


def quartets(count=1500):
    """Two voices in two moments, (upper, lower) before and after: near each other, so that much happens."""
    rng = np.random.default_rng(7)
    return rng.integers(55, 80, (count, 2, 2)).tolist()


def theirs(before, after):
    spelt = [note.Note() for _ in range(4)]
    for one, pitch in zip(spelt, (before[0], after[0], before[1], after[1]), strict=True):
        one.pitch.ps = pitch
    return VoiceLeadingQuartet(*spelt)


def ours(rule, before, after):
    return bool(rule.faults(view(before, after))[-1].any())


def test_parallels_are_music21s():
    """Parallels by contrary motion are parallels to both. Two differences:

    music21 takes an octave and a unison for different intervals, ours go from one to the other; and it names a fifth by
    its letters, so that sharps and flats may hide one: a fifth to both it is where the semitones say so.
    """
    found = {"fifths": 0, "octaves": 0}
    for before, after in quartets():
        quartet = theirs(before, after)
        widths = [abs(moment[0] - moment[1]) for moment in (before, after)]
        moves = all(before[voice] != after[voice] for voice in (0, 1))
        change = moves and sorted(widths) == [0, 12]
        assert ours(NoParallels("octaves"), before, after) == (quartet.parallelUnisonOrOctave() or change)
        misspelt = moves and {interval.simpleName for interval in quartet.vIntervals} - {"P5"}
        fifths = quartet.parallelFifth() or (misspelt and all(width % 12 == 7 for width in widths))
        assert ours(NoParallels("fifths"), before, after) == bool(fifths), (before, after)
        found["fifths"] += quartet.parallelFifth()
        found["octaves"] += quartet.parallelUnisonOrOctave()
    assert min(found.values()) > 3


def test_direct_intervals_of_leaping_sopranos_are_music21s_hidden_ones():
    """music21 calls an interval hidden whichever way the upper voice goes; ours asks for a leap of the soprano.

    It finds none where the interval before has the same number (a diminished fifth before a fifth): those are left out,
    as are fifths that their letters hide.
    """
    compared = 0
    for before, after in quartets(6000):
        quartet = theirs(before, after)
        numbers = [interval.generic.simpleUndirected for interval in quartet.vIntervals]
        octaves = [number in (1, 8) for number in numbers]
        spelt_fifths = [interval.simpleName == "P5" for interval in quartet.vIntervals]
        fifths = [abs(moment[0] - moment[1]) % 12 == 7 for moment in (before, after)]
        if numbers[0] == numbers[1] or all(octaves) or fifths != spelt_fifths:
            continue
        leaps = abs(after[0] - before[0]) > 2
        hidden = bool((quartet.hiddenFifth() or quartet.hiddenOctave() or quartet.hiddenInterval("P1")) and leaps)
        assert ours(NoDirect(), before, after) == hidden, (before, after)
        compared += hidden
    assert compared > 20


def test_overlaps_and_crossings_are_music21s():
    """music21 calls it an overlap, too, where voices are crossed and nobody moves; ours blames who moves."""
    overlaps = crossings = 0
    for before, after in quartets():
        quartet = theirs(before, after)
        upper, lower = (before[voice] != after[voice] for voice in (0, 1))
        expected = (upper and after[0] < before[1]) or (lower and after[1] > before[0])
        assert ours(NoOverlap(), before, after) == expected
        if upper and lower:
            assert expected == quartet.voiceOverlap(), (before, after)
            overlaps += expected
        crossed = before[0] < before[1] or after[0] < after[1]
        assert quartet.voiceCrossing() == crossed
        assert bool(NoCrossing().faults(view(before, after)).any()) == crossed
        crossings += crossed
    assert overlaps > 50
    assert crossings > 50
