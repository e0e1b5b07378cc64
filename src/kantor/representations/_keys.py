"""What the piano rolls share: frames of 88 keys, and scores made of them.

A frame lasts a quarter, an eighth, a sixteenth ...; key 0 is MIDI pitch 21, key 87 is 108. In a frame a key is silent,
struck, or held from the frame before. A *binary* roll does not tell the last two apart: what sounds on is held.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError, ScoreError
from kantor.representations import Ids, Mask
from kantor.representations._timeline import VELOCITY, flat_plan, flatten
from kantor.score import NOTE, TICKS_PER_QUARTER, Score
from kantor.theory import note_name

__all__ = ["HELD", "KEYS", "LOWEST", "STRUCK", "check_resolution", "grid_of", "keys_within", "roll_plan", "score_of"]

LOWEST, KEYS = 21, 88
STRUCK, HELD = 1, 2
RESOLUTIONS = (1, 2, 3, 4, 6, 8, 12, 24)


def check_resolution(steps_per_quarter: int) -> int:
    """Ticks a frame.

    Raises
    ------
    OptionError
        If a quarter cannot be cut into so many frames.
    """
    if steps_per_quarter not in RESOLUTIONS:
        known = ", ".join(map(str, RESOLUTIONS))
        raise OptionError(f"expected steps_per_quarter among {known}, got {steps_per_quarter}; 4 are sixteenths.")
    return TICKS_PER_QUARTER // steps_per_quarter


def roll_plan(score: Score, step: int) -> Score:
    """The same score in one part on a grid of ``step`` ticks, without its notes."""
    return flat_plan(score, step)


def grid_of(score: Score, step: int, *, binary: bool) -> NDArray[np.int8]:
    """(frames, 88): 0 silent, :data:`STRUCK`, :data:`HELD`; of a binary roll, struck is where a key was silent before.

    Raises
    ------
    ScoreError
        If it has no notes, or one that a piano does not have.
    """
    onset, duration, pitch, _ = flatten(score, step)
    outside = pitch[(pitch < LOWEST) | (pitch >= LOWEST + KEYS)]
    if len(outside):
        raise ScoreError(
            f"expected the notes of a piano, A0 to C8, got {note_name(int(outside[0]))}; try transposing the piece."
        )
    frames = roll_plan(score, step).length_ticks // step
    end = np.minimum(onset + duration, frames)
    grid = np.zeros((frames + 1, KEYS), dtype=np.int64)
    np.add.at(grid, (onset, pitch - LOWEST), 1)
    np.add.at(grid, (end, pitch - LOWEST), -1)
    sounding = grid.cumsum(0)[:frames] > 0
    before = np.vstack([np.zeros((1, KEYS), dtype=np.bool_), sounding[:-1]])
    struck = sounding & ~before
    if not binary:
        struck[onset, pitch - LOWEST] = True
    return np.where(struck, STRUCK, np.where(sounding, HELD, 0)).astype(np.int8)


def score_of(grid: NDArray[Any], plan: Score, step: int) -> Score:
    """The score of a grid as :func:`grid_of` gives it; a key held from silence is struck."""
    grid = grid[: plan.length_ticks // step]
    sounding = grid > 0
    before = np.vstack([np.zeros((1, KEYS), dtype=np.bool_), sounding[:-1]])
    struck = (grid == STRUCK) | (sounding & ~before)
    key, frame = np.nonzero(struck.T)
    # A note ends where its key falls silent or is struck again: the next such frame of the same key.
    stops = (struck | ~sounding).T
    following = np.where(stops, np.arange(len(grid)), len(grid))
    nearest = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    nearest = np.hstack([nearest, np.full((KEYS, 1), len(grid))])
    notes = np.zeros(len(key), dtype=NOTE)
    notes["onset"], notes["pitch"], notes["velocity"] = frame * step, key + LOWEST, VELOCITY
    notes["duration"] = (nearest[key, frame + 1] - frame) * step
    return plan.replace(notes=notes)


@lru_cache(maxsize=1)
def _all_keys() -> Ids:
    return np.arange(LOWEST, LOWEST + KEYS)


def keys_within(within: Mask | None) -> Mask:
    """(88,) the keys that may be struck."""
    return np.ones(KEYS, dtype=np.bool_) if within is None else np.asarray(within)[0, _all_keys()]
