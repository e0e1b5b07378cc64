"""The harmony is given: Roman numerals or chord symbols, spread over the bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError, RuleError
from kantor.rules import SILENT, Mask, Pitches, View
from kantor.rules._changes import Changes
from kantor.rules._harmony import chord_table, chords_at_fault
from kantor.rules._tables import Timetable, keys_of, of_classes, places, with_tables
from kantor.score import Key, Score
from kantor.theory import Chord, parse_chord, parse_key, parse_numeral

__all__ = ["PART", "Chords"]


@dataclass(frozen=True)
class Chords:
    """Written "I V vi IV", "C G/B Am F7" or "G: I IV | V7 I"; :mod:`kantor.rules._changes` lays them over the bars.

    Whatever sounds is of the chord. Where a chord begins, voices sound all of it, but perhaps its fifth, over its
    bass, and none rests. In music without voices a note is judged where it begins, and nobody knows whether a chord is
    complete.

    Parameters
    ----------
    changes  the chords. Numerals are read in the key before a colon, else in the first of the plan.
    passing  whether notes between the quarters of a bar are free, once a chord has begun.
    """

    changes: str = ""
    passing: bool = False
    members: ClassVar[Timetable | None] = None
    whole: ClassVar[NDArray[np.bool_] | None] = None
    begins: ClassVar[Pitches | None] = None
    wanted: ClassVar[tuple[Chord, ...]] = ()

    about: ClassVar[str] = "what is not of the chord that is given"
    source: ClassVar[str] = "Kostka & Payne, Tonal Harmony, ch. 3 (numerals and lead-sheet symbols)"
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        read = Changes.read(self.changes)
        key = parse_key(read.key) if read.key else Key(0, 0, "major")
        for word in read.words:
            _chord(word, key)

    @property
    def needs(self) -> frozenset[str]:
        """The time of a sound; and a key, where there are numerals without one."""
        read = Changes.read(self.changes)
        return frozenset({"time"} if read.key or not any(map(_numeral, read.words)) else {"time", "key"})

    def bound(self, plan: Score, step: int) -> Chords:
        """With the chord of every frame."""
        read = Changes.read(self.changes)
        if not self.changes.strip():
            raise RuleError("expected chords, got none; try chords='I V vi IV' or chords='C G Am F'.")
        known = "key" in self.needs or read.key
        key = keys_of(plan, read.key, f"chords=C: {self.changes.strip()}")[0] if known else Key(0, 0, "major")
        words, which, begins = read.over(plan, step)
        wanted = tuple(_chord(word, key) for word in words)
        free = of_classes(range(12), inside=False)
        rows = np.stack([free, *(of_classes(chord.classes, inside=False) for chord in wanted)])
        return with_tables(
            self,
            members=Timetable(rows, self._judged(plan, step, which, begins)),
            whole=np.stack([chord_table(chord) for chord in wanted]),
            begins=np.where(begins, which, 0),
            wanted=wanted,
        )

    def _judged(self, plan: Score, step: int, which: Pitches, begins: Mask) -> Pitches:
        if not self.passing:
            return which
        _, into, _ = places(plan, step)
        return np.where((into % plan.ticks_per_quarter == 0) | begins, which, 0)

    @property
    def moments(self) -> Pitches:
        """Frames of a bound rule's plan in which it asks for something new."""
        assert self.begins is not None
        found: Pitches = np.flatnonzero(self.begins)
        return found

    def essential(self, frame: int) -> frozenset[int]:
        """Pitch classes that have to sound in ``frame`` of a bound rule's plan."""
        assert self.begins is not None
        chord = int(self.begins[frame])
        return self.wanted[chord - 1].essential if chord else frozenset()

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.members is not None
        assert self.begins is not None
        assert self.whole is not None
        out: Mask = self.members.at(view.pitch, view.frames)
        if not view.voiced:
            return out & view.struck
        begins: Pitches = self.begins.take(view.frames, mode="clip")
        if begins.any():
            which = np.broadcast_to(begins, view.pitch.shape[:-1])
            at_fault = chords_at_fault(self.whole, view.pitch, np.maximum(which - 1, 0))
            out = out | ((at_fault | (view.pitch == SILENT)) & np.expand_dims(which > 0, -1))
        return out


def _numeral(word: str) -> bool:
    return word.lstrip("#♯b♭")[:1].upper() in ("I", "V")


def _chord(word: str, key: Key) -> Chord:
    try:
        return parse_numeral(word, key) if _numeral(word) else parse_chord(word)
    except OptionError as error:
        raise OptionError(f"expected chords like 'I V vi IV' or 'C G/B Am F7', got '{word}'; {error}") from error


PART = Chords
