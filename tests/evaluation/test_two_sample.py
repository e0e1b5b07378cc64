"""A classifier tells apart what differs, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from kantor import metrics
from kantor.evaluation.features import Features
from kantor.evaluation.two_sample import RIDGE, _fit, _student, two_sample

NUMBERS = [name for name, figure in metrics.figures().items() if figure.kind == "number"]


HISTOGRAMS = ("intervals", "phrase-lengths")


def noise(pieces, seed, shift=0.0, names=NUMBERS, histograms=()):
    """Numbers without any meaning, but that the first of them is ``shift`` deviations off."""
    rng = np.random.default_rng(seed)
    numbers = {name: rng.normal(size=pieces) for name in names}
    numbers[names[0]] += shift
    bins = {name: rng.random((pieces, len(metrics.figures()[name].labels))) for name in histograms}
    return Features(tuple(f"{seed}-{piece}" for piece in range(pieces)), numbers, {}, bins)


def marked(heard):
    """The same, and pieces of one name are versions of one piece."""
    return replace(heard, marks=tuple(frozenset([name]) for name in heard.names))


@pytest.mark.parametrize(("pieces", "others"), [(60, 60), (12, 40)])
def test_guessing_lies_within_nineteen_of_twenty_intervals_of_sets_of_one_kind(pieces, others):
    """Whatever their sizes: 72 pairs or more of 80 by chance, all but once in 200 times."""
    inside, accuracies = 0, []
    for seed in range(80):
        found = two_sample(noise(pieces, seed), noise(others, seed + 100), seed=seed)
        inside += found.low <= 0.5 <= found.high
        accuracies.append(found.accuracy)
        assert found.pieces == (pieces, others)
    assert inside >= scipy.stats.binom.ppf(0.005, 80, 0.95)
    assert np.mean(accuracies) == pytest.approx(0.5, abs=3 * np.std(accuracies) / np.sqrt(80))


def test_what_differs_a_little_is_seen_in_sets_that_are_large():
    """Intervals are no wider than they have to be."""
    found = two_sample(noise(200, 1, shift=0.8), noise(200, 2))
    assert 0.5 < found.low < found.accuracy < 0.75


def test_of_a_few_pieces_nothing_is_certain():
    found = two_sample(noise(6, 1, shift=50.0, names=NUMBERS[:1]), noise(6, 2, names=NUMBERS[:1]))
    assert found.accuracy == found.high == 1
    assert 0.5 < found.low < 0.9


@pytest.mark.parametrize("freedom", [4, 5, 9, 30, 228])
def test_the_quantile_is_students(freedom):
    assert _student(freedom) == pytest.approx(scipy.stats.t.ppf(0.975, freedom), rel=0.02)


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
    first, second = (noise(12, seed, histograms=HISTOGRAMS) for seed in (1, 2))
    copies = [heard.take(np.repeat(np.arange(12), 10)) for heard in (first, second)]
    assert two_sample(*copies).accuracy > 0.95
    found = two_sample(*map(marked, copies))
    assert found.low < 0.5 < found.high
    assert found.high - found.low > 0.25  # of 12 pieces each, not of 120


def test_a_set_is_not_told_from_itself_nor_from_one_that_has_some_of_its_pieces():
    first = marked(noise(40, 1, histograms=HISTOGRAMS))
    assert two_sample(first, first).accuracy == 0.5
    other = marked(noise(20, 2, histograms=HISTOGRAMS))
    both = [np.concatenate([first.histograms[name][:20], other.histograms[name]]) for name in HISTOGRAMS]
    numbers = {name: np.concatenate([first.numbers[name][:20], other.numbers[name]]) for name in NUMBERS}
    mixed = Features(first.names[:20] + other.names, numbers, {}, dict(zip(HISTOGRAMS, both, strict=True)))
    found = two_sample(first, marked(mixed))
    assert found.low < 0.5 < found.high


def test_undefined_values_say_nothing():
    """A figure that one set never defines: whether it is known is no figure."""
    first, second = noise(40, 1), noise(40, 2)
    known = two_sample(first, second)
    first.numbers[NUMBERS[1]][:] = np.nan
    found = two_sample(first, second)
    assert found.low < 0.5 < found.high
    assert abs(found.accuracy - known.accuracy) < 0.1
    assert {one.name: one.share for one in found.telltales}[NUMBERS[1]] == pytest.approx(0, abs=0.05)


def test_too_few_pieces_or_no_figure_in_common_is_no_test():
    assert two_sample(noise(4, 1), noise(50, 2)) is None
    few = marked(noise(4, 1).take(np.repeat(np.arange(4), 20)))
    assert two_sample(few, marked(noise(50, 2))) is None
    assert two_sample(marked(noise(50, 2)), few) is None
    assert two_sample(noise(5, 1, shift=50.0), noise(50, 2)).accuracy > 0.9
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
