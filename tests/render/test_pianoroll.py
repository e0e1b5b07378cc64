from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib
import matplotlib.image
import numpy as np
import pytest

from kantor.errors import ScoreError, UnknownNameError
from kantor.render import pianoroll
from kantor.score import Key, Meter, Part, Score

BLUE = (0x00, 0x72, 0xB2)


def pixels(data):
    """(height, width, 3) bytes of a PNG."""
    return np.round(matplotlib.image.imread(io.BytesIO(data))[..., :3] * 255).astype(int)


def lines(count, bars, **known):
    """Bars of quarters, the same in each part an octave lower."""
    notes = [(q * 480, 480, 72 - 12 * part, 80, part) for q in range(4 * bars) for part in range(count)]
    return Score.from_notes(notes, parts=(Part(),) * count, meters=(Meter(0, 4, 4),), **known)


def bars_of(axes):
    """(notes, 4, 2) corners of the notes drawn in a row."""
    kinds = [c for c in axes.collections if type(c).__name__ == "PolyCollection"]
    return np.concatenate([[path.vertices[:4] for path in kind.get_paths()] for kind in kinds])


def test_a_picture_opens_and_has_the_size_of_a_page(piece):
    picture = pixels(pianoroll.draw(piece, "png"))
    height, width = picture.shape[:2]
    assert width == 1200
    assert 200 < height < 900
    assert (picture[0] == 255).all()
    assert (picture[:, -1] == 255).all()
    assert (picture == BLUE).all(axis=-1).any()


@pytest.mark.parametrize("kind", pianoroll.KINDS)
def test_a_picture_is_the_same_every_time(chorale, kind):
    assert pianoroll.draw(chorale, kind) == pianoroll.draw(chorale, kind)


def test_a_pdf_is_one_and_says_nothing_of_the_day(chorale):
    data = pianoroll.draw(chorale, "pdf")
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert not [word for word in (b"CreationDate", b"Creator", b"Producer") if word in data]


def test_an_svg_is_well_formed_and_undated(chorale):
    data = pianoroll.draw(chorale, "svg")
    assert ET.fromstring(data).tag.endswith("svg")
    assert b"dc:date" not in data


def test_every_note_is_drawn_where_it_sounds(piece):
    (axes,) = pianoroll.piano_roll(piece).axes
    drawn = {(corners[:, 0].min(), corners[:, 0].max(), round(corners[:, 1].mean())) for corners in bars_of(axes)}
    notes = piece.notes
    assert drawn == {(n["onset"], n["onset"] + n["duration"], n["pitch"]) for n in notes}
    low, high = axes.get_ylim()
    assert low < notes["pitch"].min() - 0.5
    assert notes["pitch"].max() + 0.5 < high


def test_parts_in_unison_share_the_height_of_a_note():
    score = Score.from_notes([(0, 960, 60, 80, 0), (480, 960, 60, 80, 1), (1920, 480, 60, 80, 1)])
    heights = [corners[:, 1] for corners in bars_of(pianoroll.piano_roll(score).axes[0])]
    upper, lower, alone = ((h.min(), h.max()) for h in heights)
    assert upper[0] == pytest.approx(lower[1])
    assert alone == pytest.approx((lower[0], upper[1]))


def test_the_first_full_bar_is_bar_one_and_a_cut_bar_counts_once(chorale):
    assert pianoroll._bar_numbers(chorale).tolist() == [0, 1, 2, 3, 4]
    cut = lines(1, 3).replace(barlines=(0, 1920, 3360, 3840))
    assert pianoroll._bar_numbers(cut).tolist() == [1, 2, 2, 3]


def test_words_on_the_page(chorale):
    figure = pianoroll.piano_roll(chorale)
    words = [text.get_text() for text in figure.texts]
    assert words == ["A small chorale", "G major · 4/4 · ♩ = 80"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["", "1", "2", "3", "4"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["C3", "F3", "C4", "F4", "C5"]


def test_fermatas_stand_over_the_highest_note(chorale):
    axes = pianoroll.piano_roll(chorale).axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(dots) == len(chorale.fermatas)
    assert all(dot.get_ydata()[0] > 60 for dot in dots)


def test_rows_hold_eight_bars_and_a_pickup_goes_with_the_first():
    score = lines(2, 20, anacrusis_ticks=480)
    rows = pianoroll._rows(score, None)
    assert rows == [(0, 480 + 8 * 1920), (480 + 8 * 1920, 480 + 16 * 1920), (480 + 16 * 1920, 20 * 1920)]
    axes = pianoroll.piano_roll(score).axes
    widths = [a.get_position().width / (end - start) for a, (start, end) in zip(axes, rows, strict=True)]
    assert widths == pytest.approx([widths[0]] * 3)
    assert len(pianoroll.piano_roll(score, bars_per_row=20).axes) == 1


def test_a_long_piece_gets_wider_rows_and_never_more_than_forty():
    assert len(pianoroll._rows(lines(1, 200), None)) == 13
    assert len(pianoroll._rows(lines(1, 2000), None)) == 40
    assert pianoroll.piano_roll(lines(1, 200)).get_figwidth() == 20


def test_a_score_without_notes_is_drawn():
    assert pixels(pianoroll.draw(Score.from_notes([]))).shape[1] == 1200


def test_extremes_are_drawn():
    parts = tuple(Part(f"$part_{i}$") for i in range(12))
    notes = [(0, 1, 0, 80, 0), (0, 0, 127, 80, 11), (10, 5000, 64, 80, 5)]
    score = Score.from_notes(
        notes, parts=parts, title="$x^ $ " * 30, keys=(Key(0, -7, "minor"),), fermatas=(0, 10, 9999)
    )
    assert pixels(pianoroll.draw(score)).shape[1] == 1200


@pytest.mark.parametrize(
    ("fifths", "mode", "name"),
    [(0, "major", "C major"), (0, "minor", "A minor"), (-1, "major", "F major"), (-2, "major", "B♭ major"),
     (6, "major", "F♯ major"), (3, "minor", "F♯ minor"), (-4, "minor", "F minor"), (-5, "minor", "B♭ minor"),
     (7, "major", "C♯ major"), (-7, "major", "C♭ major"), (2, "", "2 sharps"), (-1, "", "1 flat"),
     (0, "", "no accidentals")],
)  # fmt: skip
def test_keys_have_their_names(fifths, mode, name):
    assert pianoroll._key_name(Key(0, fifths, mode)) == name


def test_beats_are_those_of_the_meter():
    jig = Score.from_notes([(0, 2880, 60, 80, 0)], meters=(Meter(0, 6, 8),))
    assert pianoroll._beats(jig, 0, 2880).tolist() == [720, 2160]
    waltz = Score.from_notes([(0, 1920, 60, 80, 0)], meters=(Meter(0, 3, 4),), anacrusis_ticks=480)
    assert pianoroll._beats(waltz, 0, 1920).tolist() == [960, 1440]


def test_what_cannot_be_drawn_is_refused(chorale):
    with pytest.raises(UnknownNameError, match="pdf, png, svg"):
        pianoroll.draw(chorale, "gif")
    with pytest.raises(ScoreError, match="40000 quarters"):
        pianoroll.draw(Score.from_notes([(2**39, 480, 60, 80, 0)]))


def test_matplotlib_is_left_as_it_was(chorale):
    before, level = dict(matplotlib.rcParams), logging.getLogger("matplotlib").level
    pianoroll.draw(chorale)
    assert dict(matplotlib.rcParams) == before
    assert logging.getLogger("matplotlib").level == level


def test_a_home_that_cannot_be_written_is_not_worth_a_word(tmp_path):
    program = (
        "from kantor.score import Score\nfrom kantor.render import render\n"
        "render(Score.from_notes([(0, 480, 60, 80, 0)]), 'roll.png')\n"
        "import sys\nassert 'matplotlib.pyplot' not in sys.modules\n"
    )
    (tmp_path / "file").write_text("no folder")
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path / "file")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
