import io as stdlib_io
import itertools
import os
import random
import sys

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import io
from kantor.corpora import Folder, survey
from kantor.errors import InputError
from kantor.score import NOTE, Part, Score, Tempo


def grid(pitch, rows=16):
    return "note0,note1,note2,note3\n" + f"{pitch + 24},{pitch + 16},{pitch + 7},{pitch}\n" * rows


def fill(folder, count, start=0):
    """So many pieces, none of which resembles another."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        draw = random.Random(i)
        rows = [",".join(str(draw.randint(low, low + 20)) for low in (60, 53, 46, 39)) for _ in range(16)]
        (folder / f"piece_{i:03}.csv").write_text("\n".join(["note0,note1,note2,note3", *rows]) + "\n")
    return folder


def test_every_readable_file_is_a_piece(tmp_path):
    fill(tmp_path / "deep" / "er", 3)
    (tmp_path / "LOUD.CSV").write_text(grid(40))
    (tmp_path / "notes.txt").write_text("not music")
    (tmp_path / ".hidden.csv").write_text(grid(40))
    fill(tmp_path / ".git", 1)
    corpus = Folder(tmp_path, progress=False)
    assert [piece.name for piece in corpus.pieces()] == ["LOUD.CSV", *(f"deep/er/piece_{i:03}.csv" for i in range(3))]
    assert corpus.name == tmp_path.name
    assert corpus.report == ()
    assert corpus.hash == Folder(str(tmp_path), progress=False).hash


def test_subfolders_named_after_splits_are_the_splits(tmp_path):
    for i, split in enumerate(("Train", "valid", "test")):
        fill(tmp_path / split, 4 - i, start=4 * i)
    (tmp_path / "index.csv").write_text("file,composer\n")
    corpus = Folder(tmp_path, progress=False)
    assert corpus.counts == {"train": 4, "valid": 3, "test": 2}
    assert corpus.split("train")[0].name == "Train/piece_000.csv"
    assert corpus.report == (("index.csv", "it lies outside train, valid and test"),)


def test_a_folder_train_alone_splits_nothing(tmp_path):
    fill(tmp_path / "train", 20)
    assert min(Folder(tmp_path, progress=False).counts.values()) > 0


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_folder_valid_or_test_alone_is_that_split_whatever_lies_beside_it(tmp_path, split):
    fill(tmp_path / split, 20)
    assert Folder(tmp_path, progress=False).counts == {"train": 0, "valid": 0, "test": 0, split: 20}
    (tmp_path / "index.csv").write_text("file,composer\n")
    assert Folder(tmp_path, progress=False).counts == {"train": 0, "valid": 0, "test": 0, split: 20}


def test_without_a_folder_valid_train_and_test_stay_apart(tmp_path):
    fill(tmp_path / "train", 6)
    fill(tmp_path / "test", 5, start=6)
    assert Folder(tmp_path, progress=False).counts == {"train": 6, "valid": 0, "test": 5}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_passed_over_not_waited_for(tmp_path):
    fill(tmp_path, 3)
    os.mkfifo(tmp_path / "pipe.mid")
    assert len(Folder(tmp_path, progress=False)) == 3


def test_the_split_is_stable_when_files_come_or_are_renamed(tmp_path):
    few = {piece.name: piece.split for piece in Folder(fill(tmp_path, 120), progress=False).pieces()}
    many = {piece.name: piece.split for piece in Folder(fill(tmp_path, 40, start=120), progress=False).pieces()}
    assert few.items() <= many.items()
    (tmp_path / "piece_000.csv").rename(tmp_path / "renamed.csv")
    renamed = {piece.name: piece.split for piece in Folder(tmp_path, progress=False).pieces()}
    assert renamed["renamed.csv"] == many["piece_000.csv"]


def test_three_files_are_enough_for_three_splits(tmp_path):
    for start in range(5):
        folder = fill(tmp_path / str(start), 3, start=3 * start)
        assert Folder(folder, progress=False).counts == {"train": 1, "valid": 1, "test": 1}


def test_files_that_cannot_be_read_are_reported(tmp_path):
    fill(tmp_path, 3)
    (tmp_path / "broken.mid").write_bytes(b"MThd, but no more")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "dangling.mid").symlink_to(tmp_path / "nowhere.mid")
    with pytest.warns(UserWarning, match=r"3 of 6 files .* cannot be read and are left out; the first: "):
        corpus = Folder(tmp_path, progress=False)
    assert len(corpus) == 3
    assert [name for name, _ in corpus.report] == ["broken.mid", "dangling.mid", "empty.csv"]
    assert all(reason for _, reason in corpus.report)


def test_nothing_to_read_is_an_error_with_reasons(tmp_path):
    with pytest.raises(InputError, match=r"got nothing that can be read. It has no file that ends in .mid"):
        Folder(tmp_path)
    (tmp_path / "broken.csv").write_text("what is this\n")
    with pytest.raises(InputError, match=r"got nothing that can be read. .*broken.csv"):
        Folder(tmp_path)


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="got nothing"):
        Folder(tmp_path / "absent")
    (tmp_path / "file.mid").write_bytes(b"")
    with pytest.raises(InputError, match="got a file"):
        Folder(tmp_path / "file.mid")


def test_links_are_followed_and_circles_are_harmless(tmp_path):
    fill(tmp_path / "elsewhere", 2)
    music = tmp_path / "music"
    fill(music / "a", 1)
    (music / "a" / "again").symlink_to(music)
    (music / "b").symlink_to(tmp_path / "elsewhere")
    names = [piece.name for piece in Folder(music, progress=False).pieces()]
    assert names == ["a/piece_000.csv", "b/piece_000.csv", "b/piece_001.csv"]


def test_the_published_grids_keep_their_split(shared_data):
    corpus = Folder(shared_data / "jsb", progress=False)
    assert corpus.counts == {"train": 229, "valid": 76, "test": 0}
    assert corpus.report == (("music21_match.csv", "it lies outside train, valid and test"),)


# ---- what files may be like ----


def track(*messages):
    return mido.MidiTrack(messages)


def written(path, *tracks, kind=1, ticks=480):
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(type=kind, ticks_per_beat=ticks, tracks=list(tracks)).save(path)
    return path


def played(*pitches, channel=0, length=480, gap=0):
    """Notes one after the other."""
    for pitch in pitches:
        yield mido.Message("note_on", channel=channel, note=pitch, velocity=64, time=gap)
        yield mido.Message("note_off", channel=channel, note=pitch, velocity=0, time=length)


def program(number, channel=0):
    return mido.Message("program_change", channel=channel, program=number)


def heard(path):
    """When which pitch begins, in seconds: as mido plays the file."""
    now, found = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity:
            found.append((now, message.note))
    return sorted(found)


def merged(*lines):
    """One track of several."""
    events = [
        (at, message)
        for line in lines
        for at, message in zip(itertools.accumulate(m.time for m in line), line, strict=True)
    ]
    events.sort(key=lambda event: event[0])
    waits = np.diff([0, *(at for at, _ in events)]).tolist()
    return track(*(message.copy(time=wait) for (_, message), wait in zip(events, waits, strict=True)))


def orchestra(kind):
    """Flute, bass and drums in 7/8, which hurry; as one track or as several."""
    lines = [
        [
            mido.MetaMessage("time_signature", numerator=7, denominator=8),
            mido.MetaMessage("set_tempo", tempo=500_000),
            mido.MetaMessage("set_tempo", tempo=250_000, time=960),
            mido.MetaMessage("set_tempo", tempo=375_000, time=700),
        ],
        [program(73), *played(72, 74, 76, 77, 79, 76, 74, 72)],
        [program(32, 1), *played(36, 43, 36, 41, channel=1, length=960)],
        [*played(36, 38, 36, 38, 42, 42, 42, channel=9, length=240, gap=13)],
    ]
    return [track(*line) for line in lines] if kind else [merged(*lines)]


@pytest.mark.parametrize("kind", [0, 1])
def test_instruments_drums_odd_metres_and_tempi_are_read_as_they_are_played(tmp_path, kind):
    path = written(tmp_path / "a" / "b" / "band.mid", *orchestra(kind), kind=kind)
    (piece,) = Folder(tmp_path, progress=False).pieces()
    assert piece.name == "a/b/band.mid"
    score = piece.score
    seconds = score.ticks_to_seconds(score.notes["onset"]).tolist()
    found = sorted(zip(seconds, score.notes["pitch"].tolist(), strict=True))
    assert np.allclose(found, heard(path), atol=1e-6)
    assert sorted((part.program, part.is_drum) for part in score.parts) == [(0, True), (32, False), (73, False)]
    assert [str(meter) for meter in score.meters] == ["7/8"]


def test_type_0_and_type_1_of_one_piece_are_one_piece(tmp_path):
    for kind in (0, 1):
        written(tmp_path / f"type{kind}.mid", *orchestra(kind), kind=kind)
    assert [piece.group for piece in Folder(tmp_path, progress=False).pieces()] == ["type0.mid", "type0.mid"]


def test_files_without_notes_are_left_out_with_their_reason(tmp_path):
    fill(tmp_path, 2)
    written(tmp_path / "silent.mid", track(mido.MetaMessage("set_tempo", tempo=500_000)))
    written(tmp_path / "begun.mid", track(mido.Message("note_on", note=60), mido.Message("note_on", note=64, time=9)))
    (tmp_path / "rests.csv").write_text("note0\n0\n0\n")
    corpus = Folder(tmp_path, progress=False)
    assert len(corpus) == 2
    assert dict(corpus.report) == {
        "begun.mid": "'begun.mid' has no note that ends: 2 only begin.",
        "rests.csv": "'rests.csv' has no notes.",
        "silent.mid": "'silent.mid' has no notes.",
    }


def test_a_folder_of_silence_is_an_error_with_reasons(tmp_path):
    written(tmp_path / "silent.mid", track(mido.MetaMessage("set_tempo", tempo=500_000)))
    with pytest.raises(InputError, match=r"got nothing that can be read. 'silent.mid' has no notes"):
        Folder(tmp_path)


def test_notes_outside_the_piano_are_kept(tmp_path):
    written(tmp_path / "wide.mid", track(*played(3, 60, 120)))
    assert Folder(tmp_path, progress=False).pieces()[0].score.notes["pitch"].tolist() == [3, 60, 120]


def test_a_note_without_length_lasts_a_tick_and_one_without_end_is_left_out(tmp_path):
    hung = mido.Message("note_on", note=70, velocity=64)
    written(tmp_path / "odd.mid", track(hung, *played(60, length=0), *played(62)))
    rows = Folder(tmp_path, progress=False).pieces()[0].score.notes[["onset", "duration", "pitch"]].tolist()
    assert rows == [(0, 1, 60), (0, 480, 62)]


def test_a_tempo_of_0_is_passed_over(tmp_path):
    stopped = [mido.MetaMessage("set_tempo", tempo=tempo) for tempo in (0, 1_000_000, 0)]
    written(tmp_path / "stopped.mid", track(*stopped, *played(60)))
    (piece,) = Folder(tmp_path, progress=False).pieces()
    assert piece.score.tempi in ((), (Tempo(0, 60.0),))
    assert piece.score.seconds in (0.5, 1.0)


def test_ten_hours_of_music_are_a_piece_like_any_other(tmp_path):
    notes = np.zeros(100_000, dtype=NOTE)
    notes["onset"] = np.linspace(0, 10 * 3600 * 960, len(notes)).astype(int)
    notes["duration"], notes["velocity"] = 400, 80
    notes["pitch"] = np.random.default_rng(0).integers(30, 90, len(notes))
    tempi = tuple(Tempo(tick, 100.0 + tick % 41) for tick in range(0, 10 * 3600 * 960, 9600))
    io.save(Score(notes, parts=(Part(),), tempi=tempi), tmp_path / "long.mid")
    (piece,) = Folder(tmp_path, progress=False).pieces()
    assert len(piece.score) == 100_000
    assert piece.score.seconds > 8 * 3600


def test_a_file_beyond_the_limit_is_refused_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(io, "MAX_BYTES", 100)
    fill(tmp_path, 1)
    io.save(Score.from_notes([(0, 480, 60, 80, 0)]), tmp_path / "small.mid")
    with pytest.warns(UserWarning, match="1 of 2 files"):
        report = Folder(tmp_path, progress=False).report
    assert "expected at most 100; split it." in report[0][1]


@given(st.data())
def test_whatever_bytes_lie_beside_good_files_nothing_is_lost_or_raised(tmp_path_factory, data):
    folder = fill(tmp_path_factory.mktemp("mixed"), 1)
    file = stdlib_io.BytesIO()
    mido.MidiFile(tracks=orchestra(1)).save(file=file)
    good = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    (folder / "damaged.mid").write_bytes(good[: data.draw(st.integers(0, len(good)))])
    found = survey(folder, progress=False)
    named = [piece.name for piece in found.members] + [name for name, _ in found.left_out + found.unreadable]
    assert sorted(named) == ["damaged.mid", "piece_000.csv"]
    assert all(len(piece.score) for piece in found.members)


def test_files_that_are_no_music_are_named_by_a_survey(tmp_path):
    fill(tmp_path, 1)
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "LICENCE").write_text("yours")
    assert [name for name, _ in survey(tmp_path, progress=False).others] == ["LICENCE", "readme.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_names_of_files_need_not_be_text(tmp_path):
    fill(tmp_path, 3)
    (tmp_path / "piece_000.csv").rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.csv"))
    corpus = Folder(tmp_path, progress=False)
    assert len(corpus) == 3
    assert len(corpus.hash) == 64


def test_the_primitives_hold_the_notes_that_mido_hears(shared_data):
    folder = shared_data / "midi-primitives"
    for piece in Folder(folder, progress=False).pieces():
        assert sorted(piece.score.notes["pitch"].tolist()) == sorted(p for _, p in heard(folder / piece.name))


# ---- a piece of music is on one side ----


def versions(folder, count, seed=0):
    """Performances of one piece: touch, tempo and key differ."""
    draw = random.Random(seed)
    pitches = [draw.randint(40, 80) for _ in range(60)]
    for number in range(count):
        pace = draw.uniform(0.7, 1.4)
        rows = [
            (
                int(i * 480 * pace) + draw.randint(0, 40),
                draw.randint(100, 500),
                pitch + number % 5,
                draw.randint(20, 99),
                0,
            )
            for i, pitch in enumerate(pitches)
        ]
        io.save(Score.from_notes(rows), folder / f"{draw.randint(0, 10**9):09}_of_{seed}.mid")


def test_versions_of_a_piece_are_on_one_side_wherever_they_lie(tmp_path):
    for seed in range(12):
        (tmp_path / f"{seed % 3}").mkdir(exist_ok=True)
        versions(tmp_path, 2, seed)
        versions(tmp_path / f"{seed % 3}", 2, seed)
    corpus = Folder(tmp_path, progress=False)
    sides = {}
    for piece in corpus.pieces():
        sides.setdefault(piece.name.split("_of_")[1], set()).add((piece.group, piece.split))
    assert len(sides) == 12
    assert all(len(side) == 1 for side in sides.values())
    assert len({piece.group for piece in corpus.pieces()}) == 12


def test_a_piece_of_many_versions_is_not_drawn_to_any_side(tmp_path):
    for seed in range(100):
        versions(tmp_path, 5, seed)
    groups = {piece.group: piece.split for piece in Folder(tmp_path, progress=False).pieces()}
    assert len(groups) == 100
    assert 60 <= list(groups.values()).count("train") <= 75  # 80 where it is: valid and test at their least


def test_a_split_that_was_given_stands_even_where_versions_are_on_two_sides(tmp_path):
    for split in ("train", "valid"):
        (tmp_path / split).mkdir()
        versions(tmp_path / split, 1)
    corpus = Folder(tmp_path, progress=False)
    assert corpus.counts == {"train": 1, "valid": 1, "test": 0}
    assert len({piece.group for piece in corpus.pieces()}) == 1


def test_a_hundred_different_pieces_in_one_folder_are_a_hundred(shared_data):
    corpus = Folder(shared_data / "classical-piano", progress=False)
    assert len(corpus) == len({piece.group for piece in corpus.pieces()}) == 100
    assert min(corpus.counts.values()) >= 10


def test_the_performances_in_a_folder_of_asap_are_one_piece(shared_data):
    corpus = Folder(shared_data / "asap", progress=False)
    assert len(corpus) == 1101
    folders = {}
    for piece in corpus.pieces():
        folder = piece.name.rsplit("/", 1)[0]
        for repeats in ("_no_repeat", "_no_2_repeat", "_repeat"):  # the same music, played without a repeat
            folder = folder.removesuffix(repeats)
        folders.setdefault(folder, set()).add((piece.group, piece.split))
    assert len(folders) == len({group for found in folders.values() for group, _ in found}) == 180
    assert all(len(found) == 1 for found in folders.values())
