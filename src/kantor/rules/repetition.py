"""The same note, or the same chord, struck again: it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.errors import OptionError
from kantor.rules import OPEN, SILENT, Mask, View
from kantor.score import Score

__all__ = ["PART", "Repetition"]


@dataclass(frozen=True)
class Repetition:
    """Struck again is what has sounded right before; after a rest a note is a new one.

    Soft by nature: a weight of ln 2 makes what is repeated half as likely.

    Parameters
    ----------
    what  "note": the same pitch in the same voice (anywhere, in music without voices); "chord": all that sounds.
    """

    what: str = "note"

    about: ClassVar[str] = "the same note, or chord, struck again"
    source: ClassVar[str] = "a penalty of .5 on what is repeated, as in seed system 002 (docs/seeds.md)"
    needs: ClassVar[frozenset[str]] = frozenset({"time"})
    weight: ClassVar[float | None] = math.log(2)
    reach: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.what not in ("note", "chord"):
            raise OptionError(f"expected repetition of note or chord, got '{self.what}'.")

    def bound(self, plan: Score, step: int) -> Repetition:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        out = view.struck & (view.pitch >= 0)
        out[..., :1, :] = False
        now, before = view.pitch[..., 1:, :], view.pitch[..., :-1, :]
        if self.what == "chord":
            known = (now != OPEN).all(-1) & (before != OPEN).all(-1)
            alike = (np.sort(now, axis=-1) == np.sort(before, axis=-1)).all(-1) & known
            out[..., 1:, :] &= alike[..., None]
        elif view.voiced:
            out[..., 1:, :] &= now == before
        else:
            before = np.where(before == OPEN, SILENT, before)
            out[..., 1:, :] &= (now[..., :, None] == before[..., None, :]).any(-1)
        return out


PART = Repetition
