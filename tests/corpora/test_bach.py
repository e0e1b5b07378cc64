import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from kantor.corpora import bach as room
from kantor.corpora import load
from kantor.corpora._reader import read_files
from kantor.corpora._twins import are_twins, intervals, melody
from kantor.errors import InputError
from kantor.score import VOICES, Score

corpus_test = pytest.mark.corpus
TINY = Score.from_notes([(0, 480, 60, 64, 0)])


def rows(split=None):
    return [row for row in room.split_table() if split in (None, row["split"])]


def grid(score):
    """(rows, 4) MIDI numbers on sixteenths, 0 for silence; both sides of a frame comparison."""
    sixteenth = score.ticks_per_quarter // 4
    cells = np.zeros((score.length_ticks // sixteenth, 4), int)
    for note in score.notes:
        cells[note["onset"] // sixteenth : (note["onset"] + note["duration"]) // sixteenth, note["part"]] = note[
            "pitch"
        ]
    return cells


# ---- the table ----


def test_the_table_has_each_file_once():
    files = [row["file"] for row in rows()]
    assert len(files) == len(set(files)) == len({Path(file).stem for file in files}) == 365
    assert Counter(row["split"] for row in rows()) == {"train": 217, "valid": 64, "test": 70, "none": 14}
    assert all((row["split"] == "none") == bool(row["twin_of"]) for row in rows())
    assert {"file": "bwv414.mxl", "split": "train", "twin_of": ""} in rows()


def test_the_published_split_is_kept(shared_data):
    with (shared_data / "jsb" / "music21_match.csv").open() as file:
        published = list(csv.DictReader(file))
    splits = {row["file"]: row["split"] for row in rows()}
    known = [row for row in published if row["music21_file"] in splits]
    odd = [row for row in known if splits[row["music21_file"]] != row["split"]]
    assert [(row["music21_file"], row["split"]) for row in odd] == [("bwv414.mxl", "valid")]
    others = set(splits) - {row["music21_file"] for row in known}
    assert Counter(splits[file] for file in others) == {"train": 15, "none": 14}


@corpus_test
def test_the_table_is_what_its_rule_gives(bach, shared_data):
    with (shared_data / "jsb" / "music21_match.csv").open() as file:
        published = list(csv.DictReader(file))
    scores = room.read_all(progress=False)
    held_out = {row["music21_file"] for row in published if row["split"] != "train" and row["music21_file"]}
    scores |= read_files(room._folder(), sorted(held_out - scores.keys()), lambda: None)  # with instruments
    held = {}  # melodies of the published test and valid pieces, accompanied ones and those not in the corpus too
    for row in sorted(published, key=lambda row: row["split"]):
        name, index = row["music21_file"], int(row["index"])
        if row["split"] != "train" and name:
            part = next(i for i, part in enumerate(scores[name].parts) if part.name.startswith("Soprano"))
            held[Path(name).stem] = melody(scores[name], part)
        elif row["split"] == "valid":
            soprano = np.loadtxt(
                shared_data / "jsb" / "valid" / f"chorale_{229 + index}.csv", int, delimiter=",", skiprows=1
            )
            held[f"valid {index}"] = intervals(soprano[:, 0][soprano[:, 0] > 0])
    splits = {row["music21_file"]: row["split"] for row in reversed(published)}
    for row in rows():
        if row["file"] in splits:
            assert row["split"] == splits[row["file"]]
            continue
        twins = [name for name, steps in held.items() if are_twins(melody(scores[row["file"]]), steps)]
        assert row["split"] == ("none" if twins else "train"), row["file"]
        assert not twins or row["twin_of"] in twins


# ---- the music ----


@corpus_test
def test_the_corpus_is_whole(bach):
    assert bach.name == "bach"
    assert "Greentree" in bach.licence
    assert bach.counts == {"train": 217, "valid": 64, "test": 70}
    assert len(bach.report) == 14
    assert bach.pieces() == sorted(bach.pieces(), key=lambda piece: piece.name)
    assert not {name for name, _ in bach.report} & {piece.name for piece in bach.pieces()}


@corpus_test
def test_what_is_known_of_the_music(bach):
    scores = list(room.read_all(progress=False).values())
    assert all(tuple(part.name for part in score.parts) == VOICES for score in scores)
    assert sum(map(len, scores)) == 84910  # of 85726 written ones 816 continue a tie
    assert sum(bool(score.fermatas) for score in scores) == 364
    assert sum(bool(score.keys) for score in scores) == 365
    assert sum(all(key.mode for key in score.keys) for score in scores) == 364
    assert Counter(str(score.meters[0]) for score in scores) == {"4/4": 328, "3/4": 36, "3/2": 1}
    assert sum(score.anacrusis_ticks > 0 for score in scores) == 250


@corpus_test
def test_each_part_is_one_voice(bach):
    for piece in bach.pieces():
        for part in range(4):
            notes = piece.score.notes[piece.score.notes["part"] == part]
            assert np.all(notes["onset"][1:] >= (notes["onset"] + notes["duration"])[:-1]), piece.name
            assert np.all(notes["duration"] > 0)


@corpus_test
def test_the_frames_agree_with_the_published_grids(bach, shared_data):
    with (shared_data / "jsb" / "music21_match.csv").open() as file:
        exact = [row for row in csv.DictReader(file) if row["frame_agreement"] == "1.0000" and row["split"] != "test"]
    pieces = {piece.name: piece for piece in bach.pieces()}
    agreements = []
    for row in exact:
        piece = pieces.get(Path(row["music21_file"]).stem)
        if piece is None:  # with instruments
            continue
        assert piece.split == row["split"]
        number = int(row["index"]) + (229 if row["split"] == "valid" else 0)
        path = shared_data / "jsb" / row["split"] / f"chorale_{number:03}.csv"
        theirs, ours = np.loadtxt(path, int, delimiter=",", skiprows=1), grid(piece.score)
        ours = np.where(ours, ours - int(row["transpose_semitones"]), 0)
        offset = int(row["offset_sixteenths"])  # theirs[0] is ours[offset]: they write repeats out
        ours, theirs = ours[max(offset, 0) :], theirs[max(-offset, 0) :]
        length = min(len(ours), len(theirs))
        agreements.append(np.mean(np.all(ours[:length] == theirs[:length], axis=1)))
    assert len(agreements) == 23
    assert min(agreements) > 0.99


@corpus_test
def test_the_second_reading_comes_from_the_cache(bach, monkeypatch):
    monkeypatch.setattr(room, "_read", lambda *args: pytest.fail("read anew"))
    assert load("bach", progress=False).hash == bach.hash


# ---- the cache, on a corpus of nothing ----


@pytest.fixture
def reads(monkeypatch, tmp_path):
    """Counts the readings of a corpus that has one note in each piece."""
    monkeypatch.setenv("KANTOR_CACHE", str(tmp_path / "new" / "cache"))
    monkeypatch.setattr(room, "_fingerprint", lambda: "version")
    counted = []
    monkeypatch.setattr(room, "_read", lambda names, progress: counted.append(1) or dict.fromkeys(names, TINY))
    return counted


def test_what_was_read_is_kept(reads, tmp_path):
    assert load("bach").hash == load("bach").hash
    assert len(reads) == 1
    assert [place.name for place in (tmp_path / "new" / "cache").iterdir()] == ["bach-version.npz"]


@pytest.mark.parametrize("contents", [b"", b"PK\x03\x04 damaged", b"\x93NUMPY"])
def test_a_damaged_cache_is_made_again(reads, tmp_path, contents):
    load("bach")
    (tmp_path / "new" / "cache" / "bach-version.npz").write_bytes(contents)
    load("bach")
    load("bach")
    assert len(reads) == 2


def test_a_cache_that_cannot_be_written_is_a_warning(reads, tmp_path):
    (tmp_path / "new").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="cannot be kept in .* try another folder by KANTOR_CACHE"):
        assert len(load("bach")) == 351


def test_the_fingerprint_names_the_version_of_music21():
    version, _, code = room._fingerprint().rpartition("-")
    assert version[0].isdigit()
    assert len(code) == 12


def test_a_music21_without_its_corpus_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("KANTOR_CACHE", str(tmp_path))
    monkeypatch.setattr(room, "_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"expected 365 chorales in .*, got 0 of them; try: pip install"):
        load("bach")
