import os
import time

import pytest

from kantor.corpora import SPLITS, Folder
from kantor.corpora._folder import _by_contents
from kantor.errors import InputError


def grid(pitch, rows=16):
    return "note0,note1,note2,note3\n" + f"{pitch + 24},{pitch + 16},{pitch + 7},{pitch}\n" * rows


def fill(folder, count, start=0):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        (folder / f"piece_{i:03}.csv").write_text(grid(36 + i % 24, 16 + i // 24 * 4))
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
    few = {piece.name: piece.split for piece in Folder(fill(tmp_path, 60), progress=False).pieces()}
    many = {piece.name: piece.split for piece in Folder(fill(tmp_path, 40, start=60), progress=False).pieces()}
    assert few.items() <= many.items()
    (tmp_path / "piece_000.csv").rename(tmp_path / "renamed.csv")
    renamed = {piece.name: piece.split for piece in Folder(tmp_path, progress=False).pieces()}
    assert renamed["renamed.csv"] == many["piece_000.csv"]


def test_three_files_are_enough_for_three_splits():
    for start in range(50):
        digests = {str(i): f"{(start * 7919 + i * 104729) * 2654435761 % 2**64:016x}" for i in range(3)}
        assert set(_by_contents(digests).values()) == set(SPLITS)
    assert len(set(_by_contents({"a": "0" * 16}).values())) == 1


def test_copies_stay_together():
    digests = {f"copy {i}": f"{i % 10 * 2**60:016x}" for i in range(100)}
    chosen = _by_contents(digests)
    assert all(chosen[f"copy {i}"] == chosen[f"copy {i % 10}"] for i in range(100))


def test_about_a_tenth_each_is_valid_and_test():
    chosen = list(_by_contents({str(i): f"{i * 2**54:016x}" for i in range(1000)}).values())
    assert [round(chosen.count(split) / 1000, 1) for split in SPLITS] == [0.8, 0.1, 0.1]


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


def test_the_published_grids_keep_their_split_and_are_read_at_once(shared_data):
    began = time.perf_counter()
    corpus = Folder(shared_data / "jsb", progress=False)
    assert time.perf_counter() - began < 5  # .3 s on an idle machine
    assert corpus.counts == {"train": 229, "valid": 76, "test": 0}
    assert corpus.report == (("music21_match.csv", "it lies outside train, valid and test"),)
