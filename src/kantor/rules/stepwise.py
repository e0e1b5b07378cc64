"""Melodies go by step: a leap costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.errors import OptionError
from kantor.rules import Mask, View
from kantor.rules._motion import moved
from kantor.score import Score

__all__ = ["PART", "Stepwise"]


@dataclass(frozen=True)
class Stepwise:
    """From one note of a voice to its next; a rest between lets it begin anew.

    Parameters
    ----------
    widest  semitones that are still a step.
    """

    widest: int = 2

    about: ClassVar[str] = "a voice moving by more than a step"
    source: ClassVar[str] = "Fux, Gradus ad Parnassum (1725), first species; Huron, Voice Leading (2016)"
    needs: ClassVar[frozenset[str]] = frozenset({"voices"})
    weight: ClassVar[float | None] = 0.5
    reach: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 0 <= self.widest <= 127:
            raise OptionError(f"expected a widest step of 0 to 127 semitones, got {self.widest}; try stepwise=2.")

    def bound(self, plan: Score, step: int) -> Stepwise:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        pitch = view.pitch
        out = np.zeros(pitch.shape, dtype=np.bool_)
        out[..., 1:, :] = moved(pitch) & (np.abs(pitch[..., 1:, :] - pitch[..., :-1, :]) > self.widest)
        return out


PART = Stepwise
