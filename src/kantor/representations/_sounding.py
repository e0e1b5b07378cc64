"""What a growing piece sounds like at this moment: what a player who writes one note after another looks at.

Records of single notes hide the chord: which voices sound on, when they end, which note of the last chord is the next
one above. An LSTM would have to count durations to know. This file keeps the notes that sound, and nothing else of the
past, for a piece's encoding and for a piece that is being written alike.

Columns, by the name of the condition (pitches are MIDI's; 128 is none):

before     the four lowest pitches that sounded at the last onset, begun then or earlier
above      the next two of them (of all, not of the four) above the note just written of this onset
sounding   the three lowest pitches that began earlier and sound on
left       how long each of the three will sound, in grid steps, at most 48; 0 is none
here       the three lowest pitches of this onset so far
soonest    grid steps until the first of all that sound will end, at most 96; 0 is none
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SHOWN", "Sounding"]

NONE = 128  # no pitch
LEFT_CAP, SOONEST_CAP = 48, 96
#: Condition: columns, classes.
SHOWN = {
    "before": (4, NONE + 1),
    "above": (2, NONE + 1),
    "sounding": (3, NONE + 1),
    "left": (3, LEFT_CAP + 1),
    "here": (3, NONE + 1),
    "soonest": (1, SOONEST_CAP + 1),
}


class Sounding:
    """The notes of one growing piece that sound; they take as much room at its end as at its beginning."""

    def __init__(self) -> None:
        self._time = 0
        self._before: list[tuple[int, int]] = []  # (pitch, end) of what sounded at the last onset
        self._on: list[tuple[int, int]] = []  # those of them that sound on
        self._here: list[tuple[int, int]] = []  # of this onset
        self._floor = -1  # the note just written of this onset

    def push(self, sound: Sequence[int], duration: int, gap: int) -> None:
        """A record: ascending pitches, how long they last, and how long until the next record, in grid steps."""
        if sound:
            self._here += [(pitch, self._time + duration) for pitch in sound]
            self._floor = sound[0]
        if gap:
            self._time += gap
            if self._here:
                self._before = sorted(self._on + self._here)
            self._on = [note for note in sorted(self._on + self._here) if note[1] > self._time]
            self._here, self._floor = [], -1

    def copy(self) -> Sounding:
        """Another piece that has come to the same moment."""
        other = Sounding()
        other._time, other._floor = self._time, self._floor
        other._before, other._on, other._here = list(self._before), list(self._on), list(self._here)
        return other

    def columns(self, name: str) -> list[int]:
        """The classes of a condition's columns."""
        width, classes = SHOWN[name]
        if name == "left":
            found = [min(end - self._time, LEFT_CAP) for _, end in self._on[:width]]
        elif name == "soonest":
            ends = [end for _, end in self._on + self._here]
            found = [min(min(ends) - self._time, SOONEST_CAP)] if ends else []
        elif name == "above":
            found = [pitch for pitch, _ in self._before if pitch > self._floor][:width]
        else:
            notes = {"before": self._before, "sounding": self._on, "here": sorted(self._here)}[name]
            found = [pitch for pitch, _ in notes[:width]]
        none = NONE if classes > NONE else 0
        return found + [none] * (width - len(found))
