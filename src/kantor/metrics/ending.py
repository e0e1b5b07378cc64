"""Does the piece end at home? On its tonic triad with the tonic in the bass, in the last key that the score says.

The last chord is what sounds a sixteenth before the end: a player's fingers leave the keys one by one. Where a note
begins later than that, it is what sounds when the last one begins.
"""

from __future__ import annotations

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._hearing import SIXTEENTHS
from kantor.theory import is_tonic_triad

__all__ = ["PART"]


def _ending(hearing: Hearing) -> tuple[Rate]:
    onset = hearing.notes["onset"] * SIXTEENTHS
    end = onset + hearing.notes["duration"] * SIXTEENTHS
    moment = max(int(end.max()) - hearing.score.ticks_per_quarter, int(onset.max()))  # in quarters of ticks: whole
    last = (onset <= moment) & (end > moment)
    key = hearing.score.keys[-1]
    return (Rate(float(is_tonic_triad(hearing.pitch[last], key)), 1.0),)


PART = Metric(
    name="ending",
    about="how many pieces end on the tonic triad",
    source="Kostka & Payne, Tonal Harmony, ch. 10",
    figures=(Figure("ends-on-tonic", "share of pieces that end on the tonic triad", better="higher", kind="rate"),),
    of=_ending,
    needs=frozenset({"key"}),
    invariant=frozenset({"transposition", "parts"}),
)
