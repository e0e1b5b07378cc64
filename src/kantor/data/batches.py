"""Encoded pieces -> padded batches of tensors, a new order and new transpositions every epoch, from one seed.

A batch is ``inputs`` (batch, time, columns) and ``targets`` (batch, time, fields), int64; padding's target is -100.
``inputs`` has first the fields of the step before ("before the start" at step 0), then the conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from kantor.data.augmentation import part_ranges, shifts, transpose
from kantor.data.protocols import hide
from kantor.representations import Representation, inputs_of
from kantor.score import Score

__all__ = ["PADDING", "Augmentation", "Batch", "Pieces", "collate"]

PADDING = -100  # what torch's cross entropy leaves out
CACHE_BYTES = 2**28  # of encodings, for each set of pieces
Batch = tuple[Tensor, Tensor]
Example = tuple[NDArray[np.int64], NDArray[np.int64]]
Encoded = tuple[NDArray[np.int16], NDArray[np.int16]]


def collate(examples: Sequence[Example]) -> Batch:
    """Pad to the longest: inputs with 0, targets with :data:`PADDING`."""
    longest = max(len(inputs) for inputs, _ in examples)
    inputs = np.zeros((len(examples), longest, examples[0][0].shape[1]), dtype=np.int64)
    targets = np.full((len(examples), longest, examples[0][1].shape[1]), PADDING, dtype=np.int64)
    for row, (x, y) in enumerate(examples):
        inputs[row, : len(x)], targets[row, : len(y)] = x, y
    return torch.from_numpy(inputs), torch.from_numpy(targets)


@dataclass(frozen=True)
class Augmentation:
    """What is varied each time a piece is shown; see :class:`kantor.training.recipe.Recipe`."""

    transpose: int = 0
    bare: float = 0.0
    unknown: float = 0.0


class Pieces(IterableDataset[Batch]):
    """One epoch of batches, as ``(seed, epoch)`` orders them.

    Pieces of like length share a batch (little padding); which pieces, and the order of batches, is drawn anew.

    Parameters
    ----------
    scores          the pieces, or windows of them.
    given           steps at the start of each that are shown but not predicted (0 for whole pieces).
    augmentation    None: every piece as it is, in order of length (validation).
    hidden          names of planned conditions that are unknown throughout.
    """

    def __init__(
        self,
        scores: Sequence[Score],
        representation: Representation,
        batch_size: int,
        *,
        given: int = 0,
        augmentation: Augmentation | None = None,
        hidden: Collection[str] = (),
        seed: int = 0,
        epoch: int = 0,
    ) -> None:
        self.scores = [representation.canonical(score) for score in scores]
        self.representation = representation
        self.batch_size = batch_size
        self.given = given
        self.augmentation = augmentation
        self.hidden = hidden
        self.seed = seed
        self.epoch = epoch
        self.lengths = np.array([representation.length(score) for score in self.scores])
        self._planned = [condition.name for condition in representation.conditions if condition.planned]
        if augmentation and augmentation.transpose:
            ranges = part_ranges(self.scores, max(len(score.parts) for score in self.scores))
            self._shifts = [shifts(score, ranges, augmentation.transpose) for score in self.scores]
        else:
            self._shifts = [np.zeros(1, dtype=np.int64)] * len(self.scores)
        self._encode = _Cache(self._encoded)

    def __len__(self) -> int:
        """Number of batches."""
        return -(-len(self.scores) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, self.epoch])
        for members in self._batches(rng):
            yield collate([self._example(int(index), rng) for index in members])

    def _batches(self, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        if self.augmentation is None:
            order = np.argsort(self.lengths, kind="stable")
            return np.array_split(order, range(self.batch_size, len(order), self.batch_size))
        # Like lengths together, but not always the same company: sort by length blurred by a tenth.
        blurred = self.lengths * rng.uniform(0.9, 1.1, len(self.lengths))
        order = rng.permutation(len(blurred))
        order = order[np.argsort(blurred[order], kind="stable")] if np.ptp(self.lengths) else order
        batches = np.array_split(order, range(self.batch_size, len(order), self.batch_size))
        return [batches[i] for i in rng.permutation(len(batches))]

    def _example(self, index: int, rng: np.random.Generator) -> Example:
        shift, bare = 0, False
        if self.augmentation:
            shift = int(rng.choice(self._shifts[index]))
            bare = bool(rng.random() < self.augmentation.bare)
        inputs, targets = self._encode(index, shift, bare)
        if self.augmentation and self.augmentation.unknown and not bare:
            inputs = self._forget(inputs, rng)
        return inputs[self.given :].astype(np.int64), targets[self.given :].astype(np.int64)

    def _encoded(self, index: int, shift: int, bare: bool) -> Encoded:
        encoding = self.representation.encode(transpose(self.scores[index], shift), bare=bare)
        inputs = hide(inputs_of(encoding, self.representation), self.representation, self.hidden)
        return inputs.astype(np.int16), encoding.values.astype(np.int16)

    def _forget(self, inputs: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
        assert self.augmentation is not None
        lost = [name for name in self._planned if rng.random() < self.augmentation.unknown]
        return hide(inputs, self.representation, lost)


class _Cache:
    """Encodings by (piece, shift, bare), kept until :data:`CACHE_BYTES` are full; the others are made each time.

    Nothing is evicted: an epoch shows every piece once, so the oldest is always among the next.
    """

    def __init__(self, make: Callable[[int, int, bool], Encoded]) -> None:
        self._make = make
        self._kept: dict[tuple[int, int, bool], Encoded] = {}
        self._bytes = 0

    def __call__(self, index: int, shift: int, bare: bool) -> Encoded:
        key = index, shift, bare
        if key in self._kept:
            return self._kept[key]
        made = self._make(*key)
        size = sum(part.nbytes for part in made)
        if self._bytes + size <= CACHE_BYTES:
            self._kept[key] = made
            self._bytes += size
        return made
