"""How unevenly do notes fall? The variance of the number of onsets in a quarter, over the quarters of the piece.

Notes that begin together are one onset. A steady stream has 0; bursts and holes have much.
"""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Number

__all__ = ["PART"]


def _variance(hearing: Hearing) -> tuple[Number]:
    beats = max(int(np.ceil(hearing.quarters - 1e-9)), 1)
    moments = np.unique(hearing.notes["onset"]) // hearing.score.ticks_per_quarter
    return (Number(float(np.bincount(np.minimum(moments, beats - 1), minlength=beats).var())),)


PART = Metric(
    name="onset-variance",
    about="how unevenly onsets are spread over the quarters",
    source="Kantor: the variance over quarters of the number of onsets, distinct moments alone",
    figures=(Figure("onset-variance", "variance of the onsets a quarter", "onsets squared", 0, math.inf),),
    of=_variance,
    invariant=frozenset({"transposition", "octave", "parts"}),
)
