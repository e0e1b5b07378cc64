"""A stack of LSTMs that looks back: at each step it attends to what it knew at earlier steps, and to what came then.

A piece of music repeats itself, sometimes to the note. What an LSTM carries in its state fades; here every step leaves
an entry behind, whose key is the state in which the step was decided, and whose value is that state with *the fields
that were then decided*. A later step whose state is alike finds the entry, and with it how the music went on (content
addressing as in Bahdanau et al. 2015; the value as an induction head has it, Olsson et al. 2022). Learned biases by
distance, and by distance modulo :data:`CYCLE`, say how far back to look; an entry that is always there lets it look at
nothing.

An entry is complete a step later, when it is known what was decided. Entries are a ring in the state, so time and
memory do not grow with the piece, and one step is the same as many.
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

        The last of a key's numbers says whether the entry is there. Then key and value of the entry to be completed,
        both (batch, 1, ...); with it, the oldest of the ring is one too far back to be read.
        """
        config = self.config
        zeros = self.embedding.weight.new_zeros(config.layers, batch, config.hidden)
        values = self.embedding.weight.new_zeros(batch, config.memory, config.attention)
        keys = functional.pad(values, (0, 1))
        return zeros, zeros.clone(), keys, values, keys[:, :1].clone(), values[:, :1].clone()

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        last, inputs = self._apart(inputs)
        embedded = self.input_dropout(self.embedding(inputs))
        hidden, cell, *entries = state
        states, (hidden, cell) = self.lstm(embedded, (hidden, cell))
        states = self.dropout(states)
        found, entries = self._look_back(states, self.then(inputs[..., : self.decided]), entries)
        features = self.join(torch.cat([states, embedded, self.dropout(found)], dim=-1))
        if self.voices:
            features = torch.cat([features, last.to(features.dtype)], dim=-1)
        return features, (hidden, cell, *entries)

    def _apart(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """What the voices sang last, which is for counterpoint alone; and all other inputs."""
        before, last, rest = inputs.tensor_split((self.decided, self.decided + self.voices), dim=-1)
        return last, torch.cat([before, rest], dim=-1) if self.voices else inputs

    def _look_back(self, states: Tensor, then: Tensor, entries: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What each step finds (batch, time, attention), and the entries after the last one.

        ``then`` (batch, time, attention) tells each step what was decided in the one before it.
        """
        time, memory = states.shape[1], self.config.memory
        old_keys, old_values, key, value = entries
        made = torch.cat([key, functional.pad(self.key(states), (0, 1), value=1.0).to(key.dtype)], dim=1)
        known = torch.cat([value, self.value(states).to(value.dtype)], dim=1)
        keys, values = made[:, :time], known[:, :time] + then.to(known.dtype)
        query = self.query(states)
        # Old and new entries are read where they are: to join them first would copy the whole ring at every step.
        asked = functional.pad(query, (0, 1))  # whether an entry is there is no part of its key
        scores = torch.cat([asked @ part.to(asked.dtype).transpose(1, 2) for part in (old_keys, keys)], dim=-1).float()
        steps = torch.arange(time, device=states.device)
        back = steps[:, None] + memory + 1 - torch.arange(memory + time, device=states.device)[None]  # steps ago
        within = (back >= 1) & (back <= memory)
        bias = self.near[(back - 1).clamp(0, memory - 1)] + self.cycle[back % CYCLE]
        absent = (1 - torch.cat([old_keys[..., -1], keys[..., -1]], dim=1)).float()[:, None] * NEVER
        scores = torch.where(within, scores / self.config.attention**0.5 + bias + absent, NEVER)
        looks = torch.cat([scores, (query @ self.nothing.to(query.dtype)).float()], dim=-1).softmax(-1).to(query.dtype)
        found = looks[..., :memory] @ old_values.to(query.dtype) + looks[..., memory:-1] @ values.to(query.dtype)
        ring = [torch.cat([old, new], dim=1)[:, time:] for old, new in ((old_keys, keys), (old_values, values))]
        return found, [*ring, made[:, time:], known[:, time:]]


PART = AttentiveLstmTrunk
