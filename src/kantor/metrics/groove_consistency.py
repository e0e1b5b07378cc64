"""Does one bar have the rhythm of the next? One minus the Hamming distance of their onsets, on the grid of sixteenths.

Whole bars of one length that follow each other are compared; pickups and bars cut by repeats are not. Where no meter is
known bars are of 4/4. MusPy compares an empty bar more where the music ends on a bar line; this one does not.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._hearing import SIXTEENTHS

__all__ = ["PART"]


def _groove(hearing: Hearing) -> tuple[Rate]:
    alike = places = 0
    start, length, whole = hearing.bars
    onsets = np.concatenate([hearing.onsets, np.zeros(int(length.max(initial=0)) + SIXTEENTHS, dtype=np.bool_)])
    pairs = np.flatnonzero(whole[:-1] & whole[1:] & (length[:-1] == length[1:]) & (np.diff(start) == length[:-1]))
    for size in np.unique(length[pairs]).tolist():
        bar = start[pairs[length[pairs] == size]][:, None] + np.arange(size)
        alike += int((onsets[bar] == onsets[bar + size]).sum())
        places += bar.size
    return (Rate(float(alike), float(places)),)


PART = Metric(
    name="groove-consistency",
    about="how alike the rhythms of neighbouring bars are",
    source="Wu & Yang 2020 (Jazz Transformer, GS); MusPy (Dong et al. 2020), groove_consistency, mended",
    figures=(Figure("groove-consistency", "share of places in which neighbouring bars agree", kind="rate"),),
    of=_groove,
    invariant=frozenset({"transposition", "octave", "parts"}),
)
