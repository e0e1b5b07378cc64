"""The leading tone is not doubled, and goes up to the tonic when the harmony does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.rules import Mask, View
from kantor.rules._motion import moved
from kantor.rules._tables import PITCHES, Timetable, in_force, keys_of, with_tables
from kantor.score import Key, Score
from kantor.theory import parse_key, tonic

__all__ = ["PART", "LeadingTone"]

LEADING, DOMINANT, TONIC = 1, 2, 4  # what a note is: bits
UP, FALL = 1, -4  # semitones: to the tonic; where an inner voice may fall to, the fifth


@dataclass(frozen=True)
class LeadingTone:
    """In minor it is the raised seventh. Where the mode of a key is not known, nothing is said.

    - Doubled: two voices sound it in one frame.
    - Unresolved: a voice sounds it in a dominant chord (all voices have notes of V7, or rest), then the bass is on the
      tonic, and the voice moves elsewhere than a semitone up. An inner voice may also fall a third to the fifth. A
      leading tone that holds on over the tonic, as a suspension, has time.

    Parameters
    ----------
    key  "Gm", "C major"; if empty, the keys of the plan.
    """

    key: str = ""
    table: ClassVar[Timetable | None] = None

    about: ClassVar[str] = "a doubled leading tone, or one that does not rise when its dominant goes to the tonic"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 5 and 13 (the frustrated leading tone of inner voices)"
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.key:
            parse_key(self.key)

    @property
    def needs(self) -> frozenset[str]:
        """Voices; and a key, where none is given."""
        return frozenset({"voices"} if self.key else {"voices", "key"})

    def bound(self, plan: Score, step: int) -> LeadingTone:
        """With what each pitch is in the key of every frame."""
        keys = keys_of(plan, self.key, "leading-tone=Gm")
        rows = [np.zeros(PITCHES + 2, dtype=np.int8), *map(_meanings, keys)]
        return with_tables(self, table=in_force(rows, (key.tick for key in keys), plan, step))

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.table is not None
        pitch = view.pitch
        what = self.table.at(pitch, view.frames)
        leading = (what & LEADING) > 0
        out: Mask = leading & (leading.sum(-1, keepdims=True) > 1)
        before = self.table.at(pitch[..., :-1, :], view.frames[..., 1:])  # by the key of the second note
        if not (before & LEADING).any():
            return out
        dominant = (np.bitwise_and.reduce(before, axis=-1) & DOMINANT) > 0
        arrived = (what[..., 1:, -1] & TONIC) > 0
        by = pitch[..., 1:, :] - pitch[..., :-1, :]
        home = by == UP
        home[..., 1:-1] |= by[..., 1:-1] == FALL
        leaves = ((before & LEADING) > 0) & moved(pitch) & ~home
        out[..., 1:, :] |= leaves & (dominant & arrived)[..., None]
        return out


def _meanings(key: Key) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """(130,) bits; a rest is of every chord, what is OPEN of none."""
    out = np.zeros(PITCHES + 2, dtype=np.int8)
    if not key.mode:
        return out
    degree = (np.arange(PITCHES) - tonic(key)) % 12
    out[1] = DOMINANT
    out[2:] = LEADING * (degree == 11) + DOMINANT * np.isin(degree, [7, 11, 2, 5]) + TONIC * (degree == 0)
    return out


PART = LeadingTone
