"""Does the music keep to one scale? The share of its notes in the diatonic set that holds most of them.

There are twelve diatonic sets, one for each signature: a major key and its natural minor share one, so MusPy's 24
scales are these twelve, each twice. By count every note weighs the same, as in MusPy; by duration, what is heard of it.
"""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Number
from kantor.metrics._hearing import Floats
from kantor.theory import SCALES

__all__ = ["PART"]

#: (12, 12) which pitch classes are in the diatonic set of each major tonic.
SETS = np.array([[(note - root) % 12 in SCALES["major"] for note in range(12)] for root in range(12)])


def _best(weights: Floats) -> Number:
    whole = weights.sum()
    return Number(min(float((SETS @ weights).max() / whole), 1.0) if whole else math.nan)


def _consistency(hearing: Hearing) -> tuple[Number, Number]:
    return _best(hearing.class_weights), _best(hearing.class_counts)


PART = Metric(
    name="scale-consistency",
    about="the share of the notes within the diatonic set that fits best",
    source="Mogren 2016 (C-RNN-GAN); MusPy (Dong et al. 2020), scale_consistency",
    figures=(
        Figure("scale-consistency", "share of the sounding time within the best diatonic set", low=7 / 12),
        Figure("scale-consistency-by-count", "share of the notes within the best diatonic set", low=7 / 12),
    ),
    of=_consistency,
    invariant=frozenset({"transposition", "octave", "stretch", "parts"}),
)
