"""Plans: bars, pickups, keys, phrases, by arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import PLANS, bundle
from kantor.errors import OptionError
from kantor.representations.chorale import Chorale
from kantor.score import Key, Meter
from kantor.verbs._plans import MAX_BARS, MAX_PIECES, check_amounts, phrase_ends, plan

FAKE = bundle()
BARE = bundle(Chorale("plain", "SATB", ("voice",)))


def planned(bars=8, key=None, meter=None, pickup=None, seed=0, model=FAKE):
    return plan(model, bars, key, meter, pickup, np.random.default_rng(seed))


METERS = {"2/4": 2, "3/4": 3, "4/4": 4, "6/8": 3, "3/2": 6, "12/8": 6, "9/8": 4.5, "5/8": 2.5, "4/2": 8, "3/8": 1.5}


@given(st.integers(1, 40), st.sampled_from(sorted(METERS)), st.integers(0, 40))
def test_a_piece_has_the_bars_asked_for_beside_its_pickup(bars, meter, sixteenths):
    numerator, denominator = map(int, meter.split("/"))
    pickup = Fraction(sixteenths, 16) * denominator
    if pickup >= numerator:
        return
    score = planned(bars, meter=meter, pickup=float(pickup))
    full, taken = METERS[meter] * 480, sixteenths * 120
    assert score.meters == (Meter(0, numerator, denominator),)
    assert score.anacrusis_ticks == taken
    # the last bar gives back what the pickup took, or keeps all of it
    assert score.length_ticks in (bars * full, bars * full + taken)
    counted = score.bars
    assert int((counted["offset"] == 0).sum()) == bars
    assert len(counted) == bars + bool(taken)
    assert counted["length"].tolist()[bool(taken) : -1] == [full] * (bars - 1)
    assert counted["length"][0] == (taken or counted["length"][0])


@given(st.integers(1, 40), st.sampled_from(sorted(METERS)), st.booleans())
def test_the_last_phrase_ends_in_the_last_bar_and_leaves_its_chord_room(bars, meter, upbeat):
    score = planned(bars, meter=meter, pickup=1.0 if upbeat else 0.0)
    last = score.bars[-1]
    assert last["start"] <= score.fermatas[-1] < last["start"] + last["length"]
    assert score.length_ticks - score.fermatas[-1] >= 120


def test_phrases_of_a_chorale_in_common_time_end_on_the_third_beat_of_every_second_bar():
    score = planned(8, meter="4/4", pickup=1)
    assert [(tick - 480) / 480 % 4 for tick in score.fermatas] == [2.0] * 4
    assert [int((tick - 480) // 1920) + 1 for tick in score.fermatas] == [2, 4, 6, 8]
    assert score.length_ticks == 8 * 1920


def test_phrases_in_triple_time_end_on_the_downbeat_of_every_fourth_bar():
    assert phrase_ends(8, Meter(0, 3, 4), 0) == [3 * 1440, 7 * 1440]


def test_a_last_phrase_of_one_bar_belongs_to_the_one_before():
    assert phrase_ends(5, Meter(0, 4, 4), 0) == [1920 + 960, 4 * 1920 + 960]
    assert phrase_ends(1, Meter(0, 4, 4), 0) == [960]


@pytest.mark.parametrize(
    ("key", "fifths", "mode"),
    [
        ("Gm", -2, "minor"),
        ("D major", 2, "major"),
        ("F# minor", 3, "minor"),
        ("Cb", -7, "major"),
        ("eb minor", -6, "minor"),
    ],
)
def test_the_key_asked_for_is_the_key_planned(key, fifths, mode):
    for seed in range(3):
        assert planned(key=key, seed=seed).keys == (Key(0, fifths, mode),)


def test_what_is_not_asked_for_is_drawn_as_often_as_the_training_pieces_began_so():
    drawn = [planned(seed=seed) for seed in range(300)]
    seen = [(s.keys[0].fifths, s.keys[0].mode, str(s.meters[0]), s.anacrusis_ticks / 480) for s in drawn]
    shares = [seen.count(tuple(row[:4])) / 300 for row in PLANS]
    assert sum(shares) == 1
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.08)


def test_what_is_asked_for_narrows_what_is_drawn():
    assert {planned(meter="3/4", seed=seed).keys[0].fifths for seed in range(20)} == {-2}
    assert {str(planned(key="Am", seed=seed).meters[0]) for seed in range(20)} == {"3/4"}
    assert {planned(pickup=1.0, seed=seed).keys[0].fifths for seed in range(20)} == {0}
    assert {planned(meter="3/4", key="C", seed=seed).anacrusis_ticks for seed in range(20)} == {0}


def test_a_meter_of_no_training_piece_has_no_drawn_pickup():
    assert {planned(meter="6/8", seed=seed).anacrusis_ticks for seed in range(20)} == {0}


def test_a_pickup_is_in_beats_of_the_meter():
    assert planned(meter="4/4", pickup=1).anacrusis_ticks == 480
    assert planned(meter="6/8", pickup=1).anacrusis_ticks == 240
    assert planned(meter="3/2", pickup=0.5).anacrusis_ticks == 480
    assert planned(meter="4/4", pickup=0.25).anacrusis_ticks == 120


def test_a_model_that_knows_neither_keys_nor_fermatas_is_planned_without():
    score = planned(model=BARE)
    assert (score.keys, score.fermatas) == ((), ())
    assert planned(model=bundle(plans=[])).length_ticks == 8 * 1920


@pytest.mark.parametrize("meter", ["3/8", "5/8", "17/16", "64/1", "1/16"])
def test_odd_meters_of_whole_sixteenths_are_served(meter):
    numerator, denominator = map(int, meter.split("/"))
    assert planned(3, meter=meter).length_ticks == 3 * numerator * 1920 // denominator


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bars": 0}, r"expected from 1 to 100000 bars, got 0"),
        ({"bars": -2}, r"expected from 1 to 100000 bars, got -2"),
        ({"bars": MAX_BARS + 1}, r"expected from 1 to 100000 bars, got 100001"),
        ({"key": "H"}, r"expected a key, got 'H'; try 'G'"),
        ({"key": "G# major"}, r"at most seven sharps or flats, got 'G# major' with 8 sharps; try 'Ab major'"),
        ({"meter": "waltz"}, r"expected a meter, .*got 'waltz'; try '3/4'"),
        ({"meter": "4/3"}, r"expected a meter, .*got '4/3'"),
        ({"meter": "1/32"}, r"whole sixteenths, got 1/32; try 4/4"),
        ({"meter": "4/4", "pickup": -1.0}, r"pickup of 0 or more beats.* 4/4.*; got -1; try 1"),
        ({"meter": "4/4", "pickup": 4.0}, r"shorter than a bar of 4/4.*; got 4;"),
        ({"meter": "4/4", "pickup": 0.3}, r"in sixteenths; got 0.3;"),
        ({"meter": "4/4", "pickup": float("nan")}, r"got nan; try 1"),
        ({"meter": "4/4", "pickup": float("inf")}, r"got inf; try 1"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_sentence(options, said):
    with pytest.raises(OptionError, match=said) as raised:
        planned(**options)
    assert "\n" not in str(raised.value)


def test_the_plan_of_a_model_without_keys_has_the_one_that_is_asked_for_and_no_other():
    assert planned(key="Gm", model=BARE).keys == (Key(0, -2, "minor"),)
    assert planned(model=BARE).keys == ()


def test_a_number_of_pieces_has_bounds():
    check_amounts(1, MAX_PIECES)
    for count in (0, -1, MAX_PIECES + 1):
        with pytest.raises(OptionError, match=rf"expected from 1 to 10000 pieces, got {count}; try 8"):
            check_amounts(1, count)
