"""Does the leading tone rise to the tonic? The share of those that are followed, in their line, by the note above.

The leading tone is the seventh degree of a major key, the raised one of a minor key. Notes that repeat it do not
resolve it; where a rest of a quarter follows, or nothing, nobody can tell. Whatever the harmony is: the rule
``leading-tone`` asks what a textbook asks, this asks what can be counted.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._hearing import BREATH
from kantor.theory import tonic

__all__ = ["PART"]


def _resolved(hearing: Hearing) -> tuple[Rate]:
    leading = np.array([(tonic(key) - 1) % 12 if key.mode else -1 for key in hearing.score.keys])
    is_leading = hearing.pitch % 12 == leading[hearing.key_of_note]
    up = asked = 0
    for line in hearing.lines:
        by = np.diff(hearing.pitch[line])
        followed = (hearing.onset[line][1:] - hearing.end[line][:-1] < BREATH) & (by != 0)
        chances = followed & is_leading[line][:-1]
        asked += int(chances.sum())
        up += int((by[chances] == 1).sum())
    return (Rate(float(up), float(asked)),)


PART = Metric(
    name="leading-tone-resolution",
    about="how many leading tones go up to the tonic",
    source="Kostka & Payne, Tonal Harmony, ch. 5; Huron, Sweet Anticipation (2006), ch. 9",
    figures=(Figure("leading-tone-resolution", "share of leading tones that rise to the tonic", kind="rate"),),
    of=_resolved,
    needs=frozenset({"key", "lines"}),
)
