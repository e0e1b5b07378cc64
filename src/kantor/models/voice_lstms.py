"""A network for each voice: every one hears what all have sung, and what the voices before it sing now.

Four singers with ears, not one player with four hands: the networks share no weights. Each has embeddings of all
inputs, the fields of the step before among them, and LSTMs of its own; its head is told the fields of its own step
that are decided before its own. Where the fields are not voices, it is a network a field.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kantor.models._embedding import SummedEmbedding, with_before
from kantor.models._heads import Deep, Heads
from kantor.models._recurrence import Recurrence
from kantor.networks import VoiceLstms

__all__ = ["PART", "Apart", "VoiceLstmsTrunk"]


class Voice(nn.Module):
    """One network: embedding and LSTMs, joined."""

    def __init__(self, config: VoiceLstms, sizes: Sequence[int], open_: bool) -> None:
        super().__init__()
        self.embedding = SummedEmbedding(sizes, config.embedding, open_=open_)
        self.lstm = Recurrence(
            config.embedding,
            config.hidden,
            config.layers,
            dropout=config.dropout,
            recurrent_dropout=config.recurrent_dropout,
        )
        self.join = nn.Linear(config.hidden + config.embedding, config.head)
        self.dropout, self.input_dropout = nn.Dropout(config.dropout), nn.Dropout(config.input_dropout)

    def forward(self, inputs: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Features (batch, time, head), and hidden and cell state after, (layers, batch, hidden) each."""
        embedded = self.input_dropout(self.embedding(inputs))
        states, after = self.lstm(embedded, (hidden, cell))
        return self.join(torch.cat([self.dropout(states), embedded], dim=-1)), after


class Apart(Deep):
    """Deep heads, each of which reads features of its own: the ``seen`` of field k stand at k * seen."""

    def __init__(
        self, seen: int, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str], dropout: float
    ) -> None:
        super().__init__(seen, inputs, outputs, kinds, dropout)
        self.seen = seen

    def hidden(self, k: int, features: Tensor, values: Tensor) -> Tensor:
        """See :class:`kantor.models._heads.Chained`."""
        return super().hidden(k, features[..., k * self.seen : (k + 1) * self.seen], values)


class VoiceLstmsTrunk(nn.Module):
    """See :class:`kantor.networks.VoiceLstms` for the sizes.

    There are as many voices as fields, which are told with the heads: until these are made, there are none.
    """

    def __init__(self, config: VoiceLstms, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.open = open_
        self.sizes = with_before(inputs, decided)
        self.voices = nn.ModuleList()

    @property
    def width(self) -> int:
        """Of the features: those of all voices, side by side."""
        return len(self.voices) * self.config.head

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Chained ones, two layers deep, one for each voice; and the voices."""
        self.voices = nn.ModuleList(Voice(self.config, self.sizes, self.open) for _ in outputs)
        return Apart(self.config.head, inputs, outputs, kinds, self.config.dropout)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: hidden and cell state of every voice in turn, (layers, batch, hidden) each."""
        config, weight = self.config, next(self.parameters())
        return tuple(weight.new_zeros(config.layers, batch, config.hidden) for _ in range(2 * len(self.voices)))

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        features: list[Tensor] = []
        after: list[Tensor] = []
        for voice, hidden, cell in zip(self.voices, state[::2], state[1::2], strict=True):
            own, left = voice(inputs, hidden, cell)
            features.append(own)
            after += left
        return torch.cat(features, dim=-1), tuple(after)


PART = VoiceLstmsTrunk
