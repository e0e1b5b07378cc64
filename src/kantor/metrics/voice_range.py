"""How often does a voice leave its range? Cells outside the ranges of the 229 chorales that models are trained on.

Soprano C4-A5, alto E3-D5, tenor A#2-A4, bass C2-F#4: what Bach writes, wider than what textbooks allow.
"""

from __future__ import annotations

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.rules import SILENT, View
from kantor.rules.range import Range

__all__ = ["PART"]

BACH = Range("S=60-81,A=52-74,T=46-69,B=36-66")


def _outside(hearing: Hearing) -> tuple[Rate]:
    view = hearing.view
    lasting = View(view.pitch, view.pitch > SILENT, view.frames)  # the rule judges where a note is struck
    outside = BACH.bound(hearing.score, 1).faults(lasting)
    return (Rate(float(outside.sum()), float(outside.size), 100),)


PART = Metric(
    name="voice-range",
    about="how often a voice is outside the range that it has in Bach's chorales",
    source="the training chorales of Boulanger-Lewandowski et al. 2012; the rule range",
    figures=(Figure("outside-range", "cells outside the voice's range", "% of cells", 0, 100, "lower", "rate", 100),),
    of=_outside,
    needs=frozenset({"voices"}),
    invariant=frozenset({"stretch"}),
)
