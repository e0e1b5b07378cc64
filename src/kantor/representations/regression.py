"""Pitch, step and duration: the representation of seeds 003 and 004, after TensorFlow's tutorial on music generation.

A step of the sequence is a note: its pitch, one of 128; how long after the note before it begins; how long it lasts.
The last two are real fields: a network regresses them. They are counted on the grid of 24 steps a quarter on which all
note-by-note models are judged, and read by the network in quarters (the tutorial has seconds; its corpus ticks at 120
quarters a minute throughout, so that two quarters are its second). Notes are sorted by onset, then pitch: polyphony is
flattened. Nothing tells where in a bar a note stands, which is what seed 004 regrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations._past import alone, frames_until
from kantor.representations._timeline import GRID, STEP, VELOCITY, Clock, flat_plan, flatten, moved, scored
from kantor.score import Score

__all__ = ["PART", "Regression"]


@dataclass(frozen=True)
class Regression:
    """The representation; it has no options."""

    name: ClassVar[str] = "regression"
    unit: ClassVar[str] = "note"
    unique: ClassVar[bool] = False  # a walk may strike a key twice at once
    closes: ClassVar[bool] = False
    step: ClassVar[int] = STEP
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = False
    timed: ClassVar[bool] = False  # the step is decided behind the pitch
    conditions: ClassVar[tuple[Condition, ...]] = ()

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Pitch, step, duration."""
        quarters = np.array([1 / GRID])
        return (
            Field("pitch", np.arange(128)),
            Field("step", quarters, "real", GRID, 0),
            Field("duration", quarters, "real", GRID, 1),
        )

    def learn(self, scores: Sequence[Score]) -> Regression:
        """Itself: it has no tables."""
        return self

    def plan(self, score: Score) -> Score:
        """The same score on the grid, in one part, without its notes."""
        return flat_plan(score)

    def canonical(self, score: Score) -> Score:
        """What remains of a score: its notes on the grid, in one part, without velocities."""
        onset, duration, pitch, _ = flatten(score)
        return scored(onset, duration, pitch, VELOCITY, self.plan(score))

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """Pitch, grid steps since the note before (since the start, for the first), duration; there are no conditions.

        Raises
        ------
        ScoreError
            If it has no notes.
        """
        onset, duration, pitch, _ = flatten(score)
        values = np.stack([pitch, np.diff(onset, prepend=0), duration], axis=1)
        none = np.empty((len(values), 0), dtype=np.int64)
        return Encoding(values, none, self.plan(score), len(values), moment=int(onset[-1]) * STEP)

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, 3)."""
        values = np.asarray(values).reshape(-1, 3)
        return scored(values[:, 1].cumsum(), values[:, 2], values[:, 0], VELOCITY, plan)

    def until(self, values: Ids, tick: int) -> int:
        """Number of leading notes that begin before ``tick``."""
        return int(np.searchsorted(values[:, 1].cumsum(), -(-tick // STEP)))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) each note is a frame of its own."""
        return np.arange(len(encoding))

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) where a note differs from the one before; the first always does."""
        return moved(encoding.values)

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The moment of each piece, and which pitches are ``within``; ``joint`` has no meaning here."""
        return _Moments([plan.length_ticks // STEP for plan in plans], within, notes)


class _Moments:
    """How far growing pieces have come."""

    def __init__(self, lengths: list[int], within: Mask | None, count: int | None) -> None:
        self._clock = Clock(lengths, count)
        self.begin, self.done, self.progress = self._clock.begin, self._clock.over, self._clock.progress
        self._none = np.empty((len(lengths), 0), dtype=np.int64)
        self._within = None if within is None else np.repeat(np.asarray(within)[:1], len(lengths), axis=0)

    def conditions(self) -> Ids:
        return self._none

    def allowed(self, field: int, values: Ids) -> Mask | None:
        return self._within if field == 0 else None

    def situation(self, field: int, values: Ids, reach: int) -> Situation | None:
        return None if field else alone(frames_until(self._clock.time, reach), np.arange(128)[:, None])

    def keep(self, rows: Ids) -> None:
        self._clock.keep(rows)
        self._none, self._within = self._none[rows], None if self._within is None else self._within[rows]

    def push(self, values: Ids) -> None:
        self._clock.advance(values[:, 1], 1)


PART = Regression
