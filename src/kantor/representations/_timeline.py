"""What the note-by-note representations share: the notes on one declared grid, and where in the bar they are.

The grid has 24 steps a quarter: sixteenths, thirty-seconds and triplets lie on it; at 120 quarters a minute a step
lasts 21 ms. All drums are left out, all other parts become one. Times are in quarters, not in seconds, so a piece's
tempo is set aside (and kept in its plan).

Canonical notes: onset and end rounded to the grid, half up; a note lasts 1..384 steps, four whole notes at most; of two
with one onset and one pitch the longer stays. Every model on these representations is judged by the same notes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError, ScoreError
from kantor.representations import Condition, Ids, Mask
from kantor.score import NOTE, TICKS_PER_QUARTER, Part, Score

__all__ = [
    "GRID",
    "LONGEST",
    "PLANNED",
    "STEP",
    "Clock",
    "conditions_named",
    "flat_plan",
    "flatten",
    "moved",
    "planned",
    "scored",
    "together",
]

GRID = 24  # steps a quarter
STEP = TICKS_PER_QUARTER // GRID
LONGEST = 16 * GRID  # of a note
VELOCITY = 80
LONGEST_BAR = 6 * GRID
REMAINING_CAP = 32  # quarters
#: Meters with a class of their own; any other is "unknown".
METERS = ("2/4", "3/4", "4/4", "2/2", "3/2", "3/8", "6/8", "9/8", "12/8")


def flat_plan(score: Score, step: int = STEP, part: str = "Piano") -> Score:
    """The same score in one part on a grid of ``step`` ticks, without its notes; it ends on the grid, rounded up."""
    scale = TICKS_PER_QUARTER / score.ticks_per_quarter

    def to_grid(tick: int) -> int:
        return int(np.floor(tick * scale / step + 0.5)) * step

    length = int(np.ceil(score.length_ticks * scale / step - 1e-9)) * step
    return Score(
        np.empty(0, dtype=NOTE),
        parts=(Part(part),),
        fermatas=tuple(to_grid(tick) for tick in score.fermatas if to_grid(tick) < length),
        anacrusis_ticks=min(to_grid(score.anacrusis_ticks), length),
        barlines=tuple(to_grid(tick) for tick in score.barlines),
        length_ticks=length,
        title=score.title,
        recipe=score.recipe,
        tempi=tuple(replace(tempo, tick=to_grid(tempo.tick)) for tempo in score.tempi),
        meters=tuple(replace(meter, tick=to_grid(meter.tick)) for meter in score.meters),
        keys=tuple(replace(key, tick=to_grid(key.tick)) for key in score.keys),
    )


def flatten(score: Score, step: int = STEP) -> tuple[Ids, Ids, Ids, Ids]:
    """Onset and duration in grid steps, pitch and velocity of the canonical notes, sorted by onset, then pitch.

    Raises
    ------
    ScoreError
        If there is no note but drums'.
    """
    notes = score.pitched
    if not len(notes):
        kind = "only drums" if len(score) else "none"
        raise ScoreError(f"expected a score with notes, got {kind}.")
    per_step = step * score.ticks_per_quarter / TICKS_PER_QUARTER
    length = int(np.ceil(score.length_ticks / per_step - 1e-9))
    onset = np.floor(notes["onset"] / per_step + 0.5).astype(np.int64)
    end = np.floor((notes["onset"] + notes["duration"]) / per_step + 0.5).astype(np.int64)
    onset = np.minimum(onset, length - 1)
    duration = np.clip(np.minimum(end, length) - onset, 1, LONGEST)
    pitch, velocity = notes["pitch"].astype(np.int64), notes["velocity"].astype(np.int64)
    kept = _once(onset, duration, pitch)
    return onset[kept], duration[kept], pitch[kept], velocity[kept]


def scored(onset: Ids, duration: Ids, pitch: Ids, velocity: Ids | int, plan: Score, step: int = STEP) -> Score:
    """The score of notes in grid steps, in any order; what lies beyond the plan's end is left out."""
    length = plan.length_ticks // step
    duration = np.clip(duration, 1, LONGEST)
    kept = _once(onset, duration, pitch)
    kept = kept[onset[kept] < length]
    notes = np.zeros(len(kept), dtype=NOTE)
    notes["onset"], notes["pitch"] = onset[kept] * step, pitch[kept]
    notes["duration"] = np.minimum(duration[kept], length - onset[kept]) * step
    notes["velocity"] = velocity[kept] if isinstance(velocity, np.ndarray) else velocity
    return plan.replace(notes=notes)


def _once(onset: Ids, duration: Ids, pitch: Ids) -> Ids:
    """Numbers of the notes by onset, then pitch; of two with one onset and one pitch, the longer."""
    order = np.lexsort((-duration, pitch, onset))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(onset[order]) != 0) | (np.diff(pitch[order]) != 0)
    return order[first]


def moved(values: Ids) -> Mask:
    """(steps,) where a step differs from the one before; the first always does."""
    moved = np.ones(len(values), dtype=np.bool_)
    moved[1:] = (values[1:] != values[:-1]).any(1)
    return moved


class Clock:
    """How far growing pieces have come, in time and in notes, and when they end.

    Parameters
    ----------
    lengths  where each ends, in grid steps.
    count    of notes, after which each ends too; None for any number.
    """

    def __init__(self, lengths: Sequence[int], count: int | None) -> None:
        self.lengths, self.count = np.array(lengths), count
        self.time = np.zeros(len(lengths), dtype=np.int64)
        self.notes = np.zeros(len(lengths), dtype=np.int64)

    def advance(self, time: Any, notes: Any) -> None:
        """So many steps further, (pieces,), with so many notes more."""
        self.time = self.time + time
        self.notes = self.notes + notes

    def begin(self) -> None:
        """Count notes from here."""
        self.notes = np.zeros_like(self.notes)

    def keep(self, rows: Ids) -> None:
        """Let the pieces be these of what they were."""
        self.lengths, self.time, self.notes = self.lengths[rows], self.time[rows], self.notes[rows]

    def over(self) -> Mask | None:
        """(pieces,) which have ended; None as long as none has."""
        over: Mask = self.time >= self.lengths
        if self.count is not None:
            over |= self.notes >= self.count
        return over if over.any() else None

    def progress(self) -> float:
        """Of the piece that is least far, 0..1."""
        far = self.time / np.maximum(self.lengths, 1)
        if self.count is not None:
            far = np.maximum(far, self.notes / max(self.count, 1))
        return min(float(far.min()), 1.0)


def together(onset: Ids, duration: Ids, pitch: Ids) -> list[tuple[int, int, tuple[int, ...]]]:
    """(onset, duration, ascending pitches) of the notes that begin and end together, in that order."""
    order = np.lexsort((pitch, duration, onset))
    onset, duration, pitch = onset[order], duration[order], pitch[order]
    first = np.flatnonzero(
        np.concatenate([[True], (onset[1:] != onset[:-1]) | (duration[1:] != duration[:-1])])
    ).tolist()
    ends = [*first[1:], len(onset)]
    pitches = pitch.tolist()
    return [(int(onset[a]), int(duration[a]), tuple(pitches[a:b])) for a, b in zip(first, ends, strict=True)]


# -- conditions that a plan tells ------------------------------------------------------------------------------------


def conditions_named(names: tuple[str, ...], derived: dict[str, int]) -> tuple[Condition, ...]:
    """The conditions of these names: planned ones of this file, or ``derived`` ones with their sizes.

    Raises
    ------
    OptionError
        For a name that is neither.
    """
    unknown = [name for name in names if name not in PLANNED and name not in derived]
    if unknown:
        raise OptionError(f"expected inputs among {', '.join([*derived, *PLANNED])}; got '{unknown[0]}'.")
    return tuple(
        Condition(name, PLANNED[name][0], planned=True) if name in PLANNED else Condition(name, derived[name])
        for name in names
    )


def planned(name: str, plan: Score, step: int = STEP) -> NDArray[np.int16]:
    """(steps of the grid + 1,) the class of a planned condition at every moment of the plan, its end included."""
    return PLANNED[name][1](plan, plan.length_ticks // step + 1, step).astype(np.int16)


def _beat(plan: Score, moments: int, step: int) -> Ids:
    """How far into its bar a moment is, in steps of 24 a quarter."""
    out = np.full(moments, LONGEST_BAR)
    if plan.meters:
        bars = plan.bars
        at = np.arange(moments) * step
        bar = np.maximum(np.searchsorted(bars["start"], at, side="right") - 1, 0)
        into = (at - bars["start"][bar] + bars["offset"][bar]) // STEP
        out = np.where((into >= 0) & (into < LONGEST_BAR), into, LONGEST_BAR)
    return out


def _meter(plan: Score, moments: int, step: int) -> Ids:
    out = np.full(moments, len(METERS))
    for meter in plan.meters:
        out[meter.tick // step :] = METERS.index(str(meter)) if str(meter) in METERS else len(METERS)
    return out


def _key(plan: Score, moments: int, step: int) -> Ids:
    """0..11 major by tonic, 12..23 minor."""
    out = np.full(moments, 24)
    for key in plan.keys:
        tonic = key.fifths * 7 % 12
        out[key.tick // step :] = {"major": tonic, "minor": 12 + (tonic + 9) % 12}.get(key.mode, 24)
    return out


def _remaining(plan: Score, moments: int, step: int) -> Ids:
    """Quarters until the end, rounded down, at most 32."""
    return np.minimum(np.arange(moments - 1, -1, -1) * step // TICKS_PER_QUARTER, REMAINING_CAP)


PLANNED: dict[str, tuple[int, Callable[[Score, int, int], Ids]]] = {
    "beat": (LONGEST_BAR + 1, _beat),
    "meter": (len(METERS) + 1, _meter),
    "key": (24 + 1, _key),
    "remaining": (REMAINING_CAP + 2, _remaining),
}
