import collections
import copy
import dataclasses
import io
import json
import math
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
import pretty_midi
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st

import kantor
from kantor.errors import FileFormatError, MissingExtraError, ScoreError
from kantor.io import midi
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


# -- ticks of seconds ------------------------------------------------------------------------------------------------


@given(score=scores())
def test_the_tick_of_a_ticks_seconds_is_that_tick(score):
    ticks = np.arange(0, score.length_ticks + 1, 7)
    assert score.tick_of_seconds(score.ticks_to_seconds(ticks)).tolist() == ticks.tolist()


@given(score=scores(), seconds=st.lists(st.floats(0, 1e5), max_size=20))
def test_the_seconds_of_the_tick_of_some_seconds_are_these_within_half_a_tick(score, seconds):
    back = score.ticks_to_seconds(score.tick_of_seconds(seconds))
    slowest = min((t.quarters_per_minute for t in score.tempi), default=120.0)
    assert np.abs(back - seconds).max(initial=0) <= 0.5 * 60 / min(slowest, 120.0) / 480 * (1 + 1e-9)


@given(score=scores(), data=st.data())
def test_pretty_midi_finds_the_same_ticks(score, data):
    other = pretty_midi.PrettyMIDI(io.BytesIO(midi.write(score)))
    heard = midi.canonical(score)  # MIDI counts a tempo in whole microseconds
    seconds = data.draw(st.floats(0, score.seconds))
    assert abs(int(heard.tick_of_seconds(seconds)) - other.time_to_tick(seconds)) <= 1


def test_one_time_gives_one_tick_and_many_an_array():
    score = empty(8, tempi=(Tempo(2 * QUARTER, 60), Tempo(6 * QUARTER, 240)))
    assert score.tick_of_seconds(5.5) == 8 * QUARTER
    assert isinstance(score.tick_of_seconds(1), np.int64)
    assert score.tick_of_seconds([[0, 0.5], [1, 2]]).tolist() == [[0, QUARTER], [2 * QUARTER, 3 * QUARTER]]
    assert score.tick_of_seconds([]).shape == (0,)


@pytest.mark.parametrize("seconds", [-0.1, [3, float("nan")], float("inf"), 1e300])
def test_a_time_without_a_tick_is_refused(seconds):
    with pytest.raises(ScoreError, match=r"expected times in seconds from 0 on, got (-0\.1|nan|inf|1e\+300)"):
        line(60).tick_of_seconds(seconds)
    with pytest.raises(ScoreError, match="from 0 on"):  # though a later tempo is slow enough to reach back so far
        empty(8, tempi=(Tempo(QUARTER, 1),)).tick_of_seconds(seconds)


# -- at --------------------------------------------------------------------------------------------------------------

RESOLUTIONS = st.integers(1, 2000)


def every_tick(score):
    """Every number of a score that counts ticks, by what it is; a note by its onset and end."""
    return {
        "onsets": score.notes["onset"].tolist(),
        "ends": (score.notes["onset"] + score.notes["duration"]).tolist(),
        "events": [event.tick for event in (*score.tempi, *score.meters, *score.keys)],
        "marks": [*score.fermatas, score.anacrusis_ticks, *score.barlines, score.length_ticks],
    }


@given(score=scores(), resolution=RESOLUTIONS)
def test_a_score_at_a_resolution_is_at_it_and_stays_there(score, resolution):
    there = score.at(resolution)
    assert there.ticks_per_quarter == resolution
    assert there.at(resolution) == there
    assert score.at(480) == score


@given(score=scores(metered=True), times=st.integers(2, 50))
def test_a_finer_grid_has_the_same_bars_and_leads_back(score, times):
    score = score.replace(barlines=tuple(score.bars["start"].tolist()))
    finer = score.at(480 * times)
    assert {name: [tick * times for tick in ticks] for name, ticks in every_tick(score).items()} == every_tick(finer)
    assert [bar for row in finer.bars.tolist() for bar in row] == [
        x * times for row in score.bars.tolist() for x in row
    ]
    assert finer.at(480) == score


@given(score=scores(), resolution=RESOLUTIONS)
def test_every_tick_is_rounded_half_up(score, resolution):
    def rounded(ticks):
        return [math.floor(Fraction(tick * resolution, 480) + Fraction(1, 2)) for tick in ticks]

    before, after = every_tick(score), every_tick(score.at(resolution))
    assert sorted(after["onsets"]) == rounded(sorted(before["onsets"]))
    assert after["events"] == rounded(before["events"])
    if (score.notes["duration"] * resolution >= 480).all():  # a tick or more: no end has to be mended
        assert sorted(after["ends"]) == rounded(sorted(before["ends"]))
        marks = dict.fromkeys(rounded(score.fermatas))
        assert after["marks"] == [*marks, *rounded([score.anacrusis_ticks]), *rounded([score.length_ticks])]


@given(score=scores(), resolution=RESOLUTIONS)
def test_seconds_stay_within_half_a_tick_and_as_much_for_each_change_of_tempo(score, resolution):
    slowest = min([120.0, *(tempo.quarters_per_minute for tempo in score.tempi)])
    allowed = (1 + len(score.tempi)) / 2 * 60 / slowest / resolution
    ticks = score.notes["onset"]
    moved = np.floor(ticks * resolution / 480 + 0.5)
    apart = np.abs(score.at(resolution).ticks_to_seconds(moved) - score.ticks_to_seconds(ticks))
    assert (apart <= allowed * (1 + 1e-9)).all()


@given(score=scores(monophonic=False), resolution=RESOLUTIONS)
def test_symusic_moves_the_notes_to_the_same_places_within_a_tick(score, resolution):
    file = symusic.Score(480)
    file.tracks.append(symusic.Track())
    for onset, duration, pitch, velocity, _ in score.notes.tolist():
        file.tracks[0].notes.append(symusic.Note(onset, duration, pitch, velocity))
    theirs = file.resample(resolution, min_dur=1).tracks[0].notes
    ours = score.at(resolution).notes

    def ordered(rows):
        return np.array(sorted(rows), dtype=np.int64).reshape(-1, 3)

    found = ordered((n.pitch, n.start, n.end) for n in theirs)
    wanted = ordered(zip(ours["pitch"], ours["onset"], ours["onset"] + ours["duration"], strict=True))
    assert np.abs(found - wanted).max(initial=0) <= 1


def test_a_note_keeps_its_last_tick_and_one_of_no_length_gets_none():
    score = Score.from_notes([(0, 1, 60, 80, 0), (500, 3, 62, 80, 0), (900, 0, 64, 80, 0)])
    assert score.at(1).notes[["onset", "duration"]].tolist() == [(0, 1), (1, 1), (2, 0)]


def test_ticks_are_counted_beyond_int64():
    far = Score.from_notes([(2**39, 2**38, 60, 80, 0)], ticks_per_quarter=10**9)
    assert far.at(10**9 + 1).notes["onset"].tolist() == [2**39 + round(2**39 / 10**9)]


def test_a_resolution_too_coarse_or_too_fine_is_refused():
    with pytest.raises(ScoreError, match="at least one tick a quarter note, got 0"):
        line(60).at(0)
    with pytest.raises(ScoreError, match=r"expected a resolution that gives \d+ ticks at most, got 2199023255552"):
        line(60).at(2**41)


# -- data frames -----------------------------------------------------------------------------------------------------


@given(score=scores(monophonic=False), resolution=st.integers(24, 2000))
def test_a_score_goes_into_a_data_frame_and_comes_back(score, resolution):
    score = score.at(resolution)
    kept = {name: getattr(score, name) for name in ("parts", "meters", "keys", "fermatas", "title", "recipe")}
    frame = score.to_pandas()
    back = Score.from_notes(frame, **kept, anacrusis_ticks=score.anacrusis_ticks, length_ticks=score.length_ticks)
    assert back == score


@given(score=scores(), wanted=st.integers(24, 2000))
def test_a_data_frame_can_be_counted_in_other_ticks_and_by_other_tempi(score, wanted):
    frame = score.to_pandas()
    for known in ({}, {"tempi": (Tempo(0, 90),)}):
        back = Score.from_notes(frame, ticks_per_quarter=wanted, **known)
        assert back.ticks_per_quarter == wanted
        assert back.tempi == known.get("tempi", score.at(wanted).tempi)
        slowest = min([120.0, *(tempo.quarters_per_minute for tempo in back.tempi)])
        apart = np.sort(back.ticks_to_seconds(back.notes["onset"])) - frame["start"].to_numpy()
        assert np.abs(apart).max(initial=0) <= 0.5 * 60 / slowest / wanted * (1 + 1e-9) + 1e-9


@given(score=scores(max_parts=1, monophonic=False), columns=st.sampled_from([("start", "end"), ("start", "duration")]))
def test_a_frame_that_remembers_nothing_keeps_its_seconds(score, columns):
    frame = pd.read_csv(io.StringIO(score.to_pandas()[["pitch", *columns]].to_csv(index=False)))
    back = Score.from_notes(frame)
    assert back.notes["pitch"].tolist() == score.notes["pitch"].tolist()
    apart = back.ticks_to_seconds(back.notes["onset"]) - score.ticks_to_seconds(score.notes["onset"])
    assert np.abs(apart).max(initial=0) <= 0.5 * 0.5 / 480 + 1e-9
    assert set(back.notes["velocity"].tolist()) <= {80}


@given(score=scores(plain=True, max_parts=1))
def test_steps_and_durations_are_enough_but_for_the_silence_before_the_first_note(score):
    back = Score.from_notes(score.to_pandas()[["pitch", "step", "duration"]])
    first = int(score.notes["onset"].min(initial=score.length_ticks))
    assert len(back) == len(score)
    if len(score):
        assert np.array_equal(back.notes, score.cut(first, score.length_ticks).notes)


def midi_to_notes(file):
    """The notebook's own way from a MIDI file to a data frame (TensorFlow's tutorial, with its start and end)."""
    instrument = pretty_midi.PrettyMIDI(file).instruments[0]
    notes = collections.defaultdict(list)
    sorted_notes = sorted(instrument.notes, key=lambda note: (note.start, note.pitch, note.end))
    prev_start = sorted_notes[0].start
    for note in sorted_notes:
        notes["pitch"].append(note.pitch)
        notes["name"].append(pretty_midi.note_number_to_name(note.pitch))
        notes["start"].append(note.start)
        notes["end"].append(note.end)
        notes["step"].append(note.start - prev_start)
        notes["duration"].append(note.end - note.start)
        notes["velocity"].append(note.velocity)
        prev_start = note.start
    return pd.DataFrame({name: np.array(value) for name, value in notes.items()})


@given(score=scores(min_parts=1, max_parts=1, monophonic=False).filter(len))
def test_the_data_frame_is_the_one_of_the_notebooks(score):
    score = score.replace(keys=())  # the notebook knows none
    heard = midi.canonical(score)
    frame = heard.to_pandas()
    assert set(frame.pop("part")) == {0}
    pd.testing.assert_frame_equal(frame, midi_to_notes(io.BytesIO(midi.write(score))), atol=1e-9)


def test_a_frame_has_a_row_a_note_and_plain_attributes():
    score = line(60, 61, tempi=(Tempo(0, 60), Tempo(QUARTER, 90)))
    frame = score.to_pandas()
    assert frame["name"].tolist() == ["C4", "C#4"]
    assert frame["step"].tolist() == [0, 1]
    assert frame["end"].tolist() == pytest.approx([1, 5 / 3])
    assert json.loads(json.dumps(frame.attrs)) == frame.attrs
    assert list(Score.from_notes([]).to_pandas().columns) == list(frame.columns)


def test_a_frame_may_be_changed_and_filtered_on_its_way():
    score = Score.from_notes([(0, 480, 60, 80, 0), (480, 480, 62, 70, 1)], tempi=(Tempo(0, 60),))
    frame = score.to_pandas()
    frame["pitch"] += 12
    assert Score.from_notes(frame[frame["part"] == 1]).notes.tolist() == [(480, 480, 74, 70, 1)]


def test_a_note_that_sounds_lasts_a_tick_and_one_that_does_not_lasts_none():
    short = pd.DataFrame({"pitch": [60, 62], "start": [0, 1], "duration": [1e-5, 0]})
    assert Score.from_notes(short).notes["duration"].tolist() == [1, 0]


def frame(**columns):
    return pd.DataFrame({"pitch": [60, 62], "start": [0.0, 1.0], "end": [1.0, 2.5], **columns})


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (frame().drop(columns="pitch"), "columns pitch, start or step, and end or duration; got end, start"),
        (frame().drop(columns="start"), "start or step, and end or duration; got end, pitch"),
        (frame().drop(columns="end"), "end or duration; got pitch, start"),
        (pd.DataFrame(), "end or duration; got none"),
        (frame(pitch=[60, 128]), r"whole numbers within 0\.\.127 in the column 'pitch', got 128\."),
        (frame(pitch=[60, 61.5]), "in the column 'pitch', got 61.5"),
        (frame(pitch=[60, 1e9]), "in the column 'pitch', got 1000000000"),
        (frame(pitch=["C4", "D4"]), "a number in every row of the column 'pitch', got others"),
        (frame(velocity=[0, 1]), r"whole numbers within 1\.\.127 in the column 'velocity', got 0"),
        (frame(part=[0, -1]), "in the column 'part', got -1"),
        (frame(start=[0, None]), "a number in every row of the column 'start', got rows without one"),
        (frame(end=pd.array([1, None], dtype="Int64")), "a number in every row of the column 'end', got "),
        (frame(start=[-1, 1]), "times in seconds from 0 on, got -1"),
        (frame(end=[1, 0.5]), "notes that end after they start, got one from 1 to 0.5 s"),
        (frame(duration=[1, 1]), r"every end at start \+ duration, got 1 \+ 1 and 2.5 s; drop the column"),
        (pd.concat([frame(), frame()[["pitch"]]], axis=1), "column 'pitch', got two columns so named"),
    ],
)
def test_a_frame_that_holds_no_notes_is_refused_in_one_sentence(table, complaint):
    with pytest.raises(ScoreError, match=complaint) as raised:
        Score.from_notes(table)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("remembered", [3, {"tempi": [1]}, {"tempi": 7}, {"ticks_per_quarter": "many"}])
def test_attributes_that_others_have_spoilt_are_refused(remembered):
    spoilt = frame()
    spoilt.attrs["kantor"] = remembered
    with pytest.raises(ScoreError, match=r"expected attrs\['kantor'\] as to_pandas wrote it"):
        Score.from_notes(spoilt)


def test_without_pandas_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r'needs the extra "notebook".*pip install "kantor\[notebook\]"'):
        line(60).to_pandas()


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


@given(score=scores(monophonic=False), data=st.data())
def test_pitched_notes_are_those_of_parts_that_are_no_drums_in_their_order(score, data):
    drums = data.draw(st.lists(st.booleans(), min_size=len(score.parts), max_size=len(score.parts)))
    score = score.replace(parts=tuple(Part(is_drum=drum) for drum in drums))
    assert score.pitched.tolist() == [row for row in score.notes.tolist() if not drums[row[4]]]
    assert not score.pitched.flags.writeable
    assert score == score.replace()


def test_without_drums_the_pitched_notes_are_the_notes_and_without_parts_there_are_none():
    score = line(60, 62)
    assert score.pitched is score.notes
    assert len(empty(4).pitched) == 0


def test_notes_of_a_data_frame_are_spelled_by_the_key():
    notes = Score.from_notes([(0, 480, 70, 80, 0)])
    names = [
        notes.replace(keys=keys).to_pandas()["name"][0] for keys in ((Key(0, -2, "minor"),), (Key(0, 5, "major"),))
    ]
    assert names == ["Bb4", "A#4"]


@pytest.mark.parametrize("rows", [[(0, 480, 60)], None, 5, ["note"], [(0, 480, "C4", 80, 0)]])
def test_rows_that_are_no_notes_are_refused(rows):
    with pytest.raises(ScoreError, match="expected rows of five whole numbers"):
        Score.from_notes(rows)


@pytest.mark.parametrize("path", [5, None])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(FileFormatError, match=f"expected the path of a file, got {path}"):
        kantor.io.load(path)


def test_bars_are_numbered_as_musicians_count_them():
    score = Score.from_notes([(0, 480, 60, 80, 0)], meters=(Meter(0, 3, 4),), anacrusis_ticks=480, length_ticks=480 * 7)
    ticks = [0, 479, 480, 480 * 4 - 1, 480 * 4]
    assert [score.bar_number(tick) for tick in ticks] == [0, 0, 1, 1, 2]
    assert [score.bar_name(tick) for tick in (0, 480)] == ["the pickup", "bar 1"]
    assert score.bar_count == 2
