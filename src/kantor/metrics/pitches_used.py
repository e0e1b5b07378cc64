"""How many different notes are there? Pitches, and pitch classes."""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Number

__all__ = ["PART"]


def _used(hearing: Hearing) -> tuple[Number, Number]:
    return Number(float(len(np.unique(hearing.pitch)))), Number(float((hearing.class_counts > 0).sum()))


PART = Metric(
    name="pitches-used",
    about="how many different pitches, and pitch classes, there are",
    source="MusPy (Dong et al. 2020), n_pitches_used and n_pitch_classes_used",
    figures=(
        Figure("pitches-used", "different pitches", "pitches", 1, 128),
        Figure("pitch-classes-used", "different pitch classes", "pitch classes", 1, 12),
    ),
    of=_used,
    invariant=frozenset({"transposition", "stretch", "parts"}),
)
