"""How likely a model finds music it has never seen: teacher-forced, by the chain rule, in nats per note.

A *note* here is one cell: one voice for one step of the grid, silence included, as all published figures on these
grids count. Protocols are those of :mod:`kantor.data.protocols`. Beside the likelihood stand the shares of cells that
the likeliest class gets right, among all cells and among those that differ from the frame before, and the baseline of
copying that frame: an accuracy below it is worth nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.data.protocols import HIDDEN, hide, windows
from kantor.errors import InputError, UnknownNameError
from kantor.representations import Representation, inputs_of
from kantor.runtime import Logits, Model
from kantor.score import Score

__all__ = ["PROTOCOLS", "Likelihood", "likelihood"]

PROTOCOLS = ("whole", "windows")
BATCH = 16
SPAN = 1024  # steps shown at a time: memory does not grow with the piece
RESAMPLES = 2000


@dataclass(frozen=True)
class Likelihood:
    """The figures of one model on one set of pieces; the names are those of the JSON.

    Attributes
    ----------
    nats_per_note          micro mean over every predicted cell.
    nats_per_note_interval 95 % bootstrap interval of that mean, over pieces; None for a single piece.
    nats_per_note_macro    mean over pieces of each piece's mean.
    nats_per_frame         nats a frame of all voices.
    bits_per_note          the same as ``nats_per_note``, in bits.
    accuracy               share of cells whose likeliest class is the true one.
    accuracy_changed       the same among cells that differ from the frame before.
    copy_accuracy          baseline: share of cells equal to the frame before; for both, cells of a first frame,
                           which has none before it, are left out.
    notes, pieces          how many cells were predicted, in how many pieces.
    protocol               "whole" or "windows".
    """

    nats_per_note: float
    nats_per_note_interval: tuple[float, float] | None
    nats_per_note_macro: float
    nats_per_frame: float
    bits_per_note: float
    accuracy: float
    accuracy_changed: float
    copy_accuracy: float
    notes: int
    pieces: int
    protocol: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


#: Of each piece: nats, cells, right; cells after the first frame, those of them that changed, right among these.
Sums = NDArray[np.float64]
#: Number of its piece, inputs, values, which steps have a frame before them, which of those differ from it.
Example = tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]


def likelihood(
    model: Model,
    representation: Representation,
    scores: Sequence[Score],
    protocol: str = "whole",
    advance: Callable[[int], None] = lambda _: None,
) -> Likelihood:
    """Judge ``model`` on ``scores``; ``advance`` is told how many pieces are done.

    Raises
    ------
    UnknownNameError
        If there is no such protocol.
    InputError
        If no piece is left to judge by.
    """
    if protocol not in PROTOCOLS:
        raise UnknownNameError("protocol", protocol, PROTOCOLS)
    sums = np.zeros((len(scores), 6))
    examples = sorted(_examples(representation, scores, protocol), key=lambda example: len(example[1]))
    for start in range(0, len(examples), BATCH):
        batch = examples[start : start + BATCH]
        _add(sums, model, batch)
        advance(min(start + BATCH, len(examples)) * len(scores) // len(examples))
    sums = sums[sums[:, 1] > 0]
    if not len(sums):
        raise InputError(
            f"expected a piece long enough for protocol '{protocol}', got {len(scores)} shorter ones; "
            "try --protocol whole."
        )
    return _figures(sums, representation, protocol)


def _examples(representation: Representation, scores: Sequence[Score], protocol: str) -> Iterator[Example]:
    given = 1 if protocol == "windows" else 0
    for piece, score in enumerate(scores):
        canonical = representation.canonical(score)
        for span in windows(canonical) if protocol == "windows" else (canonical,):
            encoding = representation.encode(span)
            inputs = hide(inputs_of(encoding, representation), representation, HIDDEN)
            later = np.arange(len(encoding)) >= representation.steps_per_frame
            changed = later & representation.changed(encoding)
            yield piece, inputs[given:], encoding.values[given:], later[given:], changed[given:]


def _add(sums: Sums, model: Model, batch: Sequence[Example]) -> None:
    longest = max(len(inputs) for _, inputs, *_ in batch)
    padded = np.zeros((len(batch), longest, batch[0][1].shape[1]), dtype=np.int64)
    for row, (_, inputs, *_) in enumerate(batch):
        padded[row, : len(inputs)] = inputs
    state = model.initial(len(batch))
    for start in range(0, longest, SPAN):
        span = slice(start, start + SPAN)
        logits, state = model.run(padded[:, span], state)
        for row, (piece, _, values, later, changed) in enumerate(batch):
            sums[piece] += _sums([field[row] for field in logits], values[span], later[span], changed[span])


def _sums(
    logits: Logits, values: NDArray[np.int64], later: NDArray[np.bool_], changed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The sums of one stretch of one piece; logits of each field, (steps or more, classes)."""
    nats, right = 0.0, np.ones(len(values), dtype=np.bool_)
    for field, scores in enumerate(logits):
        own = scores[: len(values)].astype(np.float64)
        top = own.max(1, keepdims=True)
        norm = np.log(np.exp(own - top).sum(1)) + top[:, 0]
        nats += (norm - own[np.arange(len(own)), values[:, field]]).sum()
        right &= own.argmax(1) == values[:, field]
    counts = (right.sum(), later.sum(), changed.sum(), (right & changed).sum())
    return np.array([nats, len(values), *counts], dtype=np.float64)


def _figures(sums: Sums, representation: Representation, protocol: str) -> Likelihood:
    nats, cells, right, later, changed, right_changed = sums.sum(0)
    mean = nats / cells
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn, 0].sum(1) / sums[drawn, 1].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Likelihood(
        nats_per_note=mean,
        nats_per_note_interval=(float(low), float(high)) if len(sums) > 1 else None,
        nats_per_note_macro=float((sums[:, 0] / sums[:, 1]).mean()),
        nats_per_frame=mean * representation.steps_per_frame,
        bits_per_note=mean / math.log(2),
        accuracy=right / cells,
        accuracy_changed=right_changed / max(changed, 1),
        copy_accuracy=1 - changed / max(later, 1),
        notes=int(cells),
        pieces=len(sums),
        protocol=protocol,
    )
