"""How wide is the music? From its lowest note to its highest."""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Number

__all__ = ["PART"]


def _range(hearing: Hearing) -> tuple[Number]:
    return (Number(float(np.ptp(hearing.pitch))),)


PART = Metric(
    name="pitch-range",
    about="the distance of the highest note from the lowest",
    source="MusPy (Dong et al. 2020), pitch_range; Yang & Lerch 2018",
    figures=(Figure("pitch-range", "from the lowest note to the highest", "semitones", 0, 127),),
    of=_range,
    invariant=frozenset({"transposition", "stretch", "parts"}),
)
