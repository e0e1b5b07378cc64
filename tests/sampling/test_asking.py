"""Several streams answered at once: each hears what it would have heard alone, to the bit."""

import numpy as np
import pytest

from kantor.bundle import load
from kantor.runtime import Runtime
from kantor.sampling.asking import Head, Trunk, answered, settled, together
from kantor.sampling.live import Live
from kantor.verbs._compose import pitches_of
from kantor.verbs._plans import plan
from kantor.verbs.live import Performance

SHIPPED = ("chorale", "jsb", "melody", "roll", "notes", "events")


@pytest.fixture(scope="module", params=SHIPPED)
def runtime(request):
    bundle = load(request.param)
    return bundle, Runtime(bundle)


def pieces(runtime, seeds, bars=2):
    """A piece for each seed, at its beginning."""
    bundle, model = runtime
    made = []
    for seed in seeds:
        drawn = plan(bundle, bars, None, "4/4", 0, np.random.default_rng(seed))
        made.append(Live(model, bundle.representation, drawn, seed=seed, within=pitches_of(bundle)))
    return made


def going(piece, steps):
    """What decides so many steps of a piece; its result is their surprises."""
    nats = []
    for _ in range(steps):
        decision = yield from piece.deciding()
        nats += [] if decision is None else [decision.by_field.tolist()]
    return nats


def test_whoever_stands_beside_it_a_piece_is_the_same(runtime):
    alone = [settled(runtime[1], going(piece, 24)) for piece in pieces(runtime, range(7))]
    for count in (2, 3, 7):
        beside = together(runtime[1], [going(piece, 24) for piece in pieces(runtime, range(count))])
        assert beside == alone[:count]


def test_pieces_that_have_come_further_or_end_sooner_are_answered_beside_the_others(runtime):
    alone = [settled(runtime[1], going(piece, 40)) for piece in pieces(runtime, range(3), bars=1)]
    begun = pieces(runtime, range(3), bars=1)
    head = [settled(runtime[1], going(piece, at)) for at, piece in enumerate(begun)]
    tail = together(runtime[1], [going(piece, 40 - at) for at, piece in enumerate(begun)])
    assert [first + then for first, then in zip(head, tail, strict=True)] == alone


class Adder:
    """Adds what it is asked to its state; field k is that, k times."""

    def initial(self, batch):
        return [np.zeros((1, batch, 2), dtype=np.float32)]

    def run(self, inputs, state):
        after = state[0] + inputs[:, :1, :1].swapaxes(0, 1)
        return [after[0][:, None]], [after]

    def field(self, features, values, k):
        return features[0] * k + values[..., :1]


def test_what_asks_for_different_things_gets_each_its_own():
    model = Adder()
    ones = [Trunk(np.full((1, 1, 1), n), model.initial(1)) for n in range(3)]
    heads = [Head([np.full((1, 1, 2), 10.0)], np.full((1, 1, 1), n), n) for n in (2, 1, 2)]
    found = answered(model, [ones[0], heads[0], ones[1], heads[1], heads[2], ones[2]], [1])
    assert [float(found[at][1][0].max()) for at in (0, 2, 5)] == [0, 1, 2]
    assert [float(found[at].max()) for at in (1, 3, 4)] == [22, 11, 22]
    assert all(found[at][1][0].shape == (1, 1, 2) for at in (0, 2, 5))


def test_who_fails_ends_nobody_else():
    def failing():
        yield Trunk(np.ones((1, 1, 1)), Adder().initial(1))
        raise ValueError("nothing works")

    def working():
        features, _ = yield Trunk(np.ones((1, 1, 1)), Adder().initial(1))
        return float(features[0].max())

    first, second = together(Adder(), [failing(), working()])
    assert isinstance(first, ValueError)
    assert second == 1


def test_a_model_that_fails_is_told_to_all_that_asked_it():
    class Broken(Adder):
        def run(self, inputs, state):
            raise MemoryError("no room")

    def asks():
        yield Trunk(np.ones((1, 1, 1)), Adder().initial(1))

    def asks_nothing():
        return 3
        yield

    found = together(Broken(), [asks(), asks_nothing(), asks()])
    assert isinstance(found[0], MemoryError)
    assert found[1] == 3
    assert isinstance(found[2], MemoryError)


def test_one_whom_the_model_cannot_answer_ends_nobody_else():
    class Choosy(Adder):
        def run(self, inputs, state):
            if (inputs < 0).any():
                raise ValueError("below nothing")
            return super().run(inputs, state)

    def asks(number):
        features, _ = yield Trunk(np.full((1, 1, 1), number), Adder().initial(1))
        return float(features[0].max())

    found = together(Choosy(), [asks(1), asks(-1), asks(3)])
    assert found[0] == 1
    assert isinstance(found[1], ValueError)
    assert found[2] == 3


def test_a_piece_that_was_broken_off_between_question_and_answer_goes_on_as_if_not(runtime):
    class Interrupted:
        """The model, but for its third step."""

        def __init__(self, model):
            self.model, self.left = model, 2
            self.initial, self.field = model.initial, model.field

        def run(self, inputs, state):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return self.model.run(inputs, state)

    (whole,), (broken,) = pieces(runtime, [1]), pieces(runtime, [1])
    expected = settled(runtime[1], going(whole, 12))
    before = settled(runtime[1], going(broken, 3))
    with pytest.raises(KeyboardInterrupt):
        settled(Interrupted(runtime[1]), going(broken, 9))
    left = len(expected) - len(broken.values)
    after = settled(runtime[1], going(broken, left))
    assert before == expected[:3]
    assert after == expected[-left:]


def test_a_live_piece_that_was_composed_in_company_is_made_again_alone():
    several = [Performance("chorale", bars=3, meter="4/4", pickup=0, seed=seed) for seed in range(4)]
    while not all(piece.over for piece in several):
        waiting = [piece for piece in several if not piece.over]
        together(several[0].live.model, [piece.advancing(piece.length, 24) for piece in waiting])
    for seed, piece in enumerate(several):
        alone = Performance("chorale", bars=3, meter="4/4", pickup=0, seed=seed)
        while alone.advance(alone.length, 1000):
            pass
        assert alone.piece.score == piece.piece.score
        assert alone.nats == piece.nats
