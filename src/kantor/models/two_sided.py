"""Two stacks of LSTMs over a piece, one from its beginning and one from its end (Schuster & Paliwal 1997).

Its inputs are the fields of the *same* step, where class ``size`` (elsewhere "before the start") means *open*; so every
open field is told from what is known before it, after it and beside it. Nothing is carried from call to call.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kantor.errors import OptionError
from kantor.models._embedding import SummedEmbedding, with_before
from kantor.models._heads import Heads
from kantor.models._recurrence import Recurrence
from kantor.networks import TwoSided

__all__ = ["PART", "TwoSidedTrunk"]


class TwoSidedTrunk(nn.Module):
    """See :class:`kantor.networks.TwoSided` for the sizes."""

    two_sided = True

    def __init__(self, config: TwoSided, inputs: tuple[int, ...], decided: int, open_: bool = False) -> None:
        super().__init__()
        self.config = config
        self.embedding = SummedEmbedding(with_before(inputs, decided), config.embedding)
        self.lstm = Recurrence(
            config.embedding, config.hidden, config.layers, dropout=config.dropout, bidirectional=True
        )
        self.dropout = nn.Dropout(config.dropout)
        self.width = config.head or 2 * config.hidden
        seen = 2 * config.hidden + config.embedding
        self.head = nn.Sequential(nn.Linear(seen, config.head), nn.GELU()) if config.head else None

    def heads(self, inputs: tuple[int, ...], outputs: tuple[int, ...], kinds: tuple[str, ...]) -> Heads:
        """Independent ones: open fields of one step are told without each other.

        Raises
        ------
        OptionError
            If a field is not categorical: no other kind has a class that means *open*.
        """
        if set(kinds) != {"categorical"}:
            raise OptionError(f"expected categorical fields alone for a two-sided network, got {', '.join(kinds)}.")
        return Heads(self.width, inputs, outputs, kinds)

    def initial(self, batch: int) -> tuple[Tensor, ...]:
        """Nothing: it has no state."""
        return ()

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Features (batch, time, width), and nothing."""
        embedded = self.embedding(inputs)
        features = self.dropout(self.lstm(embedded)[0])
        if self.head is not None:
            features = self.dropout(self.head(torch.cat([features, embedded], dim=-1)))
        return features, ()


PART = TwoSidedTrunk
