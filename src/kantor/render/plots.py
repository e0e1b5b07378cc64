"""Pictures of many notes and of many epochs: how music is distributed, and how a training went, or several.

They are 10 inches wide and 5 high, 1200 by 600 pixels as a PNG, in the palette of :mod:`kantor.render.pianoroll`, and
nothing is told by colour alone: of two sets the first has wide bars and the second narrow ones before them, the loss on
training pieces is dashed, and of several trainings no two that follow each other have the same dashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError
from kantor.evaluation.histograms import GRID, LAST, intersection
from kantor.render.pianoroll import COLOURS, FAINT, INK, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["comparison", "curves", "distributions"]

WIDTH, HEIGHT = 10.0, 5.0
BLUE, ORANGE = COLOURS[:2]
SKY, VERMILION = COLOURS[4:6]  # of two sets: the light one behind, the dark one in front
LEAST_PITCHES = 24  # of the axis: two octaves
LABEL = 40  # letters of a training's label
BESIDE = 48  # letters of a label, of which two have room beside each other

_AXES = {
    "pitch": ("Pitch", "pitch (C4 is MIDI 60)"),
    "step": ("Step", "from one onset to the next (quarters)"),
    "duration": ("Duration", "length of a note (quarters)"),
}
_ALONE: tuple[dict[str, Any], ...] = ({"width": 1.0, "color": BLUE, "linewidth": 0, "zorder": 2},)
_BEHIND_AND_FRONT: tuple[dict[str, Any], ...] = (
    {"width": 1.0, "color": SKY, "linewidth": 0, "zorder": 2},
    {"width": 0.5, "color": VERMILION, "linewidth": 0, "zorder": 3},
)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (2.5, 2.5)))
_UNITS = {"nats": "nats per step", "accuracy": "accuracy", "learning_rate": "learning rate"}


# -- distributions ---------------------------------------------------------------------------------------------------


def distributions(sets: Sequence[tuple[str, Mapping[str, NDArray[np.int64]]]], title: str) -> Figure:
    """Histograms of pitch, step and duration, of one set or of two over each other.

    Parameters
    ----------
    sets   (label, what :func:`kantor.evaluation.histograms.histograms` gives), one or two; of two, each panel's title
           states the intersection.
    title  of the whole.

    Raises
    ------
    OptionError
        If there are no sets, or more than two.
    """
    if not 1 <= len(sets) <= 2:
        raise OptionError(f"expected one or two sets of pieces to plot, got {len(sets)}.")
    with canvas():
        figure = _figure(title)
        labels = [label for label, _ in sets] if len(sets) == 2 else []
        beside = all(len(label) <= BESIDE for label in labels)
        top = 0.88 if not labels else 0.83 if beside else 0.79
        grid = figure.add_gridspec(2, 2, left=0.065, right=0.985, top=top, bottom=0.1, hspace=0.62, wspace=0.14)
        places = {"pitch": grid[0, :], "step": grid[1, 0], "duration": grid[1, 1]}
        for name, place in places.items():
            axes = figure.add_subplot(place)
            counts = [counted[name] for _, counted in sets]
            _draw_histograms(axes, counts)
            heading, unit = _AXES[name]
            if len(counts) == 2:
                heading += f": intersection {intersection(*counts):.2f}"
            _dress(axes, heading, unit, "notes (%)" if name != "step" else "steps (%)")
            _label_pitches(axes, counts) if name == "pitch" else _label_quarters(axes)
        if labels:
            _legend(figure, labels, beside)
    return figure


def _draw_histograms(axes: Axes, counts: Sequence[NDArray[np.int64]]) -> None:
    """In per cent, for sets are of different sizes; of two, the second stands in front, half as wide."""
    shares = [100 * counted / max(int(counted.sum()), 1) for counted in counts]
    for share, look in zip(shares, _BEHIND_AND_FRONT if len(shares) == 2 else _ALONE, strict=True):
        filled = np.flatnonzero(share)
        axes.bar(filled, share[filled], **look)
    axes.set_ylim(0, max(float(max(share.max() for share in shares)) * 1.06, 1.0))


def _label_pitches(axes: Axes, counts: Sequence[NDArray[np.int64]]) -> None:
    """Octaves and fifths by name; the axis goes as far as there are notes."""
    used = np.flatnonzero(np.sum(counts, axis=0))
    low, high = (int(used[0]), int(used[-1])) if len(used) else (60, 60)
    spare = max(0, LEAST_PITCHES - (high - low))
    low, high = low - spare // 2, high + (spare - spare // 2)
    axes.set_xlim(low - 1, high + 1)
    pitches = [pitch for pitch in range(low, high + 1) if pitch % 12 in (0, 7)]
    axes.set_xticks(pitches, [f"{'C' if pitch % 12 == 0 else 'G'}{pitch // 12 - 1}" for pitch in pitches])


def _label_quarters(axes: Axes) -> None:
    """A number at every quarter, a stroke at every sixteenth; the last bin says that it has the rest."""
    axes.set_xlim(-1, LAST + 1)
    halves = range(0, LAST + 1, GRID // 2)
    names = ["½" if tick == GRID // 2 else f"{tick // GRID}{'½' if tick % GRID else ''}" for tick in halves]
    axes.set_xticks(halves, [*names[:-1], f"≥{LAST // GRID}"])
    axes.set_xticks(range(0, LAST + 1, GRID // 4), minor=True)


# -- curves ----------------------------------------------------------------------------------------------------------


def curves(figures: Mapping[str, NDArray[np.float64]], title: str, best: int | None = None) -> Figure:
    """What a training has logged, by epoch: the loss above, then accuracy and learning rate where they are known.

    Parameters
    ----------
    figures  name -> (epochs,), first epoch first, NaN where unknown; ``train_nats`` and ``valid_nats`` share a panel,
             and so do all that differ in these first words only.
    title    of the whole.
    best     the epoch that is marked, counted from 1.

    Raises
    ------
    OptionError
        If there is nothing to draw.
    """
    panels = _panels(figures)
    if not panels:
        raise OptionError("expected at least one curve to plot, got none.")
    with canvas():
        figure = _figure(title, HEIGHT + 0.8 * max(len(panels) - 3, 0))
        heights = [2.6, *[1.0] * (len(panels) - 1)]
        grid = figure.add_gridspec(
            len(panels), 1, left=0.085, right=0.985, top=0.88, bottom=0.1, hspace=0.16, height_ratios=heights
        )
        for row, (measure, names) in enumerate(panels.items()):
            axes = figure.add_subplot(grid[row])
            _draw_curves(axes, {name: figures[name] for name in names}, best)
            last = row == len(panels) - 1
            _dress(axes, "", "epoch" if last else "", _UNITS.get(measure, measure.replace("_", " ")))
            _label_epochs(axes, max(len(figures[name]) for name in names), last)
            _label_heights(axes, spread=measure == "nats")
        figure.align_ylabels()
        figure.axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False, ncols=3, handlelength=2.6)
    return figure


def comparison(
    runs: Mapping[str, Mapping[str, NDArray[np.float64]]],
    title: str,
    best: str | None = None,
    epoch: int | None = None,
) -> Figure:
    """The validation curves of several trainings: the loss above, the accuracy below where any has one.

    Parameters
    ----------
    runs    label -> what :func:`curves` takes; only what begins with ``valid_`` is drawn.
    title   of the whole.
    best    the label of the one that is drawn thicker, if any, and
    epoch   which of its epochs is marked, counted from 1.

    Raises
    ------
    OptionError
        If there is nothing to draw.
    """
    known = {"nats": "valid_nats", "accuracy": "valid_accuracy"}
    found = {
        measure: {label: figures[name] for label, figures in runs.items() if np.isfinite(figures.get(name, [])).any()}
        for measure, name in known.items()
    }
    panels = {measure: lines for measure, lines in found.items() if lines}
    if not panels:
        raise OptionError("expected at least one curve to plot, got none.")
    looks: dict[str, dict[str, Any]] = {
        label: {"color": _colour(n), "linestyle": _DASHES[n % len(_DASHES)]} for n, label in enumerate(runs)
    }
    shown = {label: label if len(label) <= LABEL else f"…{label[1 - LABEL :]}" for label in runs}
    epochs = max(len(values) for lines in panels.values() for values in lines.values())
    with canvas():
        figure = _figure(title, max(HEIGHT, 0.9 + 0.21 * len(runs)))
        heights = [2.6, *[1.0] * (len(panels) - 1)]
        grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
        figure.subplots_adjust(left=0.085, right=0.985, top=0.88, bottom=0.1, hspace=0.16)
        for row, (measure, lines) in enumerate(panels.items()):
            axes = figure.add_subplot(grid[row])
            for label, values in lines.items():
                look = {**looks[label], **({"marker": "o", "markersize": 3.5} if epochs <= 30 else {})}
                _draw_run(axes, values, shown[label], look, epoch if label == best else None)
            last = row == len(panels) - 1
            _dress(axes, "", "epoch" if last else "", f"valid, {_UNITS[measure]}")
            _label_epochs(axes, epochs, last)
            _label_heights(axes, spread=measure == "nats")
        figure.align_ylabels()
        first = figure.axes[0]
        legend = first.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, handlelength=2.6)
        for text in legend.get_texts():
            text.set_parse_math(False)
        figure.draw_without_rendering()  # only now it is known how wide the labels are
        figure.subplots_adjust(right=0.965 - legend.get_window_extent().width / figure.bbox.width)
    return figure


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _draw_run(axes: Axes, values: NDArray[np.float64], label: str, look: Mapping[str, Any], marked: int | None) -> None:
    """One training's curve; ``marked`` is the epoch that is best of all."""
    epochs = np.arange(1, len(values) + 1)
    thick: dict[str, Any] = {"linewidth": 2.6, "zorder": 4} if marked else {"linewidth": 1.4, "zorder": 3}
    axes.plot(epochs, values, label=label, **look, **thick)
    if marked:
        edge: dict[str, Any] = {
            "markerfacecolor": "white",
            "markeredgecolor": look["color"],
            "markeredgewidth": 1.8,
            "markersize": 7,
        }
        axes.plot([marked], [values[marked - 1]], "o", zorder=5, clip_on=False, **edge)


def _panels(figures: Mapping[str, NDArray[np.float64]]) -> dict[str, list[str]]:
    """Measure -> names of its curves: nats first, the learning rate last."""
    panels: dict[str, list[str]] = {}
    for name in sorted(figures):
        if np.isfinite(figures[name]).any():
            panels.setdefault(name.removeprefix("train_").removeprefix("valid_"), []).append(name)
    rank = {"nats": 0, "learning_rate": 2}
    return {measure: panels[measure] for measure in sorted(panels, key=lambda measure: (rank.get(measure, 1), measure))}


def _draw_curves(axes: Axes, lines: Mapping[str, NDArray[np.float64]], best: int | None) -> None:
    for name, values in lines.items():
        epochs = np.arange(1, len(values) + 1)
        few = {"marker": "o", "markersize": 4} if len(values) <= 30 else {}
        if name.startswith("train_"):
            axes.plot(epochs, values, color=ORANGE, linestyle=(0, (4, 1.5)), label="train", linewidth=1.8, **few)
        else:
            label = "valid" if name.startswith("valid_") else name.replace("_", " ")
            axes.plot(epochs, values, color=BLUE, label=label, linewidth=1.8, zorder=3, **few)
        if best is not None and name.startswith("valid_"):
            look = {"markerfacecolor": "white", "markeredgecolor": BLUE, "markeredgewidth": 1.8, "markersize": 7}
            axes.plot([best], [values[best - 1]], "o", label=f"best epoch: {best}", zorder=5, clip_on=False, **look)
    if best is not None:
        axes.axvline(best, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1.5)


def _label_epochs(axes: Axes, epochs: int, last: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    spare = max(0.01 * epochs, 0.3)
    axes.set_xlim(1 - min(spare, 0.9), epochs + spare)
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True, min_n_ticks=1, steps=(1, 2, 5, 10)))
    axes.tick_params(labelbottom=last)


def _label_heights(axes: Axes, *, spread: bool) -> None:
    """A few round numbers; ``spread`` on a log scale, or the first epochs would press all others onto the floor."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

    spread = spread and axes.dataLim.y0 > 0
    if spread:
        axes.set_yscale("log")
        axes.set_ylabel(f"{axes.get_ylabel()} (log scale)")
    round_ones = [digit * 10.0**power for power in range(-9, 10) for digit in (1, 1.5, 2, 3, 4, 5, 6, 8)]
    low, high = axes.get_ylim()
    fitting = [value for value in round_ones if low <= value <= high]
    if spread and len(fitting) >= 3:
        axes.yaxis.set_major_locator(FixedLocator(fitting))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(6 if spread else 3, steps=(1, 2, 5, 10)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.4g}"))


# -- what both share -------------------------------------------------------------------------------------------------


def _figure(title: str, height: float = HEIGHT) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    words: dict[str, Any] = {"ha": "left", "va": "top", "color": INK, "parse_math": False}
    figure.text(0.015, 0.975, title, fontsize=12, fontweight="bold", **words)
    return figure


def _dress(axes: Axes, heading: str, below: str, beside: str) -> None:
    """Title and labels, a faint grid of heights, no frame but the two axes."""
    axes.set_title(heading, loc="left", fontsize=10, color=INK)
    axes.set_xlabel(below, color=INK)
    axes.set_ylabel(beside, color=INK)
    axes.grid(axis="y", color="#E4E4E4", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)


def _legend(figure: Figure, labels: Sequence[str], beside: bool) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=look["color"]) for look in _BEHIND_AND_FRONT]
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.01, 0.935), "ncols": 2 if beside else 1}
    legend = figure.legend(patches, labels, frameon=False, handlelength=1.6, **place)
    for text in legend.get_texts():
        text.set_parse_math(False)
