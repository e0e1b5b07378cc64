"""How often does the harmony change? Chord changes a quarter, and how long chords last.

A chord is recognised in a sixteenth whose pitch classes are exactly a triad or a seventh chord
(:data:`kantor.metrics.chord_qualities.CHORDS`); until the next one is, it lasts. Passing notes that make no chord of
their own change nothing; a change of root does, and one of quality.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Histogram, Metric, Rate
from kantor.metrics._hearing import SIXTEENTHS
from kantor.metrics.chord_qualities import CHORDS, QUALITY

__all__ = ["PART"]

LONGEST = 8  # quarters: what is longer lies in the last bin
SUPPORT = tuple(frames / SIXTEENTHS for frames in range(1, LONGEST * SIXTEENTHS + 1))
NAMES = (*(f"{quarters:g}" for quarters in SUPPORT[:-1]), f"{LONGEST} or more")


def _changes(hearing: Hearing) -> tuple[Rate, Histogram]:
    known = np.flatnonzero(QUALITY[hearing.sets] < len(CHORDS))
    if not len(known):
        return Rate(0.0, 0.0), Histogram(np.zeros(len(SUPPORT)))
    sets = hearing.sets[known]
    begins = known[np.concatenate([[True], sets[1:] != sets[:-1]])]
    lasts = np.diff(begins, append=hearing.frames)
    counts = np.bincount(np.minimum(lasts, len(SUPPORT)) - 1, minlength=len(SUPPORT)).astype(np.float64)
    quarters = (hearing.frames - int(begins[0])) / SIXTEENTHS
    return Rate(float(len(begins) - 1), quarters), Histogram(counts)


PART = Metric(
    name="harmonic-rhythm",
    about="how often the chord changes",
    source="Piston, Harmony (1941), ch. 5 (harmonic rhythm)",
    figures=(
        Figure("chord-changes", "chord changes a quarter", "changes", 0, SIXTEENTHS, kind="rate"),
        Figure("chord-lengths", "chords by quarters", "chords", kind="histogram", labels=NAMES, support=SUPPORT),
    ),
    of=_changes,
    invariant=frozenset({"transposition", "octave", "parts"}),
)
