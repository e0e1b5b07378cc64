"""A Transformer whose attention is relative: what counts is how long ago a thing was, not when (Huang et al. 2019).

Each block normalises what it reads (Xiong et al. 2020), attends to this step and the ones before it, and passes each
step through a feed-forward layer. A head scores an earlier step by what it holds, and by a learned vector for its
distance (Shaw et al. 2018), up to ``memory`` steps back.

What a step needs of earlier ones is their keys and values. They are the state, a ring of the last ``memory`` steps; so
time and memory do not grow with the piece, and one step is the same as many.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kantor.models._embedding import SummedEmbedding, with_before
from kantor.models._heads import Deep, Heads
from kantor.networks import Transformer

__all__ = ["PART", "TransformerTrunk"]

NEVER = -1e4  # the score of a step that is too far, yet to come, or not there


class TransformerTrunk(nn.Module):
    """See :class:`kantor.networks.Transformer` for the sizes."""

    def __init__(self, config: Transformer, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.embedding = SummedEmbedding(with_before(inputs, decided), config.hidden, open_=open_)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.width = config.hidden

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Chained ones, two layers deep."""
        return Deep(self.width, inputs, outputs, kinds, self.config.dropout)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: (batch, memory, numbers), every block's keys and values of each step, and whether it is there."""
        numbers = 2 * self.config.hidden * self.config.layers + 1
        return (self.embedding.weight.new_zeros(batch, self.config.memory, numbers),)

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width) and the state after."""
        (before,) = state
        features = self.input_dropout(self.embedding(inputs))
        time, memory = inputs.shape[1], self.config.memory
        steps = torch.arange(time, device=inputs.device)
        back = steps[:, None] + memory - torch.arange(memory + time, device=inputs.device)[None]  # steps ago
        there = functional.pad(before[..., -1], (0, time), value=1.0)
        within = ((back >= 0) & (back <= memory))[None] & (there > 0.5)[:, None]
        made = []
        for block, known in zip(self.blocks, before[..., :-1].chunk(self.config.layers, dim=-1), strict=True):
            features, entries = block(features, known, back.clamp(0, memory), within)
            made.append(entries.to(before.dtype))
        new = functional.pad(torch.cat(made, dim=-1), (0, 1), value=1.0)
        return self.norm(features), (torch.cat([before, new], dim=1)[:, time:],)


class _Block(nn.Module):
    """Attention, then a feed-forward layer, each added to what came in."""

    def __init__(self, config: Transformer) -> None:
        super().__init__()
        width, self.number = config.hidden, config.heads
        self.attend, self.think = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.entry = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.distance = nn.Parameter(torch.randn(config.heads, config.memory + 1, width // config.heads) * 0.02)
        self.out = nn.Linear(width, width)
        self.forth, self.back = nn.Linear(width, config.inner), nn.Linear(config.inner, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, features: Tensor, known: Tensor, back: Tensor, within: Tensor) -> tuple[Tensor, Tensor]:
        """Features (batch, time, width), and this block's keys and values of these steps (batch, time, 2 width).

        ``known`` are those of the ``memory`` steps before, ``back`` (time, memory + time) says how long ago each is,
        and ``within`` (batch, time, memory + time) which may be looked at.
        """
        read = self.attend(features)
        entries = self.entry(read)
        keys, values = torch.cat([known.to(entries.dtype), entries], dim=1).chunk(2, dim=-1)
        query = self._split(self.query(read))
        near = query @ self.distance.to(query.dtype).transpose(1, 2)
        place = back[None, None].expand(query.shape[0], self.number, -1, -1)
        scores = (query @ self._split(keys).transpose(2, 3)).float() + near.float().gather(3, place)
        looks = torch.where(within[:, None], scores / query.shape[-1] ** 0.5, NEVER).softmax(-1)
        found = self.dropout(looks).to(query.dtype) @ self._split(values)
        features = features + self.dropout(self.out(found.transpose(1, 2).flatten(2)))
        thought = self.back(self.dropout(functional.gelu(self.forth(self.think(features)))))
        return features + self.dropout(thought), entries

    def _split(self, rows: Tensor) -> Tensor:
        """(batch, time, width) -> (batch, heads, time, width of a head)."""
        batch, time, width = rows.shape
        return rows.reshape(batch, time, self.number, width // self.number).transpose(1, 2)


PART = TransformerTrunk
