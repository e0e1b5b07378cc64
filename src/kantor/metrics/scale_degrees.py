"""Which degrees of its key does the music use? Semitones above the tonic, by the key in force where a note begins.

Unlike pitch classes from C, degrees can be compared between pieces in different keys. The tonic of a key whose mode is
not known is that of the major key.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Histogram, Metric
from kantor.theory import tonic

__all__ = ["PART"]

NAMES = ("1", "b2", "2", "b3", "3", "4", "#4", "5", "b6", "6", "b7", "7")


def _degrees(hearing: Hearing) -> tuple[Histogram]:
    home = np.array([tonic(key) for key in hearing.score.keys])[hearing.key_of_note]
    degrees = np.bincount((hearing.pitch - home) % 12, weights=hearing.duration, minlength=12)
    return (Histogram(degrees.astype(np.float64)),)


PART = Metric(
    name="scale-degrees",
    about="how much each degree of the key sounds",
    source="Huron, Sweet Anticipation (2006), ch. 9 (scale-degree tendencies)",
    figures=(Figure("scale-degrees", "quarters that each degree sounds", "quarters", kind="histogram", labels=NAMES),),
    of=_degrees,
    needs=frozenset({"key"}),
    invariant=frozenset({"transposition", "octave", "parts"}),
)
