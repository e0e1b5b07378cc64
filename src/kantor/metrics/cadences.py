"""Do phrases end at rest? The share of fermatas that stand over a consonant triad, by the rule ``fermata``."""

from __future__ import annotations

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.rules.fermata import Fermata
from kantor.score import TICKS_PER_QUARTER

__all__ = ["PART"]

SIXTEENTH = TICKS_PER_QUARTER // 4


def _cadences(hearing: Hearing) -> tuple[Rate]:
    rule = Fermata().bound(hearing.score.at(TICKS_PER_QUARTER), SIXTEENTH)
    assert rule.where is not None
    wrong = rule.faults(hearing.view).any(-1)
    return (Rate(float(rule.where.sum() - wrong.sum()), float(rule.where.sum())),)


PART = Metric(
    name="cadences",
    about="how many phrases end on a consonant triad",
    source="Kostka & Payne, Tonal Harmony, ch. 10; the rule fermata",
    figures=(
        Figure(
            "fermatas-on-triads",
            "share of fermatas over a major or minor triad in root position or first inversion",
            better="higher",
            kind="rate",
        ),
    ),
    of=_cadences,
    needs=frozenset({"fermatas", "voices"}),
)
