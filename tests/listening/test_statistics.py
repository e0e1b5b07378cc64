"""Tests of significance, against SciPy and published examples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kantor.listening.statistics import agreement, binomial_p, difference, interval, paired_p, shuffled_p, wilson

NAN = math.nan
#: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example E: four observers, twelve units.
OBSERVED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


@pytest.mark.parametrize(("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_paper(metric, published):
    assert round(agreement(OBSERVED, metric), 3) == published


def test_raters_who_agree_have_an_alpha_of_one_and_no_ratings_have_none():
    assert agreement(np.tile([1.0, 3, 5, 2], (3, 1))) == pytest.approx(1)
    assert math.isnan(agreement(np.full((3, 4), NAN)))
    assert math.isnan(agreement(np.full((3, 4), 2.0)))
    assert math.isnan(agreement(np.zeros((0, 4))))


@given(st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_binomial_test_and_the_interval_are_scipys(drawn):
    right, of = drawn
    if not of:
        assert math.isnan(binomial_p(right, of))
        return
    theirs = stats.binomtest(right, of)
    assert binomial_p(right, of) == pytest.approx(theirs.pvalue, rel=1e-9)
    bounds = theirs.proportion_ci(method="wilson")
    assert wilson(right, of) == pytest.approx((bounds.low, bounds.high), abs=1e-6)


def test_the_paired_test_is_scipys_where_all_signs_are_tried():
    apart = np.array([1.0, 0.5, -0.2, 0.3, 0.8, -0.1])
    theirs = stats.permutation_test((apart,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert paired_p(apart) == pytest.approx(theirs.pvalue)
    assert math.isnan(paired_p(np.array([1.0])))


def test_the_shuffled_test_is_scipys_of_the_absolute_difference():
    first, second = np.array([4.0, 3.5, 3.8, 4.2, 3.0]), np.array([2.0, 2.5, 3.1, 2.2])
    theirs = stats.permutation_test(
        (first, second), lambda a, b: abs(a.mean() - b.mean()), alternative="greater", n_resamples=np.inf
    )
    assert shuffled_p(first, second) == pytest.approx(theirs.pvalue)


def test_drawn_permutations_come_close_to_all_of_them():
    random = np.random.default_rng(0)
    apart = random.normal(0.4, 1, size=20)
    theirs = stats.permutation_test((apart,), np.mean, permutation_type="samples", n_resamples=20_000, rng=random)
    assert paired_p(apart) == pytest.approx(theirs.pvalue, abs=0.02)


def test_a_difference_of_these_raters_alone_does_not_count():
    """All raters prefer one of two pieces of the first source: sure of these pieces, not of others."""
    ratings = np.array([[5.0, 3, 3, 3]] * 12)
    found = difference(ratings, [0, 1], [2, 3])
    assert found.mean == pytest.approx(1)
    assert found.p_raters < 0.001
    assert found.p_pieces > 0.3
    assert found.p == found.p_pieces


def test_an_interval_holds_the_mean_and_shrinks_with_more_raters():
    random = np.random.default_rng(1)
    ratings = random.integers(1, 6, size=(40, 12)).astype(float)
    few, many = interval(ratings[:4]), interval(ratings)
    for mean, low, high in (few, many):
        assert low <= mean <= high
    assert many[2] - many[1] < few[2] - few[1]
    assert all(math.isnan(value) for value in interval(np.full((2, 2), NAN)))
