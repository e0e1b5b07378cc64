import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kantor.data.batches import PADDING
from kantor.errors import OptionError
from kantor.models import build
from kantor.networks import Lstm
from kantor.training.learner import Learner, one_cycle
from kantor.training.recipe import Recipe


def learner(recipe=None):
    torch.manual_seed(0)
    return Learner(build(Lstm(embedding=4, hidden=5, layers=1, head=0, dropout=0.0), (7,), (7,)), recipe or Recipe())


def test_one_cycle_rises_for_a_tenth_and_falls_to_almost_nothing():
    assert one_cycle(0.0) == pytest.approx(0.04)
    assert one_cycle(0.1) == pytest.approx(1.0)
    assert one_cycle(0.55) == pytest.approx(0.5)
    assert one_cycle(1.0) == pytest.approx(1e-4)


@given(st.floats(0, 1), st.floats(0, 1))
def test_one_cycle_has_one_peak(a, b):
    early, late = sorted((a, b))
    assert 0 < one_cycle(early) <= 1
    if late < 0.1:
        assert one_cycle(early) <= one_cycle(late)
    elif early >= 0.1:
        assert one_cycle(early) >= one_cycle(late)


def test_one_cycle_does_not_jump():
    values = [one_cycle(step / 1000) for step in range(1001)]
    assert max(abs(a - b) for a, b in pairwise(values)) < 0.01


def test_the_loss_is_the_mean_over_all_targets_in_nats():
    taught = learner()
    inputs = torch.randint(0, 7, (2, 5, 1))
    targets = torch.randint(0, 7, (2, 5, 1))
    targets[1, 3:] = PADDING
    nats, count, right = taught.nats((inputs, targets))
    logits, _ = taught.network(inputs, taught.network.initial(2))
    wanted, hits = 0.0, 0
    for row in range(2):
        for step in range(5 if row == 0 else 3):
            shares = torch.softmax(logits[0][row, step].double(), 0)
            wanted -= math.log(float(shares[targets[row, step, 0]].detach()))
            hits += int(shares.argmax()) == int(targets[row, step, 0])
    assert float(nats.detach()) == pytest.approx(wanted, abs=1e-4)
    assert (int(count), int(right)) == (8, hits)


def test_plateau_halves_the_rate_after_three_epochs_without_a_better_one():
    made = learner(Recipe(schedule="plateau", learning_rate=0.1)).configure_optimizers()
    assert made["lr_scheduler"]["monitor"] == "valid_nats"
    schedule, optimizer = made["lr_scheduler"]["scheduler"], made["optimizer"]
    rates = []
    for nats in [1.0, 0.9, 0.9, 0.9, 0.9, 0.9]:
        schedule.step(nats)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [0.1, 0.1, 0.1, 0.1, 0.1, 0.05]


def test_constant_is_no_schedule():
    optimizer = learner(Recipe(schedule="constant", learning_rate=0.2)).configure_optimizers()
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["lr"] == 0.2


def test_only_what_learns_is_given_to_the_optimiser():
    taught = learner()
    optimizer = taught.configure_optimizers()
    given = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert given == {id(p) for p in taught.network.parameters() if p.requires_grad}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"epochs": 0}, "epochs to be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size to be at least 1, got 0"),
        ({"window": -1}, "window to be 0 or more, got -1"),
        ({"clip": -0.5}, r"clip to be 0 or more, got -0\.5"),
        ({"bare": 1.5}, r"bare within 0\.\.1, got 1\.5"),
        ({"unknown": -1}, r"unknown within 0\.\.1, got -1"),
        ({"learning_rate": 0}, "learning rate above 0, got 0"),
        ({"seed": -1}, "seed to be 0 or more"),
        ({"seed": 2**31}, r"seed within 0\.\.2147483647, got 2147483648"),
        ({"learning_rate": math.inf}, "learning_rate to be a finite number, got inf"),
        ({"learning_rate": math.nan}, "learning rate above 0, got nan"),
        ({"clip": math.inf}, "clip to be a finite number"),
        ({"weight_decay": math.inf}, "weight_decay to be a finite number"),
        ({"schedule": "cosine"}, "schedule to be one of .*; got 'cosine'"),
    ],
)
def test_numbers_that_make_no_training_are_refused(changes, complaint):
    with pytest.raises(OptionError, match=complaint):
        Recipe(**changes)
