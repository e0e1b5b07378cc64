import json
import os
import sys

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import io
from kantor.corpora import Folder, Selection
from kantor.errors import FileFormatError, InputError, OptionError
from kantor.score import Key, Meter, Part, Score, Tempo
from kantor.verbs.inspect import _off_grid, _overlapping, inspect

TUNE = [60, 64, 67, 65, 62, 59, 60, 72, 71, 69]


def tune(pitches=TUNE, **known):
    return Score.from_notes([(i * 480, 480, pitch, 80, 0) for i, pitch in enumerate(pitches)], **known)


@pytest.fixture
def folder(tmp_path):
    """One of each kind."""
    place = tmp_path / "music"
    pace = (Tempo(0, 96.0), Tempo(2400, 160.0))
    io.save(tune(keys=(Key(0, 0, "major"),), meters=(Meter(0, 4, 4),), tempi=pace), place / "tune.mid")
    io.save(tune([pitch + 3 for pitch in TUNE], meters=(Meter(0, 3, 4),)), place / "deep" / "higher.mid")
    odd = [mido.Message("note_on", note=60), mido.Message("note_on", note=110), mido.Message("note_off", note=110)]
    odd += [mido.Message("note_on", note=40, channel=9), mido.Message("note_off", note=40, channel=9, time=7)]
    mido.MidiFile(tracks=[mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=0), *odd])]).save(place / "odd.mid")
    mido.MidiFile(tracks=[mido.MidiTrack([odd[0], odd[0]])]).save(place / "silent.mid")
    (place / "broken.mid").write_bytes(b"MThd and nothing else")
    (place / "notes.txt").write_text("not music")
    return place


def by_path(report):
    return {file["path"]: file for file in report["files"]}


def test_every_file_has_a_status_and_a_reason_where_it_is_not_used(folder):
    report = inspect(folder)
    found = by_path(report)
    assert {path: file["status"] for path, file in found.items()} == {
        "broken.mid": "unreadable",
        "deep/higher.mid": "kept",
        "odd.mid": "kept",
        "silent.mid": "left out",
        "tune.mid": "kept",
    }
    assert all(bool(file["reason"]) == (file["status"] != "kept") for file in found.values())
    assert found["silent.mid"]["reason"] == "'silent.mid' has no note that ends: 2 only begin."
    assert [other["path"] for other in report["others"]] == ["notes.txt"]
    assert ".mid" in report["others"][0]["reason"]
    json.dumps(report, allow_nan=False)


def test_it_says_what_a_folder_does(folder):
    with pytest.warns(UserWarning, match="1 of 5 files"):
        corpus = Folder(folder, progress=False)
    found = by_path(inspect(folder))
    kept = {path: (file["split"], file["piece"]) for path, file in found.items() if file["status"] == "kept"}
    assert kept == {piece.name: (piece.split, piece.group) for piece in corpus.pieces()}
    others = {path: file["reason"] for path, file in found.items() if file["status"] != "kept"}
    assert others == dict(corpus.report)


def test_what_is_odd_is_counted_and_said(folder):
    odd = by_path(inspect(folder))["odd.mid"]
    wanted = ("notes", "drums", "outside_piano", "never_ending", "no_length", "no_tempo", "lowest", "highest")
    assert [odd[name] for name in wanted] == [2, 1, 1, 1, 1, 1, 110, 110]
    assert odd["remarks"] == [
        "1 note never ends and is left out",
        "1 note has no length and lasts one tick",
        "1 note lies outside the piano (A0 to C8) and is kept",
        "1 note is a drum's",
        "1 tempo of 0 is passed over",
    ]
    assert sorted(part["is_drum"] for part in odd["parts"]) == [False, True]


def test_what_is_known_of_a_tune_is_told(folder):
    found = by_path(inspect(folder))
    facts = found["tune.mid"]
    wanted = ("notes", "meter", "meter_changes", "key", "key_is", "seconds", "lowest", "highest", "drums", "off_grid")
    assert [facts[name] for name in wanted] == [10, "4/4", False, "C major", "signature", 5.0, 59, 72, 0, 0.0]
    assert (facts["tempo"], facts["tempo_changes"]) == (96.0, 1)
    other = found["deep/higher.mid"]
    assert (other["key"], other["key_is"], other["meter"]) == ("Eb major", "estimate", "3/4")
    assert facts["piece"] == other["piece"] == "deep/higher.mid"
    assert facts["remarks"] == ["it is a version of deep/higher.mid"]


def test_totals_add_up(folder):
    report = inspect(folder)
    totals = report["totals"]
    assert (totals["files"], totals["kept"], totals["left_out"], totals["unreadable"]) == (5, 3, 1, 1)
    assert (totals["others"], totals["pieces"], totals["pieces_on_two_sides"]) == (1, 2, 0)
    assert sum(split["files"] for split in totals["splits"].values()) == 3
    assert sum(split["pieces"] for split in totals["splits"].values()) == 2
    assert totals["notes_used"] == 22
    assert (totals["outside_piano"], totals["never_ending"]) == (1, 1)


def test_versions_in_two_splits_are_pointed_out(tmp_path):
    for split in ("train", "valid"):
        io.save(tune(), tmp_path / split / "tune.mid")
    io.save(tune(), tmp_path / "stray.mid")
    (tmp_path / "dangling.mid").symlink_to(tmp_path / "nowhere.mid")
    report = inspect(tmp_path)
    assert report["totals"]["pieces_on_two_sides"] == 1
    stray = by_path(report)["stray.mid"]
    assert (stray["status"], stray["reason"]) == ("left out", "it lies outside train, valid and test")


def test_a_selection_leaves_out_with_reasons(folder):
    found = by_path(inspect(folder, selection=Selection(meter="3/4", tracks="all")))
    assert found["tune.mid"]["status"] == "left out"
    assert found["tune.mid"]["reason"] == "it is in 4/4, expected 3/4 throughout"
    assert (found["tune.mid"]["split"], found["tune.mid"]["notes_used"], found["tune.mid"]["notes"]) == (None, 0, 10)
    assert found["deep/higher.mid"]["status"] == "kept"
    assert by_path(inspect(folder, selection=Selection(key="B major")))["odd.mid"]["status"] == "left out"


def test_a_selection_that_leaves_nothing_is_still_a_report(folder):
    assert inspect(folder, selection=Selection(min_notes=1000))["totals"]["kept"] == 0


def test_the_first_notes_are_those_that_sound_in_seconds(tmp_path):
    rows = [(240, 480, 61, 90, 0), (480, 240, 66, 40, 1), (1440, 480, 70, 80, 0)]
    score = Score.from_notes(rows, tempi=(Tempo(0, 60.0), Tempo(480, 120.0)), keys=(Key(0, -4, "major"),))
    io.save(score, tmp_path / "tune.mid")
    (file,) = inspect(tmp_path, notes=2)["files"]
    names = ("name", "pitch", "start", "end", "step", "duration", "velocity", "part")
    assert [[note[name] for name in names] for note in file["first_notes"]] == [
        ["Db4", 61, 0.5, 1.25, 0.5, 0.75, 90, 0],
        ["Gb4", 66, 1.0, 1.25, 0.5, 0.25, 40, 1],
    ]
    (merged,) = inspect(tmp_path, notes=9, selection=Selection(tracks="melody"))["files"]
    assert [note["pitch"] for note in merged["first_notes"]] == [61, 66, 70]
    assert "first_notes" not in inspect(tmp_path)["files"][0]


def test_one_file_is_reported_without_split_or_piece(folder):
    report = inspect(folder / "tune.mid")
    (file,) = report["files"]
    assert (file["path"], file["status"], file["split"], file["piece"]) == ("tune.mid", "kept", None, None)
    assert file["notes"] == report["totals"]["notes_used"] == 10
    silent = inspect(folder / "silent.mid")["files"][0]
    assert (silent["status"], silent["never_ending"]) == ("left out", 2)


def test_one_file_that_cannot_be_read_is_reported_as_one_of_a_folder_is(folder):
    report, all_of_them = inspect(folder / "broken.mid"), by_path(inspect(folder))
    assert report["files"] == [all_of_them["broken.mid"]]
    assert report["files"][0]["status"] == "unreadable"
    assert report["totals"]["unreadable"] == 1
    silent = inspect(folder / "silent.mid")["files"][0]
    assert silent["reason"] == all_of_them["silent.mid"]["reason"]


def test_one_file_of_no_kind_that_is_read_is_an_error(folder, tmp_path):
    with pytest.raises(FileFormatError, match="expected a file suffix among"):
        inspect(folder / "notes.txt")
    with pytest.raises(InputError, match="got nothing; is the path right"):
        inspect(tmp_path / "elsewhere")


def test_a_folder_of_broken_files_is_reported_and_one_without_music_refused(tmp_path):
    (tmp_path / "broken.mid").write_bytes(b"")
    report = inspect(tmp_path)
    assert report["totals"]["unreadable"] == report["totals"]["files"] == 1
    assert "is empty" in report["files"][0]["reason"]
    (tmp_path / "broken.mid").rename(tmp_path / "broken.txt")
    with pytest.raises(InputError, match=r"got no file that ends in .mid"):
        inspect(tmp_path)


def test_a_number_of_notes_that_makes_no_sense_is_refused(folder):
    with pytest.raises(OptionError, match="expected 1 note or more to list, got 0"):
        inspect(folder, notes=0)


def test_progress_counts_all_files(folder):
    seen = []
    inspect(folder, advance=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 5) for i in range(1, 6)]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_names_that_are_no_text_can_be_printed(tmp_path):
    io.save(tune(), tmp_path / "tune.mid")
    (tmp_path / "tune.mid").rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mid"))
    json.dumps(inspect(tmp_path), ensure_ascii=False).encode()


note_rows = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(1, 500), st.integers(60, 62), st.integers(1, 9), st.integers(0, 1)),
    max_size=30,
)


@given(note_rows, st.sampled_from([24, 96, 100, 480, 1]))
def test_off_the_grid_is_what_no_24th_of_a_quarter_meets(rows, resolution):
    score = Score.from_notes(rows, ticks_per_quarter=resolution)
    away = [abs(onset * 24 / resolution - round(onset * 24 / resolution)) for onset, *_ in rows]
    share, largest = _off_grid(score)
    assert share == pytest.approx(np.mean([shift > 1e-9 for shift in away]) if rows else 0.0, abs=1e-4)
    assert largest == pytest.approx(max(away, default=0.0), abs=1e-4)


crowded = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 40), st.integers(60, 61), st.just(80), st.integers(0, 1)), max_size=20
)


@given(crowded)
def test_overlapping_notes_are_those_that_begin_while_their_pitch_sounds(rows):
    notes = sorted((part, pitch, onset, duration) for onset, duration, pitch, _, part in rows)
    expected = sum(
        any((a, b) == (part, pitch) and begun + lasting > onset for a, b, begun, lasting in notes[:i])
        for i, (part, pitch, onset, _) in enumerate(notes)
    )
    assert _overlapping(Score.from_notes(rows).notes) == expected


def test_a_part_silent_but_named_is_listed(tmp_path):
    io.save(tune(parts=(Part("Violin", 40), Part("Rest", 41))), tmp_path / "duo.mid")
    (file,) = inspect(tmp_path)["files"]
    assert [(part["name"], part["notes"]) for part in file["parts"]] == [("Violin", 10), ("Rest", 0)]
