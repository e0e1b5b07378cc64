"""A classifier tells apart what differs, and nothing else."""

import numpy as np
import pytest
import scipy.optimize

from kantor import metrics
from kantor.evaluation.features import Features
from kantor.evaluation.two_sample import RIDGE, _fit, two_sample

NUMBERS = [name for name, figure in metrics.figures().items() if figure.kind == "number"]


def noise(pieces, seed, shift=0.0, names=NUMBERS, histograms=()):
    """Numbers without any meaning, but that the first of them is ``shift`` deviations off."""
    rng = np.random.default_rng(seed)
    numbers = {name: rng.normal(size=pieces) for name in names}
    numbers[names[0]] += shift
    bins = {name: rng.random((pieces, len(metrics.figures()[name].labels))) for name in histograms}
    return Features(tuple(f"{seed}-{piece}" for piece in range(pieces)), numbers, {}, bins)


@pytest.mark.parametrize(("pieces", "others"), [(100, 100), (200, 40)])
def test_sets_of_one_kind_are_not_told_apart_whatever_their_sizes(pieces, others):
    inside = 0
    for seed in range(10):
        found = two_sample(noise(pieces, seed), noise(others, seed + 100), seed=seed)
        inside += found.low <= 0.5 <= found.high
        assert found.pieces == (pieces, others)
    assert inside >= 7


def test_what_differs_is_told_apart_and_the_figure_that_gave_it_away_comes_first():
    found = two_sample(noise(100, 1, shift=3.0), noise(100, 2))
    assert found.accuracy > 0.85
    assert 0.5 < found.low < found.accuracy < found.high <= 1
    assert found.telltales[0].name == NUMBERS[0]
    assert found.telltales[0].first - found.telltales[0].second == pytest.approx(3, abs=0.4)
    assert sum(one.share for one in found.telltales) == pytest.approx(1)


def test_a_seed_decides():
    sets = noise(30, 1, shift=1.0), noise(30, 2)
    assert two_sample(*sets, seed=3) == two_sample(*sets, seed=3)


def test_versions_of_one_piece_are_held_out_together():
    """Every piece is there ten times: whoever holds out copies one by one, knows them by heart."""
    first, second = (noise(12, seed, histograms=("intervals", "phrase-lengths")) for seed in (1, 2))
    copies = [heard.take(np.repeat(np.arange(12), 10)) for heard in (first, second)]
    assert two_sample(*copies).accuracy > 0.95
    groups = [name for heard in copies for name in heard.names]
    assert two_sample(*copies, groups=groups).accuracy < 0.75


def test_undefined_values_say_nothing():
    first, second = noise(40, 1), noise(40, 2)
    first.numbers[NUMBERS[1]][:] = np.nan
    assert two_sample(first, second).low < 0.6


def test_too_few_pieces_or_no_figure_in_common_is_no_test():
    assert two_sample(noise(4, 1), noise(50, 2)) is None
    assert two_sample(noise(9, 1, names=NUMBERS[:1]), noise(9, 2, names=NUMBERS[1:])) is None


@pytest.mark.parametrize("shape", [(30, 5), (12, 40)])
def test_the_regression_finds_the_minimum_that_scipy_finds(shape):
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=shape), (np.arange(shape[0]) % 3 == 0).astype(float)
    importance = np.where(labels > 0, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())

    def loss(x):
        margin = (features @ x[:-1] + x[-1]) * (2 * labels - 1)
        return (importance * np.logaddexp(0, -margin)).sum() + RIDGE / 2 * (x[:-1] ** 2).sum()

    theirs = scipy.optimize.minimize(loss, np.zeros(shape[1] + 1), tol=1e-12)
    weights, bias = _fit(features, labels)
    assert loss(np.append(weights, bias)) <= theirs.fun + 1e-9
    assert np.allclose(weights, theirs.x[:-1], atol=1e-4)
