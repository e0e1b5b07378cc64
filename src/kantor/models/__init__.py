"""The networks: embed -> trunk -> heads. One trunk a file, read top to bottom; no trunk knows of music.

A trunk maps ``(inputs, state)`` to ``(features, state)``: ``inputs`` are whole numbers, (batch, time, columns), first
the fields of the step before, then the conditions of this one; ``state`` is a tuple of tensors with the batch in it.
State goes in and comes out, so a whole piece and one step are the same call. A two-sided trunk has none: it is shown
the fields of all steps at once, those that are not known as *open* (class ``size``). ``heads(inputs, outputs, kinds)``
turn features into the parameters of each field's distribution (:mod:`kantor.models._heads`).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from kantor import registry
from kantor.models._heads import Heads
from kantor.networks import NetworkConfig, widths

__all__ = ["Network", "State", "build"]

State = tuple[Tensor, ...]


class Network(nn.Module):
    """A trunk and the heads of the fields."""

    def __init__(self, trunk: nn.Module, heads: Heads) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = heads

    @property
    def two_sided(self) -> bool:
        """Whether it sees all steps at once (:class:`kantor.networks.NetworkConfig`)."""
        return bool(getattr(self.trunk, "two_sided", False))

    def initial(self, batch: int) -> State:
        """The state before the first step."""
        state: State = self.trunk.initial(batch)  # type: ignore[operator]
        return state

    def forward(self, inputs: Tensor, state: State, values: Tensor | None = None) -> tuple[tuple[Tensor, ...], State]:
        """Parameters of each field, (batch, time, ...), and the state after the last step.

        ``values`` (batch, time, columns) are the true fields, which chained heads are shown (teacher forcing).
        """
        features, state = self.trunk(inputs, state)
        return self.heads(features, values), state


def build(config: NetworkConfig, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> Network:
    """The network of ``config`` for these columns (:func:`kantor.representations.columns`), with fresh weights."""
    kinds = tuple(kinds) or ("categorical",) * len(outputs)
    trunk = registry.part("models", config.kind)(config, tuple(inputs), sum(widths(outputs, kinds)), "real" in kinds)
    return Network(trunk, trunk.heads(tuple(inputs), tuple(outputs), kinds))
