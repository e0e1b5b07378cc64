"""The stream, with networks of a few lines: what it yields, when, and what it passes on."""

import itertools
import math

import numpy as np
import pytest

from fakes import FakeModel, rambling
from kantor.representations import inputs_of
from kantor.representations.chorale import Chorale
from kantor.sampling import stream as module
from kantor.sampling.filters import Filters
from kantor.sampling.stream import stream
from kantor.score import NOTE, Key, Meter, Score

INPUTS = ("voice", "phase", "own", "now", "held", "lag-4", "key", "beat", "remaining")
PLAIN = Chorale("plain", "SATB", INPUTS)
FULL = Chorale("full", "SBAT", INPUTS)
BOTH = pytest.mark.parametrize("representation", [PLAIN, FULL], ids=["plain", "full"])


def empty(frames=12, fifths=0):
    """The plan of a piece: so many sixteenths in some major key."""
    keys, meters = (Key(0, fifths, "major"),), (Meter(0, 3, 4),)
    return PLAIN.plan(Score(np.empty(0, dtype=NOTE), keys=keys, meters=meters, length_ticks=frames * 120))


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def model(representation, rule=rambling):
    return FakeModel(representation.fields[0].size, rule)


def collect(representation, plan, seeds, rule=rambling, **options):
    """(pieces, steps) values and nats of a whole stream."""
    decisions = list(stream(model(representation, rule), representation, plan, rngs(*seeds), **options))
    return np.stack([d.values[:, 0] for d in decisions], axis=1), np.stack([d.nats for d in decisions], axis=1)


@BOTH
def test_equal_seeds_give_equal_notes_and_others_others(representation):
    first, again, other = (collect(representation, empty(), [seed])[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@BOTH
def test_a_piece_comes_out_the_same_whatever_stands_beside_it(representation):
    plans = [empty(fifths=fifths) for fifths in (0, 3, -2)]
    values, nats = collect(representation, plans, [5, 6, 7])
    for row, seed in enumerate((5, 6, 7)):
        alone, costs = collect(representation, plans[row], [seed])
        assert np.array_equal(values[row], alone[0])
        assert nats[row].tolist() == costs[0].tolist()


def test_every_step_is_yielded_once_in_order():
    decisions = list(stream(model(FULL), FULL, empty(6), rngs(1, 2)))
    assert [d.step for d in decisions] == list(range(24))
    assert {d.values.shape for d in decisions} == {(2, 1)}
    assert {d.nats.shape for d in decisions} == {(2,)}


def test_a_step_is_yielded_before_the_next_is_thought_of():
    fake = model(FULL)
    running = stream(fake, FULL, empty(10_000), rngs(1))
    for step, decision in enumerate(itertools.islice(running, 9)):
        assert decision.step == step
        assert fake.shapes == [(1, 1)] * (step + 1)


def test_every_step_is_one_run_of_one_step_however_long_the_piece():
    fake = model(FULL)
    for _ in stream(fake, FULL, empty(300), rngs(1, 2, 3)):
        pass
    assert fake.shapes == [(3, 1)] * 1200


@BOTH
def test_the_network_is_shown_what_teacher_forcing_would_show_it(representation):
    shown = []

    def watching(inputs, steps, memory, classes):
        shown.append(inputs[:, 0].copy())
        return rambling(inputs, steps, memory, classes)

    plan = empty(24)
    values, _ = collect(representation, plan, [3], watching)
    decoded = representation.decode(values[0][:, None], plan)
    encoding = representation.encode(decoded)
    assert np.array_equal(encoding.values[:, 0], values[0])
    assert np.array_equal(np.concatenate(shown), inputs_of(encoding, representation))


def test_the_state_is_handed_on():
    seen = []

    def counting(inputs, steps, memory, classes):
        seen.append((int(steps[0, 0]), float(memory[0, 0])))
        return np.zeros((*steps.shape, classes))

    collect(PLAIN, empty(4), [1], counting)
    assert [step for step, _ in seen] == list(range(16))
    assert len({memory for _, memory in seen}) > 8


def test_equal_chances_cost_the_logarithm_of_their_number():
    _, nats = collect(PLAIN, empty(), [1], rule=lambda inputs, steps, memory, n: np.zeros((*steps.shape, n)))
    assert nats == pytest.approx(math.log(47))


# -- prompts ---------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("given", [1, 16, 21])
def test_a_piece_goes_on_from_its_prompt_as_it_would_have_gone(representation, given):
    whole, nats = collect(representation, empty(), [4], filters=Filters(temperature=0))
    rest, costs = collect(representation, empty(), [9], filters=Filters(temperature=0), prompt=whole[0, :given, None])
    assert np.array_equal(rest[0], whole[0, given:])
    assert costs[0].tolist() == nats[0, given:].tolist()


def test_a_prompt_is_neither_yielded_nor_changed():
    prompt = np.full((20, 1), 25, dtype=np.int64)
    prompt.flags.writeable = False
    decisions = list(stream(model(PLAIN), PLAIN, empty(), rngs(1, 2), prompt=prompt))
    assert [d.step for d in decisions] == list(range(20, 48))
    assert (prompt == 25).all()


def test_each_piece_may_have_its_own_prompt():
    prompts = np.stack([np.full((12, 1), pitch) for pitch in (20, 30)])
    values, _ = collect(PLAIN, empty(), [1, 2], prompt=prompts)
    for row in range(2):
        assert np.array_equal(collect(PLAIN, empty(), [1 + row], prompt=prompts[row])[0][0], values[row])


def test_a_long_prompt_is_shown_in_stretches_that_do_not_grow(monkeypatch):
    prompt = np.tile([[30], [22], [15], [8], [0]], (20, 1))
    at_once, nats = collect(PLAIN, empty(30), [1], prompt=prompt)
    monkeypatch.setattr(module, "AHEAD", 16)
    fake = model(PLAIN)
    decisions = list(stream(fake, PLAIN, empty(30), rngs(1), prompt=prompt))
    assert max(time for _, time in fake.shapes) == 16
    assert [int(d.values[0, 0]) for d in decisions] == at_once[0].tolist()
    assert [float(d.nats[0]) for d in decisions] == nats[0].tolist()


def test_a_prompt_that_fills_the_plan_leaves_nothing_to_decide():
    assert list(stream(model(PLAIN), PLAIN, empty(3), rngs(1), prompt=np.full((12, 1), 9))) == []


def test_random_numbers_drawn_ahead_do_not_change_the_piece(monkeypatch):
    whole = collect(FULL, empty(), [1, 2])[0]
    monkeypatch.setattr(module, "AHEAD", 7)
    assert np.array_equal(collect(FULL, empty(), [1, 2])[0], whole)


# -- grammar and ranges ----------------------------------------------------------------------------------------------


def eager(*classes):
    """A rule that wants these classes and hardly anything else."""

    def rule(inputs, steps, memory, n):
        logits = rambling(inputs, steps, memory, n)
        logits[..., list(classes)] += 30
        return logits

    return rule


def test_a_hold_follows_a_sounding_note_only():
    hold, silence = FULL.hold, 0
    values, _ = collect(FULL, empty(24), [1, 2, 3, 4], eager(hold, silence, 20))
    cells = values.reshape(4, 24, 4)
    held = cells == hold
    assert held.any()
    assert not held[:, 0].any()
    for before, now in itertools.pairwise(range(24)):
        assert not (held[:, now] & (cells[:, before] == silence)).any()


def test_nothing_is_attacked_outside_the_ranges_however_much_the_network_wants_it():
    ranges = np.array([[60, 61], [55, 57], [50, 50], [40, 45]])
    rule = eager(*range(30, 47))  # everything from F4 up
    for representation in (PLAIN, FULL):
        values, _ = collect(representation, empty(24), [1, 2, 3], rule, ranges=ranges)
        for row in values:
            notes = representation.decode(row[:, None], empty(24)).notes
            assert len(notes)
            low, high = ranges[notes["part"]].T
            assert (low <= notes["pitch"]).all()
            assert (notes["pitch"] <= high).all()


def test_the_likeliest_is_taken_at_temperature_0():
    values, _ = collect(PLAIN, empty(), [1], eager(17), filters=Filters(temperature=0))
    assert (values == 17).all()


def test_a_network_of_no_numbers_is_answered_with_a_warning_and_a_piece():
    with pytest.warns(UserWarning, match="not numbers"):
        values, _ = collect(FULL, empty(2), [1], lambda inputs, steps, memory, n: np.full((*steps.shape, n), np.nan))
    assert FULL.decode(values[0][:, None], empty(2)).length_ticks == 240
