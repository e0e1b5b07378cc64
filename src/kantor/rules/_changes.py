"""Chord changes over the bars of a plan: "I V vi IV", one a bar; "C G | Am F | C", as many in a bar as it has.

Without bar lines the changes are spread evenly: as many in each bar as go into it, or one a bar, over and over. With
bar lines they come round when their bars are over. Either way they have to come out even: what is left over would be
music without a chord. A pickup has none.
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
            If they do not come out even.
        """
        number, into, full = places(plan, step)
        bars = self._spread(int(number[:-1].max(initial=-1)) + 1)
        words = tuple(dict.fromkeys(word for bar in bars for word in bar))
        sizes = np.array([len(bar) for bar in bars])
        bar = number % len(bars)
        place = np.minimum(into * sizes[bar] // full, sizes[bar] - 1)
        table = np.zeros((len(bars), int(sizes.max())), dtype=np.int64)
        for row, group in enumerate(bars):
            table[row, : len(group)] = [words.index(word) + 1 for word in group]
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
