"""No note is struck outside the key, or another scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kantor.errors import RuleError
from kantor.rules import Mask, View
from kantor.rules._tables import Timetable, in_force, of_classes, with_tables
from kantor.score import Score
from kantor.theory import diatonic, parse_scale

__all__ = ["PART", "InKey"]


@dataclass(frozen=True)
class InKey:
    """In minor, the natural and the raised seventh are both at home. A note that goes on sounding is judged no more.

    Parameters
    ----------
    scale  "Gm", "C major", "A harmonic minor", "D dorian", "C pentatonic" ... (see :func:`kantor.theory.parse_scale`);
           if empty, the keys of the plan, each from where it begins.
    """

    scale: str = ""
    table: ClassVar[Timetable | None] = None

    about: ClassVar[str] = "a note outside the key, or the scale that is asked for: Gm, D dorian, G pentatonic"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 1; scales as in kantor.theory.SCALES"
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.scale:
            parse_scale(self.scale)

    @property
    def needs(self) -> frozenset[str]:
        """A key, where no scale is given."""
        return frozenset() if self.scale else frozenset({"key"})

    def bound(self, plan: Score, step: int) -> InKey:
        """With the scale of every frame."""
        if not self.scale and not plan.keys:
            raise RuleError("expected a key to keep to, got a plan without one; try in-key=Gm, or --key Gm.")
        scales = [parse_scale(self.scale)] if self.scale else [diatonic(key) for key in plan.keys]
        ticks = [0] if self.scale else [key.tick for key in plan.keys]
        rows = [of_classes(range(12), inside=False), *(of_classes(scale, inside=False) for scale in scales)]
        return with_tables(self, table=in_force(rows, ticks, plan, step))

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.table is not None
        outside: Mask = self.table.at(view.pitch, view.frames) & view.struck
        return outside


PART = InKey
