"""A chorale frame by frame: one step is one sixteenth, and says what all four voices do in it.

Of each voice it says what sounds and whether it is struck, in one of 93 classes: silence, 46 pitches from C2 to A5
*attacked*, the same 46 *held*. A hold is legal only where the voice sounded that very pitch in the frame before, so a
score has one encoding. As every cell names its pitch, whoever sees some of them can read each by itself: this is the
view of a network that looks to both sides and fills in what is *open* (:meth:`Cells.shown`). The grid is that of
:mod:`kantor.representations.chorale`.

Conditions, each chosen by name: ``phase`` (frame number modulo 16), and the planned ``meter``, ``beat``, ``key``,
``fermata`` and ``remaining``, which mean what they mean there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from kantor.errors import OptionError
from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations.chorale import BEFORE, CELL, PHASES, PITCHES, PLANNED, RING, SILENCE, SOUNDS, STEP, Chorale
from kantor.score import VOICES, Score

__all__ = ["HELD", "OPEN", "PART", "Cells"]

HELD = PITCHES - 1  # class p in 1..46 attacks a pitch, class p + HELD holds it
#: What a network is shown where nothing is decided; never a value.
OPEN = 1 + 2 * HELD


@dataclass(frozen=True)
class Cells:
    """The representation.

    Parameters
    ----------
    inputs  names of the conditions, see the module's docstring.
    """

    inputs: tuple[str, ...] = ()

    voices: ClassVar[int] = len(VOICES)
    name: ClassVar[str] = "cells"
    unit: ClassVar[str] = "cell"
    unique: ClassVar[bool] = True
    closes: ClassVar[bool] = True
    step: ClassVar[int] = STEP
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = True
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        known = ("phase", *PLANNED)
        for name in self.inputs:
            if name not in known:
                raise OptionError(f"expected the cells' inputs among {', '.join(known)}; got '{name}'.")

    @cached_property
    def _turns(self) -> Chorale:
        """The same music, cell by cell: what a grid is and what the conditions mean is said there."""
        return Chorale(spelling="full", inputs=self.inputs)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """One field a voice, soprano to bass; rows of (MIDI pitch, -1: none; whether it is an attack)."""
        attacked = self._turns.fields[0].table[:PITCHES]
        table = np.concatenate([attacked, attacked[1:]])
        table["attack"][PITCHES:] = False
        return tuple(Field(name.lower(), table.astype(CELL)) for name in VOICES)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns that ``inputs`` ask for, one each."""
        return self._turns.conditions

    def learn(self, scores: Sequence[Score]) -> Cells:
        """Itself: its table is the same for all music."""
        return self

    # -- score <-> steps -----------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score at the grid's resolution, in four parts, without its notes."""
        return self._turns.plan(score)

    def canonical(self, score: Score) -> Score:
        """What the grid keeps of a score: four lines, onsets and ends at sixteenths, no velocities."""
        return self._turns.canonical(score)

    def length(self, plan: Score) -> int:
        """Number of steps of a piece planned so."""
        return plan.length_ticks // STEP

    def until(self, values: Ids, tick: int) -> int:
        """Number of frames before ``tick`` of the plan."""
        return min(tick // STEP, len(values))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) the frame of each step: its number."""
        return np.arange(len(encoding))

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's frames and their conditions.

        With ``bare``, as a bare grid would give it: repeated notes merged, and every planned condition unknown.
        """
        pitch, attacks = self._turns.grid(score)
        plan = self.plan(score)
        if bare:
            attacks = _fresh(pitch)
        held = (pitch > SILENCE) & ~attacks
        values = np.where(held, pitch + HELD, pitch)
        conditions = np.empty((len(values), len(self.conditions)), dtype=np.int64)
        planned = self._turns.planned(plan)
        for column, condition in enumerate(self.conditions):
            if not condition.planned:
                conditions[:, column] = np.arange(len(values)) % PHASES
            else:
                conditions[:, column] = condition.unknown if bare else planned[condition.name]
        return Encoding(values, conditions, plan, notes=values.size)

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, voices); a hold of what does not sound is an attack."""
        values = np.asarray(values)
        pitch = self.pitches(values)
        held = (values > HELD) & ~_fresh(pitch)
        return self._turns.decode(np.where(held, PITCHES, pitch).reshape(-1, 1), plan)

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) True where a voice attacks or falls silent; the first frame, with nothing to copy, counts too."""
        values = encoding.values
        changed = _strikes(values)
        changed[:1] = True
        changed[1:] |= (values[1:] == SILENCE) & (values[:-1] != SILENCE)
        some: Mask = np.logical_or.reduce(changed, axis=1)
        return some

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The conditions of one piece a plan, one frame at a time.

        The grammar keeps each voice to the pitches ``within`` (voices, 128), if given, and lets nothing hold over
        into the frame ``joint``. A piece's length is its plan's: ``notes`` is not heeded.
        """
        return _Frames(self, plans, within, joint)

    # -- what is open --------------------------------------------------------------------------------------------

    @staticmethod
    def pitches(values: Ids) -> Ids:
        """Of cells, which pitch sounds: 0 for silence, 1 for C2 ... 46 for A5."""
        return np.where(values > HELD, values - HELD, values)

    @staticmethod
    def shown(values: Ids, hidden: Mask, *, bare: bool = False) -> Ids:
        """What a two-sided network sees of ``values`` (..., frames, voices) where those ``hidden`` are open.

        Whether a known cell is struck is told only where the frame before is known in its voice: beside an open cell
        it would say whether that one has the same pitch. What is not told is shown as held. Of a ``bare`` grid nothing
        is told.
        """
        untold = np.full(hidden.shape, bare)
        untold[..., 1:, :] |= hidden[..., :-1, :]
        return np.where(hidden, OPEN, np.where(untold & _strikes(values), values + HELD, values))


class _Frames:
    """Conditions and grammar of ``batch`` growing pieces; the past is a ring of frames."""

    def __init__(self, cells: Cells, plans: Sequence[Score], within: Mask | None, joint: int | None) -> None:
        self._lengths = np.array([cells.length(plan) for plan in plans])
        self._columns = [(column, condition.name) for column, condition in enumerate(cells.conditions)]
        self._planned = [cells._turns.planned(plan) for plan in plans]
        self._out = np.empty((len(plans), len(self._columns)), dtype=np.int64)
        self._ring = np.full((RING, len(plans), cells.voices), OPEN, dtype=np.int64)
        self._joint = joint
        self._frame = 0
        pitch = cells.fields[0].table["pitch"][:PITCHES]
        admitted = np.ones((cells.voices, 128), dtype=np.bool_) if within is None else within
        admitted = np.broadcast_to(admitted, (cells.voices, admitted.shape[1]))
        self._struck = (pitch < 0) | admitted[:, np.maximum(pitch, 0)]  # (voices, 1 + pitches)

    def conditions(self) -> Ids:
        for column, name in self._columns:
            if name == "phase":
                self._out[:, column] = self._frame % PHASES
            else:
                for row, planned in enumerate(self._planned):
                    self._out[row, column] = planned[name][min(self._frame, len(planned[name]) - 1)]
        return self._out

    def allowed(self, field: int, values: Ids) -> Mask | None:
        last = Cells.pitches(self._ring[(self._frame - 1) % RING, :, field])
        held: Mask = last[:, None] == np.arange(1, PITCHES)
        if self._frame == self._joint:
            held[:] = False
        struck = np.broadcast_to(self._struck[field], (len(held), PITCHES))
        return np.concatenate([struck, held], axis=1)

    def situation(self, field: int, values: Ids, reach: int) -> Situation:
        frames = np.arange(self._frame - min(reach, RING - 1), self._frame + 1)
        known = self._ring[frames % RING].swapaxes(0, 1)  # (batch, frames, voices), a copy
        known[:, -1] = OPEN
        known[:, -1, :field] = values[:, :field]
        batch, classes = len(known), np.arange(OPEN)
        choices = np.repeat(SOUNDS[Cells.pitches(classes)][None], batch, axis=0)
        numbers = np.repeat(frames[None], batch, axis=0)
        strikes = np.repeat(_strikes(classes)[None], batch, axis=0)
        pitch = SOUNDS[Cells.pitches(known)]
        return Situation(pitch, numbers, -1, field, choices[:, :, None], strikes, _strikes(known))

    def keep(self, rows: Ids) -> None:
        self._lengths, self._out, self._ring = self._lengths[rows], self._out[rows], self._ring[:, rows]
        self._planned = [self._planned[row] for row in rows.tolist()]

    def push(self, values: Ids) -> None:
        self._ring[self._frame % RING] = values
        self._frame += 1

    def begin(self) -> None:
        """A chorale counts no notes."""

    def done(self) -> Mask | None:
        return self._frame >= self._lengths if self._frame >= self._lengths.min() else None

    def progress(self) -> float:
        return self._frame / max(int(self._lengths.max()), 1)


def _strikes(values: Ids) -> Mask:
    """Of cells, which begin a note."""
    strikes: Mask = (values > SILENCE) & (values <= HELD)
    return strikes


def _fresh(pitch: Ids) -> Mask:
    """(frames, voices) True where a pitch sounds that did not in the frame before."""
    before = np.vstack([np.full((1, pitch.shape[1]), BEFORE), pitch[:-1]])
    fresh: Mask = (pitch > SILENCE) & (pitch != before)
    return fresh


PART = Cells
