"""A piece ends on its tonic: from the dominant, or from the subdominant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError
from kantor.rules import Mask, Pitches, View
from kantor.rules._harmony import chords_at_fault, chords_of, possible
from kantor.rules._tables import keys_of, moments, with_tables
from kantor.score import Key, Score
from kantor.theory import parse_key, tonic

__all__ = ["PART", "Cadence"]

KINDS = ("any", "authentic", "plagal")


@dataclass(frozen=True)
class Cadence:
    """The last chord stands from the last fermata on, if that is in the last bar or the one before; else it is the
    last quarter. In it all is of the tonic triad, tonic and third there, the tonic in the bass; in minor the third
    may be major. In the last frame before it there is

    - the dominant (authentic): the leading tone, over the fifth, the second or the leading tone itself in the bass,
      with nothing but notes of V7 and V9, and the tonic where a voice anticipates it; or
    - the subdominant (plagal): the fourth in the bass, with nothing but notes of IV and ii7, in major or minor.

    Where the mode of the key is not known, either key of the signature will do. Judged from the end of the plan.

    Parameters
    ----------
    kind  "any", "authentic" or "plagal".
    key   "Gm", "C major"; if empty, the last key of the plan.
    """

    kind: str = "any"
    key: str = ""
    chords: ClassVar[NDArray[np.bool_] | None] = None
    when: ClassVar[Pitches | None] = None
    home: ClassVar[frozenset[int]] = frozenset()

    about: ClassVar[str] = "an end without the tonic triad over the tonic, reached from the dominant or subdominant"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 10"
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"expected a cadence of {', '.join(KINDS)}; got '{self.kind}'.")
        if self.key:
            parse_key(self.key)

    @property
    def needs(self) -> frozenset[str]:
        """Voices; and a key, where none is given."""
        return frozenset({"voices"} if self.key else {"voices", "key"})

    def bound(self, plan: Score, step: int) -> Cadence:
        """With the chords that may sound in the last frames."""
        key = keys_of(plan, self.key, 'cadence={"key": "Gm"}')[-1]
        frames = moments(plan, step) - 1
        last = min(self._last_chord(plan) // step, frames - 1)
        when = np.zeros(frames + 1, dtype=np.int64)
        when[max(last - 1, 0) : last], when[last:] = 1, 2
        modes = (key.mode,) if key.mode else ("major", "minor")
        homes = tuple((tonic(Key(0, key.fifths, mode)), mode) for mode in modes)
        known = [{home, home + 4} if mode == "major" else {home} for home, mode in homes]
        home = frozenset(note % 12 for note in set.intersection(*known))
        return with_tables(self, chords=_tables(self.kind, homes), when=when, home=home)

    def _last_chord(self, plan: Score) -> int:
        """Tick from which the last chord sounds."""
        bars = plan.bars["start"]
        near = int(bars[max(len(bars) - 2, 0)])
        fermatas = [tick for tick in plan.fermatas if near <= tick < plan.length_ticks]
        return fermatas[-1] if fermatas else max(plan.length_ticks - plan.ticks_per_quarter, 0)

    def essential(self, frame: int) -> frozenset[int]:
        """Pitch classes that have to sound in ``frame`` of a bound rule's plan: of the last chord."""
        assert self.when is not None
        return self.home if self.when[frame] == 2 else frozenset()

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.chords is not None
        assert self.when is not None
        when: Pitches = self.when.take(view.frames, mode="clip")
        if not when.any():
            return np.zeros(view.pitch.shape, dtype=np.bool_)
        which = np.broadcast_to(when, view.pitch.shape[:-1])
        return chords_at_fault(self.chords, view.pitch, which)


@cache
def _tables(kind: str, homes: tuple[tuple[int, str], ...]) -> NDArray[np.bool_]:
    """(3, ...) anything, the chords before the last, the last; see :func:`possible`."""
    before, last = [], []
    for home, mode in homes:
        for third in (4,) if mode == "major" else (3, 4):
            last.append(_above(home, {0, third, 7}, {0, third}, {0}))
        if kind != "plagal":
            before.append(_above(home, {7, 11, 2, 5, 8, 9, 0}, {11}, {7, 2, 11}))
        if kind != "authentic":
            before += [_above(home, {5, sixth, 0, 2}, {5}, {5}) for sixth in (8, 9)]
    tables = [possible(np.logical_or.reduce(ends)) for ends in (before, last)]
    return np.stack([np.ones_like(tables[0]), *tables])


def _above(home: int, *parts: set[int]) -> NDArray[np.bool_]:
    """The chords of :func:`chords_of`, in semitones above ``home``."""
    within, essential, basses = ({home + degree for degree in part} for part in parts)
    return chords_of(within, essential, basses)


PART = Cadence
