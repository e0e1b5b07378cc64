"""Numbers scaled to about 1 and a stack of LSTMs, with nothing in between: the networks of seeds 002, 003 and 004.

A class is divided by the number of classes (a pitch by 128), a real field by its grid (so that it is in quarters), a
key is 0 or 1. What generation feeds back is scaled by the same division as what training showed: where the seeds
divided the prompt's pitches and fed their own back as they were, the network saw numbers it had never met.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kantor.models._heads import Heads
from kantor.models._recurrence import Recurrence
from kantor.networks import PlainLstm

__all__ = ["PART", "PlainLstmTrunk"]


class PlainLstmTrunk(nn.Module):
    """See :class:`kantor.networks.PlainLstm` for the sizes."""

    def __init__(self, config: PlainLstm, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.width = config.dense or config.hidden
        self.register_buffer("scales", 1 / torch.tensor(inputs, dtype=torch.float32), persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = Recurrence(len(inputs), config.hidden, config.layers, dropout=config.dropout)
        self.dense = nn.Linear(config.hidden, config.dense) if config.dense else None
        if self.dense is not None:
            nn.init.xavier_uniform_(self.dense.weight)
            nn.init.zeros_(self.dense.bias)
        self.dense_dropout = nn.Dropout(config.dense_dropout)

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Independent ones."""
        return Heads(self.width, inputs, outputs, kinds)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: hidden and cell state, (layers, batch, hidden) each."""
        weight: Tensor = self.lstm.weight_ih_l0  # type: ignore[assignment]
        zeros = weight.new_zeros(self.config.layers, batch, self.config.hidden)
        return zeros, zeros.clone()

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        scaled = self.dropout(inputs * self.scales)  # type: ignore[operator]  # a buffer, hence a tensor
        features, (hidden, cell) = self.lstm(scaled, (state[0], state[1]))
        if self.dense is not None:
            features = self.dense_dropout(functional.relu(self.dense(features)))
        return features, (hidden, cell)


PART = PlainLstmTrunk
