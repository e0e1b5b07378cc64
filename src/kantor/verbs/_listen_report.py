"""The report of ``kantor listen results`` as one page."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from kantor.listening.results import FIVE, TARGET
from kantor.render.report import Cell, Column, bands, document, facts, number, section, shown, table, text

__all__ = ["page"]

P_LEAST = 0.001  # of a smaller p no more is said


def page(found: dict[str, Any], version: str) -> str:
    """The page, in HTML."""
    raters = f"{found['raters']} rater{'s' if found['raters'] != 1 else ''}"
    lead = f"{raters}, {found['complete']} to the end; {found['pieces']} pieces, {found['answers']:,} answers."
    content = [_glance(found)]
    if found["raters"]:
        content += [_sources(found), _told(found), _differences(found), _levels(found), _items(found)]
    else:
        content.append(section("Nobody has answered yet", text("Serve the test: kantor listen serve.")))
    return document(f"{found['title']}: results", lead, *content, made_by=f"kantor {version}")


def _glance(found: dict[str, Any]) -> str:
    levels = ", ".join(f"{count} {level or 'not told'}" for level, count in found["levels"].items()) or "none"
    heard = found["headphones"]
    rows = [("raters", found["raters"]), ("to the end", found["complete"]), ("levels", levels)]
    rows.append(("headphones check", f"{heard['passed']} of {heard['tried']} passed"))
    rows += [(f"agreement, {name}", "–" if a is None else shown(a)) for name, a in found["agreement"].items()]
    note = "Agreement is Krippendorff's alpha, ordinal: 1 where raters agree, 0 by chance."
    return section("At a glance", facts(rows), note=note)


def _sources(found: dict[str, Any]) -> str:
    rows = [(one["source"], *_triple(one["overall"])) for one in found["sources"]]
    plot = bands(rows, 1, FIVE, "all ratings", mark=TARGET)
    questions = list(found["sources"][0]["questions"]) if found["sources"] else []
    columns = [Column("source"), Column("pieces", numeric=True), Column("all", "mean of all ratings", True)]
    columns += [Column("95 %", "over raters and pieces", True), *(Column(name, numeric=True) for name in questions)]
    cells: list[list[Cell | str]] = [
        [
            one["source"],
            Cell(str(one["pieces"]), one["pieces"]),
            number(one["overall"]["mean"]),
            _interval(one["overall"]["interval"]),
            *(number(one["questions"][name]["mean"]) for name in questions),
        ]
        for one in found["sources"]
    ]
    note = f"Ratings go from 1 to {FIVE}; the broken line is the target, {TARGET}."
    return section("How good is it?", plot, table(columns, cells, "sources"), note=note)


def _told(found: dict[str, Any]) -> str:
    """Whether pieces by Bach were told from the others, and how often each source was taken for Bach."""
    asked = {name for one in found["sources"] for name in one["yes"]}
    content = []
    for one in found["told"]:
        low, high = (f"{bound:.1%}" for bound in one["interval"])
        rows = [("balanced accuracy", f"{one['accuracy']:.1%} ({low} … {high}); guessing: 50 %")]
        rows.append(("p", _told_p(one["p"])))
        rows.append(("right answers", f"{one['right']:,} of {one['answers']:,}"))
        content.append(facts(rows))
    for name in sorted(asked):
        content.append(_said_to_be(name, found["sources"]))
    note = (
        "Balanced accuracy is the mean of two shares: of yes to pieces by Bach, and of no to the others. Guessing "
        "gives 50 %, and so does one answer to all; the share of right answers depends on how many pieces are by Bach. "
        "p: how often as much would be told if others of the pieces were by Bach, with all answers as they are."
    )
    return section("Which is Bach?", *content, note=note) if asked else ""


def _said_to_be(question: str, sources: list[dict[str, Any]]) -> str:
    columns = [Column("source"), Column("said to be Bach", "share of answers", True)]
    columns += [Column("95 %", "over raters and pieces", True), Column("answers", numeric=True)]
    rows = [(one["source"], one["yes"][question]) for one in sources]
    cells: list[list[Cell | str]] = [
        [source, number(yes["share"]), _interval(yes["interval"]), Cell(str(yes["answers"]), yes["answers"])]
        for source, yes in rows
    ]
    plot = bands([(source, *_triple(yes, "share")) for source, yes in rows], 0, 1, "said to be Bach")
    return plot + table(columns, cells, "told")


def _differences(found: dict[str, Any]) -> str:
    columns = [Column("question"), Column("first"), Column("second"), Column("difference", "of means", True)]
    columns += [Column("p", "the larger of the next two", True)]
    columns += [Column("by raters", "paired permutation test", True), Column("by pieces", "permutation test", True)]
    cells: list[list[Cell | str]] = [
        [
            one["question"],
            one["first"],
            one["second"],
            number(one["difference"]),
            *(_p(one[name]) for name in ("p", "p_raters", "p_pieces")),
        ]
        for one in found["differences"]
    ]
    note = (
        "A difference counts if it holds for other raters as well as for other pieces: so the larger p is reported, "
        "and none where either is unknown: there have to be two raters, and two pieces of each source."
    )
    return section("Differences", table(columns, cells, "differences"), note=note)


def _levels(found: dict[str, Any]) -> str:
    columns = [Column("level"), Column("source"), Column("mean", numeric=True), Column("95 %", numeric=True)]
    columns += [Column("ratings", "pieces rated", True)]
    cells: list[list[Cell | str]] = [
        [
            one["level"] or "not told",
            one["source"],
            number(one["mean"]),
            _interval(one["interval"]),
            Cell(str(one["ratings"]), one["ratings"]),
        ]
        for one in found["by_level"]
    ]
    return section("By level", table(columns, cells, "levels"))


def _items(found: dict[str, Any]) -> str:
    names = list(found["items"][0]["means"]) if found["items"] else []
    columns = [Column("piece"), Column("source"), Column("raters", numeric=True)]
    columns += [Column(name, numeric=True) for name in names]
    cells: list[list[Cell | str]] = [
        [one["piece"], one["source"], Cell(str(one["raters"]), one["raters"])]
        + [number(one["means"][name]) for name in names]
        for one in found["items"]
    ]
    return section("Piece by piece", table(columns, cells, "pieces"), note="Of yes and no, the share of yes.")


def _triple(one: dict[str, Any], name: str = "mean") -> tuple[float, float, float]:
    if one[name] is None:
        return math.nan, math.nan, math.nan
    low, high = one["interval"]
    return one[name], low, high


def _p(value: float | None) -> Cell:
    """A p-value; a dash where there is none."""
    return number(value) if value is None or value >= P_LEAST else Cell(escape(_told_p(value)), value)


def _told_p(value: float) -> str:
    return shown(value) if value >= P_LEAST else f"< {P_LEAST}"


def _interval(bounds: list[float] | None) -> Cell:
    return Cell(f"{shown(bounds[0])} … {shown(bounds[1])}", bounds[0]) if bounds else Cell("–", math.inf)
