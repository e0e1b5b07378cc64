"""Whole trainings, tiny ones: what is drawn comes from (seed, epoch) alone, and nothing is lost to an interrupt."""

import csv

import pytest
import torch

from kantor.errors import TrainingError
from kantor.networks import ConvLstm, Lstm
from kantor.representations.chorale import Chorale
from kantor.score import VOICES, Meter, Part, Score
from kantor.training.fit import fit
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe

CHORALE = Chorale(spelling="full", inputs=("voice", "now", "meter", "remaining"))
NETWORK = Lstm(embedding=6, hidden=8, layers=2, dropout=0.2, head=5)
RECIPE = Recipe(epochs=3, batch_size=2, transpose=2, bare=0.2, unknown=0.2, learning_rate=1e-2)


def piece(pitch, quarters=6):
    rows = [(480 * n, 480, pitch - 5 * voice + n % 3, 80, voice) for n in range(quarters) for voice in range(4)]
    return Score.from_notes(rows, parts=tuple(Part(name) for name in VOICES), meters=(Meter(0, 4, 4),))


TRAIN = [piece(66), piece(67, 5), piece(70), piece(71, 8)]
VALID = [piece(69)]


def go(out, recipe=RECIPE, **options):
    options = {"accelerator": "cpu", "say": lambda line: None, "config": NETWORK} | options
    config = options.pop("config")
    train, valid = options.pop("train", TRAIN), options.pop("valid", VALID)
    return fit(CHORALE, config, recipe, train, valid, out, **options)


def losses(out):
    with (out if out.is_file() else out / "logs" / "metrics.csv").open() as file:
        return [(row["epoch"], row["train_nats"], row["valid_nats"]) for row in csv.DictReader(file)]


def assert_same_weights(one, other):
    mine, theirs = one.state_dict(), other.state_dict()
    for name in mine:
        torch.testing.assert_close(mine[name], theirs[name], rtol=0, atol=0, msg=f"{name} differs")


def last_weights(out):
    return torch.load(out / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    out = tmp_path_factory.mktemp("uninterrupted")
    said = []
    return out, go(out, say=said.append), said


def test_a_training_returns_its_best_epoch(uninterrupted):
    out, fitted, _ = uninterrupted
    valid = [float(nats) for _, _, nats in losses(out) if nats]
    assert len(valid) == fitted.epochs == 3
    assert fitted.valid_nats == pytest.approx(min(valid))
    assert not fitted.network.training
    assert (out / "checkpoints" / "best.ckpt").exists()
    assert fitted.seconds > 0


def test_every_epoch_is_reported_in_a_line(uninterrupted):
    _, _, said = uninterrupted
    assert [line.split(":")[0] for line in said] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert all(" nats, accuracy 0." in line for line in said)


def test_one_seed_is_one_training(uninterrupted, tmp_path):
    out, fitted, _ = uninterrupted
    torch.rand(17)  # whatever was drawn before
    again = go(tmp_path)
    assert losses(tmp_path) == losses(out)
    assert_same_weights(again.network, fitted.network)


def test_every_epoch_is_drawn_anew(tmp_path, monkeypatch):
    shown = {}
    learn = Learner.training_step

    def training_step(self, batch, index):
        shown.setdefault(self.current_epoch, []).append(batch[1].tolist())
        return learn(self, batch, index)

    monkeypatch.setattr(Learner, "training_step", training_step)
    go(tmp_path)
    assert sorted(shown) == [0, 1, 2]
    assert shown[0] != shown[1] != shown[2]


def test_another_seed_is_another_training(uninterrupted, tmp_path):
    out, _, _ = uninterrupted
    go(tmp_path, Recipe(**{**vars(RECIPE), "seed": 1}))
    assert losses(tmp_path) != losses(out)


class Interrupt:
    """Says nothing, until an epoch's line comes."""

    def __init__(self, epoch):
        self.epoch = epoch

    def __call__(self, line):
        if line.startswith(f"epoch {self.epoch}/"):
            raise KeyboardInterrupt


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_training_that_is_interrupted_and_resumed_goes_the_way_it_would_have_gone(uninterrupted, tmp_path, epoch):
    out, fitted, _ = uninterrupted
    with pytest.raises(TrainingError, match="--resume") as stopped:
        go(tmp_path, say=Interrupt(epoch))
    assert str(tmp_path / "checkpoints" / "last.ckpt") in str(stopped.value)
    resumed = go(tmp_path, resume=True)
    assert resumed.valid_nats == fitted.valid_nats
    assert_same_weights(resumed.network, fitted.network)
    mine, theirs = last_weights(tmp_path), last_weights(out)
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_the_figures_of_the_epochs_before_an_interrupt_are_kept(uninterrupted, tmp_path):
    out, _, _ = uninterrupted
    for epoch in (2, 3):
        with pytest.raises(TrainingError, match="--resume"):
            go(tmp_path, say=Interrupt(epoch), resume=epoch > 2)
    go(tmp_path, resume=True)
    files = sorted((tmp_path / "logs").glob("metrics*.csv"))
    assert [file.name for file in files] == ["metrics-1.csv", "metrics-2.csv", "metrics.csv"]
    assert {row[0] for file in files for row in losses(file)} == {row[0] for row in losses(out)}


def test_a_training_that_is_interrupted_within_an_epoch_resumes_too(uninterrupted, tmp_path, monkeypatch):
    out, _, _ = uninterrupted
    steps = []
    learn = Learner.training_step

    def training_step(self, batch, index):
        steps.append(index)
        if len(steps) == 4:  # the second of the second epoch
            raise KeyboardInterrupt
        return learn(self, batch, index)

    monkeypatch.setattr(Learner, "training_step", training_step)
    with pytest.raises(TrainingError, match="--resume"):
        go(tmp_path)
    go(tmp_path, resume=True)
    mine, theirs = last_weights(tmp_path), last_weights(out)
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_even_the_first_epoch_can_be_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(Learner, "training_step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(TrainingError, match="--resume"):
        go(tmp_path)
    assert (tmp_path / "checkpoints" / "last.ckpt").exists()


def test_a_new_training_in_an_old_folder_does_not_resume_the_old_one(uninterrupted, tmp_path, monkeypatch):
    out, _, _ = uninterrupted
    go(tmp_path, Recipe(**{**vars(RECIPE), "seed": 9}))
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "training_step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(TrainingError, match="--resume"):
            go(tmp_path)
    go(tmp_path, resume=True)
    mine, theirs = last_weights(tmp_path), last_weights(out)
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(TrainingError, match=r"found no last\.ckpt; leave out --resume"):
        go(tmp_path, resume=True)


@pytest.mark.parametrize(("options", "name"), [({"train": []}, "train"), ({"valid": []}, "valid")])
def test_without_pieces_there_is_nothing_to_learn_from(tmp_path, options, name):
    with pytest.raises(TrainingError, match=f"at least one piece to {name} on"):
        go(tmp_path, **options)


def test_windows_longer_than_every_piece_are_nothing_to_learn_from(tmp_path):
    with pytest.raises(TrainingError, match="none that is long enough"):
        go(tmp_path, Recipe(window=64))


def test_windows_can_be_learnt(tmp_path):
    recipe = Recipe(epochs=1, batch_size=4, window=16, optimizer="nadam", schedule="constant", clip=0.0)
    config = ConvLstm(embedding=3, filters=(4, 5), hidden=6)
    assert go(tmp_path, recipe, config=config).valid_nats > 0


def test_where_the_memory_ends_a_smaller_batch_is_proposed(tmp_path, monkeypatch):
    def no_room(*_):
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(Learner, "training_step", no_room)
    with pytest.raises(TrainingError, match="batches of 16; try --batch-size 8"):
        go(tmp_path, Recipe(batch_size=16))


def test_an_error_of_another_kind_is_not_dressed_up(tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Learner, "training_step", broken)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        go(tmp_path)


@pytest.mark.parametrize("config", [NETWORK, ConvLstm(embedding=3, filters=(4, 5), hidden=6)], ids=["lstm", "conv"])
def test_products_in_bfloat16_leave_weights_in_float32(tmp_path, config):
    recipe = Recipe(epochs=1, batch_size=2, precision="bf16-mixed")
    network = go(tmp_path, recipe, config=config).network
    assert {value.dtype for value in network.state_dict().values() if value.is_floating_point()} == {torch.float32}


def test_a_training_goes_on_from_given_weights(uninterrupted, tmp_path):
    _, fitted, _ = uninterrupted
    recipe = Recipe(epochs=1, learning_rate=1e-12, weight_decay=0.0)
    started = go(tmp_path, recipe, start=fitted.network)
    assert started.valid_nats == pytest.approx(fitted.valid_nats, abs=1e-4)


def test_a_training_that_gets_no_better_ends_early(tmp_path):
    recipe = Recipe(epochs=9, patience=2, learning_rate=1e-30, weight_decay=0.0)
    assert go(tmp_path, recipe).epochs < 9


def test_an_inspector_is_heard_and_its_complaint_is_said(tmp_path):
    said, looked = [], []

    def inspect(network):
        looked.append(network.training)
        return "only rests"

    go(tmp_path, inspect=inspect, say=said.append)
    assert looked == [False, False, False]
    assert said.count("warning: only rests") == 3


def test_looking_at_the_network_does_not_change_the_training(uninterrupted, tmp_path):
    out, _, _ = uninterrupted
    go(tmp_path, inspect=lambda network: str(torch.rand(5)) and None)
    assert losses(tmp_path) == losses(out)


def test_time_given_is_time_kept(tmp_path):
    assert go(tmp_path, Recipe(epochs=500), max_minutes=1e-9).epochs <= 2
