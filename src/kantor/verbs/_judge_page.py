"""The report of ``kantor judge`` as one page: the verdict first, then every figure, distributions, copies, examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kantor import metrics
from kantor.errors import KantorError
from kantor.evaluation.counterpoint import examine
from kantor.evaluation.features import Features
from kantor.render.report import (
    Cell,
    Column,
    bands,
    bars,
    bullets,
    document,
    facts,
    figure,
    grid,
    number,
    picture,
    section,
    shown,
    table,
    text,
    titled,
)
from kantor.score import Score
from kantor.verbs._sets import Named, Pieces
from kantor.wording import counted

__all__ = ["page"]

TELLTALES = 12
COPIES = 20
EXAMPLES = 3
SECONDS = 60.0  # of an example that is heard and shown


def page(
    report: dict[str, Any],
    ours: Pieces,
    theirs: Pieces | None,
    heard: tuple[Features, Features | None],
    version: str,
) -> str:
    """The page, in HTML."""
    held = f" against {report['against']} ({counted(report['pieces_against'], 'piece')})" if theirs else ""
    content = [
        section("At a glance", facts(_glance(report))),
        *_apart(report),
        _numbers(report),
        *_distributions(report),
        *_copied(report),
        *_examples(ours),
        *_left_out(report),
    ]
    lead = f"{counted(report['pieces'], 'piece')}{held}. Intervals are 95 %, by bootstrap over pieces."
    return document(f"{report['set']}: judged", lead, *content, made_by=f"kantor {version}, seed {report['seed']}")


def _glance(report: dict[str, Any]) -> list[tuple[str, Any]]:
    known = [("pieces", f"{report['pieces']:,}")]
    for name, words in _FIRST.items():
        value = report["figures"].get(name, {}).get("value")
        if value is not None:
            known.append((words, shown(value)))
    if report["frechet"] is not None:
        known.append(
            (
                "Fréchet distance",
                f"{shown(report['frechet'])} (as many pieces of the reference: {_dash(report['frechet_within'])})",
            )
        )
    if report["two_sample"]:
        known.append(("told apart", f"{report['two_sample']['accuracy']:.0%} (guessing: 50 %)"))
    if report["copied"]:
        known.append(("longest copy", f"{report['copied']['most_quarters']:g} quarters"))
    return known


_FIRST = {
    "parallel-fifths": "parallel fifths, per 1,000",
    "parallel-octaves": "parallel octaves, per 1,000",
    "pitch-class-entropy": "pitch-class entropy, bits",
    "scale-consistency": "scale consistency",
    "step-share": "steps among moves",
}


def _apart(report: dict[str, Any]) -> list[str]:
    found = report["two_sample"]
    if not found:
        return []
    low, high = found["interval"]
    plot = bands([(report["set"], found["accuracy"], low, high)], 0, 1, "balanced accuracy", mark=0.5)
    columns = [Column("figure"), Column("share", "of what told the sets apart", True)]
    columns += [Column("this set", "mean over pieces", True), Column("reference", "mean over pieces", True)]
    known = metrics.figures()
    rows = [
        [
            titled(one["figure"], known[one["figure"]].about),
            number(one["share"], 2),
            number(one["first"]),
            number(one["second"]),
        ]
        for one in found["telltales"][:TELLTALES]
    ]
    say = (
        "A small classifier is shown some pieces of both sets and asked about the others. The broken line is guessing: "
        "an interval that holds it says that no figure here betrays the set. Below it, what gave the set away."
    )
    return [section("Can it be told apart?", plot, table(columns, rows, "telltales"), note=say)]


def _numbers(report: dict[str, Any]) -> str:
    known = metrics.figures()
    held = report["against"] is not None
    columns = [Column("figure"), Column("value", "mean over pieces, or all counts over all chances", True)]
    columns += [Column("95 %", "interval over pieces", True)]
    if held:
        columns += [Column("reference", "", True), Column("difference", "of the first from the reference", True)]
        columns += [Column("both", "filled: this set; hollow: the reference")]
        columns += [Column("overlap", "overlapping area, 1 is alike", True)]
        columns += [Column("distance", "Wasserstein, in the figure's unit", True)]
    rows = []
    for name, one in report["figures"].items():
        if one["kind"] == "histogram" or one["value"] is None:
            continue
        said = known[name].about if one["unit"] == "share" else f"{known[name].about}, {one['unit']}"
        row: list[Cell | str] = [titled(name, said), number(one["value"]), _interval(one["interval"])]
        rows.append(row + _against(one, name) if held else row)
    say = "A click on a head sorts by it."
    if held:
        say += " A difference in colour is one whose interval leaves out 0."
    return section("Every figure", table(columns, rows, "figures"), note=say)


def _against(one: dict[str, Any], name: str) -> list[Cell | str]:
    other = one["against"]
    if other is None or other["value"] is None:
        return [number(None), number(None), Cell("", 0.0), number(None), number(None)]
    sure = other["difference_interval"] is not None and not (
        other["difference_interval"][0] <= 0 <= other["difference_interval"][1]
    )
    apart = number(other["difference"])
    if sure:
        apart = Cell(f"<span class=bad>{apart.html}</span>", apart.value)
    both = [_triple(one), _triple(other)]
    known = [value for triple in both if triple for value in triple]
    low, high = min(known), max(known)
    spare = 0.15 * (high - low) or 1.0
    drawn = Cell(bullets(both, low - spare, high + spare, f"{name} of both sets"), other["difference"] or 0.0)
    return [number(other["value"]), apart, drawn, number(other["overlap"]), number(other["wasserstein"])]


def _triple(one: dict[str, Any]) -> tuple[float, float, float] | None:
    if one["value"] is None:
        return None
    low, high = one["interval"] or (one["value"], one["value"])
    return one["value"], low, high


def _interval(bounds: Sequence[float] | None) -> Cell:
    return Cell(f"{shown(bounds[0])} … {shown(bounds[1])}", bounds[0]) if bounds else Cell("–", math.inf)


def _distributions(report: dict[str, Any]) -> list[str]:
    known = metrics.figures()
    drawn = []
    for name, one in report["figures"].items():
        if one["kind"] != "histogram" or one["shares"] is None:
            continue
        sets = [(report["set"], np.array(one["shares"]))]
        other = one["against"]
        said = known[name].about
        if other and other["shares"]:
            sets.append((report["against"], np.array(other["shares"])))
            said += f"; intersection {_dash(other['intersection'])}, overlapping area {_dash(other['overlap'])}"
        drawn.append(figure(bars(known[name].labels, sets, "share"), f"{name}: {said}"))
    return [section("Distributions", grid(drawn))] if drawn else []


def _copied(report: dict[str, Any]) -> list[str]:
    found = report["copied"]
    if not found:
        return []
    columns = [Column("piece"), Column("quarters", "of the longest passage shared", True)]
    columns += [Column("with"), Column("bars", "share of bars found whole in a training piece", True)]
    rows = [
        [one["name"], Cell(f"{one['quarters']:g}", one["quarters"]), one["piece"] or "–", number(one["bars"], 2)]
        for one in found["each"][:COPIES]
    ]
    say = (
        f"Held against the train split of {found['corpus']}, in any transposition. Longest shared passage: "
        f"{found['mean_quarters']:.1f} quarters on average, {found['most_quarters']:g} at most; "
        f"{found['bars']:.1%} of bars are found whole."
    )
    return [section("Is it copied?", table(columns, rows, "copies"), note=say)]


def _examples(ours: Pieces) -> list[str]:
    """The piece with the fewest faults, one in the middle, the one with the most; of music without voices the first.

    Where voices cannot be told, no rule was asked, so that no faults say nothing: such pieces are not ranked.
    """
    sounding = [(name, score) for name, score in ours.pieces[:200] if len(score.pitched)]
    asked = [(found, one) for one in sounding if (found := examine(one[1])).lines is not None]
    ranked = [one for _, one in sorted(asked, key=lambda both: len(both[0].faults) / len(both[1][1]))]
    if not ranked:
        made = [_example(name, (name, score)) for name, score in sounding[:EXAMPLES]]
        note = "Voices cannot be told in this music, so no rule of voice leading was asked."
        return [section("Listen, and look", *made, note=note)] if made else []
    words = {0: "fewest faults", len(ranked) // 2: "in the middle", len(ranked) - 1: "most faults"}
    made = [
        _example(f"{ranked[place][0]}: {words[place] if len(ranked) > 1 else 'the piece'}", ranked[place])
        for place in sorted(words)[:EXAMPLES]
    ]
    return [section("Listen, and look", *made, note="Faults are numbered and told below the page.")]


def _example(title: str, piece: Named) -> str:
    from html import escape

    from kantor.verbs._check_page import engraved, sounding

    name, score = piece
    score = _beginning(score)
    made = f"<h3>{escape(title)}</h3>{sounding(score, name)}"
    try:
        return made + "".join(picture(one, name) for one in engraved(score, examine(score))[:2])
    except (KantorError, ImportError, OSError, RuntimeError) as error:
        return made + text(f"No page: {error}")


def _beginning(score: Score) -> Score:
    """The first minute, up to a bar line."""
    if score.seconds <= SECONDS:
        return score
    limit = int(score.tick_of_seconds(SECONDS))
    starts = score.bars["start"]
    last = int(starts[np.searchsorted(starts, limit, side="right") - 1])
    return score.cut(0, last or limit)


def _left_out(report: dict[str, Any]) -> list[str]:
    rows = [[one["name"], one["reason"]] for one in report["left_out"]]
    return [section("Left out", table([Column("file"), Column("reason")], rows))] if rows else []


def _dash(value: float | None) -> str:
    return "–" if value is None else shown(value)
