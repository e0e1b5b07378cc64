"""A set of pieces, heard once: what every metric says of every piece, as arrays that can be pooled and compared.

Versions of one piece (performances, copies, transpositions) are no independent witnesses: whoever draws pieces anew, or
holds some of them out, has to keep versions together. So each piece carries *marks*, what its versions are known by:
the name that its corpus gives their group, and a print of its notes, which is the same in any key, in any set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kantor import metrics
from kantor.corpora import estimated_key, key_of
from kantor.errors import ScoreError
from kantor.score import TICKS_PER_QUARTER, Key, Score

__all__ = ["Features", "Floats", "Ids", "hear_set", "keyed", "related"]

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Features:
    """What metrics say of the pieces of a set; made by :func:`hear_set`.

    Attributes
    ----------
    names       of the pieces.
    numbers     figure -> (pieces,) values, NaN where undefined.
    rates       figure -> (pieces, 2) count, and out of how many; 0, 0 where undefined.
    histograms  figure -> (pieces, bins) weights; all 0 where undefined.
    marks       (pieces,) what versions of each are known by; empty: every piece is the only one of its kind.
    left_out    place among what was given -> why that piece could not be heard.
    """

    names: tuple[str, ...]
    numbers: dict[str, Floats]
    rates: dict[str, Floats]
    histograms: dict[str, Floats]
    marks: tuple[frozenset[str], ...] = ()
    left_out: dict[int, str] = field(default_factory=dict)

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

    @cached_property
    def groups(self) -> Ids:
        """(pieces,) the group of each piece, a number from 0: versions of one have one (:func:`related`)."""
        return related(self)[0]

    def take(self, rows: NDArray[np.int64]) -> Features:
        """The set of some of its pieces, in that order, perhaps some of them twice."""
        return Features(
            tuple(self.names[row] for row in rows.tolist()),
            {name: values[rows] for name, values in self.numbers.items()},
            {name: values[rows] for name, values in self.rates.items()},
            {name: values[rows] for name, values in self.histograms.items()},
            tuple(self.marks[row] for row in rows.tolist()) if self.marks else (),
        )


def related(*sets: Features) -> list[Ids]:
    """For each set (pieces,) the group of each piece, a number from 0: whatever shares a mark is of one group.

    Numbers are those of all the sets together, in order of appearance: a piece that is in two sets has one number.
    """
    marks = [known for heard in sets for known in (heard.marks or [frozenset[str]()] * len(heard))]
    earlier = list(range(len(marks)))  # of each piece one that is related to it, in the end itself

    def earliest(piece: int) -> int:
        while earlier[piece] != piece:
            earlier[piece] = piece = earlier[earlier[piece]]
        return piece

    bearers: dict[str, int] = {}
    for piece, known in enumerate(marks):
        for mark in known:
            low, high = sorted((earliest(bearers.setdefault(mark, piece)), earliest(piece)))
            earlier[high] = low
    _, groups = np.unique(np.array([earliest(piece) for piece in range(len(marks))], np.int64), return_inverse=True)
    return np.split(groups, np.cumsum([len(heard) for heard in sets])[:-1])


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
    pieces: Iterable[tuple[str, Score]],
    names: Iterable[str] | None = None,
    *,
    estimate_keys: bool = True,
    groups: Sequence[str] = (),
) -> Features:
    """What all metrics, or those of ``names``, say of (name, score) pieces. Scores may come one at a time.

    A score that cannot be heard (it is longer than any music) is left out, and ``left_out`` says why.

    Parameters
    ----------
    estimate_keys  gives a score without a key the one that its notes make likely (:func:`keyed`), so that what needs a
                   key can be compared: grids and much MIDI say none.
    groups         of each piece what its versions bear, too, "" where nobody knows; empty: nobody knows of any. Pieces
                   of the same notes, in whatever key, are versions of one in any case.

    Raises
    ------
    UnknownNameError
        If nothing bears one of ``names``.
    """
    wanted = None if names is None else tuple(names)
    called: list[str] = []
    found: list[dict[str, metrics.Value]] = []
    marks: list[frozenset[str]] = []
    left: dict[int, str] = {}
    for place, (name, score) in enumerate(pieces):
        try:
            values = metrics.measure(keyed(score) if estimate_keys else score, wanted)
            known_by = {_print(score), *((f"group {groups[place]}",) if groups and groups[place] else ())}
        except ScoreError as error:
            left[place] = str(error)
            continue
        called.append(name)
        marks.append(frozenset(known_by))
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
    return Features(tuple(called), numbers, rates, histograms, tuple(marks), left)


def _print(score: Score) -> str:
    """The same for the same notes, whatever their key, parts, velocities, tempo, and the rest before them."""
    notes = score.at(TICKS_PER_QUARTER).pitched
    rows = np.stack([notes["onset"], notes["pitch"].astype(np.int64), notes["duration"]])
    rows[:2] -= rows[:2].min(axis=1, keepdims=True, initial=1 << 60)
    return f"notes {hashlib.sha256(rows[:, np.lexsort(rows[::-1])].tobytes()).hexdigest()}"
