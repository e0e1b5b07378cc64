"""``kantor check``: what is wrong in a score, where, and between which voices; and what it is like, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kantor
from kantor import io, metrics
from kantor.errors import ScoreError
from kantor.evaluation.counterpoint import Examined, Fault, examine, place_of
from kantor.metrics import Curve, Histogram, Value
from kantor.score import Score
from kantor.theory import key_name
from kantor.verbs.outputs import check_report

__all__ = ["SUFFIXES", "check", "plain"]

#: What a report can be written as: the engraved page with its faults marked, or all of it as one page for a browser.
SUFFIXES = (".svg", ".html")


def check(source: str | Path | Score, outputs: Sequence[str | Path] = (), *, force: bool = False) -> dict[str, Any]:
    """The faults of a score, and its metrics, as JSON has them (``docs/json.md``); marked pages where asked for.

    Parameters
    ----------
    source   MIDI with a voice a track, MusicXML, kern, ABC, grid CSV, or a score. Two staves are read as two voices
             each. Where voices cannot be told, rules of voice leading are left out, and a remark says why.
    outputs  ``.svg``: the engraved score, faults numbered, ringed and explained; further pages become FILE-2.svg ...
             ``.html``: the whole report as one file.
    force    write over files that are there.

    Raises
    ------
    FileFormatError, ScoreError
        If the source cannot be read, or has no note.
    OptionError, OutputError
        If an output cannot be written, or is there already.
    """
    paths = [Path(path) for path in outputs]
    check_report(paths, SUFFIXES, source=None if isinstance(source, Score) else Path(source), force=force)
    score = source if isinstance(source, Score) else io.load(source)
    name = score.title or "score" if isinstance(source, Score) else Path(source).name
    if not len(score.pitched):
        raise ScoreError(f"expected music to check, got '{name}' without a note; is this the right file?")
    found = examine(score)
    report = _report(score, found, name)
    written: list[Path] = []
    for path in paths:
        written += _pages(path, score, found) if path.suffix.lower() == ".svg" else _page(path, score, found, report)
    return {**report, "files": [str(path) for path in written]}


def plain(values: dict[str, Value]) -> dict[str, Any]:
    """Values of metrics as JSON has them: a number or null, a list of shares; curves are for pictures, and left out."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Histogram):
            found[name] = [round(share, 6) for share in value.shares.tolist()] if value.weights.any() else None
        elif not isinstance(value, Curve):
            found[name] = round(value.number, 6) if np.isfinite(value.number) else None
    return found


def _report(score: Score, found: Examined, name: str) -> dict[str, Any]:
    faults = [_told(score, found, fault) for fault in found.faults]
    heard = found.lines if found.lines is not None and len(found.names) > 1 else score
    return {
        "file": name,
        "key": key_name(found.key) if found.key else None,
        "meter": str(score.meters[0]) if score.meters else None,
        "bars": score.bar_count,
        "notes": len(score),
        "voices": list(found.names),
        "faults": faults,
        "counts": dict(sorted(Counter(fault["kind"] for fault in faults).items())),
        "left_out": [{"rule": rule, "reason": reason} for rule, reason in found.left_out],
        "remarks": list(found.remarks),
        "metrics": plain(metrics.measure(heard)),
    }


def _told(score: Score, found: Examined, fault: Fault) -> dict[str, Any]:
    bar, beat = place_of(score, fault.tick)
    return {
        "rule": fault.rule,
        "kind": fault.kind,
        "bar": bar,
        "beat": beat,
        "quarters": round((fault.end - fault.tick) / score.ticks_per_quarter, 3) if not fault.before else 0,
        "voices": [found.names[voice].lower() for voice in fault.voices],
        "pitches": [pitch if pitch >= 0 else None for pitch in fault.pitches],
        "before": [pitch if pitch >= 0 else None for pitch in fault.before],
    }


# -- files -----------------------------------------------------------------------------------------------------------


def _pages(path: Path, score: Score, found: Examined) -> list[Path]:
    from kantor.verbs._check_page import engraved

    pages = engraved(score, found)
    files = [path, *(path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(2, len(pages) + 1))]
    for file, page in zip(files, pages, strict=True):
        io.write_bytes(file, page.encode())
    return files


def _page(path: Path, score: Score, found: Examined, report: dict[str, Any]) -> list[Path]:
    from kantor.verbs._check_page import page

    io.write_bytes(path, page(score, found, report, kantor.__version__).encode())
    return [path]
