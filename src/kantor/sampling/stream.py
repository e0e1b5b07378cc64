"""Generation is a stream: each step is yielded as it is decided, for one piece or for several side by side.

Randomness is passed in, one generator a piece, so a piece comes out the same whatever stands beside it. The time a
step takes and the memory in use do not grow with the piece.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Deriver, Ids, Mask, Representation, decided, start_of
from kantor.runtime import Model, State, batch_axes
from kantor.sampling.asking import Ask, Head, Trunk, answer
from kantor.sampling.fields import divergence, draw_field, low_to_high, surprise
from kantor.sampling.filters import Filters
from kantor.sampling.guard import Guard
from kantor.score import Score

__all__ = ["Controls", "Decision", "deciding", "read", "stream"]

AHEAD = 1024  # random numbers drawn, and steps of a prompt shown, at a time


@dataclass(frozen=True, slots=True)
class Decision:
    """One step, decided.

    Attributes
    ----------
    step      its number, from 0.
    values    (pieces, columns) what was chosen.
    by_field  (pieces, fields) the surprise of each, -log p under the unfiltered model; 0 of one that was given.
    over      (pieces,) which pieces had ended before it, so that it is none of theirs; None where none had.
    cost      (pieces,) nats that the rules cost: the divergence of what was drawn from, from what the model meant.
    dead      (pieces,) where the rules admitted nothing, and were broken.
    blamed    names of the rules that were, by piece.
    progress  tells how far the piece that is least far has come, 0..1; asked in time, before the next step.
    """

    step: int
    values: Ids
    by_field: NDArray[np.float64]
    over: Mask | None
    progress: Callable[[], float]
    cost: NDArray[np.float64]
    dead: Mask
    blamed: Mapping[int, tuple[str, ...]]

    @property
    def nats(self) -> NDArray[np.float64]:
        """(pieces,) the surprise of the step: the sum over its fields."""
        whole: NDArray[np.float64] = self.by_field.sum(axis=1)
        return whole


@dataclass(slots=True)
class Controls:
    """What may be changed between two steps of a running stream: it is read anew at each."""

    filters: Filters = field(default_factory=Filters)
    guard: Guard | None = None


def stream(
    model: Model,
    representation: Representation,
    plan: Score | Sequence[Score],
    randoms: Sequence[np.random.Generator],
    *,
    filters: Filters | None = None,
    guard: Guard | None = None,
    controls: Controls | None = None,
    prompt: Ids | None = None,
    within: Mask | None = None,
    joint: int | None = None,
    notes: int | None = None,
    fixed: Ids | None = None,
) -> Iterator[Decision]:
    """Decide the steps of ``len(randoms)`` pieces from the end of the prompt to the end of the last of them.

    Parameters
    ----------
    plan      what is known before they sound, and how long they are: one for all, or one each.
    randoms   one generator a piece.
    filters   how to draw; the model's own distribution unless given.
    guard     the rules, bound to the plans. Where they admit nothing the step is decided without them, and says so:
              whoever reads the stream steps back, as far as it likes, by calling it anew with a shorter prompt.
    controls  both of these, in the hands of somebody who changes them while the stream runs.
    prompt    (steps, columns) that all pieces begin with, or (pieces, steps, columns) of each; not yielded.
    within    (parts, 128) or (1, 128): the pitches that may be attacked.
    joint     a step into whose frame nothing holds over.
    notes     pieces also end after so many notes beside the prompt's, where the representation counts any.
    fixed     (steps, columns) what is given of all pieces, -1 where it is to be decided; what is given costs no nats.
    """
    going = deciding(
        model,
        representation,
        plan,
        randoms,
        controls or Controls(filters or Filters(), guard),
        prompt=prompt,
        within=within,
        joint=joint,
        notes=notes,
        fixed=fixed,
    )
    said = next(going, None)
    while said is not None:
        if isinstance(said, Decision):
            yield said
            said = next(going, None)
        else:
            said = going.send(answer(model, said))


def deciding(
    model: Model,
    representation: Representation,
    plan: Score | Sequence[Score],
    randoms: Sequence[np.random.Generator],
    controls: Controls,
    *,
    prompt: Ids | None = None,
    within: Mask | None = None,
    joint: int | None = None,
    notes: int | None = None,
    fixed: Ids | None = None,
) -> Generator[Ask | Decision, Any, None]:
    """The same as :func:`stream`, but that whoever reads it gives the model's answers; a prompt is read at once."""
    fields = representation.fields
    places = _places(representation)
    pieces, width = len(randoms), decided(representation)
    plans = [plan] * pieces if isinstance(plan, Score) else list(plan)
    deriver = representation.derive(*plans, within=within, joint=joint, notes=notes)
    given = np.empty((0, width), dtype=np.int64) if prompt is None else np.asarray(prompt, dtype=np.int64)
    alike = given.ndim == 2 and all(other is plans[0] for other in plans)
    given = np.broadcast_to(given, (pieces, *given.shape[-2:]))
    previous, state = read(model, representation, deriver, given, alike)
    inputs = np.empty((pieces, 1, width + len(representation.conditions)), dtype=np.int64)
    deriver.begin()
    first = step = given.shape[1]
    over = deriver.done()
    while over is None or not over.all():
        if (step - first) % AHEAD == 0:
            uniform = np.stack([random.random((AHEAD, width)) for random in randoms], axis=1)
        chance = uniform[(step - first) % AHEAD]
        inputs[:, 0, :width], inputs[:, 0, width:] = previous, deriver.conditions()
        features, state = yield Trunk(inputs, state)
        values = np.zeros((pieces, width), dtype=np.int64)
        nats, cost, dead = np.zeros((pieces, len(fields))), np.zeros(pieces), np.zeros(pieces, dtype=np.bool_)
        blamed: dict[int, tuple[str, ...]] = {}
        filters, guard = controls.filters, controls.guard
        for k, (kind, place) in enumerate(zip(fields, places, strict=True)):
            params = (yield Head(features, values[:, None], k))[:, 0]
            if fixed is not None and step < len(fixed) and fixed[step, place.start] >= 0:
                values[:, place] = fixed[step, place]
                continue
            grammar = allowed = deriver.allowed(k, values)
            price = None
            if guard and (situation := deriver.situation(k, values, guard.reach)):
                if kind.kind == "multi-hot":  # silence is always left
                    allowed, price = grammar, guard.judge(situation)[1]
                else:
                    allowed, price, stuck, names = guard.verdict(situation, grammar)
                    dead |= stuck
                    blamed |= names
                    cost += divergence(kind, params, grammar, allowed, price)
            values[:, place], surprisal = draw_field(kind, params, chance[:, place], filters, allowed, price)
            if guard and kind.kind == "multi-hot":
                values[:, place] = low_to_high(values[:, place], partial(_joining, deriver, guard, k))
                surprisal = surprise(kind, params, values[:, place])
            nats[:, k] = surprisal
        deriver.push(values)
        previous = values
        yield Decision(step, values, nats, over, deriver.progress, cost, dead, blamed)
        step, over = step + 1, deriver.done()


def _joining(deriver: Deriver, guard: Guard, k: int, kept: Ids) -> Mask | None:
    """(pieces, keys) which keys may join those that sound."""
    situation = deriver.situation(k, kept, guard.reach)
    return None if situation is None else guard.judge(situation)[0]


def _places(representation: Representation) -> list[slice]:
    """The columns of each field."""
    ends = np.cumsum([field.width for field in representation.fields]).tolist()
    return [slice(end - field.width, end) for end, field in zip(ends, representation.fields, strict=True)]


def read(model: Model, representation: Representation, deriver: Deriver, given: Ids, alike: bool) -> tuple[Ids, State]:
    """The last fields and the model's state after ``given`` (pieces, steps, columns); read once where all are alike."""
    pieces, steps, width = given.shape
    readers = 1 if alike and steps else pieces
    previous = np.tile(start_of(representation), (pieces, 1))
    state = model.initial(readers)
    for start in range(0, steps, AHEAD):
        span = given[:, start : start + AHEAD]
        shown = np.empty((readers, span.shape[1], width + len(representation.conditions)), dtype=np.int64)
        for step in range(span.shape[1]):
            shown[:, step, :width] = previous[:readers]
            shown[:, step, width:] = deriver.conditions()[:readers]
            previous = span[:, step]
            deriver.push(previous)
        _, state = model.run(shown, state)
    return previous, state if readers == pieces else _repeated(model, state, pieces)


def _repeated(model: Model, state: State, pieces: int) -> State:
    """One piece's state for several: repeated along the axis that grows with the batch."""
    return [np.repeat(part, pieces, axis=axis) for part, axis in zip(state, batch_axes(model), strict=True)]
