"""The report of ``kantor check`` as one page, and the engraved pages with faults marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kantor import metrics
from kantor.errors import KantorError
from kantor.evaluation.counterpoint import Examined, Fault, place_of
from kantor.metrics import Curve
from kantor.render import audio
from kantor.render.engraving import engrave
from kantor.render.marking import Mark, mark
from kantor.render.report import (
    Cell,
    Column,
    document,
    facts,
    figure,
    lines,
    number,
    picture,
    player,
    section,
    table,
    text,
    titled,
)
from kantor.score import Key, Score
from kantor.theory import note_in
from kantor.verbs._showing import written

__all__ = ["engraved", "page", "sounding"]

SHOWN_BARS = 200  # on a report's page: more would be megabytes of sound
SHOWN_FAULTS = 400  # marked on a page; more are no help to anyone


def page(score: Score, found: Examined, report: dict[str, Any], version: str) -> str:
    """The report as one HTML page."""
    count = len(found.faults)
    said = (
        f"{count} fault{'s' if count != 1 else ''} in {report['bars']} bars" if found.lines is not None else "No voices"
    )
    known = [("key", report["key"] or "not known"), ("meter", report["meter"] or "not known"), ("bars", report["bars"])]
    known += [("notes", report["notes"]), ("voices", ", ".join(report["voices"]) or "not told"), ("faults", count)]
    content = [section("At a glance", facts(known), *map(text, report["remarks"]))]
    content.append(section("Faults", _fault_table(report, found), note=_about_faults(report)))
    content.append(section("The score", *_shown(score, found)))
    content.append(section("Metrics", _metric_table(report["metrics"])))
    content += _curves(found.lines if found.lines is not None else score)
    return document(f"{report['file']}: checked", f"{said}.", *content, made_by=f"kantor {version}")


def _about_faults(report: dict[str, Any]) -> str:
    left = "; ".join(f"{one['rule']}: {one['reason']}" for one in report["left_out"])
    faults = "Numbers are those on the page below. What lasts is told once, where it begins."
    return f"{faults} Not asked: {left}." if left else faults


def _fault_table(report: dict[str, Any], found: Examined) -> str:
    if not report["faults"]:
        return text("None was found.")
    columns = [Column("no.", numeric=True), Column("bar", numeric=True), Column("beat", numeric=True)]
    columns += [Column("fault"), Column("voices"), Column("notes"), Column("rule", "as kantor rules lists it")]
    rows: list[list[Cell | str]] = [
        [
            Cell(str(number), number),
            Cell(str(one["bar"]), one["bar"]),
            Cell(f"{one['beat']:g}", one["beat"]),
            one["kind"],
            ", ".join(one["voices"]),
            _spelt(one["pitches"], one["before"], found.key),
            one["rule"],
        ]
        for number, one in enumerate(report["faults"], start=1)
    ]
    return table(columns, rows, "faults")


def _metric_table(values: dict[str, Any]) -> str:
    """The metrics that are numbers, with what they say."""
    known = metrics.figures()
    columns = [Column("metric"), Column("value", numeric=True), Column("unit")]
    rows: list[list[Cell | str]] = [
        [titled(name, known[name].about), number(value), known[name].unit or "share"]
        for name, value in values.items()
        if known[name].kind != "histogram" and value is not None
    ]
    return table(columns, rows, "metrics")


def _shown(score: Score, found: Examined) -> list[str]:
    """A player, and the engraved pages; where one cannot be made, a sentence that says why."""
    begun = _first(score, SHOWN_BARS)
    made = [] if begun is score else [text(f"The first {SHOWN_BARS} bars; an .svg has them all.")]
    made.append(sounding(begun, "the piece"))
    try:
        pages = engraved(score, found, SHOWN_BARS)
        made += [picture(page, f"score, page {n}, faults marked") for n, page in enumerate(pages, start=1)]
    except (KantorError, ImportError, OSError, RuntimeError) as error:
        made.append(text(f"No page: {error}"))
    return made


def sounding(score: Score, name: str) -> str:
    """A player for ``score``, or a sentence that says why there is none."""
    try:
        samples = audio.sound(score, sample_rate=22050).mean(axis=1, keepdims=True)
        return player(audio.encode(samples, 22050, ".mp3"), name=name)
    except (KantorError, ImportError, OSError, RuntimeError) as error:
        return text(f"No sound: {error}")


def _curves(score: Score) -> list[str]:
    """Metrics that are curves, one plot each."""
    known = metrics.figures()
    drawn = [
        figure(
            lines(value.quarters, [(name, value.values)], "quarters"),
            f"{known[name].about} ({known[name].unit or 'share'})",
        )
        for name, value in metrics.measure(score).items()
        if isinstance(value, Curve) and len(value.quarters)
    ]
    return [section("Along the piece", *drawn)] if drawn else []


def _marks(score: Score, found: Examined) -> list[Mark]:
    """The faults as marks on the engraved voices."""
    assert found.lines is not None
    scale = found.lines.ticks_per_quarter / score.ticks_per_quarter
    marks = []
    for at, fault in enumerate(found.faults[:SHOWN_FAULTS], start=1):
        tick = round(fault.tick * scale)
        now = tuple((tick, voice, pitch) for voice, pitch in zip(fault.voices, fault.pitches, strict=True))
        before = tuple((tick - 1, voice, pitch) for voice, pitch in zip(fault.voices, fault.before, strict=False))
        marks.append(Mark(at, _sentence(score, found, fault), now, before))
    return marks


def _sentence(score: Score, found: Examined, fault: Fault) -> str:
    bar, beat = place_of(score, fault.tick)
    who = " and ".join(found.names[voice].lower() for voice in fault.voices) if len(fault.voices) < 3 else "all voices"
    return f"bar {bar}, beat {beat:g}: {fault.kind}, {who} ({_spelt(fault.pitches, fault.before, found.key)})"


def _spelt(pitches: Sequence[int | None], before: Sequence[int | None], key: Key | None) -> str:
    """Notes by name, "F4 B3 → G4 C4"."""

    def names(of: Sequence[int | None]) -> str:
        return " ".join(note_in(pitch, key) if pitch is not None and pitch >= 0 else "–" for pitch in of)

    return f"{names(before)} → {names(pitches)}" if before else names(pitches)


def engraved(score: Score, found: Examined, bars: int | None = None) -> list[str]:
    """The pages of the score, or of its first ``bars``, with the faults marked."""
    if found.lines is None:
        return engrave(written(_first(score, bars)))
    return mark(written(_first(found.lines.replace(title=score.title), bars)), _marks(score, found))


def _first(score: Score, bars: int | None) -> Score:
    starts = score.bars["start"]
    return score.cut(0, int(starts[bars])) if bars is not None and len(starts) > bars else score
