"""What a rule reads off the plan: a row of pitches for every frame, looked up at once.

A table of pitches has 130 columns, a pitch's at ``pitch + 2``: OPEN and SILENT have the first two, so that what does
not sound needs no case of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import RuleError
from kantor.rules._view import OPEN, Pitches
from kantor.score import Key, Score
from kantor.theory import parse_key

__all__ = ["PITCHES", "Timetable", "in_force", "keys_of", "moments", "of_classes", "places", "since", "with_tables"]

R = TypeVar("R")

PITCHES = 128
CLASS = np.arange(PITCHES) % 12


@dataclass(frozen=True, eq=False)
class Timetable:
    """Rows of a table, and which of them holds when.

    Attributes
    ----------
    rows   (rows, 130) a column for OPEN, for SILENT, and for each pitch.
    which  (moments,) a row for each frame of the plan; the last also holds for what lies beyond.
    """

    rows: NDArray[Any]
    which: Pitches

    def at(self, pitch: Pitches, frames: Pitches) -> NDArray[Any]:
        """(..., frames, voices) what it has for each cell of ``pitch``, by its row at ``frames`` (..., frames)."""
        row = self.which.take(frames, mode="clip") * self.rows.shape[1] - OPEN
        found: NDArray[Any] = self.rows.take(row[..., None] + pitch)
        return found


def with_tables(rule: R, **tables: Any) -> R:
    """The same rule with what it has read off a plan: no options, so no fields of the dataclass."""
    made = copy.copy(rule)
    for name, table in tables.items():
        object.__setattr__(made, name, table)
    return made


def moments(plan: Score, step: int) -> int:
    """Frames of the plan, its end included."""
    return plan.length_ticks // step + 1


def since(ticks: Iterable[int], plan: Score, step: int) -> Pitches:
    """(moments,) how many of these sorted ticks have been reached by each frame."""
    return np.searchsorted(np.array(list(ticks)), np.arange(moments(plan, step)) * step, side="right")


def in_force(rows: Sequence[NDArray[Any]], ticks: Iterable[int], plan: Score, step: int) -> Timetable:
    """The first row until the first of ``ticks``, then a row for each."""
    return Timetable(np.stack(list(rows)), since(ticks, plan, step))


def places(plan: Score, step: int) -> tuple[Pitches, Pitches, Pitches]:
    """(moments,) each: the number of the metrical bar (-1 in a pickup), ticks into it, and its full length in ticks.

    Where no meter is known, bars are of 4/4.
    """
    bars = plan.bars
    at = np.arange(moments(plan, step)) * step
    bar = np.maximum(np.searchsorted(bars["start"], at, side="right") - 1, 0)
    number = np.cumsum(bars["offset"] == 0) - 1
    full = np.full(len(bars), 4 * plan.ticks_per_quarter)
    for meter in plan.meters:
        full[bars["start"] >= meter.tick] = plan.meter_ticks(meter)
    return number[bar], at - (bars["start"] - bars["offset"])[bar], full[bar]


def of_classes(classes: Iterable[int], *, inside: bool) -> NDArray[np.bool_]:
    """(130,) True for pitches whose class is among ``classes`` (or is not); False where nothing sounds."""
    found = np.isin(CLASS, list(classes))
    return np.concatenate([[False, False], found if inside else ~found])


def keys_of(plan: Score, asked: str = "", advice: str = "in-key=Gm") -> tuple[Key, ...]:
    """The key that is asked for, from the beginning, else the plan's; ``advice`` says how this rule is told of one.

    Raises
    ------
    RuleError
        If neither is there.
    """
    if asked:
        return (parse_key(asked),)
    if not plan.keys:
        raise RuleError(f"expected a key in the plan or the rule, got neither; try --key Gm, or '{advice}'.")
    return plan.keys
