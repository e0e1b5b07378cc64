"""How far apart are two distributions? Each distance as its author has it, in numpy; SciPy is the oracle of the tests.

Values that are not numbers are refused nowhere: whoever calls leaves them out. Nothing to compare is NaN.
"""

from __future__ import annotations

import math

import numpy as np

from kantor.evaluation.features import Floats

__all__ = ["density", "frechet", "jensen_shannon", "overlap_area", "spread", "wasserstein"]

GRID = 1024  # points on which densities are compared
BINS = 1024  # of samples too many to be heard one by one
THINNEST = 1e-3  # of a bandwidth, as a share of the whole span: a spike is still an area


def jensen_shannon(first: Floats, second: Floats) -> float:
    """The Jensen-Shannon distance of two histograms of the same bins: 0 for equal ones, 1 where no bin is shared.

    The root of the divergence in bits (Endres & Schindelin 2003), which is a metric. It knows no order of bins, so it
    is the right one for names (chords, pitch classes). NaN where either is empty.
    """
    if not first.sum() or not second.sum():
        return math.nan
    p, q = first / first.sum(), second / second.sum()
    between = (p + q) / 2
    divergence = 0.0
    for shares in (p, q):
        there = shares > 0
        divergence += float((shares[there] * np.log2(shares[there] / between[there])).sum()) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def wasserstein(
    first: Floats, second: Floats, first_weights: Floats | None = None, second_weights: Floats | None = None
) -> float:
    """The first Wasserstein distance ("earth mover's") of two weighted samples, in the unit of their values.

    The area between the two cumulative distributions (Ramdas, Garcia & Cuturi 2017). ``first`` and ``second`` are the
    places, ``*_weights`` what lies there; without weights each value counts once. NaN where either is empty.
    """
    weights = [np.ones(len(first)) if first_weights is None else first_weights]
    weights.append(np.ones(len(second)) if second_weights is None else second_weights)
    if not weights[0].sum() or not weights[1].sum():
        return math.nan
    places = np.concatenate([first, second])
    mass = np.concatenate([weights[0] / weights[0].sum(), -weights[1] / weights[1].sum()])
    order = np.argsort(places, kind="stable")
    left = np.cumsum(mass[order])[:-1]
    return float((np.abs(left) * np.diff(places[order])).sum())


def spread(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Distances (Euclidean) between the pieces of ``second``, and between those of ``first`` and of ``second``.

    Parameters
    ----------
    first, second  (pieces, features) each.
    """
    within = _distances(second, second)[np.triu_indices(len(second), 1)]
    return within, _distances(first, second).ravel()


def overlap_area(first: Floats, second: Floats) -> float:
    """The area under both of two densities, 0..1, estimated from samples on one common grid.

    Yang & Lerch (2018, "On the evaluation of generative models in music") compare so the distances within a set with
    those between two sets; their program evaluates the densities on two grids, this one on one. NaN where a sample has
    fewer than two values; samples without any spread overlap wholly or not at all.
    """
    if min(len(first), len(second)) < 2:
        return math.nan
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        return 1.0
    wide = [max(_bandwidth(sample), THINNEST * (high - low)) for sample in (first, second)]
    grid = np.linspace(low - 4 * max(wide), high + 4 * max(wide), GRID)
    densities = [density(sample, grid, width) for sample, width in zip((first, second), wide, strict=True)]
    return min(float(np.trapezoid(np.minimum(*densities), grid)), 1.0)


def density(sample: Floats, at: Floats, bandwidth: float | None = None) -> Floats:
    """(points,) a Gaussian kernel density of ``sample`` at the points ``at``, bandwidth by Scott's rule unless given.

    Samples of more than 1,024 values are gathered in so many bins first.
    """
    width = _bandwidth(sample) if bandwidth is None else bandwidth
    places, weights = sample, np.full(len(sample), 1 / len(sample))
    if len(sample) > BINS:
        counts, edges = np.histogram(sample, bins=BINS)
        places, weights = ((edges[:-1] + edges[1:]) / 2)[counts > 0], counts[counts > 0] / len(sample)
    apart = (at[:, None] - places) / width
    found: Floats = np.exp(-0.5 * apart**2) @ weights / (width * math.sqrt(2 * math.pi))
    return found


def frechet(first: Floats, second: Floats) -> float:
    """The Frechet distance of two sets as Gaussians (Dowson & Landau 1982), features standardised by ``second``.

    ``|m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2))`` of (pieces, features) each. What is NaN takes the mean of
    ``second``; a feature that does not vary there, or that no piece of it defines, is left out. NaN where a set has
    fewer than two pieces.
    """
    if min(len(first), len(second)) < 2:
        return math.nan
    there = ~np.isnan(second)
    count = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, second, 0).sum(axis=0) / count
    scale = np.sqrt((np.where(there, second - mean, 0) ** 2).sum(axis=0) / count)
    kept = scale > 1e-9
    if not kept.any():
        return math.nan
    a, b = (
        np.where(np.isnan(values), 0.0, (values - mean) / np.where(kept, scale, 1))[:, kept]
        for values in (first, second)
    )
    covariances = [np.atleast_2d(np.cov(values, rowvar=False)) for values in (a, b)]
    root = _root(covariances[0])
    inner = np.linalg.eigvalsh(root @ covariances[1] @ root)
    cross = float(np.sqrt(np.maximum(inner, 0)).sum())
    apart = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    return max(apart + float(np.trace(covariances[0]) + np.trace(covariances[1])) - 2 * cross, 0.0)


def _root(matrix: Floats) -> Floats:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    found: Floats = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return found


def _bandwidth(sample: Floats) -> float:
    """Scott's rule (1992)."""
    return float(sample.std(ddof=1)) * float(len(sample) ** -0.2)


def _distances(first: Floats, second: Floats) -> Floats:
    """(first, second) Euclidean distances."""
    if first.shape[1] == 1:
        found: Floats = np.abs(first[:, 0, None] - second[None, :, 0])
        return found
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    found = np.sqrt(np.maximum(squares, 0))
    return found
