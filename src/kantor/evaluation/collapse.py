"""Has a model collapsed? The question users of every system ask: one note for ever, silence, or far too much or little.

Three plain tests on a few sampled bars, against the music the model learns from. They find disasters, not weaknesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kantor.score import Score

__all__ = ["collapse", "notes_per_quarter"]

LONGEST_REPETITION = 16  # attacks of one pitch in a row, in one part: more than any chorale has
DENSITY_FACTOR = 3.0


def notes_per_quarter(scores: Sequence[Score]) -> float:
    """Onsets a quarter note, all parts together; 0 for no music."""
    quarters = sum(score.length_ticks / score.ticks_per_quarter for score in scores)
    return sum(len(score) for score in scores) / quarters if quarters else 0.0


def collapse(sample: Score, corpus_notes_per_quarter: float) -> str | None:
    """What is wrong with ``sample`` in one sentence, or None."""
    if not len(sample):
        return "a sample is silent; try a lower learning rate, or more epochs"
    for part in range(len(sample.parts)):
        pitches = sample.notes["pitch"][sample.notes["part"] == part].tolist()
        if _longest_run(pitches) > LONGEST_REPETITION:
            name = sample.parts[part].name or f"part {part + 1}"
            return (
                f"in a sample {name} repeats one note {_longest_run(pitches)} times; try more dropout, or fewer epochs"
            )
    density = notes_per_quarter([sample])
    ratio = density / corpus_notes_per_quarter if corpus_notes_per_quarter else 1.0
    if not 1 / DENSITY_FACTOR <= ratio <= DENSITY_FACTOR:
        more = "more" if ratio > 1 else "fewer"
        return (
            f"a sample has {density:.1f} notes a quarter, far {more} than the corpus ({corpus_notes_per_quarter:.1f}); "
            "early epochs do, later ones should not"
        )
    return None


def _longest_run(pitches: Sequence[int]) -> int:
    changes = [0, *(i for i, (a, b) in enumerate(pairwise(pitches), start=1) if a != b), len(pitches)]
    return int(np.diff(changes).max(initial=0))
