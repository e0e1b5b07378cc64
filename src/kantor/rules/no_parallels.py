"""No two voices move from a perfect fifth to a perfect fifth, or from an octave (or unison) to an octave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.errors import OptionError
from kantor.rules import Mask, View
from kantor.rules._motion import KIND, marked, moved, pairs
from kantor.score import Score

__all__ = ["PART", "NoParallels"]

KINDS = {"octaves": 1, "fifths": 2, "both": 3}


@dataclass(frozen=True)
class NoParallels:
    """Both voices must move: a fifth that is held or struck again is none of two. Compound intervals count.

    Unequal fifths (perfect to diminished, or the reverse) and motion by contrary leap (a fifth to a twelfth) are told
    apart as in the textbooks: the first are allowed, the second are not. Rests between break the succession.

    Parameters
    ----------
    which  "both", "fifths" or "octaves" (unisons among them).
    """

    which: str = "both"

    about: ClassVar[str] = "two voices moving from one perfect fifth, octave or unison to another"
    source: ClassVar[str] = "Fux, Gradus ad Parnassum (1725); Kostka & Payne, Tonal Harmony, ch. 5"
    needs: ClassVar[frozenset[str]] = frozenset({"voices"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.which not in KINDS:
            raise OptionError(f"expected no-parallels of {', '.join(KINDS)}; got '{self.which}'.")

    def bound(self, plan: Score, step: int) -> NoParallels:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        pitch = view.pitch
        voices = pitch.shape[-1]
        upper, lower = pairs(voices)
        kind = KIND.take(pitch.take(upper, axis=-1) - pitch.take(lower, axis=-1), mode="wrap")
        moves = moved(pitch)
        again = (kind[..., 1:, :] & kind[..., :-1, :] & KINDS[self.which]) > 0
        out = np.zeros(pitch.shape, dtype=np.bool_)
        out[..., 1:, :] = marked(again & moves.take(upper, axis=-1) & moves.take(lower, axis=-1), voices)
        return out


PART = NoParallels
