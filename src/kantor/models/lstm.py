"""A stack of LSTMs over summed embeddings, with a head that also sees the embedding (Hochreiter & Schmidhuber 1997)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kantor.models._embedding import SummedEmbedding
from kantor.models._heads import Chained, Heads
from kantor.networks import Lstm

__all__ = ["PART", "LstmTrunk", "start_like_keras"]


class LstmTrunk(nn.Module):
    """See :class:`kantor.networks.Lstm` for the sizes."""

    def __init__(self, config: Lstm, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        # A field's own table has one more row: "before the start".
        sizes = [size + 1 if column < decided else size for column, size in enumerate(inputs)]
        self.embedding = SummedEmbedding(sizes, config.embedding, open_=open_)
        between = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(config.embedding, config.hidden, config.layers, batch_first=True, dropout=between)
        start_like_keras(self.lstm)
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


def start_like_keras(lstm: nn.LSTM) -> None:
    """Glorot kernels, orthogonal recurrence, forget bias 1, and one bias a gate: the second stays zero and fixed."""
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(parameter)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(parameter)
        else:
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                quarter = len(parameter) // 4
                parameter.data[quarter : 2 * quarter] = 1.0
            else:
                parameter.requires_grad_(False)


PART = LstmTrunk
