"""The networks: embed -> trunk -> heads. One trunk a file, read top to bottom; no trunk knows of music.

A trunk maps ``(inputs, state)`` to ``(features, state)``: ``inputs`` are class numbers, (batch, time, columns), first
the fields of the step before, then the conditions of this one; ``state`` is a tuple of tensors with the batch in it.
State goes in and comes out, so a whole piece and one step are the same call.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from kantor import registry
from kantor.networks import NetworkConfig

__all__ = ["Network", "State", "build"]

State = tuple[Tensor, ...]


class Network(nn.Module):
    """A trunk and a linear head for each field."""

    def __init__(self, trunk: nn.Module, outputs: Sequence[int]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList(nn.Linear(trunk.width, size) for size in outputs)  # type: ignore[arg-type]
        for head in self.heads:  # as Keras starts a Dense layer
            nn.init.xavier_uniform_(head.weight)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]

    def initial(self, batch: int) -> State:
        """The state before the first step."""
        state: State = self.trunk.initial(batch)  # type: ignore[operator]
        return state

    def forward(self, inputs: Tensor, state: State) -> tuple[tuple[Tensor, ...], State]:
        """Logits of each field, (batch, time, classes), and the state after the last step."""
        features, state = self.trunk(inputs, state)
        return tuple(head(features) for head in self.heads), state


def build(config: NetworkConfig, inputs: Sequence[int], outputs: Sequence[int]) -> Network:
    """The network of ``config`` for columns of these class counts, with fresh weights."""
    trunk = registry.part("models", config.kind)(config, tuple(inputs), len(outputs))
    return Network(trunk, outputs)
