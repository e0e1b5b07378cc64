"""What a stream asks of its model, put so that several streams can be answered at once.

A network of some millions of weights is bound by reading them: a step of four pieces costs hardly more than a step of
one. Pieces that are composed live have beginnings, rules and playheads of their own, so they cannot be one batch from
the start; but between two decisions each of them is a generator that waits for an answer (:data:`Going`), and what
waits can be answered together.

What a piece is told must not depend on who is answered beside it, or it could not be made again. Matrix products of one
row take another path through the processor than those of several, whose rows do not touch each other: so whoever asks
alone is answered as two (:func:`answered`).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from kantor.representations import Ids
from kantor.runtime import Features, Model, State, batch_axes

__all__ = ["Ask", "Going", "Head", "Trunk", "answer", "answered", "settled", "together"]

R = TypeVar("R")


class Trunk(NamedTuple):
    """See :meth:`kantor.runtime.Model.run`."""

    inputs: Ids
    state: State


class Head(NamedTuple):
    """See :meth:`kantor.runtime.Model.field`."""

    features: Features
    values: Ids
    field: int


Ask = Trunk | Head
#: What asks, is sent the answers, and comes to a result.
Going = Generator[Ask, Any, R]


def answer(model: Model, ask: Ask) -> Any:
    """What the model says to one alone: features and state, or parameters of a field."""
    return model.run(ask.inputs, ask.state) if isinstance(ask, Trunk) else model.field(*ask)


def answered(model: Model, asks: Sequence[Ask], axes: Sequence[int]) -> list[Any]:
    """What the model says to each of those that ask for a single step; the same whoever else asks.

    ``axes`` are those of its state that grow with the batch.
    """
    found: list[Any] = [None] * len(asks)
    alike: dict[int, list[int]] = {}
    for at, ask in enumerate(asks):
        alike.setdefault(ask.field if isinstance(ask, Head) else -1, []).append(at)
    for members in alike.values():
        rows = members if len(members) > 1 else members * 2
        asked = [asks[at] for at in rows]
        said = _of_heads(model, asked) if isinstance(asked[0], Head) else _of_trunks(model, asked, axes)
        for at, one in zip(members, said, strict=False):
            found[at] = one
    return found


def settled(model: Model, going: Going[R]) -> R:
    """Its result, everything answered one by one."""
    axes = batch_axes(model)
    try:
        ask = next(going)
        while True:
            ask = going.send(answered(model, [ask], axes)[0])
    except StopIteration as end:
        result: R = end.value
        return result


def together(model: Model, goings: Sequence[Going[R]]) -> list[R | Exception]:
    """The result of each, or what it raised, all answered side by side."""
    found: list[Any] = [None] * len(goings)
    asking: dict[int, Ask] = {}

    def tell(at: int, said: Any) -> None:
        try:
            asking[at] = goings[at].send(said)
        except StopIteration as end:
            found[at] = end.value
        except Exception as error:  # noqa: BLE001 - it is handed on, and ends nobody else
            found[at] = error

    axes = batch_axes(model)
    for at in range(len(goings)):
        tell(at, None)
    while asking:
        asks = dict(asking)
        asking.clear()
        for at, said in zip(asks, _whatever(model, list(asks.values()), axes), strict=True):
            if isinstance(said, Exception):
                found[at] = said
            else:
                tell(at, said)
    return found


def _whatever(model: Model, asks: Sequence[Ask], axes: Sequence[int]) -> list[Any]:
    """What each is told, or why it cannot be: where all of them cannot be answered at once, they are asked singly."""
    try:
        return answered(model, asks, axes)
    except Exception as error:  # noqa: BLE001 - likewise
        if len(asks) == 1:
            return [error]
        return [one for ask in asks for one in _whatever(model, [ask], axes)]


def _of_trunks(model: Model, asks: Sequence[Any], axes: Sequence[int]) -> list[tuple[Features, State]]:
    states = (
        np.concatenate(parts, axis)
        for parts, axis in zip(zip(*(a.state for a in asks), strict=True), axes, strict=True)
    )
    features, state = model.run(np.concatenate([ask.inputs for ask in asks]), list(states))
    rows = [[part[row : row + 1] for part in features] for row in range(len(asks))]
    own = [[part.take([row], axis) for part, axis in zip(state, axes, strict=True)] for row in range(len(asks))]
    return list(zip(rows, own, strict=True))


def _of_heads(model: Model, asks: Sequence[Any]) -> list[Any]:
    features = [np.concatenate(parts) for parts in zip(*(ask.features for ask in asks), strict=True)]
    params = model.field(features, np.concatenate([ask.values for ask in asks]), asks[0].field)
    return [params[row : row + 1] for row in range(len(asks))]
