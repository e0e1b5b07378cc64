"""Not too many notes begin within a quarter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kantor.errors import OptionError
from kantor.rules import Mask, View
from kantor.rules._tables import with_tables
from kantor.score import Score

__all__ = ["PART", "Density"]


@dataclass(frozen=True)
class Density:
    """Any quarter's length of time counts, wherever it begins. Those of the last moment that are too many are at fault.

    Parameters
    ----------
    most  notes that may begin within a quarter; a chord of four notes is four.
    """

    most: int = 8
    quarter: ClassVar[int] = 4

    about: ClassVar[str] = "more notes beginning within a quarter than so many"
    source: ClassVar[str] = "Huron, Voice Leading (2016); a user's own wish"
    needs: ClassVar[frozenset[str]] = frozenset({"time"})
    weight: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        if self.most < 0:
            raise OptionError(f"expected a density of 0 or more notes a quarter, got {self.most}; try density=8.")

    @property
    def reach(self) -> int:
        """The rest of a quarter."""
        return self.quarter - 1

    def bound(self, plan: Score, step: int) -> Density:
        """With the frames of a quarter."""
        return with_tables(self, quarter=max(plan.ticks_per_quarter // step, 1))

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        begun = view.struck & (view.pitch >= 0)
        total = begun.sum(-1).cumsum(-1)
        total[..., self.quarter :] -= total[..., : -self.quarter].copy()
        out: Mask = begun & (total > self.most)[..., None]
        return out


PART = Density
