"""Transposition within the voices' ranges: the same music elsewhere, where a choir could still sing it.

Keys and fermatas move along; ranges are those of the training pieces, part by part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score
from kantor.theory import transpose_key

__all__ = ["part_ranges", "shifts", "transpose"]


def transpose(score: Score, semitones: int) -> Score:
    """The score ``semitones`` higher (lower where negative), its keys with it."""
    if not semitones:
        return score
    notes = score.notes.copy()
    notes["pitch"] += semitones
    return score.replace(notes=notes, keys=tuple(transpose_key(key, semitones) for key in score.keys))


def part_ranges(scores: Sequence[Score], parts: int) -> NDArray[np.int64]:
    """(parts, 2) lowest and highest MIDI pitch that each part sounds anywhere; 127 and 0 where it never does."""
    ranges = np.tile([127, 0], (parts, 1))
    for score in scores:
        np.minimum.at(ranges[:, 0], score.notes["part"], score.notes["pitch"])
        np.maximum.at(ranges[:, 1], score.notes["part"], score.notes["pitch"])
    return ranges


def shifts(score: Score, ranges: NDArray[np.int64], at_most: int) -> NDArray[np.int64]:
    """The semitones, -at_most..at_most, by which ``score`` can move with every part inside ``ranges``; 0 is one."""
    own = part_ranges([score], len(ranges))
    sounding = own[:, 0] <= own[:, 1]
    down = (ranges - own)[sounding, 0].max(initial=-at_most)
    up = (ranges - own)[sounding, 1].min(initial=at_most)
    return np.arange(min(down, 0), max(up, 0) + 1)
