"""What a two-sided network learns from: pieces with some of their cells *open*, which it has to tell from the others.

Any part of a piece may be open when music is filled in, so a mask is a *region*, as somebody might ask for it, of which
all is open or only some is left: music is filled in little by little. Regions, and how often they are drawn:

cells    anything (3 in 10): a random set of cells, its size uniform, as in an orderless NADE (Uria et al. 2014) and in
         Coconet (Huang et al. 2017).
frames   the same, frame by frame (2 in 10); in one half some voices of some open frames are known, as they are when a
         frame is filled voice by voice (Coconet's protocol).
voices   some of the voices, or all, for the whole time or a span of it (3 in 10): harmonising a melody.
block    some of the voices for a short span (1 in 10): what a blocked Gibbs sampler draws anew.
span     all voices for some quarters (1 in 10): bars that are to be filled.

Of the last three, all is open in one half; in the other only a random set of their cells, its size uniform.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Mask

__all__ = ["KINDS", "draw"]

#: Kinds of region, and how often each is drawn.
KINDS = {"cells": 0.3, "frames": 0.2, "voices": 0.3, "block": 0.1, "span": 0.1}
QUARTER = 4  # frames: spans begin and end with quarters
LONGEST_BLOCK = 8  # quarters


def draw(rng: np.random.Generator, frames: int, voices: int = 4, kind: str | None = None) -> Mask:
    """(frames, voices) True where a cell is open, at least one; of a random kind unless one is given."""
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "frames":
        mask = np.repeat(_some(rng, frames)[:, None], voices, axis=1)
        return _begun(rng, mask) if rng.random() < 0.5 else mask
    region = np.ones((frames, voices), dtype=np.bool_)
    if kind in ("voices", "block"):
        region &= _some(rng, voices)
    if kind in ("block", "span") or (kind == "voices" and rng.random() < 0.5):
        region &= _span(rng, frames, LONGEST_BLOCK if kind == "block" else frames)[:, None]
    if kind == "cells" or rng.random() < 0.5:
        region[region] = _some(rng, int(region.sum()))
    return region


def _begun(rng: np.random.Generator, mask: Mask) -> Mask:
    """The same, where a share of the open frames, uniform in 0..1, keeps only some of its voices open."""
    begun = np.flatnonzero(mask.any(1) & (rng.random(len(mask)) < rng.random()))
    for frame in begun.tolist():
        mask[frame] = _some(rng, mask.shape[1])
    return mask


def _some(rng: np.random.Generator, count: int) -> Mask:
    """(count,) a random subset; its size is uniform in 1..count."""
    chosen: Mask = rng.permutation(count) < rng.integers(1, count + 1)
    return chosen


def _span(rng: np.random.Generator, frames: int, longest: int) -> Mask:
    """(frames,) True in a stretch of 1..``longest`` quarters, within the frames."""
    quarters = -(-frames // QUARTER)
    length = rng.integers(1, min(longest, quarters) + 1)
    begin = rng.integers(0, quarters - length + 1)
    quarter: NDArray[np.int64] = np.arange(frames) // QUARTER
    return (quarter >= begin) & (quarter < begin + length)
