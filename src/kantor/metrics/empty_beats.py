"""How much of the music is silence? The share of quarters in which nothing sounds at all.

MusPy counts a beat as sounding when a note ends exactly where it begins, and has a beat more than the music; this one
does not.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate

__all__ = ["PART"]


def _empty(hearing: Hearing) -> tuple[Rate]:
    beats = max(int(np.ceil(hearing.quarters - 1e-9)), 1)
    change = np.zeros(beats + 1, dtype=np.int64)
    heard = hearing.duration > 0
    np.add.at(change, np.floor(hearing.onset[heard]).astype(np.int64), 1)
    np.add.at(change, np.minimum(np.ceil(hearing.end[heard]).astype(np.int64), beats), -1)
    return (Rate(float((np.cumsum(change)[:-1] == 0).sum()), float(beats)),)


PART = Metric(
    name="empty-beats",
    about="the share of quarters in which nothing sounds",
    source="Dong et al. 2018 (MuseGAN, Pypianoroll); MusPy (Dong et al. 2020), empty_beat_rate, mended",
    figures=(Figure("empty-beats", "share of quarters in which nothing sounds", kind="rate"),),
    of=_empty,
    invariant=frozenset({"transposition", "octave", "parts"}),
)
