"""A small LSTM for each input, joined by two larger ones: the network of seed 001 and of its parent.

Classes are divided by their number before they are read, as the parent does it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kantor.models._heads import Heads, Owned
from kantor.models._recurrence import Recurrence
from kantor.networks import BranchedLstm

__all__ = ["PART", "BranchedLstmTrunk"]


class BranchedLstmTrunk(nn.Module):
    """See :class:`kantor.networks.BranchedLstm` for the sizes."""

    def __init__(self, config: BranchedLstm, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.width = config.dense
        self.register_buffer("scales", 1 / torch.tensor(inputs, dtype=torch.float32), persistent=False)
        self.branches = nn.ModuleList(Recurrence(1, config.branch) for _ in inputs)
        first = Recurrence(len(inputs) * config.branch, config.hidden)
        self.joined = nn.ModuleList([first, Recurrence(config.hidden, config.hidden)])
        self.branch_dropout = nn.Dropout(config.branch_dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.normalisation = nn.BatchNorm1d(config.hidden, eps=1e-3, momentum=0.01)
        self.dense = nn.Linear(config.hidden, config.dense)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Each with a layer of its own, where the config has one."""
        if self.config.head:
            return Owned(self.width, inputs, outputs, kinds, self.config.head, self.config.dropout)
        return Heads(self.width, inputs, outputs, kinds)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: hidden and cell state of every LSTM in turn, branches first, (1, batch, units) each."""
        weight = self.dense.weight
        units = [self.config.branch] * len(self.branches) + [self.config.hidden] * len(self.joined)
        return tuple(weight.new_zeros(1, batch, size) for size in units for _ in ("hidden", "cell"))

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        scaled = inputs * self.scales  # type: ignore[operator]  # a buffer, hence a tensor
        after: list[Tensor] = []
        branches = []
        for column, lstm in enumerate(self.branches):
            features, left = lstm(scaled[:, :, column : column + 1], (state[2 * column], state[2 * column + 1]))
            branches.append(self.branch_dropout(features))
            after += left
        features = torch.cat(branches, dim=-1)
        for number, lstm in enumerate(self.joined, start=len(self.branches)):
            features, left = lstm(features, (state[2 * number], state[2 * number + 1]))
            after += left
            if lstm is self.joined[0]:
                features = self.dropout(features)
        features = self.dropout(self.normalisation(features.transpose(1, 2)).transpose(1, 2))
        return functional.relu(self.dense(features)), tuple(after)


PART = BranchedLstmTrunk
