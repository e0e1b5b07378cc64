"""No voice moves beyond where its neighbour has just been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.rules import Mask, View
from kantor.rules._motion import moved
from kantor.score import Score

__all__ = ["PART", "NoOverlap"]


@dataclass(frozen=True)
class NoOverlap:
    """The voice that moves is at fault, wherever its neighbour goes meanwhile. To meet it in unison is none."""

    about: ClassVar[str] = "a voice moving above the last note of the voice over it, or below that of the one under it"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 5; Aldwell & Schachter, Harmony and Voice Leading"
    needs: ClassVar[frozenset[str]] = frozenset({"voices"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 1

    def bound(self, plan: Score, step: int) -> NoOverlap:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        now, before = view.pitch[..., 1:, :], view.pitch[..., :-1, :]
        heard = before >= 0
        out = np.zeros(view.pitch.shape, dtype=np.bool_)
        out[..., 1:, 1:] = (now[..., 1:] > before[..., :-1]) & heard[..., :-1]
        out[..., 1:, :-1] |= (now[..., :-1] < before[..., 1:]) & heard[..., 1:]
        out[..., 1:, :] &= moved(view.pitch)
        return out


PART = NoOverlap
