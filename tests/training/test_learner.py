import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_expit, log_softmax
from scipy.stats import norm

from kantor.data.batches import PADDING
from kantor.errors import OptionError
from kantor.models import Network, build
from kantor.models._heads import Heads
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
    loss, nats, right, count, errors = taught.losses((inputs, targets))
    logits, _ = taught.network(inputs, taught.network.initial(2))
    wanted, hits = 0.0, 0
    for row in range(2):
        for step in range(5 if row == 0 else 3):
            shares = torch.softmax(logits[0][row, step].double(), 0)
            wanted -= math.log(float(shares[targets[row, step, 0]].detach()))
            hits += int(shares.argmax()) == int(targets[row, step, 0])
    assert float(nats) == pytest.approx(wanted, abs=1e-4)
    assert float(loss.detach()) == pytest.approx(wanted, abs=1e-4)
    assert (int(count), int(right), errors) == (8, hits, [])


# -- fields of every kind --------------------------------------------------------------------------------------------


class Still(torch.nn.Module):
    """A trunk that says the same whatever it is shown: what its heads learn is in their biases."""

    def __init__(self):
        super().__init__()
        self.config = Lstm()

    def initial(self, batch):
        return (torch.zeros(1, batch, 1),)

    def forward(self, inputs, state):
        return torch.zeros(*inputs.shape[:2], 1), state


def still(inputs, outputs, kinds, recipe=None):
    return Learner(Network(Still(), Heads(1, inputs, outputs, kinds)), recipe or Recipe())


def say(learner, *biases):
    """Let each head say this."""
    with torch.no_grad():
        for head, bias in zip(learner.network.heads.linear, biases, strict=True):
            head.bias.copy_(torch.tensor(bias))


MIXED = ((5, 1, 1, 1, 24), (5, 3, 1), ("categorical", "multi-hot", "real"))


def mixed_batch(seed=0, rows=2, steps=6):
    """Inputs that nobody reads, and targets: a class of 5, three keys, a time in grid steps; two steps of padding."""
    rng = np.random.default_rng(seed)
    targets = torch.from_numpy(rng.integers(0, [5, 2, 2, 2, 60], (rows, steps, 5)))
    targets[-1, -2:] = PADDING
    return torch.zeros(rows, steps, 5, dtype=torch.int64), targets


def counted(targets):
    rows = targets.flatten(0, 1).numpy()
    return rows[rows[:, 0] != PADDING]


LOGITS, KEYS, MEAN = [0.1, -0.5, 1.0, 0.3, 0.0], [0.2, -1.0, 0.7], [1.25]  # quarters


def test_losses_are_nats_of_classes_and_keys_and_squares_of_times_in_quarters():
    learner, batch = still(*MIXED), mixed_batch()
    say(learner, LOGITS, KEYS, MEAN)
    rows = counted(batch[1])
    classes = -log_softmax(np.array(LOGITS))[rows[:, 0]]
    keys = -np.where(rows[:, 1:4] > 0, log_expit(np.array(KEYS)), log_expit(-np.array(KEYS))).sum(1)
    times = (1.25 - rows[:, 4] / 24) ** 2
    loss, nats, right, steps, errors = learner.losses(batch)
    assert float(nats) == pytest.approx(classes.sum() + keys.sum(), rel=1e-5)
    assert float(loss.detach()) == pytest.approx(classes.sum() + keys.sum() + times.sum(), rel=1e-5)
    assert int(steps) == len(rows) == 10
    (error,) = errors
    np.testing.assert_allclose(error.numpy(), 30 - rows[:, 4], atol=1e-4)
    hits = (rows[:, 0] == 2) & (rows[:, 1:4] == [1, 0, 1]).all(1)
    assert int(right) == hits.sum()


def test_a_step_is_right_where_all_its_fields_but_the_regressed_ones_are():
    learner = still(*MIXED)
    say(learner, LOGITS, KEYS, MEAN)
    right = torch.tensor([[2, 1, 0, 1, 30]])
    others = [right.clone() for _ in range(4)]
    for row, column in enumerate((0, 2, 3, 4)):
        others[row][0, column] = 1 - right[0, column] if column in (2, 3) else 3
    targets = torch.stack([right, *others], dim=1)
    assert int(learner.losses((torch.zeros(1, 5, 5, dtype=torch.int64), targets))[2]) == 2  # the time is no matter


def test_an_accuracy_is_reported_where_no_field_is_regressed():
    mixed, keys = still(*MIXED), still((1, 1, 1), (3,), ("multi-hot",))
    inputs, targets = mixed_batch()
    assert set(validated(mixed, (inputs, targets))) == {"valid_nats"}
    assert set(validated(keys, (inputs[..., :3], targets[..., 1:4]))) == {"valid_nats", "valid_accuracy"}


def test_fields_weigh_what_the_recipe_says():
    plain, weighed = still(*MIXED), still(*MIXED, Recipe(loss_weights=(0.05, 0.0, 3.0)))
    for learner in (plain, weighed):
        say(learner, LOGITS, KEYS, MEAN)
    batch = mixed_batch()
    rows = counted(batch[1])
    classes = -log_softmax(np.array(LOGITS))[rows[:, 0]].sum()
    times = ((1.25 - rows[:, 4] / 24) ** 2).sum()
    assert float(weighed.losses(batch)[0].detach()) == pytest.approx(0.05 * classes + 3 * times, rel=1e-5)
    assert float(weighed.losses(batch)[1]) == float(plain.losses(batch)[1])  # nats are nats


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0,) * 4])
def test_a_weight_for_each_field_or_none(weights):
    with pytest.raises(OptionError, match=f"a loss weight for each of 3 fields, got {len(weights)}"):
        still(*MIXED, Recipe(loss_weights=weights))


def test_weights_may_be_told_as_text():
    assert Recipe(loss_weights=("0.05", "1")).loss_weights == (0.05, 1.0)


def test_times_below_nothing_are_pressed_upwards():
    """TensorFlow's tutorial: the square, and ten times how far the guess lies below 0."""
    learner = still((24,), (1,), ("real",))
    batch = torch.zeros(1, 3, 1, dtype=torch.int64), torch.tensor([[[0], [12], [48]]])
    for guess in (0.5, 0.0, -0.3):
        say(learner, [guess])
        expected = sum((guess - true) ** 2 for true in (0, 0.5, 2)) + 3 * 10 * max(-guess, 0)
        assert float(learner.losses(batch)[0].detach()) == pytest.approx(expected, rel=1e-5)


def settled_odds(weight):
    """The probabilities a multi-hot head comes to that is shown keys which sound 8, 4 and 1 times of 16."""
    learner = still((1, 1, 1), (3,), ("multi-hot",), Recipe(positive_weight=weight))
    keys = torch.tensor([[[n < 8, n < 4, n < 1] for n in range(16)]]).long()
    batch = torch.zeros(1, 16, 3, dtype=torch.int64), keys
    bias = learner.network.heads.linear[0].bias
    optimizer = torch.optim.LBFGS([bias], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = learner.losses(batch)[0]
        loss.backward()
        return loss

    optimizer.step(closure)
    return torch.sigmoid(bias.detach()).tolist(), learner, batch


@pytest.mark.parametrize("weight", [1.0, 10.0, 0.2])
def test_keys_that_weigh_more_are_learnt_sooner_and_come_out_as_likely_as_they_are(weight):
    odds, learner, batch = settled_odds(weight)
    assert odds == pytest.approx([1 / 2, 1 / 4, 1 / 16], abs=1e-3)
    # what is reported is not weighed: the entropy of what was shown
    entropy = sum(-p * math.log(p) - (1 - p) * math.log(1 - p) for p in (1 / 2, 1 / 4, 1 / 16))
    assert float(learner.losses(batch)[1]) == pytest.approx(16 * entropy, rel=1e-4)


@pytest.mark.parametrize("weight", [1.0, 10.0])
def test_the_weighted_loss_is_torchs(weight):
    """But for a constant added to the logit, by which the odds are the true ones."""
    learner, batch = still((1,) * 3, (3,), ("multi-hot",), Recipe(positive_weight=weight)), mixed_batch()
    say(learner, KEYS)
    batch = batch[0][..., :3], batch[1][..., 1:4]
    rows = torch.from_numpy(counted(batch[1])).float()
    logits = (torch.tensor(KEYS) + math.log(weight)).expand(len(rows), 3)
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, rows, reduction="sum", pos_weight=torch.tensor(weight)
    )
    assert float(learner.losses(batch)[0].detach()) == pytest.approx(float(wanted), rel=1e-5)


def validated(learner, *batches):
    """The figures that a validation on these batches logs."""
    logged = {}
    learner.log = lambda name, value, **_: logged.update({name: float(value)})
    learner.on_validation_epoch_start()
    with torch.no_grad():
        for index, batch in enumerate(batches):
            learner.validation_step(batch, index)
    learner.on_validation_epoch_end()
    return logged


def test_a_time_counts_as_a_gaussian_as_wide_as_the_validations_errors():
    learner, batches = still(*MIXED), [mixed_batch(1), mixed_batch(2)]
    say(learner, LOGITS, KEYS, MEAN)
    rows = np.concatenate([counted(targets) for _, targets in batches])
    classes = -log_softmax(np.array(LOGITS))[rows[:, 0]]
    keys = -np.where(rows[:, 1:4] > 0, log_expit(np.array(KEYS)), log_expit(-np.array(KEYS))).sum(1)
    deviation = math.sqrt(((30 - rows[:, 4]) ** 2).mean())
    times = -norm.logpdf(rows[:, 4], 30, deviation)
    figures = validated(learner, *batches)
    assert figures["valid_nats"] == pytest.approx((classes + keys + times).mean(), rel=1e-5)
    # and this deviation is the network's from then on
    params, _ = learner.network(batches[0][0], learner.network.initial(2))
    assert float(params[2][0, 0, 1].detach().exp()) == pytest.approx(deviation, rel=1e-5)


def test_a_deviation_that_is_no_number_is_not_kept():
    learner = still((24,), (1,), ("real",))
    say(learner, [math.inf])
    figures = validated(learner, (torch.zeros(1, 2, 1, dtype=torch.int64), torch.tensor([[[3], [4]]])))
    assert not math.isfinite(figures["valid_nats"])
    assert float(learner.network.heads.log_deviation) == 0


def test_chained_heads_are_taught_by_the_true_fields_of_the_step():
    torch.manual_seed(0)
    network = build(Lstm(embedding=4, hidden=5, layers=1, head=0, dropout=0.0, chained=True), (7, 5), (7, 5))
    inputs, targets = torch.randint(0, 5, (2, 6, 2)), torch.randint(0, 5, (2, 6, 2))
    params, _ = network(inputs, network.initial(2), targets)
    wanted = sum(
        float(torch.nn.functional.cross_entropy(own.flatten(0, 1), targets[..., k].flatten(), reduction="sum").detach())
        for k, own in enumerate(params)
    )
    assert float(Learner(network, Recipe()).losses((inputs, targets))[1]) == pytest.approx(wanted, rel=1e-5)


# -- schedules and optimisers ----------------------------------------------------------------------------------------


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
        ({"positive_weight": 0}, "positive weight above 0, got 0"),
        ({"loss_weights": (1.0, -1.0)}, r"loss_weights of 0 or more, got '-1\.0'"),
        ({"loss_weights": (math.nan,)}, "loss_weights of 0 or more, got 'nan'"),
        ({"loss_weights": ("fast",)}, "loss_weights of 0 or more, got 'fast'"),
        ({"vary_tempo": 1.5}, r"vary_tempo within 0\.\.1, got 1\.5"),
        ({"vary_velocity": -0.1}, r"vary_velocity within 0\.\.1, got -0\.1"),
    ],
)
def test_numbers_that_make_no_training_are_refused(changes, complaint):
    with pytest.raises(OptionError, match=complaint):
        Recipe(**changes)
