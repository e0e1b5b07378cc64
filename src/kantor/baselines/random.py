"""Chance: every step alike and independent of all others.

Of a chorale on the plain grid it is seed 000's random chorale: silence one time in five, else any of the 46 pitches
from C2 to A5, each cell by itself. That costs 4.02 nats a cell of Bach, more than all 47 classes alike (ln 47, 3.85),
for a choir is seldom silent.

Of any other representation it knows the measure of things and no more: each class of a field is as likely as the next;
of keys all sound equally often, as often as the training pieces' keys do; a time that is a real number is a Gaussian
with the mean and the deviation of the training pieces. Drawn from, it keeps to the grammar of its representation and to
the ranges of the training pieces, as every model does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.baselines import Method
from kantor.representations import Encoding, Field, Ids, Representation
from kantor.representations.chorale import Chorale
from kantor.runtime import Features, State
from kantor.score import Score

__all__ = ["PART", "Random", "fit"]

SILENCE = 0.2  # share of silent cells in seed 000's random chorale
LEAST = 1e-6  # share of keys that sound, where none does


class Random:
    """A :class:`kantor.runtime.Model` that says the same at every step.

    Parameters
    ----------
    parameters   of each field's distribution, one row each.
    """

    def __init__(self, parameters: Sequence[NDArray[np.float32]]) -> None:
        self._parameters = parameters

    def initial(self, batch: int) -> State:
        """Nothing: there is nothing to remember."""
        return []

    def run(self, inputs: Ids, state: State) -> tuple[Features, State]:
        """See :class:`kantor.runtime.Model`; the features say how many steps there are."""
        return [np.zeros((*inputs.shape[:2], 1), dtype=np.float32)], []

    def field(self, features: Features, values: Ids, k: int) -> NDArray[np.float32]:
        """See :class:`kantor.runtime.Model`."""
        row = self._parameters[k]
        return np.broadcast_to(row, (*features[0].shape[:2], len(row)))


def fit(representation: Representation, pieces: Sequence[Score]) -> tuple[Representation, Random]:
    """Chance by this representation, without its conditions; the pieces tell how often keys sound, how long times are.

    Without pieces it has no vocabulary but its own, and fields that are not of classes cannot be had.
    """
    made: Any = representation.learn(pieces) if pieces else representation
    if hasattr(made, "inputs"):
        made = replace(made, inputs=())
    if isinstance(made, Chorale) and made.hold is None:
        return made, Random([_notebook(made.fields[0].size)])
    measured = any(field.kind != "categorical" for field in made.fields)
    encodings = [made.encode(piece) for piece in pieces] if measured else []
    rows, column = [], 0
    for field in made.fields:
        rows.append(_row(field, encodings, slice(column, column + field.width)))
        column += field.width
    return made, Random(rows)


PART = Method("Chance: every step alike and independent of all others; on the plain grid, seed 000's chorale.", fit)


def _notebook(classes: int) -> NDArray[np.float32]:
    """Logits of silence, class 0, and of the pitches."""
    row = np.full(classes, math.log((1 - SILENCE) / (classes - 1)), dtype=np.float32)
    row[0] = math.log(SILENCE)
    return row


def _row(field: Field, encodings: Sequence[Encoding], place: slice) -> NDArray[np.float32]:
    """The parameters of one field (see :mod:`kantor.sampling.fields`)."""
    if field.kind == "categorical":
        return np.full(field.size, -math.log(field.size), dtype=np.float32)
    values = np.concatenate([encoding.targets[:, place] for encoding in encodings])
    if field.kind == "multi-hot":
        share = min(max(float(values.mean()), LEAST), 1 - LEAST)
        return np.full(field.size, math.log(share / (1 - share)), dtype=np.float32)
    return np.array([values.mean(), math.log(max(float(values.std()), 0.5))], dtype=np.float32)
