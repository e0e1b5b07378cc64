"""How often do neighbouring voices cross? Sixteenths in which one lies below the next lower one, by ``no-crossing``."""

from __future__ import annotations

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._voice_leading import ADJACENT, of_pairs, pairwise
from kantor.rules.no_crossing import NoCrossing

__all__ = ["PART"]


def _crossing(hearing: Hearing) -> tuple[Rate]:
    crossed = of_pairs(NoCrossing().faults(pairwise(hearing)))[ADJACENT]
    return (Rate(float(crossed.sum()), float(crossed.size), 100),)


PART = Metric(
    name="crossing",
    about="how often neighbouring voices are crossed",
    source="Kostka & Payne, Tonal Harmony, ch. 5; the rule no-crossing",
    figures=(
        Figure("crossing", "neighbouring voices that are crossed", "% of sixteenths", 0, 100, "lower", "rate", 100),
    ),
    of=_crossing,
    needs=frozenset({"voices"}),
    invariant=frozenset({"transposition"}),
)
