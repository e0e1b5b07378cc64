"""How often do two voices move at once, and do they go the same way? Every pair of four voices, each sixteenth.

Pairs that both change pitch are the chances for parallels, and the denominator of every rate "per 1,000 moving pairs".
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._voice_leading import both_move, both_sound, same_way

__all__ = ["PART"]


def _pairs(hearing: Hearing) -> tuple[Rate, Rate]:
    heard = both_sound(hearing)
    together = float(both_move(hearing).sum())
    return Rate(together, float((heard[1:] & heard[:-1]).sum())), Rate(float(np.sum(same_way(hearing))), together)


PART = Metric(
    name="moving-pairs",
    about="how often two voices move at once, and how often the same way",
    source="Huron 2016, Voice Leading (onset synchrony)",
    figures=(
        Figure("moving-pairs", "share of pairs of voices that both change pitch", kind="rate"),
        Figure("similar-motion", "share of moving pairs that go the same way", kind="rate"),
    ),
    of=_pairs,
    needs=frozenset({"voices"}),
)
