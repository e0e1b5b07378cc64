"""The beam against a search of everything there is, in a world small enough for it."""

from itertools import product

import numpy as np
import pytest

from fakes import FakeModel, rambling
from kantor.errors import DeadEndError, OptionError
from kantor.representations import inputs_of
from kantor.representations.chorale import Chorale
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.rules.locked import Locked
from kantor.sampling.beam import beam
from kantor.sampling.guard import Guard, asked
from kantor.score import Meter, Part, Score

PLAN = Chorale().plan(Score.from_notes([(0, 120, 60, 80, 0)], length_ticks=120))
TWO = Chorale().plan(Score.from_notes([(0, 240, 60, 80, 0)], length_ticks=240))
LOW = np.isin(np.arange(128), [48, 55, 60])[None]  # with silence, four classes a cell
INPUTS = Chorale(inputs=("voice", "own", "now", "phase"))
MODEL = FakeModel.of(INPUTS, rambling)


def everything(plan, allowed=(0, 13, 20, 25), rules=()):
    """All pieces of one frame, the likeliest first: (nats, classes)."""
    found = []
    guard = Guard(asked(rules), [plan], INPUTS.step, voiced=True)
    for classes in product(allowed, repeat=4):
        values = np.array(classes)[:, None]
        deriver, kept = INPUTS.derive(plan), True
        conditions = []
        for row in values:
            conditions.append(deriver.conditions()[0].copy())
            admitted, _ = guard.judge(deriver.situation(0, row[None], guard.reach))
            kept &= admitted is None or bool(admitted[0, row[0]])
            deriver.push(row[None])
        previous = np.concatenate([[[47]], values[:-1]])
        inputs = np.concatenate([previous, np.stack(conditions)], axis=1)
        (logits,), _ = MODEL.run(inputs[None], MODEL.initial(1))
        nats = np.log(np.exp(logits[0].astype(float)).sum(1)) - logits[0][np.arange(4), values[:, 0]]
        if kept:
            found.append((float(nats.sum()), classes))
    return sorted(found)


def test_a_beam_as_wide_as_the_world_finds_what_a_search_of_everything_finds():
    best = everything(PLAN)
    found = beam(MODEL, INPUTS, PLAN, 256, within=LOW)
    assert [tuple(piece.values[:, 0].tolist()) for piece in found[:20]] == [classes for _, classes in best[:20]]
    assert [piece.nats.sum() for piece in found[:20]] == pytest.approx([nats for nats, _ in best[:20]], rel=1e-4)
    assert all(piece.cost.sum() == 0 for piece in found)


def test_under_rules_it_finds_the_best_that_keeps_them():
    best = everything(PLAN, rules=["no-crossing"])
    rules = asked(["no-crossing"])
    made = lambda rows: Guard(rules, [PLAN] * rows, INPUTS.step, voiced=True)  # noqa: E731
    found = beam(MODEL, INPUTS, PLAN, 256, within=LOW, guard=made)
    assert len(found) == len(best) < 256
    assert tuple(found[0].values[:, 0].tolist()) == best[0][1]
    assert found[0].cost.sum() > 0


def test_a_beam_of_one_takes_the_likeliest_every_time():
    (found,) = beam(MODEL, INPUTS, PLAN, 1, within=LOW)
    first = min(everything(PLAN), key=lambda row: row[0])
    assert found.nats.sum() >= first[0] - 1e-6
    assert len(found.values) == 4


def test_a_wider_beam_is_never_worse():
    nats = [beam(MODEL, INPUTS, TWO, width, within=LOW)[0].nats.sum() for width in (1, 4, 64)]
    assert nats == sorted(nats, reverse=True)


def test_what_is_given_stands_and_costs_nothing():
    fixed = np.array([[25], [-1], [-1], [13]])
    found = beam(MODEL, INPUTS, PLAN, 256, within=LOW, fixed=fixed)
    assert len(found) == 16
    assert all(piece.values[0, 0] == 25 and piece.values[3, 0] == 13 for piece in found)
    assert all(piece.nats[0] == piece.nats[3] == 0 for piece in found)


def test_a_prompt_is_read_and_not_given_back():
    whole = INPUTS.encode(INPUTS.decode(np.array([[25], [20], [20], [13]] * 2), TWO))
    found = beam(MODEL, INPUTS, TWO, 8, within=LOW, prompt=whole.values[:4])
    (logits,), _ = MODEL.run(inputs_of(whole, INPUTS)[None, :5], MODEL.initial(1))
    likeliest = max((0, 13, 20, 25), key=lambda c: logits[0, 4, c])
    assert {len(piece.values) for piece in found} == {4}
    assert likeliest in {int(piece.values[0, 0]) for piece in found}


@pytest.mark.parametrize("fairness", [0.0, 1.0])
def test_music_of_several_fields_and_of_any_length(fairness):
    notes = Notes(inputs=("beat", "above", "left"))
    plan = notes.plan(Score.from_notes([(0, 1920, 60, 80, 0)], parts=(Part("Piano"),)))
    short = lambda *known: rambling(*known) - (np.arange(known[3]) / 8 if known[3] == 385 else 0)  # noqa: E731
    model = FakeModel.of(notes, short, chained=True)
    found = beam(model, notes, plan, 6, fairness=fairness)
    means = [piece.nats.sum() / len(piece.nats) ** fairness for piece in found]
    assert means == sorted(means)
    for piece in found:
        score = notes.decode(piece.values, plan)
        assert score.length_ticks == plan.length_ticks
        assert len(piece.values) == len(piece.nats)


def test_where_no_music_keeps_the_rules_the_error_names_them():
    rules = asked(["in-key=C", "range=61-61"])
    made = lambda rows: Guard(rules, [PLAN] * rows, INPUTS.step, voiced=True)  # noqa: E731
    silent = np.array([[-1]] * 4)
    full = Chorale(spelling="full", inputs=("voice",))
    model = FakeModel.of(full, rambling)
    found = beam(model, full, PLAN, 4, guard=made, fixed=silent)
    assert all((piece.values[:, 0] == 0).all() for piece in found)  # silence keeps every rule of pitch


@pytest.mark.parametrize(("width", "fairness"), [(0, 1.0), (2, -0.1), (2, 1.1)])
def test_numbers_out_of_range_are_refused(width, fairness):
    with pytest.raises(OptionError, match=r"beam of 1 or more and a fairness within 0\.\.1"):
        beam(MODEL, INPUTS, PLAN, width, fairness=fairness)


def test_a_regression_has_no_classes_to_choose_from():
    model = FakeModel.of(Regression())
    with pytest.raises(OptionError, match="fields in classes for a beam"):
        beam(model, Regression(), Regression().plan(Score.from_notes([(0, 480, 60, 80, 0)])), 2)


def test_what_soft_rules_ask_is_carried_to_the_end():
    rules = asked([], ["no-crossing=0.7"])
    found = beam(MODEL, INPUTS, PLAN, 256, within=LOW, guard=lambda rows: Guard(rules, [PLAN] * rows, 120, voiced=True))
    clean = {classes for _, classes in everything(PLAN, rules=["no-crossing"])}
    assert len(found) == 256
    assert {tuple(piece.values[:, 0].tolist()) for piece in found if piece.owed == 0} == clean
    totals = [piece.nats.sum() + piece.owed for piece in found]
    assert totals == pytest.approx(sorted(totals))
    assert [piece.nats.sum() for piece in found] != sorted(piece.nats.sum() for piece in found)


def test_nothing_holds_over_a_joint():
    full = Chorale(spelling="full", inputs=("voice", "own"))
    holding = FakeModel.of(full, lambda *known: 20.0 * (np.arange(known[3]) == full.hold) + rambling(*known))
    prompt = np.full((4, 1), 25)
    (held,) = beam(holding, full, TWO, 1, prompt=prompt)
    assert (held.values[:, 0] == full.hold).all()
    (struck,) = beam(holding, full, TWO, 1, prompt=prompt, joint=4)
    assert not (struck.values[:, 0] == full.hold).any()


def test_a_dead_end_names_the_rules_and_the_bar():
    sixteenth = INPUTS.step
    length = 20 * sixteenth
    plan = Chorale().plan(Score.from_notes([(0, 120, 60, 80, 0)], length_ticks=length, meters=(Meter(0, 4, 4),)))
    rules = asked([Locked(((16 * sixteenth, sixteenth, 61, 0),))])  # a pitch that may not be sung, where bar 2 begins
    made = lambda rows: Guard(rules, [plan] * rows, sixteenth, voiced=True)  # noqa: E731
    with pytest.raises(DeadEndError, match="keeps locked, found none in bar 2; try a wider beam"):
        beam(MODEL, INPUTS, plan, 2, within=LOW, guard=made)
