"""From features to the parameters of each field's distribution.

Independent heads ignore the fields of their own step; chained ones see those that are decided before theirs, so that
a step is a joint distribution: p(a) p(b | a) p(c | a, b). A categorical field has logits (batch, time, classes), a
multi-hot one a logit for each key, a real one its mean and the logarithm of its standard deviation, both in grid
steps. That deviation is not learnt with the weights: it is set from what validation finds (:meth:`Heads.settle`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kantor.models._embedding import SummedEmbedding
from kantor.networks import widths

__all__ = ["Chained", "Deep", "Heads", "Owned"]


class Heads(nn.Module):
    """A linear head for each field, independent of the others.

    Parameters
    ----------
    seen     width of the features.
    inputs   sizes of the network's input columns, the fields' first: a real field is read in units of its grid.
    outputs  sizes of the fields.
    kinds    their kinds.
    """

    def __init__(self, seen: int, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str]) -> None:
        super().__init__()
        self.kinds = tuple(kinds)
        self.columns = widths(outputs, kinds)
        starts = [sum(self.columns[:k]) for k in range(len(outputs))]
        self.places = [slice(start, start + width) for start, width in zip(starts, self.columns, strict=True)]
        self.grids = [inputs[start] for start in starts]
        sizes = [1 if kind == "real" else size for size, kind in zip(outputs, kinds, strict=True)]
        self.linear = nn.ModuleList(nn.Linear(seen, size) for size in sizes)
        for head in self.linear:  # as Keras starts a Dense layer
            nn.init.xavier_uniform_(head.weight)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
        if "real" in kinds:
            self.register_buffer("log_deviation", torch.zeros(len(kinds)))

    @property
    def chained(self) -> bool:
        """Whether a head sees the fields before its own."""
        return False

    @property
    def tables(self) -> list[nn.Parameter]:
        """What is to be learned when the network is nearly done; see :mod:`kantor.models._counterpoint`."""
        return []

    def forward(self, features: Tensor, values: Tensor | None = None) -> tuple[Tensor, ...]:
        """Parameters of every field; ``values`` (batch, time, columns) are the true fields, for chained heads."""
        return tuple(self.field(k, self.linear[k](features)) for k in range(len(self.kinds)))

    def field(self, k: int, raw: Tensor) -> Tensor:
        """What the last layer of field ``k`` says, as parameters of its distribution."""
        if self.kinds[k] != "real":
            return raw
        grid: int = self.grids[k]
        deviation: Tensor = self.log_deviation[k]  # type: ignore[index]
        return torch.cat([raw * grid, torch.zeros_like(raw) + deviation], dim=-1)

    def settle(self, deviations: dict[int, float]) -> None:
        """Set the standard deviation, in grid steps, of the real fields given by number."""
        for k, deviation in deviations.items():
            self.log_deviation[k] = torch.tensor(max(deviation, 1e-3)).log()  # type: ignore[operator]


class Owned(Heads):
    """Heads with a layer of their own each: ReLU, batch normalisation, dropout, then the field (seed 001's parent)."""

    def __init__(
        self,
        seen: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        kinds: Sequence[str],
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__(hidden, inputs, outputs, kinds)
        self.own = nn.ModuleList(nn.Linear(seen, hidden) for _ in outputs)
        for layer in self.own:
            nn.init.xavier_uniform_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.normalisations = nn.ModuleList(nn.BatchNorm1d(hidden, eps=1e-3, momentum=0.01) for _ in outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, values: Tensor | None = None) -> tuple[Tensor, ...]:
        """See :class:`Heads`."""
        found = []
        for k in range(len(self.kinds)):
            hidden = functional.relu(self.own[k](features)).transpose(1, 2)
            hidden = self.dropout(self.normalisations[k](hidden).transpose(1, 2))
            found.append(self.field(k, self.linear[k](hidden)))
        return tuple(found)


class Chained(Heads):
    """Heads that see what is decided before them: its embedding is added to the features, then a layer (GELU)."""

    def __init__(
        self, seen: int, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str], dropout: float
    ) -> None:
        super().__init__(seen, inputs, outputs, kinds)
        self.before = nn.ModuleList()
        self.mix = nn.ModuleList()
        for k in range(1, len(outputs)):
            sizes = [size + 1 for size in inputs[: self.places[k].start]]
            self.before.append(SummedEmbedding(sizes, seen, open_="real" in kinds[:k]))
            self.mix.append(nn.Linear(seen, seen))
        self.dropout = nn.Dropout(dropout)

    @property
    def chained(self) -> bool:
        """Whether a head sees the fields before its own."""
        return True

    def forward(self, features: Tensor, values: Tensor | None = None) -> tuple[Tensor, ...]:
        """See :class:`Heads`; what a field's own and later columns of ``values`` hold makes no difference to it."""
        if values is None:
            raise ValueError("chained heads need the fields that are decided before theirs")
        return tuple(self.field(k, self.linear[k](self.hidden(k, features, values))) for k in range(len(self.kinds)))

    def hidden(self, k: int, features: Tensor, values: Tensor) -> Tensor:
        """What the last layer of field ``k`` reads."""
        if k == 0:
            return features
        mixed = functional.gelu(self.mix[k - 1](features) + self.known(k, values))
        dropped: Tensor = self.dropout(mixed)
        return dropped

    def known(self, k: int, values: Tensor) -> Tensor:
        """The embedding of what is decided before field ``k``, which is not the first."""
        embedded: Tensor = self.before[k - 1](values[..., : self.places[k].start])
        return embedded


class Deep(Chained):
    """Chained heads of two layers: GELU over the features with what is decided, a residual layer, layer normalisation.

    The first field has these layers too; nothing is decided before it.
    """

    def __init__(
        self, seen: int, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str], dropout: float
    ) -> None:
        super().__init__(seen, inputs, outputs, kinds, dropout)
        self.mix.insert(0, nn.Linear(seen, seen))
        self.residual = nn.ModuleList(nn.Linear(seen, seen) for _ in outputs)
        self.norms = nn.ModuleList(nn.LayerNorm(seen) for _ in outputs)

    def hidden(self, k: int, features: Tensor, values: Tensor) -> Tensor:
        """See :class:`Chained`."""
        mixed = self.mix[k](features)
        if k:
            mixed = mixed + self.known(k, values)
        mixed = self.dropout(functional.gelu(mixed))
        dropped: Tensor = self.dropout(self.norms[k](mixed + functional.gelu(self.residual[k](mixed))))
        return dropped
