"""Score <-> steps. One representation a file; here is what they have in common.

A step is a record of *fields* (what a network predicts) under *conditions* (what it is told), all of them whole
numbers. A field is *categorical* (one class), *multi-hot* (a column of 0 or 1 for each of many keys) or *real* (a
count of grid steps that a network regresses). A planned condition is known for the whole piece before it sounds
(meter, key, fermata ...) and has a last class for "unknown"; a derived one follows from the steps before. A
representation offers

``fields``, ``conditions``
    their names and sizes, in the order of the columns below.
``plan(score)``
    what is known of a piece before it sounds: the same score without its notes.
``canonical(score)``
    what survives encoding: ``decode(encode(score)) == canonical(score)`` unless the encoding has ``unknown`` steps.
``encode(score)``
    an :class:`Encoding`.
``decode(values, plan)``
    the score of ``values`` (steps, columns of fields).
``derive(*plans, within, joint, notes)``
    a :class:`Deriver`: conditions and grammar, one step at a time, for pieces of these plans, side by side; where
    ``within`` is given, (parts, 128) or (1, 128) booleans, only those pitches are attacked; where a ``joint`` is,
    nothing holds over into the frame of that step; where ``notes`` is, a piece also ends so many after ``begin``.
``learn(scores)``
    the same representation with its tables (vocabularies) learned from these; most have none and give themselves.
``until(values, tick)``
    how many leading steps lie before ``tick`` of their own plan.
``changed(encoding)``
    (steps,) where a step differs from what went before it in its line: what copying would get wrong; or (steps,
    fields), where each field is a line of its own.
``unique``
    whether a score has one encoding: every grammatical walk then encodes to itself.
``closes``
    whether its pieces end on a cadence that all parts reach together.
``unit``
    what its likelihood is a mean over, "cell", "note" or "frame".
``step``
    ticks of its plans in a step of its grid: how long a frame of a :class:`Situation` lasts.
``ruled``
    whether any rule (:mod:`kantor.rules`) can be kept in it: whether it has situations.
``voiced``
    whether a situation's columns are voices; else they are notes that sound, in any order.
``timed``
    whether it is known, when a sound is chosen, in which frame it begins. Else situations show what each class
    sounds, and nothing beside it: rules that count what begins or sounds together cannot be kept.

Adding a representation is adding a file with a ``PART`` of this shape; the laws in ``tests/laws`` then hold for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score

__all__ = [
    "Columns",
    "Condition",
    "Deriver",
    "Encoding",
    "Field",
    "Ids",
    "Mask",
    "Representation",
    "Situation",
    "cells_in",
    "columns",
    "decided",
    "inputs_of",
    "start_of",
    "tick_of",
]

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Field:
    """A field of a step.

    Parameters
    ----------
    name   what it is called.
    table  what each class or key means, one row each; of a real field, a single row.
    kind   "categorical", "multi-hot" or "real".
    grid   of a real field: grid steps in the unit that networks read (24 a quarter, say).
    least  of a real field: its lowest value.
    implied  whether the other fields of its step imply it: its nats are charged, but it is no cell, and nobody's note.
    """

    name: str
    table: NDArray[Any]
    kind: str = "categorical"
    grid: int = 1
    least: int = 0
    implied: bool = False

    @property
    def size(self) -> int:
        """Number of classes (as an input to the next step, class ``size`` means "before the start") or of keys."""
        return len(self.table)

    @property
    def width(self) -> int:
        """Number of columns: one, or one a key."""
        return self.size if self.kind == "multi-hot" else 1


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
    values      (steps, columns) whole numbers, the fields' columns side by side.
    conditions  (steps, conditions) class numbers, each step's as they are before it is decided.
    plan        the score without its notes.
    notes       sounding notes of the canonical score (cells where the unit is a cell): what nats are divided by.
    wanted      (steps, columns) what a network should predict, where that is not ``values``: a class "unknown" in
                place of the nearest known one. None: the same.
    moment      of music without frames: the tick of the score from which the next step's time would be counted.
    spelling    nats that spelling out the unknown classes costs, a sum over the piece, by field.
    """

    values: Ids
    conditions: Ids
    plan: Score
    notes: int = 0
    wanted: Ids | None = None
    spelling: tuple[float, ...] = ()
    moment: int = 0

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.values)

    @property
    def targets(self) -> Ids:
        """(steps, columns) what a network should predict."""
        return self.values if self.wanted is None else self.wanted

    @property
    def unknown(self) -> int:
        """Number of steps that are not what the score has, but the nearest that is known."""
        return 0 if self.wanted is None else int((self.wanted != self.values).any(1).sum())


class Situation(NamedTuple):
    """What there is to decide next, in terms of what would sound: what rules (:mod:`kantor.rules`) judge by.

    Music without voices has a column for each note that sounds in any of the frames, in any order, and columns of
    their own for what is decided next. Before the first frame of a piece all is OPEN.

    Attributes
    ----------
    pitch    (batch, frames, voices) what sounds: MIDI pitch, SILENT or OPEN.
    frames   (batch, frames) their numbers in the piece, each of a ``step``.
    at       which of these frames is to be decided in; -1, the last, where there is no knowledge of what follows.
    voice    the first of the columns that a class fills.
    choices  (batch, classes, columns) what each class would sound there; a class that decides nothing leaves it OPEN.
    strikes  (batch, classes) whether the class begins a note, or as many as it sounds.
    struck   (batch, frames, voices) where a note is known to begin.
    voiced   whether the columns are voices.
    """

    pitch: Ids
    frames: Ids
    at: int
    voice: int
    choices: Ids
    strikes: Mask
    struck: Mask
    voiced: bool = True


class Deriver(Protocol):
    """Conditions and grammar of ``batch`` pieces that grow together, in time and memory that do not grow with them."""

    def conditions(self) -> Ids:
        """(batch, conditions) of the step that comes next; valid until the next ``push``."""
        ...

    def allowed(self, field: int, values: Ids) -> Mask | None:
        """(batch, classes) that the grammar admits for ``field`` next; None where it admits all.

        ``values`` (batch, columns) holds the fields before it, already decided.
        """
        ...

    def situation(self, field: int, values: Ids, reach: int) -> Situation | None:
        """What rules judge ``field`` by, with ``reach`` frames of the past; None where it decides nothing that sounds.

        ``values`` (batch, columns) holds the fields before it, and of a multi-hot field, whose classes here are its
        keys, each of them alone, the keys already decided. A ring may hold fewer frames than are asked for. Valid
        until the next ``push``.
        """
        ...

    def push(self, values: Ids) -> None:
        """Take the decided step, (batch, columns)."""
        ...

    def keep(self, rows: Ids) -> None:
        """Let the pieces be these of what they were; one may come several times, or not at all."""
        ...

    def begin(self) -> None:
        """The prompt has been read: notes are counted from here."""
        ...

    def done(self) -> Mask | None:
        """(batch,) which pieces have reached their end; None as long as none has."""
        ...

    def progress(self) -> float:
        """How far the piece that is least far has come, 0..1."""
        ...


class Representation(Protocol):
    """What every representation offers; see the module's docstring."""

    @property
    def fields(self) -> tuple[Field, ...]: ...  # noqa: D102
    @property
    def conditions(self) -> tuple[Condition, ...]: ...  # noqa: D102
    @property
    def unique(self) -> bool: ...  # noqa: D102
    @property
    def closes(self) -> bool: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def step(self) -> int: ...  # noqa: D102
    @property
    def ruled(self) -> bool: ...  # noqa: D102
    @property
    def voiced(self) -> bool: ...  # noqa: D102
    @property
    def timed(self) -> bool: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    def learn(self, scores: Sequence[Score]) -> Representation: ...  # noqa: D102
    def frames(self, encoding: Encoding) -> Ids: ...  # noqa: D102
    def changed(self, encoding: Encoding) -> Mask: ...  # noqa: D102
    def until(self, values: Ids, tick: int) -> int: ...  # noqa: D102
    def plan(self, score: Score) -> Score: ...  # noqa: D102
    def canonical(self, score: Score) -> Score: ...  # noqa: D102
    def encode(self, score: Score, *, bare: bool = False) -> Encoding: ...  # noqa: D102
    def decode(self, values: Ids, plan: Score) -> Score: ...  # noqa: D102
    def derive(  # noqa: D102
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver: ...


class Columns(NamedTuple):
    """Sizes of a network's inputs (fields of the step before, then conditions) and outputs (fields), and their kinds.

    A multi-hot field has an input of size 1 for each key; a real one an input whose size is its grid.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kinds: tuple[str, ...]


def columns(representation: Representation) -> Columns:
    """What a network for this representation takes and gives."""
    inputs: list[int] = []
    for field in representation.fields:
        per_kind = {"categorical": [field.size], "multi-hot": [1] * field.size, "real": [field.grid]}
        inputs += per_kind[field.kind]
    inputs += [condition.size for condition in representation.conditions]
    fields = representation.fields
    return Columns(tuple(inputs), tuple(field.size for field in fields), tuple(field.kind for field in fields))


def cells_in(representation: Representation, steps: int) -> int:
    """How many cells so many steps decide; 0 where likelihoods are not counted by cells."""
    cells = sum(not field.implied for field in representation.fields)
    return steps * cells if representation.unit == "cell" else 0


def tick_of(representation: Representation, plan: Score, values: Ids, step: int) -> int:
    """Where a step of ``values`` lies: the first tick of the last bar that begins before it or with it."""
    starts = plan.bars["start"].tolist()
    return next((tick for tick in reversed(starts) if representation.until(values, tick) <= step), 0)


def decided(representation: Representation) -> int:
    """Number of columns of a step's fields."""
    return sum(field.width for field in representation.fields)


def start_of(representation: Representation) -> Ids:
    """(columns,) what a network is shown in place of the step before the first."""
    return np.array(
        [
            field.size if field.kind == "categorical" else 0
            for field in representation.fields
            for _ in range(field.width)
        ]
    )


def inputs_of(encoding: Encoding, representation: Representation) -> Ids:
    """(steps, columns + conditions): what a network is shown at each step; before the first, "before the start"."""
    previous = np.concatenate([start_of(representation)[None], encoding.values[:-1]])
    return np.concatenate([previous[: len(encoding)], encoding.conditions], axis=1)
