"""Pitch, step and duration of small pieces, worked out by hand; times in steps of 24 a quarter."""

import numpy as np

from kantor.representations import columns, inputs_of
from kantor.representations.regression import Regression
from kantor.score import Part, Score

STEP = 20  # ticks
REPRESENTATION = Regression()


def played(*rows, length=0):
    """A piano; rows are (onset, duration, pitch) in grid steps."""
    notes = [(STEP * at, STEP * lasting, pitch, 80, 0) for at, lasting, pitch in rows]
    return Score.from_notes(notes, length_ticks=STEP * length, parts=(Part("Piano"),))


SMALL = played((6, 24, 60), (6, 12, 67), (30, 500, 48), length=96)


def test_a_step_is_a_pitch_and_two_times_polyphony_from_the_lowest_note_up():
    encoding = REPRESENTATION.encode(SMALL)
    assert encoding.values.tolist() == [[60, 6, 24], [67, 0, 12], [48, 24, 384]]
    assert encoding.notes == 3
    assert encoding.conditions.shape == (3, 0)


def test_before_the_first_note_there_is_no_pitch_and_no_time():
    assert inputs_of(REPRESENTATION.encode(SMALL), REPRESENTATION)[:2].tolist() == [[128, 0, 0], [60, 6, 24]]


def test_times_are_read_in_quarters():
    assert columns(REPRESENTATION) == ((128, 24, 24), (128, 1, 1), ("categorical", "real", "real"))


def test_a_duration_is_a_step_at_least_and_four_whole_notes_at_most():
    plan = REPRESENTATION.plan(played((0, 1000, 60), length=1000))
    made = REPRESENTATION.decode(np.array([[60, 0, 0], [62, 1, 900]]), plan)
    assert made.notes[["onset", "duration", "pitch"]].tolist() == [(0, 20, 60), (20, 384 * 20, 62)]


def test_what_falls_together_is_played_once_and_what_lies_beyond_the_end_not_at_all():
    plan = REPRESENTATION.plan(played((0, 24, 60)))
    made = REPRESENTATION.decode(np.array([[60, 0, 6], [60, 0, 12], [62, 20, 10], [64, 4, 6]]), plan)
    assert made.notes[["onset", "duration", "pitch"]].tolist() == [(0, 240, 60), (400, 80, 62)]


def test_notes_before_a_moment_are_those_that_begin_before_it():
    values = REPRESENTATION.encode(SMALL).values
    assert [REPRESENTATION.until(values, tick) for tick in (0, 120, 121, 600, 601)] == [0, 0, 2, 2, 3]


def test_a_piece_ends_when_a_note_begins_at_its_end_or_when_it_has_its_notes():
    plan = REPRESENTATION.plan(played((0, 1, 60), length=96))
    by_time, by_notes = REPRESENTATION.derive(plan), REPRESENTATION.derive(plan, notes=2)
    for n in range(4):
        assert by_time.done() is None
        assert (by_notes.done() is None) == (n < 2)
        assert by_time.progress() == n / 4
        for deriver in (by_time, by_notes):
            deriver.push(np.array([[60, 24, 6]]))
    assert by_time.done().tolist() == by_notes.done().tolist() == [True]


def test_only_pitches_have_a_grammar_and_only_where_one_is_asked_for():
    row = np.zeros((2, 3), dtype=int)
    plan = REPRESENTATION.plan(SMALL)
    assert [REPRESENTATION.derive(plan, plan).allowed(k, row) for k in range(3)] == [None] * 3
    within = np.isin(np.arange(128), [60, 62])[None]
    asked = REPRESENTATION.derive(plan, plan, within=within)
    assert [np.flatnonzero(mask).tolist() for mask in asked.allowed(0, row)] == [[60, 62]] * 2
    assert asked.allowed(1, row) is None
