from __future__ import annotations

import subprocess
import sys

import pytest

from kantor import render
from kantor.errors import FileFormatError, OptionError, OutputError
from kantor.score import Meter, Part, Score

SIGNATURES = {
    ".wav": b"RIFF",
    ".mp3": (b"ID3", b"\xff"),
    ".ogg": b"OggS",
    ".svg": b"<svg",
    ".png": b"\x89PNG",
    ".roll.png": b"\x89PNG",
    ".roll.svg": b"<?xml",
}


@pytest.mark.parametrize("suffix", [*SIGNATURES, ".WAV", ".Roll.SVG"])
def test_every_suffix_is_written(chorale, tmp_path, suffix):
    path = tmp_path / f"piece{suffix}"
    assert render.render(chorale, path, sample_rate=22050) == [path]
    assert path.read_bytes().startswith(SIGNATURES[suffix.lower()])


def test_the_table_of_suffixes_is_whole():
    assert set(render.SUFFIXES) == set(SIGNATURES)
    assert {s for s in render.SUFFIXES if s not in render.AUDIO} == set(render._PICTURES)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".roll.svg", ".wav", ".ogg"])
def test_a_file_is_the_same_every_time(chorale, tmp_path, suffix):
    files = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for file in files:
        render.render(chorale, file, sample_rate=8000)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_pages_are_numbered(tmp_path):
    notes = [(quarter * 480, 480, 60 + part, 80, part) for quarter in range(240) for part in range(4)]
    score = Score.from_notes(notes, parts=(Part(),) * 4, meters=(Meter(0, 4, 4),))
    written = render.render(score, tmp_path / "long.svg")
    assert [path.name for path in written[:2]] == ["long.svg", "long-2.svg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)


def test_an_instrument_changes_the_sound(chorale, tmp_path):
    sounds = set()
    for name in (None, "church organ", "Choir Aahs"):
        render.render(chorale, tmp_path / "piece.wav", instrument=name, sample_rate=8000)
        sounds.add((tmp_path / "piece.wav").read_bytes())
    assert len(sounds) == 3


def test_nothing_is_written_when_something_is_wrong(chorale, tmp_path):
    with pytest.raises(OptionError, match=r"\.roll\.png"):
        render.render(chorale, tmp_path / "piece.gif")
    with pytest.raises(OptionError, match=r"piece\.svg"):
        render.render(chorale, tmp_path / "piece.pdf")
    with pytest.raises(OptionError, match="instrument"):
        render.render(chorale, tmp_path / "piece.wav", instrument="theremin")
    with pytest.raises(FileFormatError, match="SoundFont"):
        render.render(chorale, tmp_path / "piece.wav", soundfont=tmp_path / "absent.sf2")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_an_error(chorale, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError):
        render.render(chorale, tmp_path / "file" / "piece.png")


def test_the_room_opens_without_its_libraries():
    program = (
        "import sys, kantor.render, kantor.render.audio, kantor.render.engraving, kantor.render.pianoroll\n"
        "print(*{'matplotlib', 'verovio', 'soundfile', 'midirenderer', 'pretty_midi'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
