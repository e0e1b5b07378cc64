"""How often does a voice rise above where its upper neighbour has just been? Per pair of neighbours and sixteenth.

As the figures published of the chorales count it, whoever moves: the lower voice now lies above the upper voice's last
note. The rule ``no-overlap`` asks for a voice that moves, and counts both directions; its faults are among those of
``voice-leading-faults``.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.rules import SILENT

__all__ = ["PART"]


def _overlap(hearing: Hearing) -> tuple[Rate]:
    now, before = hearing.cells[1:], hearing.cells[:-1]
    heard = np.minimum(now, before) > SILENT
    over = (now[:, 1:] > before[:, :-1]) & heard[:, 1:] & heard[:, :-1]
    return (Rate(float(over.sum()), float(hearing.frames * (now.shape[1] - 1)), 100),)


PART = Metric(
    name="overlap",
    about="how often a voice lies above the last note of the one over it",
    source="Aldwell & Schachter, Harmony and Voice Leading",
    figures=(
        Figure(
            "overlap", "lower neighbours above the upper's last note", "% of sixteenths", 0, 100, "lower", "rate", 100
        ),
    ),
    of=_overlap,
    needs=frozenset({"voices"}),
    invariant=frozenset({"transposition"}),
)
