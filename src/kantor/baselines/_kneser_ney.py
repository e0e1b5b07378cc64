"""How likely each class is after a context, by counting: interpolated modified Kneser-Ney (Chen and Goodman 1998).

A context is a row of whole numbers, what matters most first. Counts under the whole row are the surest and the rarest;
what is not found under it is looked up under the row without its last number, and so on down to no context at all; in
the end all classes are alike. At each level a little is taken off each count, more off counts of 2 and of 3 than off 1,
and what was taken is dealt out as the next lower level has it:

    p(c | row) = (n(row, c) - d) / n(row)  +  taken(row) / n(row) * p(c | shorter row)

The lower levels do not count how often a class came, but after how many longer contexts (Kneser and Ney 1995). So what
is frequent after one context alone is not expected after new ones. On grids, where a held note comes again and again,
that matters more than anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Ids

__all__ = ["KneserNey"]

Floats = NDArray[np.float64]
RADIX = 2**24  # above any number in a context
#: What is taken off counts of 1, 2 and 3 or more where too little was counted to tell: KenLM's choice (Heafield 2013).
USUAL = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class _Level:
    """What was counted under contexts of one length.

    Attributes
    ----------
    keys     (contexts,) ascending: number of the context without its last term, times RADIX, plus that term.
    taken    (contexts,) the share that goes to the level below.
    starts   (contexts + 1,) where each one's entries begin.
    classes  (entries,) what came.
    shares   (entries,) and its share.
    """

    keys: Ids
    taken: Floats
    starts: Ids
    classes: Ids
    shares: Floats


class KneserNey:
    """A distribution of classes for every context, seen or not.

    Parameters
    ----------
    contexts   (rows, terms) of 0..2^24 - 1, what matters most first.
    classes    (rows,) of 0..``size`` - 1, what came.
    size       how many classes there are.
    """

    def __init__(self, contexts: Ids, classes: Ids, size: int) -> None:
        self.size = size
        numbers = np.zeros(len(classes), dtype=np.int64)
        keys = [numbers[:1]]
        for term in contexts.T:
            found, numbers = np.unique(numbers * RADIX + term, return_inverse=True)
            keys.append(found)
        pairs, counts = np.unique(numbers * size + classes, return_counts=True)
        levels = []
        for found in reversed(keys):
            levels.append(_level(found, pairs // size, pairs % size, counts))
            shorter = (found // RADIX)[pairs // size]
            pairs, counts = np.unique(shorter * size + pairs % size, return_counts=True)
        self._levels = levels[::-1]

    @property
    def entries(self) -> int:
        """How many different things were counted."""
        return sum(len(level.classes) for level in self._levels)

    def __call__(self, contexts: Ids) -> Floats:
        """(rows, size) probabilities after ``contexts`` (rows, terms); all are above 0, and each row sums to 1."""
        out = np.full((len(contexts), self.size), 1 / self.size)
        rows, numbers = np.arange(len(contexts)), np.zeros(len(contexts), dtype=np.int64)
        for length, level in enumerate(self._levels):
            if length:
                wanted = numbers * RADIX + contexts[rows, length - 1]
                place = np.minimum(np.searchsorted(level.keys, wanted), len(level.keys) - 1)
                known = level.keys[place] == wanted
                rows, numbers = rows[known], place[known]
            begin, sizes = level.starts[numbers], np.diff(level.starts)[numbers]
            entries = np.arange(sizes.sum()) + np.repeat(begin - sizes.cumsum() + sizes, sizes)
            out[rows] *= level.taken[numbers, None]
            out[np.repeat(rows, sizes), level.classes[entries]] += level.shares[entries]
        return out


def _level(keys: Ids, contexts: Ids, classes: Ids, counts: Ids) -> _Level:
    """The level of these counts, sorted by context."""
    off = _discounts(counts)[np.minimum(counts, 3)]
    total = np.bincount(contexts, counts, len(keys))
    taken = np.bincount(contexts, off, len(keys)) / total
    starts = np.searchsorted(contexts, np.arange(len(keys) + 1))
    return _Level(keys, taken, starts, classes, (counts - off) / total[contexts])


def _discounts(counts: Ids) -> Floats:
    """(4,) what is taken off a count of 0, 1, 2, and 3 or more (Chen and Goodman 1998, equation 26)."""
    ones, twos, threes, fours = ((counts == count).sum() for count in (1, 2, 3, 4))
    if ones and twos and threes:
        rate = ones / (ones + 2 * twos)
        off = (1 - 2 * rate * twos / ones, 2 - 3 * rate * threes / twos, 3 - 4 * rate * fours / threes)
        if all(0 < one <= most for most, one in enumerate(off, start=1)):
            return np.array([0.0, *off])
    return np.array([0.0, *USUAL])
