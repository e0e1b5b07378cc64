"""A set is pooled, drawn anew by pieces, and held against another."""

import math
from dataclasses import replace

import numpy as np
import pytest

from kantor import metrics
from kantor.errors import InputError, UnknownNameError
from kantor.evaluation.features import hear_set, keyed, related
from kantor.evaluation.sets import against, estimates, pooled
from kantor.score import VOICES, Key, Part, Score

QUARTER = 480


def chorale(seed, leaps=1, quarters=32):
    """Four voices in quarters and halves that wander; ``leaps`` is how far they go."""
    rng = np.random.default_rng(seed)
    rows = []
    for part, home in enumerate((72, 65, 58, 48)):
        pitch = home
        at = 0
        while at < quarters:
            lasts = min(int(rng.integers(1, 3)), quarters - at)
            rows.append((at * QUARTER, lasts * QUARTER, pitch, 80, part))
            pitch = home + (pitch - home + int(rng.integers(-2, 3)) * leaps) % 12
            at += lasts
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)))


def pieces(count, start=0, **how):
    return [(f"piece {seed}", chorale(seed, **how)) for seed in range(start, start + count)]


def test_a_rate_is_pooled_over_counts_and_a_number_over_pieces():
    short, long = chorale(0, quarters=8), chorale(1, quarters=80)
    heard = hear_set([("short", short), ("long", long)], ["steps-and-leaps", "pitch-range"])
    found = estimates(heard)
    alone = [metrics.measure(score) for score in (short, long)]
    shares = [one["step-share"] for one in alone]
    assert found["step-share"].value == sum(s.count for s in shares) / sum(s.out_of for s in shares)
    assert found["pitch-range"].value == np.mean([one["pitch-range"].number for one in alone])
    assert found["pitch-range"].deviation == np.std([one["pitch-range"].number for one in alone], ddof=1)
    assert found["step-share"].pieces == 2


def test_a_histogram_is_pooled_over_weights():
    heard = hear_set(pieces(3), ["pitch-classes"])
    whole = sum(metrics.measure(score)["pitch-classes"].weights for _, score in pieces(3))
    assert np.allclose(pooled(heard)["pitch-classes"], whole / whole.sum())


def test_an_interval_is_the_same_for_the_same_seed_and_covers_the_value():
    heard = hear_set(pieces(20), ["steps-and-leaps"])
    first, again, other = (estimates(heard, seed=seed)["step-share"] for seed in (0, 0, 1))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert first.low < first.value < first.high


def test_an_interval_of_a_mean_is_as_wide_as_theory_says():
    heard = hear_set(pieces(60), ["pitch-range"])
    found = estimates(heard, resamples=4000)["pitch-range"]
    assert found.high - found.low == pytest.approx(2 * 1.96 * found.deviation / math.sqrt(60), rel=0.1)


def test_intervals_hold_in_nineteen_cases_of_twenty():
    """Of a rate whose truth is known: among 100 sets, about 95 intervals have it in them."""
    rng = np.random.default_rng(0)
    hit = 0
    heard = hear_set(pieces(30), ["crossing"])
    for trial in range(100):
        out_of = rng.integers(20, 60, 30).astype(float)
        count = rng.binomial(out_of.astype(int), 0.3)
        heard.rates["crossing"][:] = np.stack([count, out_of], axis=1)
        found = estimates(heard, seed=trial, resamples=300)["crossing"]
        hit += found.low <= 30 <= found.high
    assert 86 <= hit <= 100


def test_a_set_is_like_itself():
    heard = hear_set(pieces(12))
    found = against(heard, heard, resamples=50)
    assert found.frechet == pytest.approx(0, abs=1e-6)
    for name, contrast in found.figures.items():
        assert contrast.difference == 0 or math.isnan(contrast.difference), name
        assert contrast.wasserstein == pytest.approx(0, abs=1e-9) or math.isnan(contrast.wasserstein), name
        assert contrast.jensen_shannon == 0 or math.isnan(contrast.jensen_shannon), name
        assert contrast.intersection == pytest.approx(1) or math.isnan(contrast.intersection), name
    assert found.self_similarity["pitch"].consistency == 1
    assert found.self_similarity["pitch"].variance == 1


def moved(score, semitones):
    notes = score.notes.copy()
    notes["pitch"] += semitones
    return score.replace(notes=notes)


def test_pieces_of_one_group_and_pieces_of_the_same_notes_are_versions_of_one():
    music = pieces(5)
    first = hear_set([*music, ("again", moved(music[0][1], 3))], ["pitch-range"], groups=["", "a", "a", "", "b", ""])
    assert first.groups.tolist() == [0, 1, 1, 2, 3, 0]
    second = hear_set([("b", chorale(77)), music[4], ("new", chorale(78))], ["pitch-range"], groups=["b", "", "c"])
    ours, theirs = related(first, second)
    assert ours.tolist() == first.groups.tolist()
    assert theirs.tolist() == [3, 3, 4]
    assert first.take(np.array([5, 1, 0])).groups.tolist() == [0, 1, 0]


def test_a_set_is_not_told_from_itself():
    found = against(hear_set(pieces(20)), hear_set(pieces(20)), resamples=50)
    assert found.two_sample.accuracy == 0.5
    assert found.two_sample.low < 0.5 < found.two_sample.high
    assert found.figures["step-share"].low == found.figures["step-share"].high == 0  # drawn together


def test_versions_are_one_witness_to_every_interval():
    """Each piece ten times says no more than once."""
    once = hear_set(pieces(16), ["pitch-range", "steps-and-leaps"])
    often = once.take(np.repeat(np.arange(16), 10))
    for name, one in estimates(once).items():
        found = estimates(often)[name]
        assert (found.value, found.low, found.high) == pytest.approx((one.value, one.low, one.high)), name
    alone = estimates(replace(often, marks=()))["pitch-range"]
    one = estimates(once)["pitch-range"]
    assert alone.high - alone.low < 0.5 * (one.high - one.low)
    same = once.take(np.zeros(8, dtype=np.int64))
    assert math.isnan(estimates(same)["pitch-range"].low)
    assert estimates(same)["pitch-range"].deviation == 0


def test_parts_of_the_reference_share_no_piece():
    """Ten pieces, each ten times: parts that had versions of one another would be all but equal."""
    often = hear_set(pieces(10)).take(np.repeat(np.arange(10), 10))
    apart = against(often, often, resamples=20).frechet_within
    mixed = against(replace(often, marks=()), replace(often, marks=()), resamples=20).frechet_within
    assert apart > 2 * mixed


def test_what_is_longer_than_any_music_is_left_out_and_said():
    endless = Score.from_notes([(0, 480 * 2_000_000, 60, 80, 0)])
    (first, second) = pieces(2)
    heard = hear_set([first, ("endless", endless), second], ["pitch-range"], groups=["", "", "g"])
    assert heard.names == ("piece 0", "piece 1")
    assert list(heard.left_out) == [1]
    assert "quarters of music" in heard.left_out[1]
    assert "group g" in heard.marks[1]
    assert len(hear_set([("endless", endless)])) == 0


def test_what_differs_is_seen_in_every_distance():
    smooth, wild = hear_set(pieces(20)), hear_set(pieces(20, start=100, leaps=4))
    found = against(wild, smooth, resamples=200)
    steps, intervals = found.figures["step-share"], found.figures["intervals"]
    assert steps.difference < 0
    assert steps.high < 0
    assert steps.overlap < 0.2
    assert intervals.wasserstein > 1
    assert intervals.intersection < 0.7
    assert intervals.jensen_shannon > 0.4
    assert found.frechet > 3 * found.frechet_within


def test_names_without_an_order_have_no_wasserstein_distance():
    found = against(hear_set(pieces(3)), hear_set(pieces(3, start=9)), resamples=20).figures
    assert math.isnan(found["chord-qualities"].wasserstein)
    assert not math.isnan(found["chord-qualities"].jensen_shannon)
    assert not math.isnan(found["note-values"].wasserstein)


def test_sets_of_one_piece_or_of_silence_are_compared_as_far_as_they_go():
    one = hear_set(pieces(1))
    silence = hear_set([("silence", Score.from_notes([]))])
    for first, second in ((one, one), (one, silence), (silence, one), (silence, silence)):
        found = against(first, second, resamples=20)
        assert found.two_sample is None
        assert math.isnan(found.frechet)
        assert list(found.figures)


def test_a_set_without_a_piece_is_refused():
    heard = hear_set(pieces(2))
    with pytest.raises(InputError, match="at least one piece"):
        against(hear_set([]), heard)
    assert len(hear_set([])) == 0
    assert math.isnan(estimates(hear_set([]))["pitch-range"].value)


def test_a_metric_that_nobody_knows_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'pitch-range'"):
        hear_set(pieces(1), ["pitch-rang"])


def test_pieces_are_taken_with_their_names():
    heard = hear_set(pieces(4), ["pitch-range", "intervals", "crossing"])
    taken = heard.take(np.array([2, 2, 0]))
    assert taken.names == ("piece 2", "piece 2", "piece 0")
    assert np.array_equal(taken.numbers["pitch-range"], heard.numbers["pitch-range"][[2, 2, 0]])
    assert taken.histograms["intervals"].shape[0] == taken.rates["crossing"].shape[0] == 3


def test_a_key_is_found_where_none_is_given_and_left_where_one_is():
    scale = Score.from_notes(
        [(480 * at, 480, 60 + step, 80, 0) for at, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0))]
    )
    assert keyed(scale).keys == (Key(0, 0, "major"),)
    said = scale.replace(keys=(Key(0, -3, "minor"),))
    assert keyed(said) is said
    open_ = scale.replace(keys=(Key(0, 0, ""),))
    assert keyed(open_).keys == (Key(0, 0, "major"),)
    assert math.isnan(estimates(hear_set([("a", scale)], estimate_keys=False))["diatonic-share"].value)
    assert estimates(hear_set([("a", scale)]))["diatonic-share"].value == 1


def test_the_yardstick_of_few_pieces_is_what_few_pieces_have():
    """Pieces of the reference itself are as far from it as the yardstick says, be they few or many."""
    heard = hear_set(pieces(60))
    rng = np.random.default_rng(0)
    for size in (6, 30):
        chosen = rng.permutation(60)
        found = against(heard.take(chosen[:size]), heard.take(chosen[size:]), resamples=20)
        assert 0.5 < found.frechet / found.frechet_within < 2
    few, many = (against(heard.take(np.arange(size)), heard, resamples=20).frechet_within for size in (6, 30))
    assert few > 1.5 * many
