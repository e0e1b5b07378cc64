"""Which step of an encoding strikes which note: so that a surprise can be told of a note, and a note be drawn again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Ids, Representation

__all__ = ["Attacks", "attacks"]


class Attacks(NamedTuple):
    """Notes that are struck, in order of their steps.

    Attributes
    ----------
    step   (notes,) the step that decides it.
    field  (notes,) which of its fields does, where each is a note of its own; -1: all of them together.
    tick   (notes,) where it begins, in ticks of the plan.
    pitch  (notes,) MIDI pitch.
    voice  (notes,) who sings it, 0 the highest; -1 where there are no voices.
    """

    step: Ids
    field: Ids
    tick: Ids
    pitch: Ids
    voice: Ids

    def surprise(self, at: int, nats: NDArray[np.float64]) -> float:
        """Nats of note ``at``, given those of its step, (fields,)."""
        field = int(self.field[at])
        return float(nats[field] if field >= 0 else nats.sum())


def attacks(representation: Representation, values: Ids) -> Attacks:
    """The notes that ``values`` (steps, columns) strike; none of a representation that does not decide them singly."""
    known = {
        **{"chorale": _of_cells, "choir": _of_frames, "chorded": _of_chorded},
        **{"roll": _of_keys, "notes": _of_records, "events": _of_events},
    }
    found = known.get(representation.name)
    if found is None or not len(values):
        none = np.empty(0, dtype=np.int64)
        return Attacks(none, none, none, none, none)
    return found(representation, values)


def _of_cells(chorale: Any, values: Ids) -> Attacks:
    """A cell that sounds strikes; in the plain spelling where it differs from its voice's last one."""
    table = chorale.fields[0].table
    cell, voices = values[:, 0], chorale.voices
    strikes = table["pitch"][cell] >= 0
    if chorale.hold is None:
        strikes[voices:] &= cell[voices:] != cell[:-voices]
    step = np.flatnonzero(strikes)
    voice = np.array(chorale.turns)[step % voices]
    pitch = table["pitch"][cell[step]].astype(np.int64)
    return Attacks(step, _whole(step), step // voices * chorale.step, pitch, voice)


def _of_frames(choir: Any, values: Ids) -> Attacks:
    """The cells of a frame are decided one by one."""
    found = _of_cells(choir.turns, values.reshape(-1, 1))
    return found._replace(step=found.step // choir.voices, field=found.step % choir.voices)


def _of_chorded(chorded: Any, values: Ids) -> Attacks:
    """The chord strikes nothing; its cells, which follow it, are those of a choir."""
    found = _of_frames(chorded.choir, values[:, 1:])
    return found._replace(field=found.field + 1)


def _whole(step: Ids) -> Ids:
    return np.full(len(step), -1)


def _of_keys(roll: Any, values: Ids) -> Attacks:
    key, table = values[:, 0], roll.fields[0].table
    ending = key == roll.end
    frame = ending.cumsum() - ending
    step = np.flatnonzero(table["struck"][key] & ~ending)
    pitch = table["pitch"][key[step]].astype(np.int64)
    return Attacks(step, _whole(step), frame[step] * roll.step, pitch, _whole(step))


def _of_records(notes: Any, values: Ids) -> Attacks:
    gap = values[:, 2]
    return _of_sounds(notes.sounds, values[:, 0], (gap.cumsum() - gap) * notes.step)


def _of_events(events: Any, values: Ids) -> Attacks:
    offset = np.array([*events.offsets, 0])[values[:, 1]].cumsum()
    return _of_sounds([*events.sounds, ()], values[:, 0], offset * events.step)


def _of_sounds(sounds: Any, what: Ids, begin: Ids) -> Attacks:
    """All notes of a chord are decided by its step."""
    step = np.repeat(np.arange(len(what)), [len(sounds[one]) for one in what.tolist()])
    pitch = np.array([pitch for one in what.tolist() for pitch in sounds[one]], dtype=np.int64)
    return Attacks(step, _whole(step), begin[step], pitch, _whole(step))
