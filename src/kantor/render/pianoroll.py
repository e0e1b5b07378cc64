"""Piano rolls: time to the right, pitch upwards, one colour a part.

Rows of whole bars stand under each other like systems on a page, all at one scale. A note is a bar with a dark edge at
its attack, so a held note and a repeated one look different; parts in unison share its height. Bars are numbered as on
paper: the first full bar is 1, a pickup has no number, a bar that a repeat cuts in two counts once.

Colours are those of Okabe and Ito (2008, "Color universal design"), distinguishable with any colour vision.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import ScoreError, UnknownNameError
from kantor.score import Key, Meter, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BARS_PER_ROW", "COLOURS", "FAINT", "INK", "KINDS", "canvas", "draw", "encode", "piano_roll"]

#: What a figure can be written as.
KINDS = ("png", "svg", "pdf")

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8A00", "#555555")
INK, FAINT = "#222222", "#777777"
MAX_QUARTERS = 40_000
LEGEND_PARTS = 8

INCHES_PER_PITCH = 0.07
ROW_GAP, HEAD, FOOT, LEFT, RIGHT = 0.42, 0.5, 0.12, 0.5, 0.15
WIDTH, WIDE = 10.0, 20.0
DOTS_PER_INCH = 120
BARS_PER_ROW = 8
MAX_ROWS = 40

_STYLE = {
    "font.size": 9,
    "svg.hashsalt": "kantor",
    "svg.fonttype": "path",
    "path.simplify": False,
    "axes.linewidth": 0.6,
}
#: What matplotlib would write into a file about itself and the day.
_UNWANTED = {"png": ("Software",), "svg": ("Date", "Creator"), "pdf": ("CreationDate", "Creator", "Producer")}


def draw(score: Score, kind: str = "png", *, bars_per_row: int | None = None) -> bytes:
    """A piano roll of ``score`` as the bytes of a ``png``, ``svg`` or ``pdf`` file; the same score, the same bytes.

    Raises
    ------
    ScoreError
        If the score is longer than 40,000 quarters.
    UnknownNameError
        If ``kind`` is none of them.
    """
    if kind not in KINDS:
        raise UnknownNameError("picture format", kind, KINDS)
    return encode(piano_roll(score, bars_per_row=bars_per_row), kind)


def encode(figure: Figure, kind: str) -> bytes:
    """``figure`` as the bytes of a file of ``kind``, one of :data:`KINDS`; no date, no version, no random names."""
    with canvas():
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=DOTS_PER_INCH, metadata=dict.fromkeys(_UNWANTED[kind]))
    return buffer.getvalue()


def piano_roll(score: Score, *, bars_per_row: int | None = None) -> Figure:
    """A piano roll of ``score`` as a matplotlib figure, white, 10 inches wide (20 for a long piece).

    Parameters
    ----------
    bars_per_row  without it 8; more where that would make more than 40 rows.

    Raises
    ------
    ScoreError
        If the score is longer than 40,000 quarters.
    """
    if score.length_ticks > MAX_QUARTERS * score.ticks_per_quarter:
        quarters = score.length_ticks // score.ticks_per_quarter
        raise ScoreError(f"expected at most {MAX_QUARTERS} quarters of music to draw, got {quarters}; cut it.")
    with canvas():
        from matplotlib.figure import Figure

        rows = _rows(score, bars_per_row)
        low, high = _pitch_range(score)
        longest = max(end - start for start, end in rows)
        bars = len(score.bars)
        width = WIDE if bars > len(rows) * BARS_PER_ROW * 1.5 else WIDTH
        row_height = max((high - low) * INCHES_PER_PITCH, 1.2)
        head = HEAD if score.title or score.keys or score.meters or score.tempi or len(score.parts) > 1 else 0.0
        height = head + len(rows) * (row_height + ROW_GAP) + FOOT
        figure = Figure(figsize=(width, height), facecolor="white")
        lanes = _lanes(score.notes)
        for index, (start, end) in enumerate(rows):
            bottom = height - head - (index + 1) * (row_height + ROW_GAP) + 0.1
            share = (width - LEFT - RIGHT) * (end - start) / longest
            axes = figure.add_axes((LEFT / width, bottom / height, share / width, row_height / height))
            axes.set(xlim=(start, end), ylim=(low, high))
            _draw_grid(axes, score, start, end)
            _draw_notes(axes, score, lanes, start, end)
            _draw_fermatas(axes, score, start, end, (low, high))
        _draw_head(figure, score, width, height)
    return figure


@contextmanager
def canvas() -> Iterator[None]:
    """Matplotlib with its own defaults and ours, silent about its caches, and left as it was found."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        from matplotlib import style

        with style.context(["default", _STYLE]):
            yield
    finally:
        logger.setLevel(level)


def _bar_numbers(score: Score) -> NDArray[np.int64]:
    """The printed number of each bar of ``score.bars``; 0 for a pickup."""
    starts_bar = score.bars["offset"] == 0
    return np.cumsum(starts_bar)


def _rows(score: Score, bars_per_row: int | None) -> list[tuple[int, int]]:
    """Start and end tick of each row: whole bars, a pickup together with the bars it leads to."""
    bars, numbers = score.bars, _bar_numbers(score)
    count = max(int(numbers.max(initial=1)), 1)
    per_row = bars_per_row or BARS_PER_ROW
    if bars_per_row is None and count > BARS_PER_ROW * MAX_ROWS / 2:
        per_row = max(2 * BARS_PER_ROW, -(-count // MAX_ROWS))
    row_of_bar = np.maximum(numbers - 1, 0) // max(per_row, 1)
    firsts = np.flatnonzero(np.diff(row_of_bar, prepend=-1))
    starts = bars["start"][firsts].tolist()
    return list(zip(starts, [*starts[1:], max(score.length_ticks, 1)], strict=True))


def _pitch_range(score: Score) -> tuple[float, float]:
    """Lowest and highest edge of the drawing: at least an octave and a half, with room for a fermata."""
    pitches = score.notes["pitch"]
    low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 72)
    missing = max(0, 18 - (high - low))
    return low - 1.5 - missing // 2, high + 3.0 + (missing - missing // 2)


def _lanes(notes: NDArray[np.void]) -> NDArray[np.float64]:
    """(N, 2) lower and upper edge of each note around its pitch: notes of one pitch at one time share its height."""
    lanes = np.tile([-0.44, 0.44], (len(notes), 1))
    for pitch in np.unique(notes["pitch"]):
        here = np.flatnonzero(notes["pitch"] == pitch)
        onset, part = notes["onset"][here], notes["part"][here]
        end = onset + notes["duration"][here]
        for i, note in enumerate(here):
            near = slice(max(i - 16, 0), i + 17)  # notes are sorted by onset
            together = (onset[near] < end[i]) & (end[near] > onset[i])
            parts = np.unique(part[near][together])
            if len(parts) > 1:
                place = len(parts) - 1 - int(np.searchsorted(parts, part[i]))
                lanes[note] = -0.44 + 0.88 * np.array([place, place + 1]) / len(parts)
    return lanes


def _draw_grid(axes: Axes, score: Score, start: int, end: int) -> None:
    """Black keys, octaves, beats, bars with their numbers, and changes of meter."""
    low, high = axes.get_ylim()
    for pitch in range(int(np.ceil(low)), int(high) + 1):
        if pitch % 12 in (1, 3, 6, 8, 10):
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#F3F3F3", linewidth=0, zorder=0)
        if pitch % 12 in (0, 5):
            axes.axhline(pitch - 0.5, color="#D5D5D5", linewidth=0.6 if pitch % 12 == 0 else 0.3, zorder=1)
    named = {0: "C", 5: "F"} if high - low > 24 else {0: "C", 4: "E", 7: "G", 9: "A"}
    pitches = [p for p in range(int(np.ceil(low + 0.5)), int(high - 0.5) + 1) if p % 12 in named]
    axes.set_yticks(pitches, [f"{named[p % 12]}{p // 12 - 1}" for p in pitches], color=INK, fontsize=8)
    axes.set_xticks([])
    axes.tick_params(length=0, pad=3)
    axes.vlines(_beats(score, start, end), low, high, color="#DCDCDC", linewidth=0.5, zorder=1)
    meters = {meter.tick: str(meter) for meter in score.meters[1:]}
    every = max(1, round((end - start) / max(float(np.median(score.bars["length"])), 1) / 16))
    for bar, number in zip(score.bars, _bar_numbers(score), strict=True):
        at = int(bar["start"])
        if start <= at < end and (bar["offset"] == 0 or at == 0):
            axes.axvline(at, color="#8C8C8C", linewidth=0.8, zorder=1.5)
            words = [str(number)] if number and (number - 1) % every == 0 else []
            words += [meters[at]] if at in meters else []
            axes.annotate("  ".join(words), (at, high), (1, 3), textcoords="offset points", fontsize=8, color=FAINT)
    axes.spines[["top", "right", "left", "bottom"]].set_color("#8C8C8C")


def _beats(score: Score, start: int, end: int) -> NDArray[np.int64]:
    """Ticks of the beats within a row, bar lines left out; three eighths make a beat in 6/8, 9/8 and 12/8."""
    beats: list[int] = []
    meters = score.meters or (Meter(0, 4, 4),)
    for bar in score.bars:
        if not start <= bar["start"] < end:
            continue
        meter = [m for m in meters if m.tick <= bar["start"]][-1:] or meters[:1]
        compound = meter[0].numerator > 3 and meter[0].numerator % 3 == 0 and meter[0].denominator >= 8
        beat = max(score.meter_ticks(meter[0]) // meter[0].numerator * (3 if compound else 1), 1)
        first = int(bar["start"]) + beat - int(bar["offset"]) % beat
        beats += range(first, int(bar["start"] + bar["length"]), beat)
    return np.array(beats, dtype=np.int64)


def _draw_notes(axes: Axes, score: Score, lanes: NDArray[np.float64], start: int, end: int) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    notes = score.notes
    seen = (notes["onset"] < end) & (notes["onset"] + notes["duration"] > start)
    for part in np.unique(notes["part"][seen]):
        chosen = seen & (notes["part"] == part)
        left = notes["onset"][chosen].astype(float)
        right = left + notes["duration"][chosen]
        bottom, top = notes["pitch"][chosen] + lanes[chosen].T
        corners = np.stack([left, bottom, left, top, right, top, right, bottom], axis=1).reshape(-1, 4, 2)
        colour = COLOURS[int(part) % len(COLOURS)]
        bars = PolyCollection(corners, facecolors=colour, edgecolors="white", linewidths=0.8 * (top - bottom), zorder=3)
        axes.add_collection(bars, autolim=False)
        dark = tuple(0.55 * channel for channel in to_rgb(colour))
        inset = (end - start) * 0.0009
        axes.vlines(left + inset, bottom + 0.06, top - 0.06, color=dark, linewidth=1.6, zorder=4)


def _draw_fermatas(axes: Axes, score: Score, start: int, end: int, pitch_range: tuple[float, float]) -> None:
    """An arc and a dot over the highest note that stands at each fermata."""
    from matplotlib.path import Path as Outline

    notes = score.notes
    for tick in score.fermatas:
        standing = notes[(notes["onset"] <= tick) & (notes["onset"] + notes["duration"] > tick)]
        if not (start <= tick < end and len(standing)):
            continue
        attacked = standing[standing["onset"] == tick]
        length = int(attacked["duration"].min()) if len(attacked) else 0
        at = min(tick + length / 2, end)
        height = min(float(standing["pitch"].max()) + 0.9, pitch_range[1] - 1.6)
        arc = {"marker": Outline.arc(0, 180), "markersize": 13, "fillstyle": "none", "markeredgewidth": 1.3}
        axes.plot([at], [height], color=INK, zorder=5, **arc)
        axes.plot([at], [height + 0.35], color=INK, zorder=5, marker="o", markersize=2.4)


def _draw_head(figure: Figure, score: Score, width: float, height: float) -> None:
    """Title, key, meter and tempo to the left; the parts' names in their colours to the right."""
    from matplotlib.patches import Patch

    known = [_key_name(score.keys[0])] if score.keys else []
    known += [str(score.meters[0])] if score.meters else []
    known += [f"♩ = {score.tempi[0].quarters_per_minute:.4g}"] if score.tempi else []
    top = 1 - 0.14 / height
    title = score.title if len(score.title) <= 60 else score.title[:59] + "…"
    if title:
        place: dict[str, Any] = {"ha": "left", "va": "top", "color": INK, "parse_math": False}
        figure.text(LEFT / width, top, title, fontsize=12, fontweight="bold", **place)
    below = top - 0.22 / height if title else top
    figure.text(LEFT / width, below, " · ".join(known), fontsize=9, ha="left", va="top", color=FAINT)
    sounding = [int(part) for part in np.unique(score.notes["part"])][:LEGEND_PARTS]
    if len(score.parts) > 1 and sounding:
        names = [score.parts[part].name or f"part {part + 1}" for part in sounding]
        patches = [Patch(color=COLOURS[part % len(COLOURS)]) for part in sounding]
        legend = figure.legend(
            patches, names, ncols=min(len(names), 4), loc="upper right", frameon=False, fontsize=9, handlelength=1.1,
            bbox_to_anchor=(1 - RIGHT / width, 1 - 0.08 / height), borderaxespad=0.0, columnspacing=1.2,
        )  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)


def _key_name(key: Key) -> str:
    """``D major``, ``F♯ minor`` by its mode; the signature alone where the mode is not known."""
    if key.mode in ("major", "minor"):
        # fifths line: F C G D A E B, then the same with sharps; a minor tonic stands three fifths further
        step = key.fifths + 1 + (3 if key.mode == "minor" else 0)
        signs = step // 7
        return f"{'FCGDAEB'[step % 7]}{'♯' * signs}{'♭' * -signs} {key.mode}"
    if key.fifths == 0:
        return "no accidentals"
    sign = "sharp" if key.fifths > 0 else "flat"
    return f"{abs(key.fifths)} {sign}{'s' if abs(key.fifths) > 1 else ''}"
