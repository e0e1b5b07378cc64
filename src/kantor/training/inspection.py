"""A look, every few epochs, at what the network writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from kantor.evaluation.collapse import collapse, usual
from kantor.models import Network
from kantor.representations import Representation
from kantor.runtime import Features, State
from kantor.sampling.stream import stream
from kantor.score import Score

__all__ = ["inspector"]

QUARTERS = 32  # eight bars
DENSEST = 48  # notes a quarter; a network whose time stands still would never end


class _Stepping:
    """A network in training as the sampler wants it, see :class:`kantor.runtime.Model`."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._device = next(network.parameters()).device

    def initial(self, batch: int) -> State:
        return [part.numpy(force=True) for part in self._network.initial(batch)]

    def run(self, inputs: NDArray[np.int64], state: State) -> tuple[Features, State]:
        before = tuple(torch.from_numpy(part).to(self._device) for part in state)
        with torch.no_grad():
            features, after = self._network.trunk(torch.from_numpy(inputs).to(self._device), before)
        return [features.float().numpy(force=True)], [part.numpy(force=True) for part in after]

    def field(self, features: Features, values: NDArray[np.int64], k: int) -> NDArray[np.float32]:
        with torch.no_grad():
            seen = torch.from_numpy(features[0]).to(self._device)
            params = self._network.heads(seen, torch.from_numpy(values).to(self._device))[k]
        return params.float().numpy(force=True)


def inspector(representation: Representation, pieces: Sequence[Score]) -> Callable[[Network], str | None]:
    """A function that samples eight bars from a network and says what is wrong with them, or None."""
    normal = usual(pieces)
    likeness = max(pieces, key=lambda score: score.length_ticks)
    plan = representation.plan(likeness.cut(0, min(likeness.length_ticks, QUARTERS * likeness.ticks_per_quarter)))

    def inspect(network: Network) -> str | None:
        random = [np.random.default_rng(0)]
        decided = list(stream(_Stepping(network), representation, plan, random, notes=DENSEST * QUARTERS))
        values = np.stack([decision.values[0] for decision in decided])
        return collapse(representation.decode(values, plan), normal)

    return inspect
