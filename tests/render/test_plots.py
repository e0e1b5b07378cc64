from __future__ import annotations

import io
import itertools
import logging
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from kantor.errors import OptionError
from kantor.evaluation.histograms import histograms, intersection
from kantor.render import pianoroll, plots
from kantor.score import Score

Q = 480
TUNE = Score.from_notes([(at * Q // 2, Q // 2 + Q * (at % 3), 60 + at % 5, 80, 0) for at in range(40)])
WIDE = Score.from_notes([(at * 7 * Q, at * 20, at, 80, 0) for at in range(128)])
NOTHING = histograms([])
ONE, OTHER = histograms([TUNE]), histograms([TUNE, WIDE])

LOSS = 0.4 + 2.4 / np.arange(1, 81)
FIGURES = {
    "train_nats": LOSS - 0.1,
    "valid_nats": LOSS,
    "valid_accuracy": 1 - LOSS / 3,
    "learning_rate": np.linspace(1e-3, 0, 80),
}
SHORT = {name: values[:9] for name, values in FIGURES.items() if name != "valid_accuracy"}
LONG = "$x_1$ " + "W" * 18 + "…"  # as long as a name may be


def pair(first=ONE, second=OTHER, names=("corpus", "generated"), sizes=""):
    sets = [(name + sizes, counted) for name, counted in zip(names, (first, second), strict=True)]
    return plots.distributions(sets, f"{names[0]} against {names[1]}")


PICTURES = {
    "one set": lambda: plots.distributions([("corpus", ONE)], "corpus: 1 piece, 40 notes"),
    "two sets": pair,
    "every pitch": lambda: plots.distributions([("wide", histograms([WIDE]))], "wide"),
    "long names": lambda: pair(names=(LONG, LONG), sizes=": 999 pieces, 9,999,999 notes"),
    "nothing": lambda: pair(NOTHING, NOTHING),
    "a training": lambda: plots.curves(FIGURES, "Training of it", 80),
    "one epoch": lambda: plots.curves({name: values[:1] for name, values in FIGURES.items()}, "Training", 1),
    "many epochs": lambda: plots.curves({name: np.repeat(v, 125) for name, v in FIGURES.items()}, LONG, 4321),
    "two trainings": lambda: plots.comparison({"hidden=8": FIGURES, "hidden=16": SHORT}, "Two", "hidden=16", 7),
    "long labels": lambda: plots.comparison({f"{LONG}{LONG}={n}": FIGURES for n in range(12)}, LONG),
    "six panels": lambda: plots.curves({**FIGURES, "valid_pitch_nats": LOSS, "valid_step_nats": LOSS, "z": LOSS}, "T"),
}


@pytest.fixture(params=PICTURES)
def figure(request):
    return PICTURES[request.param]()


def bars(axes):
    """Heights of the bars of each set, by the middle of the bar."""
    return [{round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in drawn} for drawn in axes.containers]


def lines(axes):
    """Label -> (x, y) of each line that the legend names."""
    return {line.get_label(): line.get_data() for line in axes.lines if not line.get_label().startswith("_")}


def test_a_picture_is_twelve_hundred_pixels_wide_and_white_around(figure):
    picture = matplotlib.image.imread(io.BytesIO(pianoroll.encode(figure, "png")))[..., :3]
    height, width = picture.shape[:2]
    assert width == 1200
    assert height == 600 or len(figure.axes) > 4
    assert (picture[0] == 1).all()
    assert (picture[:, -1] == 1).all()
    assert (picture != 1).any()


def test_no_word_leaves_the_picture_and_no_two_of_an_axis_touch(figure):
    with pianoroll.canvas():
        figure.draw_without_rendering()
        beside_the_view = set()
        for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if tick.label1.get_visible() and tick.label1.get_text()]
            beside_the_view |= {tick.label1 for tick in ticks if not low <= tick.get_loc() <= high}
            boxes = [tick.label1.get_window_extent() for tick in ticks if tick.label1 not in beside_the_view]
            assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]
        for text in set(figure.findobj(Text)) - beside_the_view:
            if text.get_visible() and text.get_text():
                box, page = text.get_window_extent(), figure.bbox
                assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
                assert page.y0 <= box.y0 <= box.y1 <= page.y1, text


@pytest.mark.parametrize("kind", pianoroll.KINDS)
def test_a_picture_is_the_same_every_time(figure, kind):
    assert pianoroll.encode(figure, kind) == pianoroll.encode(figure, kind)


def test_a_picture_is_the_same_in_every_interpreter(tmp_path):
    program = (
        "import sys, numpy as np\nfrom kantor.render import pianoroll, plots\n"
        "from kantor.evaluation.histograms import histograms\nfrom kantor.score import Score\n"
        "counted = histograms([Score.from_notes([(i * 240, 240, 60 + i, 80, 0) for i in range(9)])])\n"
        "values = np.linspace(2, 1, 9)\n"
        "figures = [plots.distributions([('a', counted), ('b', counted)], 'a against b'),\n"
        "           plots.curves({'train_nats': values, 'valid_nats': values}, 'a training', 9)]\n"
        "import hashlib\n"
        "for figure in figures:\n"
        "    print(*(hashlib.sha256(pianoroll.encode(figure, kind)).hexdigest() for kind in pianoroll.KINDS))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed},
            cwd=tmp_path, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1
    assert len(said.pop().split()) == 2 * len(pianoroll.KINDS)


def test_an_svg_is_well_formed_and_undated():
    data = pianoroll.encode(pair(), "svg")
    assert ET.fromstring(data).tag.endswith("svg")
    assert b"dc:date" not in data


def test_bars_are_shares_of_all_notes():
    figure = plots.distributions([("corpus", OTHER)], "title")
    for axes, name in zip(figure.axes, ("pitch", "step", "duration"), strict=True):
        (drawn,) = bars(axes)
        assert sum(drawn.values()) == pytest.approx(100)
        for place, share in drawn.items():
            assert share == pytest.approx(100 * OTHER[name][place] / OTHER[name].sum())


def test_of_two_sets_the_second_stands_in_front_and_both_can_be_seen():
    for axes, name in zip(pair().axes, ("pitch", "step", "duration"), strict=True):
        behind, front = axes.containers
        assert {bar.get_width() for bar in front} == {0.5}
        assert {bar.get_width() for bar in behind} == {1.0}
        assert max(bar.get_zorder() for bar in behind) < min(bar.get_zorder() for bar in front)
        place = 60 if name == "pitch" else 12
        for drawn, counted in zip(bars(axes), (ONE, OTHER), strict=True):
            assert drawn[place] == pytest.approx(100 * counted[name][place] / counted[name].sum())


def test_the_titles_of_two_sets_state_their_intersections():
    figure = pair()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        f"{word}: intersection {intersection(ONE[word.lower()], OTHER[word.lower()]):.2f}"
        for word in ("Pitch", "Step", "Duration")
    ]
    assert figure.texts[0].get_text() == "corpus against generated"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["corpus", "generated"]


def test_axes_say_what_they_count_and_in_what():
    figure = plots.distributions([("corpus", ONE)], "title")
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "pitch (C4 is MIDI 60)",
        "from one onset to the next (quarters)",
        "length of a note (quarters)",
    ]
    assert [axes.get_ylabel() for axes in figure.axes] == ["notes (%)", "steps (%)", "notes (%)"]
    named = dict(
        zip(figure.axes[0].get_xticks(), (t.get_text() for t in figure.axes[0].get_xticklabels()), strict=True)
    )
    assert {60: "C4", 67: "G4", 55: "G3"}.items() <= named.items()
    time = dict(zip(figure.axes[1].get_xticks(), (t.get_text() for t in figure.axes[1].get_xticklabels()), strict=True))
    assert {0: "0", 12: "½", 24: "1", 36: "1½", 72: "3", 96: "≥4"}.items() <= time.items()


def test_the_axis_of_pitches_reaches_as_far_as_the_notes_of_both():
    for second, ends in ((OTHER, (0, 127)), (ONE, (60, 64))):
        low, high = pair(ONE, second).axes[0].get_xlim()
        assert low <= ends[0] - 0.5
        assert high >= ends[1] + 0.5
        assert high - low >= 24


def test_one_set_or_two_and_no_more():
    for sets in ([], [("a", ONE)] * 3):
        with pytest.raises(OptionError, match=f"one or two sets of pieces to plot, got {len(sets)}"):
            plots.distributions(sets, "title")


def test_curves_are_drawn_by_epochs_counted_from_one():
    figure = plots.curves(FIGURES, "title", 80)
    drawn = lines(figure.axes[0])
    assert list(drawn) == ["train", "valid", "best epoch: 80"]
    for name in ("train", "valid"):
        assert drawn[name][0].tolist() == list(range(1, 81))
        assert np.array_equal(drawn[name][1], FIGURES[f"{name}_nats"])
    assert (drawn["best epoch: 80"][0][0], drawn["best epoch: 80"][1][0]) == (80, LOSS[-1])
    assert np.array_equal(lines(figure.axes[1])["valid"][1], FIGURES["valid_accuracy"])
    assert np.array_equal(lines(figure.axes[2])["learning rate"][1], FIGURES["learning_rate"])


def test_panels_are_named_with_their_units_and_share_the_epochs():
    figure = plots.curves(FIGURES, "title", 80)
    assert [axes.get_ylabel() for axes in figure.axes] == ["nats per step (log scale)", "accuracy", "learning rate"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "epoch"]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["train", "valid", "best epoch: 80"]


def test_what_is_not_known_leaves_a_gap_and_what_is_nowhere_known_no_panel():
    values = np.array([3.0, np.nan, 2.0])
    figure = plots.curves({"valid_nats": values, "train_nats": values * np.nan}, "title")
    assert len(figure.axes) == 1
    assert np.array_equal(lines(figure.axes[0])["valid"][1], values, equal_nan=True)
    assert list(lines(figure.axes[0])) == ["valid"]
    with pytest.raises(OptionError, match="at least one curve"):
        plots.curves({"valid_nats": values * np.nan}, "title")


@pytest.mark.parametrize("values", [[-1.0, -2.0], [0.0, 0.0], [1.0, np.inf], [1e-8, 1e8], [2.0, 2.0]])
def test_curves_of_any_numbers_are_drawn(values):
    figure = plots.curves({"valid_nats": np.array(values)}, "title", 1)
    assert len(pianoroll.encode(figure, "png")) > 1000
    assert (figure.axes[0].get_yscale() == "log") == (min(values) > 0)


def test_trainings_are_drawn_over_each_other_and_no_two_look_alike():
    runs = {f"hidden={n}": {"valid_nats": LOSS * n, "train_nats": LOSS} for n in range(1, 41)}
    figure = plots.comparison(runs, "title", "hidden=3", 80)
    (axes,) = figure.axes  # no accuracy, no panel
    drawn = lines(axes)
    assert list(drawn) == list(runs)
    for name, (epochs, values) in drawn.items():
        assert epochs.tolist() == list(range(1, 81))
        assert np.array_equal(values, runs[name]["valid_nats"])
    looks = {line.get_label(): (line.get_color(), str(line._dash_pattern)) for line in axes.lines}
    assert len({looks[name] for name in runs}) == 40
    widths = {line.get_label(): line.get_linewidth() for line in axes.lines}
    assert [name for name in runs if widths[name] == max(widths.values())] == ["hidden=3"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(runs)


def test_an_accuracy_of_some_trainings_has_a_panel_with_these_alone():
    figure = plots.comparison({"a": FIGURES, "b": SHORT}, "title", "a", 80)
    assert [list(lines(axes)) for axes in figure.axes] == [["a", "b"], ["a"]]
    assert [axes.get_ylabel() for axes in figure.axes] == ["valid, nats per step (log scale)", "valid, accuracy"]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_of_trainings_without_figures_there_is_nothing_to_draw():
    for runs in ({}, {"a": {"train_nats": LOSS}}, {"a": {"valid_nats": LOSS * np.nan}}):
        with pytest.raises(OptionError, match="at least one curve"):
            plots.comparison(runs, "title")


def lightness(colour):
    """Relative luminance of WCAG 2, 0..1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_colours_of_a_pair_differ_in_lightness_too_so_that_no_colour_vision_is_needed():
    for pair_of in ((plots.SKY, plots.VERMILION), (plots.BLUE, plots.ORANGE)):
        dark, light = sorted(map(lightness, pair_of))
        assert (light + 0.05) / (dark + 0.05) > 1.5
    assert {plots.SKY, plots.VERMILION, plots.BLUE, plots.ORANGE} <= set(pianoroll.COLOURS)


def test_matplotlib_is_left_as_it_was():
    before, level = dict(matplotlib.rcParams), logging.getLogger("matplotlib").level
    pianoroll.encode(pair(), "svg")
    plots.curves(FIGURES, "title", 1)
    assert dict(matplotlib.rcParams) == before
    assert logging.getLogger("matplotlib").level == level
