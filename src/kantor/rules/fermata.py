"""A phrase ends on a consonant triad."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from kantor.errors import RuleError
from kantor.rules import Mask, View
from kantor.rules._harmony import chords_at_fault, chords_of, possible
from kantor.rules._tables import moments, with_tables
from kantor.score import Score

__all__ = ["PART", "Fermata"]


@dataclass(frozen=True)
class Fermata:
    """Judged in the frame where the fermata stands: a major or minor triad in root position or first inversion, its
    fifth perhaps missing. Voices may rest; what sounds has to be part of such a chord, root and third among it.
    """

    where: ClassVar[Mask | None] = None

    about: ClassVar[str] = "a fermata over anything but a major or minor triad in root position or first inversion"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 10 (phrases and cadences)"
    needs: ClassVar[frozenset[str]] = frozenset({"voices", "fermatas"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def bound(self, plan: Score, step: int) -> Fermata:
        """With the frames that have a fermata."""
        if not plan.fermatas:
            raise RuleError("expected a plan with fermatas, got one without; try a model that knows them.")
        where = np.zeros(moments(plan, step), dtype=np.bool_)
        frames = np.array(plan.fermatas) // step
        where[frames[frames < len(where) - 1]] = True
        return with_tables(self, where=where)

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.where is not None
        held = self.where.take(view.frames, mode="clip")
        out = np.zeros(view.pitch.shape, dtype=np.bool_)
        if held.any():
            out = chords_at_fault(consonances(), view.pitch) & held[..., None]
        return out


@cache
def consonances() -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Major and minor triads, the fifth perhaps missing, over root or third; see :func:`possible`."""
    triads = [(root, root + third, root + 7) for root in range(12) for third in (3, 4)]
    ends = np.logical_or.reduce([chords_of(triad, triad[:2], triad[:2]) for triad in triads])
    return possible(ends)


PART = Fermata
