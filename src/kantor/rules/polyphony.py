"""Not too many notes sound at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kantor.errors import OptionError
from kantor.rules import Mask, View
from kantor.score import Score

__all__ = ["PART", "Polyphony"]


@dataclass(frozen=True)
class Polyphony:
    """Two voices in unison are two notes.

    Parameters
    ----------
    most  notes that may sound at once.
    """

    most: int = 4

    about: ClassVar[str] = "more notes sounding at once than so many"
    source: ClassVar[str] = "Huron, Voice Leading (2016); a user's own wish"
    needs: ClassVar[frozenset[str]] = frozenset({"time"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.most < 0:
            raise OptionError(f"expected 0 or more notes at once, got {self.most}; try polyphony=4.")

    def bound(self, plan: Score, step: int) -> Polyphony:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        sounds = view.pitch >= 0
        out: Mask = sounds & (sounds.sum(-1, keepdims=True) > self.most)
        return out


PART = Polyphony
