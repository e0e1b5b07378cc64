"""Which rhythms are there? Histograms of note values, and of the times from one onset to the next.

Each is put to the nearest of a ladder of note values, by ratio. Two sets are compared by what their histograms share
(:func:`kantor.evaluation.histograms.intersection`): that is their rhythmic similarity.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Histogram, Metric
from kantor.metrics._hearing import Floats

__all__ = ["PART"]

#: Quarters of each note value, shortest first.
VALUES = (1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 6, 8)
NAMES = ("1/32", "1/24", "1/16", "1/12", "1/8", "1/6", "3/16", "1/4", "3/8", "1/2", "3/4", "1/1", "3/2", "2/1")
BETWEEN = np.sqrt(np.array(VALUES[1:]) * np.array(VALUES[:-1]))


def _binned(quarters: Floats) -> Histogram:
    counts = np.bincount(np.searchsorted(BETWEEN, quarters), minlength=len(VALUES))
    return Histogram(counts.astype(np.float64))


def _rhythm(hearing: Hearing) -> tuple[Histogram, Histogram]:
    steps = np.diff(np.unique(hearing.notes["onset"])) / hearing.score.ticks_per_quarter
    return _binned(hearing.duration), _binned(steps)


PART = Metric(
    name="rhythm",
    about="which note values there are, and which times between onsets",
    source="Yang & Lerch 2018 (note length histogram)",
    figures=(
        Figure("note-values", "notes by value", "notes", kind="histogram", labels=NAMES, support=VALUES),
        Figure("onset-steps", "times from onset to onset", "onsets", kind="histogram", labels=NAMES, support=VALUES),
    ),
    of=_rhythm,
    invariant=frozenset({"transposition", "octave", "parts"}),
)
