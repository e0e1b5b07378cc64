"""Faults as people tell them: found where they were planted, between these voices, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import rules
from kantor.errors import ScoreError
from kantor.evaluation.counterpoint import RULES, examine, lines_of, place_of
from kantor.registry import part
from kantor.score import VOICES, Key, Meter, Part, Score
from planting import KINDS, by_bar, plant

PIECES = 6


def choir(*lines, length=480, **known):
    """A score of voices, each a list of pitches of equal length; None rests."""
    rows = [
        (length * at, length, pitch, 80, voice)
        for voice, line in enumerate(lines)
        for at, pitch in enumerate(line)
        if pitch is not None
    ]
    names = VOICES if len(lines) == 4 else [f"Voice {n}" for n in range(len(lines))]
    known.setdefault("meters", (Meter(0, 4, 4),))
    known.setdefault("keys", (Key(0, 0, "major"),))
    return Score.from_notes(rows, parts=tuple(map(Part, names)), **known)


@pytest.mark.corpus
@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_fault_is_found_at_its_bar_and_voices_and_no_other_bar_gains_one(bach, kind):
    rng = np.random.default_rng(KINDS.index(kind))
    planted = 0
    for piece in bach.members[:: max(len(bach.members) // (3 * PIECES), 1)]:
        made = plant(piece.score, kind, rng)
        if made is None or planted == PIECES:
            continue
        planted += 1
        before, after = examine(piece.score), examine(made.score)
        assert (kind, made.tick, made.voices) in {(f.kind, f.tick, f.voices) for f in after.faults}, piece.name
        gained = by_bar(made.score, after.faults) - by_bar(piece.score, before.faults)
        assert {bar for bar, _, _ in gained} == {made.bar}, piece.name
    assert planted == PIECES


def test_two_voices_are_named_and_not_the_others():
    score = choir([67, 69, 71, 72], [64, 64, 62, 64], [60, 62, 62, 60], [48, 50, 43, 48])
    found = [fault for fault in examine(score).faults if fault.rule == "no-parallels"]
    assert [(f.kind, f.voices, f.tick, f.pitches, f.before) for f in found] == [
        ("parallel fifths", (0, 2), 480, (69, 62), (67, 60)),
        ("parallel fifths", (0, 3), 480, (69, 50), (67, 48)),
        ("parallel octaves", (2, 3), 480, (62, 50), (60, 48)),
    ]


def test_what_lasts_is_told_once_with_its_end():
    score = choir([60, 60, 60, 72], [64, 65, 64, 64], [55, 55, 55, 55], [48, 48, 48, 48])
    (found,) = [fault for fault in examine(score).faults if fault.rule == "no-crossing"]
    assert (found.voices, found.tick, found.end, found.before) == ((0, 1), 0, 3 * 480, ())


def test_a_doubled_leading_tone_is_told_from_one_that_does_not_rise():
    doubled = choir([71, 72], [67, 67], [59, 60], [43, 48])
    kinds = {fault.kind for fault in examine(doubled).faults if fault.rule == "leading-tone"}
    assert kinds == {"doubled leading tone"}
    fallen = choir([71, 67], [67, 64], [62, 60], [43, 48])
    (found,) = [fault for fault in examine(fallen).faults if fault.rule == "leading-tone"]
    assert (found.kind, found.voices, found.tick) == ("unresolved leading tone", (0,), 480)


@given(st.lists(st.lists(st.integers(40, 79), min_size=4, max_size=4), min_size=2, max_size=8))
def test_frames_and_voices_at_fault_are_those_of_the_rules(chords):
    """Told one by one or as masks: the same voices in the same moments, whatever the music."""
    score = choir(*np.array(chords).T.tolist(), fermatas=(480,))
    found = examine(score)
    for name in RULES:
        masks = rules.faults(score, {name: part("rules", name)()})
        told = {}
        for fault in found.faults:
            if fault.rule == name:
                for tick in range(fault.tick, fault.end, 480):
                    told.setdefault(tick, set()).update(fault.voices)
        # a lasting fault stands in every sixteenth, a motion in its first: what begins on a beat is compared
        wanted = {}
        for fault in masks:
            if fault.tick % 480 == 0:
                wanted.setdefault(fault.tick, set()).update(fault.voices)
        if name == "no-overlap":  # the rule blames who moves; a report names both
            assert told.keys() == wanted.keys()
            assert all(wanted[tick] <= told[tick] for tick in wanted)
        elif name in ("fermata", "cadence"):  # told once, where the chord begins
            assert bool(told) == bool(masks)
        else:
            assert told == wanted


def test_bars_and_beats_are_counted_as_people_do():
    score = choir([60] * 9, meters=(Meter(0, 3, 4),), anacrusis_ticks=480)
    assert [place_of(score, 480 * at) for at in range(5)] == [(0, 3), (1, 1), (1, 2), (1, 3), (2, 1)]
    eighths = choir([60] * 6, length=240, meters=(Meter(0, 6, 8),))
    assert place_of(eighths, 720) == (1, 4)


def test_a_fault_between_sixteenths_is_found_where_it_is():
    score = choir([67, 67, 69, 67], [60, 60, 62, 60], length=60)
    found = [fault for fault in examine(score).faults if fault.rule == "no-parallels"]
    assert [fault.tick for fault in found] == [120, 180]


# -- voices ----------------------------------------------------------------------------------------------------------


def test_a_bass_that_comes_first_is_turned_round():
    lines = ([48, 47], [55, 55], [64, 62], [72, 74])
    rows = [(480 * at, 480, pitch, 80, voice) for voice, line in enumerate(lines) for at, pitch in enumerate(line)]
    found = lines_of(Score.from_notes(rows))
    assert found.names == VOICES
    top = found.score.notes[found.score.notes["part"] == 0]
    assert top["pitch"].tolist() == [72, 74]


def test_two_staves_are_two_voices_each():
    above = [(0, 480, 72, 80, 0), (0, 480, 67, 80, 0), (480, 480, 74, 80, 0), (480, 480, 69, 80, 0)]
    below = [(0, 480, 60, 80, 1), (0, 480, 48, 80, 1), (480, 480, 62, 80, 1), (480, 480, 50, 80, 1)]
    found = examine(Score.from_notes(above + below, keys=(Key(0, 0, "major"),)))
    assert found.names == VOICES
    assert "two staves were read as two voices each" in found.remarks
    parallel = {fault.voices for fault in found.faults if fault.rule == "no-parallels"}
    assert parallel == {(0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}


def test_where_voices_cannot_be_told_a_sentence_says_so():
    thick = Score.from_notes([(0, 480, pitch, 80, 0) for pitch in (40, 44, 48, 52, 56, 60)])
    found = examine(thick)
    assert not found.faults
    assert found.lines is None
    assert any(
        remark.startswith("voices cannot be told") and "at most 4 notes at once" in remark for remark in found.remarks
    )
    with pytest.raises(ScoreError, match="without notes"):
        lines_of(Score(np.zeros(0, thick.notes.dtype)))


def test_a_melody_is_asked_only_what_one_line_can_answer():
    found = examine(choir([60, 66, 65, 64]))
    assert [fault.kind for fault in found.faults] == ["tritone"]
    assert {"spacing", "range", "fermata", "cadence"} <= {rule for rule, _ in found.left_out}


def test_a_key_that_is_not_known_is_estimated_and_that_is_said():
    score = choir([67, 67, 71, 72], [64, 65, 62, 64], [60, 57, 55, 55], [48, 53, 55, 48], keys=())
    found = examine(score)
    assert found.key is not None
    assert found.key.fifths == 0
    assert "the key was estimated from the notes: C major" in found.remarks
