"""What a suffix means, and that nothing is ever half written."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from kantor import io, render
from kantor.errors import FileFormatError, OptionError, OutputError, ScoreError
from kantor.score import Meter, Score
from kantor.verbs.outputs import check, numbered, write
from kantor.verbs.render import render as verb
from strategies import grid_score

CHORD = grid_score(np.tile([72, 67, 64, 48], (16, 1)), np.arange(16)[:, None] % 4 == np.zeros(4)).replace(
    meters=(Meter(0, 4, 4),), recipe='{"seed": 1}'
)


@pytest.mark.parametrize("suffix", [*io.SUFFIXES, *render.SUFFIXES, ".MID", ".WAV", ".Svg"])
def test_every_suffix_in_any_letter_case_is_written_and_the_same_each_time(tmp_path, suffix):
    first, again = tmp_path / "new" / f"a{suffix}", tmp_path / f"b{suffix}"
    check([first, again])
    assert write(CHORD, [first, again]) == [first, again]
    assert first.read_bytes() == again.read_bytes()
    assert len(first.read_bytes()) > 100


BEGINNINGS = {
    ".mid": b"MThd",
    ".musicxml": b"<?xml",
    ".mxl": b"PK",
    ".csv": b"note0,note1,note2,note3\n72,67,64,48\n",
    ".wav": b"RIFF",
    ".ogg": b"OggS",
    ".png": b"\x89PNG",
    ".svg": b"<svg",
    ".roll.svg": b"<?xml",
}


@pytest.mark.parametrize(("suffix", "beginning"), BEGINNINGS.items())
def test_a_file_is_what_its_suffix_says(tmp_path, suffix, beginning):
    write(CHORD, [tmp_path / f"x{suffix}"])
    assert (tmp_path / f"x{suffix}").read_bytes().startswith(beginning)


@pytest.mark.parametrize("name", ["x", "x.xyz", ".mid", "x.mid.zip", "x.pdf", ""])
def test_a_suffix_that_means_nothing_is_refused(tmp_path, name):
    with pytest.raises(OptionError) as raised:
        check([tmp_path / "good.mid", Path(name)])
    assert "\n" not in str(raised.value)
    assert not any(tmp_path.iterdir())


def test_several_pieces_need_a_number_in_the_name():
    with pytest.raises(OptionError, match=r"expected \{n\} .* of 3 pieces, got 'a/b.mid'; try 'a/b-\{n\}.mid'"):
        check(["a/b.mid"], 3)
    check(["a/b-{n}.mid"], 3)
    assert numbered(["a/{n}/b-{n}.mid", "c.csv"], 7) == [Path("a/7/b-7.mid"), Path("c.csv")]


def test_a_folder_a_file_as_folder_and_a_locked_folder_are_told_apart(tmp_path, monkeypatch):
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(OutputError, match="is a folder; add a file name"):
        check([tmp_path / "folder.mid"])
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file, not a folder; try another folder"):
        check([tmp_path / "file" / "deep" / "x.mid"])
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="is not writable; try another folder"):
        check([tmp_path / "deep" / "x.mid"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.mid"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"instrument": "kazoo"}, OptionError),
        ({"sample_rate": 3}, OptionError),
        ({"soundfont": "nowhere.sf2"}, FileFormatError),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is_written(tmp_path, options, error):
    with pytest.raises(error):
        check([tmp_path / "x.mid", tmp_path / "x.wav"], **options)
    with pytest.raises(error):
        verb(CHORD, [tmp_path / "x.mid", tmp_path / "x.wav"], **options)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mid", ".csv", ".svg", ".png", ".wav"])
def test_a_write_that_fails_in_the_middle_leaves_no_file(tmp_path, monkeypatch, suffix):
    real = Path.write_bytes

    def full(self, data):
        real(self, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="no space left on device; try another folder"):
        write(CHORD, [tmp_path / f"x{suffix}"])
    assert not any(tmp_path.iterdir())


def test_pages_after_the_first_are_numbered_and_all_are_named(tmp_path):
    rng = np.random.default_rng(0)
    long = grid_score(rng.integers(50, 70, (1200, 4)), np.ones((1200, 4), dtype=bool))
    written = write(long, [tmp_path / "x.svg"])
    assert len(written) > 1
    assert [path.name for path in written] == ["x.svg", *(f"x-{page}.svg" for page in range(2, len(written) + 1))]
    assert sorted(tmp_path.iterdir()) == sorted(written)


# -- render, the verb ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations([".mid", ".musicxml", ".csv"], 2)))
def test_rendering_goes_from_any_format_to_any_other(tmp_path, source, target):
    io.save(CHORD, tmp_path / f"a{source}")
    assert verb(tmp_path / f"a{source}", [tmp_path / f"b{target}"]) == [tmp_path / f"b{target}"]
    sounded = io.load(tmp_path / f"b{target}").notes
    assert sorted(set(sounded["pitch"].tolist())) == [48, 64, 67, 72]
    assert int((sounded["onset"] + sounded["duration"]).max()) == 1920


def test_the_file_that_is_read_is_not_written_over(tmp_path):
    io.save(CHORD, tmp_path / "a.mid")
    before = (tmp_path / "a.mid").read_bytes()
    (tmp_path / "link.mid").symlink_to(tmp_path / "a.mid")
    for output in ("a.mid", "link.mid"):
        with pytest.raises(OptionError, match="other than the file that is read"):
            verb(tmp_path / "a.mid", [tmp_path / "b.csv", tmp_path / output])
    assert (tmp_path / "a.mid").read_bytes() == before
    assert not (tmp_path / "b.csv").exists()


def test_what_a_format_cannot_hold_is_said(tmp_path):
    five = Score.from_notes([(0, 480, 50 + i, 80, i) for i in range(5)])
    with pytest.raises(ScoreError, match="1 to 4 voices, got 5; save as MIDI or MusicXML instead"):
        verb(five, [tmp_path / "x.csv"])
    assert not any(tmp_path.iterdir())
