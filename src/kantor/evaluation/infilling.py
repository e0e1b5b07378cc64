"""How well a two-sided network tells what is missing from what is there: two figures, on bare grids, in nats.

A bare grid knows no attacks, no bar lines and no key, as in all published figures on chorales: a cell is one of 47
symbols, and the probability of a pitch is that of its being struck plus that of its being held. A mark of the place
modulo sixteen frames, counted from the beginning, is all that is told beside.

:func:`infilling` is ours: a piece is filled in cell by cell in a random order, each cell told from those before it in
the order, wherever in the piece they are. That is a proper likelihood of the piece, another for every order (Uria et
al. 2014), and may be held against nats a cell of models that go from left to right. With some voices given, it is a
likelihood of the others: of a harmonisation, where the soprano is.

:func:`coconet` is the figure that Coconet is known by (Huang et al. 2017): *frames* in a random order. A frame sees the
true frames before it in the order; within it voices come in a random order, and each sees the model's own likeliest
pitch of those before. That is no likelihood: a model is not charged for going on from a guess of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import InputError
from kantor.representations import Ids, Mask
from kantor.representations.cells import HELD, Cells
from kantor.runtime import Model
from kantor.score import Score

__all__ = ["Coconet", "Infilling", "coconet", "infilling"]

Floats = NDArray[np.float64]

AT_ONCE = 8192  # frames shown in one call of the network


@dataclass(frozen=True)
class Infilling:
    """What :func:`infilling` found; the names are those of the JSON.

    Attributes
    ----------
    nats_per_note        mean over every cell that was to be told.
    nats_per_note_macro  mean over pieces of each piece's mean, and
    standard_error       its standard error, from the spread of the pieces; None for a single one.
    notes, pieces        how many cells were to be told, in how many pieces.
    orders               random orders a piece.
    """

    nats_per_note: float
    nats_per_note_macro: float
    standard_error: float | None
    notes: int
    pieces: int
    orders: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Coconet:
    """What :func:`coconet` found; the names are those of the JSON.

    Attributes
    ----------
    nats_per_frame    mean over the crops' means, all voices of a frame together.
    standard_error    its standard error, from the spread of the crops; None for a single one.
    crops, frames     how many stretches of how many sixteenths, each of another piece.
    orders            random orders a crop.
    """

    nats_per_frame: float
    standard_error: float | None
    crops: int
    frames: int
    orders: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def infilling(
    model: Model,
    representation: Cells,
    scores: Sequence[Score],
    *,
    given: Collection[int] = (),
    orders: int = 4,
    places: int = 16,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _: None,
) -> Infilling:
    """Judge ``model`` by filling in each of ``scores``; ``advance`` is told how many are done.

    Parameters
    ----------
    given   voices (0 soprano .. 3 bass) that are known from the start and not judged.
    places  at so many places of an order, drawn evenly, all cells that are still open are told, and a mean over them
            is taken: each of them is as likely to be the next. Cell after cell would give the same, in the long run.

    Raises
    ------
    InputError
        If there are no pieces.
    """
    if not scores:
        raise InputError("expected a piece to fill in, got none.")
    rng = np.random.default_rng(seed)
    told = [voice for voice in range(representation.voices) if voice not in given]
    nats, cells = np.empty(len(scores)), np.empty(len(scores))
    for number, score in enumerate(scores):
        encoding = representation.encode(score, bare=True)
        hidden = np.zeros((orders * places, *encoding.values.shape), dtype=np.bool_)
        hidden[:, :, told] = _still_open(rng, len(encoding) * len(told), orders, places).reshape(
            len(hidden), len(encoding), len(told)
        )
        truth = np.broadcast_to(encoding.values, hidden.shape)
        costs = np.where(hidden, _costs(model, truth, hidden, encoding.conditions), 0)
        nats[number] = (costs.sum((1, 2)) / hidden.sum((1, 2))).mean()
        cells[number] = len(encoding) * len(told)
        advance(number + 1)
    return Infilling(
        nats_per_note=float((nats * cells).sum() / cells.sum()),
        nats_per_note_macro=float(nats.mean()),
        standard_error=_error(nats),
        notes=int(cells.sum()),
        pieces=len(scores),
        orders=orders,
    )


def coconet(
    model: Model,
    representation: Cells,
    scores: Sequence[Score],
    *,
    crops: int = 20,
    frames: int = 128,
    orders: int = 5,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _: None,
) -> Coconet:
    """Judge ``model`` by Coconet's protocol on ``crops`` of ``scores``; ``advance`` is told how many frames are done.

    Each crop is of another piece, as far as there are pieces of ``frames`` sixteenths. Of the orders of one frame the
    probabilities are averaged, not their logarithms.

    Raises
    ------
    InputError
        If no piece is so long.
    """
    rng = np.random.default_rng(seed)
    cut = list(_crops(representation, scores, crops, frames, rng))
    if not cut:
        raise InputError(f"expected a piece of at least {frames} sixteenths, got {len(scores)} shorter ones.")
    truth = np.repeat(np.stack([values for values, _ in cut]), orders, axis=0)
    conditions = np.repeat(np.stack([conditions for _, conditions in cut]), orders, axis=0)
    nats = _frame_by_frame(model, truth, conditions, rng, advance).reshape(len(cut), orders, frames)
    together = math.log(orders) - np.logaddexp.reduce(-nats, axis=1)
    each = together.mean(1)
    return Coconet(float(each.mean()), _error(each), len(cut), frames, orders)


def _still_open(rng: np.random.Generator, count: int, orders: int, places: int) -> Mask:
    """(orders * places, count) of ``count`` cells, those that are open at each place of each order; one at least."""
    rank = rng.permuted(np.tile(np.arange(count), (orders, 1)), axis=1)
    known = ((np.arange(places) + rng.random((orders, places))) / places * count).astype(np.int64)
    mask: Mask = rank[:, None] >= known[:, :, None]
    return mask.reshape(orders * places, count)


def _crops(
    representation: Cells, scores: Sequence[Score], crops: int, frames: int, rng: np.random.Generator
) -> Iterator[tuple[Ids, Ids]]:
    """Values and conditions of a stretch of each of so many pieces, drawn without return."""
    encodings = [representation.encode(score, bare=True) for score in scores]
    long = [encoding for encoding in encodings if len(encoding) >= frames]
    for number in rng.permutation(len(long))[:crops]:
        start = int(rng.integers(len(long[number]) - frames + 1))
        yield long[number].values[start : start + frames], long[number].conditions[start : start + frames]


def _frame_by_frame(
    model: Model, truth: Ids, conditions: Ids, rng: np.random.Generator, advance: Callable[[int], None]
) -> Floats:
    """(rows, frames) nats of each frame in its row's own order."""
    rows, frames, voices = truth.shape
    order = rng.permuted(np.tile(np.arange(frames), (rows, 1)), axis=1)
    every = np.arange(rows)
    seen, hidden = truth.copy(), np.ones(truth.shape, dtype=np.bool_)
    nats = np.zeros((rows, frames))
    for done, frame in enumerate(order.T):
        turns = rng.permuted(np.tile(np.arange(voices), (rows, 1)), axis=1)
        for voice in turns.T:
            found = _pitches(_logits(model, seen, hidden, conditions)[every, frame, voice])
            nats[every, frame] -= found[every, Cells.pitches(truth[every, frame, voice])]
            seen[every, frame, voice], hidden[every, frame, voice] = found.argmax(1), False
        seen[every, frame] = truth[every, frame]
        advance(done + 1)
    return nats


def _costs(model: Model, truth: Ids, hidden: Mask, conditions: Ids) -> Floats:
    """(rows, frames, voices) nats of the true pitches, each told from what is not hidden in its row."""
    together = max(AT_ONCE // truth.shape[1], 1)
    found = []
    for start in range(0, len(truth), together):
        span = slice(start, start + together)
        told = np.broadcast_to(conditions, (len(truth[span]), *conditions.shape))
        logs = _pitches(_logits(model, truth[span], hidden[span], told))
        found.append(-np.take_along_axis(logs, Cells.pitches(truth[span])[..., None], axis=-1)[..., 0])
    return np.concatenate(found)


def _logits(model: Model, values: Ids, hidden: Mask, conditions: Ids) -> NDArray[np.float32]:
    """(rows, frames, voices, classes) of what is hidden in a bare grid, from what is not."""
    shown = Cells.shown(values, hidden, bare=True)
    features, _ = model.run(np.concatenate([shown, conditions], axis=2), model.initial(len(shown)))
    return np.stack([model.field(features, shown, k) for k in range(values.shape[2])], axis=2)


def _pitches(logits: NDArray[np.float32]) -> Floats:
    """(..., 47) log-probabilities: silence, and each pitch, struck or held."""
    logs = logits.astype(np.float64)
    logs -= np.logaddexp.reduce(logs, axis=-1, keepdims=True)
    sounding = np.logaddexp(logs[..., 1 : HELD + 1], logs[..., HELD + 1 :])
    return np.concatenate([logs[..., :1], sounding], axis=-1)


def _error(each: Floats) -> float | None:
    """The standard error of a mean."""
    return float(each.std(ddof=1) / math.sqrt(len(each))) if len(each) > 1 else None
