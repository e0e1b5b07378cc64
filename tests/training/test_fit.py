"""Whole trainings, tiny ones: what is drawn comes from (seed, epoch) alone, and nothing is lost to an interrupt."""

import csv
import json
import math
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from kantor.errors import OutputError, TrainingError
from kantor.networks import BranchedLstm, ConvLstm, Lstm, PlainLstm
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.score import VOICES, Meter, Part, Score
from kantor.training.fit import check_free, fit
from kantor.training.inspection import inspector
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
    return fit(options.pop("known", CHORALE), config, recipe, train, valid, out, **options)


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
    assert fitted.best_epoch == 1 + valid.index(min(valid))
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
    ctrl_c = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingError, match="--resume") as stopped:
        go(tmp_path, say=Interrupt(epoch))
    assert signal.getsignal(signal.SIGINT) is ctrl_c  # which Lightning takes away while it cleans up
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


@pytest.mark.parametrize(("options", "name"), [({"train": []}, "train"), ({"valid": []}, "validate")])
def test_without_pieces_there_is_nothing_to_learn_from(tmp_path, options, name):
    with pytest.raises(TrainingError, match=f"at least one piece to {name} on"):
        go(tmp_path, **options)


def test_pieces_shorter_than_a_window_are_learnt_whole(tmp_path):
    assert go(tmp_path, Recipe(epochs=1, window=64)).valid_nats > 0


def test_pieces_of_one_step_which_is_given_are_nothing_to_learn_from(tmp_path):
    note = Score.from_notes([(0, 480, 60, 80, 0)])
    with pytest.raises(TrainingError, match="at least one piece to train on, got none that is long enough"):
        fit(Regression(), PlainLstm(hidden=4), Recipe(window=8), [note], [note], tmp_path, accelerator="cpu")


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


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried ..."),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
    ],
    ids=["python", "cpu", "cuda", "windows"],
)
def test_the_end_of_memory_is_known_by_its_many_names(tmp_path, monkeypatch, error):
    monkeypatch.setattr(Learner, "training_step", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(TrainingError, match="batches of 1; try a smaller network"):
        go(tmp_path, Recipe(batch_size=1))


@pytest.mark.parametrize(
    "said", ["mat1 and mat2 shapes cannot be multiplied", "input.is_contiguous(memory_format) was false"]
)
def test_an_error_of_another_kind_is_not_dressed_up(tmp_path, monkeypatch, said):
    def broken(*_):
        raise RuntimeError(said)

    monkeypatch.setattr(Learner, "training_step", broken)
    with pytest.raises(RuntimeError) as raised:
        go(tmp_path)
    assert str(raised.value) == said


@pytest.mark.parametrize("hidden", [10**7, 10**18, 10**30])
def test_a_network_beyond_memory_is_refused_by_its_sizes(tmp_path, hidden):
    with pytest.raises(TrainingError, match=r"parameters; try a lower --set of embedding, hidden, layers, head\."):
        go(tmp_path, config=replace(NETWORK, hidden=hidden, chained=True))


@pytest.mark.parametrize("accelerator", ["cuda", "mps"])
def test_an_accelerator_that_is_not_here_is_refused(tmp_path, accelerator):
    if (torch.cuda if accelerator == "cuda" else torch.backends.mps).is_available():
        pytest.skip("it is here")
    with pytest.raises(TrainingError, match=f"got '{accelerator}'; try --accelerator auto"):
        go(tmp_path, accelerator=accelerator)


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


class Clock:
    """Time that passes by work alone: a step of learning takes 10 s, a validation 25 s."""

    def __init__(self, monkeypatch):
        self.now, self.steps, self.rates = 0.0, [], []
        monkeypatch.setattr("kantor.training.learner.time", self)
        learn, validate = Learner.training_step, Learner.validation_step

        def training_step(learner, batch, index):
            self.now += 10
            self.steps.append((learner.current_epoch, index))
            self.rates.append(learner.optimizers().param_groups[0]["lr"])
            return learn(learner, batch, index)

        def validation_step(learner, batch, index):
            self.now += 25
            return validate(learner, batch, index)

        monkeypatch.setattr(Learner, "training_step", training_step)
        monkeypatch.setattr(Learner, "validation_step", validation_step)

    def monotonic(self):
        return self.now


SINGLY = Recipe(epochs=100, batch_size=1, learning_rate=1e-2)  # four batches an epoch


def test_time_given_is_time_kept_within_an_epoch_and_the_part_is_validated(tmp_path, monkeypatch):
    clock, said = Clock(monkeypatch), []
    fitted = go(tmp_path, SINGLY, max_minutes=200 / 60, say=said.append)
    # Two epochs of 40 s and validations of 25 s take 130 s, which leaves time for one more of both.
    assert clock.steps == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 0),
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 0),
        (2, 1),
        (2, 2),
        (2, 3),
    ]
    assert clock.now <= 200
    assert fitted.seconds == clock.now
    assert [line.split(":")[0] for line in said] == ["epoch 1/100", "epoch 2/100", "epoch 3/100"]
    assert (tmp_path / "checkpoints" / "best.ckpt").exists()


@pytest.mark.parametrize("seconds", [75, 100, 160, 170, 180, 300])
def test_whatever_time_is_given_it_is_used_up_to_one_step_and_never_exceeded(tmp_path, monkeypatch, seconds):
    clock, said = Clock(monkeypatch), []
    fitted = go(tmp_path, SINGLY, max_minutes=seconds / 60, say=said.append)
    assert seconds - 2 * 10 - 25 <= clock.now <= seconds
    validated = [float(nats) for _, _, nats in losses(tmp_path) if nats]
    assert len(validated) == len(said) == clock.steps[-1][0] + 1
    assert fitted.valid_nats == pytest.approx(min(validated))
    assert [", in part" in line for line in said] == [False] * (len(said) - 1) + [clock.steps[-1][1] < 3]


def test_the_learning_rate_falls_to_its_end_in_the_time_given(tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    go(tmp_path, SINGLY, max_minutes=2000 / 60)
    peak = clock.rates.index(max(clock.rates))
    assert max(clock.rates) == pytest.approx(1e-2, rel=0.05)
    assert clock.rates[peak:] == sorted(clock.rates[peak:], reverse=True)
    assert clock.rates[-1] < 1e-2 / 100


def test_a_training_whose_time_was_out_goes_on_where_it_is_given_more(tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    first = go(tmp_path, SINGLY, max_minutes=100 / 60)
    spent, steps = clock.now, len(clock.steps)
    further = go(tmp_path, SINGLY, max_minutes=300 / 60, resume=True)
    assert clock.now <= 300 + 1
    assert len(clock.steps) > steps
    assert further.seconds > first.seconds == spent
    assert further.valid_nats <= first.valid_nats
    assert clock.rates[-1] < 1e-2 / 10


def test_of_no_time_at_all_one_batch_is_made(tmp_path):
    said = []
    assert go(tmp_path, Recipe(epochs=500, batch_size=1), max_minutes=1e-9, say=said.append).epochs == 1
    assert said[0].startswith("epoch 1/500, in part: valid ")


def test_a_span_of_silence_does_not_end_a_training(tmp_path):
    first, last = piece(66), piece(67)
    later = last.notes.copy()
    later["onset"] += 40 * 480
    notes = [tuple(row)[:5] for score in (first.notes, later) for row in score.tolist()]
    silent = Score.from_notes(notes, parts=first.parts, meters=first.meters)
    recipe = Recipe(epochs=1, batch_size=4, window=16)
    assert go(tmp_path, recipe, train=[silent], valid=[silent]).valid_nats > 0


def test_the_largest_seed_is_one_for_every_epoch(tmp_path):
    assert go(tmp_path, replace(RECIPE, seed=2**31 - 1)).epochs == 3


# -- fields of every kind ------------------------------------------------------------------------------------------


def study(seed=0, notes=40):
    """A piano: one or two keys at a time, in eighths and sixteenths."""
    rng = np.random.default_rng(seed)
    onset = np.cumsum(rng.choice([120, 240], notes))
    rows = [(int(at), 120, int(pitch), 80, 0) for at, pitch in zip(onset, rng.integers(55, 75, notes), strict=True)]
    rows += [(at, 240, pitch - 12, 70, 0) for at, _, pitch, _, _ in rows[::3]]
    return Score.from_notes(rows, parts=(Part("Piano"),), meters=(Meter(0, 4, 4),))


KINDS = {
    "notes": (
        Notes(inputs=("beat", "stacked"), velocity=True),
        Lstm(embedding=6, hidden=8, layers=1, head=5, chained=True),
        {"transpose": 2, "vary_tempo": 0.1, "vary_velocity": 0.2, "bare": 0.2, "unknown": 0.2, "window": 12},
    ),
    "roll": (Roll(inputs=("rank", "last")), Lstm(embedding=6, hidden=8, layers=1, head=5), {"window": 16}),
    "frames": (Frames(), PlainLstm(hidden=8, dense=6), {"positive_weight": 10.0, "window": 16}),
    "regression": (Regression(), PlainLstm(hidden=8), {"loss_weights": (0.05, 1.0, 1.0), "window": 10}),
    "events": (Events(), BranchedLstm(branch=4, hidden=6, dense=5, head=4), {"window": 10}),
}
EACH_KIND = pytest.mark.parametrize(("representation", "config", "numbers"), KINDS.values(), ids=KINDS)


def go_on(out, kind, **options):
    representation, config, numbers = kind
    recipe = Recipe(**{"epochs": 2, "batch_size": 4, "optimizer": "adam", **numbers})
    options = {"accelerator": "cpu", "say": lambda line: None, **options}
    return fit(representation, config, recipe, [study(1), study(2)], [study(3)], out, **options)


@EACH_KIND
def test_music_of_any_kind_can_be_learnt(tmp_path, representation, config, numbers):
    said = []
    pieces = [study(1), study(2)]
    fitted = go_on(
        tmp_path,
        (representation.learn(pieces), config, numbers),
        say=said.append,
        inspect=inspector(representation.learn(pieces), pieces),
    )
    assert math.isfinite(fitted.valid_nats)
    assert sum(line.startswith("epoch ") for line in said) == 2
    assert all(bool(torch.isfinite(value).all()) for value in fitted.network.state_dict().values())


def test_a_deviation_is_that_of_the_best_epoch_and_outlives_an_interrupt(tmp_path):
    whole = go_on(tmp_path / "whole", KINDS["regression"])
    with pytest.raises(TrainingError, match="--resume"):
        go_on(tmp_path / "resumed", KINDS["regression"], say=Interrupt(2))
    resumed = go_on(tmp_path / "resumed", KINDS["regression"], resume=True)
    assert_same_weights(resumed.network, whole.network)
    assert resumed.valid_nats == whole.valid_nats
    deviations = whole.network.heads.log_deviation.exp()
    assert (deviations[1:] > 0.5).all()  # grid steps; it has learnt next to nothing
    assert (deviations[1:] < 100).all()


# -- what diverges -------------------------------------------------------------------------------------------------


def test_a_training_that_diverges_gives_no_network(tmp_path):
    said = []
    recipe = replace(RECIPE, learning_rate=1e30, schedule="constant", clip=0.0)
    with pytest.raises(TrainingError, match=r"diverged.*try a lower --set learning_rate"):
        go(tmp_path, recipe, say=said.append, inspect=lambda network: pytest.fail("it cannot be sampled"))
    assert "warning: the training has diverged; try a lower learning rate" in said


@pytest.mark.parametrize("wild", [{"learning_rate": 1e38}, {"weight_decay": 1e300}])
def test_a_step_beyond_all_numbers_is_a_training_that_diverged(tmp_path, wild):
    with pytest.raises(TrainingError, match=r"diverged.*try a lower --set learning_rate"):
        go(tmp_path, replace(RECIPE, schedule="constant", **wild))


def test_the_best_epoch_of_a_training_that_diverged_later_is_kept(tmp_path, monkeypatch):
    losses = Learner.losses

    def diverging(self, batch):
        loss, nats, *rest = losses(self, batch)
        wrong = math.nan if self.trainer.validating is False and self.current_epoch else 1.0
        return loss * wrong, nats * wrong, *rest

    monkeypatch.setattr(Learner, "losses", diverging)
    fitted = go(tmp_path)
    assert math.isfinite(fitted.valid_nats)
    assert all(bool(torch.isfinite(value).all()) for value in fitted.network.state_dict().values())


# -- resuming what is another's ------------------------------------------------------------------------------------


@pytest.fixture
def interrupted(tmp_path):
    """The folder of a training stopped in its third epoch."""
    out = tmp_path / "run"
    with pytest.raises(TrainingError, match="--resume"):
        go(out, say=Interrupt(3), identity={"corpus": "a" * 64})
    return out


def test_what_is_trained_is_written_down(interrupted):
    run = json.loads((interrupted / "run.json").read_text())
    assert run["network"]["hidden"] == 8
    assert run["representation"]["name"] == "chorale"
    assert run["recipe"]["batch_size"] == 2
    assert "epochs" not in run["recipe"]
    assert run["corpus"] == "a" * 64


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"recipe": replace(RECIPE, seed=1)}, r"got recipe\.seed 1 \(was 0\); try"),
        ({"recipe": replace(RECIPE, batch_size=4, clip=0.0)}, r"recipe\.batch_size 4 \(was 2\), recipe\.clip 0\.0"),
        ({"config": replace(NETWORK, hidden=9)}, r"network\.hidden 9 \(was 8\)"),
        ({"config": ConvLstm(embedding=3, filters=(4, 5), hidden=6)}, r"network\.dropout .* and \d more"),
        ({"identity": {"corpus": "b" * 64}}, r"corpus bbbbbbbbbbbb\.\.\. \(was aaaaaaaaaaaa\.\.\.\)"),
    ],
    ids=["seed", "recipe", "sizes", "network", "corpus"],
)
def test_another_training_is_not_resumed(interrupted, other, difference):
    before = last_weights(interrupted)
    with pytest.raises(TrainingError, match=difference):
        go(interrupted, resume=True, **({"identity": {"corpus": "a" * 64}} | other))
    assert all(torch.equal(before[name], value) for name, value in last_weights(interrupted).items())


def test_a_training_may_be_resumed_for_more_epochs(uninterrupted, tmp_path):
    _, fitted, _ = uninterrupted
    go(tmp_path)
    further = go(tmp_path, replace(RECIPE, epochs=5), resume=True)
    assert further.epochs == 5
    assert further.valid_nats <= fitted.valid_nats


def test_a_training_that_has_ended_is_resumed_to_its_end(uninterrupted, tmp_path):
    out, fitted, _ = uninterrupted
    shutil.copytree(out, tmp_path / "run")
    again = go(tmp_path / "run", resume=True)
    assert (again.valid_nats, again.best_epoch, again.epochs) == (fitted.valid_nats, fitted.best_epoch, 3)
    assert_same_weights(again.network, fitted.network)


def test_a_folder_of_before_run_json_is_resumed_unasked(interrupted):
    (interrupted / "run.json").unlink()
    assert go(interrupted, resume=True).epochs == 3
    assert (interrupted / "run.json").exists()


def test_without_run_json_another_network_is_still_refused(interrupted):
    (interrupted / "run.json").unlink()
    with pytest.raises(TrainingError, match="to hold this network, it holds another"):
        go(interrupted, config=replace(NETWORK, hidden=9), resume=True)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_damaged_run_json_is_named(interrupted, text):
    (interrupted / "run.json").write_text(text)
    with pytest.raises(TrainingError, match=r"run\.json to say what is trained there, got .*; delete it"):
        go(interrupted, resume=True)


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "list", "folder"])
def test_a_damaged_checkpoint_is_named(interrupted, damage):
    last = interrupted / "checkpoints" / "last.ckpt"
    whole = last.read_bytes()
    last.unlink()
    if damage == "folder":
        last.mkdir()
    elif damage == "list":
        torch.save([1, 2], last)
    else:
        last.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"not a checkpoint"}[damage])
    with pytest.raises(TrainingError, match=r"expected a checkpoint in .*last\.ckpt, got a damaged one"):
        go(interrupted, resume=True, identity={"corpus": "a" * 64})


# -- a folder that moves, or is taken ------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_old", [True, False], ids=["copied", "moved"])
def test_a_moved_training_goes_the_way_it_would_have_gone(uninterrupted, tmp_path, keep_old):
    _, fitted, _ = uninterrupted
    old, new = tmp_path / "old", tmp_path / "new"
    with pytest.raises(TrainingError, match="--resume"):
        go(old, say=Interrupt(3))
    if keep_old:
        shutil.copytree(old, new)
        (old / "checkpoints" / "best.ckpt").write_bytes(b"not this one")
    else:
        old.rename(new)
    resumed = go(new, resume=True)
    assert resumed.valid_nats == fitted.valid_nats
    assert_same_weights(resumed.network, fitted.network)


def worsen(monkeypatch):
    """Let every epoch from now on seem twice as bad."""
    losses = Learner.losses

    def worse(self, batch):
        loss, nats, *rest = losses(self, batch)
        return loss * 2, nats * 2, *rest

    monkeypatch.setattr(Learner, "losses", worse)


def test_a_worse_epoch_does_not_replace_the_best_of_a_moved_training(tmp_path, monkeypatch):
    old, new = tmp_path / "old", tmp_path / "new"
    best = go(old, replace(RECIPE, epochs=2))
    old.rename(new)
    worsen(monkeypatch)
    resumed = go(new, replace(RECIPE, epochs=4), resume=True)
    assert resumed.valid_nats == best.valid_nats
    assert_same_weights(resumed.network, best.network)


def test_where_the_best_epoch_is_lost_the_next_one_counts(interrupted, monkeypatch):
    worsen(monkeypatch)
    (interrupted / "checkpoints" / "best.ckpt").unlink()
    assert go(interrupted, resume=True, identity={"corpus": "a" * 64}).epochs == 3
    assert (interrupted / "checkpoints" / "best.ckpt").exists()


def test_an_unfinished_training_is_not_begun_anew(interrupted):
    with pytest.raises(TrainingError, match=r"expected --resume, or another --out: .* holds an unfinished training"):
        check_free(interrupted)


def test_a_folder_is_free_without_epochs_to_lose(tmp_path, monkeypatch):
    check_free(tmp_path / "nothing here yet")
    monkeypatch.setattr(Learner, "training_step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(TrainingError, match="--resume"):
        go(tmp_path)
    check_free(tmp_path)


def test_a_model_in_the_folder_is_moved_aside(tmp_path):
    out = tmp_path / "run"
    said = []
    for text in ("first", "second"):
        out.mkdir(exist_ok=True)
        (out / "bundle.json").write_text(text)
        go(out, replace(RECIPE, epochs=1), say=said.append)
        assert not (out / "bundle.json").exists()
    assert (tmp_path / "run-1" / "bundle.json").read_text() == "first"
    assert (tmp_path / "run-2" / "bundle.json").read_text() == "second"
    assert f"the model that was in {out} is now in {tmp_path / 'run-2'}" in said


def test_a_model_stays_where_nothing_could_be_trained(tmp_path):
    (tmp_path / "bundle.json").write_text("a model")
    with pytest.raises(TrainingError, match="at least one piece"):
        go(tmp_path, train=[])
    assert (tmp_path / "bundle.json").read_text() == "a model"


def test_a_folder_that_cannot_be_moved_aside_is_named(tmp_path, monkeypatch):
    (tmp_path / "bundle.json").write_text("a model")

    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "rename", refuse)
    with pytest.raises(OutputError, match="cannot be moved aside: permission denied; try another --out"):
        go(tmp_path)
