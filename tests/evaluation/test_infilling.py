"""Figures of filling in, of models so simple that they are known by hand."""

import math

import numpy as np
import pytest

from kantor.errors import InputError
from kantor.evaluation.infilling import coconet, infilling
from kantor.representations.cells import HELD, OPEN, Cells
from kantor.score import VOICES, Part, Score

CELLS = Cells(inputs=("phase",))


class Fake:
    """A two-sided network that is a function: cells shown (batch, frames, 4) -> logits (batch, frames, 4, 93)."""

    def __init__(self, rule):
        self.rule = rule

    def initial(self, batch):
        return []

    def run(self, inputs, state):
        assert state == []
        assert not ((inputs[..., :4] > 0) & (inputs[..., :4] <= HELD)).any(), "a bare grid tells no attacks"
        logits = self.rule(inputs[..., :4]).astype(np.float32)
        return [logits[:, :, voice] for voice in range(4)], []

    def field(self, features, values, k):
        return features[k]


def peaked(pitch, share):
    """Logits (..., 93) that give ``pitch`` so much, two thirds of it as an attack, and the other 46 the same each."""
    marginal = np.full((*pitch.shape, 47), (1 - share) / 46)
    np.put_along_axis(marginal, pitch[..., None], share, axis=-1)
    struck = np.concatenate([marginal[..., :1], marginal[..., 1:] * 2 / 3], axis=-1)
    return np.log(np.concatenate([struck, marginal[..., 1:] / 3], axis=-1))


UNIFORM = 1 / 47


def copying(shown, share, alone=UNIFORM, guess=30):
    """The pitch of any known voice of the same frame, so likely; where none is known, a guess."""
    known = np.where(shown == OPEN, -1, Cells.pitches(shown)).max(-1, keepdims=True)
    told = peaked(np.broadcast_to(np.maximum(known, 0), shown.shape), share)
    guessed = peaked(np.full(shown.shape, guess), alone)
    return np.where(known[..., None] >= 0, told, guessed)


def unison(*pitches, frames=2):
    """All voices sing these MIDI pitches, each so many sixteenths long."""
    rows = [
        (120 * frames * place, 120 * frames, pitch, 80, voice)
        for place, pitch in enumerate(pitches)
        for voice in range(4)
    ]
    return Score.from_notes(rows, parts=tuple(Part(name) for name in VOICES))


def untrained(shown):
    return np.zeros((*shown.shape, 93))


def test_an_untrained_model_has_two_classes_for_every_pitch():
    found = infilling(Fake(untrained), CELLS, [unison(60, 62)])
    assert found.nats_per_note == pytest.approx(math.log(46.5), rel=1e-6)
    assert coconet(Fake(untrained), CELLS, [unison(60, 62)], frames=4).nats_per_frame == pytest.approx(
        4 * math.log(46.5), rel=1e-6
    )


def test_silence_has_one_class():
    rest = Score.from_notes([(0, 120, 60, 80, 0)], parts=tuple(Part(name) for name in VOICES))
    found = infilling(Fake(untrained), CELLS, [rest], given=(0,))
    assert found.nats_per_note == pytest.approx(math.log(93), rel=1e-6)
    assert found.notes == 3


def test_a_pitch_is_as_likely_as_struck_and_held_together():
    known = Fake(lambda shown: peaked(np.full(shown.shape, 60 - 35), 0.7))
    assert infilling(known, CELLS, [unison(60)]).nats_per_note == pytest.approx(-math.log(0.7), rel=1e-5)


def test_given_voices_are_seen_and_not_judged():
    model = Fake(lambda shown: copying(shown, 0.9))
    found = infilling(model, CELLS, [unison(60, 64, 67)], given=(0,))
    assert found.nats_per_note == pytest.approx(-math.log(0.9), rel=1e-5)
    assert (found.notes, found.pieces) == (18, 1)


@pytest.mark.parametrize("places", [1, 4, 16])
def test_a_cell_is_told_from_those_before_it_in_the_order(places):
    """Of a frame the first voice in the order is guessed, the other three are copied."""
    model = Fake(lambda shown: copying(shown, 0.9))
    found = infilling(model, CELLS, [unison(60, 62)], orders=8000 // places, places=places)
    expected = (math.log(47) - 3 * math.log(0.9)) / 4
    assert found.nats_per_note == pytest.approx(expected, abs=0.04)


def test_a_mean_over_cells_and_one_over_pieces():
    known = Fake(lambda shown: peaked(np.full(shown.shape, 60 - 35), 0.5))
    found = infilling(known, CELLS, [unison(60), unison(62, frames=6)])
    right, wrong = -math.log(0.5), -math.log(0.5 / 46)
    assert found.nats_per_note == pytest.approx((8 * right + 24 * wrong) / 32, rel=1e-5)
    assert found.nats_per_note_macro == pytest.approx((right + wrong) / 2, rel=1e-5)
    assert found.standard_error == pytest.approx((wrong - right) / 2, rel=1e-5)


def test_of_one_piece_there_is_no_error_and_of_none_no_figure():
    assert infilling(Fake(untrained), CELLS, [unison(60)]).standard_error is None
    with pytest.raises(InputError, match="a piece to fill in, got none"):
        infilling(Fake(untrained), CELLS, [])


# -- Coconet's protocol ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("truth", [60, 65])
def test_within_a_frame_voices_see_the_models_own_guess(truth):
    """The first voice guesses MIDI 65, class 30; the others copy the guess, true or not."""
    model = Fake(lambda shown: copying(shown, 0.9, alone=0.6))
    found = coconet(model, CELLS, [unison(truth)], frames=2)
    right, wrong = -math.log(0.6) - 3 * math.log(0.9), -math.log(0.4 / 46) - 3 * math.log(0.1 / 46)
    assert found.nats_per_frame == pytest.approx(right if truth == 65 else wrong, rel=1e-5)


def test_the_probabilities_of_the_orders_of_a_frame_are_averaged():
    """Two frames: the second in an order knows the first, which is wrongly guessed."""

    def rule(shown):
        other = shown[:, ::-1]
        return np.where(
            (other == OPEN).all((-1,), keepdims=True)[..., None],
            untrained(shown),
            peaked(np.full(shown.shape, 25), 0.5),
        )

    orders = 5
    found = coconet(Fake(rule), CELLS, [unison(60)], frames=2, orders=orders, seed=4)
    first, second = 46.5**-4, 0.5**4
    mixed = [-math.log((k * first + (orders - k) * second) / orders) for k in range(orders + 1)]
    possible = [(mixed[k] + mixed[orders - k]) / 2 for k in range(orders + 1)]
    assert min(abs(found.nats_per_frame - value) for value in possible) < 1e-5
    averaged_logs = (-math.log(first) - math.log(second)) / 2
    assert found.nats_per_frame < averaged_logs


def test_a_frame_sees_the_truth_of_those_before_it_and_not_their_guesses():
    seen = []

    def rule(shown):
        seen.append(shown.copy())
        return peaked(np.full(shown.shape, 30), 0.9)  # always MIDI 65

    coconet(Fake(rule), CELLS, [unison(60, frames=6)], frames=6, orders=3)
    assert len(seen) == 6 * 4
    for done, shown in enumerate(seen):
        cells = Cells.pitches(shown)
        assert ((cells == 25).sum((1, 2)) == 4 * (done // 4)).all()
        assert ((cells == 30).sum((1, 2)) == done % 4).all()
        assert ((shown == OPEN).sum((1, 2)) == 24 - done).all()


def test_every_crop_is_of_another_piece():
    seen = []
    model = Fake(lambda shown: seen.append(shown.copy()) or untrained(shown))
    scores = [unison(*range(40 + n, 52 + n), frames=4) for n in (0, 12, 24)]
    found = coconet(model, CELLS, [*scores, unison(80)], crops=9, frames=16, orders=1)
    assert (found.crops, found.frames, found.orders) == (3, 16, 1)
    assert found.standard_error == pytest.approx(0, abs=1e-6)
    octaves = [(np.median(Cells.pitches(row[row != OPEN])) - 5) // 12 for row in seen[-1]]
    assert sorted(octaves) == [0, 1, 2]


def test_without_a_piece_that_is_long_enough_there_is_no_crop():
    with pytest.raises(InputError, match="at least 128 sixteenths, got 1 shorter"):
        coconet(Fake(untrained), CELLS, [unison(60)])
