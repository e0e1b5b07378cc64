"""How often do soprano and bass leap together into a fifth or an octave? Hidden fifths and octaves, as they are called.

The fault of the rule ``no-direct``: both move the same way into a perfect fifth or octave, the soprano by more than two
semitones, from another interval. Out of an octave into its compound (or the reverse) is another interval too here,
though the rule leaves it to ``no-parallels``. Per 1,000 pairs of all voices that both move, as parallels are.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._voice_leading import OUTER, PER_THOUSAND, both_move, same_way
from kantor.rules.no_direct import STEP, NoDirect

__all__ = ["PART"]

FIFTH = 7


def _direct(hearing: Hearing) -> tuple[Rate, Rate]:
    chances = float(both_move(hearing).sum())
    apart = np.abs(hearing.cells[:, 0] - hearing.cells[:, -1])
    found = NoDirect().faults(hearing.view)[1:, 0]
    leaps = same_way(hearing)[:, OUTER] & (np.abs(np.diff(hearing.cells[:, 0])) > STEP)
    compound = leaps & (apart[1:] % 12 == apart[:-1] % 12) & (apart[1:] != apart[:-1])
    into = apart[1:] % 12
    fifths, octaves = (((found | compound) & (into == kind)).sum() for kind in (FIFTH, 0))
    return Rate(float(fifths), chances, 1000), Rate(float(octaves), chances, 1000)


PART = Metric(
    name="direct-intervals",
    about="how often soprano and bass leap the same way into a perfect fifth or octave",
    source="Kostka & Payne, Tonal Harmony, ch. 5; the rule no-direct",
    figures=(
        Figure("direct-fifths", "direct fifths of the outer voices", PER_THOUSAND, 0, 1000, "lower", "rate", 1000),
        Figure("direct-octaves", "direct octaves of the outer voices", PER_THOUSAND, 0, 1000, "lower", "rate", 1000),
    ),
    of=_direct,
    needs=frozenset({"voices"}),
    invariant=frozenset({"transposition"}),
)
