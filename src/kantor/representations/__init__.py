"""Score <-> steps. One representation a file; here is what they have in common.

A step is a record of *fields* (what a network predicts) under *conditions* (what it is told), all of them class
numbers. A planned condition is known for the whole piece before it sounds (meter, key, fermata ...) and has a last
class for "unknown"; a derived one follows from the steps before. A representation offers

``fields``, ``conditions``
    their names and sizes, in the order of the columns below.
``plan(score)``
    what is known of a piece before it sounds: the same score without its notes.
``canonical(score)``
    what survives encoding: ``decode(encode(score)) == canonical(score)``.
``encode(score)``
    an :class:`Encoding`.
``decode(values, plan)``
    the score of ``values`` (steps, fields).
``derive(*plans, ranges, joint)``
    a :class:`Deriver`: conditions and grammar, one step at a time, for pieces of these plans, all of one length, side
    by side; where ``ranges`` are given, (parts, 2) lowest and highest pitch, the grammar stays within them, and where
    a ``joint`` is, nothing holds over into the frame of that step.

``changed(encoding)``
    (steps,) where a step differs from what went before it in its line: what copying would get wrong.

Adding a representation is adding a file with a ``PART`` of this shape; the laws in ``tests/laws`` then hold for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score

__all__ = ["Condition", "Deriver", "Encoding", "Field", "Ids", "Representation", "columns", "inputs_of"]

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Field:
    """A categorical field of a step: ``table`` says what each of its ``size`` classes means, one row a class."""

    name: str
    table: NDArray[np.void]

    @property
    def size(self) -> int:
        """Number of classes; as an input to the next step, class ``size`` means "before the start"."""
        return len(self.table)


@dataclass(frozen=True)
class Condition:
    """An input that is not predicted. A planned one keeps its last class, ``size - 1``, for "unknown"."""

    name: str
    size: int
    planned: bool = False

    @property
    def unknown(self) -> int:
        """The class that says "not known" (planned conditions only)."""
        return self.size - 1


@dataclass(frozen=True)
class Encoding:
    """A piece as a network reads it.

    Attributes
    ----------
    values      (steps, fields) class numbers.
    conditions  (steps, conditions) class numbers, each step's as they are before it is decided.
    plan        the score without its notes.
    """

    values: Ids
    conditions: Ids
    plan: Score

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.values)


class Deriver(Protocol):
    """Conditions and grammar of ``batch`` pieces that grow together, in time and memory that do not grow with them."""

    def conditions(self) -> Ids:
        """(batch, conditions) of the step that comes next; valid until the next ``push``."""
        ...

    def allowed(self) -> NDArray[np.bool_] | None:
        """(batch, classes) that the grammar admits next; None where it admits all."""
        ...

    def push(self, values: Ids) -> None:
        """Take the decided step, (batch, fields)."""
        ...


class Representation(Protocol):
    """What every representation offers; see the module's docstring."""

    @property
    def fields(self) -> tuple[Field, ...]: ...  # noqa: D102
    @property
    def conditions(self) -> tuple[Condition, ...]: ...  # noqa: D102
    @property
    def steps_per_quarter(self) -> int: ...  # noqa: D102
    @property
    def steps_per_frame(self) -> int: ...  # noqa: D102
    def changed(self, encoding: Encoding) -> NDArray[np.bool_]: ...  # noqa: D102
    def plan(self, score: Score) -> Score: ...  # noqa: D102
    def length(self, plan: Score) -> int: ...  # noqa: D102
    def canonical(self, score: Score) -> Score: ...  # noqa: D102
    def encode(self, score: Score, *, bare: bool = False) -> Encoding: ...  # noqa: D102
    def decode(self, values: Ids, plan: Score) -> Score: ...  # noqa: D102
    def derive(  # noqa: D102
        self, *plans: Score, ranges: NDArray[Any] | None = None, joint: int | None = None
    ) -> Deriver: ...


def columns(representation: Representation) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Class counts of a network's inputs (fields of the step before, then conditions) and of its outputs (fields)."""
    fields = tuple(field.size for field in representation.fields)
    return fields + tuple(condition.size for condition in representation.conditions), fields


def inputs_of(encoding: Encoding, representation: Representation) -> Ids:
    """(steps, fields + conditions): what a network is shown at each step; before the first, "before the start"."""
    start = np.array([[field.size for field in representation.fields]])
    previous = np.concatenate([start, encoding.values[:-1]])
    return np.concatenate([previous, encoding.conditions], axis=1)
