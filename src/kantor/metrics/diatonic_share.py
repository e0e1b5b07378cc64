"""Does the music keep to its key? The share of notes at home in the key that the score says is in force.

At home are the notes of the scale; in minor both the natural and the raised seventh (:func:`kantor.theory.diatonic`).
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.theory import diatonic

__all__ = ["PART"]


def _share(hearing: Hearing) -> tuple[Rate, Rate]:
    home = np.array([[note in diatonic(key) for note in range(12)] for key in hearing.score.keys])
    inside = home[hearing.key_of_note, hearing.pitch % 12]
    by_time = Rate(float(hearing.duration[inside].sum()), float(hearing.duration.sum()))
    return by_time, Rate(float(inside.sum()), float(len(inside)))


PART = Metric(
    name="diatonic-share",
    about="the share of the notes that are at home in the key",
    source="MusPy (Dong et al. 2020), pitch_in_scale_rate, but that minor has both sevenths",
    figures=(
        Figure("diatonic-share", "share of the sounding time at home in the key", kind="rate"),
        Figure("diatonic-share-by-count", "share of the notes at home in the key", kind="rate"),
    ),
    of=_share,
    needs=frozenset({"key"}),
    invariant=frozenset({"transposition", "octave", "stretch", "parts"}),
)
