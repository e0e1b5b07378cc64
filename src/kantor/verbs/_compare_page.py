"""The report of ``kantor compare`` as one page: the leaderboard, and how rows stand to each other."""

from __future__ import annotations

import math
from typing import Any

from kantor.render.report import Cell, Column, bands, document, figure, grid, number, section, table, titled

__all__ = ["page"]

_SAYS = {
    "nats_per_note": ("nats a note", "likelihood of music not seen: lower is better"),
    "nats_drawn": ("nats drawn", "how likely the model finds what was drawn from it"),
    "parallel_fifths": ("fifths", "parallel fifths per 1,000 moving pairs"),
    "parallel_octaves": ("octaves", "parallel octaves and unisons per 1,000 moving pairs"),
    "faults": ("faults", "faults of voice leading, all rules together"),
    "frechet": ("Fréchet", "distance of all figures from the reference"),
    "accuracy": ("told apart", "balanced accuracy of a classifier; 0.5 is guessing"),
    "overlap": ("overlap", "overlapping area, mean over figures; 1 is alike"),
    "copied_quarters": ("copied", "longest passage shared with a training piece, quarters, mean over pieces"),
    "copied_bars": ("bars copied", "share of bars found whole in a training piece"),
    "distinct": ("distinct", "share of pieces that differ from all others"),
    "seconds_per_piece": ("s a piece", "seconds that a piece takes, composed side by side"),
    "notes_per_second": ("notes a s", "notes composed in a second"),
}
_PLOTTED = ("frechet", "accuracy", "faults", "nats_drawn")


def page(report: dict[str, Any], sort: str, version: str) -> str:
    """The page, in HTML."""
    rows = report["rows"]
    columns = [Column("model and sampling"), *(Column(name, about, True) for name, about in _SAYS.values())]
    cells: list[list[Cell | str]] = [
        [titled(row["model"], row["sampling"]), *(number(row[name]) for name in _SAYS)] for row in rows
    ]
    held = ", ".join(dict.fromkeys(row["against"] for row in rows if row["against"])) or "nothing"
    note = f"Sorted by {_SAYS[sort][0]}; a click on a head sorts by it. Held against {held}."
    plots = [_plot(rows, name) for name in _PLOTTED if any(row[name] is not None for row in rows)]
    said = f"{len(rows)} rows of {report['count']} pieces each."
    if report["count"] < 256:
        said += " Parallels are rare: with fewer than 256 pieces their figures are rough."
    content = [
        section("Leaderboard", table(columns, cells, "leaderboard"), note=note),
        section("Side by side", grid(plots)),
    ]
    return document("Models compared", said, *content, made_by=f"kantor {version}, seed {report['seed']}")


def _plot(rows: list[dict[str, Any]], name: str) -> str:
    """One figure of all rows, a point each."""
    points = [(f"{row['model']}, {row['sampling']}", row[name]) for row in rows]
    known = [value for _, value in points if value is not None]
    low, high = (0.5, 1.0) if name == "accuracy" else (0.0, max(known) * 1.08 or 1.0)
    drawn = [(label, math.nan if value is None else value, math.nan, math.nan) for label, value in points]
    return figure(bands(drawn, min(low, *known), high, _SAYS[name][0]), _SAYS[name][1])
