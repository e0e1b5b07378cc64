"""Notes begin on the beats of a grid: eighths, say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kantor.errors import OptionError, RuleError
from kantor.rules import Mask, View
from kantor.rules._tables import places, with_tables
from kantor.score import Score

__all__ = ["PART", "Grid"]


@dataclass(frozen=True)
class Grid:
    """Counted from the bar lines; where no meter is known, from those of 4/4.

    Parameters
    ----------
    unit  "1/4", "1/8", "1/16"; "1/12" is a triplet of eighths, "3/8" a dotted quarter.
    """

    unit: str = "1/8"
    off: ClassVar[Mask | None] = None

    about: ClassVar[str] = "a note beginning off the grid"
    source: ClassVar[str] = "Lerdahl & Jackendoff, A Generative Theory of Tonal Music (1983), ch. 4 (metrical grids)"
    needs: ClassVar[frozenset[str]] = frozenset({"time"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        _ = self._fraction

    @property
    def _fraction(self) -> tuple[int, int]:
        match = re.fullmatch(r"\s*([1-9][0-9]?)\s*/\s*([1-9][0-9]?)\s*", self.unit)
        if match is None:
            raise OptionError(f"expected a note value as grid, got '{self.unit}'; try grid=1/8 or grid=1/12.")
        return int(match[1]), int(match[2])

    def bound(self, plan: Score, step: int) -> Grid:
        """With the frames off the grid."""
        over, under = self._fraction
        _, into, _ = places(plan, step)
        off = into * under % (4 * plan.ticks_per_quarter * over) != 0
        if off[:-1].all():
            raise RuleError(f"expected a grid that some frame of the plan is on, got {self.unit}; try grid=1/8.")
        return with_tables(self, off=off)

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.off is not None
        out: Mask = view.struck & (view.pitch >= 0) & self.off.take(view.frames, mode="clip")[..., None]
        return out


PART = Grid
