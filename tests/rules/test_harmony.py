"""Rules of chords: what is given, what ends a phrase, what ends a piece, where the leading tone goes."""

import numpy as np
import pytest

from kantor.errors import OptionError, RuleError
from kantor.rules import OPEN, SILENT, View
from kantor.rules.cadence import Cadence
from kantor.rules.chords import Chords
from kantor.rules.fermata import Fermata
from kantor.rules.figured_bass import FiguredBass
from kantor.rules.in_key import InKey
from kantor.rules.leading_tone import LeadingTone
from kantor.sampling.guard import asked
from kantor.score import NOTE, Key, Meter, Score

STEP, BAR = 120, 1920


def plan(bars=2, key=(0, "major"), **known):
    return Score(
        np.empty(0, NOTE),
        meters=(Meter(0, 4, 4),),
        keys=(Key(0, *key),) if key else (),
        length_ticks=bars * BAR,
        **known,
    )


def at_fault(rule, frame, *chords, voiced=True):
    """Voices at fault in the last of ``chords``, which sound from ``frame`` on; every new pitch is struck."""
    pitch = np.array(chords)
    struck = np.vstack([pitch[:1] >= 0, (pitch[1:] != pitch[:-1]) & (pitch[1:] >= 0)])
    view = View(pitch, struck, np.arange(frame, frame + len(pitch)), voiced)
    return np.flatnonzero(rule.faults(view)[-1]).tolist()


# -- given chords --------------------------------------------------------------------------------------------------


def test_chords_are_spread_over_the_bars():
    rule = Chords("C F G C").bound(plan(bars=4), STEP)
    chords = {"C": [64, 55, 60, 48], "F": [65, 57, 60, 53], "G": [67, 62, 59, 55]}
    for bar, name in enumerate("CFGC"):
        for other, pitches in chords.items():
            assert bool(at_fault(rule, 16 * bar, pitches)) == (name != other)
    twice = Chords("C F").bound(plan(bars=4), STEP)
    assert [at_fault(twice, 16 * bar, chords["C"]) for bar in range(4)] == [[], [0, 1, 3], [], [0, 1, 3]]
    halves = Chords("C F G C").bound(plan(bars=2), STEP)
    assert [bool(at_fault(halves, frame, chords["F"])) for frame in (0, 7, 8, 15, 16)] == [1, 1, 0, 0, 1]
    barred = Chords("C F G | C").bound(plan(bars=2), STEP)
    assert [bool(at_fault(barred, frame, chords["G"])) for frame in (0, 6, 11, 15, 16)] == [1, 1, 0, 0, 1]


def test_a_pickup_has_no_chord():
    rule = Chords("C F").bound(plan(bars=2, anacrusis_ticks=480).replace(length_ticks=2 * BAR), STEP)
    assert at_fault(rule, 0, [61, 58, 54, 49]) == []
    assert at_fault(rule, 4, [61, 58, 54, 49]) == [0, 1, 2, 3]
    assert at_fault(rule, 20, [65, 57, 60, 53]) == []


@pytest.mark.parametrize(
    ("changes", "meter", "said"),
    [
        ("I V vi IV I ii iii", (3, 4), r"come out even .* got 7 in one of 3 quarters; give 1, 2, 3, 4, 6, 12, or"),
        ("I V vi", (4, 4), "got 3 in one of 4 quarters; give 1, 2, 4, 8, 16, or write bar lines"),
        ("| C F C F C F C |", (1, 4), "got 7 in one of 1 quarters; give 1, 2, 4"),
    ],
)
def test_chords_that_begin_between_frames_are_refused(changes, meter, said):
    bar = Score(np.empty(0, NOTE), meters=(Meter(0, *meter),), keys=(Key(0, 0, "major"),), length_ticks=480 * meter[0])
    with pytest.raises(RuleError, match=said):
        Chords(changes).bound(bar, STEP)


def test_a_last_bar_that_the_pickup_made_shorter_has_room_for_its_chords_or_is_refused():
    short = plan(bars=2, anacrusis_ticks=480).replace(length_ticks=2 * BAR)
    with pytest.raises(RuleError, match="got 4 where the pickup leaves room for 3; try --pickup 0"):
        Chords("I V vi IV I V vi IV").bound(short, STEP)
    halves = Chords("C F G C").bound(short, STEP)
    assert halves.moments.tolist() == [4, 12, 20, 28]
    Chords("I V vi IV | I V vi").bound(short, STEP)
    whole = short.replace(length_ticks=2 * BAR + 480)
    assert Chords("I V vi IV I V vi IV").bound(whole, STEP).moments.tolist() == list(range(4, 36, 4))


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        (Cadence(), 'cadence={"key": "Gm"}'),
        (LeadingTone(), "leading-tone=Gm"),
        (Chords("I V"), "chords=C: I V"),
        (FiguredBass("C3 G3"), "figured-bass=C: C3 G3"),
        (InKey(), "in-key=Gm"),
    ],
)
def test_a_rule_without_a_key_gives_advice_that_works(rule, advice):
    with pytest.raises(RuleError) as refusal:
        rule.bound(plan(key=None), STEP)
    assert advice in str(refusal.value)
    (again,) = asked([advice])
    again.rule.bound(plan(key=None), STEP)


@pytest.mark.parametrize("text", ["pentatonic", "dorian", "H", ""])
def test_a_scale_that_is_none_is_answered_with_forms_that_are(text):
    with pytest.raises(OptionError, match="'Gm', 'G pentatonic' or 'D dorian'"):
        InKey(text or " ")
    for form in ("Gm", "G pentatonic", "D dorian"):
        assert form in InKey.about + ", Gm"
        InKey(form)


@pytest.mark.parametrize(
    ("changes", "had"), [("C F G", "3 changes"), ("C | F | G", "3 bars of changes"), ("C | F | G | C | F", "5 bars")]
)
def test_chords_that_do_not_fill_the_bars_are_refused_with_both_numbers(changes, had):
    with pytest.raises(RuleError, match=f"fill 4 bars, got {had}"):
        Chords(changes).bound(plan(bars=4), STEP)


def test_a_chord_begins_complete_and_over_its_bass():
    rule = Chords("I V6").bound(plan(), STEP)
    assert at_fault(rule, 0, [64, 60, 55, 48]) == []
    assert at_fault(rule, 0, [64, 60, 60, 48]) == []  # the fifth may be missing
    assert at_fault(rule, 0, [67, 60, 55, 48]) == [0, 1, 2]  # the third may not: each of these could take it
    assert at_fault(rule, 0, [64, 60, 55, 52]) == [3]  # over its third
    assert at_fault(rule, 1, [64, 60, 55, 52]) == []  # a moment later the bass is free
    assert at_fault(rule, 1, [64, 60, 55, 53]) == [3]
    assert at_fault(rule, 16, [67, 62, 55, 47]) == []
    assert at_fault(rule, 16, [67, 62, 59, 43]) == [3]
    assert at_fault(rule, 0, [64, 60, 55, SILENT]) == [3]  # a rest is no bass
    assert at_fault(rule, 0, [64, 60, 55, OPEN]) == []
    assert at_fault(rule, 0, [SILENT] * 4) == [0, 1, 2, 3]
    assert at_fault(rule, 1, [SILENT] * 4) == []  # a moment later they may rest


def test_the_last_voice_is_left_a_note():
    """Two notes are missing and one voice is open: too late; so the voice before it has to take one of them."""
    rule = Chords("V7").bound(plan(bars=1), STEP)
    assert at_fault(rule, 0, [67, OPEN, OPEN, 43]) == []
    assert at_fault(rule, 0, [67, 62, OPEN, 43]) == [0, 1]
    assert at_fault(rule, 0, [67, 65, OPEN, 43]) == []
    assert at_fault(rule, 0, [67, 65, 59, 43]) == []


def test_notes_between_quarters_may_be_free():
    strict, loose = (Chords("C", passing=passing).bound(plan(), STEP) for passing in (False, True))
    for frame in (0, 4, 16):
        assert at_fault(strict, frame, [64, 60, 53, 48]) == at_fault(loose, frame, [64, 60, 53, 48]) == [2]
    assert at_fault(strict, 3, [64, 60, 53, 48]) == [2]
    assert at_fault(loose, 3, [64, 60, 53, 48]) == []


def test_without_voices_a_note_is_judged_where_it_begins():
    rule = Chords("C G").bound(plan(), STEP)
    assert at_fault(rule, 15, [64, 52], [64, 55], voiced=False) == []
    assert at_fault(rule, 15, [64, 52], [62, 53], voiced=False) == [1]
    assert at_fault(rule, 0, [64], voiced=False) == []


def test_numerals_are_read_in_the_key_that_is_there():
    assert at_fault(Chords("G: V7").bound(plan(key=None), STEP), 0, [62, 60, 54, 50]) == []
    assert at_fault(Chords("V7").bound(plan(key=(1, "major")), STEP), 0, [62, 60, 54, 50]) == []
    assert Chords("G: V7").needs == Chords("C").needs == {"time"}
    assert Chords("V7").needs == {"time", "key"}
    with pytest.raises(RuleError, match="expected a key"):
        Chords("V7").bound(plan(key=None), STEP)
    with pytest.raises(RuleError, match="expected chords, got none"):
        Chords().bound(plan(), STEP)
    for text in ("C H", "I IX", "X: I", "C V/"):
        with pytest.raises(OptionError, match="expected"):
            Chords(text)


# -- figured bass --------------------------------------------------------------------------------------------------


def test_a_figured_bass_is_sung_and_filled():
    rule = FiguredBass("C3 E:6").bound(plan(), STEP)
    assert at_fault(rule, 0, [64, 60, 55, 48]) == []
    assert at_fault(rule, 5, [64, 60, 55, 60]) == [3]  # in another octave
    assert at_fault(rule, 5, [65, 60, 55, 48]) == [0]
    assert at_fault(rule, 16, [67, 60, 55, 40]) == []
    assert at_fault(rule, 20, [67, 60, 55, 48]) == [3]
    assert at_fault(rule, 16, [67, 62, 55, 40]) == [1]
    assert at_fault(rule, 16, [64, 60, 55, SILENT]) == [3]
    assert at_fault(rule, 17, [67, 60, 55, SILENT]) == []
    with pytest.raises(RuleError, match="expected a figured bass, got none"):
        FiguredBass().bound(plan(), STEP)


# -- phrases and ends ----------------------------------------------------------------------------------------------


def test_a_phrase_ends_on_a_consonant_triad():
    rule = Fermata().bound(plan(fermatas=(960,)), STEP)
    for chord, voices in [
        ([64, 60, 55, 48], []),
        ([63, 60, 55, 48], []),
        ([64, 60, 60, 48], []),
        ([67, 60, 55, 52], []),
        ([64, 60, 60, 43], [0, 1, 2, 3]),  # second inversion
        ([65, 62, 59, 47], [0, 1, 2, 3]),  # diminished: nobody alone can mend it
        ([65, 60, 55, 48], [0]),  # suspended
        ([64, SILENT, SILENT, 48], []),
        ([SILENT] * 4, []),
    ]:
        found = at_fault(rule, 8, chord)
        assert found == voices or (set(found) and voices == [0, 1, 2, 3]), chord
        assert at_fault(rule, 9, chord) == []
    with pytest.raises(RuleError, match="plan with fermatas"):
        Fermata().bound(plan(), STEP)


def test_a_phrase_that_can_still_end_well_is_left_open():
    rule = Fermata().bound(plan(fermatas=(0,)), STEP)
    assert at_fault(rule, 0, [62, OPEN, OPEN, 47]) == []
    assert at_fault(rule, 0, [65, OPEN, OPEN, 47]) == [0, 3]
    assert at_fault(rule, 0, [65, 62, OPEN, 47]) == [0, 3]  # what was wrong before the alto came is not the alto's


ENDINGS = [
    ("authentic", [67, 62, 59, 43], [64, 60, 55, 48], []),
    ("authentic", [65, 62, 59, 43], [64, 60, 60, 48], []),
    ("plagal", [65, 60, 57, 53], [64, 60, 55, 48], []),
    ("neither", [64, 60, 57, 45], [64, 60, 55, 48], "before"),
    ("authentic", [67, 62, 59, 43], [63, 60, 55, 48], "last"),
    ("authentic", [67, 62, 59, 43], [67, 60, 55, 52], "last"),
    ("authentic", [67, 62, 59, 43], [67, 60, 55, 48], "last"),
]


@pytest.mark.parametrize(("kind", "before", "last", "wrong"), ENDINGS)
def test_a_piece_ends_with_a_cadence(kind, before, last, wrong):
    rule = Cadence().bound(plan(fermatas=(0, BAR + 960)), STEP)
    assert bool(at_fault(rule, 23, before)) == (wrong == "before")
    for frame in (24, 31):
        assert bool(at_fault(rule, frame, last)) == (wrong == "last")
    assert at_fault(rule, 22, [61, 54, 50, 49]) == []
    for wanted in ("authentic", "plagal"):
        assert bool(at_fault(Cadence(wanted).bound(plan(fermatas=(BAR + 960,)), STEP), 23, before)) == (kind != wanted)


def test_without_a_fermata_the_last_quarter_is_the_last_chord():
    rule = Cadence().bound(plan(), STEP)
    assert at_fault(rule, 26, [61, 54, 50, 49]) == []
    assert at_fault(rule, 27, [67, 62, 59, 43]) == []
    assert at_fault(rule, 28, [67, 62, 59, 43]) != []
    assert at_fault(rule, 28, [64, 60, 55, 48]) == []


def test_minor_may_end_in_major_and_an_unknown_mode_in_either_key():
    minor, either = (Cadence().bound(plan(key=(0, mode)), STEP) for mode in ("minor", ""))
    for rule in (minor, either):
        assert at_fault(rule, 31, [60, 57, 52, 45]) == []
        assert at_fault(rule, 31, [61, 57, 52, 45]) == []
    assert at_fault(minor, 31, [64, 60, 55, 48]) != []
    assert at_fault(either, 31, [64, 60, 55, 48]) == []
    with pytest.raises(RuleError, match="expected a key"):
        Cadence().bound(plan(key=None), STEP)
    with pytest.raises(OptionError, match="cadence of any"):
        Cadence("deceptive")


# -- the leading tone ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "voices"),
    [
        ([71, 67, 62, 55], [72, 67, 64, 48], []),
        ([71, 67, 62, 55], [67, 67, 64, 48], [0]),  # falls in the soprano
        ([67, 71, 62, 55], [72, 67, 64, 48], []),  # falls to the fifth in the alto
        ([67, 71, 62, 55], [72, 69, 64, 48], [1]),
        ([71, 67, 62, 55], [69, 67, 64, 57], []),  # not to the tonic
        ([71, 67, 62, 55], [71, 67, 64, 48], []),  # a suspension has time
        ([71, 67, 64, 52], [67, 67, 64, 48], []),  # no dominant
        ([71, 67, OPEN, 55], [67, 67, 64, 48], []),  # perhaps none
        ([71, SILENT, SILENT, 55], [67, SILENT, SILENT, 48], [0]),
        ([74, 67, 62, 47], [72, 67, 64, 48], []),
        ([74, 67, 62, 47], [72, 67, 64, 36], [3]),
        ([72, 67, 64, 48], [71, 67, 59, 43], [0, 2]),  # doubled
    ],
)
def test_the_leading_tone_rises_to_the_tonic_and_stands_alone(before, after, voices):
    assert at_fault(LeadingTone().bound(plan(), STEP), 3, before, after) == voices
    lower = [[pitch - 3 if pitch >= 0 else pitch for pitch in chord] for chord in (before, after)]
    assert at_fault(LeadingTone("A").bound(plan(key=None), STEP), 3, *lower) == voices


def test_in_minor_the_raised_seventh_leads_and_without_a_mode_nothing_does():
    assert at_fault(LeadingTone().bound(plan(key=(0, "minor")), STEP), 0, [68, 64, 59, 52], [64, 64, 60, 45]) == [0]
    assert at_fault(LeadingTone().bound(plan(key=(0, "minor")), STEP), 0, [67, 62, 59, 43]) == []
    assert at_fault(LeadingTone().bound(plan(key=(0, "")), STEP), 0, [71, 67, 62, 55], [67, 67, 64, 48]) == []


# -- keys ----------------------------------------------------------------------------------------------------------


def test_notes_are_kept_in_the_key_of_the_moment():
    two = plan(key=None).replace(keys=(Key(0, 0, "major"), Key(BAR, 2, "major")))
    rule = InKey().bound(two, STEP)
    assert at_fault(rule, 0, [66, 65, 61, 60]) == [0, 2]
    assert at_fault(rule, 16, [66, 65, 61, 60]) == [1, 3]
    assert at_fault(rule, 15, [66, 65, 61, 60], [66, 65, 61, 60]) == []  # held: judged where they began
    assert at_fault(rule, 10_000, [66, 65, 61, 60]) == [1, 3]  # beyond the plan its last key holds
    assert at_fault(InKey("C pentatonic").bound(plan(key=None), STEP), 0, [65, 71, 62, 60]) == [0, 1]
    assert at_fault(InKey("Am").bound(two, STEP), 20, [68, 67, 66, 61]) == [2, 3]
    assert InKey().needs == {"key"}
    assert not InKey("Am").needs
    with pytest.raises(RuleError, match="try in-key=Gm"):
        InKey().bound(plan(key=None), STEP)
    with pytest.raises(OptionError, match="expected a key"):
        InKey("H")
