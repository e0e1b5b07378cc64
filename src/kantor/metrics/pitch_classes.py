"""Which notes are there? Histograms of pitch classes, from C, and of the degrees of the key."""

from __future__ import annotations

from kantor.metrics import Figure, Hearing, Histogram, Metric
from kantor.theory import note_name

__all__ = ["PART"]

NAMES = tuple(note_name(pitch)[:-1] for pitch in range(60, 72))


def _classes(hearing: Hearing) -> tuple[Histogram, Histogram]:
    return Histogram(hearing.class_weights), Histogram(hearing.class_counts)


PART = Metric(
    name="pitch-classes",
    about="how much each of the twelve pitch classes sounds",
    source="Yang & Lerch 2018 (pitch-class histogram)",
    figures=(
        Figure("pitch-classes", "quarters that each pitch class sounds", "quarters", kind="histogram", labels=NAMES),
        Figure("pitch-classes-by-count", "notes of each pitch class", "notes", kind="histogram", labels=NAMES),
    ),
    of=_classes,
    invariant=frozenset({"octave", "parts"}),
)
