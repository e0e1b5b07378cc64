"""Tests of significance, against SciPy and published examples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kantor.listening.statistics import agreement, difference, interval, paired_p, shuffled_p, told

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


@given(st.integers(1, 4), st.integers(2, 5), st.integers(2, 4), st.data())
def test_which_was_told_is_tested_as_scipy_tests_a_difference_of_shares(raters, real, others, data):
    """Where all have answered everything, balanced accuracy is half a difference of means, and 50 %."""
    row = st.lists(st.sampled_from([0.0, 1.0]), min_size=real + others, max_size=real + others)
    yes = np.array(data.draw(st.lists(row, min_size=raters, max_size=raters)))
    truth = np.arange(real + others) < real
    shares = yes.mean(axis=0)
    theirs = stats.permutation_test(
        (shares[truth], shares[~truth]),
        lambda a, b, axis=-1: np.round(np.abs(a.mean(axis=axis) - b.mean(axis=axis)), 9),
        vectorized=True,
        alternative="greater",
        n_resamples=np.inf,
    )
    found = told(yes, truth)
    assert found.accuracy == pytest.approx(0.5 + (shares[truth].mean() - shares[~truth].mean()) / 2)
    assert found.p == pytest.approx(theirs.pvalue)
    assert 0 <= found.low <= found.high <= 1


def test_who_says_the_same_of_every_piece_tells_nothing():
    """Of five real pieces among twenty, five who always say no have 75 answers of 100 right."""
    truth = np.arange(20) < 5
    for always in ([0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 1]):
        found = told(np.repeat(np.array(always, dtype=float)[:, None], 20, axis=1), truth)
        assert found == pytest.approx((0.5, 0.5, 0.5, 1.0))


def test_who_is_always_right_tells_them():
    truth = np.arange(20) % 4 == 0
    found = told(np.repeat(truth[None].astype(float), 3, axis=0), truth)
    assert found[:3] == (1, 1, 1)
    assert found.p < 0.001
    assert told(np.repeat(~truth[None] * 1.0, 3, axis=0), truth)[:3] == (0, 0, 0)
    assert told(np.array([[1.0, 0, 0, 0]]), np.array([True, False, False, False])) == (1, 1, 1, 0.25)  # one of four


def test_unequal_numbers_of_answers_are_counted_one_by_one():
    yes = np.array([[1, NAN, 0, 1, NAN], [1, 0, NAN, NAN, NAN], [0, NAN, 0, 0, NAN]])
    truth = np.array([True, True, False, False, True])  # to the last piece nobody has answered
    assert told(yes, truth).accuracy == pytest.approx((2 / 4 + 3 / 4) / 2)
    for some in ([0, 1, 4], [2, 3, 4], [4], []):
        assert all(math.isnan(value) for value in told(yes[:, some], truth[some]))


def test_pieces_that_all_raters_hear_alike_are_not_taken_for_many():
    """Raters follow the piece, and the pieces are chance: p below a tenth comes up once in ten, not more."""
    random = np.random.default_rng(7)
    truth = np.arange(12) < 4
    ps = [told(np.repeat(random.integers(0, 2, size=(1, 12)) * 1.0, 9, axis=0), truth).p for _ in range(200)]
    assert np.mean(np.array(ps) <= 0.1) < 0.16


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


def test_one_rater_or_one_piece_gives_no_p():
    """One rater is sure of ten pieces against ten, and twelve of one piece against one: nothing holds of others."""
    random = np.random.default_rng(0)
    one_rater = difference(
        np.concatenate([random.uniform(4, 5, (1, 10)), random.uniform(1, 2, (1, 10))], axis=1), range(10), range(10, 20)
    )
    assert one_rater.mean > 2
    assert one_rater.p_pieces < 0.001
    assert math.isnan(one_rater.p_raters)
    assert math.isnan(one_rater.p)
    one_piece = difference(np.array([[5.0, 1.0]] * 12), [0], [1])
    assert one_piece.p_raters < 0.001
    assert math.isnan(one_piece.p_pieces)
    assert math.isnan(one_piece.p)


def test_an_interval_holds_the_mean_and_shrinks_with_more_raters():
    random = np.random.default_rng(1)
    ratings = random.integers(1, 6, size=(40, 12)).astype(float)
    few, many = interval(ratings[:4]), interval(ratings)
    for mean, low, high in (few, many):
        assert low <= mean <= high
    assert many[2] - many[1] < few[2] - few[1]
    assert all(math.isnan(value) for value in interval(np.full((2, 2), NAN)))
