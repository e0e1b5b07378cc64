"""A piano roll whose frames are written out, note by note: the keys of a frame are one joint distribution.

A step is one categorical field: a key that is *struck*, a key that is *held* from the frame before, or the *end* of the
frame. Keys of a frame come in ascending order, so each is chosen in the knowledge of those below it; so chords are
chosen as chords, which independent keys (:mod:`kantor.representations.frames`) cannot do. In the spelling *binary* a
key only sounds, which makes likelihoods comparable with those of binary rolls: a frame costs what its steps cost.

Conditions, each chosen by name. Keys are counted from the lowest, 0..87; 88 is none.

rank       how many keys this frame has so far, at most 9
above      the next two keys of the last frame above the one just chosen (two columns)
age        for how many frames those two have sounded by then, at most 32; 0 is none (two columns)
last       the six lowest keys of the last frame (six columns)
lag-N      the six lowest keys N frames ago (six columns)
phase      frame number modulo sixteen quarters' worth of frames, at most 64
beat       place in the bar, in steps of 24 a quarter (planned)
meter      one of nine, or another (planned)
key        twelve major, twelve minor (planned)
remaining  quarters until the end, at most 32 (planned)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError
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
from kantor.representations._past import beside, frames_until, on_keys
from kantor.representations._timeline import PLANNED, Clock, conditions_named, planned
from kantor.rules import OPEN
from kantor.score import Score

__all__ = ["PART", "Roll"]

NONE = KEYS  # no key
RANK_CAP = 9
SHOWN = 6  # keys of an earlier frame
ABOVE = 2
AGE_CAP = 32  # frames
LONGEST_LAG = 64
RING = 128  # frames of the past that a deriver keeps, a power of two over the longest lag


@dataclass(frozen=True)
class Roll:
    """The representation.

    Parameters
    ----------
    spelling           "struck" (struck and held apart) or "binary".
    steps_per_quarter  frames a quarter: 4 are sixteenths, 1 is what the published rolls have.
    inputs             names of the conditions.
    """

    spelling: str = "struck"
    steps_per_quarter: int = 4
    inputs: tuple[str, ...] = ()

    name: ClassVar[str] = "roll"
    unit: ClassVar[str] = "frame"
    unique: ClassVar[bool] = True
    closes: ClassVar[bool] = False
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = False
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        check_resolution(self.steps_per_quarter)
        if self.spelling not in ("struck", "binary"):
            raise OptionError(f"expected the spelling to be 'struck' or 'binary', got '{self.spelling}'.")
        _ = self.conditions

    @property
    def step(self) -> int:
        """Ticks a frame."""
        return check_resolution(self.steps_per_quarter)

    @property
    def binary(self) -> bool:
        """Whether struck and held look alike."""
        return self.spelling == "binary"

    @property
    def end(self) -> int:
        """Class of the end of a frame."""
        return KEYS if self.binary else 2 * KEYS

    @property
    def phases(self) -> int:
        """Frames of four bars of four quarters, at most 64."""
        return min(16 * self.steps_per_quarter, 64)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """One field: rows of (MIDI pitch, whether it is struck); pitch -1 is the end of the frame."""
        row = np.dtype([("pitch", "<i2"), ("struck", "?")])
        pitches = range(LOWEST, LOWEST + KEYS)
        held = [] if self.binary else [(pitch, False) for pitch in pitches]
        return (Field("key", np.array([*((pitch, True) for pitch in pitches), *held, (-1, False)], dtype=row)),)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns that ``inputs`` ask for."""
        derived = {"rank": RANK_CAP + 1, "phase": self.phases}
        out: list[Condition] = []
        for name in self.inputs:
            columns = self._columns(name)
            if columns is None:
                others = {"above": 0, "age": 0, "last": 0, f"lag-1..lag-{LONGEST_LAG}": 0}
                out += conditions_named((name,), {**derived, **others})
            else:
                classes = AGE_CAP + 1 if name == "age" else KEYS + 1
                out += [Condition(f"{name}-{rank}", classes) for rank in range(columns)]
        return tuple(out)

    @staticmethod
    def _columns(name: str) -> int | None:
        """Columns of a condition that holds keys, or what is told of each; None for any other."""
        if name in ("above", "age"):
            return ABOVE
        lag = name.removeprefix("lag-")
        known = name == "last" or (lag != name and lag.isdigit() and 1 <= int(lag) <= LONGEST_LAG)
        return SHOWN if known else None

    def learn(self, scores: Sequence[Score]) -> Roll:
        """Itself: it has no tables."""
        return self

    # -- score <-> steps -----------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score on the grid of frames, in one part, without its notes."""
        return roll_plan(score, self.step)

    def canonical(self, score: Score) -> Score:
        """What a roll keeps: which keys sound when, and, unless it is binary, which are struck."""
        return score_of(grid_of(score, self.step, binary=self.binary), self.plan(score), self.step)

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's frames, written out, and their conditions; with ``bare``, every planned condition unknown.

        Raises
        ------
        ScoreError
            If it has no notes, or one that a piano does not have.
        """
        grid = grid_of(score, self.step, binary=self.binary)
        plan = self.plan(score)
        frame, key = np.nonzero(grid)
        classes = key if self.binary else key + KEYS * (grid[frame, key] == HELD)
        ends = np.searchsorted(frame, np.arange(len(grid)), side="right")
        values = np.insert(classes, ends, self.end)[:, None]
        conditions = self._derive_all(values[:, 0], grid, plan)
        if bare:
            for column, condition in enumerate(self.conditions):
                if condition.planned:
                    conditions[:, column] = condition.unknown
        return Encoding(values, conditions, plan, int((grid == STRUCK).sum()))

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, 1); a last frame that has no end is left out."""
        steps = np.asarray(values).reshape(-1)
        ending = steps == self.end
        frame = np.concatenate([[0], ending.cumsum()])[:-1] if len(steps) else np.empty(0, dtype=np.int64)
        grid = np.zeros((int(ending.sum()), KEYS), dtype=np.int8)
        kept = ~ending & (frame < len(grid))
        grid[frame[kept], steps[kept] % KEYS] = HELD if self.binary else np.where(steps[kept] < KEYS, STRUCK, HELD)
        return score_of(grid, plan, self.step)

    def until(self, values: Ids, tick: int) -> int:
        """Number of leading steps whose frames begin before ``tick``."""
        ends = np.flatnonzero(values[:, 0] == self.end)
        frames = min(-(-tick // self.step), len(ends))
        return int(ends[frames - 1]) + 1 if frames else 0

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) the frame of each step."""
        ending = encoding.values[:, 0] == self.end
        return np.concatenate([[0], ending.cumsum()[:-1]])

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) whether a step belongs to a frame that sounds other keys than the last, or strikes any."""
        frame = self.frames(encoding)
        steps = encoding.values[:, 0]
        grid = np.zeros((frame[-1] + 1, KEYS), dtype=np.int8)
        sounds = steps != self.end
        grid[frame[sounds], steps[sounds] % KEYS] = 1 + (steps[sounds] < KEYS)
        moved = np.ones(len(grid), dtype=np.bool_)
        moved[1:] = ((grid[1:] > 0) != (grid[:-1] > 0)).any(1) | ((grid[1:] == 2).any(1) & (not self.binary))
        return moved[frame]

    # -- conditions and grammar ----------------------------------------------------------------------------------

    def _derive_all(self, steps: Ids, grid: NDArray[np.int8], plan: Score) -> Ids:
        ending = steps == self.end
        frame = np.concatenate([[0], ending.cumsum()[:-1]])
        start = np.maximum.accumulate(np.where(np.concatenate([[True], ending[:-1]]), np.arange(len(steps)), 0))
        rank = np.arange(len(steps)) - start
        chosen = np.concatenate([[-1], steps[:-1] % KEYS])
        chosen[rank == 0] = -1
        lowest = np.vstack([_lowest(grid), np.full((1, SHOWN), NONE)])  # the last row: before the start
        out = np.empty((len(steps), len(self.conditions)), dtype=np.int64)
        above = _above(grid, frame, chosen)
        column = 0
        for name in self.inputs:
            width = self._columns(name) or 1
            place = out[:, column : column + width]
            column += width
            if name == "rank":
                place[:, 0] = np.minimum(rank, RANK_CAP)
            elif name == "phase":
                place[:, 0] = frame % self.phases
            elif name == "above":
                place[:] = above
            elif name == "age":
                place[:] = _ages(grid)[frame[:, None], above]
            elif name in PLANNED:
                place[:, 0] = planned(name, plan, self.step)[frame]
            else:
                lag = 1 if name == "last" else int(name.removeprefix("lag-"))
                place[:] = lowest[np.where(frame >= lag, frame - lag, -1)]
        return out

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The conditions and the grammar of one piece a plan; in the frame that step ``joint`` begins nothing holds."""
        return _Written(self, plans, within, notes, joint)


class _Written:
    """Conditions and grammar of growing rolls: a ring of frames, so that neither time nor memory grows."""

    def __init__(
        self, roll: Roll, plans: Sequence[Score], within: Mask | None, count: int | None, joint: int | None
    ) -> None:
        batch = len(plans)
        self._until_joint = -1 if joint is None else joint  # steps
        self._joins = np.full(batch, joint == 0)  # whether this frame is the first after what was given
        self._roll = roll
        self._clock = Clock([plan.length_ticks // roll.step for plan in plans], count)
        self.progress = self._clock.progress
        self._planned = {
            name: [planned(name, plan, roll.step) for plan in plans] for name in roll.inputs if name in PLANNED
        }
        self._rank = np.zeros(batch, dtype=np.int64)
        self._chosen = np.full(batch, -1)
        self._full = np.zeros(batch, dtype=np.bool_)  # whether it had its notes when a frame ended
        self._now = np.zeros((batch, KEYS), dtype=np.bool_)
        self._last = np.zeros((batch, KEYS), dtype=np.bool_)
        self._age = np.zeros((batch, KEYS + 1), dtype=np.int64)  # of the last frame's keys; the last column is of none
        self._struck = np.zeros((batch, KEYS), dtype=np.bool_)
        self._ring = np.full((RING, batch, SHOWN), NONE, dtype=np.int64)
        self._grid = np.zeros((RING, batch, KEYS), dtype=np.int8)  # of whole frames, which keys are struck and held
        self._pitch, self._strikes = roll.fields[0].table["pitch"].astype(np.int64), roll.fields[0].table["struck"]
        self._out = np.empty((batch, len(roll.conditions)), dtype=np.int64)
        self._rows, self._key = np.arange(batch), np.arange(KEYS)
        self._within = keys_within(within)

    def conditions(self) -> Ids:
        above = self._above()
        column = 0
        for name in self._roll.inputs:
            width = self._roll._columns(name) or 1
            place = self._out[:, column : column + width]
            column += width
            if name == "rank":
                place[:, 0] = np.minimum(self._rank, RANK_CAP)
            elif name == "phase":
                place[:, 0] = self._clock.time % self._roll.phases
            elif name == "above":
                place[:] = above
            elif name == "age":
                place[:] = np.take_along_axis(self._age, above, axis=1)
            elif name in PLANNED:
                for row, classes in enumerate(self._planned[name]):
                    place[row, 0] = classes[min(self._clock.time[row], len(classes) - 1)]
            else:
                lag = 1 if name == "last" else int(name.removeprefix("lag-"))
                place[:] = self._ring[(self._clock.time - lag) % RING, self._rows]
        return self._out

    def _above(self) -> Ids:
        return _first(self._last & (self._key > self._chosen[:, None]), ABOVE)

    def allowed(self, field: int, values: Ids) -> Mask | None:
        higher = self._key > self._chosen[:, None]
        struck = higher & self._within
        end = np.ones((len(higher), 1), dtype=np.bool_)
        return np.hstack([struck, end] if self._roll.binary else [struck, higher & self._holdable(), end])

    def _holdable(self) -> Mask:
        """(batch, keys) which keys can sound on in this frame."""
        holdable: Mask = self._last & ~self._joins[:, None]
        return holdable

    def situation(self, field: int, values: Ids, reach: int) -> Situation:
        frames = frames_until(self._clock.time, min(reach, RING - 1))
        grid = self._grid[frames % RING, self._rows[:, None]]  # (batch, frames, keys)
        grid[:, -1] = self._written(self._rows)
        grid[:, -1][self._key > self._chosen[:, None]] = OPEN
        strikes = np.repeat(self._strikes[None], len(grid), axis=0)
        if self._roll.binary:
            strikes[:, :KEYS] &= ~self._holdable()
        return beside(on_keys(grid), frames, self._pitch[:, None], strikes)

    def keep(self, rows: Ids) -> None:
        self._clock.keep(rows)
        self._planned = {name: [each[row] for row in rows.tolist()] for name, each in self._planned.items()}
        self._rank, self._chosen, self._full = self._rank[rows], self._chosen[rows], self._full[rows]
        self._joins = self._joins[rows]
        self._now, self._last, self._age = self._now[rows], self._last[rows], self._age[rows]
        self._struck, self._out, self._rows = self._struck[rows], self._out[rows], np.arange(len(rows))
        self._ring, self._grid = self._ring[:, rows], self._grid[:, rows]

    def push(self, values: Ids) -> None:
        step = values[:, 0]
        ending = step == self._roll.end
        key = step % KEYS
        self._now[self._rows[~ending], key[~ending]] = True
        self._chosen = np.where(ending, -1, key)
        self._rank = np.where(ending, 0, self._rank + 1)
        begins = ~self._holdable()[self._rows, key] if self._roll.binary else step < KEYS
        self._struck[self._rows[~ending], key[~ending]] = begins[~ending]
        frame = self._clock.time
        if ending.any():
            closed = np.flatnonzero(ending)
            self._ring[frame[closed] % RING, closed] = _first(self._now[closed], SHOWN)
            self._grid[frame[closed] % RING, closed] = self._written(closed)
            older = np.where(self._struck[closed], 1, np.minimum(self._age[closed, :KEYS] + 1, AGE_CAP))
            self._age[closed, :KEYS] = np.where(self._now[closed], older, 0)
            self._last[closed], self._now[closed] = self._now[closed], False
        self._clock.advance(ending, begins & ~ending)
        self._until_joint -= 1
        self._joins = self._joins & ~ending | (self._until_joint == 0)
        if self._clock.count is not None:
            self._full = self._full | (ending & (self._clock.notes >= self._clock.count))

    def _written(self, rows: Ids) -> Ids:
        """(rows, keys) what of their frames has been written."""
        return np.where(self._now[rows], np.where(self._struck[rows], STRUCK, HELD), 0)

    def begin(self) -> None:
        self._clock.begin()
        self._full = np.zeros_like(self._full)

    def done(self) -> Mask | None:
        over: Mask = (self._clock.time >= self._clock.lengths) | self._full
        return over if over.any() else None


def _first(keys: Mask, count: int) -> Ids:
    """(rows, count) the lowest keys that are True in each row; NONE where there are fewer."""
    order = np.argsort(~keys, axis=1, kind="stable")[:, :count]
    return np.where(np.take_along_axis(keys, order, axis=1), order, NONE)


def _lowest(grid: NDArray[np.int8]) -> Ids:
    """(frames, 6) the lowest sounding keys of each frame."""
    return _first(grid > 0, SHOWN)


def _ages(grid: NDArray[np.int8]) -> Ids:
    """(frames + 1, 89) for how many frames each key has sounded before each frame; the last column is of no key."""
    frame = np.arange(len(grid))[:, None]
    struck = np.maximum.accumulate(np.where(grid == STRUCK, frame, 0), axis=0)
    ages = np.zeros((len(grid) + 1, KEYS + 1), dtype=np.int64)
    ages[1:, :KEYS] = np.where(grid > 0, np.minimum(frame - struck + 1, AGE_CAP), 0)
    return ages


def _above(grid: NDArray[np.int8], frame: Ids, chosen: Ids) -> Ids:
    """(steps, 2) the next keys of each step's last frame above the one just chosen."""
    sounding = np.vstack([np.zeros((1, KEYS), dtype=np.bool_), grid > 0])  # row f: the frame before f
    out = np.full((len(frame), ABOVE), NONE)
    at, key = np.nonzero(sounding)
    flat = at * (KEYS + 1) + key
    place = np.searchsorted(flat, frame * (KEYS + 1) + chosen, side="right")
    for rank in range(ABOVE):
        index = np.minimum(place + rank, max(len(flat) - 1, 0))
        found = (place + rank < len(flat)) & (at[index] == frame) if len(flat) else np.zeros(len(frame), np.bool_)
        out[found, rank] = key[index[found]]
    return out


PART = Roll
