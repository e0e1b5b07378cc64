import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.errors import ScoreError
from kantor.score import NOTE, Key, Meter, Part, Score, Tempo
from strategies import scores

QUARTER = 480


def line(*pitches, **known):
    """One part in quarter notes."""
    return Score.from_notes([(n * QUARTER, QUARTER, pitch, 80, 0) for n, pitch in enumerate(pitches)], **known)


def empty(quarters, **known):
    """Nothing but time."""
    return Score.from_notes([], length_ticks=quarters * QUARTER, **known)


def bars(score):
    """(start, length, offset) in quarters."""
    return [tuple(value / QUARTER for value in bar) for bar in score.bars.tolist()]


# -- notes -----------------------------------------------------------------------------------------------------------


def test_notes_are_sorted_by_onset_part_pitch_and_duration():
    wanted = [(0, 9, 60, 80, 0), (0, 9, 64, 80, 0), (0, 9, 48, 80, 1), (5, 1, 40, 80, 0), (5, 2, 40, 80, 0)]
    assert Score.from_notes(reversed(wanted)).notes.tolist() == wanted


def test_notes_cannot_be_changed_in_place():
    score = line(60, 62)
    with pytest.raises(ValueError, match="read-only"):
        score.notes["pitch"] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        score.title = "x"


def test_a_score_keeps_its_own_copy_of_the_notes():
    notes = np.array([(0, 480, 60, 80, 0)], dtype=NOTE)
    score = Score(notes, parts=(Part(),))
    notes["pitch"] = 1
    assert score.notes["pitch"].tolist() == [60]
    assert notes.flags.writeable


def test_parts_are_made_up_where_none_are_given():
    assert Score.from_notes([(0, 1, 60, 80, 2)]).parts == (Part(), Part(), Part())
    assert Score.from_notes([]).parts == ()


def test_a_score_ends_with_its_last_note_or_later():
    assert line(60, 62).length_ticks == 960
    assert line(60, 62, length_ticks=100).length_ticks == 960
    assert line(60, 62, length_ticks=2000).length_ticks == 2000
    assert Score.from_notes([]).length_ticks == 0


def test_events_are_sorted_and_fermatas_named_once():
    score = line(60, 62, keys=(Key(480, 1), Key(0, 2)), tempi=[Tempo(9, 60), Tempo(3, 90)], fermatas=[480, 0, 480])
    assert score.keys == (Key(0, 2), Key(480, 1))
    assert score.tempi == (Tempo(3, 90), Tempo(9, 60))
    assert score.fermatas == (0, 480)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ((-1, 1, 60, 80, 0), r"every note's onset within 0\.\.\d+, got -1"),
        ((0, -4, 60, 80, 0), r"duration within 0\.\.\d+, got -4"),
        ((2**41, 1, 60, 80, 0), "onset"),
        ((0, 1, 128, 80, 0), r"pitch within 0\.\.127, got 128"),
        ((0, 1, -1, 80, 0), r"pitch within 0\.\.127, got -1"),
        ((0, 1, 60, 128, 0), r"velocity within \d\.\.127, got 128"),
        ((0, 1, 60, 80, 1), r"part within 0\.\.0, got 1"),
        ((0, 1, 60, 80, -1), r"part within 0\.\.0, got -1"),
    ],
)
def test_a_note_out_of_range_is_refused_by_name(row, complaint):
    with pytest.raises(ScoreError, match=complaint):
        Score.from_notes([(0, 1, 60, 80, 0), row], parts=(Part(),))


@pytest.mark.parametrize("row", [(0, 1, 70_000, 80, 0), (2**70, 1, 60, 80, 0), (0, 1, 60, 80, 40_000)])
def test_numbers_beyond_the_arrays_own_bounds_are_refused_too(row):
    with pytest.raises(ScoreError, match="out of all bounds"):
        Score.from_notes([row], parts=(Part(),))


def test_a_resolution_below_one_is_refused():
    with pytest.raises(ScoreError, match="at least one tick a quarter note, got 0"):
        line(60, ticks_per_quarter=0)


# -- equality --------------------------------------------------------------------------------------------------------


@given(score=scores())
def test_a_score_equals_its_copy_whatever_was_asked_of_it(score):
    other = copy.deepcopy(score)
    _ = score.bars
    assert score == other == score.replace()


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x"},
        {"recipe": "{}"},
        {"parts": (Part("Oboe"),)},
        {"tempi": (Tempo(0, 61),)},
        {"meters": (Meter(0, 3, 4),)},
        {"keys": (Key(0, 0, "minor"),)},
        {"fermatas": (0,)},
        {"anacrusis_ticks": 480},
        {"barlines": (480,)},
        {"length_ticks": 1921},
        {"ticks_per_quarter": 96},
        {"notes": line(60, 62, 64, 66).notes},
    ],
)
def test_whatever_differs_makes_scores_differ(change):
    score = line(60, 62, 64, 65)
    assert score != score.replace(**change)


def test_a_score_is_no_other_thing_and_has_no_hash():
    assert line(60) != 60
    with pytest.raises(TypeError, match="unhashable"):
        hash(line(60))


# -- bars ------------------------------------------------------------------------------------------------------------


def test_without_a_meter_bars_are_four_quarters():
    assert bars(empty(9)) == [(0, 4, 0), (4, 4, 0), (8, 1, 0)]


def test_a_pickup_starts_within_its_metrical_bar():
    assert bars(empty(7, meters=(Meter(0, 3, 4),), anacrusis_ticks=QUARTER)) == [(0, 1, 2), (1, 3, 0), (4, 3, 0)]


def test_the_last_bar_may_be_short_and_is_no_pickup():
    assert bars(empty(5, meters=(Meter(0, 3, 4),))) == [(0, 3, 0), (3, 2, 0)]
    assert bars(empty(2, meters=(Meter(0, 4, 4),))) == [(0, 2, 0)]


def test_a_bar_that_a_repeat_cuts_in_two_goes_on_where_it_was_cut():
    score = empty(12, meters=(Meter(0, 4, 4),), barlines=tuple(QUARTER * quarter for quarter in (0, 4, 7, 8)))
    assert bars(score) == [(0, 4, 0), (4, 3, 0), (7, 1, 3), (8, 4, 0)]


def test_a_short_bar_that_no_bar_completes_is_just_short():
    score = empty(10, meters=(Meter(0, 4, 4),), barlines=tuple(QUARTER * quarter for quarter in (0, 4, 6)))
    assert bars(score) == [(0, 4, 0), (4, 2, 0), (6, 4, 0)]


def test_a_pickup_may_stand_before_given_barlines():
    score = empty(9, meters=(Meter(0, 4, 4),), barlines=(QUARTER, 5 * QUARTER))
    assert bars(score) == [(0, 1, 3), (1, 4, 0), (5, 4, 0)]


def test_a_change_of_meter_changes_the_bars_from_there_on():
    score = empty(14, meters=(Meter(0, 4, 4), Meter(8 * QUARTER, 3, 4)))
    assert bars(score) == [(0, 4, 0), (4, 4, 0), (8, 3, 0), (11, 3, 0)]


def test_bars_of_eighths_are_measured_in_eighths():
    assert bars(empty(6, meters=(Meter(0, 6, 8),))) == [(0, 3, 0), (3, 3, 0)]
    assert Meter(0, 6, 8).__str__() == "6/8"


@given(score=scores(metered=True))
def test_bars_follow_each_other_without_a_gap(score):
    found = score.bars
    assert found["start"][0] == 0
    assert (found["start"][1:] == (found["start"] + found["length"])[:-1]).all()
    assert found["start"][-1] + found["length"][-1] == score.length_ticks
    assert (found["length"] > 0).all()


# -- seconds ---------------------------------------------------------------------------------------------------------


def test_without_a_tempo_a_quarter_is_half_a_second():
    assert empty(8).seconds == 4.0


def test_a_tempo_holds_until_the_next():
    score = empty(8, tempi=(Tempo(2 * QUARTER, 60), Tempo(6 * QUARTER, 240)))
    ticks = [QUARTER * quarter for quarter in (0, 1, 2, 3, 6, 8)]
    assert score.ticks_to_seconds(ticks).tolist() == [0, 0.5, 1, 2, 5, 5.5]
    assert score.seconds == 5.5


def test_seconds_do_not_depend_on_the_resolution():
    score = Score.from_notes([], length_ticks=96, ticks_per_quarter=96, tempi=(Tempo(0, 60),))
    assert score.seconds == 1.0


@given(score=scores())
def test_time_goes_forward(score):
    assert (np.diff(score.ticks_to_seconds(np.arange(0, score.length_ticks + 1, 60))) > 0).all()


# -- cut -------------------------------------------------------------------------------------------------------------


def test_a_cut_shortens_the_notes_across_its_edges():
    cut = line(60, 62, 64, 65).cut(240, 1200)
    wanted = [(0, 240, 60, 80, 0), (240, 480, 62, 80, 0), (720, 240, 64, 80, 0)]
    assert cut.notes.tolist() == wanted
    assert cut.length_ticks == 960


def test_a_cut_knows_the_events_in_force_at_its_start():
    score = empty(
        16,
        tempi=(Tempo(0, 60), Tempo(480, 90), Tempo(4800, 70)),
        keys=(Key(0, 1), Key(960, 2), Key(1440, 3)),
        fermatas=(0, 960, 1200, 1920),
    )
    cut = score.cut(960, 1920)
    assert cut.tempi == (Tempo(0, 90),)
    assert cut.keys == (Key(0, 2), Key(480, 3))
    assert cut.fermatas == (0, 240)


def beats(score):
    """Place in its metrical bar of every sixteenth."""
    return np.concatenate([offset + np.arange(0, length, 120) for _, length, offset in score.bars.tolist()])


@given(score=scores(metered=True, max_frames=64), data=st.data())
def test_a_cut_keeps_every_sixteenths_place_in_its_bar(score, data):
    frames = score.length_ticks // 120
    first = data.draw(st.integers(0, frames - 1))
    last = data.draw(st.integers(first + 1, frames))
    cut = score.cut(first * 120, last * 120)
    if len(cut.bars) > 1:  # a single short bar does not say where in its metre it lies
        assert beats(cut).tolist() == beats(score)[first:last].tolist()


@pytest.mark.parametrize("span", [(-1, 5), (5, 5), (9, 5), (0, 481), (480, 500)])
def test_a_span_outside_the_score_is_refused(span):
    with pytest.raises(ScoreError, match=rf"span within 0\.\.480 ticks, got {span[0]}\.\.{span[1]}"):
        line(60).cut(*span)


@given(score=scores())
def test_a_cut_from_end_to_end_changes_nothing_that_sounds(score):
    cut = score.cut(0, score.length_ticks)
    assert np.array_equal(cut.notes, score.notes)
    assert (cut.parts, cut.length_ticks, cut.fermatas) == (score.parts, score.length_ticks, score.fermatas)
