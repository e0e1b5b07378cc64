"""LSTMs at the level of notes, and above them a GRU that steps once a bar: what is near, and where the piece is going.

An LSTM that is asked at every step has to carry a phrase through hundreds of them. Here a slower network sums up: where
``span`` steps have passed, a GRU (Cho et al. 2014) reads the mean of the states in them, and what it then says is
told to every step until the next span has passed. So sixteen bars are sixteen of its steps. Two levels of which the
upper one steps at bounds that are given are the hierarchy of El Hihi & Bengio (1995).

How far a row of the batch is in its span belongs to its state, so pieces that began at different places can stand side
by side, and one step is the same as many.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kantor.models._embedding import SummedEmbedding, with_before
from kantor.models._heads import Deep, Heads
from kantor.models._recurrence import Recurrence
from kantor.networks import TwoLevel

__all__ = ["PART", "TwoLevelTrunk"]


class TwoLevelTrunk(nn.Module):
    """See :class:`kantor.networks.TwoLevel` for the sizes."""

    def __init__(self, config: TwoLevel, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.embedding = SummedEmbedding(with_before(inputs, decided), config.embedding, open_=open_)
        self.lstm = Recurrence(
            config.embedding,
            config.hidden,
            config.layers,
            dropout=config.dropout,
            recurrent_dropout=config.recurrent_dropout,
        )
        self.slow = nn.GRU(config.hidden, config.slow, batch_first=True)
        kernel, recurrence, *biases = self.slow.parameters()  # which begin as Keras has them
        nn.init.xavier_uniform_(kernel)
        nn.init.orthogonal_(recurrence)
        for bias in biases:
            nn.init.zeros_(bias)
        self.join = nn.Linear(config.hidden + config.embedding + config.slow, config.head)
        self.dropout, self.input_dropout = nn.Dropout(config.dropout), nn.Dropout(config.input_dropout)
        self.width = config.head

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Chained ones, two layers deep."""
        return Deep(self.width, inputs, outputs, kinds, self.config.dropout)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: hidden and cell state (layers, batch, hidden), and of the level above, what it has last said
        (1, batch, slow), the sum of the states since (batch, hidden), and how many they are (batch, 1).
        """
        config, weight = self.config, self.embedding.weight
        zeros = weight.new_zeros(config.layers, batch, config.hidden)
        said = weight.new_zeros(1, batch, config.slow)  # as a GRU takes it: its sizes are then known to the graph
        return zeros, zeros.clone(), said, weight.new_zeros(batch, config.hidden), weight.new_zeros(batch, 1)

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        embedded = self.input_dropout(self.embedding(inputs))
        states, (hidden, cell) = self.lstm(embedded, (state[0], state[1]))
        states = self.dropout(states)
        told, *above = self._above(states, *state[2:])
        features = self.join(torch.cat([states, embedded, self.dropout(told).to(states.dtype)], dim=-1))
        return features, (hidden, cell, *above)

    def _above(self, states: Tensor, said: Tensor, total: Tensor, count: Tensor) -> tuple[Tensor, ...]:
        """What the level above says to each step (batch, time, slow), and its state after the last one.

        A row that has ``count`` steps of a span behind it ends that span with step ``span - 1 - count``. Rows end
        unlike numbers of spans; the GRU runs over as many as any row could end, and each row takes what it said after
        the last that it did end: what comes later in a row has no part in it.
        """
        span, time = self.config.span, states.shape[1]
        steps = count.long() + torch.arange(time + 1, device=states.device)  # since the row's first open span began
        spans = torch.div(steps, span, rounding_mode="floor")  # (batch, time + 1), how many ended before each step
        numbers = torch.arange((time + span - 1) // span + 1, device=states.device)
        within = (spans[:, None, :-1] == numbers[:, None]).to(states.dtype)  # (batch, spans, time)
        sums = (within @ states).to(total.dtype)
        first = (numbers == 0).to(total.dtype)[:, None]
        sums = sums + first * total[:, None]
        # No row ends the last of these spans; with it there are two at least, and the exported graph serves any number.
        outputs, _ = self.slow(sums / span, said)
        outputs = torch.cat([said.transpose(0, 1), outputs.to(said.dtype)], dim=1)
        told = _taken(outputs, spans)
        ended = spans[:, -1:]
        after = told[:, -1:].transpose(0, 1), _taken(sums, ended)[:, 0], (steps[:, -1:] - span * ended).to(count.dtype)
        return told[:, :-1], *after


def _taken(rows: Tensor, numbers: Tensor) -> Tensor:
    """Of ``rows`` (batch, n, width) those that each row of the batch asks for: (batch, time, width)."""
    return rows.gather(1, numbers[..., None].expand(-1, -1, rows.shape[-1]))


PART = TwoLevelTrunk
