"""Generation is a stream: each step is yielded as it is decided, for one piece or for several side by side.

Randomness is passed in, one generator a piece, so a piece comes out the same whatever stands beside it. The time a
step takes and the memory in use do not grow with the piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Deriver, Ids, Representation
from kantor.runtime import Model, State
from kantor.sampling.filters import Filters, draw
from kantor.score import Score

__all__ = ["Decision", "stream"]

AHEAD = 1024  # random numbers drawn, and steps of a prompt shown, at a time


@dataclass(frozen=True, slots=True)
class Decision:
    """One step, decided.

    Attributes
    ----------
    step     its number, from 0.
    values   (pieces, fields) the classes chosen.
    nats     (pieces,) their surprise, -log p under the unfiltered model, summed over the fields.
    """

    step: int
    values: Ids
    nats: NDArray[np.float64]


def stream(
    model: Model,
    representation: Representation,
    plan: Score | Sequence[Score],
    randoms: Sequence[np.random.Generator],
    *,
    filters: Filters | None = None,
    prompt: Ids | None = None,
    ranges: NDArray[Any] | None = None,
    joint: int | None = None,
) -> Iterator[Decision]:
    """Decide the steps of ``len(randoms)`` pieces from the end of the prompt to the end of the plan.

    Parameters
    ----------
    plan      what is known before they sound, and how long they are: one for all, or one each, of the same length.
    randoms   one generator a piece.
    filters   how to draw; the model's own distribution unless given.
    prompt    (steps, fields) that all pieces begin with, or (pieces, steps, fields) of each; not yielded.
    ranges    (parts, 2) lowest and highest pitch of each part; nothing outside is drawn.
    joint     a step into whose frame nothing holds over.
    """
    filters = filters or Filters()
    pieces, fields = len(randoms), len(representation.fields)
    plans = [plan] * pieces if isinstance(plan, Score) else list(plan)
    deriver = representation.derive(*plans, ranges=ranges, joint=joint)
    given = np.empty((0, fields), dtype=np.int64) if prompt is None else np.asarray(prompt, dtype=np.int64)
    alike = given.ndim == 2 and all(other is plans[0] for other in plans)
    given = np.broadcast_to(given, (pieces, *given.shape[-2:]))
    previous, state = _read(model, representation, deriver, given, alike)
    inputs = np.empty((pieces, 1, fields + len(representation.conditions)), dtype=np.int64)
    for step in range(given.shape[1], representation.length(plans[0])):
        if (step - given.shape[1]) % AHEAD == 0:
            uniform = np.stack([random.random((AHEAD, fields)) for random in randoms], axis=1)
        inputs[:, 0, :fields], inputs[:, 0, fields:] = previous, deriver.conditions()
        logits, state = model.run(inputs, state)
        allowed = deriver.allowed()
        values = np.empty((pieces, fields), dtype=np.int64)
        surprise = np.zeros(pieces)
        for field in range(fields):
            chance = uniform[(step - given.shape[1]) % AHEAD, :, field]
            values[:, field], nats = draw(logits[field][:, 0], chance, filters, allowed)
            surprise += nats
        deriver.push(values)
        previous = values
        yield Decision(step, values, surprise)


def _read(model: Model, representation: Representation, deriver: Deriver, given: Ids, alike: bool) -> tuple[Ids, State]:
    """The last fields and the model's state after ``given`` (pieces, steps, fields); read once where all are alike."""
    pieces, steps, fields = given.shape
    readers = 1 if alike and steps else pieces
    previous = np.tile([field.size for field in representation.fields], (pieces, 1))
    state = model.initial(readers)
    for start in range(0, steps, AHEAD):
        span = given[:, start : start + AHEAD]
        shown = np.empty((readers, span.shape[1], fields + len(representation.conditions)), dtype=np.int64)
        for step in range(span.shape[1]):
            shown[:, step, :fields] = previous[:readers]
            shown[:, step, fields:] = deriver.conditions()[:readers]
            previous = span[:, step]
            deriver.push(previous)
        _, state = model.run(shown, state)
    return previous, state if readers == pieces else _repeated(model, state, pieces)


def _repeated(model: Model, state: State, pieces: int) -> State:
    """One piece's state for several: repeated along the axis that grows with the batch."""
    shapes = zip(model.initial(1), model.initial(2), strict=True)
    axes = [next(axis for axis in range(one.ndim) if one.shape[axis] != two.shape[axis]) for one, two in shapes]
    return [np.repeat(part, pieces, axis=axis) for part, axis in zip(state, axes, strict=True)]
