"""What a suffix means, and that nothing is ever half written."""

import itertools
import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from kantor import io, render
from kantor.errors import FileFormatError, OptionError, OutputError, ScoreError
from kantor.score import Meter, Part, Score
from kantor.verbs.outputs import check, check_new, numbered, standing, write
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


# -- what is there already -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "count", "there"),
    [
        (["a.mid"], 1, ["a.mid"]),
        (["new.mid", "new.svg", "a.PNG"], 1, ["a.PNG"]),
        (["{n}/a.mid", "b-{n}.csv"], 12, ["11/a.mid", "b-12.csv"]),
        (["a.svg"], 1, ["a-2.svg", "a-13.svg"]),
        (["a.csv"], 1, ["a.csv.json"]),
        (["a.roll.svg"], 1, ["a.roll.svg"]),
    ],
)
def test_a_file_that_is_there_is_refused_unless_forced(tmp_path, outputs, count, there):
    paths = [tmp_path / output for output in outputs]
    for name in there:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("precious")
    assert sorted(standing(path for take in range(1, count + 1) for path in numbered(paths, take))) == sorted(
        tmp_path / name for name in there
    )
    more = f" and {len(there) - 1} more" if len(there) > 1 else ""
    with pytest.raises(OptionError) as raised:
        check(paths, count)
    assert str(raised.value) == (
        f"expected new files to write, got '{tmp_path / there[0]}'{more} that exist already; try another name, or "
        "--force (in Python force=True) to write over what is there."
    )
    check(paths, count, force=True)
    assert all((tmp_path / name).read_text() == "precious" for name in there)


def test_what_only_looks_like_a_further_page_is_not_in_the_way(tmp_path):
    for name in ("a-1.svg", "a-02.svg", "a-x.svg", "a-2.png", "b-2.svg", "a-2.roll.svg", "a+-2.svg"):
        (tmp_path / name).write_text("other")
    (tmp_path / "a-3.svg").mkdir()
    check([tmp_path / "a.svg", tmp_path / "a.mid"])
    check([tmp_path / "new" / "a.svg"])


@pytest.mark.parametrize("outputs", [["a.mid", "./a.mid"], ["a-{n}.mid", "a-1.mid"]])
def test_one_name_twice_is_refused_however_it_is_written(tmp_path, monkeypatch, outputs):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="expected every output once"):
        check(outputs)


def test_every_file_of_every_format_that_is_written_is_in_the_way_of_the_next(tmp_path):
    rng = np.random.default_rng(0)
    long = grid_score(rng.integers(50, 70, (1200, 4)), np.ones((1200, 4), dtype=bool)).replace(recipe='{"seed": 1}')
    outputs = [tmp_path / f"x{suffix}" for suffix in (".mid", ".mxl", ".csv", ".ogg", ".svg", ".roll.png")]
    write(long, outputs)
    assert set(standing(outputs)) == set(tmp_path.iterdir())


def test_new_files_alone_are_let_through(tmp_path):
    (tmp_path / "a.pdf").write_text("")
    check_new([tmp_path / "b.pdf", tmp_path])
    with pytest.raises(OptionError, match=r"a\.pdf' that exist already"):
        check_new([tmp_path / "b.pdf", tmp_path / "a.pdf"])


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


def test_rendering_writes_over_files_only_where_it_is_told_to_and_over_its_source_never(tmp_path):
    io.save(CHORD, tmp_path / "a.mid")
    (tmp_path / "b.csv").write_text("precious")
    with pytest.raises(OptionError, match=r"b\.csv' that exist already"):
        verb(tmp_path / "a.mid", [tmp_path / "c.mid", tmp_path / "b.csv"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mid", "b.csv"]
    verb(tmp_path / "a.mid", [tmp_path / "c.mid", tmp_path / "b.csv"], force=True)
    assert (tmp_path / "b.csv").read_text().startswith("note0,")
    with pytest.raises(OptionError, match="other than the file that is read"):
        verb(tmp_path / "a.mid", [tmp_path / "a.mid"], force=True)


def test_an_instrument_names_the_parts_that_were_named_after_theirs(tmp_path):
    parts = (Part("Piano"), Part("Solo"), Part("Church organ", 19), Part("Piano", 0, True), Part(""))
    score = Score.from_notes([(0, 480, 60, 80, part) for part in range(5)], parts=parts)
    write(score, [tmp_path / "a.musicxml"], instrument="flute")
    root = ElementTree.parse(tmp_path / "a.musicxml").getroot()
    assert [part.text for part in root.iter("part-name")] == ["Flute", "Solo", "Flute", "Piano", None]
    assert [each.text for each in root.iter("instrument-name")] == ["flute", "flute", "flute", "drum kit", "flute"]
