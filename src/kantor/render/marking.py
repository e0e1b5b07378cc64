"""Faults on the engraved page: each has a number, its notes are coloured and ringed, a legend below says what it is.

Colour says nothing alone: rings and numbers are there in black and white too. Notes of one fault are joined by a thin
line, and where a fault is a motion, so are the notes that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from kantor.render.engraving import Placed, engrave_placed
from kantor.score import Score

__all__ = ["COLOUR", "Mark", "mark"]

COLOUR = "#C2410C"
ROW, COLUMNS, MARGIN = 24, 2, 48  # of the legend, in pixels
_HEAD = 108  # half a notehead's width, in units of the page
_RADIUS = 190


@dataclass(frozen=True)
class Mark:
    """What is marked: its number, what the legend says, and the notes at fault.

    Attributes
    ----------
    now     (tick, part, pitch) of each note at fault.
    before  the same of the notes that it comes from, in the same order; empty unless it is a motion.
    """

    number: int
    label: str
    now: tuple[tuple[int, int, int], ...]
    before: tuple[tuple[int, int, int], ...] = ()


def mark(score: Score, marks: Sequence[Mark]) -> list[str]:
    """``score`` as engraved pages with these marks, each a whole SVG document; a page's legend has its own marks.

    Raises
    ------
    ScoreError
        If the score cannot be engraved; see :func:`kantor.render.engraving.engrave`.
    """
    pages, placed = engrave_placed(score)
    found = [
        (one, [_note(placed, *note) for note in one.now], [_note(placed, *note) for note in one.before])
        for one in marks
    ]
    return [_marked(page, found) for page in pages]


def _note(placed: Sequence[Placed], tick: int, part: int, pitch: int) -> str:
    """The id of the note that sounds there; empty where there is none."""
    near = [note for note in placed if note.part == part and note.pitch == pitch and note.onset <= tick]
    return max(near, key=lambda note: note.onset).identity if near else ""


def _marked(page: str, found: Sequence[tuple[Mark, list[str], list[str]]]) -> str:
    """One page with the marks whose notes it has."""
    heads = {match[1]: (match.end(), float(match[2]), float(match[3])) for match in _HEADS.finditer(page)}
    here = [(one, now, before) for one, now, before in found if any(note in heads for note in now)]
    drawn: list[str] = []
    faulty: set[str] = set()
    labels: dict[str, list[int]] = {}
    for one, now, before in here:
        shown = [note for note in now if note in heads]
        faulty.update(shown)
        labels.setdefault(shown[0], []).append(one.number)
        drawn += [_line(heads[a], heads[b]) for a, b in pairwise(shown)]
        drawn += [_line(heads[a], heads[b]) for a, b in zip(before, now, strict=False) if a in heads and b in heads]
    drawn += [_ring(heads[note]) for note in sorted(faulty)]
    drawn += [_number(heads[note], numbers) for note, numbers in labels.items()]
    page = _coloured(page, faulty)
    end = page.rindex("</g>", 0, page.rindex("</svg>", 0, page.rindex("</svg>")))  # the margin's group: heads lie in it
    page = page[:end] + "".join(drawn) + page[end:]
    return _with_legend(page, [f"{one.number} · {one.label}" for one, _, _ in here]) if here else page


_HEADS = re.compile(
    r'<g id="([^"]+)" class="note">\s*(?:<title>[^<]*</title>\s*)?<g class="notehead">\s*'
    r'<use [^>]*transform="translate\((-?[\d.]+), (-?[\d.]+)\)'
)


def _coloured(page: str, notes: set[str]) -> str:
    def colour(match: re.Match[str]) -> str:
        return f'{match[0][:-1]} color="{COLOUR}" fill="{COLOUR}">' if match[1] in notes else match[0]

    return re.sub(r'<g id="([^"]+)" class="note">', colour, page)


def _line(one: tuple[int, float, float], other: tuple[int, float, float]) -> str:
    (_, x1, y1), (_, x2, y2) = one, other
    if x2 < x1:  # the other stands in the next system
        return ""
    ends = f'x1="{x1 + _HEAD:.0f}" y1="{y1:.0f}" x2="{x2 + _HEAD:.0f}" y2="{y2:.0f}"'
    return f'<line {ends} stroke="{COLOUR}" stroke-width="28" stroke-opacity="0.55"/>'


def _ring(head: tuple[int, float, float]) -> str:
    _, x, y = head
    where = f'cx="{x + _HEAD:.0f}" cy="{y:.0f}" r="{_RADIUS}"'
    return f'<circle {where} fill="none" stroke="{COLOUR}" stroke-width="36"/>'


def _number(head: tuple[int, float, float], numbers: Sequence[int]) -> str:
    _, x, y = head
    text = ",".join(map(str, numbers))
    font = 'font-family="sans-serif" font-weight="bold" font-size="260px" text-anchor="middle"'
    halo = 'stroke="white" stroke-width="70" paint-order="stroke"'
    return f'<text x="{x + _HEAD:.0f}" y="{y - _RADIUS - 70:.0f}" {font} fill="{COLOUR}" {halo}>{text}</text>'


def _with_legend(page: str, lines: Sequence[str]) -> str:
    """The page within a higher one, the lines below it in two columns, each read downwards."""
    opening = re.search(r'<svg width="([\d.]+)px" height="([\d.]+)px"', page)
    assert opening is not None  # the engraver has seen to it
    width, height = float(opening[1]), float(opening[2])
    columns = COLUMNS if width > 900 else 1
    rows = -(-len(lines) // columns)
    whole = height + rows * ROW + 2 * MARGIN / 3
    texts = []
    for at, line in enumerate(lines):
        x = MARGIN + (at // rows) * (width - MARGIN) / columns
        texts.append(f'<text x="{x:.0f}" y="{height + (at % rows + 0.7) * ROW:.0f}">{escape(line)}</text>')
    style = f'font-family="sans-serif" font-size="15" fill="{COLOUR}"'
    size = f'width="{width:g}px" height="{whole:g}px" viewBox="0 0 {width:g} {whole:g}"'
    ground = f'<rect width="{width:g}" height="{whole:g}" fill="white"/>'
    inner = page[page.index("<svg") :]
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{ground}{inner}<g {style}>{"".join(texts)}</g></svg>'
