"""How pitches, steps and durations are distributed: do two sets of pieces use the same notes and the same rhythms?

A *step* is the time from one onset to the next, all parts together: within a chord it is 0, and a piece of n notes has
n - 1 of them. Steps and durations are counted on a grid of 24 ticks a quarter, which holds triplets and thirty-second
notes alike; onsets are moved to the grid before steps are taken, so that the steps of a piece add up to its span.

Two histograms are compared by their *intersection* (Swain and Ballard 1991, "Color indexing"): the share that they have
in common, 0 for nothing and 1 for all. It is 1 minus the total variation distance. Each of the three is judged by
itself: a set may have all its pitches right and none in the right place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kantor.errors import InputError
from kantor.score import Score

__all__ = ["GRID", "LAST", "PITCHES", "histograms", "intersection"]

#: Ticks of the grid in a quarter.
GRID = 24
#: Bins of pitch: MIDI numbers 0-127.
PITCHES = 128
#: The last bin of steps and durations, in ticks of the grid: four quarters and whatever is longer.
LAST = 4 * GRID


def histograms(scores: Iterable[Score]) -> dict[str, NDArray[np.int64]]:
    """Counts over all notes of ``scores``.

    Returns
    -------
    ``pitch`` (128,), by MIDI number, drums left out, whose numbers are no pitches; ``step`` (97,) and ``duration``
    (97,), by ticks of a 24th of a quarter, 0 to 95, and 96 or more in the last bin.
    """
    counts = {name: np.zeros(size, np.int64) for name, size in (("pitch", PITCHES), ("step", LAST + 1))}
    counts["duration"] = np.zeros(LAST + 1, np.int64)
    for score in scores:
        notes = score.notes
        counts["pitch"] += np.bincount(score.pitched["pitch"], minlength=PITCHES)
        steps = np.diff(_on_grid(notes["onset"], score.ticks_per_quarter))  # notes are sorted by onset
        counts["step"] += np.bincount(np.minimum(steps, LAST), minlength=LAST + 1)
        durations = _on_grid(notes["duration"], score.ticks_per_quarter)
        counts["duration"] += np.bincount(np.minimum(durations, LAST), minlength=LAST + 1)
    return counts


def intersection(first: ArrayLike, second: ArrayLike) -> float:
    """What two histograms share, 0..1: the sum over bins of the smaller of their two shares; 0 if either is empty.

    Parameters
    ----------
    first, second  counts of the same bins, (bins,); how many notes stand behind each does not matter.

    Raises
    ------
    InputError
        If their bins are not the same.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise InputError(f"expected two histograms of the same bins, got shapes {a.shape} and {b.shape}.")
    whole = a.sum() * b.sum()
    # shares multiplied out: counts stay whole numbers, and a histogram shares exactly 1 with itself
    return float(np.minimum(a * b.sum(), b * a.sum()).sum() / whole) if whole else 0.0


def _on_grid(ticks: NDArray[Any], ticks_per_quarter: int) -> NDArray[np.int64]:
    """Ticks of a score as the nearest ticks of the grid; what lies halfway goes up."""
    return (2 * GRID * ticks.astype(np.int64) + ticks_per_quarter) // (2 * ticks_per_quarter)
