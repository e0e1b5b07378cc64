"""What music without voices sounds like to a rule: a lane for each note, some frames back from the one to be decided.

Rules (:mod:`kantor.rules`) look at frames, but a piece that grows note by note has none. This file keeps its last notes
and gives the frames when somebody asks. Lanes stand in any order; a note stays in its own as long as it is in view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Ids, Mask, Situation
from kantor.representations._keys import KEYS, LOWEST, STRUCK
from kantor.rules import OPEN, SILENT

__all__ = ["Past", "alone", "beside", "frames_until", "on_keys", "table_of"]

NOTES = 256  # records that are kept: more than can be played within sixteen quarters
NEVER = -(10**9)


def table_of(sounds: Sequence[Sequence[int]]) -> Ids:
    """(classes, notes of the largest) the pitches of each class, SILENT where it has fewer."""
    table = np.full((len(sounds), max(map(len, sounds), default=1)), SILENT, dtype=np.int64)
    for row, sound in enumerate(sounds):
        table[row, : len(sound)] = sound
    return table


def frames_until(time: Ids, reach: int) -> Ids:
    """(batch, reach + 1) the frames up to ``time`` (batch,)."""
    return np.asarray(time)[:, None] + np.arange(-reach, 1)


class Past:
    """The last notes of ``batch`` growing pieces, in a ring of records.

    Parameters
    ----------
    table  (classes, notes) what a record's class sounds; see :func:`table_of`.
    """

    def __init__(self, batch: int, table: Ids) -> None:
        self._table = table
        self._onset = np.zeros((batch, NOTES), dtype=np.int64)
        self._end = np.full((batch, NOTES), NEVER, dtype=np.int64)
        self._what = np.zeros((batch, NOTES), dtype=np.int64)
        self._count = np.zeros(batch, dtype=np.int64)

    def add(self, onset: Ids, duration: Ids, what: Ids, rows: Ids | None = None) -> None:
        """A record: (pieces,) when it begins, how long it lasts, its class; of pieces ``rows``.

        Unless given, of all, which then have as many records as each other.
        """
        pieces: Ids | slice = slice(None) if rows is None else rows
        place = int(self._count[0]) % NOTES if rows is None else self._count[rows] % NOTES
        self._onset[pieces, place] = onset
        self._end[pieces, place] = onset + duration
        self._what[pieces, place] = what
        self._count[pieces] += 1

    def keep(self, rows: Ids) -> None:
        """Let the pieces be these of what they were; one may come several times, or not at all."""
        self._onset, self._end, self._what = self._onset[rows], self._end[rows], self._what[rows]
        self._count = self._count[rows]

    def within(self, frames: Ids) -> tuple[Ids, Mask]:
        """What sounds in ``frames`` (batch, frames), ascending, and what begins there: (batch, frames, lanes)."""
        onset, end, what = _packed(self._end > frames[:, :1], self._onset, self._end, self._what)
        lanes = self._table[what]
        shape = (len(frames), lanes.shape[1] * lanes.shape[2])
        spread = [np.repeat(column, lanes.shape[2], axis=1) for column in (onset, end)]
        lanes = lanes.reshape(shape)
        onset, end, lanes = _packed(np.logical_and(lanes >= 0, spread[1] > frames[:, :1]), *spread, lanes)
        at = frames[:, :, None]
        sounds = (onset[:, None] <= at) & (at < end[:, None]) & (lanes[:, None] >= 0)
        return np.where(sounds, lanes[:, None], SILENT), sounds & (onset[:, None] == at)


def on_keys(grid: NDArray[Any]) -> tuple[Ids, Mask]:
    """Lanes of a roll (batch, frames, 88) of 0, STRUCK and HELD, and of OPEN where a key is not decided."""
    heard: Mask = np.any(grid > 0, axis=1)
    key = np.broadcast_to(np.arange(KEYS), heard.shape)
    (key,) = _packed(heard, key)
    lanes = np.take_along_axis(grid, key[:, None], axis=2)
    lanes = np.where((np.arange(key.shape[1]) < heard.sum(1)[:, None])[:, None], lanes, 0)
    return np.where(lanes > 0, key[:, None] + LOWEST, np.where(lanes == OPEN, OPEN, SILENT)), lanes == STRUCK


def beside(lanes: tuple[Ids, Mask], frames: Ids, choices: Ids, strikes: Mask) -> Situation:
    """What is to be decided in the last of ``frames`` (batch, frames) beside what sounds; lanes of its own follow.

    ``choices`` (classes, columns) or (batch, classes, columns), ``strikes`` (classes,) or (batch, classes).
    """
    pitch, struck = lanes
    batch, (classes, columns) = len(pitch), choices.shape[-2:]
    own = np.full((*frames.shape, columns), SILENT)
    own[:, -1] = OPEN
    voice = pitch.shape[2]
    pitch = np.concatenate([pitch, own], axis=2)
    pitch[frames < 0] = OPEN
    struck = np.concatenate([struck, np.zeros(own.shape, dtype=np.bool_)], axis=2)
    choices = np.broadcast_to(choices, (batch, classes, columns))
    strikes = np.broadcast_to(strikes, (batch, classes))
    return Situation(pitch, frames, -1, voice, choices, strikes, struck, voiced=False)


def alone(frames: Ids, choices: Ids) -> Situation:
    """What is to be decided where nobody knows yet what will sound beside it, for it may begin later than it seems.

    The last of ``frames`` (batch, frames) is the earliest; ``choices`` (classes, columns) are struck.
    """
    untold = np.full((*frames.shape, 0), OPEN)
    made = beside((untold, untold == 0), frames, choices, choices[:, 0] >= 0)
    return made._replace(pitch=np.full_like(made.pitch, OPEN))


def _packed(kept: Mask, *columns: Ids) -> list[Ids]:
    """Of each row of ``columns`` (batch, n) those ``kept`` first, as many as the fullest row has; others follow."""
    order = np.argsort(~kept, axis=1, kind="stable")[:, : int(kept.sum(1).max(initial=0))]
    return [np.take_along_axis(column, order, axis=1) for column in columns]
