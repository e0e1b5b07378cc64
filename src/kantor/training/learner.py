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

__all__ = ["Learner", "one_cycle"]


def one_cycle(progress: float) -> float:
    """Share of the highest learning rate at ``progress`` 0..1: up over the first tenth, then down a half cosine."""
    warm = 0.1
    if progress < warm:
        return 0.04 + 0.96 * progress / warm
    return max(0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm))), 1e-4)


class Learner(lightning.LightningModule):
    """Teacher forcing: at every step the true past is shown.

    What is minimised is the sum of the fields' losses, weighted as the recipe says, a mean over all targets: nats of
    a categorical field; nats of a multi-hot one, where keys that sound may weigh more; of a real one the squared error
    in units of its grid, and a pressure against values below 0. What is reported, and what chooses the best epoch, is
    always nats: a real field counts as a Gaussian whose deviation is that of the validation's errors.

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
        self.spent_seconds = 0.0
        self._since = 0.0

    def forward_fields(self, batch: Batch) -> list[tuple[int, Tensor, Tensor, Tensor]]:
        """Of each field: its number, parameters and targets (steps, ...) that count, and the steps' number."""
        inputs, targets = batch
        heads = self.network.heads
        params, _ = self.network(inputs, self.network.initial(len(inputs)), targets.clamp(min=0))
        found = []
        for k, place in enumerate(heads.places):
            wanted = targets[..., place].flatten(0, 1)
            counted = wanted[:, 0] != PADDING
            found.append((k, params[k].float().flatten(0, 1)[counted], wanted[counted], counted.sum()))
        return found

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor, list[Tensor]]:
        """Weighted loss, nats without the real fields, steps right, steps counted, and the real fields' errors."""
        loss = nats = torch.zeros((), device=batch[0].device)
        right, steps, errors = None, torch.zeros((), device=batch[0].device), []
        weights = self.recipe.loss_weights or (1.0,) * len(self.network.heads.kinds)
        for (k, params, wanted, counted), weight in zip(self.forward_fields(batch), weights, strict=True):
            kind, grid = self.network.heads.kinds[k], self.network.heads.grids[k]
            if kind == "categorical":
                own = functional.cross_entropy(params, wanted[:, 0], reduction="sum")
                nats, hit = nats + own.detach(), params.argmax(-1) == wanted[:, 0]
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
                hit = (guess * grid).round().clamp(min=0) == wanted[:, 0]
            loss = loss + weight * own
            right = hit if right is None else right & hit
            steps = counted
        assert right is not None
        return loss, nats, right.sum(), steps, errors

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        loss, _, _, count, _ = self.losses(batch)
        mean = loss / count
        plain = "real" not in self.network.heads.kinds and self.recipe.positive_weight == 1
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
        self._sums = [0.0, 0.0, 0.0]
        self._squares = [0.0] * self.network.heads.kinds.count("real")

    def validation_step(self, batch: Batch, _index: int) -> None:
        _, nats, right, count, errors = self.losses(batch)
        self._sums = [a + float(b) for a, b in zip(self._sums, (nats, right, count), strict=True)]
        self._squares = [a + float((b**2).sum()) for a, b in zip(self._squares, errors, strict=True)]

    def on_validation_epoch_end(self) -> None:
        nats, right, count = self._sums
        count = max(count, 1)
        real = [k for k, kind in enumerate(self.network.heads.kinds) if kind == "real"]
        deviations = {k: math.sqrt(square / count) for k, square in zip(real, self._squares, strict=True)}
        if deviations and all(map(math.isfinite, deviations.values())):
            self.network.heads.settle(deviations)
        gaussian = sum(0.5 * math.log(2 * math.pi * math.e * max(d, 1e-3) ** 2) for d in deviations.values())
        self.log("valid_nats", nats / count + gaussian, prog_bar=True)
        self.log("valid_accuracy", right / count, prog_bar=True)

    # -- schedule ------------------------------------------------------------------------------------------------

    def configure_optimizers(self) -> Any:
        trained = [p for p in self.network.parameters() if p.requires_grad]
        rate = self.recipe.learning_rate
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
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": "valid_nats"}}

    @property
    def progress(self) -> float:
        """How far the training is, 0..1, by epochs or by time, whichever is further."""
        steps = self.trainer.global_step / max(float(self.trainer.estimated_stepping_batches), 1.0)
        if self.max_seconds is None:
            return min(steps, 1.0)
        return min(max(steps, (self.spent_seconds + time.monotonic() - self._since) / self.max_seconds), 1.0)

    def on_train_start(self) -> None:
        self._since = time.monotonic()

    def on_train_batch_start(self, _batch: Batch, _index: int) -> int | None:
        if self.recipe.schedule == "one-cycle":
            for group in self.optimizers().param_groups:
                group["lr"] = self.recipe.learning_rate * one_cycle(self.progress)
        if self.max_seconds is not None and self.progress >= 1:
            self.trainer.should_stop = True
        return None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["spent_seconds"] = self.spent_seconds + (time.monotonic() - self._since if self._since else 0.0)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.spent_seconds = float(checkpoint.get("spent_seconds", 0.0))
