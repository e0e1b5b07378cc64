"""Reports: one HTML file that needs nothing else. Tables sort, plots are drawn in it, pictures and sound lie within.

A report is put together from pieces of HTML: :func:`section`, :func:`table`, plots, :func:`player` and :func:`picture`;
:func:`document` makes them one page. It follows the reader's light or dark theme, is read on a telephone as on a wide
screen, prints, and asks no address for anything. Whatever comes in as text is escaped.

Plots are SVG in the page's own colours: ink for lines and words, ``a`` and ``b`` for what is judged and what it is held
against, and nothing is told by colour alone: the first is filled, the second hollow.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "Cell",
    "Column",
    "bands",
    "bars",
    "bullets",
    "document",
    "facts",
    "figure",
    "grid",
    "lines",
    "number",
    "picture",
    "player",
    "section",
    "shown",
    "table",
    "text",
    "titled",
]

DASH = "–"


@dataclass(frozen=True)
class Column:
    """Of a table: its head, what it says in one sentence, whether it holds numbers."""

    name: str
    about: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Cell:
    """Of a table: HTML that is shown, and what it is sorted by."""

    html: str
    value: float | str = ""


def document(title: str, lead: str, *content: str, made_by: str = "") -> str:
    """A whole page: its title, a sentence or two below, the sections, and a line at the end.

    Parameters
    ----------
    title, lead, made_by  text.
    content               HTML, as the other functions give it.
    """
    style, script = (
        resources.files("kantor.render").joinpath(f"report.{kind}").read_text("utf-8") for kind in ("css", "js")
    )
    foot = f"<footer>{escape(made_by)}</footer>" if made_by else ""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<title>{escape(title)}</title><style>{style}</style></head>\n'
        f"<body><main><header><h1>{escape(title)}</h1><p class=lead>{escape(lead)}</p></header>\n"
        + "\n".join(content)
        + f"\n{foot}</main><script>{script}</script></body></html>\n"
    )


def section(title: str, *content: str, note: str = "") -> str:
    """A part of a report under its heading; ``note`` is text that explains it."""
    said = f"<p class=note>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{said}{''.join(content)}</section>"


def text(words: str) -> str:
    """A paragraph."""
    return f"<p>{escape(words)}</p>"


def facts(rows: Sequence[tuple[str, Any]]) -> str:
    """Names and values, a row each."""
    return (
        "<dl>"
        + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in rows)
        + "</dl>"
    )


def number(value: float | None, digits: int = 3) -> Cell:
    """A number to so many significant digits, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return Cell(DASH, math.inf)
    return Cell(escape(shown(value, digits)), value)


def shown(value: float, digits: int = 3) -> str:
    """So many significant digits, never as a power of ten."""
    if value == 0:
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{min(places, 6)}f}".replace("-", "−")


def titled(name: str, about: str) -> Cell:
    """A name with a line of small print below it, sorted by the name."""
    small = f"<small>{escape(about)}</small>" if about else ""
    return Cell(f"<b>{escape(name)}</b>{small}", name)


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], label: str = "") -> str:
    """A table that sorts by the column whose head is clicked; text cells are escaped and sorted as text."""
    head = "".join(
        f'<th scope=col{" class=n" if column.numeric else ""}><button type=button title="{escape(column.about)}">'
        f"{escape(column.name)}</button></th>"
        for column in columns
    )
    body = "".join("<tr>" + "".join(map(_cell, row, columns)) + "</tr>" for row in rows)
    name = f' aria-label="{escape(label)}"' if label else ""
    return f"<div class=wide><table{name}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(cell: Cell | str, column: Column) -> str:
    kind = " class=n" if column.numeric else ""
    if isinstance(cell, str):
        return f"<td{kind}>{escape(cell)}</td>"
    value = str(cell.value) if isinstance(cell.value, str) else f"{cell.value:.9g}"
    return f'<td{kind} data-v="{escape(value)}">{cell.html}</td>'


def figure(drawing: str, caption: str) -> str:
    """A plot, with a line of text below it."""
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def grid(content: Sequence[str]) -> str:
    """Things beside each other, as many as there is room for."""
    return f"<div class=grid2>{''.join(content)}</div>"


def picture(svg: str, name: str) -> str:
    """An engraved page: paper stays white in a dark room."""
    return f'<img class=paper alt="{escape(name)}" src="{_uri("image/svg+xml", svg.encode())}">'


def player(data: bytes, kind: str = "audio/mpeg", name: str = "") -> str:
    """Something to be heard: bytes of a sound file."""
    return f'<audio controls preload=metadata aria-label="{escape(name)}" src="{_uri(kind, data)}"></audio>'


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


# -- plots -----------------------------------------------------------------------------------------------------------


def bullets(values: Sequence[tuple[float, float, float] | None], low: float, high: float, name: str = "") -> str:
    """Means and intervals on one line, small enough for a cell: (mean, from, to) of each set, None where unknown.

    The first is filled and above, the second hollow and below.
    """
    width, height = 150, 8 + 12 * max(len(values), 1)
    span = (high - low) or 1.0
    drawn = []
    for at, value in enumerate(values):
        if value is None:
            continue
        x, left, right = (6 + (width - 12) * min(max((v - low) / span, 0), 1) for v in value)
        y, series = 10 + 12 * at, "ab"[at % 2]
        drawn.append(f'<line class="{series} thick" x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}"/>')
        drawn.append(f'<circle class="{series} {"hollow" if at else "filled"}" cx="{x:.1f}" cy="{y}" r="4"/>')
    return _plot(width, height, drawn, name)


def bars(labels: Sequence[str], sets: Sequence[tuple[str, ArrayLike]], unit: str = "", *, width: int = 520) -> str:
    """Shares of the same bins in one set, or in two beside each other, of whatever sum."""
    height, left, foot, top = 190, 40, 34, 22
    values = [np.asarray(counts, np.float64) for _, counts in sets]
    highest = max((float(v.max(initial=0)) for v in values), default=0) or 1.0
    slot = (width - left - 6) / max(len(labels), 1)
    inner = height - foot - top
    drawn = [_rule(left, width, top + inner * (1 - f), shown(highest * f, 2)) for f in (0, 0.5, 1)]
    each = max(slot * 0.8 / max(len(sets), 1), 0.6)
    for at, (series, counts) in enumerate(zip("ab", values, strict=False)):
        for n, value in enumerate(counts.tolist()):
            x, tall = left + slot * (n + 0.1) + each * at, inner * value / highest
            style = "hollow" if at else "filled"
            where = f'x="{x:.1f}" y="{top + inner - tall:.1f}" width="{each:.1f}" height="{tall:.1f}"'
            drawn.append(f'<rect class="{series} {style}" {where}/>')
    every = max(
        1, math.ceil(len(labels) * 26 / (width - left)), math.ceil(max(map(len, labels), default=1) * 7 / max(slot, 1))
    )
    for n, label in enumerate(labels):
        if n % every == 0:
            x = left + slot * (n + 0.5)
            drawn.append(f'<text x="{x:.1f}" y="{height - foot + 16}" text-anchor=middle>{escape(label)}</text>')
    drawn += _key([name for name, _ in sets], left)
    drawn.append(f'<text x="{width - 6}" y="{height - 4}" text-anchor=end class=dim>{escape(unit)}</text>')
    return _plot(width, height, drawn, ", ".join(name for name, _ in sets))


def lines(x: ArrayLike, curves: Sequence[tuple[str, ArrayLike]], unit: str = "", *, width: int = 720) -> str:
    """Curves over one axis, each value held until the next; the second is dashed."""
    height, left, foot, top = 190, 40, 30, 22
    at = np.asarray(x, np.float64)
    values = [np.asarray(curve, np.float64) for _, curve in curves]
    finite = [v[np.isfinite(v)] for v in values]
    highest = max((float(v.max(initial=0)) for v in finite), default=0) or 1.0
    end, inner = float(at.max(initial=0)) or 1.0, height - foot - top
    drawn = [_rule(left, width, top + inner * (1 - f), shown(highest * f, 2)) for f in (0, 0.5, 1)]
    for n, curve in enumerate(values):
        points = [
            f"{left + (width - left - 6) * a / end:.1f},{top + inner * (1 - v / highest):.1f}"
            for a, v in zip(at.tolist(), curve.tolist(), strict=True)
            if math.isfinite(v)
        ]
        drawn.append(f'<polyline class="{"ab"[n % 2]} curve{" dashed" if n else ""}" points="{" ".join(points)}"/>')
    for part in range(5):
        where = left + (width - left - 6) * part / 4
        drawn.append(
            f'<text x="{where:.1f}" y="{height - foot + 16}" text-anchor=middle>{shown(end * part / 4, 3)}</text>'
        )
    drawn += _key([name for name, _ in curves], left)
    drawn.append(f'<text x="{width - 6}" y="{height - 2}" text-anchor=end class=dim>{escape(unit)}</text>')
    return _plot(width, height, drawn, ", ".join(name for name, _ in curves))


def bands(
    rows: Sequence[tuple[str, float, float, float]], low: float, high: float, unit: str = "", mark: float | None = None
) -> str:
    """A labelled row each: (label, mean, from, to) on an axis from low to high; ``mark`` is a line across all."""
    width, left, right, row = 720, 210, 64, 26
    height = 20 + row * len(rows) + 26
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return left + (width - left - right) * min(max((value - low) / span, 0), 1)

    drawn = []
    foot = height - 26
    for part in range(5):
        value = low + span * part / 4
        drawn.append(f'<line class=grid x1="{place(value):.1f}" x2="{place(value):.1f}" y1="8" y2="{foot}"/>')
        drawn.append(f'<text x="{place(value):.1f}" y="{foot + 16}" text-anchor=middle>{value:.3g}</text>')
    if mark is not None:
        drawn.append(f'<line class="b dashed" x1="{place(mark):.1f}" x2="{place(mark):.1f}" y1="8" y2="{foot}"/>')
    for at, (label, mean, start, stop) in enumerate(rows):
        y = 20 + row * at
        name = label if len(label) <= 30 else label[:29] + "…"
        drawn.append(
            f'<text x="{left - 12}" y="{y + 4}" text-anchor=end><title>{escape(label)}</title>{escape(name)}</text>'
        )
        if not math.isfinite(mean):
            continue
        if math.isfinite(start) and math.isfinite(stop):
            drawn.append(f'<line class="a thick" x1="{place(start):.1f}" x2="{place(stop):.1f}" y1="{y}" y2="{y}"/>')
        drawn.append(f'<circle class="a filled" cx="{place(mean):.1f}" cy="{y}" r="5"/>')
        drawn.append(f'<text x="{width - 4}" y="{y + 4}" text-anchor=end>{shown(mean, 3)}</text>')
    drawn.append(f'<text x="{left - 12}" y="{foot + 16}" text-anchor=end class=dim>{escape(unit)}</text>')
    return _plot(width, height, drawn, "means and intervals")


def _rule(left: int, width: int, y: float, label: str) -> str:
    line = f'<line class=grid x1="{left}" x2="{width - 6}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text x="{left - 6}" y="{y + 4:.1f}" text-anchor=end>{label}</text>'


def _key(names: Sequence[str], left: int) -> list[str]:
    if len(names) < 2:
        return []
    out, x = [], float(left)
    for at, name in enumerate(names):
        name = name if len(name) <= 34 else name[:33] + "…"
        out.append(
            f'<rect class="{"ab"[at % 2]} {"hollow" if at else "filled"}" x="{x:.0f}" y="4" width="10" height="10"/>'
        )
        out.append(f'<text x="{x + 15:.0f}" y="13">{escape(name)}</text>')
        x += 34 + 6.6 * len(name)
    return out


def _plot(width: int, height: int, drawn: Sequence[str], name: str) -> str:
    size = f'viewBox="0 0 {width} {height}" style="max-width:{width}px"'
    return f'<svg class=plot {size} role=img aria-label="{escape(name)}">{"".join(drawn)}</svg>'
