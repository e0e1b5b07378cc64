"""Encoded pieces -> padded batches of tensors, a new order and new transpositions every epoch, from one seed.

A batch is ``inputs`` (batch, time, columns) and ``targets`` (batch, time, fields), int64; padding's target is -100.
``inputs`` has first the fields of the step before ("before the start" at step 0), then the conditions. Where rules are
taught too, ``faults`` (batch, time, fields, classes) says what would break one.

Of a two-sided network ``inputs`` has the fields of the step itself, some of them *open* (:mod:`kantor.data.masking`),
and of ``targets`` the others are padding. It would read padding from the far end, so all of a batch is of one length.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from kantor.data import masking
from kantor.data.augmentation import louder, part_ranges, shifts, stretch, transpose
from kantor.data.protocols import hide
from kantor.errors import OptionError
from kantor.representations import Representation, inputs_of
from kantor.representations.cells import Cells
from kantor.score import Score

__all__ = ["PADDING", "Augmentation", "Batch", "Judge", "Pieces", "collate"]

PADDING = -100  # what torch's cross entropy leaves out
MOST = 2**15 - 1  # what an encoding holds; a rest of 22 minutes is no longer told from a longer one
FILL = (0, PADDING, False)  # of inputs, targets and faults beyond the end of a piece
CACHE_BYTES = 2**28  # of encodings, for each set of pieces
Judge = Callable[..., NDArray[np.bool_]]

Batch = tuple[Tensor, ...]
Example = tuple[NDArray[Any], ...]
Encoded = tuple[NDArray[Any], ...]  # of a whole piece, kept small: int16, int16, and the last axis of faults packed


def collate(examples: Sequence[Example]) -> Batch:
    """Pad to the longest: inputs with 0, targets with :data:`PADDING`, faults with False."""
    longest = max(len(inputs) for inputs, *_ in examples)
    return tuple(_padded(parts, longest, fill) for parts, fill in zip(zip(*examples, strict=True), FILL, strict=False))


def _padded(parts: Sequence[NDArray[Any]], longest: int, fill: int) -> Tensor:
    made = np.full((len(parts), longest, *parts[0].shape[1:]), fill, dtype=parts[0].dtype)
    for row, part in enumerate(parts):
        made[row, : len(part)] = part
    return torch.from_numpy(made)


@dataclass(frozen=True)
class Augmentation:
    """What is varied each time a piece is shown; see :class:`kantor.training.recipe.Recipe`."""

    transpose: int = 0
    tempo: float = 0.0
    velocity: float = 0.0
    bare: float = 0.0
    unknown: float = 0.0
    together: bool = False  # pieces move within the range of all parts together


class Variation(NamedTuple):
    """A piece as one epoch shows it: semitones up, times and velocities by factors, bare or not."""

    shift: int = 0
    tempo: float = 1.0
    velocity: float = 1.0
    bare: bool = False


PLAIN = Variation()


class Pieces(IterableDataset[Batch]):
    """One epoch of batches, as ``(seed, epoch)`` orders them.

    Pieces of like length share a batch (little padding); which pieces, and the order of batches, is drawn anew.

    Parameters
    ----------
    scores          the pieces.
    window          0: whole pieces. Else each is cut into windows of so many frames after a first step that is given
                    (but where the piece begins); they overlap by half. What a window's conditions tell of the music
                    before it is true.
    augmentation    None: every piece as it is, in order of length (validation).
    hidden          names of planned conditions that are unknown throughout.
    judge           gives what would break a rule, (steps, fields, classes), of a score, ``bare`` or not.
    two_sided       whether some of each piece is open and the rest is shown, as a two-sided network wants it; windows
                    are then complete, from the beginning of the piece to its end.

    Raises
    ------
    OptionError
        If a two-sided network is to learn from anything but cells, or from cells in another tempo.
    """

    def __init__(
        self,
        scores: Sequence[Score],
        representation: Representation,
        batch_size: int,
        *,
        window: int = 0,
        augmentation: Augmentation | None = None,
        hidden: Collection[str] = (),
        judge: Judge | None = None,
        two_sided: bool = False,
        seed: int = 0,
        epoch: int = 0,
    ) -> None:
        if two_sided and not isinstance(representation, Cells):
            raise OptionError(
                f"expected the representation 'cells' for a two-sided network, got '{representation.name}'."
            )
        if two_sided and augmentation and augmentation.tempo:
            raise OptionError(f"expected vary_tempo to be 0 where voices are on a grid, got {augmentation.tempo}.")
        self.scores = [representation.canonical(score) for score in scores]
        self.representation = representation
        self.batch_size = batch_size
        self.window = window
        self.augmentation = augmentation
        self.hidden = hidden
        self.judge = judge
        self.two_sided = two_sided
        self.seed = seed
        self.epoch = epoch
        self._planned = [condition.name for condition in representation.conditions if condition.planned]
        if augmentation and augmentation.transpose:
            ranges = part_ranges(self.scores, max((len(score.parts) for score in self.scores), default=0))
            if augmentation.together:
                ranges[:] = ranges[:, 0].min(), ranges[:, 1].max()
            self._shifts = [shifts(score, ranges, augmentation.transpose) for score in self.scores]
        else:
            self._shifts = [np.zeros(1, dtype=np.int64)] * len(self.scores)
        self._encode = _Cache(self._encoded)
        self._frames: dict[int, NDArray[np.int64]] = {}
        #: (piece, first step, step after the last) of every example
        self.spans = [(n, *span) for n in range(len(self.scores)) for span in self._cut(n)]
        self.lengths = np.array([end - start for _, start, end in self.spans])

    def __len__(self) -> int:
        """Number of batches."""
        alike = np.unique(self.lengths, return_counts=True)[1] if self.two_sided else [len(self.spans)]
        return sum(-(-int(count) // self.batch_size) for count in alike)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, self.epoch])
        varied = [self._variation(n, rng) for n in range(len(self.scores))]
        made: dict[int, Encoded] = {}  # one encoding serves all windows of a piece
        for members in self._batches(rng):
            yield collate([self._example(int(index), varied, made, rng) for index in members])

    def _cut(self, piece: int) -> list[tuple[int, int]]:
        """The spans of steps of one piece; one that is shorter than a window is shown whole."""
        inputs, *_ = self._encode(piece, PLAIN)
        if not self.window:
            return [(0, len(inputs))]
        if self.two_sided:
            return _reaching(len(inputs), self.window)
        frames = self._frames.pop(piece)
        starts = [*np.flatnonzero(np.diff(frames, prepend=-1)).tolist(), len(inputs)]
        first = range(0, len(starts) - 1 - self.window, max(self.window // 2, 1))
        spans = [(starts[at], starts[at + self.window + 1]) for at in first]
        if spans and spans[-1][1] < len(inputs) and self.representation.unit != "cell":
            spans.append((starts[-self.window - 2], len(inputs)))  # the end too; seed 000's windows leave it out
        return spans or ([(0, len(inputs))] if len(inputs) > 1 else [])

    def _batches(self, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        if self.two_sided:
            order = np.arange(len(self.lengths)) if self.augmentation is None else rng.permutation(len(self.lengths))
            alike = [order[self.lengths[order] == length] for length in np.unique(self.lengths)]
            batches = [group[n : n + self.batch_size] for group in alike for n in range(0, len(group), self.batch_size)]
            return batches if self.augmentation is None else [batches[i] for i in rng.permutation(len(batches))]
        if self.augmentation is None:
            order = np.argsort(self.lengths, kind="stable")
            return np.array_split(order, range(self.batch_size, len(order), self.batch_size))
        # Like lengths together, but not always the same company: sort by length blurred by a tenth.
        blurred = self.lengths * rng.uniform(0.9, 1.1, len(self.lengths))
        order = rng.permutation(len(blurred))
        order = order[np.argsort(blurred[order], kind="stable")] if np.ptp(self.lengths) else order
        batches = np.array_split(order, range(self.batch_size, len(order), self.batch_size))
        return [batches[i] for i in rng.permutation(len(batches))]

    def _variation(self, piece: int, rng: np.random.Generator) -> Variation:
        """What becomes of a piece in this epoch."""
        how = self.augmentation
        if how is None:
            return PLAIN
        shift = int(rng.choice(self._shifts[piece]))
        tempo = 1 + float(rng.uniform(-how.tempo, how.tempo)) if how.tempo else 1.0
        velocity = 1 + float(rng.uniform(-how.velocity, how.velocity)) if how.velocity else 1.0
        return Variation(shift, tempo, velocity, bool(rng.random() < how.bare))

    def _example(
        self, index: int, varied: Sequence[Variation], made: dict[int, Encoded], rng: np.random.Generator
    ) -> Example:
        piece, start, end = self.spans[index]
        if piece not in made:
            made[piece] = self._encode(piece, varied[piece])
        inputs, targets, *packed = made[piece]
        if self.two_sided:
            return self._opened(inputs[start:end], targets[start:end], varied[piece].bare, rng)
        length = end - start
        end = min(end, len(inputs))  # a variation may have fewer steps
        start = max(end - length, 0)
        if self.window and (start or self.representation.unit == "cell"):
            start += 1  # given; a piece's own beginning is to be learnt, but seed 000's windows leave it out
        inputs, targets = inputs[start:end], targets[start:end]
        if self.augmentation and self.augmentation.unknown and not varied[piece].bare:
            inputs = self._forget(inputs, rng)
        classes = max(field.size for field in self.representation.fields)
        faults = [np.unpackbits(part[start:end], axis=-1, count=classes).astype(np.bool_) for part in packed]
        return inputs.astype(np.int64), targets.astype(np.int64), *faults

    def _opened(
        self, inputs: NDArray[np.int16], values: NDArray[np.int16], bare: bool, rng: np.random.Generator
    ) -> Example:
        """A stretch with some of its cells open; the targets are these cells."""
        if self.augmentation and self.augmentation.unknown and not bare:
            inputs = self._forget(inputs, rng)
        cells, open_ = values.astype(np.int64), masking.draw(rng, *values.shape)
        shown = np.concatenate([Cells.shown(cells, open_, bare=bare), inputs[:, values.shape[1] :]], axis=1)
        return shown, np.where(open_, cells, PADDING)

    def _encoded(self, piece: int, variation: Variation) -> Encoded:
        score = transpose(self.scores[piece], variation.shift)
        if variation.tempo != 1 or variation.velocity != 1:
            score = louder(stretch(score, variation.tempo), variation.velocity)
        encoding = self.representation.encode(score, bare=variation.bare)
        inputs = hide(inputs_of(encoding, self.representation), self.representation, self.hidden)
        if self.window and variation == PLAIN:
            self._frames[piece] = self.representation.frames(encoding)
        small: list[NDArray[Any]] = [np.minimum(part, MOST).astype(np.int16) for part in (inputs, encoding.targets)]
        if self.judge is not None:
            small.append(np.packbits(self.judge(score, bare=variation.bare), axis=-1))
        return tuple(small)

    def _forget(self, inputs: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
        assert self.augmentation is not None
        lost = [name for name in self._planned if rng.random() < self.augmentation.unknown]
        return hide(inputs, self.representation, lost)


def _reaching(frames: int, window: int) -> list[tuple[int, int]]:
    """Spans of ``window`` frames that overlap by half, the last of them at the end; a shorter piece is one span."""
    starts = {*range(0, frames - window, max(window // 2, 1)), max(frames - window, 0)}
    return [(start, min(start + window, frames)) for start in sorted(starts)]


class _Cache:
    """Encodings by (piece, variation), kept until :data:`CACHE_BYTES` are full; the others are made each time.

    Nothing is evicted: an epoch shows every piece once, so the oldest is always among the next. Tempi and velocities
    do not come again, so what they gave is not kept.
    """

    def __init__(self, make: Callable[[int, Variation], Encoded]) -> None:
        self._make = make
        self._kept: dict[tuple[int, Variation], Encoded] = {}
        self._bytes = 0

    def __call__(self, piece: int, variation: Variation) -> Encoded:
        key = piece, variation
        if key in self._kept:
            return self._kept[key]
        made = self._make(*key)
        size = sum(part.nbytes for part in made)
        if variation.tempo == variation.velocity == 1 and self._bytes + size <= CACHE_BYTES:
            self._kept[key] = made
            self._bytes += size
        return made
