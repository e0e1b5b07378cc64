"""How often do the upper voices drift apart? Sixteenths in which soprano and alto, or alto and tenor, lie more than an
octave from each other, by the rule ``spacing``. Voices that are crossed lie as far apart as they sound.
"""

from __future__ import annotations

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._voice_leading import ADJACENT, of_pairs, pairwise
from kantor.rules.spacing import Spacing

__all__ = ["PART"]


def _spacing(hearing: Hearing) -> tuple[Rate]:
    wide = of_pairs(Spacing().faults(pairwise(hearing)))[ADJACENT[:-1]]
    return (Rate(float(wide.sum()), float(wide.size), 100),)


PART = Metric(
    name="spacing",
    about="how often upper neighbours lie more than an octave apart",
    source="Kostka & Payne, Tonal Harmony, ch. 5; the rule spacing",
    figures=(
        Figure(
            "wide-spacing", "upper neighbours over an octave apart", "% of sixteenths", 0, 100, "lower", "rate", 100
        ),
    ),
    of=_spacing,
    needs=frozenset({"voices"}),
    invariant=frozenset({"transposition"}),
)
