"""Which melodic intervals are there? From each note of a line to its next, up and down; a repeated note is 0."""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Histogram, Metric

__all__ = ["PART"]

WIDEST = 12  # semitones: what is wider lies in the last bin of its side
SUPPORT = tuple(float(by) for by in range(-WIDEST - 1, WIDEST + 2))
NAMES = (f"< -{WIDEST}", *(f"{by:+d}" if by else "0" for by in range(-WIDEST, WIDEST + 1)), f"> +{WIDEST}")


def _intervals(hearing: Hearing) -> tuple[Histogram]:
    bins = np.clip(hearing.intervals, -WIDEST - 1, WIDEST + 1) + WIDEST + 1
    return (Histogram(np.bincount(bins, minlength=len(SUPPORT)).astype(np.float64)),)


PART = Metric(
    name="intervals",
    about="how far melodies move, up and down",
    source="Yang & Lerch 2018 (pitch interval); Huron 2016, Voice Leading",
    figures=(
        Figure("intervals", "intervals by semitones", "intervals", kind="histogram", labels=NAMES, support=SUPPORT),
    ),
    of=_intervals,
    needs=frozenset({"lines"}),
)
