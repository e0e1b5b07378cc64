"""How many different pitches sound at once? Where something sounds; and how often there are more than two.

Time is exact, no grid. A unison of two parts is one pitch, as in MusPy, whose ``polyphony_rate`` counts *more than* two
pitches, though its text says "two or more"; so does this one. It is counted until the last note ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._hearing import Ids

__all__ = ["PART"]

MANY = 2  # pitches: what is counted has more


def _spans(hearing: Hearing) -> tuple[Ids, Ids]:
    """(M,) starts and ends in ticks of the times in which each pitch sounds, however many parts sound it."""
    notes = hearing.notes[hearing.notes["duration"] > 0]
    lane = notes["pitch"].astype(np.int64) * (hearing.score.length_ticks + 1)
    order = np.argsort(lane + notes["onset"], kind="stable")
    start = (lane + notes["onset"])[order]
    until: NDArray[np.int64] = np.maximum.accumulate((lane + notes["onset"] + notes["duration"])[order])
    begins = np.concatenate([[True], start[1:] > until[:-1]])[: len(start)]
    ends = np.concatenate([begins[1:], [True]])[: len(start)]
    base = lane[order]
    return (start - base)[begins], (until - base)[ends]


def _polyphony(hearing: Hearing) -> tuple[Rate, Rate]:
    start, end = _spans(hearing)
    times, where = np.unique(np.concatenate([start, end]), return_inverse=True)
    change = np.bincount(where, weights=np.repeat([1.0, -1.0], len(start)), minlength=len(times))
    pitches, lasts = np.cumsum(change)[:-1], np.diff(times) / hearing.score.ticks_per_quarter
    sounding = float(lasts[pitches > 0].sum())
    until = int(end.max(initial=0)) / hearing.score.ticks_per_quarter
    return Rate(float((pitches * lasts).sum()), sounding), Rate(float(lasts[pitches > MANY].sum()), until)


PART = Metric(
    name="polyphony",
    about="how many pitches sound at once",
    source="MusPy (Dong et al. 2020), polyphony and polyphony_rate",
    figures=(
        Figure("polyphony", "pitches that sound at once, where any does", "pitches", 1, 128, kind="rate"),
        Figure("polyphony-rate", "share of the time in which more than two pitches sound", kind="rate"),
    ),
    of=_polyphony,
    invariant=frozenset({"transposition", "stretch", "parts"}),
)
