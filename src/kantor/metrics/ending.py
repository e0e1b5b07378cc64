"""Does the piece end at home? On its tonic triad with the tonic in the bass, in the last key that the score says."""

from __future__ import annotations

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.theory import is_tonic_triad

__all__ = ["PART"]


def _ending(hearing: Hearing) -> tuple[Rate]:
    last = hearing.notes["onset"] + hearing.notes["duration"] == int(
        (hearing.notes["onset"] + hearing.notes["duration"]).max()
    )
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
