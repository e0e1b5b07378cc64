"""``kantor judge``: how good a set of pieces is, in every figure there is, by itself or held against another set."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import kantor
from kantor import io, metrics
from kantor.errors import InputError, OptionError
from kantor.evaluation.features import Features
from kantor.evaluation.novelty import Memory
from kantor.evaluation.sets import Comparison, Contrast, Estimate, against, estimates, pooled
from kantor.evaluation.two_sample import TwoSample
from kantor.verbs._sets import Named, Pieces, heard, like, named, there, training
from kantor.verbs.outputs import check_report

__all__ = ["copies", "judge", "reference"]

SUFFIXES = (".html",)


def judge(
    pieces: str | Path | Sequence[Any],
    against: str | Path | Sequence[Any] | None = None,
    outputs: Sequence[str | Path] = (),
    *,
    seed: int = 0,
    force: bool = False,
    advance: Callable[[float], None] = lambda _: None,
    **drawing: Any,
) -> dict[str, Any]:
    """All metrics of a set with intervals; against another set distances, a classifier's verdict, and copies.

    Parameters
    ----------
    pieces   files, a folder, a corpus ("bach", "bach:valid"), a model's pieces ("chorale:256"), or scores.
    against  the reference, likewise. Of a model's pieces, the train split of its corpus unless given; "none": nothing.
    outputs  ``.html``: a report as one file.
    seed     of what is composed, and of the bootstrap.
    advance  told what share (0..1) of the work is done.
    drawing  how a model's pieces are drawn: ``bars``, ``temperature``, ``top_p``, ``rules`` ..., see
             :func:`kantor.verbs.generate.generate`.

    Returns
    -------
    The figures as JSON has them (``docs/json.md``); what is not defined is None.

    Raises
    ------
    OptionError, InputError
        If nothing answers to a name, or no piece can be read.
    OutputError
        If an output cannot be written.
    """
    paths = [Path(path) for path in outputs]
    check_report(paths, SUFFIXES, force=force)
    if drawing and there(pieces) and (against is None or against == "none" or there(against)):
        name = next(iter(drawing)).replace("_", "-")
        one = pieces if isinstance(pieces, str | Path) or len(pieces) != 1 else pieces[0]
        what = f"'{one}' is" if isinstance(one, str | Path) else "these are"
        raise OptionError(f"expected --{name} with pieces of a model to draw, {what} there already; leave it out.")
    ours = named(pieces, advance=lambda done: advance(0.5 * done), seed=seed, **drawing)
    theirs = reference(ours, against, seed=seed, **drawing)
    ours, theirs, report, features = _judged(ours, theirs, seed, lambda done: advance(0.5 + 0.4 * done))
    for path in paths:
        from kantor.verbs._judge_page import page

        io.write_bytes(path, page(report, ours, theirs, features, kantor.__version__).encode())
    advance(1.0)
    return {**report, "files": [str(path) for path in paths]}


def reference(ours: Pieces, wanted: Any, **drawing: Any) -> Pieces | None:
    """The set that another is held against: the one asked for; else what its model has learned from; else none."""
    if wanted is None:
        wanted = f"{ours.corpus}:train" if ours.bundle is not None and ours.corpus else "none"
    if isinstance(wanted, str) and wanted == "none":
        return None
    return like(named(wanted, **drawing), ours.bundle)


def copies(memory: Memory, pieces: Sequence[Named]) -> list[dict[str, Any]]:
    """What each piece shares with those that are remembered, in the order of ``pieces``."""
    found = [(name, memory.copied(score)) for name, score in pieces]
    return [
        {"name": name, "quarters": one.quarters, "piece": one.piece or None, "bars": round(one.bars, 6)}
        for name, one in found
    ]


def _judged(
    ours: Pieces, theirs: Pieces | None, seed: int, advance: Callable[[float], None]
) -> tuple[Pieces, Pieces | None, dict[str, Any], tuple[Features, Features | None]]:
    """The pieces that could be heard, the report of them, and what was heard."""
    whole = len(ours.pieces) + (len(theirs.pieces) if theirs else 0)
    done = itertools.count(1)

    def of(pieces: Pieces) -> tuple[Pieces, Features]:
        found = heard(pieces, lambda: advance(next(done) / whole))
        if not len(found[1]):
            reason = "; {}: {}".format(*found[0].left_out[0]) if found[0].left_out else "."
            raise InputError(f"expected pieces in '{pieces.name}', got none{reason}")
        return found

    ours, first = of(ours)
    theirs, second = of(theirs) if theirs is not None else (None, None)
    compared = against(first, second, seed=seed) if second is not None else None
    known, remark = training(ours, theirs)
    left_out = [*ours.left_out, *(theirs.left_out if theirs else ())]
    report = {
        "set": ours.name,
        "pieces": len(first),
        "against": theirs.name if theirs else None,
        "pieces_against": len(theirs.pieces) if theirs else None,
        "seed": seed,
        "figures": _figures(first, second, compared, seed),
        "frechet": _or_none(compared.frechet) if compared else None,
        "frechet_within": _or_none(compared.frechet_within) if compared else None,
        "self_similarity": _likeness(compared) if compared else None,
        "two_sample": told_apart(compared.two_sample) if compared else None,
        "copied": _copied(*known, ours.pieces) if known else None,
        "left_out": [{"name": name, "reason": reason} for name, reason in left_out],
        "remarks": [remark] if remark else [],
    }
    return ours, theirs, report, (first, second)


def _figures(first: Features, second: Features | None, compared: Comparison | None, seed: int) -> dict[str, Any]:
    """Figure -> what is known of it, in the order of metrics."""
    known = metrics.figures()
    alone = estimates(first, seed=seed)
    shares = pooled(first), pooled(second) if second is not None else {}
    found: dict[str, Any] = {}
    for name, figure in known.items():
        if figure.kind == "curve":
            continue
        contrast = compared.figures.get(name) if compared else None
        row: dict[str, Any] = {"kind": figure.kind, "unit": figure.unit or "share", **_estimate(alone.get(name))}
        row["shares"] = _shares(shares[0].get(name))
        row["against"] = _reference(contrast, shares[1].get(name)) if contrast is not None else None
        found[name] = row
    return found


def _estimate(found: Estimate | None) -> dict[str, Any]:
    if found is None:
        return {"value": None, "interval": None, "deviation": None, "pieces": None}
    return {
        "value": _or_none(found.value),
        "interval": _bounds(found.low, found.high),
        "deviation": _or_none(found.deviation),
        "pieces": found.pieces,
    }


def _reference(found: Contrast, shares: Any) -> dict[str, Any]:
    """The same figure of the reference, and how far the set is from it."""
    return {
        **_estimate(found.second),
        "shares": _shares(shares),
        "difference": _or_none(found.difference),
        "difference_interval": _bounds(found.low, found.high),
        "overlap": _or_none(found.overlap),
        "wasserstein": _or_none(found.wasserstein),
        "intersection": _or_none(found.intersection),
        "jensen_shannon": _or_none(found.jensen_shannon),
    }


def _likeness(compared: Comparison) -> dict[str, Any]:
    return {
        what: {"consistency": _or_none(one.consistency), "variance": _or_none(one.variance)}
        for what, one in compared.self_similarity.items()
    }


def told_apart(found: TwoSample | None) -> dict[str, Any] | None:
    """The two-sample test as JSON has it; None where a set was too small."""
    if found is None:
        return None
    telltales = [
        {"figure": t.name, "share": _or_none(t.share), "first": _or_none(t.first), "second": _or_none(t.second)}
        for t in found.telltales
    ]
    bounds = {"accuracy": _or_none(found.accuracy), "interval": _bounds(found.low, found.high)}
    return {**bounds, "pieces": list(found.pieces), "telltales": telltales}


def _copied(corpus: str, memory: Memory, pieces: Sequence[Named]) -> dict[str, Any]:
    found = copies(memory, pieces)
    quarters = [one["quarters"] for one in found]
    return {
        "corpus": corpus,
        "mean_quarters": round(sum(quarters) / len(quarters), 6),
        "most_quarters": max(quarters),
        "bars": round(sum(one["bars"] for one in found) / len(found), 6),
        "each": sorted(found, key=lambda one: -one["quarters"]),
    }


def _shares(values: Any) -> list[float] | None:
    return [round(float(value), 6) for value in values] if values is not None and values.any() else None


def _bounds(low: float, high: float) -> list[float] | None:
    return [round(low, 6), round(high, 6)] if math.isfinite(low) and math.isfinite(high) else None


def _or_none(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
