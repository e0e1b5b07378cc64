"""What a notebook shows of a piece or of a score: engraved pages, a player, a piano roll.

Whole files stand inside ``<img>`` and ``<audio>`` tags. So two pieces in one notebook cannot mix up the identifiers of
their drawings, and the pictures are shown in a notebook of somebody else's too, where Jupyter takes inline SVG and
sound away until it is trusted.

Not everything can be written down. A page has notes at 32nds and triplet sixteenths; the onsets of a performance lie
anywhere, and engraved as they are they become a thicket of ties; so do ends a tick short of the next note. So pages are
made of :func:`written`, which moves notes to the nearest such place, and the whole goes without pages where
:func:`is_notatable` finds that most were nowhere near one.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import KantorError
from kantor.score import TICKS_PER_QUARTER, Score

__all__ = ["Pages", "Roll", "Sound", "is_notatable", "pages", "roll", "sound", "whole", "written"]

SECONDS = 120.0  # of a longer piece, the beginning is shown
PAGE_BYTES = 400_000  # further pages are shown while all of them stay below
SAMPLE_RATE = 22050  # Hz: a quarter of the bytes of a CD's two channels, and a piano still sounds like one
WIDTH = 900  # pixels, of a full page and of all else

_GRID = np.unique([*range(0, 481, 60), *range(0, 481, 80)])  # places in a quarter of 480 ticks that can be written
_SHORTEST = 60  # ticks: a 32nd
_DRAWN_WIDTH = 1260  # pixels that a full page has as it is engraved
#: What gives all of it, and what all pages.
_PIECE_GIVES = ("audio(), score_pages() and roll() give", "score_pages() shows")
_ROOM_WRITES = ("kantor.render.render writes", "kantor.render.render writes")
_FAILURES = (KantorError, ImportError, OSError, RuntimeError)  # the last two are how sound libraries complain


@dataclass(frozen=True)
class Sound:
    """A piece played: ``data`` are the bytes of an Ogg Vorbis file; in a notebook, a player."""

    data: bytes

    def _repr_html_(self) -> str:
        source = _uri("audio/ogg", self.data)
        return f'<audio controls preload="metadata" style="width:100%;max-width:{WIDTH}px" src="{source}"></audio>'


@dataclass(frozen=True)
class Pages:
    """A piece engraved: ``svg`` are whole SVG documents, a page each; in a notebook, all of them below each other."""

    svg: tuple[str, ...]

    def _repr_html_(self) -> str:
        return "\n".join(self.html(number) for number in range(1, len(self.svg) + 1))

    def html(self, number: int) -> str:
        """The tag of one page, counted from 1, at the scale at which a full page is :data:`WIDTH` wide."""
        page = self.svg[number - 1]
        found = re.search(r'<svg width="([\d.]+)px"', page)
        width = float(found[1]) * WIDTH / _DRAWN_WIDTH if found else WIDTH
        return _image("image/svg+xml", page.encode(), f"score, page {number}", width)


@dataclass(frozen=True)
class Roll:
    """A piece as a piano roll: ``png`` are the bytes of the picture, which a notebook shows."""

    png: bytes

    def _repr_png_(self) -> bytes:
        return self.png


def sound(score: Score, *, sample_rate: int = SAMPLE_RATE, **options: Any) -> Sound:
    """``score`` played, in one channel; ``options`` are those of :func:`kantor.render.audio.sound`."""
    from kantor.render import audio

    samples = audio.sound(score, sample_rate=sample_rate, **options)
    return Sound(audio.encode(samples.mean(axis=1, keepdims=True), sample_rate, ".ogg"))


def pages(score: Score) -> Pages:
    """``score`` engraved as :func:`written`."""
    from kantor.render.engraving import engrave

    return Pages(tuple(engrave(written(score))))


def roll(score: Score) -> Roll:
    """``score`` drawn to the tick, as it is."""
    from kantor.render.pianoroll import draw

    return Roll(draw(score, "png"))


def whole(score: Score, caption: str = "", remarks: tuple[str, ...] = (), *, of_piece: bool = True) -> str:
    """Player, pages and roll as one piece of HTML; what cannot be made is left out, and a line says why.

    Of a piece beyond two minutes the beginning is shown; of many pages the first, and more while they are small. Where
    the rest is to be had depends on what is shown: a Piece (``of_piece``) gives it itself.
    """
    everything, all_pages = _PIECE_GIVES if of_piece else _ROOM_WRITES
    shown, notes = _beginning(score), list(remarks)
    if shown.length_ticks < score.length_ticks:
        notes.append(
            f"Shown are the first {_clock(shown.seconds)} of {_clock(score.seconds)} minutes; {everything} all of it."
        )
    made = [_tried("sound", lambda: sound(shown)._repr_html_(), notes)]
    if is_notatable(shown):
        made.append(_tried("page", lambda: _first_pages(shown, notes, all_pages), notes))
    else:
        notes.append(f"No page: the notes lie between the beats, as in a performance; {all_pages} them anyway.")
    made.append(_tried("piano roll", lambda: _image("image/png", roll(shown).png, "piano roll", WIDTH), notes))
    lines = [f"<b>{escape(caption)}</b>"] if caption else []
    lines += [escape(note) for note in notes]
    words = f'<div style="margin:4px 0">{"<br>".join(lines)}</div>' if lines else ""
    return f'<div style="max-width:{WIDTH}px">{words}{"".join(made)}</div>'


def is_notatable(score: Score) -> bool:
    """Whether four onsets in five lie where a page can put them: on 32nds or triplet sixteenths, within 1/480 quarter.

    A performance reaches one in ten by chance.
    """
    onset = score.at(TICKS_PER_QUARTER).notes["onset"]
    return not len(onset) or bool((np.abs(onset - _to_grid(onset)) <= 1).mean() >= 0.8)


def written(score: Score) -> Score:
    """``score`` as a page can hold it: 480 ticks a quarter, onsets and ends at the nearest 32nd or triplet sixteenth.

    A note lasts a 32nd at least. Of tempi that change more often than bars do, the first is kept. What lies on that
    grid stays as it is.
    """
    score = score.at(TICKS_PER_QUARTER)
    notes = score.notes.copy()
    notes["onset"] = _to_grid(score.notes["onset"])
    end = _to_grid(score.notes["onset"] + score.notes["duration"])
    notes["duration"] = np.maximum(end - notes["onset"], _SHORTEST)
    return score.replace(notes=notes, tempi=score.tempi if len(score.tempi) <= len(score.bars) else score.tempi[:1])


def _to_grid(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    quarters, within = np.divmod(ticks, TICKS_PER_QUARTER)
    between = (_GRID[1:] + _GRID[:-1]) / 2
    nearest: NDArray[np.int64] = quarters * TICKS_PER_QUARTER + _GRID[np.searchsorted(between, within, side="right")]
    return nearest


def _beginning(score: Score) -> Score:
    """The score, or of one beyond :data:`SECONDS` its bars up to there."""
    if score.seconds <= SECONDS:
        return score
    limit = max(int(score.tick_of_seconds(SECONDS)), 1)
    starts = score.bars["start"]
    last = int(starts[np.searchsorted(starts, limit, side="right") - 1])
    return score.cut(0, last or limit)


def _first_pages(score: Score, notes: list[str], all_pages: str) -> str:
    made = pages(score)
    sizes = np.cumsum([len(page.encode()) for page in made.svg])
    count = max(int((sizes <= PAGE_BYTES).sum()), 1)
    if count < len(made.svg):
        notes.append(f"The score goes on; {all_pages} all its pages.")
    return "".join(made.html(number) for number in range(1, count + 1))


def _tried(what: str, make: Callable[[], str], notes: list[str]) -> str:
    """What ``make`` makes; where it fails, nothing, and a note that says why."""
    try:
        return make()
    except _FAILURES as error:
        notes.append(f"No {what}: {error}")
        return ""


def _image(kind: str, data: bytes, name: str, width: float) -> str:
    style = f"display:block;width:{width:.0f}px;max-width:100%;margin:8px 0"
    return f'<img alt="{name}" style="{style}" src="{_uri(kind, data)}">'


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
