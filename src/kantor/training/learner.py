"""The network at school: loss, accuracy, optimiser and schedule, as Lightning wants them."""

from __future__ import annotations

import math
import time
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional

from kantor.data.batches import PADDING, Batch
from kantor.errors import OptionError
from kantor.models import Network
from kantor.training.recipe import Recipe

__all__ = ["Learner", "blame", "one_cycle"]


def one_cycle(progress: float) -> float:
    """Share of the highest learning rate at ``progress`` 0..1: up over the first tenth, then down a half cosine."""
    warm = 0.1
    if progress < warm:
        return 0.04 + 0.96 * progress / warm
    return max(0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm))), 1e-4)


def blame(logits: Tensor, wrong: Tensor) -> Tensor:
    """-log of the probability of all classes that are not ``wrong``, summed: both (steps, classes)."""
    return (logits.logsumexp(-1) - logits.masked_fill(wrong, -math.inf).logsumexp(-1)).sum()


class Learner(lightning.LightningModule):
    """Teacher forcing: at every step the true past is shown.

    What is minimised is the sum of the fields' losses, weighted as the recipe says, a mean over all targets: nats of
    a categorical field; nats of a multi-hot one, where keys that sound may weigh more; of a real one the squared error
    in units of its grid, and a pressure against values below 0. What is reported, and what chooses the best epoch, is
    nats: a real field counts as a Gaussian whose deviation is that of the validation's errors. Beside them
    stands an accuracy, but none where a field is real (see :mod:`kantor.evaluation.likelihood`).

    A training that is given minutes ends with the batch, within an epoch or not, after which there is just time for
    the validation. Its clock starts when the learner is made.

    Raises
    ------
    OptionError
        If the recipe weighs more fields, or fewer, than there are.
    """

    def __init__(self, network: Network, recipe: Recipe, max_minutes: float | None = None) -> None:
        super().__init__()
        fields = len(network.heads.kinds)
        if len(recipe.loss_weights) not in (0, fields):
            raise OptionError(f"expected a loss weight for each of {fields} fields, got {len(recipe.loss_weights)}.")
        self.network = network
        self.recipe = recipe
        self.max_seconds = max_minutes * 60 if max_minutes else None
        self._began = time.monotonic()
        self._before = 0.0  # seconds of earlier runs, where this one is resumed
        self._first: float | None = None  # seconds after which the first step of all began
        self._steps, self._stepping = 0, 0.0  # of this run: steps, and seconds that they took
        self._validation: float | None = None  # seconds that the last one took

    def forward_fields(self, batch: Batch) -> list[tuple[int, Tensor, Tensor, Tensor]]:
        """Of each field: its number, parameters and targets (steps, ...) that count, and which they are."""
        inputs, targets, *_ = batch
        heads = self.network.heads
        params, _ = self.network(inputs, self.network.initial(len(inputs)), targets.clamp(min=0))
        found = []
        for k, place in enumerate(heads.places):
            wanted = targets[..., place].flatten(0, 1)
            counted = wanted[:, 0] != PADDING
            found.append((k, params[k].float().flatten(0, 1)[counted], wanted[counted], counted))
        return found

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor, list[Tensor]]:
        """Weighted loss; nats and steps right, real fields aside; steps counted; the errors of the real fields."""
        if self.network.two_sided:
            return self._open_losses(batch)
        loss = nats = torch.zeros((), device=batch[0].device)
        right, steps, errors = None, torch.zeros((), device=batch[0].device), []
        weights = self.recipe.loss_weights or (1.0,) * len(self.network.heads.kinds)
        for (k, params, wanted, counted), weight in zip(self.forward_fields(batch), weights, strict=True):
            kind, grid = self.network.heads.kinds[k], self.network.heads.grids[k]
            if kind == "categorical":
                own = functional.cross_entropy(params, wanted[:, 0], reduction="sum")
                nats, hit = nats + own.detach(), params.argmax(-1) == wanted[:, 0]
                for faults in batch[2:]:
                    wrong = faults[:, :, k, : params.shape[1]].flatten(0, 1)[counted]
                    own = own + self.recipe.faults * blame(params, wrong)
            elif kind == "multi-hot":
                keys = wanted.to(params.dtype)
                heavy = self.recipe.positive_weight
                # The logits are those of the true odds: what weighting adds to the odds is added here, not learnt.
                own = functional.binary_cross_entropy_with_logits(
                    params + math.log(heavy), keys, 1 + (heavy - 1) * keys, reduction="sum"
                )
                plain = functional.binary_cross_entropy_with_logits(params.detach(), keys, reduction="sum")
                nats, hit = nats + plain, ((params > 0) == (wanted > 0)).all(-1)
            else:
                guess, true = params[:, 0] / grid, wanted[:, 0] / grid
                own = ((guess - true) ** 2 + 10 * (-guess).clamp(min=0)).sum()
                errors.append((guess - true).detach() * grid)
                hit = torch.ones_like(wanted[:, 0], dtype=torch.bool)
            loss = loss + weight * own
            right = hit if right is None else right & hit
            steps = counted.sum()
        assert right is not None
        return loss, nats, right.sum(), steps, errors

    def _open_losses(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor, list[Tensor]]:
        """The same of a two-sided network, where a mean over its open cells is what counts of each piece.

        With masks whose size is uniform it is the loss of a cell in the order of filling in, over all orders (Uria et
        al. 2014).
        """
        inputs, targets, *_ = batch
        params, _ = self.network(inputs, self.network.initial(len(inputs)))
        fields = list(zip(params, targets.unbind(-1), strict=True))
        nats = [functional.cross_entropy(own.float().mT, wanted, reduction="none") for own, wanted in fields]
        right = [own.argmax(-1) == wanted for own, wanted in fields]
        cells = (targets != PADDING).sum((1, 2)).clamp(min=1)
        loss = (torch.stack(nats).sum((0, 2)) / cells).sum()
        count = torch.tensor(len(targets), device=targets.device)
        return loss, loss.detach(), (torch.stack(right).sum((0, 2)) / cells).sum(), count, []

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        loss, _, _, count, _ = self.losses(batch)
        mean = loss / count
        plain = "real" not in self.network.heads.kinds and self.recipe.positive_weight == 1 and not self.recipe.faults
        self.log(
            "train_nats" if plain else "train_loss",
            mean,
            on_step=False,
            on_epoch=True,
            prog_bar=True,
            batch_size=int(count),
        )
        return mean

    def on_validation_epoch_start(self) -> None:
        self._validating = time.monotonic()
        self._sums = [0.0, 0.0, 0.0, 0.0]
        self._squares = [0.0] * self.network.heads.kinds.count("real")

    def validation_step(self, batch: Batch, _index: int) -> None:
        loss, nats, right, count, errors = self.losses(batch)
        self._sums = [a + float(b) for a, b in zip(self._sums, (loss, nats, right, count), strict=True)]
        self._squares = [a + float((b**2).sum()) for a, b in zip(self._squares, errors, strict=True)]

    def on_validation_epoch_end(self) -> None:
        loss, nats, right, count = self._sums
        count = max(count, 1)
        real = [k for k, kind in enumerate(self.network.heads.kinds) if kind == "real"]
        deviations = {k: math.sqrt(square / count) for k, square in zip(real, self._squares, strict=True)}
        if deviations and all(map(math.isfinite, deviations.values())):
            self.network.heads.settle(deviations)
        gaussian = sum(0.5 * math.log(2 * math.pi * math.e * max(d, 1e-3) ** 2) for d in deviations.values())
        self.log("valid_nats", nats / count + gaussian, prog_bar=True)
        if self.recipe.faults:
            self.log("valid_loss", loss / count)
        if not real:
            self.log("valid_accuracy", right / count, prog_bar=True)
        self._validation = time.monotonic() - self._validating

    # -- schedule ------------------------------------------------------------------------------------------------

    def configure_optimizers(self) -> Any:
        tables = self.network.heads.tables
        late = {id(table) for table in tables}
        trained: list[Any] = [p for p in self.network.parameters() if p.requires_grad and id(p) not in late]
        rate = self.recipe.learning_rate
        if tables:
            trained = [{"params": trained}, {"params": tables, "lr": self.recipe.tables_rate, "weight_decay": 0.0}]
        optimizer: torch.optim.Optimizer
        if self.recipe.optimizer == "nadam":
            # Keras's momentum schedule is .96 ** t, torch's .96 ** (t * momentum_decay).
            optimizer = torch.optim.NAdam(trained, rate, eps=1e-7, momentum_decay=1.0)
        elif self.recipe.optimizer == "adam":
            optimizer = torch.optim.Adam(trained, rate, eps=1e-7)
        else:
            optimizer = torch.optim.AdamW(trained, rate, betas=(0.9, 0.98), weight_decay=self.recipe.weight_decay)
        if self.recipe.schedule != "plateau":
            return optimizer
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": self.recipe.judged_by}}

    @property
    def spent_seconds(self) -> float:
        """Since the training began, its earlier runs included."""
        return self._before + time.monotonic() - self._began

    @property
    def progress(self) -> float:
        """How far the training is, 0..1, by epochs or by time, whichever is further."""
        steps = self.trainer.global_step / max(float(self.trainer.estimated_stepping_batches), 1.0)
        if self.max_seconds is None:
            return min(steps, 1.0)
        first = self._first or 0.0
        room = max(self.max_seconds - first - self._reserve(self.max_seconds - first), 1e-9)
        return min(max(steps, (self.spent_seconds - first) / room), 1.0)

    def _reserve(self, room: float) -> float:
        """Seconds to keep for one more batch and the last validation, at most half of all there are.

        Until there has been a validation, it is judged by the batches so far: one of its own has twice the pieces and
        goes forward only, a third of the work, so that it takes two thirds of a step's time.
        """
        step = self._stepping / max(self._steps, 1)
        validation = self._validation
        if validation is None:
            validation = step * 2 / 3 * sum(map(float, self.trainer.num_val_batches))
        return min(step + validation, max(room, 0.0) / 2)

    def on_train_start(self) -> None:
        if self._first is None:
            self._first = self.spent_seconds

    def on_train_batch_start(self, _batch: Batch, _index: int) -> int | None:
        self._step_began = time.monotonic()
        if self.recipe.schedule == "one-cycle":
            after, progress = self.recipe.tables_after, self.progress
            network, *tables = self.optimizers().param_groups
            network["lr"] = self.recipe.learning_rate * one_cycle(progress)
            for group in tables:
                late = (progress - after) / (1 - after)
                for table in group["params"]:
                    table.requires_grad_(late > 0)  # at rest, it is no part of the gradient's norm
                group["lr"] = self.recipe.tables_rate * one_cycle(late) if late > 0 else 0.0
        return None

    def on_train_batch_end(self, _outputs: Any, _batch: Batch, _index: int) -> None:
        self._steps, self._stepping = self._steps + 1, self._stepping + time.monotonic() - self._step_began
        self._stop_in_time()

    def on_validation_end(self) -> None:
        self._stop_in_time()

    def _stop_in_time(self) -> None:
        if self.max_seconds is not None and self.progress >= 1:
            self.trainer.should_stop = True  # Lightning then leaves the epoch, and validates before it does

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["spent_seconds"], checkpoint["first_seconds"] = self.spent_seconds, self._first or 0.0
        if (nats := self.trainer.callback_metrics.get("valid_nats")) is not None:
            checkpoint["valid_nats"] = float(nats)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._before = float(checkpoint.get("spent_seconds", 0.0))
        self._first = float(checkpoint.get("first_seconds", 0.0))
