"""Which chords sound? Each sixteenth in which two notes sound, or more, is named by its pitch classes, not by its bass.

A chord that is not whole is a triad's part where one major, minor or diminished triad holds all of it; so the share of
triads counts "frames that are subsets of triads".
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Histogram, Metric, Rate
from kantor.metrics._hearing import Ids, Mask
from kantor.theory import TRIADS

__all__ = ["CHORDS", "PART"]

#: Quality -> semitones above the root.
CHORDS: dict[str, tuple[int, ...]] = {
    **TRIADS,
    "dominant seventh": (0, 4, 7, 10),
    "minor seventh": (0, 3, 7, 10),
    "major seventh": (0, 4, 7, 11),
    "half-diminished seventh": (0, 3, 6, 10),
    "diminished seventh": (0, 3, 6, 9),
    "suspended fourth": (0, 5, 7),
}
NAMES = (*CHORDS, "part of a triad", "other")
WITHIN = ("major", "minor", "diminished")


def _bits(steps: tuple[int, ...], root: int) -> int:
    return sum(1 << (root + step) % 12 for step in steps)


def _tables() -> tuple[Ids, Mask]:
    """(4096,) each: the number of a set's quality, and whether it is within a triad."""
    sets = np.arange(4096)
    within = np.zeros(4096, dtype=np.bool_)
    for quality in WITHIN:
        for root in range(12):
            within |= (sets & ~_bits(TRIADS[quality], root)) == 0
    named = np.where(within, NAMES.index("part of a triad"), NAMES.index("other"))
    for number, steps in enumerate(CHORDS.values()):
        for root in range(12):
            named[_bits(steps, root)] = number
    return named, within


QUALITY, WITHIN_TRIAD = _tables()


def _qualities(hearing: Hearing) -> tuple[Histogram, Rate]:
    sets = hearing.sets[hearing.sounding.sum(axis=1) > 1]
    counts = np.bincount(QUALITY[sets], minlength=len(NAMES)).astype(np.float64)
    return Histogram(counts), Rate(float(WITHIN_TRIAD[sets].sum()), float(len(sets)))


PART = Metric(
    name="chord-qualities",
    about="which chords sound, and how many are triads",
    source="Kostka & Payne, Tonal Harmony, ch. 3 and 4",
    figures=(
        Figure("chord-qualities", "sixteenths by what chord sounds", "sixteenths", kind="histogram", labels=NAMES),
        Figure("triad-share", "share of sixteenths within a major, minor or diminished triad", kind="rate"),
    ),
    of=_qualities,
    invariant=frozenset({"transposition", "octave", "parts"}),
)
