"""A set of pieces, heard once: what every metric says of every piece, as arrays that can be pooled and compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kantor import metrics
from kantor.corpora import estimated_key, key_of
from kantor.score import Key, Score

__all__ = ["Features", "Floats", "hear_set", "keyed"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Features:
    """What metrics say of the pieces of a set; made by :func:`hear_set`.

    Attributes
    ----------
    names       of the pieces.
    numbers     figure -> (pieces,) values, NaN where undefined.
    rates       figure -> (pieces, 2) count, and out of how many; 0, 0 where undefined.
    histograms  figure -> (pieces, bins) weights; all 0 where undefined.
    """

    names: tuple[str, ...]
    numbers: dict[str, Floats]
    rates: dict[str, Floats]
    histograms: dict[str, Floats]

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.names)

    @cached_property
    def scalars(self) -> dict[str, Floats]:
        """Figure -> (pieces,) of every number and every rate, a rate per what it is counted; NaN where undefined."""
        known = metrics.figures()
        found = dict(self.numbers)
        for name, rate in self.rates.items():
            count, out_of = rate.T
            whole = np.where(out_of > 0, out_of, np.nan)
            found[name] = known[name].per * count / whole
        return {name: found[name] for name in known if name in found}

    def take(self, rows: NDArray[np.int64]) -> Features:
        """The set of some of its pieces, in that order, perhaps some of them twice."""
        return Features(
            tuple(self.names[row] for row in rows.tolist()),
            {name: values[rows] for name, values in self.numbers.items()},
            {name: values[rows] for name, values in self.rates.items()},
            {name: values[rows] for name, values in self.histograms.items()},
        )


def keyed(score: Score) -> Score:
    """The score with a key: its own; where it has none, or one whose mode is open, the one that its notes make likely.

    Music that hardly prefers any key stays without.
    """
    if score.keys and all(key.mode for key in score.keys):
        return score
    if score.keys:
        return score.replace(keys=tuple(key if key.mode else _with_mode(score, key) for key in score.keys))
    found = estimated_key(score)
    return score if found is None else score.replace(keys=(found,))


def _with_mode(score: Score, key: Key) -> Key:
    found = key_of(score.replace(keys=(key,)))
    return key if found is None else found


def hear_set(
    pieces: Iterable[tuple[str, Score]], names: Iterable[str] | None = None, *, estimate_keys: bool = True
) -> Features:
    """What all metrics, or those of ``names``, say of (name, score) pieces. Scores may come one at a time.

    ``estimate_keys`` gives a score without a key the one that its notes make likely (:func:`keyed`), so that what
    needs a key can be compared: grids and much MIDI say none.

    Raises
    ------
    UnknownNameError
        If nothing bears one of ``names``.
    ScoreError
        If a score is longer than any music.
    """
    wanted = None if names is None else tuple(names)
    called: list[str] = []
    found: list[dict[str, metrics.Value]] = []
    for name, score in pieces:
        called.append(name)
        values = metrics.measure(keyed(score) if estimate_keys else score, wanted)
        found.append({key: value for key, value in values.items() if not isinstance(value, metrics.Curve)})
    known = metrics.figures() if wanted is None or found else {}
    numbers, rates, histograms = {}, {}, {}
    for key in known if not found else found[0]:
        values_of = [row[key] for row in found]
        if known[key].kind == "number":
            numbers[key] = np.array([v.number for v in values_of if isinstance(v, metrics.Number)], dtype=np.float64)
        elif known[key].kind == "rate":
            rows = [(v.count, v.out_of) for v in values_of if isinstance(v, metrics.Rate)]
            rates[key] = np.array(rows, dtype=np.float64).reshape(-1, 2)
        elif known[key].kind == "histogram":
            weights = [v.weights for v in values_of if isinstance(v, metrics.Histogram)]
            histograms[key] = np.array(weights, dtype=np.float64).reshape(-1, len(known[key].labels))
    return Features(tuple(called), numbers, rates, histograms)
