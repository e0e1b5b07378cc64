"""Does the music hold together, and does it come back? Neighbouring windows, and bars that return.

*Frame-wise self-similarity* (Mittal et al. 2021): windows of four bars, two bars apart; in each a Gaussian is fitted to
the pitches of its notes, and one to their durations. The overlap of the Gaussians of neighbouring windows is near 1
where the music goes on as it was. Sets are compared by mean and variance of these overlaps; so the mean of their
squares is given beside their mean. Windows of fewer than two notes are left out; a deviation is 0.01 at least.

*Structure*: how many bars repeat an earlier one, note for note, in any transposition; and how alike bars are that lie
one, two, four and eight bars apart: the cosine of what sounds in them, pitch class by sixteenth.
"""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._hearing import Floats, Ids

__all__ = ["PART", "normal_overlap"]

WINDOW, HOP = 4, 2  # bars
LEAST = 0.01  # of a deviation
DISTANCES = (1, 2, 4, 8)  # bars

_erf = np.vectorize(math.erf, otypes=[np.float64])


def normal_overlap(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> Floats:
    """(pairs,) the area under both of two normal densities, given as means and deviations (pairs,) each.

    As :meth:`statistics.NormalDist.overlap`, but for arrays.
    """
    (mean_a, dev_a), (mean_b, dev_b) = first, second
    apart = np.abs(mean_b - mean_a)
    alike = np.isclose(dev_a, dev_b, rtol=1e-12, atol=0)
    same = 1 - _erf(apart / (2 * np.minimum(dev_a, dev_b) * math.sqrt(2)))
    a, b = dev_a**2, np.where(alike, dev_b**2 * 4, dev_b**2)
    middle = mean_a * b - mean_b * a
    root = dev_a * np.sqrt(b) * np.sqrt(apart**2 + (b - a) * np.log(b / a))
    at = ((middle + root) / (b - a), (middle - root) / (b - a))
    below = [[_normal(point, mean, dev) for point in at] for mean, dev in ((mean_a, dev_a), (mean_b, np.sqrt(b)))]
    other = 1 - np.abs(below[0][0] - below[1][0]) - np.abs(below[0][1] - below[1][1])
    return np.where(alike, same, other)


def _normal(at: Floats, mean: Floats, deviation: Floats) -> Floats:
    found: Floats = 0.5 * (1 + _erf((at - mean) / (deviation * math.sqrt(2))))
    return found


def _overlaps(values: Floats, first: Ids, last: Ids) -> tuple[Rate, Rate]:
    """The overlaps of neighbouring windows, ``values[first:last]`` each: their mean, and that of their squares."""
    count = np.maximum(last - first, 1)
    sums, squares = (np.concatenate([[0.0], np.cumsum(x)]) for x in (values, values**2))
    mean = (sums[last] - sums[first]) / count
    spread = np.maximum((squares[last] - squares[first]) / count - mean**2, 0) * count / np.maximum(count - 1, 1)
    deviation = np.maximum(np.sqrt(spread), LEAST)
    kept = np.flatnonzero((last - first > 1)[:-1] & (last - first > 1)[1:])
    after = kept + 1
    area = np.clip(normal_overlap((mean[kept], deviation[kept]), (mean[after], deviation[after])), 0, 1)
    return Rate(float(area.sum()), float(len(area))), Rate(float((area**2).sum()), float(len(area)))


def _windows(hearing: Hearing) -> tuple[Rate, ...]:
    start = hearing.score.bars["start"]
    edges = np.append(start, hearing.score.length_ticks)
    begin = np.arange(0, max(len(start) - WINDOW + 1, 0), HOP)
    first = np.searchsorted(hearing.notes["onset"], edges[begin])
    last = np.searchsorted(hearing.notes["onset"], edges[begin + WINDOW])
    pitch = hearing.pitch.astype(np.float64)
    centred = pitch - pitch.mean()  # cumulated squares of large numbers lose digits
    return (*_overlaps(centred, first, last), *_overlaps(hearing.duration, first, last))


def _returning(hearing: Hearing) -> Rate:
    """Bars with notes, and those of them that repeat an earlier one."""
    notes, start = hearing.notes, hearing.score.bars["start"]
    edges = np.searchsorted(notes["onset"], np.append(start, notes["onset"][-1] + 1))
    seen: set[bytes] = set()
    again = bars = 0
    for bar, (first, last) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        if last <= first:
            continue
        inside = notes[first:last]
        pitch = inside["pitch"].astype(np.int64)
        rows = np.stack([inside["onset"] - start[bar], inside["duration"], pitch - pitch.min()])
        found = rows[:, np.lexsort(rows)].tobytes()
        bars += 1
        again += found in seen
        seen.add(found)
    return Rate(float(again), float(bars))


def _alike(hearing: Hearing) -> tuple[Rate, ...]:
    """For bars so far apart, the sum of their cosines, and how many pairs there are."""
    start, length, whole = hearing.bars
    size = int(np.bincount(length[whole]).argmax()) if whole.any() else 0
    kept = np.flatnonzero(whole & (length == size) & (start + size <= hearing.frames))
    found = []
    heard = (hearing.sounding > 0)[start[kept][:, None] + np.arange(size)].reshape(len(kept), 12 * size)
    norm = np.sqrt(heard.sum(axis=1, dtype=np.float64))
    number = np.full(len(start) + max(DISTANCES), -1)
    number[kept] = np.arange(len(kept))
    for distance in DISTANCES:
        later = number[kept + distance]
        pairs = np.flatnonzero((later >= 0) & (norm > 0))
        pairs = pairs[norm[later[pairs]] > 0]
        shared = (heard[pairs] & heard[later[pairs]]).sum(axis=1)
        found.append(Rate(float((shared / (norm[pairs] * norm[later[pairs]])).sum()), float(len(pairs))))
    return tuple(found)


def _similarity(hearing: Hearing) -> tuple[Rate, ...]:
    return (*_windows(hearing), _returning(hearing), *_alike(hearing))


PART = Metric(
    name="self-similarity",
    about="how alike neighbouring windows are, and how much returns",
    source="Mittal et al. 2021, Symbolic music generation with diffusion models; Foote 1999 (self-similarity)",
    figures=(
        Figure("pitch-overlap", "overlap of the pitches of neighbouring windows of four bars", kind="rate"),
        Figure("pitch-overlap-squared", "the same, squared", kind="rate"),
        Figure("duration-overlap", "overlap of the durations of neighbouring windows of four bars", kind="rate"),
        Figure("duration-overlap-squared", "the same, squared", kind="rate"),
        Figure("repeated-bars", "share of bars that repeat an earlier one, in any transposition", kind="rate"),
        *(
            Figure(f"bar-similarity-{distance}", f"cosine of bars {distance} apart", kind="rate")
            for distance in DISTANCES
        ),
    ),
    of=_similarity,
    invariant=frozenset({"transposition", "parts"}),
)
