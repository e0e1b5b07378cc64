"""How evenly are the twelve pitch classes used? 0 bits for one note alone, log2(12) = 3.58 where all are alike.

By duration a note weighs as long as it sounds, and drones, ornaments and repeated notes weigh what is heard of them; by
count every note weighs the same, as in MusPy. Tonal music lies near 2.9 either way: much more is drifting, much less is
stuck.
"""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Number
from kantor.metrics._hearing import Floats

__all__ = ["PART", "entropy"]


def entropy(weights: Floats) -> float:
    """Shannon's entropy in bits of ``weights`` (bins,), taken as shares; NaN where all are 0."""
    whole = weights.sum()
    if not whole:
        return math.nan
    shares = weights[weights > 0] / whole
    return max(float(-(shares * np.log2(shares)).sum()), 0.0)


def _entropies(hearing: Hearing) -> tuple[Number, Number, Number]:
    by_pitch = np.bincount(hearing.pitch, minlength=128).astype(np.float64)
    return tuple(map(Number, map(entropy, (hearing.class_weights, hearing.class_counts, by_pitch))))  # type: ignore[return-value]  # three of them


PART = Metric(
    name="pitch-class-entropy",
    about="how evenly the pitch classes, and the pitches, are used",
    source="Wu & Yang 2020 (Jazz Transformer); MusPy (Dong et al. 2020), pitch_class_entropy and pitch_entropy",
    figures=(
        Figure("pitch-class-entropy", "entropy of pitch classes by duration", "bits", 0, math.log2(12)),
        Figure("pitch-class-entropy-by-count", "entropy of pitch classes by count of notes", "bits", 0, math.log2(12)),
        Figure("pitch-entropy-by-count", "entropy of pitches by count of notes", "bits", 0, 7),
    ),
    of=_entropies,
    invariant=frozenset({"transposition", "stretch", "parts"}),
)
