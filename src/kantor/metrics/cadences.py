"""Do phrases end at rest? The share of fermatas that stand over a consonant triad, by the rule ``fermata``.

A fermata over silence ends no phrase, and is left out.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.rules import SILENT
from kantor.rules.fermata import Fermata
from kantor.score import TICKS_PER_QUARTER

__all__ = ["PART"]

SIXTEENTH = TICKS_PER_QUARTER // 4


def _cadences(hearing: Hearing) -> tuple[Rate]:
    rule = Fermata().bound(hearing.score.at(TICKS_PER_QUARTER), SIXTEENTH)
    assert rule.where is not None
    sounds = (hearing.cells > SILENT).any(-1)  # silence is no fault, and no cadence either
    held = np.asarray(rule.where.take(hearing.view.frames, mode="clip") & sounds)
    wrong = rule.faults(hearing.view).any(-1) & held
    return (Rate(float(held.sum() - wrong.sum()), float(held.sum())),)


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
    invariant=frozenset({"transposition"}),  # which voice is the bass matters
)
