"""No voice sings a tritone, an augmented second, a seventh or more than an octave from one note to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.rules import Mask, View
from kantor.rules._motion import moved
from kantor.rules._tables import Timetable, in_force, of_classes, with_tables
from kantor.score import Score
from kantor.theory import tonic

__all__ = ["PART", "NoAugmented"]

SECOND = 3  # semitones of an augmented second
#: By semitones: the tritone, both sevenths, and all beyond an octave.
HARD = np.isin(np.arange(131), [6, 10, 11, *range(13, 131)])


@dataclass(frozen=True)
class NoAugmented:
    """The leaps that textbooks forbid together. A pitch has no spelling, so two of them are told by their sound:

    an augmented fourth is not told from a diminished fifth, and both are refused; an augmented second is one between
    the sixth and the raised seventh degree of a minor key of the plan, a minor third anywhere else.
    """

    table: ClassVar[Timetable | None] = None

    about: ClassVar[str] = "a melodic tritone, augmented second, seventh, or leap beyond an octave"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 5 (melodic intervals)"
    needs: ClassVar[frozenset[str]] = frozenset({"voices"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 1

    def bound(self, plan: Score, step: int) -> NoAugmented:
        """With the two notes between which an augmented second lies, where a key is minor."""
        if all(key.mode != "minor" for key in plan.keys):
            return with_tables(self, table=None)
        pair = [{tonic(key) + 8, tonic(key) + 11} if key.mode == "minor" else set() for key in plan.keys]
        rows = [of_classes((note % 12 for note in notes), inside=True) for notes in [set(), *pair]]
        return with_tables(self, table=in_force(rows, (key.tick for key in plan.keys), plan, step))

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        pitch = view.pitch
        by = np.abs(pitch[..., 1:, :] - pitch[..., :-1, :])
        wrong = HARD.take(by)
        if self.table is not None:
            frames = view.frames[..., 1:]  # both notes by the key of the second
            either = self.table.at(pitch[..., 1:, :], frames) & self.table.at(pitch[..., :-1, :], frames)
            wrong = wrong | (either & (by == SECOND))
        out = np.zeros(pitch.shape, dtype=np.bool_)
        out[..., 1:, :] = wrong & moved(pitch)
        return out


PART = NoAugmented
