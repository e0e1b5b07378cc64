"""Can a classifier tell two sets apart? If no held-out piece betrays its set, 50 of 100 are guessed right.

A classifier two-sample test (Lopez-Paz & Oquab 2017): a small classifier learns from some pieces which set a piece is
from, and is asked about the others. Here it is a logistic regression with a ridge, on every number, rate and histogram
that metrics give, but the pitch classes from C (:data:`LEFT_OUT`). It is trained with both sets weighing alike, and its
*balanced* accuracy is reported (the mean of the shares of each set that are told right), so that a guess has 50 %
whatever the sizes.

Which features gave the sets away: the mean margin between the sets is a sum over features, weight times difference of
means, and so falls to figures exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kantor import metrics
from kantor.evaluation.features import Features, Floats

__all__ = ["Telltale", "TwoSample", "two_sample"]

FOLDS = 5
RIDGE = 0.05  # of the mean loss, for standardised features
WIDEST = 4.0  # standard deviations: beyond, features are clipped, so that one odd piece decides nothing
RESAMPLES = 1000
#: In which keys a set happens to be is no question of how it is composed; degrees of the scale are compared instead.
LEFT_OUT = frozenset({"pitch-classes", "pitch-classes-by-count"})
STEPS = 25  # of Newton's method, which needs about eight


@dataclass(frozen=True)
class Telltale:
    """A figure that helped to tell the sets apart.

    Attributes
    ----------
    name           the figure's.
    share          of the mean margin between the sets; all figures' add up to 1, and those that misled are negative.
    first, second  mean of the figure over each set's pieces; NaN for histograms.
    """

    name: str
    share: float
    first: float
    second: float


@dataclass(frozen=True)
class TwoSample:
    """How well the sets are told apart.

    Attributes
    ----------
    accuracy   balanced accuracy on held-out pieces, 0..1; 0.5 is guessing.
    low, high  interval of 95 % by bootstrap over pieces, each set by itself.
    pieces     of both sets.
    telltales  what gave them away, most telling first.
    """

    accuracy: float
    low: float
    high: float
    pieces: tuple[int, int]
    telltales: tuple[Telltale, ...]


def two_sample(
    first: Features, second: Features, *, seed: int = 0, groups: Sequence[str] | None = None
) -> TwoSample | None:
    """The test; None where a set has fewer pieces than there are folds (5), or they share no figure that varies.

    Parameters
    ----------
    groups  of the pieces of ``first``, then of ``second``: versions of one piece bear one name, and are held out
            together. None: every piece by itself.
    """
    if min(len(first), len(second)) < FOLDS:
        return None
    matrix, owners = _matrix(first, second)
    if not len(owners):
        return None
    labels = np.repeat([1.0, 0.0], [len(first), len(second)])
    folds = _folds(labels, groups, np.random.default_rng(seed))
    right = np.zeros(len(labels), dtype=np.bool_)
    margins = np.zeros(matrix.shape[1])
    for fold in range(FOLDS):
        held = folds == fold
        if not held.any() or len(np.unique(labels[~held])) < 2:
            continue
        train, test = _standardised(matrix[~held], matrix[held])
        weights, bias = _fit(train, labels[~held])
        right[held] = (test @ weights + bias > 0) == (labels[held] > 0)
        apart = train[labels[~held] > 0].mean(axis=0) - train[labels[~held] == 0].mean(axis=0)
        margins += weights * apart / FOLDS
    rng = np.random.default_rng([seed, 1])
    drawn = np.mean([_resampled_mean(right[labels == label], rng) for label in (1.0, 0.0)], axis=0)
    low, high = np.percentile(drawn, [2.5, 97.5])
    accuracy = float(np.mean([right[labels == label].mean() for label in (1.0, 0.0)]))
    telltales = _telltales(margins, owners, first, second)
    return TwoSample(accuracy, float(low), float(high), (len(first), len(second)), telltales)


def _matrix(first: Features, second: Features) -> tuple[Floats, list[str]]:
    """(pieces of both, features), and the figure that each feature is of."""
    columns: list[Floats] = []
    owners: list[str] = []
    for name in metrics.figures():
        if name in LEFT_OUT:
            continue
        if name in first.scalars and name in second.scalars:
            block = np.concatenate([heard.scalars[name] for heard in (first, second)])[:, None]
        elif name in first.histograms and name in second.histograms:
            block = np.concatenate([heard.histograms[name] for heard in (first, second)])
            whole = block.sum(axis=1, keepdims=True)
            block = block / np.where(whole > 0, whole, np.nan)
        else:
            continue
        known = ~np.isnan(block)
        varies = np.where(known, block, -np.inf).max(axis=0) > np.where(known, block, np.inf).min(axis=0)
        columns.append(block[:, varies])
        owners += [name] * int(varies.sum())
    return np.concatenate(columns, axis=1) if columns else np.zeros((len(first) + len(second), 0)), owners


def _folds(
    labels: Floats, groups: Sequence[str] | None, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(pieces,) the fold in which each is held out: groups whole, both sets spread evenly."""
    names = list(groups) if groups is not None else [str(number) for number in range(len(labels))]
    _, group = np.unique(np.array(names), return_inverse=True)
    folds = np.zeros(len(labels), dtype=np.int64)
    at = 0
    for label in (1.0, 0.0):
        own = np.unique(group[labels == label])
        own = own if label else np.setdiff1d(own, group[labels == 1.0])
        for one in rng.permutation(own).tolist():
            folds[group == one] = at % FOLDS
            at += 1
    return folds


def _standardised(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Both by mean and deviation of ``train``, clipped; what is undefined is at the mean."""
    known = ~np.isnan(train)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, train, 0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, train - mean, 0) ** 2).sum(axis=0) / count)
    scale = np.where(scale > 1e-12, scale, np.inf)
    made = [np.clip(np.where(np.isnan(x), 0.0, (x - mean) / scale), -WIDEST, WIDEST) for x in (train, test)]
    return made[0], made[1]


def _fit(features: Floats, labels: Floats) -> tuple[Floats, float]:
    """Weights and bias of a logistic regression, both classes weighing alike, by Newton's method.

    With fewer pieces than features the weights are sums of pieces (the representer theorem), so the system that is
    solved has the size of the pieces.
    """
    importance = np.where(labels > 0, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    values, directions = np.linalg.eigh(features @ features.T)
    kept = values > 1e-9 * max(float(values.max(initial=0)), 1e-300)
    root = np.sqrt(values[kept])
    reduced = np.concatenate([directions[:, kept] * root, np.ones((len(features), 1))], axis=1)
    penalty = np.concatenate([np.full(int(kept.sum()), RIDGE), [0.0]])
    found = np.zeros(reduced.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(reduced @ found, -30, 30)))
        slope = reduced.T @ (importance * (chance - labels)) + penalty * found
        curved = importance * np.maximum(chance * (1 - chance), 1e-9)
        step = np.linalg.solve((reduced.T * curved) @ reduced + np.diag(penalty + 1e-12), slope)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    return features.T @ (directions[:, kept] @ (found[:-1] / root)), float(found[-1])


def _resampled_mean(right: np.ndarray[tuple[int], np.dtype[np.bool_]], rng: np.random.Generator) -> Floats:
    return rng.binomial(len(right), right.mean(), size=RESAMPLES) / len(right)


def _telltales(margins: Floats, owners: list[str], first: Features, second: Features) -> tuple[Telltale, ...]:
    by_figure: dict[str, float] = {}
    for owner, margin in zip(owners, margins.tolist(), strict=True):
        by_figure[owner] = by_figure.get(owner, 0.0) + margin
    whole = sum(by_figure.values())
    found = [
        Telltale(name, margin / whole if whole else 0.0, _mean(first, name), _mean(second, name))
        for name, margin in by_figure.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.share))


def _mean(heard: Features, name: str) -> float:
    values = heard.scalars.get(name)
    known = values[~np.isnan(values)] if values is not None else np.zeros(0)
    return float(known.mean()) if len(known) else math.nan
