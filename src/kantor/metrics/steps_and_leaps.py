"""How smoothly do melodies go? Steps (one or two semitones) against leaps, from note to note of each line.

A *move* is a change of pitch from a note of a line to its next; a rest of a quarter or more parts them. A leap is wider
than a step; a wide one is wider than a fifth (seven semitones).
"""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate

__all__ = ["PART"]

STEP, FIFTH = 2, 7  # semitones


def _steps(hearing: Hearing) -> tuple[Rate, Rate, Rate, Rate]:
    width = np.abs(hearing.intervals)
    moves, all_ = float((width > 0).sum()), float(len(width))
    steps, leaps = float(((width > 0) & (width <= STEP)).sum()), float((width > STEP).sum())
    wide = float((width > FIFTH).sum())
    return Rate(steps, moves), Rate(steps, leaps), Rate(wide, moves), Rate(all_ - moves, all_)


PART = Metric(
    name="steps-and-leaps",
    about="how much melodies go by step, and how much by leap",
    source="Huron 2016, Voice Leading (pitch proximity); Fux, Gradus ad Parnassum (1725)",
    figures=(
        Figure("step-share", "share of moves that are steps", kind="rate"),
        Figure("step-leap-ratio", "steps for each leap", "steps", 0, math.inf, kind="rate"),
        Figure("wide-leap-share", "share of moves wider than a fifth", kind="rate"),
        Figure("repeated-notes", "share of notes that repeat the one before in their line", kind="rate"),
    ),
    of=_steps,
    needs=frozenset({"lines"}),
    invariant=frozenset({"transposition", "parts"}),
)
