"""Continuing: the given music stays, to the tick, whatever file it came from."""

import mido
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakes import RANGES, bundle, playing, rambling
from kantor import io
from kantor.errors import FileFormatError, OptionError, ScoreError
from kantor.io import midi
from kantor.io.packing import unpack_score
from kantor.render.engraving import engrave
from kantor.representations import inputs_of
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.score import Key, Meter, Part, Score, Tempo
from kantor.verbs.continue_ import continue_
from strategies import SIXTEENTH, grid_score, grids, scores

FAKE = bundle(ranges=None)
pytestmark = pytest.mark.usefixtures("network")

FIELDS = ["onset", "duration", "pitch", "velocity"]


def rows(score, end=None):
    """(onset, duration, pitch, velocity) of all notes, or of those that begin before ``end``."""
    notes = score.notes if end is None else score.notes[score.notes["onset"] < end]
    return sorted(map(tuple, notes[FIELDS].tolist()))


def chorale(frames=24, **known):
    """Four voices in quarters and eighths, velocities of their own."""
    lines = [[72, 74, 76, 77], [67, 67, 69, 71], [64, 65, 64, 62], [48, 55, 50, 43]]
    made = []
    for voice, line in enumerate(lines):
        length = 240 if voice == 1 else 480
        made += [(i * length, length, line[i % 4], 50 + i, voice) for i in range(frames * 120 // length)]
    return Score.from_notes(made, parts=tuple(Part(n) for n in ("Soprano", "Alto", "Tenor", "Bass")), **known)


def test_the_given_notes_stay_as_they_were_and_new_ones_follow():
    given = chorale()
    piece = continue_(given, FAKE, bars=2, seed=1)[0]
    assert rows(piece.score, given.length_ticks) == rows(given)
    assert len(piece.score) > len(given)
    assert piece.score.length_ticks == given.length_ticks + 2 * 1920


@given(scores(min_parts=4).filter(len))
@settings(max_examples=20)
def test_any_four_lines_stay_as_they_were(given):
    score = continue_(given, FAKE, bars=1, seed=1, temperature=0)[0].score
    assert rows(score, given.length_ticks) == rows(given)
    assert score.parts == given.parts
    assert (score.tempi, score.meters, score.keys) == (given.tempi, given.meters, given.keys)


@pytest.mark.parametrize("suffix", [".mid", ".MID", ".midi", ".kar", ".musicxml", ".xml", ".mxl", ".csv"])
@pytest.mark.parametrize("out", [".mid", ".musicxml", ".csv"])
def test_notes_stay_from_any_file_to_any_file(tmp_path, suffix, out):
    pitches = np.repeat([[72, 67, 64, 48], [74, 69, 65, 50], [71, 67, 62, 55]], 8, axis=0)
    given = grid_score(pitches, np.arange(24)[:, None] % 8 == 0 * pitches)
    io.save(given.replace(meters=(Meter(0, 4, 4),)), tmp_path / f"given{suffix}")
    read = io.load(tmp_path / f"given{suffix}")
    piece = continue_(tmp_path / f"given{suffix}", FAKE, bars=1, seed=1)[0]
    piece.save(tmp_path / f"piece{out}")
    again = io.load(tmp_path / f"piece{out}")
    assert rows(piece.score, read.length_ticks) == rows(read)
    sounding = [sorted((on, off, p) for on, off, p, _ in rows(s, read.length_ticks)) for s in (again, read)]
    if out == ".csv":  # where the new music begins as the old one ends, a grid cannot show the joint
        sounding = [[row for row in rows_ if row[0] + row[1] < read.length_ticks] for rows_ in sounding]
        assert set(sounding[1]) <= set(sounding[0])
    else:
        assert sounding[0] == sounding[1]


@pytest.mark.parametrize("ticks", [24, 96, 220, 480, 960, 1024])
def test_any_resolution_is_kept(tmp_path, ticks):
    made = [(i * ticks, ticks, 60 + 4 * v + i % 3, 60 + v, v) for i in range(8) for v in range(4)]
    given = Score.from_notes(made, ticks_per_quarter=ticks, parts=tuple(Part(str(v)) for v in range(4)))
    io.save(given, tmp_path / "given.mid")
    piece = continue_(tmp_path / "given.mid", FAKE, bars=2, seed=1)[0]
    piece.save(tmp_path / "piece.mid")
    for score in (piece.score, io.load(tmp_path / "piece.mid")):
        assert score.ticks_per_quarter == ticks
        assert rows(score, given.length_ticks) == rows(given)
    assert piece.score.length_ticks == 16 * ticks
    assert not np.any(piece.score.notes["onset"] * 4 % ticks * (ticks % 4 == 0))


def piano(tracks):
    """The same chords as a piano plays them: one part, or two of two notes each."""
    made = []
    for at, chord in enumerate([(48, 55, 64, 72), (50, 57, 65, 74), (43, 59, 62, 79)]):
        made += [(at * 480, 480, pitch, 70 + pitch % 7, i * tracks // 4) for i, pitch in enumerate(chord)]
    return Score.from_notes(made, parts=tuple(Part("Piano", 0) for _ in range(tracks)))


@pytest.mark.parametrize("tracks", [1, 2])
def test_a_closed_score_is_dealt_out_to_four_voices_and_stays_as_it_was(tmp_path, tracks):
    io.save(piano(tracks), tmp_path / "piano.mid")
    given = io.load(tmp_path / "piano.mid")
    score = continue_(tmp_path / "piano.mid", FAKE, bars=1, seed=1)[0].score
    assert rows(score, given.length_ticks) == rows(given)
    assert len(score.parts) == 4
    assert score.length_ticks == given.length_ticks + 1920


def test_a_file_of_one_track_with_four_voices_stays_as_it_was(tmp_path):
    file, track = mido.MidiFile(type=0, ticks_per_beat=480), mido.MidiTrack()
    file.tracks.append(track)
    for chord in [(72, 67, 64, 48), (74, 67, 65, 50)]:
        track.extend(mido.Message("note_on", note=pitch, velocity=77, channel=0, time=0) for pitch in chord)
        for first, pitch in enumerate(chord):
            track.append(mido.Message("note_off", note=pitch, channel=0, time=0 if first else 480))
    file.save(tmp_path / "zero.mid")
    piece = continue_(tmp_path / "zero.mid", FAKE, bars=1, seed=1)[0]
    chords = [(72, 67, 64, 48), (74, 67, 65, 50)]
    wanted = sorted((480 * at, 480, pitch, 77) for at, chord in enumerate(chords) for pitch in chord)
    assert rows(piece.score, 960) == wanted
    piece.save(tmp_path / "out.mid")
    assert rows(io.load(tmp_path / "out.mid"), 960) == wanted


@given(st.integers(1, 119), grids(max_frames=12))
@settings(max_examples=20)
def test_music_that_ends_between_two_sixteenths_is_not_cut_by_what_follows(odd, grid):
    whole = grid_score(*grid)
    assume(whole.length_ticks > SIXTEENTH)
    given = whole.cut(0, whole.length_ticks - SIXTEENTH + odd)
    assume(given.notes["duration"].max(initial=0) >= SIXTEENTH)
    piece = continue_(given, FAKE, bars=1, seed=1, temperature=0)[0].score
    assert rows(piece, given.length_ticks) == rows(given)
    assert rows(midi.read(io.encode(piece, ".mid"), "x.mid"), given.length_ticks) == rows(given)


def test_from_a_bar_on_what_stood_there_is_dropped_and_what_stood_before_stays():
    given = chorale(64, meters=(Meter(0, 4, 4),), anacrusis_ticks=480, keys=(Key(0, 0, "major"),))
    piece = continue_(given, FAKE, from_bar=3, bars=2, seed=1)[0]
    start = 480 + 2 * 1920
    assert rows(piece.score, start) == rows(given, start)
    assert piece.score.length_ticks == start + 2 * 1920
    assert rows(piece.score)[len(rows(given, start)) :] != rows(given)[len(rows(given, start)) :]


def test_from_a_bar_on_a_note_across_its_line_is_cut_there():
    given = Score.from_notes([(0, 3840, 60, 80, 0), (0, 960, 48, 80, 1)], meters=(Meter(0, 4, 4),))
    piece = continue_(given, FAKE, from_bar=2, bars=1, seed=1)[0]
    assert rows(piece.score, 1920) == [(0, 960, 48, 80), (0, 1920, 60, 80)]


@pytest.mark.parametrize("bar", [-1, 0, 1, 9, 100])
def test_a_bar_that_is_not_there_or_has_nothing_before_it_is_refused(bar):
    given = chorale(64, meters=(Meter(0, 2, 4),))
    with pytest.raises(OptionError, match=rf"between 2 and 8, got {bar}; leave it out"):
        continue_(given, FAKE, from_bar=bar)


def test_the_first_bar_can_be_composed_anew_after_a_pickup():
    given = chorale(36, meters=(Meter(0, 4, 4),), anacrusis_ticks=480)
    piece = continue_(given, FAKE, from_bar=1, bars=1, seed=1)[0]
    assert rows(piece.score, 480) == rows(given, 480)
    assert piece.score.length_ticks == 480 + 1920


def test_bars_are_those_of_the_meter_and_phrases_go_on_where_there_are_any():
    given = chorale(36, meters=(Meter(0, 3, 4),), fermatas=(2 * 1440,))
    score = continue_(given, FAKE, bars=4, seed=1)[0].score
    assert score.length_ticks == 3 * 1440 + 4 * 1440
    assert score.fermatas[0] == 2880
    assert any(tick >= given.length_ticks for tick in score.fermatas)
    assert continue_(chorale(36, meters=(Meter(0, 3, 4),)), FAKE, bars=4, seed=1)[0].score.fermatas == ()


def test_seeds_and_takes_are_as_in_generating():
    first, again, other = (continue_(chorale(), FAKE, bars=1, seed=seed)[0] for seed in (1, 1, 2))
    assert first.score == again.score
    assert rows(first.score) != rows(other.score)
    many = continue_(chorale(), FAKE, bars=1, seed=1, count=4)
    assert rows(many[0].score) == rows(first.score)
    assert len({str(rows(piece.score)) for piece in many}) == 4


def test_the_recipe_carries_the_prompt_itself():
    given = chorale()
    piece = continue_(given, FAKE, bars=1, seed=1)[0]
    assert unpack_score(piece.recipe["prompt"]) == given
    assert piece.recipe["verb"] == "continue"
    assert piece.recipe["options"]["bars"] == 1


def test_only_what_is_added_counts_as_decided():
    assert continue_(chorale(), FAKE, bars=1, seed=1)[0].notes_decided == 64


def test_new_voices_keep_to_the_ranges_of_the_model(network):
    network(lambda inputs, steps, memory, n: rambling(inputs, steps, memory, n) + 30 * (np.arange(n) == 46)[None, None])
    given = chorale()
    score = continue_(given, bundle(), bars=1, seed=1)[0].score
    new = score.notes[score.notes["onset"] >= given.length_ticks]
    low, high = np.array(RANGES)[new["part"]].T
    assert len(new)
    assert ((low <= new["pitch"]) & (new["pitch"] <= high)).all()


# -- models of every kind --------------------------------------------------------------------------------------------

KINDS = {
    "notes": Notes(inputs=("beat", "meter", "remaining", "stacked"), velocity=True),
    "events": Events(offsets=(0, 6, 12, 24)),
    "frames": Frames(),
    "regression": Regression(),
    "roll": Roll(inputs=("rank", "last", "beat")),
}
EACH = pytest.mark.parametrize("representation", KINDS.values(), ids=KINDS)


def piano_piece(bars=2, **known):
    """A piano in 3/4: chords of two and quavers over them, on no sixteenth in particular, each as loud as it likes."""
    rows = [(1440 * bar, 1400, pitch, 45 + bar, 0) for bar in range(bars) for pitch in (48, 55)]
    rows += [(240 * n + 7 * (n % 3), 200 + n, 60 + (7 * n) % 11, 70 + n, 0) for n in range(6 * bars)]
    known = {"parts": (Part("Grand", 4),), "meters": (Meter(0, 3, 4),), "length_ticks": 1440 * bars, **known}
    return Score.from_notes(rows, **known)


@EACH
def test_music_of_any_kind_stays_as_it_was_and_goes_on(network, representation):
    network(playing)
    given = piano_piece()
    piece = continue_(given, bundle(representation), bars=2, seed=1)[0]
    old = rows(given)
    assert [row for row in rows(piece.score) if row in old] == old
    new = [row for row in rows(piece.score) if row not in old]
    assert new
    assert min(onset for onset, *_ in new) >= given.length_ticks
    assert piece.score.length_ticks == given.length_ticks + 2 * 1440
    assert piece.score.parts == given.parts
    assert piece.score.meters == given.meters


@pytest.mark.parametrize(("step", "onsets"), [(60, [1680, 2880]), (6, [960, 1080])])
def test_time_goes_on_from_the_last_note_of_the_prompt_but_not_into_it(network, step, onsets):
    def steady(inputs, steps, memory, size):
        return rambling(inputs, steps, memory, size) if size != 2 else np.tile([float(step), 0.0], (*steps.shape, 1))

    network(steady)
    given = Score.from_notes([(0, 480, 60, 80, 0), (480, 480, 62, 80, 0)], parts=(Part("Piano"),))
    score = continue_(given, bundle(Regression()), bars=4, seed=1, temperature=0)[0].score
    # in steps of 20 ticks, counted from 480; what else was decided of a note moves them by one
    assert score.notes["onset"][2:4].tolist() == pytest.approx(onsets, abs=40)
    assert score.notes["onset"][2] >= 960


@EACH
def test_takes_of_any_kind_differ_and_their_seeds_do_not(network, representation):
    network(playing)
    asked = {"bars": 1, "seed": 3}
    many = continue_(piano_piece(), bundle(representation), count=3, **asked)
    assert len({str(rows(piece.score)) for piece in many}) == 3
    assert rows(continue_(piano_piece(), bundle(representation), **asked)[0].score) == rows(many[0].score)


@pytest.mark.parametrize("ticks", [96, 220, 1000])
@EACH
def test_any_resolution_is_kept_by_any_kind(network, representation, ticks):
    network(playing)
    given = piano_piece().at(ticks)
    score = continue_(given, bundle(representation), bars=1, seed=1)[0].score
    assert score.ticks_per_quarter == ticks
    assert set(rows(given)) <= set(rows(score))
    assert (score.notes["onset"] + score.notes["duration"]).max() <= score.length_ticks


@EACH
def test_seconds_are_added_at_the_prompts_tempo_or_at_the_one_asked_for(network, representation):
    network(playing)
    given = piano_piece(tempi=(Tempo(0, 90.0),))
    added = continue_(given, bundle(representation), seconds=4, seed=1)[0].score
    assert added.tempi == given.tempi
    assert added.seconds == pytest.approx(given.seconds + 4)
    other = continue_(given, bundle(representation), seconds=4, tempo=60, seed=1)[0].score
    assert other.tempi == (Tempo(0, 60.0),)
    assert other.seconds == pytest.approx(given.length_ticks / 480 + 4)


@pytest.mark.parametrize("count", [1, 9])
def test_notes_are_added_and_the_piece_ends_with_the_last_of_them(network, count):
    network(playing)
    given = piano_piece()
    score = continue_(given, bundle(KINDS["notes"]), notes=count, seed=1)[0].score
    assert len(score) == len(given) + count
    assert score.length_ticks == (score.notes["onset"] + score.notes["duration"]).max()


def test_a_velocity_is_that_of_the_new_notes_alone(network):
    network(playing)
    given = piano_piece()
    score = continue_(given, bundle(KINDS["notes"]), bars=2, velocity=11, seed=1)[0].score
    assert set(rows(given)) < set(rows(score))
    assert {velocity for *_, velocity in set(rows(score)) - set(rows(given))} == {11}


def test_where_several_parts_play_the_continuation_is_one_of_its_own(network):
    network(playing)
    given = piano_piece(parts=(Part("Drums", 0, is_drum=True), Part("Violin", 40), Part("Cello", 42)))
    given = given.replace(notes=[(*row[:4], 1 + (row[2] < 60)) for row in given.notes.tolist()])
    score = continue_(given, bundle(KINDS["notes"]), bars=2, seed=1)[0].score
    assert score.parts == (*given.parts, Part("continuation", 40))
    new = score.notes[score.notes["part"] == 3]
    assert len(new) == len(score) - len(given)


def test_drums_do_not_hinder_a_single_part_from_going_on_in_itself(network):
    network(playing)
    given = piano_piece(parts=(Part("Grand", 4), Part("Drums", 0, is_drum=True)))
    score = continue_(given, bundle(KINDS["notes"]), bars=2, seed=1)[0].score
    assert score.parts == given.parts
    assert set(score.notes["part"].tolist()) == {0}


def test_parts_that_are_silent_do_not_hinder_the_one_that_plays_from_going_on(network):
    network(playing)
    given = piano_piece(parts=(Part("Violin", 40), Part("Grand", 4), Part("Cello", 42)))
    given = given.replace(notes=[(*row[:4], 1) for row in given.notes.tolist()])
    score = continue_(given, bundle(KINDS["notes"]), bars=2, seed=1)[0].score
    assert score.parts == given.parts
    assert set(score.notes["part"].tolist()) == {1}


def test_pages_have_no_staff_for_a_part_that_does_not_play(network):
    network(playing)
    given = chorale(64, meters=(Meter(0, 4, 4),))
    piece = continue_(given, bundle(KINDS["notes"]), prompt_notes=8, bars=2, seed=1)[0]
    silent = piece.score.replace(parts=(*piece.score.parts, Part("Nobody")))
    assert engrave(silent) == engrave(piece.score)
    assert "Nobody" in io.encode(silent, ".musicxml").decode()


def test_what_a_vocabulary_lacks_is_told_and_the_music_stands(network):
    network(playing)
    events = Events(sounds=((60,), (62,)), offsets=(0, 12, 24), durations=(12, 24))
    given = Score.from_notes([(0, 240, 60, 80, 0), (240, 240, 61, 80, 0), (480, 400, 62, 80, 0), (960, 240, 60, 80, 0)])
    piece = continue_(given, bundle(events), bars=1, seed=1)[0]
    assert set(rows(given)) <= set(rows(piece.score))
    (remark,) = piece.remarks
    assert remark.startswith("2 of 4 events of the prompt are not in the model's vocabulary; it read the nearest")
    known = continue_(given.cut(0, 240), bundle(events), bars=1, seed=1)[0]
    assert known.remarks == ()


def test_the_network_reads_the_prompt_as_teacher_forcing_would_show_it(network):
    shown = []

    def watching(inputs, steps, memory, size):
        shown.append(inputs.copy())
        return playing(inputs, steps, memory, size)

    network(watching)
    representation = Notes(inputs=("phase", "stacked"))
    given = piano_piece()
    continue_(given, bundle(representation), bars=1, seed=1)
    assert np.array_equal(shown[0][0], inputs_of(representation.encode(given), representation))


def test_no_more_than_so_many_notes_of_the_prompt_are_taken(network):
    network(playing)
    given = piano_piece()
    piece = continue_(given, bundle(KINDS["roll"]), prompt_notes=5, bars=1, seed=1)[0]
    first = [tuple(row)[:4] for row in given.notes[:5].tolist()]
    taken = [row for row in rows(piece.score) if row in first]
    assert taken == sorted(first)
    joint = max(onset + duration for onset, duration, *_ in first)
    assert piece.score.length_ticks == pytest.approx(joint + 1440, abs=60)
    assert piece.recipe["options"]["prompt_notes"] == 5


# -- bad input -------------------------------------------------------------------------------------------------------


def test_five_at_once_none_at_all_and_too_high_are_one_sentence_each():
    five = Score.from_notes([(480, 480, 50 + 5 * i, 80, i) for i in range(5)])
    with pytest.raises(ScoreError, match=r"at most 4 notes at once, got 5, 1 quarters in"):
        continue_(five, FAKE)
    silent = Score.from_notes([], parts=(Part(),) * 4, length_ticks=1920)
    with pytest.raises(ScoreError, match="expected a prompt with notes, got none; `kantor generate` begins"):
        continue_(silent, FAKE)
    high = Score.from_notes([(480, 480, 100, 80, 0)])
    with pytest.raises(ScoreError, match=r"got 100 at row 4 .*soprano; try transposing"):
        continue_(high, FAKE)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileFormatError, match="no file"):
        continue_(tmp_path / "none.mid", FAKE)


@pytest.mark.parametrize("options", [{"bars": 0}, {"bars": 100_001}, {"count": 0}, {"seed": -1}, {"top_k": 0}])
def test_bad_options_are_refused(options):
    with pytest.raises(OptionError):
        continue_(chorale(), FAKE, **options)


def test_the_edge_cases_of_others_are_continued_or_refused(shared_data):
    stayed, refused = [], []
    for path in sorted((shared_data / "midi-primitives").glob("*.mid")):
        given = io.load(path)
        try:
            score = continue_(given, FAKE, bars=1, seed=1, temperature=0)[0].score
        except ScoreError as error:
            refused.append(str(error))
        else:
            stayed.append(rows(score, given.length_ticks) == rows(given))
    assert len(stayed) > 3
    assert all(stayed)
    assert not any("\n" in said for said in refused)
