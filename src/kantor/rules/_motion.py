"""Voices that move, in pairs: what the rules of voice leading have in common."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kantor.rules._view import Mask, Pitches

__all__ = ["KIND", "marked", "moved", "pairs"]

#: By the distance of two voices, in either direction: 1 an octave or a unison, 2 a perfect fifth, compound or not; 0
#: any other. To be read with ``mode="wrap"``.
KIND = np.zeros(516, dtype=np.int8)
KIND[0:258:12], KIND[7:258:12] = 1, 2
KIND[258:] = KIND[258:0:-1]


@cache
def pairs(voices: int) -> tuple[Pitches, Pitches]:
    """The upper and the lower voice of every pair, (pairs,) each."""
    found = np.array(list(combinations(range(voices), 2)), dtype=np.int64).reshape(-1, 2)
    return found[:, 0].copy(), found[:, 1].copy()


@cache
def _pairs_of(voices: int) -> Pitches:
    """(voices - 1, voices) the pairs in which each voice takes part."""
    upper, lower = pairs(voices)
    return np.array([np.flatnonzero((upper == v) | (lower == v)) for v in range(voices)]).T.copy()


def moved(pitch: Pitches) -> Mask:
    """(..., frames - 1, voices) who sounds in two frames, and another pitch in the second."""
    now, before = pitch[..., 1:, :], pitch[..., :-1, :]
    out: Mask = (now != before) & (np.minimum(now, before) >= 0)
    return out


def marked(faults: NDArray[np.bool_], voices: int) -> Mask:
    """(..., voices) who takes part in a fault, of ``faults`` (..., pairs)."""
    out = np.zeros((*faults.shape[:-1], voices), dtype=np.bool_)
    for ones in _pairs_of(voices):
        out |= faults.take(ones, axis=-1)
    return out
