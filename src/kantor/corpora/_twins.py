"""Is this the same tune? Bach harmonised one hymn many times, and a test on a melody that was learned measures memory.

Two melodies are twins if, transposition, rhythm and repeated notes apart, at least half of the eight-interval runs of
one occur in the other, or sixteen intervals in a row are common to both. The measure is the one behind the count of
twins in the published split (27 of its 77 test pieces by the first half of the rule, 36 by both).
"""

from __future__ import annotations

import numpy as np

from kantor.score import Score

__all__ = ["are_twins", "melody"]

_GRAM = 8
_COMMON_RUN = 16
_CONTAINMENT = 0.5

Intervals = tuple[int, ...]


def melody(score: Score, part: int = 0) -> Intervals:
    """Steps of a part in semitones, from onset to onset, repeated notes merged."""
    return intervals(score.notes["pitch"][score.notes["part"] == part])


def intervals(pitches: object) -> Intervals:
    """Steps between successive pitches in semitones, without the zeros."""
    steps = np.diff(np.asarray(pitches, dtype=np.int64))
    return tuple(int(step) for step in steps[steps != 0])


def are_twins(one: Intervals, other: Intervals) -> bool:
    """Whether two melodies are the same tune."""
    mine, theirs = _runs(one, _GRAM), _runs(other, _GRAM)
    shorter = min(len(mine), len(theirs))
    if shorter and len(mine & theirs) / shorter >= _CONTAINMENT:
        return True
    return not _runs(one, _COMMON_RUN).isdisjoint(_runs(other, _COMMON_RUN))


def _runs(steps: Intervals, length: int) -> set[Intervals]:
    return {steps[i : i + length] for i in range(len(steps) - length + 1)}
