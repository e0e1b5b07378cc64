"""The bass is given, with figures: every note of it has its chord."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import RuleError
from kantor.rules import SILENT, Mask, Pitches, View
from kantor.rules._changes import Changes
from kantor.rules._harmony import chord_table, chords_at_fault
from kantor.rules._tables import PITCHES, Timetable, keys_of, of_classes, with_tables
from kantor.score import Key, Score
from kantor.theory import Chord, parse_figures, parse_key

__all__ = ["PART", "FiguredBass"]


@dataclass(frozen=True)
class FiguredBass:
    """Written "C D:6 E:6 F | G3:7 C3", as :func:`kantor.theory.parse_figures` reads it, and laid over the bars by
    :mod:`kantor.rules._changes`.

    The bass sings its note as long as it lasts, in that octave if one is given; the other voices what the figures
    say; all of it, but perhaps the fifth, where a note begins, and there none rests.

    Parameters
    ----------
    bass  notes and figures, read in the key before a colon, else in the first of the plan.
    """

    bass: str = ""
    members: ClassVar[Timetable | None] = None
    line: ClassVar[Timetable | None] = None
    whole: ClassVar[NDArray[np.bool_] | None] = None
    begins: ClassVar[Pitches | None] = None
    wanted: ClassVar[tuple[Chord, ...]] = ()

    about: ClassVar[str] = "another bass than the one that is given, or what its figures do not say"
    source: ClassVar[str] = "C. P. E. Bach, Versuch über die wahre Art das Clavier zu spielen II (1762)"
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        read = Changes.read(self.bass)
        key = parse_key(read.key) if read.key else Key(0, 0, "major")
        for word in read.words:
            parse_figures(word, key)

    @property
    def needs(self) -> frozenset[str]:
        """Voices; and a key, where none is given."""
        return frozenset({"voices"} if Changes.read(self.bass).key else {"voices", "key"})

    def bound(self, plan: Score, step: int) -> FiguredBass:
        """With the chord of every frame."""
        read = Changes.read(self.bass)
        if not self.bass.strip():
            raise RuleError("expected a figured bass, got none; try figured-bass='C D:6 E:6 F'.")
        words, which, begins = read.over(plan, step)
        key = keys_of(plan, read.key, f"figured-bass=C: {self.bass.strip()}")[0]
        found = [parse_figures(word, key) for word in words]
        free = of_classes(range(12), inside=False)
        members = [of_classes(chord.classes, inside=False) for chord, _ in found]
        line = [of_classes([chord.bass], inside=False) if at is None else _another(at) for chord, at in found]
        return with_tables(
            self,
            members=Timetable(np.stack([free, *members]), which),
            line=Timetable(np.stack([free, *line]), which),
            whole=np.stack([chord_table(chord) for chord, _ in found]),
            begins=np.where(begins, which, 0),
            wanted=tuple(chord for chord, _ in found),
        )

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
        assert self.line is not None
        assert self.whole is not None
        assert self.begins is not None
        out: Mask = self.members.at(view.pitch, view.frames)
        out[..., -1:] = self.line.at(view.pitch[..., -1:], view.frames)
        begins: Pitches = self.begins.take(view.frames, mode="clip")
        if begins.any():
            which = np.broadcast_to(begins, view.pitch.shape[:-1])
            wrong = chords_at_fault(self.whole, view.pitch, np.maximum(which - 1, 0)) | (view.pitch == SILENT)
            out |= wrong & (which > 0)[..., None]
        return out


def _another(pitch: int) -> NDArray[np.bool_]:
    """(130,) True for every other pitch."""
    return np.concatenate([[False, False], np.arange(PITCHES) != pitch])


PART = FiguredBass
