"""A stack of LSTMs that looks back: at each step it attends to what it knew at earlier steps, and to what came then.

A piece of music repeats itself, sometimes to the note. What an LSTM carries in its state fades; here every step leaves
an entry behind, whose key is the state in which the step was decided, and whose value is that state with *the fields
that were then decided*. A later step whose state is alike finds the entry, and with it how the music went on (content
addressing as in Bahdanau et al. 2015; the value as an induction head has it, Olsson et al. 2022). Learned biases by
distance, and by distance modulo :data:`CYCLE`, say how far back to look; an entry that is always there lets it look at
nothing.

The entries are a ring in the state, so time and memory do not grow with the piece, and one step is the same as many.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kantor.models._counterpoint import Counterpoint
from kantor.models._embedding import SummedEmbedding, with_before
from kantor.models._heads import Deep, Heads
from kantor.models._recurrence import Recurrence
from kantor.networks import CYCLE, AttentiveLstm

__all__ = ["PART", "AttentiveLstmTrunk"]

NEVER = -1e4  # added to the score of an entry that is not there


class AttentiveLstmTrunk(nn.Module):
    """See :class:`kantor.networks.AttentiveLstm` for the sizes."""

    def __init__(self, config: AttentiveLstm, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.decided = decided
        self.voices = decided if config.counterpoint else 0
        sizes = with_before(inputs[:decided] + inputs[decided + self.voices :], decided)
        self.embedding = SummedEmbedding(sizes, config.embedding, open_=open_)
        self.lstm = Recurrence(
            config.embedding,
            config.hidden,
            config.layers,
            dropout=config.dropout,
            recurrent_dropout=config.recurrent_dropout,
        )
        self.query = nn.Linear(config.hidden, config.attention)
        self.key = nn.Linear(config.hidden, config.attention)
        self.value = nn.Linear(config.hidden, config.attention)
        self.then = SummedEmbedding(sizes[:decided], config.attention, open_=open_)
        self.near = nn.Parameter(torch.zeros(config.memory))  # by distance, from 1
        self.cycle = nn.Parameter(torch.zeros(CYCLE))
        self.nothing = nn.Parameter(torch.zeros(config.attention, 1))
        self.join = nn.Linear(config.hidden + config.embedding + config.attention, config.head)
        self.dropout, self.input_dropout = nn.Dropout(config.dropout), nn.Dropout(config.input_dropout)
        self.width = config.head + self.voices

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Chained ones, two layers deep; with counterpoint where it is asked for."""
        made = Counterpoint if self.config.counterpoint else Deep
        return made(self.config.head, inputs, outputs, kinds, self.config.dropout)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: hidden and cell state (layers, batch, hidden), keys (batch, memory, attention + 1) and values.

        The last of a key's numbers says whether the entry is there.
        """
        config = self.config
        zeros = self.embedding.weight.new_zeros(config.layers, batch, config.hidden)
        entries = self.embedding.weight.new_zeros(batch, config.memory, config.attention)
        return zeros, zeros.clone(), functional.pad(entries, (0, 1)), entries

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        last, inputs = self._apart(inputs)
        embedded = self.input_dropout(self.embedding(inputs))
        states, (hidden, cell) = self.lstm(embedded, (state[0], state[1]))
        states = self.dropout(states)
        found, keys, values = self._look_back(states, self.then(inputs[..., : self.decided]), state[2], state[3])
        features = self.join(torch.cat([states, embedded, self.dropout(found)], dim=-1))
        if self.voices:
            features = torch.cat([features, last.to(features.dtype)], dim=-1)
        return features, (hidden, cell, keys, values)

    def _apart(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """What the voices sang last, which is for counterpoint alone; and all other inputs."""
        before, last, rest = inputs.tensor_split((self.decided, self.decided + self.voices), dim=-1)
        return last, torch.cat([before, rest], dim=-1) if self.voices else inputs

    def _look_back(self, states: Tensor, then: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What each step finds (batch, time, attention), and the entries after the last one.

        ``then`` (batch, time, attention) tells each step what was decided in the one before it.
        """
        time, memory = states.shape[1], self.config.memory
        keys = torch.cat([keys, functional.pad(self.key(states), (0, 1), value=1.0).to(keys.dtype)], dim=1)
        # What was decided at a step is known with the next one: the last entry lacks it until then.
        ending = torch.cat([values[:, -1:], self.value(states).to(values.dtype)], dim=1)
        ending = ending + functional.pad(then, (0, 0, 0, 1)).to(values.dtype)
        values = torch.cat([values[:, :-1], ending], dim=1)
        query = self.query(states)
        scores = (query @ keys[..., :-1].to(query.dtype).transpose(1, 2)).float() / self.config.attention**0.5
        steps = torch.arange(time, device=states.device)
        back = steps[:, None] + memory - torch.arange(keys.shape[1], device=states.device)[None]  # steps ago
        within = (back >= 1) & (back <= memory)
        bias = self.near[(back - 1).clamp(0, memory - 1)] + self.cycle[back % CYCLE]
        absent = (1 - keys[..., -1]).float()[:, None] * NEVER
        scores = torch.where(within, scores + bias + absent, NEVER)
        looks = torch.cat([scores, (query @ self.nothing.to(query.dtype)).float()], dim=-1).softmax(-1)
        found = looks[..., :-1].to(query.dtype) @ values.to(query.dtype)
        return found, keys[:, time:], values[:, time:]


PART = AttentiveLstmTrunk
