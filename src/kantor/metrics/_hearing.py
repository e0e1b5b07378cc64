"""One cached view of a score, which all metrics share: what sounds when, in quarters and on the grid of sixteenths.

Drums are not heard: their pitches are instruments. Whatever is on the grid is rounded as ``rules`` round it
(:func:`kantor.rules.view_of`), a note lasting one sixteenth at least; everything else is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kantor.errors import ScoreError
from kantor.rules import SILENT, View, view_of
from kantor.rules._judge import columns, is_line
from kantor.score import Score

__all__ = ["LONGEST", "SIXTEENTHS", "Floats", "Hearing", "Ids", "Mask", "hear"]

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]

SIXTEENTHS = 4  # a quarter
#: Quarters of the longest score that is heard: 72 hours at 120 a minute.
LONGEST = 72 * 60 * 120
#: Quarters of rest that part two notes of a line from each other: what is shorter is a breath.
BREATH = 1.0


@dataclass(frozen=True, eq=False)
class Hearing:
    """A score as metrics hear it; made by :func:`hear`.

    Attributes
    ----------
    score  the score itself.
    notes  its pitched notes, structured array (N,), sorted by onset, part, pitch.
    """

    score: Score
    notes: NDArray[np.void]

    # -- notes, exact ------------------------------------------------------------------------------------------------

    @cached_property
    def pitch(self) -> Ids:
        """(N,) MIDI pitch."""
        return self.notes["pitch"].astype(np.int64)

    @cached_property
    def onset(self) -> Floats:
        """(N,) quarters since the start."""
        found: Floats = self.notes["onset"] / self.score.ticks_per_quarter
        return found

    @cached_property
    def end(self) -> Floats:
        """(N,) quarters since the start."""
        found: Floats = (self.notes["onset"] + self.notes["duration"]) / self.score.ticks_per_quarter
        return found

    @cached_property
    def duration(self) -> Floats:
        """(N,) quarters."""
        found: Floats = self.notes["duration"] / self.score.ticks_per_quarter
        return found

    @cached_property
    def quarters(self) -> float:
        """Length of the score."""
        return self.score.length_ticks / self.score.ticks_per_quarter

    @cached_property
    def class_weights(self) -> Floats:
        """(12,) quarters that each pitch class sounds, every note by itself."""
        return np.bincount(self.pitch % 12, weights=self.duration, minlength=12).astype(np.float64)

    @cached_property
    def class_counts(self) -> Floats:
        """(12,) notes of each pitch class."""
        return np.bincount(self.pitch % 12, minlength=12).astype(np.float64)

    # -- what is known -----------------------------------------------------------------------------------------------

    @cached_property
    def has(self) -> frozenset[str]:
        """Of "voices", "lines", "key", "fermatas", "meter", what the score has."""
        found = {"key": bool(self.score.keys), "fermatas": bool(self.score.fermatas), "meter": bool(self.score.meters)}
        found |= {"voices": self.voiced, "lines": bool(len(self.lines))}
        return frozenset(name for name, there in found.items() if there)

    @cached_property
    def key_of_note(self) -> Ids:
        """(N,) which of ``score.keys`` is in force when a note begins; the first holds before it stands."""
        ticks = np.array([key.tick for key in self.score.keys])
        return np.maximum(np.searchsorted(ticks, self.notes["onset"], side="right") - 1, 0)

    # -- the grid of sixteenths --------------------------------------------------------------------------------------

    @cached_property
    def first(self) -> Ids:
        """(N,) the frame in which a note begins."""
        return np.floor(self.onset * SIXTEENTHS + 0.5).astype(np.int64)

    @cached_property
    def last(self) -> Ids:
        """(N,) the frame in which it sounds no more; at least one after the first."""
        return np.maximum(np.floor(self.end * SIXTEENTHS + 0.5).astype(np.int64), self.first + 1)

    @cached_property
    def frames(self) -> int:
        """Sixteenths of the score, the last one perhaps not whole."""
        return max(int(np.ceil(self.quarters * SIXTEENTHS - 1e-9)), int(self.last.max(initial=0)))

    @cached_property
    def onsets(self) -> Mask:
        """(frames,) whether any note begins."""
        found = np.zeros(self.frames, dtype=np.bool_)
        found[self.first] = True
        return found

    @cached_property
    def sounding(self) -> Ids:
        """(frames, 12) how many notes of each pitch class sound."""
        change = np.zeros((self.frames + 1) * 12, dtype=np.int64)
        classes = self.pitch % 12
        np.add.at(change, self.first * 12 + classes, 1)
        np.add.at(change, self.last * 12 + classes, -1)
        found: Ids = np.cumsum(change.reshape(-1, 12), axis=0)[:-1]
        return found

    @cached_property
    def sets(self) -> Ids:
        """(frames,) the pitch classes that sound, a bit each: 0 is silence, 1 is C alone."""
        found: Ids = (self.sounding > 0) @ (1 << np.arange(12))
        return found

    @cached_property
    def lowest(self) -> Ids:
        """(frames,) the lowest pitch that sounds, 128 where none does."""
        found = np.full(self.frames, 128)
        by_pitch = np.argsort(-self.pitch, kind="stable")
        for note in by_pitch.tolist():
            found[self.first[note] : self.last[note]] = self.pitch[note]
        return found

    @cached_property
    def bars(self) -> tuple[Ids, Ids, Mask]:
        """(bars,) the first frame of each bar, its length in frames, and whether it is whole; 4/4 if no meter is known.

        A pickup is not whole, nor the half of a bar that a repeat cuts, nor a last bar that is broken off.
        """
        bars, frame = self.score.bars, SIXTEENTHS / self.score.ticks_per_quarter
        start = np.floor(bars["start"] * frame + 0.5).astype(np.int64)
        full = np.full(len(bars), 4 * self.score.ticks_per_quarter)
        for meter in self.score.meters:
            full[bars["start"] >= meter.tick] = self.score.meter_ticks(meter)
        whole = (bars["length"] == full) & (bars["offset"] == 0)
        return start, np.maximum(np.floor(full * frame + 0.5).astype(np.int64), 1), whole

    # -- lines and voices --------------------------------------------------------------------------------------------

    @cached_property
    def lines(self) -> tuple[Ids, ...]:
        """The notes, by their numbers, of each part in which no two sound at once, but for a player's legato of less
        than a thirty-second; the others are left out.
        """
        part = self.notes["part"]
        order = np.argsort(part, kind="stable")
        cuts = np.flatnonzero(np.diff(part[order])) + 1
        groups = np.split(order, cuts) if len(order) else []
        return tuple(group for group in groups if is_line(self.notes[group], self.score.ticks_per_quarter))

    @cached_property
    def voiced(self) -> bool:
        """Whether the score is four lines, as a chorale is; drums may go along."""
        return columns(self.score) is not None

    @cached_property
    def view(self) -> View:
        """What rules see of a score of four voices; of none else."""
        return view_of(self.score)

    @cached_property
    def cells(self) -> Ids:
        """(frames, 4) pitch of each voice, SILENT where it rests."""
        return self.view.pitch

    @cached_property
    def moved(self) -> Mask:
        """(frames - 1, 4) voices that sound in two frames, and another pitch in the second."""
        now, before = self.cells[1:], self.cells[:-1]
        found: Mask = (now != before) & (np.minimum(now, before) > SILENT)
        return found

    @cached_property
    def intervals(self) -> Ids:
        """(M,) semitones, up or down, from each note of a line to its next, unless a rest of a quarter parts them."""
        found = [np.zeros(0, dtype=np.int64)]
        for line in self.lines:
            near = self.onset[line][1:] - self.end[line][:-1] < BREATH
            found.append(np.diff(self.pitch[line])[near])
        return np.concatenate(found)


def hear(score: Score) -> Hearing:
    """The hearing of a score.

    Raises
    ------
    ScoreError
        If it is longer than any music, :data:`LONGEST` quarters.
    """
    if score.length_ticks > LONGEST * score.ticks_per_quarter:
        length = score.length_ticks / score.ticks_per_quarter
        raise ScoreError(f"expected at most {LONGEST} quarters of music, got {length:.0f}; cut the score.")
    return Hearing(score, score.pitched)
