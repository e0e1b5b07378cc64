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
    """Teacher forcing: at every step the true past is shown, and the loss is the mean over all targets, in nats."""

    def __init__(self, network: Network, recipe: Recipe, max_minutes: float | None = None) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.max_seconds = max_minutes * 60 if max_minutes else None
        self.spent_seconds = 0.0
        self._since = 0.0

    def nats(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Sum of nats over the targets, number of targets, number of right guesses."""
        inputs, targets = batch
        logits, _ = self.network(inputs, self.network.initial(len(inputs)))
        nats = torch.zeros((), device=inputs.device)
        right = torch.zeros((), device=inputs.device)
        for field, scores in enumerate(logits):
            wanted = targets[:, :, field]
            nats = nats + functional.cross_entropy(
                scores.float().flatten(0, 1), wanted.flatten(), ignore_index=PADDING, reduction="sum"
            )
            right = right + (scores.argmax(-1) == wanted).sum()
        return nats, (targets != PADDING).sum(), right

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        nats, count, _ = self.nats(batch)
        loss = nats / count
        self.log("train_nats", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=int(count))
        return loss

    def on_validation_epoch_start(self) -> None:
        self._sums = [0.0, 0, 0]

    def validation_step(self, batch: Batch, _index: int) -> None:
        nats, count, right = self.nats(batch)
        self._sums = [self._sums[0] + float(nats), self._sums[1] + int(count), self._sums[2] + int(right)]

    def on_validation_epoch_end(self) -> None:
        nats, count, right = self._sums
        self.log("valid_nats", nats / max(count, 1), prog_bar=True)
        self.log("valid_accuracy", right / max(count, 1), prog_bar=True)

    # -- schedule ------------------------------------------------------------------------------------------------

    def configure_optimizers(self) -> Any:
        trained = [p for p in self.network.parameters() if p.requires_grad]
        rate = self.recipe.learning_rate
        optimizer: torch.optim.Optimizer
        if self.recipe.optimizer == "nadam":
            # Keras's momentum schedule is .96 ** t, torch's .96 ** (t * momentum_decay).
            optimizer = torch.optim.NAdam(trained, rate, eps=1e-7, momentum_decay=1.0)
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
