"""A binary piano roll, a frame a step: the representation of seed 002, and of the published figures on piano rolls.

A step is one multi-hot field of 88 keys. Whether a sounding key is held or struck again is not told: what sounds on is
held. Keys of one frame are independent of each other, given the frames before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations._keys import (
    HELD,
    KEYS,
    LOWEST,
    STRUCK,
    check_resolution,
    grid_of,
    keys_within,
    roll_plan,
    score_of,
)
from kantor.representations._past import beside, on_keys
from kantor.representations._timeline import Clock, moved
from kantor.rules import OPEN
from kantor.score import Score

__all__ = ["PART", "Frames"]

RING = 128  # frames of the past that a deriver keeps
KEY = np.arange(LOWEST, LOWEST + KEYS)


@dataclass(frozen=True)
class Frames:
    """The representation.

    Parameters
    ----------
    steps_per_quarter  frames a quarter: 4 are sixteenths, 1 is what the published rolls have.
    """

    steps_per_quarter: int = 4

    name: ClassVar[str] = "frames"
    unit: ClassVar[str] = "frame"
    unique: ClassVar[bool] = True
    closes: ClassVar[bool] = False
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = False
    timed: ClassVar[bool] = True
    conditions: ClassVar[tuple[Condition, ...]] = ()

    def __post_init__(self) -> None:
        check_resolution(self.steps_per_quarter)

    @property
    def step(self) -> int:
        """Ticks a frame."""
        return check_resolution(self.steps_per_quarter)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The keys."""
        return (Field("keys", KEY, "multi-hot"),)

    def learn(self, scores: Sequence[Score]) -> Frames:
        """Itself: it has no tables."""
        return self

    def plan(self, score: Score) -> Score:
        """The same score on the grid of frames, in one part, without its notes."""
        return roll_plan(score, self.step)

    def canonical(self, score: Score) -> Score:
        """What a binary roll keeps: which keys sound when."""
        return score_of(grid_of(score, self.step, binary=True), self.plan(score), self.step)

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's frames; there are no conditions.

        Raises
        ------
        ScoreError
            If it has no notes, or one that a piano does not have.
        """
        grid = grid_of(score, self.step, binary=True)
        none = np.empty((len(grid), 0), dtype=np.int64)
        return Encoding((grid > 0).astype(np.int64), none, self.plan(score), int((grid == STRUCK).sum()))

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (frames, 88)."""
        return score_of(np.asarray(values).reshape(-1, KEYS) * 2, plan, self.step)

    def until(self, values: Ids, tick: int) -> int:
        """Number of leading frames that begin before ``tick``."""
        return min(-(-tick // self.step), len(values))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) each step is a frame."""
        return np.arange(len(encoding))

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) where a frame differs from the one before; the first always does."""
        return moved(encoding.values)

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The frame of each piece, and which keys are ``within``.

        A binary roll strikes a key by its sounding after silence, and cannot strike in the frame ``joint`` what
        sounded before it; so that has no meaning here.
        """
        return _Rolling([plan.length_ticks // self.step for plan in plans], within, notes)


class _Rolling:
    """How far growing rolls have come, how many notes they have struck, and for rules a ring of their frames."""

    def __init__(self, lengths: list[int], within: Mask | None, count: int | None) -> None:
        batch = len(lengths)
        self._clock = Clock(lengths, count)
        self.begin, self.done, self.progress = self._clock.begin, self._clock.over, self._clock.progress
        self._last = np.zeros((batch, KEYS), dtype=np.int64)
        self._ring = np.zeros((RING, batch, KEYS), dtype=np.bool_)
        self._frame = 0
        self._none = np.empty((batch, 0), dtype=np.int64)
        self._within = None if within is None else np.repeat(keys_within(within)[None], batch, axis=0)

    def conditions(self) -> Ids:
        return self._none

    def allowed(self, field: int, values: Ids) -> Mask | None:
        return self._within

    def situation(self, field: int, values: Ids, reach: int) -> Situation:
        """Every key alone, beside those of ``values`` that sound: keys decided low to high know what lies below."""
        past = np.arange(self._frame - min(reach, RING - 2) - 1, self._frame)
        sounds = np.concatenate([self._ring[past % RING], values[None] > 0])  # a frame more, to know what is struck
        grid = np.where(sounds[1:] & ~sounds[:-1], STRUCK, np.where(sounds[1:], HELD, 0))
        grid[-1, values == 0] = OPEN
        frames = np.repeat(np.arange(past[0] + 1, self._frame + 1)[None], len(values), axis=0)
        return beside(on_keys(grid.swapaxes(0, 1)), frames, KEY[:, None], self._last == 0)

    def keep(self, rows: Ids) -> None:
        self._clock.keep(rows)
        self._last, self._ring, self._none = self._last[rows], self._ring[:, rows], self._none[rows]
        self._within = None if self._within is None else self._within[rows]

    def push(self, values: Ids) -> None:
        self._ring[self._frame % RING] = values
        self._frame += 1
        struck = 0 if self._clock.count is None else (values > self._last).sum(1)
        self._last = values
        self._clock.advance(1, struck)


PART = Frames
