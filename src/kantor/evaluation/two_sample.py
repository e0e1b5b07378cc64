"""Can a classifier tell two sets apart? If no held-out piece betrays its set, 50 of 100 are guessed right.

A classifier two-sample test (Lopez-Paz & Oquab 2017): a small classifier learns from some pieces which set a piece is
from, and is asked about the others. Here it is a logistic regression with a ridge, on every number, rate and histogram
that metrics give, but the pitch classes from C (:data:`LEFT_OUT`). It is trained with both sets weighing alike, and its
*balanced* accuracy is reported (the mean of the shares of each set that are told right), so that a guess has 50 %
whatever the sizes. The pieces are cut into five folds anew five times over, and the mean is taken.

Versions of one piece are held out together (:func:`kantor.evaluation.features.related`): whoever has learned from one
knows the other by heart. A set against itself is told with 50 %.

How sure is that? Verdicts on held-out pieces are no coins thrown one by one: two pieces that are alike make each other
right, or wrong, and both speak. No estimate of this variance is without bias (Bengio & Grandvalet 2004). Here it is
that of the verdicts, group by group, of each set, with one imaginary group more that is told right and one that is not
(Agresti & Caffo 2000, so that nothing is ever certain); to it is added the variance between the five times. The
quantile is Student's, for as many groups as the smaller set has. The interval is rather too wide than too narrow: of
pairs of sets of one kind, 6 to 229 pieces each, 96 to 100 of 100 have 50 % in theirs.

Which features gave the sets away: the mean margin between the sets is a sum over features, weight times difference of
means, and so falls to figures exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kantor import metrics
from kantor.evaluation.features import Features, Floats, Ids, related

__all__ = ["Telltale", "TwoSample", "two_sample"]

FOLDS = 5
TIMES = 5  # that the folds are cut anew
RIDGE = 0.05  # of the mean loss, for standardised features
WIDEST = 4.0  # standard deviations: beyond, features are clipped, so that one odd piece decides nothing
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
    low, high  interval of 95 %: verdicts vary by groups of versions, folds by how they are cut (see above).
    pieces     of both sets.
    telltales  what gave them away, most telling first.
    """

    accuracy: float
    low: float
    high: float
    pieces: tuple[int, int]
    telltales: tuple[Telltale, ...]


def two_sample(first: Features, second: Features, *, seed: int = 0) -> TwoSample | None:
    """The test; None where it cannot be told: a set has fewer pieces that are no versions of one another than there
    are folds (5), or they share no figure that varies.
    """
    groups = np.concatenate(related(first, second))
    labels = np.repeat([1.0, 0.0], [len(first), len(second)])
    fewest = min(len(np.unique(groups[labels == label])) for label in (1.0, 0.0))
    matrix, owners = _matrix(first, second)
    if fewest < FOLDS or not len(owners):
        return None
    rng = np.random.default_rng(seed)
    told = [_held_out(matrix, labels, _folds(labels, groups, rng)) for _ in range(TIMES)]
    right = np.array([verdicts for verdicts, _ in told])
    accuracies = np.array([[verdicts[labels == label].mean() for label in (1.0, 0.0)] for verdicts in right]).mean(1)
    accuracy = float(accuracies.mean())
    spread = np.mean([sum(_variance(v[labels == x], groups[labels == x]) for x in (1.0, 0.0)) / 4 for v in right])
    wide = _student(fewest - 1) * math.sqrt(float(spread + accuracies.var(ddof=1)))
    margins = np.mean([margin for _, margin in told], axis=0)
    return TwoSample(
        accuracy,
        max(accuracy - wide, 0.0),
        min(accuracy + wide, 1.0),
        (len(first), len(second)),
        _telltales(margins, owners, first, second),
    )


def _held_out(matrix: Floats, labels: Floats, folds: Ids) -> tuple[Floats, Floats]:
    """(pieces,) whether each is told right while it is held out, 1/2 where nothing is said; (features,) mean margin."""
    right = np.zeros(len(labels))
    margins = np.zeros(matrix.shape[1])
    for fold in range(FOLDS):
        held = folds == fold
        train, test = _standardised(matrix[~held], matrix[held])
        weights, bias = _fit(train, labels[~held])
        right[held] = (1 + np.sign(test @ weights + bias) * np.where(labels[held] > 0, 1, -1)) / 2
        apart = train[labels[~held] > 0].mean(axis=0) - train[labels[~held] == 0].mean(axis=0)
        margins += weights * apart / FOLDS
    return right, margins


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


def _folds(labels: Floats, groups: Ids, rng: np.random.Generator) -> Ids:
    """(pieces,) the fold in which each is held out: groups whole, those of each set spread evenly over the folds.

    With as many groups of a set as there are folds, each fold holds some of it out, and has some to learn from.
    """
    ours, theirs = (np.unique(groups[labels == label]) for label in (1.0, 0.0))
    both = np.intersect1d(ours, theirs)
    fold_of = np.zeros(int(groups.max()) + 1, dtype=np.int64)
    for own, start in ((both, 0), (np.setdiff1d(ours, both), len(both)), (np.setdiff1d(theirs, both), len(both))):
        fold_of[rng.permutation(own)] = (start + np.arange(len(own))) % FOLDS
    found: Ids = fold_of[groups]
    return found


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
    """Weights and bias of a logistic regression, both classes weighing alike.

    With fewer pieces than features the weights are sums of pieces (the representer theorem), so the system that is
    solved has the size of the pieces.
    """
    if len(features) > features.shape[1]:
        return _newton(features, labels)
    values, directions = np.linalg.eigh(features @ features.T)
    kept = values > 1e-9 * max(float(values.max(initial=0)), 1e-300)
    root = np.sqrt(values[kept])
    weights, bias = _newton(directions[:, kept] * root, labels)
    return features.T @ (directions[:, kept] @ (weights / root)), bias


def _newton(features: Floats, labels: Floats) -> tuple[Floats, float]:
    """The least mean loss with its ridge, by Newton's method."""
    importance = np.where(labels > 0, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    rows = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    penalty = np.concatenate([np.full(features.shape[1], RIDGE), [0.0]])
    found = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (importance * (chance - labels)) + penalty * found
        curved = importance * np.maximum(chance * (1 - chance), 1e-9)
        step = np.linalg.solve((rows.T * curved) @ rows + np.diag(penalty + 1e-12), slope)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    return found[:-1], float(found[-1])


def _variance(right: Floats, groups: Ids) -> float:
    """Of the share of one set's verdicts that are right: groups are drawn, two imaginary ones among them."""
    _, group = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group).astype(np.float64)
    usual = sizes.mean()
    sums, sizes = np.append(np.bincount(group, right), [usual, 0.0]), np.append(sizes, [usual, usual])
    share = sums.sum() / sizes.sum()
    return float(((sums - share * sizes) ** 2).sum() / sizes.sum() ** 2)


def _student(freedom: int) -> float:
    """The quantile of 97.5 % of Student's distribution, within 2 % from 4 degrees of freedom on (Peiser 1943)."""
    normal = 1.959964
    return float(
        normal
        + (normal**3 + normal) / (4 * freedom)
        + (5 * normal**5 + 16 * normal**3 + 3 * normal) / (96 * freedom**2)
    )


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
