"""How often do two voices move in parallel fifths or octaves? The fault that every textbook names first.

Counted on the grid of sixteenths, from frame to frame, for every pair of the four voices. Of the pairs in which *both*
voices change pitch, in whatever direction, so many are at fault: they move the same way, from a perfect fifth to a
perfect fifth (or from an octave or unison to such), compound intervals included. On a coarser grid the same music has
more of them: what is compared has to be counted on one grid.

The fault is that of the rule ``no-parallels``, except that voices which leap in contrary motion from a fifth to a
twelfth, a fault of that rule, are not counted here, as in the figures published of the chorales.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._voice_leading import PER_THOUSAND, both_move, of_pairs, pairwise, same_way
from kantor.rules.no_parallels import NoParallels

__all__ = ["PART"]


def _parallels(hearing: Hearing) -> tuple[Rate, Rate]:
    chances = float(both_move(hearing).sum())
    alike = same_way(hearing)
    found = []
    for which in ("fifths", "octaves"):
        faults = of_pairs(NoParallels(which).faults(pairwise(hearing)))
        found.append(Rate(float(np.count_nonzero(faults[:, 1:].T & alike)), chances, 1000))
    return found[0], found[1]


PART = Metric(
    name="parallels",
    about="how often two voices move together from a perfect fifth to another, or from an octave or unison to another",
    source="Fux, Gradus ad Parnassum (1725); the rule no-parallels",
    figures=(
        Figure("parallel-fifths", "parallel fifths", PER_THOUSAND, 0, 1000, "lower", "rate", 1000),
        Figure("parallel-octaves", "parallel octaves and unisons", PER_THOUSAND, 0, 1000, "lower", "rate", 1000),
    ),
    of=_parallels,
    needs=frozenset({"voices"}),
)
