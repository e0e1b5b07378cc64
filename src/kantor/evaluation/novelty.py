"""Is it new, or is it copied? What a piece shares with the pieces a model has learnt from, in any transposition.

A piece is read as its *moments*: whenever a note begins or ends, which pitches sound above the lowest, how far the
lowest has moved, and how long that lasts. Two passages with the same moments are the same music, perhaps in another
key; how the lowest came to the first note of a passage is no part of it. Drums are left out; times are those of
sixteenths' sixths (24 a quarter), so that a player's unevenness counts as different music.

The longest shared run is the longest common substring of the two sequences (Gusfield 1997, ch. 7), found for all
training pieces at once: for every moment, how many in a row ending with it are also found there. A run that cannot go
on, because the lowest moved otherwise, begins anew with this very moment, and with the rest before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kantor.representations._timeline import STEP, flatten
from kantor.score import TICKS_PER_QUARTER, Score

__all__ = ["Copied", "Memory"]

Ids = NDArray[np.int64]
NOTHING = -1  # sounds
UNKNOWN = -2  # a moment that no training piece has


@dataclass(frozen=True)
class Copied:
    """What a piece has in common with those it is held against.

    Attributes
    ----------
    run       moments of the longest shared passage.
    quarters  how long that passage is, in quarters.
    start     where in the piece it begins, in quarters.
    piece     the name of the training piece that has it; empty where nothing is shared.
    bars      share of the piece's bars, 0..1, whose moments all come in a row in some training piece.
    """

    run: int
    quarters: float
    start: float
    piece: str
    bars: float


class Memory:
    """The moments of many pieces, ready to be searched.

    Parameters
    ----------
    pieces  (name, score) of each.
    """

    def __init__(self, pieces: Sequence[tuple[str, Score]]) -> None:
        self.names = [name for name, _ in pieces]
        self._classes: dict[tuple[int, ...], int] = {}
        sequences = [self._learnt(score) for _, score in pieces]
        apart = np.array([[-1, 0]])  # matches nothing, so that no run goes on from one piece into the next
        whole = np.concatenate([part for sequence in sequences for part in (sequence, apart)] or [apart])
        self._moved = whole[:, 1].copy()
        by_class = np.argsort(whole[:, 0], kind="stable")
        starts = np.searchsorted(whole[by_class, 0], np.arange(len(self._classes) + 1))
        self._places = [by_class[start:stop] for start, stop in pairwise(starts.tolist())]  # of each class
        self._owner = np.repeat(np.arange(len(pieces)), [len(sequence) + 1 for sequence in sequences])

    def copied(self, score: Score) -> Copied:
        """What ``score`` shares with the pieces."""
        if not len(score.pitched):
            return Copied(0, 0.0, 0.0, "", 0.0)
        times, moments, moved = _moments(score)
        known = np.array([self._classes.get(moment, UNKNOWN) for moment in moments])
        silent = np.array([moment[1] == NOTHING for moment in moments])
        runs, owners = self._runs(known, moved, silent)
        best = int(runs.argmax())
        first = best - int(runs[best]) + 1
        quarter = TICKS_PER_QUARTER // STEP
        return Copied(
            run=int(runs[best]),
            quarters=float(times[best + 1] - times[first]) / quarter if runs[best] else 0.0,
            start=float(times[first]) / quarter if runs[best] else 0.0,
            piece=self.names[owners[best]] if runs[best] else "",
            bars=_bars(score, times, runs),
        )

    def _learnt(self, score: Score) -> Ids:
        """(moments, 2) the class of each moment, and how far the lowest has moved."""
        if not len(score.pitched):
            return np.zeros((0, 2), dtype=np.int64)
        _, moments, moved = _moments(score)
        return np.stack([[self._classes.setdefault(moment, len(self._classes)) for moment in moments], moved], axis=1)

    def _runs(self, known: Ids, moved: Ids, silent: NDArray[np.bool_]) -> tuple[Ids, list[int]]:
        """How many moments in a row, up to each, are found in one training piece; and in which."""
        rests = np.concatenate([[0], silent[:-1].astype(np.int64)])  # no two of them follow each other
        ending = np.zeros(len(self._moved) + 1, dtype=np.int64)  # of runs, by where in the training pieces they end
        runs, owners = np.zeros(len(known), dtype=np.int64), []
        here = nowhere = np.zeros(0, dtype=np.int64)
        for at, moment in enumerate(known.tolist()):
            last, here = here, nowhere if moment == UNKNOWN else self._places[moment]
            before = ending[here]
            longer = 1 + np.where(self._moved[here] == moved[at], before, np.minimum(before, rests[at]))
            ending[last + 1] = 0
            ending[here + 1] = longer
            best = int(longer.argmax()) if len(longer) else 0
            runs[at] = longer[best] if len(longer) else 0
            owners.append(int(self._owner[here[best]]) if len(longer) else 0)
        return runs, owners


def _moments(score: Score) -> tuple[Ids, list[tuple[int, ...]], Ids]:
    """(moments + 1,) when each begins and the last ends, in grid steps; what each is; and (moments,) how many semitones
    its lowest note lies above the lowest before, 0 of a rest and of the first.
    """
    onset, duration, pitch, _ = flatten(score)
    end = onset + duration
    times = np.unique(np.concatenate([onset, end]))
    found: list[tuple[int, ...]] = []
    lows: list[int] = []
    for start, stop in pairwise(times.tolist()):
        sounds = (onset <= start) & (end > start)
        pitches = np.unique(pitch[sounds])
        if not len(pitches):
            found.append((stop - start, NOTHING))
            lows.append(lows[-1])  # a rest comes between notes
            continue
        lowest = int(pitches[0])
        begun = tuple((np.unique(pitch[sounds & (onset == start)]) - lowest).tolist())
        found.append((stop - start, *(pitches - lowest).tolist(), NOTHING, *begun))
        lows.append(lowest)
    return times, found, np.diff(lows, prepend=lows[:1])


def _bars(score: Score, times: Ids, runs: Ids) -> float:
    """Share of bars that are found whole."""
    scale = score.ticks_per_quarter * STEP / TICKS_PER_QUARTER
    edges = [*(score.bars["start"] / scale).tolist(), score.length_ticks / scale]
    found = count = 0
    for begin, end in pairwise(edges):
        first, last = np.searchsorted(times[:-1], [begin - 1e-6, end - 1e-6])
        if last > first:
            count += 1
            found += int(runs[last - 1] >= last - first)
    return found / count if count else 0.0
