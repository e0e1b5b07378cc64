"""One training, from pieces to a bundle: the loop is Lightning's, what is kept and said is ours.

A run's folder holds ``run.json`` (what is trained, on what), ``checkpoints/`` (the best by validation, the last),
``logs/`` (CSV and TensorBoard) and, when the training has ended, the bundle itself. Every epoch draws its order,
transpositions and dropout from (seed, epoch) alone: a training that is interrupted and resumed goes the way it would
have gone, wherever its folder lies by then.
"""

from __future__ import annotations

import json
import logging
import math
import pickle
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch.utils.data import DataLoader

from kantor.bundle import CARD
from kantor.data.batches import Augmentation, Batch, Pieces
from kantor.data.protocols import HIDDEN
from kantor.errors import OptionError, OutputError, TrainingError
from kantor.io import write_bytes
from kantor.models import Network, build
from kantor.networks import NetworkConfig, to_dict
from kantor.representations import Representation, columns
from kantor.score import Score
from kantor.training.blame import Blame
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe

__all__ = ["Fitted", "check_free", "fit"]

RUN = "run.json"
BEST, LAST = "checkpoints/best.ckpt", "checkpoints/last.ckpt"
CALMER = "try a lower --set learning_rate, into another --out"
#: What torch and its allocators say where there is not enough memory, or could not be on any machine.
NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "defaultcpuallocator",
    "storage size calculation overflowed",
    "overflow when unpacking",
)

Say = Callable[[str], None]
#: Looks at the network after some epochs and says what is wrong with what it writes, or None.
Inspector = Callable[[Network], str | None]


@dataclass(frozen=True)
class Fitted:
    """What came of a training.

    Attributes
    ----------
    network     at its best epoch.
    valid_nats  the validation's figure there.
    best_epoch  which one that is, from 1.
    epochs      how many were begun.
    seconds     that all of it took, earlier runs of a resumed training included.
    """

    network: Network
    valid_nats: float
    best_epoch: int
    epochs: int
    seconds: float


def check_free(out: Path) -> None:
    """See that a new training in ``out`` would not cost an old one its finished epochs.

    Raises
    ------
    TrainingError
        If a training lies there that has finished an epoch and not become a model since.
    """
    last, card = out / LAST, out / CARD
    ended = card.exists() and last.exists() and card.stat().st_mtime >= last.stat().st_mtime
    if last.exists() and (out / BEST).exists() and not ended:
        raise TrainingError(f"expected --resume, or another --out: {out} holds an unfinished training.")


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
    identity: Mapping[str, str] | None = None,
    bar: bool = False,
    say: Say = print,
    inspect: Inspector | None = None,
) -> Fitted:
    """Train a network of ``config`` on ``train``, choose its best epoch by ``valid``.

    Parameters
    ----------
    out          folder of the run; a model that lies there already is kept, its folder moved aside.
    start        a network to go on from (fine-tuning); fresh weights otherwise.
    max_minutes  the schedule is laid over this time where the epochs would take longer; it ends within an epoch, with
                 the batch after which there is just time for the validation.
    resume       take up ``out/checkpoints/last.ckpt``; all but the number of epochs must be as it was.
    identity     what else must be as it was, by name: the corpus's hash.
    inspect      called every few epochs; what it returns is said as a warning.

    Raises
    ------
    TrainingError
        If there is nothing to learn from, nothing to resume or another training, if the memory does not suffice, or
        no epoch's validation is a finite number.
    """
    run = _run(representation, config, recipe, identity or {})
    if resume:
        _check_same(out, run)
    trainer = _trainer(recipe, out, accelerator, bar, _Report(say, inspect))
    torch.manual_seed(recipe.seed)
    learner = Learner((start or _built(representation, config)).train(), recipe, max_minutes)
    loaders = _Loaders(representation, recipe, train, valid, two_sided=config.two_sided)
    if resume:
        _check_checkpoint(out / LAST, learner)
        _keep_figures(out / "logs")
    else:
        _keep_model(out, say)
    write_bytes(out / RUN, (json.dumps(run, indent=1, sort_keys=True) + "\n").encode())
    _go(trainer, learner, loaders, out / LAST, resume)
    return _best(trainer, learner, out / BEST)


def _go(trainer: lightning.Trainer, learner: Learner, loaders: _Loaders, last: Path, resume: bool) -> None:
    """Let Lightning train, and put what may stop it into words."""
    try:
        with warnings.catch_warnings():
            _ignore_known(warnings)
            trainer.fit(learner, datamodule=loaders, ckpt_path=str(last) if resume else None, weights_only=True)
    except SystemExit:  # what Lightning makes of Ctrl-C
        if not last.exists():
            raise TrainingError("stopped before the first step; the same command begins again.") from None
        raise TrainingError(
            f"stopped; {last} holds all finished epochs, and the same command with --resume goes on."
        ) from None
    except (RuntimeError, MemoryError) as error:
        if "without overflow" in str(error):  # a step beyond float32
            raise TrainingError(f"the training diverged, a step was too large for a number; {CALMER}.") from error
        if not _is_memory(error):
            raise
        size = learner.recipe.batch_size
        cure = f"--batch-size {size // 2}" if size > 1 else "a smaller network or --window"
        raise TrainingError(f"the memory does not suffice for batches of {size}; try {cure}.") from error


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in NO_MEMORY)


def _built(representation: Representation, config: NetworkConfig) -> Network:
    try:
        return build(config, *columns(representation))
    except (RuntimeError, MemoryError, TypeError, OverflowError) as error:  # the last two: of numbers beyond 64 bits
        if not _is_memory(error):
            raise
        numbers = {name: value for name, value in to_dict(config).items() if not isinstance(value, bool)}
        sizes = ", ".join(name for name, value in numbers.items() if isinstance(value, int | tuple))
        parameters = config.parameters(*columns(representation))
        raise TrainingError(
            f"the memory does not suffice for a network of {parameters:,} parameters; try a lower --set of {sizes}."
        ) from error


# -- the run's folder ------------------------------------------------------------------------------------------------


def _run(
    representation: Representation, config: NetworkConfig, recipe: Recipe, identity: Mapping[str, str]
) -> dict[str, Any]:
    """What makes a training this one, as JSON can hold it; how long it goes on is no part of that."""
    options = {"name": representation.name, **asdict(representation)}  # type: ignore[call-overload]
    numbers = {name: value for name, value in asdict(recipe).items() if name != "epochs"}
    run = {"representation": options, "network": to_dict(config), "recipe": numbers, **identity}
    made: dict[str, Any] = json.loads(json.dumps(run))
    return made


def _check_same(out: Path, run: Mapping[str, Any]) -> None:
    """Refuse to resume what is not there, or is another training; folders of before ``run.json`` are not asked."""
    if not (out / LAST).exists():
        raise TrainingError(
            f"expected a training to resume in {out}, found no {Path(LAST).name}; leave out --resume to start one."
        )
    if not (out / RUN).exists():
        return
    # what an older run could not say was as it is usually
    usual = dict(_flat(json.loads(json.dumps({"recipe": asdict(Recipe())}))))
    del usual["recipe.epochs"]
    try:
        was = {**usual, **dict(_flat(json.loads((out / RUN).read_text(encoding="utf-8"))))}
    except (OSError, ValueError, AttributeError) as error:
        raise TrainingError(f"expected {out / RUN} to say what is trained there, got {error}; delete it.") from error
    now = dict(_flat(run))
    others = [
        f"{name} {_short(now.get(name))} (was {_short(was.get(name))})"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise TrainingError(
            f"expected to resume the training of {out} as it was begun, got {', '.join(others[:3])}{more}; "
            "try the same settings, or another --out without --resume."
        )


def _flat(nested: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """("recipe.seed", 0) and so on, of everything in ``nested``."""
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield place + name, value


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:12]}..."


def _check_checkpoint(last: Path, learner: Learner) -> None:
    """See that ``last`` can be read and is of this network; Lightning would say so in a traceback."""
    try:
        checkpoint = torch.load(last, map_location="cpu", weights_only=True)
        whole = {"state_dict", "callbacks", "loops", "optimizer_states"} <= checkpoint.keys()
    except (
        pickle.UnpicklingError,
        RuntimeError,
        OSError,
        EOFError,
        LookupError,
        AttributeError,
        ValueError,
        TypeError,
    ):
        whole = False
    if not whole:
        raise TrainingError(
            f"expected a checkpoint in {last}, got a damaged one; copy it again, or delete it and leave out --resume."
        )
    try:
        learner.load_state_dict(checkpoint["state_dict"])
    except RuntimeError as error:
        raise TrainingError(
            f"expected {last} to hold this network, it holds another; try the preset and the --set it was begun with."
        ) from error


def _keep_figures(logs: Path) -> None:
    """Put aside the figures of the epochs so far, which Lightning's logger would begin anew."""
    written = logs / "metrics.csv"
    if written.exists():
        written.rename(logs / f"metrics-{len(list(logs.glob('metrics*.csv')))}.csv")


def _keep_model(out: Path, say: Say) -> None:
    """Where ``out`` holds a model, let the folder be ``out-1``, or the next number that is free."""
    if not (out / CARD).exists():
        return
    place = out if out.name not in ("", "..") else out.resolve()
    aside = next(path for n in count(1) if not (path := place.with_name(f"{place.name}-{n}")).exists())
    try:
        place.rename(aside)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{place} holds a model and cannot be moved aside: {reason}; try another --out.") from error
    say(f"the model that was in {place} is now in {aside}")


def _best(trainer: lightning.Trainer, learner: Learner, best: Path) -> Fitted:
    kept = trainer.checkpoint_callback
    assert isinstance(kept, ModelCheckpoint)
    if kept.best_model_score is None or not best.exists():
        raise TrainingError(f"expected the best epoch in {best}, found none; train anew, into another --out.")
    score, seconds = float(kept.best_model_score), learner.spent_seconds
    if not math.isfinite(score):
        raise TrainingError(f"the training diverged, no epoch's validation is a finite number; {CALMER}.")
    checkpoint: dict[str, Any] = torch.load(best, map_location="cpu", weights_only=True)
    learner.load_state_dict(checkpoint["state_dict"])
    epoch = int(checkpoint["epoch"]) + 1
    nats = float(checkpoint.get("valid_nats", score))
    return Fitted(learner.network.cpu().eval(), nats, epoch, max(trainer.current_epoch, epoch), seconds)


# -- what Lightning is given -----------------------------------------------------------------------------------------


def _trainer(recipe: Recipe, out: Path, accelerator: str, bar: bool, report: Callback) -> lightning.Trainer:
    judged = recipe.judged_by
    keep = ModelCheckpoint(out / "checkpoints", "best", judged, save_last=True, enable_version_counter=False)
    callbacks: list[Callback] = [report, _Moved(), _FirstCheckpoint(), _Dice(), keep]
    if recipe.patience:
        callbacks.append(EarlyStopping(judged, patience=recipe.patience))
    if bar:
        callbacks.append(RichProgressBar(leave=False))
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logs = str(out / "logs")
    try:
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
    except MisconfigurationException as error:
        raise TrainingError(
            f"expected an accelerator that this machine has, got '{accelerator}'; try --accelerator auto."
        ) from error


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
        self,
        representation: Representation,
        recipe: Recipe,
        train: Sequence[Score],
        valid: Sequence[Score],
        *,
        two_sided: bool = False,
    ) -> None:
        super().__init__()
        options: dict[str, Any] = {"window": recipe.window, "two_sided": two_sided}
        varied = Augmentation(
            recipe.transpose,
            recipe.vary_tempo,
            recipe.vary_velocity,
            recipe.bare,
            recipe.unknown,
            together=recipe.ranges == "all",
        )
        if recipe.faults and two_sided:
            raise OptionError(
                f"expected faults to be 0 for a network that fills in, got {recipe.faults}; try a preset that composes."
            )
        if recipe.faults:
            options["judge"] = Blame(representation, recipe.fault_rules)
        self.train = Pieces(train, representation, recipe.batch_size, augmentation=varied, seed=recipe.seed, **options)
        self.valid = Pieces(valid, representation, 2 * recipe.batch_size, hidden=HIDDEN, **options)
        for purpose, pieces in (("train", self.train), ("validate", self.valid)):
            if not pieces.spans:
                raise TrainingError(f"expected at least one piece to {purpose} on, got none that is long enough.")

    def train_dataloader(self) -> DataLoader[Batch]:
        assert self.trainer is not None
        self.train.epoch = self.trainer.current_epoch
        return DataLoader(self.train, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        return DataLoader(self.valid, batch_size=None)


class _Moved(Callback):
    """The best epoch so far goes on counting where the run's folder has moved; Lightning drops it with its path."""

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        keep = trainer.checkpoint_callback
        assert isinstance(keep, ModelCheckpoint)
        folder = Path(str(keep.dirpath))
        best, last = (str(folder / Path(name).name) for name in (BEST, LAST))
        if (known := checkpoint["callbacks"].get(keep.state_key)) is None:
            return
        score = known["best_model_score"] if Path(best).exists() else None
        path = "" if score is None else best
        known |= {"dirpath": keep.dirpath, "last_model_path": last, "best_model_score": score}
        known |= {"best_model_path": path, "kth_best_model_path": path, "best_k_models": {path: score} if path else {}}


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
        accuracy, train = figures.get("valid_accuracy"), figures.get("train_nats")
        shown = f", accuracy {float(accuracy):.4f}" if accuracy is not None else ""
        shown += f", train {float(train):.4f}" if train is not None else ""
        part = "" if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch else ", in part"
        seconds, self._since = time.monotonic() - self._since, time.monotonic()
        self._say(
            f"epoch {epoch}/{trainer.max_epochs}{part}: valid {float(figures['valid_nats']):.4f} nats"
            f"{shown}, {seconds:.0f} s"
        )
        few = max((trainer.max_epochs or 10) // 10, 1)
        if not math.isfinite(float(figures["valid_nats"])):
            self._say("warning: the training has diverged; try a lower learning rate")
        elif self._inspect and epoch % few == 0:
            pl_module.network.eval()
            complaint = self._inspect(pl_module.network)
            if complaint:
                self._say(f"warning: {complaint}")
