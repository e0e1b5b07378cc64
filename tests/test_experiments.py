"""The experiments that read or write files of other people's: what they take, and what they refuse."""

import io
import os
import pickle
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from experiments import fakes

from kantor import corpora
from kantor.errors import FileFormatError


def archive(path, pieces):
    """As KS_Chorus 2021 is: an array of arrays, pickled by an old NumPy, in an .npz."""
    whole = np.empty(len(pieces), dtype=object)
    whole[:] = pieces
    np.savez(path, pitches=whole)
    return path


def chorale(steps=32, **other):
    piece = np.tile(np.array([72.0, 67.0, 60.0, 48.0]), (steps, 1))
    for row, pitch in other.items():
        piece[int(row[1:]), 0] = pitch
    return piece


def test_fakes_are_read_as_chorales(tmp_path, monkeypatch, capsys):
    pieces = [chorale(_3=74 + n % 2, _5=-1) for n in range(20)]
    file, folder = archive(tmp_path / "fakes.npz", pieces), tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["fakes", str(file), str(folder)])
    fakes.main()
    assert capsys.readouterr().out == "18 train, 2 valid, 0 left out\n"
    (first, *_) = corpora.folder(folder, progress=False).split("train")
    assert sorted(set(first.score.notes["pitch"].tolist())) == [48, 60, 67, 72, 74]
    assert len(first.score.notes[first.score.notes["part"] == 0]) == 4  # 72, 74, 72, silence, 72


@pytest.mark.parametrize(
    "piece",
    [chorale(_2=90), chorale(_2=60.5), chorale()[:, :3], chorale().astype(int), np.full((8, 4), -1.0), "a chorale"],
    ids=["too high", "between keys", "three voices", "whole numbers", "silence", "words"],
)
def test_what_is_no_chorale_is_left_out(piece):
    assert fakes.grid(piece) is None


def test_a_pickle_may_make_arrays_and_nothing_else(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as made:
        made.writestr("pitches.npy", head.getvalue() + pickle.dumps(Harm()))
    with pytest.raises(FileFormatError, match=r"bad\.npz: .* asks for \w+\.mkdir"):
        fakes.pitches(tmp_path / "bad.npz")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_another_file_is_named(tmp_path, content):
    file = tmp_path / "other.npz"
    if content is None:
        np.savez(file, chords=np.zeros(3))
    else:
        file.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"other\.npz: expected an .npz with the array 'pitches'"):
        fakes.pitches(file)


def test_a_damaged_file_is_named_and_does_no_harm(tmp_path):
    """Any four bytes of the pickle changed: it is read, or refused in one sentence."""
    with zipfile.ZipFile(archive(tmp_path / "good.npz", [chorale(8)] * 2)) as made:
        good = made.read("pitches.npy")
    draw = np.random.default_rng(0)
    for _ in range(500):
        bad = bytearray(good)
        for place in draw.integers(128, len(good), 4):
            bad[place] = draw.integers(256)
        with zipfile.ZipFile(tmp_path / "bad.npz", "w") as made:
            made.writestr("pitches.npy", bytes(bad))
        with suppress(FileFormatError):
            [fakes.grid(piece) for piece in fakes.pitches(tmp_path / "bad.npz")]
