"""The records of small pieces, worked out by hand; times in steps of 24 a quarter."""

import numpy as np
import pytest

from kantor.errors import OptionError, ScoreError
from kantor.representations.notes import REST, Notes
from kantor.score import Key, Meter, Part, Score, Tempo

STEP = 20  # ticks


def played(*rows, length=0, velocities=(), **known):
    """A piano; rows are (onset, duration, pitch) in grid steps."""
    loud = velocities or [80] * len(rows)
    notes = [(STEP * at, STEP * lasting, pitch, v, 0) for (at, lasting, pitch), v in zip(rows, loud, strict=True)]
    return Score.from_notes(notes, **{"length_ticks": STEP * length, "parts": (Part("Piano"),), **known})


def records(representation, score):
    return representation.encode(score).values.tolist()


def column(score, name, **options):
    return Notes(inputs=(name,), **options).encode(score).conditions[:, 0].tolist()


#: A third struck together, its upper note held; a note after it; a rest at the start and at the end.
SMALL = played((24, 12, 60), (24, 36, 64), (48, 12, 67), length=96)


# -- records ---------------------------------------------------------------------------------------------------------


def test_a_rest_comes_first_and_every_gap_stands_behind_its_note():
    assert records(Notes(), SMALL) == [[REST, 0, 24], [60, 12, 0], [64, 36, 24], [67, 12, 48]]
    assert Notes().encode(SMALL).notes == 3


def test_a_piece_that_begins_at_once_begins_with_a_rest_of_no_length():
    assert records(Notes(), played((0, 24, 60), (24, 24, 62))) == [[REST, 0, 0], [60, 24, 24], [62, 24, 24]]


def test_low_notes_of_one_onset_come_first():
    chord = played((0, 5, 72), (0, 9, 48), (0, 2, 60))
    assert [pitch for pitch, _, _ in records(Notes(), chord)] == [REST, 48, 60, 72]


def test_a_silence_beyond_384_steps_goes_on_as_a_rest():
    late = played((500, 24, 60), (1400, 24, 62), length=1824)
    assert records(Notes(), late) == [
        *([REST, 0, 384], [REST, 0, 116]),
        *([60, 24, 384], [REST, 0, 384], [REST, 0, 132]),
        *([62, 24, 384], [REST, 0, 40]),
    ]
    assert Notes().decode(Notes().encode(late).values, Notes().plan(late)) == Notes().canonical(late)


def test_a_silence_of_384_steps_needs_no_rest():
    assert records(Notes(), played((0, 1, 60), (384, 24, 62))) == [[REST, 0, 0], [60, 1, 384], [62, 24, 24]]


def test_velocities_are_told_in_32_classes():
    score = played((0, 6, 60), (6, 6, 62), (12, 6, 64), velocities=[1, 66, 127])
    assert [row[3] for row in records(Notes(velocity=True), score)[1:]] == [0, 16, 31]
    assert Notes(velocity=True).canonical(score).notes["velocity"].tolist() == [2, 66, 126]
    assert Notes().canonical(score).notes["velocity"].tolist() == [80, 80, 80]


def test_of_two_records_that_fall_together_the_longer_sounds():
    values = np.array([[REST, 0, 0], [60, 6, 0], [60, 18, 0], [60, 12, 24]])
    made = Notes().decode(values, Notes().plan(played((0, 24, 60))))
    assert made.notes[["onset", "duration", "pitch"]].tolist() == [(0, 18 * STEP, 60)]


def test_what_lies_beyond_the_plan_is_cut_off():
    values = np.array([[REST, 0, 0], [60, 100, 30], [62, 6, 6]])
    made = Notes().decode(values, Notes().plan(played((0, 24, 60))))
    assert made.notes[["onset", "duration", "pitch"]].tolist() == [(0, 24 * STEP, 60)]


# -- what sounds -----------------------------------------------------------------------------------------------------


def told(score, name, **options):
    return Notes(inputs=(name,), **options).encode(score).conditions.tolist()


#: A bass held under two chords; then, after a silence, a note of its own.
HELD = played((0, 48, 40), (0, 24, 60), (0, 24, 64), (24, 24, 62), (24, 36, 65), (72, 6, 67), length=96)


def test_what_sounds_is_told_before_every_record():
    # rest, 40, 60, 64, 62, 65, 67
    none, nothing = [128] * 3, [0, 0, 0]
    assert told(HELD, "sounding") == [none, none, none, none, [40, 128, 128], [40, 128, 128], none]
    assert told(HELD, "left") == [nothing, nothing, nothing, nothing, [24, 0, 0], [24, 0, 0], nothing]
    assert [row[0] for row in told(HELD, "soonest")] == [0, 0, 48, 24, 24, 24, 0]
    assert told(HELD, "here")[1:6] == [none, [40, 128, 128], [40, 60, 128], none, [62, 128, 128]]


def test_the_chord_before_is_told_and_which_of_its_notes_comes_next():
    first, second = [40, 60, 64, 128], [40, 62, 65, 128]
    assert told(HELD, "before") == [[128] * 4] * 4 + [first, first, second]
    assert told(HELD, "above")[4:] == [[40, 60], [64, 128], [40, 62]]


def test_long_notes_are_told_up_to_a_limit():
    pedal = played((0, 300, 40), (24, 24, 60), length=384)
    assert told(pedal, "left")[2] == [48, 0, 0]
    assert told(pedal, "soonest")[2] == [96]


# -- canonical notes -------------------------------------------------------------------------------------------------


def test_onsets_and_ends_are_rounded_to_the_grid_half_up():
    raw = Score.from_notes([(9, 30, 60, 80, 0), (10, 20, 62, 80, 0), (31, 3, 64, 80, 0)])
    kept = Notes().canonical(raw)  # ends 39 -> 2 steps, 30 -> 1.5 -> 2, 34 -> 2, which lasts a step at least
    assert kept.notes[["onset", "duration", "pitch"]].tolist() == [(0, 40, 60), (20, 20, 62), (20, 20, 64)]


def test_a_note_lasts_four_whole_notes_at_most():
    assert Notes().canonical(played((0, 1000, 60))).notes["duration"].tolist() == [384 * STEP]


def test_all_parts_become_one_and_drums_none():
    parts = (Part("Violin", 40), Part("Drums", 0, is_drum=True), Part("Cello", 42))
    rows = [(0, 480, 72, 80, 0), (0, 480, 38, 80, 1), (0, 480, 48, 80, 2), (480, 480, 72, 80, 0)]
    kept = Notes().canonical(Score.from_notes(rows, parts=parts))
    assert kept.parts == (Part("Piano"),)
    assert kept.notes["pitch"].tolist() == [48, 72, 72]


def test_what_two_parts_play_at_once_is_played_once_and_the_longer_stays():
    rows = [(0, 240, 60, 80, 0), (0, 480, 60, 80, 1)]
    assert Notes().canonical(Score.from_notes(rows)).notes["duration"].tolist() == [480]


@pytest.mark.parametrize(("drums", "said"), [(True, "only drums"), (False, "got none")])
def test_a_score_without_notes_is_refused(drums, said):
    rows = [(0, 480, 38, 80, 0)] if drums else []
    with pytest.raises(ScoreError, match=said):
        Notes().encode(Score.from_notes(rows, parts=(Part("Drums", 0, is_drum=drums),), length_ticks=480))


def test_any_resolution_comes_to_one_grid():
    fine = SMALL.at(9600)
    assert records(Notes(), fine) == records(Notes(), SMALL)


# -- chords ----------------------------------------------------------------------------------------------------------

CHORDS = Notes(chords=((60, 64), (60, 64, 67), (48, 60)))
THIRD, TRIAD, OCTAVE = REST + 1, REST + 2, REST + 3


@pytest.mark.parametrize(
    ("chord", "written"),
    [
        ((60, 64), [THIRD]),
        ((60, 64, 67), [TRIAD]),
        ((60, 64, 67, 72), [TRIAD, 72]),
        ((48, 60, 64), [OCTAVE, 64]),
        ((59, 60, 64), [59, THIRD]),
        ((48, 60, 62, 64), [OCTAVE, 62, 64]),
        ((61, 64), [61, 64]),
    ],
)
def test_a_chord_is_written_from_below_in_the_largest_that_are_known(chord, written):
    score = played(*((0, 12, pitch) for pitch in chord))
    found = records(CHORDS, score)
    assert [what for what, _, _ in found[1:]] == written
    assert [gap for *_, gap in found] == [0, *[0] * (len(written) - 1), 12]
    assert CHORDS.encode(score).notes == len(chord)
    assert CHORDS.decode(np.array(found), CHORDS.plan(score)) == CHORDS.canonical(score)


def test_notes_that_do_not_end_together_are_no_chord():
    assert [what for what, _, _ in records(CHORDS, played((0, 12, 60), (0, 13, 64)))] == [REST, 60, 64]


def test_the_most_frequent_chords_are_learned_of_those_that_come_twice():
    often, twice, once = (60, 64), (55, 59, 62), (40, 52)
    rows = [(12 * n, 12, pitch) for n, chord in enumerate([often, twice, often, once, twice, often]) for pitch in chord]
    assert Notes(most=5).learn([played(*rows)]).chords == (often, twice)
    assert Notes(most=1).learn([played(*rows)]).chords == (often,)
    assert Notes().learn([played(*rows)]) == Notes()
    assert Notes(most=1).learn([played(*rows[:9])] * 2).chords == (often,)  # over all pieces


# -- conditions ------------------------------------------------------------------------------------------------------


def test_the_conditions_of_a_record_are_those_of_the_moment_at_which_it_begins():
    waltz = SMALL.replace(meters=(Meter(0, 3, 4),), keys=(Key(0, 1, "major"), Key(48 * STEP, 0, "minor")))
    assert column(waltz, "phase") == [0, 24, 24, 48]
    assert column(waltz, "beat") == [0, 24, 24, 48]
    assert column(waltz, "stacked") == [0, 0, 1, 0]
    assert column(waltz, "meter") == [1, 1, 1, 1]
    assert column(waltz, "key") == [7, 7, 7, 12 + 9]
    assert column(waltz, "remaining") == [4, 3, 3, 2]


def test_a_pickup_stands_at_the_end_of_its_bar():
    upbeat = SMALL.replace(meters=(Meter(0, 3, 4),), anacrusis_ticks=480)
    assert column(upbeat, "beat") == [48, 0, 0, 24]


def test_what_is_not_known_has_a_class_of_its_own():
    assert set(column(SMALL, "beat")) == {144}
    assert set(column(SMALL, "meter")) == {9}
    assert set(column(SMALL.replace(meters=(Meter(0, 7, 8),)), "meter")) == {9}
    assert set(column(SMALL, "key")) == {24}


def test_a_stack_is_counted_to_seven_and_what_remains_to_32_quarters():
    many = played(*((0, 6, 40 + n) for n in range(12)), length=24 * 40)
    assert column(many, "stacked")[:13] == [*range(8), 7, 7, 7, 7, 7]
    assert set(column(many, "remaining")[:3]) == {32}


def test_a_plan_keeps_what_is_known_at_the_resolution_of_the_grid():
    score = SMALL.at(96).replace(tempi=(Tempo(0, 90.0), Tempo(192, 60.0)), meters=(Meter(0, 3, 4),), title="x")
    plan = Notes().plan(score)
    assert (plan.ticks_per_quarter, plan.length_ticks, plan.title) == (480, 96 * STEP, "x")
    assert plan.tempi == (Tempo(0, 90.0), Tempo(960, 60.0))


# -- grammar ---------------------------------------------------------------------------------------------------------


class Writing:
    """A piece in the making: what may come, and what comes."""

    def __init__(self, representation, length=96, **options):
        self.deriver = representation.derive(representation.plan(played((0, 1, 60), length=length)), **options)
        self.width = len(representation.fields)

    def allowed(self, field, *decided):
        values = np.zeros((1, self.width), dtype=np.int64)
        values[0, : len(decided)] = decided
        return np.flatnonzero(self.deriver.allowed(field, values)[0]).tolist()

    def push(self, *values):
        self.deriver.push(np.array([values]))


def test_a_piece_begins_with_a_rest_and_has_others_after_the_longest_gaps_alone():
    piece = Writing(Notes(), length=2000)
    assert piece.allowed(0) == [REST]
    assert piece.allowed(1, REST) == [0]
    assert piece.allowed(2, REST) == list(range(385))
    piece.push(REST, 0, 5)
    assert piece.allowed(0) == list(range(128))
    assert piece.allowed(1, 60) == list(range(1, 385))
    piece.push(60, 12, 384)
    assert piece.allowed(0) == list(range(129))
    piece.push(REST, 0, 384)
    assert piece.allowed(0) == list(range(129))
    assert piece.allowed(2, REST) == list(range(1, 385))


def test_notes_of_one_onset_ascend_and_the_highest_cannot_wait_for_one():
    piece = Writing(Notes(), length=1000)
    piece.push(REST, 0, 0)
    piece.push(125, 6, 0)
    assert piece.allowed(0) == [126, 127]
    assert 0 in piece.allowed(2, 126)
    assert 0 not in piece.allowed(2, 127)
    piece.push(127, 6, 3)
    assert piece.allowed(0) == list(range(128))


def test_chords_ascend_by_their_lowest_notes():
    piece = Writing(CHORDS)
    piece.push(REST, 0, 0)
    piece.push(OCTAVE, 6, 0)
    assert piece.allowed(0) == [*range(49, 128), THIRD, TRIAD]


def test_nothing_lasts_beyond_the_end():
    piece = Writing(Notes(), length=96)
    piece.push(REST, 0, 90)
    assert piece.allowed(1, 60) == list(range(1, 7))
    assert piece.allowed(2, 60) == list(range(7))
    piece.push(60, 6, 6)
    assert piece.deriver.done().tolist() == [True]


def test_only_sounds_whose_every_pitch_is_within_are_admitted():
    within = np.isin(np.arange(128), [48, 60, 64])[None]
    piece = Writing(CHORDS, within=within)
    assert piece.allowed(0) == [REST]
    piece.push(REST, 0, 0)
    assert piece.allowed(0) == [48, 60, 64, THIRD, OCTAVE]
    assert 0 not in piece.allowed(2, 64)  # nothing higher is within


def test_a_number_of_notes_ends_a_piece_and_a_chord_counts_all_of_its_own():
    piece = Writing(CHORDS, notes=4)
    for values in [(REST, 0, 0), (TRIAD, 6, 6)]:
        piece.push(*values)
        assert piece.deriver.done() is None
    assert piece.deriver.progress() == 0.75
    piece.push(60, 6, 6)
    assert piece.deriver.done().tolist() == [True]
    assert piece.deriver.progress() == 1


# -- the rest --------------------------------------------------------------------------------------------------------


def test_records_before_a_moment_are_those_that_begin_before_it():
    values = Notes().encode(SMALL).values
    wanted = [(0, 0), (1, 1), (480, 1), (481, 3), (960, 3), (961, 4), (1920, 4)]
    assert [Notes().until(values, tick) for tick, _ in wanted] == [count for _, count in wanted]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"inputs": ("tempo",)}, r"inputs among phase, stacked, before, .*, key, remaining; got 'tempo'"),
        ({"most": -1}, "0 or more chords, got -1"),
        ({"most": 1, "velocity": True}, "either velocity or chords, got both"),
        ({"chords": ((60, 64),), "velocity": True}, "either velocity or chords, got both"),
        ({"chords": ((60,),)}, r"ascending MIDI pitches, got \(60,\)"),
        ({"chords": ((64, 60),)}, r"ascending MIDI pitches, got \(64, 60\)"),
        ({"chords": ((60, 60),)}, "ascending MIDI pitches"),
        ({"chords": ((60, 128),)}, "ascending MIDI pitches"),
    ],
)
def test_an_unknown_option_is_refused(options, complaint):
    with pytest.raises(OptionError, match=complaint):
        Notes(**options)


def test_options_may_come_as_json_has_them():
    assert Notes(inputs=["beat"], chords=[[60, 64]]) == Notes(inputs=("beat",), chords=((60, 64),))


def test_one_encoding_is_all_a_score_has_unless_chords_or_velocities_let_it_be_written_otherwise():
    assert Notes().unique
    assert not CHORDS.unique
    assert not Notes(velocity=True).unique
