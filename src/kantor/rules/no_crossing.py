"""No voice sings below the next lower one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.rules import Mask, View
from kantor.rules._motion import marked, pairs
from kantor.score import Score

__all__ = ["PART", "NoCrossing"]


@dataclass(frozen=True)
class NoCrossing:
    """Neighbours and others alike; a unison is no crossing. Every frame in which voices are crossed is a fault."""

    about: ClassVar[str] = "a voice below one that should lie under it"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 5; Fux, Gradus ad Parnassum (1725)"
    needs: ClassVar[frozenset[str]] = frozenset({"voices"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def bound(self, plan: Score, step: int) -> NoCrossing:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        voices = view.pitch.shape[-1]
        upper, lower = pairs(voices)
        over, under = view.pitch.take(upper, axis=-1), view.pitch.take(lower, axis=-1)
        return marked((over < under) & (np.minimum(over, under) >= 0), voices)


PART = NoCrossing
