"""Score <-> JSON, nothing lost; what comes from outside is measured before it is believed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from kantor.errors import ScoreError
from kantor.score import NOTE, Key, Meter, Part, Score, Tempo
from kantor.studio.messages import ScoreJson

__all__ = ["MAX_QUARTERS", "Read", "json_of", "read_score", "score_of"]

MAX_QUARTERS = 40_000  # 10,000 bars of 4/4
MAX_SCORE_BARS = 10_000


class Read(NamedTuple):
    """A score that was sent, and where each of its notes stood in what was sent (notes,)."""

    score: Score
    order: np.ndarray[Any, np.dtype[np.int64]]


def score_of(sent: ScoreJson, most: int = MAX_SCORE_BARS) -> Score:
    """See :func:`read_score`."""
    return read_score(sent, most).score


def read_score(sent: ScoreJson, most: int = MAX_SCORE_BARS) -> Read:
    """The score of what was sent; parts that are not named are pianos.

    Raises
    ------
    ScoreError
        If it is longer than 40,000 quarters or ``most`` bars, or does not hold together.
    """
    end = max((note.onset + note.duration for note in sent.notes), default=0)
    quarters = max(end, sent.length_ticks, sent.anacrusis_ticks) // sent.ticks_per_quarter
    if quarters > MAX_QUARTERS:
        raise ScoreError(f"expected a score of {MAX_QUARTERS} quarters at most, got {quarters}; cut it.")
    bars = _bars(sent, max(end, sent.length_ticks))
    if bars > most:
        raise ScoreError(f"expected a score of {most} bars at most, got {bars}; cut it.")
    rows = [(note.onset, note.duration, note.pitch, note.velocity, note.part) for note in sent.notes]
    notes = np.array(rows, dtype=NOTE) if rows else np.empty(0, dtype=NOTE)
    order = np.argsort(notes, order=["onset", "part", "pitch", "duration", "velocity"], kind="stable")
    parts = tuple(Part(part.name, part.program, part.is_drum) for part in sent.parts)
    if not parts:
        parts = tuple(Part() for _ in range(int(notes["part"].max(initial=-1)) + 1))
    score = Score(
        notes[order],
        parts=parts,
        ticks_per_quarter=sent.ticks_per_quarter,
        tempi=tuple(Tempo(tempo.tick, tempo.quarters_per_minute) for tempo in sent.tempi),
        meters=tuple(Meter(meter.tick, meter.numerator, meter.denominator) for meter in sent.meters),
        keys=tuple(Key(key.tick, key.fifths, key.mode) for key in sent.keys),
        fermatas=tuple(sent.fermatas),
        anacrusis_ticks=sent.anacrusis_ticks,
        barlines=tuple(sent.barlines),
        length_ticks=sent.length_ticks,
        title=sent.title,
        recipe=sent.recipe,
    )
    return Read(score, order)


def json_of(score: Score) -> ScoreJson:
    """The score as it is sent, its notes in their order.

    Raises
    ------
    ScoreError
        If it is too large, or holds what no page can show.
    """
    known = {
        "ticks_per_quarter": int(score.ticks_per_quarter),
        "notes": [
            dict(zip(("onset", "duration", "pitch", "velocity", "part"), row, strict=True)) for row in _rows(score)
        ],
        "parts": [{"name": part.name, "program": part.program, "is_drum": part.is_drum} for part in score.parts],
        "tempi": [{"tick": int(t.tick), "quarters_per_minute": float(t.quarters_per_minute)} for t in score.tempi],
        "meters": [{"tick": int(m.tick), "numerator": m.numerator, "denominator": m.denominator} for m in score.meters],
        "keys": [{"tick": int(key.tick), "fifths": key.fifths, "mode": key.mode} for key in score.keys],
        "fermatas": list(score.fermatas),
        "barlines": list(score.barlines),
        "anacrusis_ticks": int(score.anacrusis_ticks),
        "length_ticks": int(score.length_ticks),
        "title": score.title,
        "recipe": score.recipe,
    }
    try:
        return ScoreJson.model_validate(known)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ScoreError(
            f"expected a score that the studio can show, got {where} out of its bounds; cut it."
        ) from error


def _rows(score: Score) -> list[tuple[int, ...]]:
    rows: list[tuple[int, ...]] = score.notes.tolist()
    return rows


def _bars(sent: ScoreJson, length: int) -> int:
    """How many bars there will be: counted before they are drawn."""
    if sent.barlines:
        return len(sent.barlines)
    meters = sorted(sent.meters, key=lambda meter: meter.tick)
    total = 0
    for at, meter in enumerate(meters):
        end = meters[at + 1].tick if at + 1 < len(meters) else length
        begin = 0 if at == 0 else meter.tick
        bar = max(meter.numerator * 4 * sent.ticks_per_quarter // meter.denominator, 1)
        total += max(min(end, length) - begin, 0) // bar + 1
    return total or length // (4 * sent.ticks_per_quarter)
