"""The three kinds of field: draws against SciPy's distributions, surprise against SciPy's logarithms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import expit, log_expit, log_softmax, softmax
from scipy.stats import chisquare, norm

from kantor.representations import Field
from kantor.sampling.fields import draw_field, likeliest, surprise
from kantor.sampling.filters import Filters

CLASSES = Field("what", np.arange(5))
KEYS = Field("keys", np.arange(6), "multi-hot")
STEP = Field("step", np.array([1 / 24]), "real", 24, 0)
DURATION = Field("duration", np.array([1 / 24]), "real", 24, 1)


def many(params, count):
    """The parameters of one row, so many times."""
    return np.tile(np.asarray(params, dtype=np.float32), (count, 1))


def draws(field, params, count, filters=None, allowed=None, seed=0):
    """(count, columns) values drawn by one row of parameters, and their nats."""
    uniform = np.random.default_rng(seed).random((count, field.width))
    everywhere = None if allowed is None else np.tile(np.asarray(allowed), (count, 1))
    return draw_field(field, many(params, count), uniform, filters or Filters(), everywhere)


def gaussian(mean, deviation):
    """The parameters of a real field."""
    return [mean, math.log(deviation)]


# -- categorical -----------------------------------------------------------------------------------------------------


@given(
    arrays.arrays(np.float32, (3, 5), elements=st.floats(-80, 80, width=32)), st.lists(st.integers(0, 4), min_size=3)
)
def test_a_class_costs_what_a_softmax_says(logits, classes):
    values = np.array(classes[:3])[:, None]
    expected = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(3), values[:, 0]]
    assert surprise(CLASSES, logits, values) == pytest.approx(expected, abs=1e-9)


def test_classes_are_drawn_by_their_softmax():
    logits = np.array([0.3, -1.0, 2.0, 0.0, 1.1])
    values, nats = draws(CLASSES, logits, 20_000)
    assert values.shape == (20_000, 1)
    assert chisquare(np.bincount(values[:, 0], minlength=5), 20_000 * softmax(logits)).pvalue > 0.001
    assert nats == pytest.approx(surprise(CLASSES, many(logits, 20_000), values))


# -- multi-hot -------------------------------------------------------------------------------------------------------

LOGITS = np.array([2.0, -1.0, 0.5, -4.0, 0.0, 1.0])


@given(
    arrays.arrays(np.float32, (2, 6), elements=st.floats(-200, 200, width=32)),
    arrays.arrays(np.int64, (2, 6), elements=st.integers(0, 1)),
)
def test_a_frame_costs_the_sum_of_its_keys(logits, keys):
    expected = -np.where(keys > 0, log_expit(logits.astype(np.float64)), log_expit(-logits.astype(np.float64)))
    assert surprise(KEYS, logits, keys) == pytest.approx(expected.sum(1), abs=1e-6)


def assert_frequencies(values, chances):
    """Each key's count lies within four deviations of a binomial's."""
    count = len(values)
    deviations = np.sqrt(np.maximum(count * chances * (1 - chances), 1e-12))
    assert (np.abs(values.sum(0) - count * chances) <= 4 * deviations).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_every_key_is_drawn_by_its_own_sigmoid(temperature):
    values, nats = draws(KEYS, LOGITS, 20_000, Filters(temperature))
    assert_frequencies(values, expit(LOGITS / temperature))
    assert nats == pytest.approx(surprise(KEYS, many(LOGITS, 20_000), values))
    # and none hears the others: pairs of keys come as often as the product says
    both = (values[:, 0] & values[:, 4]).mean()
    assert both == pytest.approx(expit(2 / temperature) * 0.5, abs=0.02)


def test_any_number_of_keys_may_sound():
    values, _ = draws(KEYS, np.zeros(6), 2_000)
    assert set(values.sum(1).tolist()) == set(range(7))


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (Filters(top_k=2), [0, 5]),
        (Filters(top_k=6), [0, 1, 2, 3, 4, 5]),
        # sigmoids, highest first: .881 .731 .622 .5 .269 .018, together 3.02
        (Filters(top_p=0.25), [0]),
        (Filters(top_p=0.3), [0, 5]),
        (Filters(top_p=0.9), [0, 5, 2, 4]),
        (Filters(min_p=0.6), [0, 5, 2]),
        (Filters(min_p=0.25), [0, 5, 2, 4, 1]),
        (Filters(top_k=3, min_p=0.75), [0, 5]),
    ],
)
def test_filters_keep_the_likeliest_keys_as_likely_as_they_were(filters, kept):
    values, _ = draws(KEYS, LOGITS, 20_000, filters)
    assert_frequencies(values, np.where(np.isin(np.arange(6), kept), expit(LOGITS), 0))


def test_a_key_that_is_not_admitted_never_sounds():
    allowed = [True, True, False, True, False, True]
    values, _ = draws(KEYS, LOGITS + 3, 2_000, allowed=allowed)
    assert not values[:, [2, 4]].any()
    assert values[:, [0, 1, 3, 5]].any(0).all()
    # nor does it take the place of one that is: of two, the next below comes in
    values, _ = draws(KEYS, [9, 8, 7, 0, 0, 0], 50, Filters(top_k=2), [False, True, True, True, True, True])
    assert values.any(0).tolist() == [False, True, True, False, False, False]


@pytest.mark.parametrize("temperature", [1e-300, 5e-324, 1e300])
def test_keys_bear_any_temperature_that_is_a_number(temperature):
    values, _ = draws(KEYS, LOGITS, 2_000, Filters(temperature))
    if temperature < 1:
        assert (values == (LOGITS > 0))[:, LOGITS != 0].all()
    else:
        assert_frequencies(values, np.full(6, 0.5))


# -- real ------------------------------------------------------------------------------------------------------------

SHAPES = st.tuples(st.floats(-60, 400), st.floats(0.02, 200))


@given(SHAPES, st.sampled_from([STEP, DURATION]))
def test_the_cells_of_a_gaussian_hold_all_of_it(shape, field):
    mean, deviation = shape
    top = int(max(mean, 0) + 12 * deviation) + 30
    grid = np.arange(field.least, top)[:, None]
    nats = surprise(field, many(gaussian(mean, deviation), len(grid)), grid)
    assert np.exp(-nats).sum() == pytest.approx(1, abs=1e-5)


@given(SHAPES, st.integers(1, 400))
def test_a_cell_holds_what_scipys_gaussian_holds_there(shape, value):
    params = many(gaussian(*shape), 1)
    mean, deviation = float(params[0, 0]), math.exp(params[0, 1])
    low, high = (value - 0.5 - mean) / deviation, (value + 0.5 - mean) / deviation
    if low > 0:
        low, high = -high, -low  # where SciPy's distribution function is exact
    if high < -30:
        return
    (found,) = surprise(STEP, params, np.array([[value]]))
    assert math.exp(-found) == pytest.approx(norm.cdf(high) - norm.cdf(low), rel=1e-6, abs=1e-15)


@given(st.floats(-40, 20), st.floats(0.1, 30))
def test_the_lowest_cell_takes_all_that_lies_below(mean, deviation):
    params = many(gaussian(mean, deviation), 1)
    exact = norm(float(params[0, 0]), math.exp(params[0, 1]))
    for field in (STEP, DURATION):
        (found,) = surprise(field, params, np.array([[field.least]]))
        if exact.logcdf(field.least + 0.5) > -600:
            assert found == pytest.approx(-exact.logcdf(field.least + 0.5), rel=1e-6, abs=1e-12)


@given(st.floats(0, 100), st.floats(1e-3, 50))
def test_far_from_the_mean_a_cell_costs_more_and_more_and_never_infinitely_much(mean, deviation):
    above = round(mean) + np.unique(np.geomspace(1, 30_000, 80).astype(int))[:, None]
    nats = surprise(STEP, many(gaussian(mean, deviation), len(above)), above)
    assert np.isfinite(nats).all()
    assert (np.diff(nats) > 0).all()


def test_far_tails_are_as_thin_as_scipys():
    for distance in (10, 30, 35, 37, 60, 500):
        (above,) = surprise(STEP, many(gaussian(0, 1), 1), np.array([[distance]]))
        # the mass beyond the nearer edge of a cell of width 1 is all in the cell, but for a share of exp(-distance)
        assert above == pytest.approx(-norm.logsf(distance - 0.5), rel=1e-3)
        (below,) = surprise(STEP, many(gaussian(distance, 1), 1), np.array([[0]]))
        assert below == pytest.approx(-norm.logcdf(0.5 - distance), rel=1e-3)


def test_real_values_are_drawn_by_their_gaussian():
    values, nats = draws(STEP, gaussian(3.2, 2.5), 20_000)
    grid = np.arange(13)
    edges = np.concatenate([[-np.inf], grid[:-1] + 0.5, [np.inf]])  # beyond 12: one cell for all
    expected = np.diff(norm.cdf(edges, 3.2, 2.5)) * len(values)
    counts = np.bincount(np.minimum(values[:, 0], 12), minlength=13)
    assert chisquare(counts, expected).pvalue > 0.001
    assert nats == pytest.approx(surprise(STEP, many(gaussian(3.2, 2.5), len(values)), values))


def test_temperature_scales_the_deviation():
    values, nats = draws(STEP, gaussian(100, 8), 20_000, Filters(temperature=0.25))
    assert values.mean() == pytest.approx(100, abs=0.1)
    assert values.std() == pytest.approx(math.hypot(2, 12**-0.5), rel=0.03)
    # and what it costs is the unscaled model's
    assert nats == pytest.approx(surprise(STEP, many(gaussian(100, 8), len(values)), values))


@pytest.mark.parametrize("temperature", [1e-300, 5e-324, 1e300])
def test_real_values_bear_any_temperature_that_is_a_number(temperature):
    values, nats = draws(STEP, gaussian(40, 8), 200, Filters(temperature))
    if temperature < 1:
        assert (values == 40).all()
    else:
        assert set(np.unique(values)) == {0, 2**31}
    assert np.isfinite(nats).all()


@pytest.mark.parametrize("chance", [0.0, 1e-300, np.nextafter(1.0, 0.0)])
def test_no_random_number_leads_out_of_all_bounds(chance):
    values, nats = draw_field(STEP, many(gaussian(50, 4), 1), np.array([[chance]]), Filters())
    assert 0 <= values[0, 0] <= 100
    assert np.isfinite(nats).all()


def test_nothing_lies_below_the_least():
    assert draws(DURATION, gaussian(-20, 5), 500)[0].min() == 1
    assert draws(STEP, gaussian(-20, 5), 500)[0].max() == 0


# -- all kinds -------------------------------------------------------------------------------------------------------

EACH = pytest.mark.parametrize(
    ("field", "params", "best"),
    [
        (CLASSES, [0.0, 2.0, -1.0, 3.0, 0.5], [3]),
        (KEYS, LOGITS, [1, 0, 1, 0, 0, 1]),
        (STEP, gaussian(7.4, 3), [7]),
        (DURATION, gaussian(-3, 3), [1]),
    ],
    ids=["categorical", "multi-hot", "real", "real below its least"],
)


@EACH
def test_temperature_0_takes_the_likeliest(field, params, best):
    values, _ = draws(field, params, 50, Filters(temperature=0))
    assert values.tolist() == [best] * 50
    assert likeliest(field, many(params, 2)).tolist() == [best] * 2


@EACH
def test_nothing_is_likelier_than_the_likeliest(field, params, best):
    values, nats = draws(field, params, 2_000)
    (least,) = surprise(field, many(params, 1), np.array([best]))
    if field is not DURATION:  # whose lowest cell takes all below
        assert nats.min() >= least - 1e-12
    assert len(np.unique(values, axis=0)) > 1


@EACH
def test_equal_random_numbers_are_equal_values_and_others_others(field, params, best):
    one, again, other = (draws(field, params, 200, seed=seed)[0] for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@EACH
def test_a_row_comes_out_the_same_whatever_stands_beside_it(field, params, best):
    rng = np.random.default_rng(1)
    rows = np.asarray(params, dtype=np.float32) + rng.normal(size=(8, len(params))).astype(np.float32)
    uniform = rng.random((8, field.width))
    filters = Filters(temperature=0.8, top_k=3, top_p=0.9, min_p=0.05)
    together, nats = draw_field(field, rows, uniform, filters)
    for row in range(8):
        alone, cost = draw_field(field, rows[row : row + 1], uniform[row : row + 1], filters)
        assert np.array_equal(alone[0], together[row])
        assert cost[0] == nats[row]
