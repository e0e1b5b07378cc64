"""Dilated causal convolutions, then an LSTM: seed 000's network, after Géron, *Hands-On Machine Learning*, ch. 15.

Each convolution keeps its last inputs as state, zeros at first; so a piece can be read whole or step by step, and
the zeros are what Keras's causal padding puts there.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from kantor.models._heads import Heads
from kantor.models._recurrence import Recurrence
from kantor.networks import ConvLstm

__all__ = ["PART", "ConvLstmTrunk"]


class ConvLstmTrunk(nn.Module):
    """See :class:`kantor.networks.ConvLstm` for the sizes."""

    def __init__(self, config: ConvLstm, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.width = config.hidden
        self.tables = nn.ModuleList(nn.Embedding(size, config.embedding) for size in inputs)
        for table in self.tables:
            nn.init.uniform_(table.weight, -0.05, 0.05)  # type: ignore[arg-type]
        widths = (config.embedding, *config.filters)
        pairs = list(pairwise(widths))
        self.convolutions = nn.ModuleList(nn.Conv1d(a, b, 2, dilation=2**n) for n, (a, b) in enumerate(pairs))
        for convolution in self.convolutions:
            nn.init.xavier_uniform_(convolution.weight)  # type: ignore[arg-type]
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        self.normalisations = nn.ModuleList(nn.BatchNorm1d(b, eps=1e-3, momentum=0.01) for _, b in pairs)
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = Recurrence(widths[-1], config.hidden)

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Independent ones."""
        return Heads(self.width, inputs, outputs, kinds)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: the LSTM's (1, batch, hidden) twice, then each convolution's past, (batch, channels, dilation)."""
        weight: Tensor = self.lstm.weight_ih_l0  # type: ignore[assignment]
        widths = (self.config.embedding, *self.config.filters)
        past = (weight.new_zeros(batch, width, 2**n) for n, width in enumerate(widths[:-1]))
        hidden = weight.new_zeros(1, batch, self.config.hidden)
        return hidden, hidden.clone(), *past

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        signal = self._embed(inputs).transpose(1, 2)
        past = []
        for convolution, normalisation, before in zip(self.convolutions, self.normalisations, state[2:], strict=True):
            padded = torch.cat([before, signal], dim=2)
            past.append(padded[:, :, -before.shape[2] :])
            signal = normalisation(functional.relu(convolution(padded)))
        features, (hidden, cell) = self.lstm(self.dropout(signal.transpose(1, 2)), (state[0], state[1]))
        return features, (hidden, cell, *past)

    def _embed(self, inputs: Tensor) -> Tensor:
        total = torch.zeros(1, device=inputs.device)
        for column, table in enumerate(self.tables):
            ids = inputs[:, :, column]
            known = (ids < table.num_embeddings).unsqueeze(-1)  # type: ignore[operator]
            total = total + table(ids.clamp(max=table.num_embeddings - 1)) * known  # type: ignore[operator]
        return total


PART = ConvLstmTrunk
