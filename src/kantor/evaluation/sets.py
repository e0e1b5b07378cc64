"""Set against set: do a model's pieces look like the corpus's, figure by figure and altogether?

    >>> from kantor.evaluation.features import hear_set
    >>> from kantor.evaluation.sets import against, estimates
    >>> made, bach = hear_set(generated), hear_set(corpus)       # each an iterable of (name, score)
    >>> estimates(bach)["parallel-fifths"]                       # Estimate(value=0.67, low=0.45, high=0.93, pieces=229)
    >>> found = against(made, bach)                              # the second set is the reference
    >>> found.figures["parallel-fifths"].overlap, found.two_sample.accuracy

Pieces are what is drawn anew: notes of one piece are no independent witnesses, so every interval is a bootstrap over
pieces (Efron & Tibshirani 1993, percentiles), seeded, the same for the same sets. Versions of one piece are none
either: they are drawn together, in both sets (:func:`kantor.evaluation.features.related`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kantor import metrics
from kantor.errors import InputError
from kantor.evaluation.distances import frechet, jensen_shannon, overlap_area, spread, wasserstein
from kantor.evaluation.features import Features, Floats, Ids, related
from kantor.evaluation.histograms import intersection
from kantor.evaluation.two_sample import TwoSample, two_sample

__all__ = ["Comparison", "Contrast", "Estimate", "Likeness", "against", "estimates", "pooled"]

RESAMPLES = 1000
DRAWS = 9  # parts of the reference
LOW, HIGH = 2.5, 97.5  # percentiles of an interval of 95 %


@dataclass(frozen=True)
class Estimate:
    """A figure of a set.

    Attributes
    ----------
    value      numbers: the mean over pieces; rates: all counts over all chances; NaN where no piece defines it.
    low, high  interval of 95 %, by bootstrap over pieces; NaN for fewer than two pieces that are no versions of one.
    deviation  standard deviation over pieces; NaN for fewer than two.
    pieces     how many define it.
    """

    value: float
    low: float
    high: float
    deviation: float
    pieces: int


@dataclass(frozen=True)
class Contrast:
    """One figure in two sets; NaN where it is not defined, or means nothing for its kind.

    Attributes
    ----------
    first, second   of numbers and rates: the estimates; None for histograms.
    difference, low, high  of numbers and rates: first minus second, with its interval of 95 %.
    wasserstein     of numbers and rates between the values of pieces, of histograms with an order between the pooled
                    histograms: how far, in the figure's unit, mass has to be moved.
    intersection    of histograms: what the pooled ones share, 0..1 (:func:`kantor.evaluation.histograms.intersection`).
    jensen_shannon  of histograms: the distance (root of the divergence in bits), 0..1.
    overlap         overlapping area, 0..1, of distances within the second set and of those between the sets (Yang &
                    Lerch 2018): 1 where the first set's pieces are as far from the second's as these from each other.
    """

    first: Estimate | None
    second: Estimate | None
    difference: float
    low: float
    high: float
    wasserstein: float
    intersection: float
    jensen_shannon: float
    overlap: float


@dataclass(frozen=True)
class Likeness:
    """Frame-wise self-similarity of a set against a reference's (Mittal et al. 2021): 1 is alike, 0 is not.

    ``consistency`` compares the means, ``variance`` the variances, of the overlap of neighbouring windows of four bars.
    NaN where either set has no two windows.
    """

    consistency: float
    variance: float


@dataclass(frozen=True)
class Comparison:
    """A set against a reference.

    Attributes
    ----------
    figures          of every metric that both sets were heard with, but curves.
    frechet          Frechet distance of our own figures, standardised by the reference (not the Frechet Music Distance,
                     which is on CLaMP 2's embeddings); NaN for fewer than two pieces in a set.
    frechet_within   what as many pieces of the reference have from its others (or half of it, if there are not twice as
                     many), to read the former by: few pieces are far from anything. The median of :data:`DRAWS` draws.
    self_similarity  "pitch" and "duration".
    two_sample       can a classifier tell the sets apart? None where a set is too small to hold pieces out.
    """

    figures: dict[str, Contrast]
    frechet: float
    frechet_within: float
    self_similarity: dict[str, Likeness]
    two_sample: TwoSample | None


def pooled(heard: Features) -> dict[str, Floats]:
    """Histogram's name -> (bins,) shares of the whole set, pieces weighing what they weigh; all 0 where undefined."""
    summed = {name: weights.sum(axis=0) for name, weights in heard.histograms.items()}
    return {name: weights / weights.sum() if weights.sum() else weights for name, weights in summed.items()}


def estimates(heard: Features, *, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Every number and every rate of a set, with its interval."""
    (drawn,) = _draws((heard,), seed, resamples)
    return {name: _estimate(name, heard, drawn) for name in heard.scalars}


def against(first: Features, second: Features, *, seed: int = 0, resamples: int = RESAMPLES) -> Comparison:
    """``first`` against the reference ``second``, in every figure that both have.

    Raises
    ------
    InputError
        If a set has no piece.
    """
    if not len(first) or not len(second):
        raise InputError("expected two sets of at least one piece each, got an empty one.")
    draws = _draws((first, second), seed, resamples)
    names = [name for name in metrics.figures() if name in first.scalars and name in second.scalars]
    figures = {name: _scalars(name, first, second, draws) for name in names}
    shares = pooled(first), pooled(second)
    figures |= {name: _histograms(name, first, second, shares) for name in first.histograms if name in shares[1]}
    ordered = {name: figures[name] for name in metrics.figures() if name in figures}
    ours, theirs = (np.column_stack([heard.scalars[name] for name in names]) for heard in (first, second))
    return Comparison(
        figures=ordered,
        frechet=frechet(ours, theirs),
        frechet_within=_within(theirs, second.groups, len(first), seed),
        self_similarity={what: _likeness(what, first, second) for what in ("pitch", "duration")},
        two_sample=two_sample(first, second, seed=seed),
    )


def _draws(sets: tuple[Features, ...], seed: int, resamples: int) -> list[Floats]:
    """For each set (resamples, pieces) how often each piece is drawn: versions of one alike, in whichever set.

    What one set has alone and what both have are drawn each for itself, as many groups as there are.
    """
    groups = related(*sets)
    count = 1 + max((int(of.max(initial=-1)) for of in groups), default=-1)
    owners = sum(np.isin(np.arange(count), of) * 2**place for place, of in enumerate(groups))
    drawn = np.zeros((resamples, count))
    for owner in range(1, 2 ** len(sets)):
        own = np.flatnonzero(owners == owner)
        if len(own):
            rng = np.random.default_rng(seed + owner - 1)
            drawn[:, own] = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=resamples)
    return [drawn[:, of] for of in groups]


def _parts(name: str, heard: Features) -> tuple[Floats, Floats, float]:
    """(pieces,) what is summed, what it is divided by, and per how many."""
    if name in heard.rates:
        count, out_of = heard.rates[name].T
        return count, out_of, metrics.figures()[name].per
    values = heard.numbers[name]
    there = ~np.isnan(values)
    return np.where(there, values, 0.0), there.astype(np.float64), 1.0


def _resampled(name: str, heard: Features, drawn: Floats) -> Floats:
    """(resamples,) the figure of each drawn set; NaN where no piece of it defines it."""
    count, out_of, per = _parts(name, heard)
    whole = drawn @ out_of
    found: Floats = per * (drawn @ count) / np.where(whole > 0, whole, np.nan)
    return found


def _interval(values: Floats) -> tuple[float, float]:
    kept = values[~np.isnan(values)]
    if not len(kept):
        return math.nan, math.nan
    low, high = np.percentile(kept, [LOW, HIGH])
    return float(low), float(high)


def _estimate(name: str, heard: Features, drawn: Floats) -> Estimate:
    count, out_of, per = _parts(name, heard)
    known = ~np.isnan(heard.scalars[name])
    values = heard.scalars[name][known]
    value = per * float(count.sum()) / float(out_of.sum()) if out_of.sum() else math.nan
    deviation = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    several = len(np.unique(heard.groups[known])) > 1
    bounds = _interval(_resampled(name, heard, drawn)) if several else (math.nan, math.nan)
    return Estimate(value, *bounds, deviation, len(values))


def _scalars(name: str, first: Features, second: Features, draws: list[Floats]) -> Contrast:
    ours, theirs = _estimate(name, first, draws[0]), _estimate(name, second, draws[1])
    apart = (math.nan, math.nan)
    if not math.isnan(ours.low) and not math.isnan(theirs.low):
        apart = _interval(_resampled(name, first, draws[0]) - _resampled(name, second, draws[1]))
    a, b = (heard.scalars[name][~np.isnan(heard.scalars[name])] for heard in (first, second))
    return Contrast(
        first=ours,
        second=theirs,
        difference=ours.value - theirs.value,
        low=apart[0],
        high=apart[1],
        wasserstein=wasserstein(a, b),
        intersection=math.nan,
        jensen_shannon=math.nan,
        overlap=overlap_area(*spread(a[:, None], b[:, None])),
    )


def _histograms(name: str, first: Features, second: Features, shares: tuple[dict[str, Floats], ...]) -> Contrast:
    ours, theirs = shares[0][name], shares[1][name]
    support = metrics.figures()[name].support
    there = bool(ours.any() and theirs.any())
    a, b = (_rows(heard.histograms[name]) for heard in (first, second))
    places = np.array(support if support is not None else (), dtype=np.float64)
    return Contrast(
        first=None,
        second=None,
        difference=math.nan,
        low=math.nan,
        high=math.nan,
        wasserstein=wasserstein(places, places, ours, theirs) if there and support is not None else math.nan,
        intersection=intersection(ours, theirs) if there else math.nan,
        jensen_shannon=jensen_shannon(ours, theirs),
        overlap=overlap_area(*spread(a, b)),
    )


def _rows(weights: Floats) -> Floats:
    """(pieces, bins) the shares of the pieces that have any."""
    whole = weights.sum(axis=1, keepdims=True)
    there = whole[:, 0] > 0
    found: Floats = weights[there] / whole[there]
    return found


def _within(values: Floats, groups: Ids, size: int, seed: int) -> float:
    """Of parts of about ``size`` pieces, half of all at most; versions of one piece are in one part."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        order = rng.permutation(int(groups.max()) + 1)
        reached = np.cumsum(np.bincount(groups)[order]) >= min(size, len(groups) // 2)
        part = np.isin(groups, order[: int(reached.argmax()) + 1])
        found.append(frechet(values[part], values[~part]))
    return float(np.median(found))


def _likeness(what: str, first: Features, second: Features) -> Likeness:
    means, variances = [], []
    for heard in (first, second):
        mean_parts, square_parts = (heard.rates.get(f"{what}-overlap{end}") for end in ("", "-squared"))
        if mean_parts is None or square_parts is None or not mean_parts[:, 1].sum():
            return Likeness(math.nan, math.nan)
        mean = float(mean_parts[:, 0].sum() / mean_parts[:, 1].sum())
        means.append(mean)
        variances.append(float(square_parts[:, 0].sum() / square_parts[:, 1].sum()) - mean**2)
    return Likeness(_nearness(*means), _nearness(*variances))


def _nearness(ours: float, theirs: float) -> float:
    return max(0.0, 1 - abs(ours - theirs) / theirs) if theirs > 0 else math.nan
