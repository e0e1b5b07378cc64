"""A score of any layout -> the four lines of a choir, or one sentence that says why not."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kantor.errors import ScoreError
from kantor.score import VOICES, Score

__all__ = ["voices"]

TRY = "Try a score with one line a voice, or drop the doubling parts."


def voices(score: Score, count: int) -> NDArray[np.void]:
    """The notes of ``score`` with ``part`` meaning voice, 0 on top.

    Parts that are lines already are kept as they are (turned round where the bass comes first, unless their names say
    who they are). Anything else, a piano staff or a type-0 file, is dealt out note by note: the voices that hold keep
    their notes, the others take the new ones from the top down, each moving as little as it can.

    Raises
    ------
    ScoreError
        If the score has no notes, or more than ``count`` sound at once.
    """
    notes = score.notes
    if not len(notes):
        raise ScoreError(f"expected a score of {count} voices, got one without notes. Is this the right file?")
    used = np.unique(notes["part"])
    lines = [notes[notes["part"] == part] for part in used]
    if tuple(part.name for part in score.parts) == VOICES[:count] and all(map(_is_line, lines)):
        return notes  # its parts say who they are, however they cross
    if len(used) <= count and len(score.parts) == count and all(map(_is_line, lines)):
        return _top_down(notes, lines, used, count)
    if len(used) == count and all(map(_is_line, lines)):
        return _top_down(_renumbered(notes, used), lines, used, count)
    return _dealt(notes, count, score.ticks_per_quarter)


def _is_line(line: NDArray[np.void]) -> bool:
    return bool((line["onset"][1:] >= (line["onset"] + line["duration"])[:-1]).all())


def _renumbered(notes: NDArray[np.void], used: NDArray[np.int16]) -> NDArray[np.void]:
    notes = notes.copy()
    notes["part"] = np.searchsorted(used, notes["part"])
    return notes


def _top_down(
    notes: NDArray[np.void], lines: list[NDArray[np.void]], used: NDArray[np.int16], count: int
) -> NDArray[np.void]:
    if len(used) == count and lines[0]["pitch"].mean() < lines[-1]["pitch"].mean():
        notes = notes.copy()
        notes["part"] = count - 1 - notes["part"]
    return notes


def _dealt(notes: NDArray[np.void], count: int, ticks_per_quarter: int) -> NDArray[np.void]:
    notes = notes[np.lexsort((-notes["pitch"], notes["onset"]))].copy()
    ends = np.zeros(count, dtype=np.int64)
    last = np.linspace(72, 48, count)  # where a choir's voices lie before they have sung
    for onset in np.unique(notes["onset"]):
        new = np.flatnonzero(notes["onset"] == onset)
        free = np.flatnonzero(ends <= onset)
        if len(new) > len(free):
            sounding = count - len(free) + len(new)
            quarter = onset / ticks_per_quarter
            raise ScoreError(f"expected at most {count} notes at once, got {sounding}, {quarter:g} quarters in. {TRY}")
        pitches = notes["pitch"][new]
        taken = min(combinations(free, len(new)), key=lambda chosen: float(np.abs(last[list(chosen)] - pitches).sum()))
        notes["part"][new] = taken
        ends[list(taken)] = (notes["onset"] + notes["duration"])[new]
        last[list(taken)] = pitches
    return notes
