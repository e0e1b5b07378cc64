"""What holds of every metric, given by the registry."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kantor import metrics, registry
from kantor.metrics import Curve, Histogram, Number, Rate
from kantor.score import VOICES, Key, Meter, Part, Score, Tempo
from kantor.theory import transpose_key
from strategies import scores

NAMES = registry.names("metrics")
KINDS = {"number": Number, "rate": Rate, "histogram": Histogram, "curve": Curve}
NEEDS = {"voices", "lines", "key", "fermatas", "meter"}
CHANGES = {"transposition", "octave", "stretch", "parts"}

each = pytest.mark.parametrize("name", NAMES)
music = st.one_of(scores(min_parts=4, metered=True), scores(monophonic=False))


def numbers_of(value):
    if isinstance(value, Number | Rate):
        return np.array([value.number])
    return value.weights if isinstance(value, Histogram) else value.values


def alike(ours, theirs):
    """Whether two answers are the same, undefined values included."""
    return ours.keys() == theirs.keys() and all(
        np.allclose(numbers_of(value), numbers_of(theirs[name]), rtol=1e-9, atol=1e-9, equal_nan=True)
        for name, value in ours.items()
    )


def moved(score, semitones):
    notes = score.notes.copy()
    notes["pitch"] += semitones
    return score.replace(notes=notes, keys=tuple(transpose_key(key, semitones) for key in score.keys))


def by_octaves(score, octaves):
    notes = score.notes.copy()
    notes["pitch"] += 12 * np.resize(octaves, len(notes)).astype(np.int16)
    return score.replace(notes=notes)


def stretched(score):
    notes = score.notes.copy()
    notes["onset"] *= 2
    notes["duration"] *= 2
    keys = tuple(Key(2 * key.tick, key.fifths, key.mode) for key in score.keys)
    fermatas = tuple(2 * tick for tick in score.fermatas)
    return Score(notes, parts=score.parts, keys=keys, fermatas=fermatas, length_ticks=2 * score.length_ticks)


def reordered(score, order):
    notes = score.notes.copy()
    notes["part"] = np.argsort(order)[notes["part"]]
    return score.replace(notes=notes, parts=tuple(score.parts[part] for part in order))


def test_figures_have_names_of_their_own():
    declared = [figure.name for name in NAMES for figure in metrics.metric(name).figures]
    assert len(declared) == len(set(declared))
    assert list(metrics.figures()) == declared
    assert not {*declared} & {"", *(n.upper() for n in declared)}


@each
def test_a_metric_declares_what_it_is(name):
    part = metrics.metric(name)
    assert part.name == name
    assert part.about
    assert part.source
    assert part.figures
    assert part.needs <= NEEDS
    assert part.invariant <= CHANGES
    for figure in part.figures:
        assert figure.about
        assert figure.low < figure.high
        assert (figure.kind == "histogram") == bool(figure.labels)
        assert figure.support is None or len(figure.support) == len(figure.labels)
        assert figure.kind == "rate" or figure.per == 1


def bear(change, score, other):
    """The metrics that declare to bear a change, and do not."""
    ours, theirs = metrics.hear(score), metrics.hear(other)
    declared = [name for name in NAMES if change in metrics.metric(name).invariant]
    assert declared
    return [name for name in declared if not alike(metrics.measure(ours, [name]), metrics.measure(theirs, [name]))]


@given(music)
@settings(max_examples=60)
def test_values_are_of_their_kind_and_within_their_range(score):
    answer = metrics.measure(score)
    assert list(answer) == list(metrics.figures())
    for name, figure in metrics.figures().items():
        value = answer[name]
        assert isinstance(value, KINDS[figure.kind]), name
        if isinstance(value, Rate):
            assert value.per == figure.per, name
        if isinstance(value, Histogram):
            assert value.weights.shape == (len(figure.labels),), name
            assert (value.weights >= 0).all(), name
            continue
        known = numbers_of(value)[~np.isnan(numbers_of(value))]
        assert ((known >= figure.low - 1e-9) & (known <= figure.high + 1e-9)).all(), name
        if isinstance(value, Curve):
            assert len(value.quarters) == len(value.values), name
            assert (np.diff(value.quarters) > 0).all(), name


@given(music, st.integers(1, 127), st.integers(20, 300))
@settings(max_examples=30)
def test_tempo_velocity_and_resolution_change_nothing(score, velocity, speed):
    notes = score.notes.copy()
    notes["velocity"] = velocity
    other = score.replace(notes=notes, tempi=(Tempo(0, float(speed)),)).at(2 * score.ticks_per_quarter)
    ours, theirs = metrics.measure(score), metrics.measure(other)
    assert not [name for name in ours if not alike({name: ours[name]}, {name: theirs[name]})]


@given(music, st.integers(-6, 6))
@settings(max_examples=60)
def test_what_is_declared_to_bear_transposition_does(score, semitones):
    assert not bear("transposition", score, moved(score, semitones))


@given(music, st.lists(st.integers(-2, 2), min_size=1, max_size=7))
@settings(max_examples=60)
def test_what_is_declared_to_bear_octaves_does(score, octaves):
    assert not bear("octave", score, by_octaves(score, octaves))


@given(music)
@settings(max_examples=60)
def test_what_is_declared_to_bear_stretching_does(score):
    plain = score.replace(meters=(), barlines=(), anacrusis_ticks=0)
    assert not bear("stretch", plain, stretched(plain))


@given(music, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_what_is_declared_to_bear_another_order_of_parts_does(score, random):
    order = list(range(len(score.parts)))
    random.shuffle(order)
    assert not bear("parts", score, reordered(score, order))


KNOWN = {"keys": (Key(0, 0, "major"),), "meters": (Meter(0, 4, 4),), "fermatas": (0,)}


@pytest.mark.parametrize("parts", [0, 1, 4])
@pytest.mark.parametrize("length", [0, 7680])
def test_of_silence_nothing_is_said(parts, length):
    score = Score.from_notes([], parts=tuple(Part() for _ in range(parts)), length_ticks=length, **KNOWN)
    for value in metrics.measure(score).values():
        assert not len(numbers_of(value)) or not np.nan_to_num(numbers_of(value)).any()
        assert not isinstance(value, Number | Rate) or math.isnan(value.number)


@pytest.mark.parametrize("duration", [0, 1, 480])
@pytest.mark.parametrize("parts", [1, 4])
def test_one_note_is_heard(duration, parts):
    score = Score.from_notes([(0, duration, 60, 80, 0)], parts=tuple(Part() for _ in range(parts)), **KNOWN)
    heard = metrics.measure(score)
    assert heard["pitch-range"] == Number(0.0)
    assert heard["polyphony"].number == 1 if duration else math.isnan(heard["polyphony"].number)
    assert list(heard) == list(metrics.figures())


@pytest.fixture(scope="module")
def ten_hours():
    """At 120 quarters a minute; four voices in quarters and halves, never the same twice in a row."""
    quarters = 10 * 60 * 120
    rows = [(480 * at, 480, 72 + at % 7, 80, 0) for at in range(quarters)]
    rows += [(480 * at, 960, 52 - 7 * part + at % 12, 80, part) for part in (1, 2, 3) for at in range(0, quarters, 2)]
    return metrics.hear(Score.from_notes(rows, parts=tuple(map(Part, VOICES)), **KNOWN))


@each
def test_ten_hours_are_heard(name, ten_hours):
    for figure, value in metrics.measure(ten_hours, [name]).items():
        if isinstance(value, Histogram):
            assert value.weights.any(), figure
        elif figure != "leading-tone-resolution":
            assert not np.isnan(numbers_of(value)).any(), figure
