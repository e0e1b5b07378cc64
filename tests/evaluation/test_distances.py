"""Distances are SciPy's, and are 0 where nothing differs."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kantor.evaluation.distances import density, frechet, jensen_shannon, overlap_area, spread, wasserstein
from kantor.metrics.self_similarity import normal_overlap

counts = arrays(np.float64, 7, elements=st.integers(0, 50).map(float))
places = arrays(np.float64, st.integers(1, 30), elements=st.integers(-40, 40).map(lambda tenths: tenths / 10))


@given(counts, counts)
def test_jensen_shannon_is_scipys(first, second):
    assume(first.any() and second.any())
    theirs = scipy.spatial.distance.jensenshannon(first, second, base=2)
    assert jensen_shannon(first, second) == pytest.approx(theirs, abs=1e-7)  # a root: rounding is magnified near 0
    assert jensen_shannon(first, second) ** 2 == pytest.approx(theirs**2, abs=1e-12)


@given(places, places)
def test_wasserstein_of_samples_is_scipys(first, second):
    assert wasserstein(first, second) == pytest.approx(scipy.stats.wasserstein_distance(first, second), abs=1e-9)


@given(counts, counts, arrays(np.float64, 7, elements=st.integers(0, 20).map(float), unique=True))
def test_wasserstein_of_histograms_has_scipys_values_and_weights(first, second, support):
    assume(first.any() and second.any())
    theirs = scipy.stats.wasserstein_distance(support, support, first, second)
    assert wasserstein(support, support, first, second) == pytest.approx(theirs, abs=1e-9)


def test_wasserstein_knows_how_far_bins_lie_apart():
    support = np.array([0.0, 1.0, 8.0])
    one, near, far = np.eye(3)
    assert wasserstein(support, support, one, near) == 1
    assert wasserstein(support, support, one, far) == 8  # the lists of shares themselves would be alike


@given(st.integers(0, 2**31), st.integers(3, 200))
def test_a_density_is_scipys(seed, size):
    rng = np.random.default_rng(seed)
    sample, at = rng.gamma(2.0, 1.5, size), np.linspace(-3, 20, 97)
    assert np.allclose(density(sample, at), scipy.stats.gaussian_kde(sample)(at), atol=1e-12)


def test_a_density_of_many_values_is_scipys_but_for_their_bins():
    sample, at = np.random.default_rng(0).gamma(2.0, 1.5, 20_000), np.linspace(-1, 15, 97)
    assert np.allclose(density(sample, at), scipy.stats.gaussian_kde(sample)(at), atol=3e-4)


def test_an_overlap_of_two_normal_samples_is_that_of_the_normal_distributions():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 1, 4000), rng.normal(1.5, 1, 4000)
    assert overlap_area(first, second) == pytest.approx(NormalDist(0, 1).overlap(NormalDist(1.5, 1)), abs=0.03)


def test_an_overlap_is_the_integral_of_the_smaller_of_scipys_densities():
    rng = np.random.default_rng(2)
    first, second = rng.gamma(2, 1, 80), rng.gamma(3, 1, 60)
    grid = np.linspace(-5, 20, 20_001)
    both = [scipy.stats.gaussian_kde(sample)(grid) for sample in (first, second)]
    assert overlap_area(first, second) == pytest.approx(np.trapezoid(np.minimum(*both), grid), abs=1e-3)


def test_an_overlap_is_1_for_equal_samples_and_0_for_distant_ones():
    sample = np.random.default_rng(3).normal(size=100)
    assert overlap_area(sample, sample) == pytest.approx(1, abs=1e-3)
    assert overlap_area(sample, sample + 100) == pytest.approx(0, abs=1e-9)
    assert overlap_area(np.zeros(5), np.zeros(7)) == 1
    assert overlap_area(np.zeros(5), np.ones(7)) == pytest.approx(0, abs=1e-9)
    assert math.isnan(overlap_area(np.zeros(1), np.ones(7)))


@given(
    arrays(np.float64, (6, 3), elements=st.integers(-9, 9).map(float)),
    arrays(np.float64, (5, 3), elements=st.integers(-9, 9).map(float)),
)
def test_distances_of_pieces_are_scipys(first, second):
    within, between = spread(first, second)
    assert np.allclose(within, scipy.spatial.distance.pdist(second), atol=1e-6)
    assert np.allclose(between, scipy.spatial.distance.cdist(first, second).ravel(), atol=1e-6)


def test_frechet_is_that_of_scipys_matrix_root():
    rng = np.random.default_rng(4)
    second = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6))
    first = rng.normal(size=(150, 6)) @ rng.normal(size=(6, 6)) + 1
    a, b = ((values - second.mean(0)) / second.std(0) for values in (first, second))
    s1, s2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    cross = scipy.linalg.sqrtm(s1 @ s2).real
    theirs = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * cross)
    assert frechet(first, second) == pytest.approx(theirs, rel=1e-6)


def test_frechet_of_a_set_and_itself_is_0_and_undefined_values_are_the_references_mean():
    values = np.random.default_rng(5).normal(size=(40, 4))
    assert frechet(values, values) == pytest.approx(0, abs=1e-6)
    values[3, 2] = np.nan
    values[:, 3] = np.nan
    assert frechet(values, values) == pytest.approx(0, abs=1e-6)
    assert math.isnan(frechet(values[:1], values))
    assert math.isnan(frechet(values[:, 3:], values[:, 3:]))


@given(st.floats(-50, 50), st.floats(0.01, 20), st.floats(-50, 50), st.floats(0.01, 20))
def test_the_overlap_of_two_normal_densities_is_the_standard_librarys(mean_a, deviation_a, mean_b, deviation_b):
    ours = normal_overlap((np.array([mean_a]), np.array([deviation_a])), (np.array([mean_b]), np.array([deviation_b])))
    theirs = NormalDist(mean_a, deviation_a).overlap(NormalDist(mean_b, deviation_b))
    assert ours[0] == pytest.approx(theirs, abs=1e-6)


def test_nothing_to_compare_is_undefined():
    empty, full = np.zeros(3), np.ones(3)
    assert math.isnan(jensen_shannon(empty, full))
    assert math.isnan(wasserstein(np.zeros(0), full))
    assert math.isnan(wasserstein(full, full, empty, full))
