"""A stack of LSTMs over summed embeddings, with a head that also sees the embedding (Hochreiter & Schmidhuber 1997)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kantor.models._embedding import SummedEmbedding, with_before
from kantor.models._heads import Chained, Heads
from kantor.models._recurrence import Recurrence
from kantor.networks import Lstm

__all__ = ["PART", "LstmTrunk"]


class LstmTrunk(nn.Module):
    """See :class:`kantor.networks.Lstm` for the sizes."""

    def __init__(self, config: Lstm, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.embedding = SummedEmbedding(with_before(inputs, decided), config.embedding, open_=open_)
        self.lstm = Recurrence(config.embedding, config.hidden, config.layers, dropout=config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.width = config.head or config.hidden
        seen = config.hidden + config.embedding
        self.head = nn.Sequential(nn.Linear(seen, config.head), nn.GELU()) if config.head else None

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Chained or independent, as the config has it."""
        if self.config.chained:
            return Chained(self.width, inputs, outputs, kinds, self.config.dropout)
        return Heads(self.width, inputs, outputs, kinds)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: hidden and cell state, (layers, batch, hidden) each."""
        zeros = self.embedding.weight.new_zeros(self.config.layers, batch, self.config.hidden)
        return zeros, zeros.clone()

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        embedded = self.embedding(inputs)
        features, (hidden, cell) = self.lstm(embedded, (state[0], state[1]))
        features = self.dropout(features)
        if self.head is not None:
            features = self.dropout(self.head(torch.cat([features, embedded], dim=-1)))
        return features, (hidden, cell)


PART = LstmTrunk
