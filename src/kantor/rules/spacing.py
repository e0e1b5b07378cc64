"""Upper neighbours keep within an octave, tenor and bass within a twelfth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.rules import Mask, View
from kantor.score import Score

__all__ = ["PART", "Spacing"]

OCTAVE, TWELFTH = 12, 19


@dataclass(frozen=True)
class Spacing:
    """Every frame is judged. Voices that are crossed lie as far apart as they sound."""

    about: ClassVar[str] = "more than an octave between soprano and alto or alto and tenor, a twelfth over the bass"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 5"
    needs: ClassVar[frozenset[str]] = frozenset({"voices"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def bound(self, plan: Score, step: int) -> Spacing:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        over, under = view.pitch[..., :-1], view.pitch[..., 1:]
        widest = np.full(view.pitch.shape[-1] - 1, OCTAVE)
        widest[-1:] = TWELFTH
        wide = (np.abs(over - under) > widest) & (np.minimum(over, under) >= 0)
        out = np.zeros(view.pitch.shape, dtype=np.bool_)
        out[..., 1:] = wide
        out[..., :-1] |= wide
        return out


PART = Spacing
