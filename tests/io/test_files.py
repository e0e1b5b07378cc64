"""Files by their suffix: found, written whole, refused in one sentence."""

import os
from pathlib import Path

import pytest

from kantor import io
from kantor.errors import FileFormatError, OptionError, OutputError, ScoreError
from kantor.score import VOICES, Part, Score

SCORE = Score.from_notes(
    [(v * 480, 480, 70 - 7 * v, 80, v) for v in range(4)], parts=tuple(Part(name) for name in VOICES), recipe='{"a": 1}'
)


@pytest.mark.parametrize("suffix", io.SUFFIXES)
def test_every_suffix_reads_what_it_writes(tmp_path, suffix):
    for path in (tmp_path / "new" / "folder" / f"x{suffix}", tmp_path / f"X{suffix.upper()}"):
        io.save(SCORE, path)
        assert io.load(path) == SCORE
        assert io.load(str(path)).recipe == '{"a": 1}'
        assert path.read_bytes() == io.encode(SCORE, suffix)


def test_a_folder_holds_what_was_saved_and_nothing_else(tmp_path):
    io.save(SCORE, tmp_path / "x.mid")
    io.save(SCORE, tmp_path / "x.mid")
    io.save(SCORE, tmp_path / "x.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.csv.json", "x.mid"]


def test_a_changed_csv_loses_its_recipe(tmp_path):
    io.save(SCORE, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open("a") as file:
        file.write("0,0,0,60\n")
    assert io.load(tmp_path / "x.csv").recipe == ""


@pytest.mark.parametrize("name", ["x", "x.wav", "x.mid.zip", ".mid"])
def test_an_unknown_suffix_is_answered_with_the_known_ones(tmp_path, name):
    (tmp_path / name).write_bytes(b"MThd")
    with pytest.raises(FileFormatError, match=r"\.mid, .*\.csv"):
        io.load(tmp_path / name)
    with pytest.raises(OptionError, match=r"\.mid, .*\.csv"):
        io.save(SCORE, tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"MThd"


@pytest.mark.parametrize("suffix", io.SUFFIXES)
@pytest.mark.parametrize("data", [b"", b"\0", b"PK\3\4", b"MThd\0\0\0\6", b"<score-partwise/>", bytes(range(256))])
def test_a_file_that_is_not_what_its_suffix_says_is_refused(tmp_path, suffix, data):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    with pytest.raises(FileFormatError) as raised:
        io.load(path)
    assert f"x{suffix}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_not_there_or_no_file_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="no file"):
        io.load(tmp_path / "none.mid")
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(FileFormatError, match="directory"):
        io.load(tmp_path / "folder.mid")
    with pytest.raises(FileFormatError, match=r"null"):
        io.load("a\0b.mid")


def test_a_giant_is_refused_unread(tmp_path):
    with (tmp_path / "x.mid").open("wb") as file:
        file.truncate(io.MAX_BYTES + 1)
    with pytest.raises(FileFormatError, match="at most"):
        io.load(tmp_path / "x.mid")


def test_what_cannot_be_encoded_touches_nothing(tmp_path):
    many = Score.from_notes([(0, 480, 60, 80, 5)])
    with pytest.raises(ScoreError):
        io.save(many, tmp_path / "new" / "x.csv")
    assert not any(tmp_path.iterdir())


def test_what_cannot_be_written_is_said_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.mid").mkdir()
    for path in (tmp_path / "file" / "x.mid", tmp_path / "folder.mid", tmp_path / "a\0b.mid"):
        with pytest.raises(OutputError, match=r"cannot be written|is a folder") as raised:
            io.save(SCORE, path)
        assert "\n" not in str(raised.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_that_is_not_writable_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission denied"):
        io.save(SCORE, tmp_path / "x.mid")
    tmp_path.chmod(0o700)


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "x.mid"
    io.write_bytes(path, b"old")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="no space left"):
        io.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.mid"]
