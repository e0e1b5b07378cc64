"""Filters against what their papers say, written out class by class; draws against the distribution they draw from."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import log_softmax, softmax
from scipy.stats import chisquare

from kantor.errors import OptionError
from kantor.sampling.filters import Filters, draw

SIXTEENTHS = st.integers(0, 16).map(lambda count: count / 16)  # sums and products of these are exact


@st.composite
def weights(draw, rows=3):
    """(rows, classes) as filters get them: sixteenths from 0 to 1, each row with a 1."""
    shape = (rows, draw(st.integers(1, 12)))
    drawn = draw(arrays.arrays(np.float64, shape, elements=SIXTEENTHS))
    drawn[np.arange(rows), draw(st.lists(st.integers(0, shape[1] - 1), min_size=rows, max_size=rows))] = 1.0
    return drawn


def ranked(row):
    """Classes, heaviest first; of equals the first."""
    return sorted(range(len(row)), key=lambda k: (-row[k], k))


def kept(filtered, row):
    """Which classes are left; they must weigh what they did."""
    assert all(filtered[k] in (0.0, row[k]) for k in range(len(row)))
    return {k for k in range(len(row)) if filtered[k] > 0}


@given(weights())
def test_without_options_nothing_changes(drawn):
    assert np.array_equal(Filters()(drawn), drawn)
    assert Filters().permissive
    assert not Filters(temperature=0.9).permissive


@given(weights())
def test_temperature_0_takes_the_first_of_the_likeliest(drawn):
    for row, filtered in zip(drawn, Filters(temperature=0)(drawn), strict=True):
        assert filtered.tolist() == [float(k == ranked(row)[0]) for k in range(len(row))]


@given(weights(), st.floats(0.05, 20))
def test_temperature_divides_the_logits(drawn, temperature):
    filtered = Filters(temperature=temperature)(drawn)
    with np.errstate(divide="ignore"):
        expected = softmax(np.log(drawn) / temperature, axis=1)
    assert filtered / filtered.sum(1, keepdims=True) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e300])
def test_any_temperature_that_is_a_number_is_borne(temperature):
    filtered = Filters(temperature=temperature)(np.array([[0.25, 1.0, 0.0]]))
    assert filtered[0, 1] == 1
    assert filtered[0, 2] == 0
    assert filtered[0, 0] == pytest.approx(0 if temperature < 1 else 1)


@given(weights(), st.integers(1, 14))
def test_top_k_keeps_the_k_likeliest(drawn, k):
    for row, filtered in zip(drawn, Filters(top_k=k)(drawn), strict=True):
        assert kept(filtered, row) == {c for c in ranked(row)[:k] if row[c] > 0}


@given(weights(), SIXTEENTHS)
def test_top_p_keeps_the_fewest_classes_that_reach_p(drawn, p):
    for row, filtered in zip(drawn, Filters(top_p=p)(drawn), strict=True):
        order = ranked(row)
        enough = [n for n in range(1, len(row) + 1) if sum(row[order[:n]]) >= p * sum(row)]
        assert kept(filtered, row) == {c for c in order[: enough[0]] if row[c] > 0}


@given(weights(), SIXTEENTHS)
def test_min_p_keeps_what_is_at_least_p_times_as_likely_as_the_likeliest(drawn, p):
    for row, filtered in zip(drawn, Filters(min_p=p)(drawn), strict=True):
        assert kept(filtered, row) == {c for c in range(len(row)) if row[c] >= p * max(row) and row[c] > 0}


def test_the_filters_apply_in_their_order():
    drawn = np.array([[1.0, 0.5, 0.25, 0.25]])
    # temperature first: squared, the first class alone has .72 of all, without it .5
    assert (Filters(temperature=0.5, top_p=0.7)(drawn) > 0).tolist() == [[True, False, False, False]]
    # top-k before top-p: of two classes the first has .67, of four it has .5
    assert (Filters(top_k=2, top_p=0.6)(drawn) > 0).tolist() == [[True, False, False, False]]
    # temperature before min-p: flattened, .25 becomes .5
    assert (Filters(temperature=2, min_p=0.5)(drawn) > 0).tolist() == [[True, True, True, True]]


@given(weights(), st.floats(0, 3), st.none() | st.integers(1, 5), SIXTEENTHS, SIXTEENTHS)
def test_all_together_never_drop_the_likeliest_nor_raise_the_dead(drawn, temperature, k, p, min_p):
    filtered = Filters(temperature, k, p, min_p)(drawn)
    assert all(row[ranked(before)[0]] > 0 for row, before in zip(filtered, drawn, strict=True))
    assert not filtered[drawn == 0].any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": -1.0}, "expected a temperature of 0 or more, got -1.0; 1 is the model as it is."),
        ({"temperature": math.nan}, "expected a temperature of 0 or more, got nan; 1 is the model as it is."),
        ({"temperature": math.inf}, "expected a temperature of 0 or more, got inf; 1 is the model as it is."),
        ({"top_k": 0}, "expected top-k to be at least 1, got 0; leave it out to keep every class."),
        ({"top_p": 1.5}, "expected top-p within 0..1, got 1.5."),
        ({"top_p": math.nan}, "expected top-p within 0..1, got nan."),
        ({"min_p": -0.1}, "expected min-p within 0..1, got -0.1."),
    ],
)
def test_an_option_out_of_range_is_refused_in_one_sentence(options, said):
    with pytest.raises(OptionError) as raised:
        Filters(**options)
    assert str(raised.value) == said


# -- draws -----------------------------------------------------------------------------------------------------------


def draws(logits, count, filters=None, allowed=None, seed=0):
    """(count,) classes and nats drawn from one row of logits."""
    many = np.tile(np.asarray(logits, dtype=np.float32), (count, 1))
    everywhere = None if allowed is None else np.tile(np.asarray(allowed), (count, 1))
    return draw(many, np.random.default_rng(seed).random(count), filters or Filters(), everywhere)


def test_draws_follow_the_models_distribution():
    logits = np.array([0.3, -1.0, 2.0, 0.0, 1.1])
    counts = np.bincount(draws(logits, 50_000)[0], minlength=5)
    assert chisquare(counts, 50_000 * softmax(logits)).pvalue > 0.001


def test_draws_follow_what_filters_and_grammar_leave():
    logits, allowed = np.array([3.0, 1.0, 0.5, 0.0, 0.9]), [False, True, True, True, True]
    counts = np.bincount(draws(logits, 50_000, Filters(temperature=2, top_k=3), allowed)[0], minlength=5)
    left = softmax(np.array([-np.inf, 1.0, 0.5, -np.inf, 0.9]) / 2)
    assert counts[[0, 3]].tolist() == [0, 0]
    assert chisquare(counts[[1, 2, 4]], 50_000 * left[[1, 2, 4]]).pvalue > 0.001


@given(
    arrays.arrays(np.float32, (4, 6), elements=st.floats(-30, 30, width=32)),
    arrays.arrays(np.bool_, (4, 6)),
    st.floats(0, 2),
    st.integers(0, 2**32),
)
def test_nats_are_those_of_the_unfiltered_model(logits, allowed, temperature, seed):
    allowed[:, 2] = True
    filters = Filters(temperature, top_k=4, top_p=0.9)
    chosen, nats = draw(logits.copy(), np.random.default_rng(seed).random(4), filters, allowed)
    expected = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(4), chosen]
    assert nats == pytest.approx(expected, abs=1e-9)
    assert allowed[np.arange(4), chosen].all()


def test_the_logits_are_left_as_they_are():
    logits = np.array([[1.0, 2.0, 3.0]])
    draw(logits, np.array([0.5]), Filters())
    assert logits.tolist() == [[1.0, 2.0, 3.0]]


@pytest.mark.parametrize("chance", [0.0, 0.5, np.nextafter(1.0, 0.0)])
def test_no_random_number_leads_to_a_class_of_probability_0(chance):
    logits = np.array([[-np.inf, 1.0, -np.inf, 1.0, -np.inf]], dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen, nats = draw(logits, np.array([chance]), Filters())
    assert chosen[0] == (1 if chance < 0.5 else 3)
    assert nats[0] == pytest.approx(math.log(2))


@pytest.mark.parametrize("apart", [700, 720, 743, 744.5, 800])
def test_a_class_however_unlikely_is_drawn_where_it_is_all_that_is_admitted(apart):
    logits = np.array([[0.0, -apart, 0.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for chance in (0.0, 0.6, np.nextafter(1.0, 0.0)):
            chosen, nats = draw(logits, np.array([chance]), Filters(), np.array([[False, True, False]]))
            assert chosen[0] == 1
            assert nats[0] == pytest.approx(apart + math.log(2))


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("logits", "chosen"),
    [
        ([NAN, NAN, NAN], 0),
        ([-INF, -INF, -INF], 0),
        ([NAN, 1.0, NAN], 1),
        ([NAN, -INF, 2.0], 2),
        ([0.0, INF, 0.0], 1),
        ([INF, 0.0, NAN], 0),
    ],
)
def test_logits_that_are_no_numbers_give_the_likeliest_of_the_rest_and_a_warning(logits, chosen):
    with pytest.warns(UserWarning, match="not numbers"):
        picked, nats = draw(np.array([logits], dtype=np.float32), np.array([0.0]), Filters())
    assert picked[0] == chosen
    assert np.isfinite(nats).all()


def test_a_bad_row_harms_no_other():
    logits = np.array([[NAN, NAN, 5.0], [0.0, 1.0, 2.0]], dtype=np.float32)
    with pytest.warns(UserWarning, match="not numbers"):
        chosen, nats = draw(logits, np.array([0.5, 0.2]), Filters())
    alone = draw(logits[1:], np.array([0.2]), Filters())
    assert chosen.tolist() == [2, alone[0][0]]
    assert nats[1] == pytest.approx(alone[1][0])


def test_where_the_admitted_are_all_impossible_the_likeliest_admitted_is_taken_with_a_warning():
    logits = np.array([[0.0, -5000.0, -4000.0]], dtype=np.float32)
    with pytest.warns(UserWarning, match="every admitted class"):
        chosen, _ = draw(logits, np.array([0.9]), Filters(), np.array([[False, True, True]]))
    assert chosen[0] == 2
