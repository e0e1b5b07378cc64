"""How many notes are there in a given time? In a quarter, and in a sixteenth of the grid."""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate

__all__ = ["PART"]


def _density(hearing: Hearing) -> tuple[Rate, Rate, Rate]:
    notes = float(len(hearing.notes))
    moments = float(len(np.unique(hearing.notes["onset"])))
    return Rate(notes, hearing.quarters), Rate(notes, float(hearing.frames)), Rate(moments, hearing.quarters)


PART = Metric(
    name="note-density",
    about="how many notes begin in a given time",
    source="Yang & Lerch 2018 (note count)",
    figures=(
        Figure("notes-per-quarter", "notes a quarter", "notes", 0, math.inf, kind="rate"),
        Figure("notes-per-sixteenth", "notes a frame of the grid", "notes", 0, math.inf, kind="rate"),
        Figure("onsets-per-quarter", "moments at which a note begins, a quarter", "onsets", 0, math.inf, kind="rate"),
    ),
    of=_density,
    invariant=frozenset({"transposition", "octave", "parts"}),
)
