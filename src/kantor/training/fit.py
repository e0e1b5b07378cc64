"""One training, from pieces to a bundle: the loop is Lightning's, what is kept and said is ours.

A run's folder holds ``checkpoints/`` (the best by validation, the last), ``logs/`` (CSV and TensorBoard) and, when
the training has ended, the bundle itself. Every epoch draws its order, transpositions and dropout from (seed, epoch)
alone: a training that is interrupted and resumed goes the way it would have gone.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from kantor.data.batches import Augmentation, Batch, Pieces
from kantor.data.protocols import HIDDEN, windows
from kantor.errors import TrainingError
from kantor.models import Network, build
from kantor.networks import NetworkConfig
from kantor.representations import Representation, columns
from kantor.score import Score
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe

__all__ = ["Fitted", "fit"]

Say = Callable[[str], None]
#: Looks at the network after some epochs and says what is wrong with what it writes, or None.
Inspector = Callable[[Network], str | None]


@dataclass(frozen=True)
class Fitted:
    """What came of a training: the network at its best epoch, and the validation's figures there."""

    network: Network
    valid_nats: float
    epochs: int
    seconds: float


def fit(
    representation: Representation,
    config: NetworkConfig,
    recipe: Recipe,
    train: Sequence[Score],
    valid: Sequence[Score],
    out: Path,
    *,
    start: Network | None = None,
    max_minutes: float | None = None,
    accelerator: str = "auto",
    resume: bool = False,
    bar: bool = False,
    say: Say = print,
    inspect: Inspector | None = None,
) -> Fitted:
    """Train a network of ``config`` on ``train``, choose its best epoch by ``valid``.

    Parameters
    ----------
    start        a network to go on from (fine-tuning); fresh weights otherwise.
    max_minutes  the schedule is laid over this time where the epochs would take longer.
    resume       take up ``out/checkpoints/last.ckpt``.
    inspect      called every few epochs; what it returns is said as a warning.

    Raises
    ------
    TrainingError
        If there is nothing to learn from, nothing to resume, or the memory does not suffice.
    """
    last = out / "checkpoints" / "last.ckpt"
    if resume and not last.exists():
        raise TrainingError(
            f"expected a training to resume in {out}, found no {last.name}; leave out --resume to start one."
        )
    torch.manual_seed(recipe.seed)
    network = (start or build(config, *columns(representation))).train()
    learner = Learner(network, recipe, max_minutes)
    loaders = _Loaders(representation, recipe, train, valid)
    if resume:
        _keep_figures(out / "logs")
    trainer = _trainer(recipe, out, accelerator, bar, _Report(say, inspect))
    try:
        with warnings.catch_warnings():
            _ignore_known(warnings)
            trainer.fit(learner, datamodule=loaders, ckpt_path=str(last) if resume else None, weights_only=True)
    except SystemExit:  # what Lightning makes of Ctrl-C
        raise TrainingError(
            f"stopped; {last} holds all finished epochs, and the same command with --resume goes on."
        ) from None
    except (RuntimeError, MemoryError) as error:
        if "memory" in str(error).lower() or isinstance(error, MemoryError):
            raise TrainingError(
                f"the memory does not suffice for batches of {recipe.batch_size}; "
                f"try --batch-size {max(recipe.batch_size // 2, 1)}."
            ) from error
        raise
    return _best(trainer, learner)


def _keep_figures(logs: Path) -> None:
    """Put aside the figures of the epochs so far, which Lightning's logger would begin anew."""
    written = logs / "metrics.csv"
    if written.exists():
        written.rename(logs / f"metrics-{len(list(logs.glob('metrics*.csv')))}.csv")


def _best(trainer: lightning.Trainer, learner: Learner) -> Fitted:
    kept = trainer.checkpoint_callback
    assert isinstance(kept, ModelCheckpoint)
    checkpoint: dict[str, Any] = torch.load(kept.best_model_path, map_location="cpu", weights_only=True)
    learner.load_state_dict(checkpoint["state_dict"])
    best = float(kept.best_model_score) if kept.best_model_score is not None else float("nan")
    return Fitted(learner.network.cpu().eval(), best, trainer.current_epoch, float(checkpoint["spent_seconds"]))


def _trainer(recipe: Recipe, out: Path, accelerator: str, bar: bool, report: Callback) -> lightning.Trainer:
    keep = ModelCheckpoint(out / "checkpoints", "best", "valid_nats", save_last=True, enable_version_counter=False)
    callbacks: list[Callback] = [report, _FirstCheckpoint(), _Dice(), keep]
    if recipe.patience:
        callbacks.append(EarlyStopping("valid_nats", patience=recipe.patience))
    if bar:
        callbacks.append(RichProgressBar(leave=False))
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logs = str(out / "logs")
    return lightning.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=recipe.epochs,
        precision=recipe.precision,  # the recipe has checked it
        gradient_clip_val=recipe.clip or None,
        logger=[CSVLogger(logs, name="", version=""), TensorBoardLogger(logs, name="", version="")],
        callbacks=callbacks,
        enable_progress_bar=bar,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,  # more would warn where an epoch has fewer batches; figures are logged by epoch anyway
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
    )


def _ignore_known(module: Any) -> None:
    """Warnings of Lightning's that a user can do nothing about here."""
    module.filterwarnings("ignore", message=".*LeafSpec.*")  # torch 2.13 deprecates what Lightning 2.6 calls
    module.filterwarnings("ignore", message=".*does not have many workers.*")  # the batches are made in memory
    module.filterwarnings("ignore", message=".*Checkpoint directory .* exists.*")
    module.filterwarnings("ignore", message=".*Experiment logs directory .* exists.*")
    module.filterwarnings("ignore", message=".*GPU available but not used.*")
    module.filterwarnings("ignore", message=".*`IterableDataset` has `__len__` defined.*")  # and it is exact


class _Loaders(lightning.LightningDataModule):
    """Fresh batches for every epoch."""

    def __init__(
        self, representation: Representation, recipe: Recipe, train: Sequence[Score], valid: Sequence[Score]
    ) -> None:
        super().__init__()
        given = 0
        if recipe.window:
            train = [window for score in train for window in windows(score, recipe.window)]
            valid = [window for score in valid for window in windows(score, recipe.window)]
            given = 1
        for name, scores in (("train", train), ("valid", valid)):
            if not scores:
                raise TrainingError(f"expected at least one piece to {name} on, got none that is long enough.")
        varied = Augmentation(recipe.transpose, recipe.bare, recipe.unknown)
        self.train = Pieces(
            train, representation, recipe.batch_size, given=given, augmentation=varied, seed=recipe.seed
        )
        self.valid = Pieces(valid, representation, 2 * recipe.batch_size, given=given, hidden=HIDDEN)

    def train_dataloader(self) -> DataLoader[Batch]:
        assert self.trainer is not None
        self.train.epoch = self.trainer.current_epoch
        return DataLoader(self.train, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        return DataLoader(self.valid, batch_size=None)


class _FirstCheckpoint(Callback):
    """A checkpoint before the first epoch ends, so that even the earliest interrupt can be resumed."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        keep = trainer.checkpoint_callback
        assert isinstance(keep, ModelCheckpoint)
        if trainer.ckpt_path is None:  # a new training, even where an old one left its checkpoint
            trainer.save_checkpoint(Path(str(keep.dirpath)) / "last.ckpt")


class _Dice(Callback):
    """Dropout from (seed, epoch) alone: seeded at the first batch, for Lightning draws before it where it resumes."""

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, Learner)
        if batch_idx == 0:
            torch.manual_seed(pl_module.recipe.seed * 100_003 + trainer.current_epoch)


class _Report(Callback):
    """One line an epoch, and a look at what the network writes every few."""

    def __init__(self, say: Say, inspect: Inspector | None) -> None:
        self._say, self._inspect = say, inspect
        self._since = time.monotonic()

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._since = time.monotonic()

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        assert isinstance(pl_module, Learner)
        figures = trainer.callback_metrics
        epoch = trainer.current_epoch + 1
        train = figures.get("train_nats")
        shown = f", train {float(train):.4f}" if train is not None else ""
        seconds, self._since = time.monotonic() - self._since, time.monotonic()
        self._say(
            f"epoch {epoch}/{trainer.max_epochs}: valid {float(figures['valid_nats']):.4f} nats, "
            f"accuracy {float(figures['valid_accuracy']):.4f}{shown}, {seconds:.0f} s"
        )
        few = max((trainer.max_epochs or 10) // 10, 1)
        if self._inspect and epoch % few == 0:
            pl_module.network.eval()
            complaint = self._inspect(pl_module.network)
            if complaint:
                self._say(f"warning: {complaint}")
