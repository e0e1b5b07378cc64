"""A score of any layout -> the four lines of a choir, or one sentence that says why not."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kantor.errors import ScoreError
from kantor.score import VOICES, Score

__all__ = ["Lines", "voices"]

TRY = "Try a score with one line a voice, or drop the doubling parts."


class Lines(NamedTuple):
    """A score as lines: its notes, ``part`` meaning voice (0 on top); and which part of the score each voice was.

    ``parts`` is empty where the notes had to be dealt out, so that no voice is one of the score's parts.
    """

    notes: NDArray[np.void]
    parts: tuple[int, ...]


def voices(score: Score, count: int) -> Lines:
    """The ``count`` lines of ``score``.

    Parts that are lines already are kept as they are (turned round where the bass comes first, unless their names say
    who they are). Anything else, a piano staff or a type-0 file, is dealt out note by note: the voices that hold keep
    their notes, the others take the new ones from the top down, each moving as little as it can. A single line is the
    top voice's. Notes that overlap, or strike apart, by less than a thirty-second are taken as a player's way with one
    after the other, or together.

    Raises
    ------
    ScoreError
        If the score has no notes, or more than ``count`` sound at once.
    """
    notes = score.notes
    if not len(notes):
        raise ScoreError(f"expected a score of {count} voices, got one without notes. Is this the right file?")
    slack = score.ticks_per_quarter // 8
    used = np.unique(notes["part"]).tolist()
    lines = [notes[notes["part"] == part] for part in used]
    if len(score.parts) == 1 and _is_line(lines[0], slack):  # a melody: the top voice sings it, the others are silent
        notes = notes.copy()
        notes["part"] = 0
        return Lines(notes, ())
    parts = list(range(count)) if len(score.parts) == count else used
    if len(parts) != count or not all(_is_line(line, slack) for line in lines):
        return Lines(_dealt(notes, count, score.ticks_per_quarter, slack), ())
    named = tuple(part.name for part in score.parts) == VOICES[:count]
    if not named and len(used) == count and lines[0]["pitch"].mean() < lines[-1]["pitch"].mean():
        parts.reverse()
    notes = notes.copy()
    notes["part"] = [parts.index(part) for part in notes["part"]]
    return Lines(notes, tuple(parts))


def _is_line(line: NDArray[np.void], slack: int) -> bool:
    return bool((line["onset"][1:] + slack >= (line["onset"] + line["duration"])[:-1]).all())


def _dealt(notes: NDArray[np.void], count: int, ticks_per_quarter: int, slack: int) -> NDArray[np.void]:
    notes = notes[np.argsort(notes["onset"], kind="stable")].copy()
    ends = np.zeros(count, dtype=np.int64)
    last = np.linspace(72, 48, count)  # where a choir's voices lie before they have sung
    begin = 0
    while begin < len(notes):
        onset = int(notes["onset"][begin])
        end = int(np.searchsorted(notes["onset"], onset + max(slack, 1)))
        new = np.arange(begin, end)[np.argsort(-notes["pitch"][begin:end], kind="stable")]
        free = np.flatnonzero(ends <= onset + slack)
        if len(new) > len(free):
            sounding = count - len(free) + len(new)
            quarter = onset / ticks_per_quarter
            raise ScoreError(f"expected at most {count} notes at once, got {sounding}, {quarter:g} quarters in. {TRY}")
        pitches = notes["pitch"][new]
        taken = min(combinations(free, len(new)), key=lambda chosen: float(np.abs(last[list(chosen)] - pitches).sum()))
        notes["part"][new] = taken
        ends[list(taken)] = (notes["onset"] + notes["duration"])[new]
        last[list(taken)] = pitches
        begin = end
    return notes
