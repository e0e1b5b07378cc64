"""Soprano and bass do not move the same way into a fifth or an octave when the soprano leaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.rules import Mask, View
from kantor.rules._motion import KIND, moved
from kantor.score import Score

__all__ = ["PART", "NoDirect"]

STEP = 2  # semitones: what is wider is a leap


@dataclass(frozen=True)
class NoDirect:
    """Also called hidden fifths and octaves. Parallels are left to ``no-parallels``: here the interval is a new one."""

    about: ClassVar[str] = "soprano and bass moving the same way into a perfect fifth or octave, the soprano by a leap"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 5 (direct fifths and octaves)"
    needs: ClassVar[frozenset[str]] = frozenset({"voices"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 1

    def bound(self, plan: Score, step: int) -> NoDirect:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        outer = view.pitch[..., [0, -1]]
        by = outer[..., 1:, :] - outer[..., :-1, :]
        kind = KIND.take(outer[..., 0] - outer[..., 1], mode="wrap")
        found = (by[..., 0] * by[..., 1] > 0) & (np.abs(by[..., 0]) > STEP) & moved(outer).all(-1)
        found &= (kind[..., 1:] > 0) & (kind[..., 1:] != kind[..., :-1])
        out = np.zeros(view.pitch.shape, dtype=np.bool_)
        out[..., 1:, 0] = out[..., 1:, -1] = found
        return out


PART = NoDirect
