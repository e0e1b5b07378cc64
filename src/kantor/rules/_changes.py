"""Chord changes over the bars of a plan: "I V vi IV", one a bar; "C G | Am F | C", as many in a bar as it has.

Without bar lines the changes are spread evenly: as many in each bar as go into it, or one a bar, over and over. With
bar lines they come round when their bars are over. Either way they have to come out even: what is left over would be
music without a chord. And each has to begin somewhere: spread evenly, on a frame of the grid; in the last bar, before
the end, though a pickup has made it shorter. A pickup has no chord.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kantor.errors import RuleError
from kantor.rules._tables import places
from kantor.rules._view import Mask, Pitches
from kantor.score import Score

__all__ = ["Changes"]


@dataclass(frozen=True)
class Changes:
    """Changes as they are written.

    Attributes
    ----------
    key     what stands before a colon, "G" in "G: I V"; empty where nothing does.
    bars    the changes of each bar; of one bar alone where there are no bar lines.
    barred  whether there are.
    """

    key: str
    bars: tuple[tuple[str, ...], ...]
    barred: bool

    @classmethod
    def read(cls, text: str) -> Changes:
        """From text; what its words mean is not looked at."""
        match = re.fullmatch(r"\s*([A-Ga-g][^:|]*):\s+(.*)", text, re.DOTALL)
        key, rest = match.groups() if match else ("", text)
        bars = tuple(tuple(bar.split()) for bar in rest.split("|") if bar.strip())
        return cls(key, bars, "|" in rest)

    @property
    def words(self) -> Iterator[str]:
        """Every change."""
        return (word for bar in self.bars for word in bar)

    def over(self, plan: Score, step: int) -> tuple[tuple[str, ...], Pitches, Mask]:
        """The different words; which of them holds in each frame, from 1, 0 for none; and where a change begins.

        Raises
        ------
        RuleError
            If they do not come out even, or one of them finds no place.
        """
        number, into, full = places(plan, step)
        bars = self._spread(int(number[:-1].max(initial=-1)) + 1)
        words = tuple(dict.fromkeys(word for bar in bars for word in bar))
        sizes = np.array([len(bar) for bar in bars])
        bar = number % len(bars)
        self._check_even(sizes, full[:-1][number[:-1] >= 0], plan, step)
        place = np.minimum(into * sizes[bar] // full, sizes[bar] - 1)
        table = np.zeros((len(bars), int(sizes.max())), dtype=np.int64)
        for row, group in enumerate(bars):
            table[row, : len(group)] = [words.index(word) + 1 for word in group]
        _check_last(number[:-1], place[:-1], sizes, plan)
        event = np.where(number < 0, -1, number * table.shape[1] + place)
        begins = np.diff(event, prepend=-1) != 0
        return words, np.where(number < 0, 0, table[bar, place]), begins & (event >= 0)

    def _spread(self, wanted: int) -> tuple[tuple[str, ...], ...]:
        """The changes of each bar, before they come round."""
        flat = tuple(self.words)
        had = len(self.bars) if self.barred else len(flat)
        if wanted and had and wanted % had == 0:
            return self.bars if self.barred else tuple((word,) for word in flat)
        if wanted and had and not self.barred and had % wanted == 0:
            each = had // wanted
            return tuple(flat[start : start + each] for start in range(0, had, each))
        what = "bars of changes" if self.barred else "changes"
        rest = "" if self.barred else f", or {2 * wanted}, two a bar"
        raise RuleError(
            f"expected changes that fill {wanted} bars, got {had} {what}; "
            f"give {wanted} or a number that {wanted} can be divided by{rest}, or change the number of bars."
        )

    def _check_even(self, sizes: Pitches, full: Pitches, plan: Score, step: int) -> None:
        """Refuse more changes in a bar than it has frames; without bar lines, such as begin on none of them."""
        most = int(sizes.max())
        for length in np.unique(full).tolist():
            if most > 1 and (length // step < most if self.barred else length % (most * step)):
                fits = [str(n) for n in range(1, length // step + 1) if length % (n * step) == 0]
                raise RuleError(
                    f"expected changes that come out even in a bar, got {most} in one of "
                    f"{length / plan.ticks_per_quarter:g} quarters; give {', '.join(fits)}"
                    f"{'' if self.barred else ', or write bar lines'}."
                )


def _check_last(number: Pitches, place: Pitches, sizes: Pitches, plan: Score) -> None:
    """Refuse changes that would stand in what the pickup has taken off the last bar."""
    last = int(number.max(initial=-1))
    wanted = int(sizes[last % len(sizes)])
    had = int(place[number == last].max(initial=-1)) + 1
    bars = plan.bars
    full = plan.meter_ticks(plan.meters[-1]) if plan.meters else 4 * plan.ticks_per_quarter
    complete = plan.length_ticks + plan.anacrusis_ticks == bars["start"][-1] + full
    if last >= 0 and plan.anacrusis_ticks and complete and had < wanted:
        raise RuleError(
            f"expected a last bar with room for all its changes, got {wanted} where the pickup leaves room for {had}; "
            "try --pickup 0, or fewer changes in that bar."
        )
