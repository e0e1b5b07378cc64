"""Notes that are given stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kantor.errors import RuleError
from kantor.rules import OPEN, SILENT, Mask, Pitches, View, _tables
from kantor.score import VOICES, Score

__all__ = ["PART", "Locked"]


@dataclass(frozen=True)
class Locked:
    """In voices, a locked note sounds where it stands, and begins there; even silence in its place is a fault.

    In music without voices a note that sounds in the place of a locked one is at fault; once all locked notes of a
    frame sound, others may join them.

    Parameters
    ----------
    notes    rows (onset, duration, MIDI pitch, voice), in ticks of the plan; a voice is 0 for the soprano to 3.
    strikes  whether a note also has to be struck where it begins, and nowhere else.
    """

    notes: tuple[tuple[int, int, int, int], ...] = ()
    strikes: bool = True
    pitch: ClassVar[Pitches | None] = None
    struck: ClassVar[Mask | None] = None
    heard: ClassVar[Pitches | None] = None

    about: ClassVar[str] = "a change of a note that is given"
    source: ClassVar[str] = "Hadjeres et al., DeepBach (2017): unary constraints"
    needs: ClassVar[frozenset[str]] = frozenset({"time"})
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        wrong = [row for row in self.notes if not _is_note(row)]
        if wrong:
            what = f"locked notes as rows (onset, duration, pitch, voice), got {wrong[0]!r}"
            raise RuleError(f"expected {what}; try locked=[[0, 480, 60, 1]], in ticks, the voice from 0 to 3.")
        object.__setattr__(self, "notes", tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in self.notes))

    def bound(self, plan: Score, step: int) -> Locked:
        """With the note that is locked in every cell."""
        pitch = np.full((_tables.moments(plan, step), len(VOICES)), OPEN)
        struck = np.zeros(pitch.shape, dtype=np.bool_)
        sounding: list[set[int]] = [set() for _ in pitch]
        for onset, duration, note, voice in self.notes:
            start, end = onset // step, max((onset + duration) // step, onset // step + 1)
            if end > len(pitch) - 1:
                raise RuleError(
                    f"expected locked notes within {plan.length_ticks} ticks, got one to {onset + duration}."
                )
            if (pitch[start:end, voice] >= 0).any():
                raise RuleError(f"expected one locked note at a time in a voice, got two at tick {onset}.")
            pitch[start:end, voice], struck[start, voice] = note, True
            for frame in range(start, end):
                sounding[frame].add(note)
        heard = np.full((len(pitch), max(map(len, sounding), default=0)), SILENT)
        for frame, notes in enumerate(sounding):
            heard[frame, : len(notes)] = sorted(notes)
        return _tables.with_tables(self, pitch=pitch, struck=struck, heard=heard)

    @property
    def moments(self) -> Pitches:
        """Frames of a bound rule's plan in which it asks for something new."""
        assert self.struck is not None
        found: Pitches = np.flatnonzero(self.struck.any(1))
        return found

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.pitch is not None
        assert self.struck is not None
        assert self.heard is not None
        sounds = view.pitch >= 0
        if not view.voiced:
            wanted = self.heard.take(view.frames, axis=0, mode="clip")
            there = (view.pitch[..., None, :] == wanted[..., :, None]).any(-1)
            missing = ((wanted >= 0) & ~there).sum(-1)
            given = (view.pitch[..., :, None] == wanted[..., None, :]).any(-1)
            out: Mask = sounds & ~given & (missing > (view.pitch == OPEN).sum(-1))[..., None]
            return out
        wanted = self.pitch.take(view.frames, axis=0, mode="clip")
        out = (wanted >= 0) & (view.pitch != OPEN) & (view.pitch != wanted)
        if self.strikes:
            begins = self.struck.take(view.frames, axis=0, mode="clip")
            out |= (wanted >= 0) & sounds & (view.struck != begins)
        return out


def _is_note(row: Any) -> bool:
    """Whether a row can be a note of a voice."""
    if isinstance(row, str) or not isinstance(row, Sequence | np.ndarray) or len(row) != 4:
        return False
    if not all(isinstance(number, int | np.integer) for number in row):
        return False
    onset, duration, pitch, voice = row
    return bool(onset >= 0 and duration > 0 and 0 <= pitch <= 127 and 0 <= voice < len(VOICES))


PART = Locked
