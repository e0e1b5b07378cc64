"""How sounding notes are written down: spelling, note values, ties, beams, voices on one staff, accidentals.

Pure musical logic, for the formats that are pages rather than performances. Conventions: time in ticks at
:data:`~kantor.score.TICKS_PER_QUARTER` a quarter; a metrical position is counted from the bar line, so that a pickup
starts late in its bar; a spelling is (step, alter, octave), alter -1 a flat, octave 4 from middle C up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kantor.score import TICKS_PER_QUARTER, Meter

__all__ = [
    "UNMARKED_VELOCITY",
    "Chord",
    "NoteValue",
    "Spelling",
    "accidentals",
    "beams",
    "disjoint",
    "note_value",
    "signature_alter",
    "spell",
    "split",
    "voices",
]

#: The velocity of a note where nothing says how loud: pages and grids do not.
UNMARKED_VELOCITY = 80

_LINE_OF_FIFTHS = "FCGDAEB"  # position -1 is F, 0 is C; seven further is a sharp more
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_VALUES = ("whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th")
_FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4, "128th": 5}
_SHORTEST = 4 * TICKS_PER_QUARTER >> 7  # a 128th


class Spelling(NamedTuple):
    """A written pitch: letter, sharps (negative: flats), octave."""

    step: str
    alter: int
    octave: int


class NoteValue(NamedTuple):
    """A written length: its name, its dots, and whether three stand for two."""

    name: str
    dots: int
    triplet: bool

    @property
    def flags(self) -> int:
        """Flags or beams it bears; 0 from a quarter up."""
        return _FLAGS.get(self.name, 0)


@dataclass(frozen=True, slots=True)
class Chord:
    """Notes of one voice that start and end together."""

    onset: int
    end: int
    pitches: tuple[int, ...]  # ascending


def spell(pitch: int, fifths: int, mode: str) -> Spelling:
    """The usual spelling of MIDI ``pitch`` in a key: twelve neighbours on the line of fifths around its tonic.

    Major reaches from the lowered third to the raised fifth of the scale; minor a fifth sharper, so that its raised
    fourth, sixth and seventh degrees keep their letters.
    """
    lowest = fifths - (2 if mode == "minor" else 3)
    position = lowest + (pitch * 7 - lowest) % 12  # seven fifths up are a semitone up
    step, alter = _LINE_OF_FIFTHS[(position + 1) % 7], (position + 1) // 7
    return Spelling(step, alter, (pitch - alter - _NATURAL[step]) // 12 - 1)


def signature_alter(step: str, fifths: int) -> int:
    """Sharps (negative: flats) that a signature of ``fifths`` puts on the letter ``step``."""
    return (fifths - _LINE_OF_FIFTHS.index(step) + 6) // 7


def accidentals(spellings: Iterable[tuple[Spelling, bool]], fifths: int) -> list[bool]:
    """Whether each note of one bar of one staff needs an accidental, in order of time.

    Each comes with whether it continues a tie, which needs none; an accidental holds to the end of the bar.
    """
    heard: dict[tuple[str, int], int] = {}
    shown = []
    for (step, alter, octave), tied in spellings:
        expected = heard.get((step, octave), signature_alter(step, fifths))
        shown.append(not tied and alter != expected)
        if not tied:
            heard[step, octave] = alter
    return shown


def note_value(ticks: int) -> NoteValue | None:
    """The one note value that lasts ``ticks``, with at most two dots; None where there is none."""
    for triplet in (False, True):
        length, rest = divmod(ticks * 3, 2) if triplet else (ticks, 0)
        if rest:
            continue
        for exponent, name in enumerate(_VALUES):
            plain = 4 * TICKS_PER_QUARTER >> exponent
            for dots in (0,) if triplet else (0, 1, 2):
                if plain % (1 << dots) == 0 and length == 2 * plain - (plain >> dots):
                    return NoteValue(name, dots, triplet)
    return None


def split(position: int, ticks: int) -> list[int]:
    """Lengths of the note values, tied, that write ``ticks`` from metrical ``position`` on within one bar.

    A value stands where a beat of half its undotted length could; else it is cut at the strongest beat it crosses.
    What no value can write (a performance's own time) stays as it is.
    """
    value = note_value(ticks)
    if value is not None and not value.triplet:
        half = (4 * TICKS_PER_QUARTER >> _VALUES.index(value.name)) // 2
        if position % max(half, 1) == 0:
            return [ticks]
    elif value is not None and position // TICKS_PER_QUARTER == (position + ticks - 1) // TICKS_PER_QUARTER:
        return [ticks]
    cut = _strongest_beat(position, position + ticks)
    if cut is None:
        return [ticks]
    return split(position, cut - position) + split(cut, position + ticks - cut)


def _strongest_beat(start: int, end: int) -> int | None:
    """The strongest place strictly between two metrical positions, on grids from the whole note down."""
    step = 4 * TICKS_PER_QUARTER
    while step >= _SHORTEST:
        beat = (start // step + 1) * step
        if beat < end:
            return beat
        step //= 2
    return None


def beams(segments: Sequence[tuple[int, NoteValue | None, bool]], meter: Meter) -> list[tuple[str, ...]]:
    """For each segment of a voice (metrical position, value, whether it sounds) its beams, from the first level on.

    Beams join what lies within one beat: "begin", "continue", "end", or a "hook" on a note shorter than its neighbours.
    """
    beat = _beat(meter)
    result: list[tuple[str, ...]] = [()] * len(segments)
    group: list[int] = []
    for index, (position, value, sounds) in enumerate([*segments, (0, None, False)]):
        beamed = value is not None and value.flags > 0 and sounds
        if group and not (beamed and position // beat == segments[group[-1]][0] // beat):
            flags = [value.flags for _, value, _ in (segments[i] for i in group) if value is not None]
            for at, joined in zip(group, _join(flags), strict=True):
                result[at] = joined
            group = []
        if beamed:
            group.append(index)
    return result


def _beat(meter: Meter) -> int:
    unit = 4 * TICKS_PER_QUARTER // meter.denominator
    if meter.denominator >= 8 and meter.numerator % 3 == 0:
        return 3 * unit
    return max(unit, TICKS_PER_QUARTER)


def _join(flags: list[int]) -> list[tuple[str, ...]]:
    """The beams of one group, from the number of flags of each of its notes."""
    if len(flags) < 2:
        return [()] * len(flags)
    joined = []
    for index, count in enumerate(flags):
        before = flags[index - 1] if index else 0
        after = flags[index + 1] if index + 1 < len(flags) else 0
        names = []
        for level in range(1, count + 1):
            kinds = {(False, True): "begin", (True, True): "continue", (True, False): "end"}
            alone = "backward hook" if index else "forward hook"
            names.append(kinds.get((before >= level, after >= level), alone))
        joined.append(tuple(names))
    return joined


def disjoint(notes: NDArray[np.void]) -> NDArray[np.void]:
    """Notes (N,) of dtype NOTE, those of one part and pitch made to follow one another: neither keys nor pages hold
    one pitch twice at once. Of several at one tick the longest stays; each lasts a tick and sounds, at the least.
    """
    order = np.lexsort((-notes["duration"], notes["onset"], notes["pitch"], notes["part"]))
    notes = notes[order].copy()
    np.clip(notes["velocity"], 1, None, out=notes["velocity"])
    np.clip(notes["duration"], 1, None, out=notes["duration"])
    same = (notes["part"][1:] == notes["part"][:-1]) & (notes["pitch"][1:] == notes["pitch"][:-1])
    kept = np.concatenate([[True], ~(same & (notes["onset"][1:] == notes["onset"][:-1]))])[: len(notes)]
    notes = notes[kept]
    same = (notes["part"][1:] == notes["part"][:-1]) & (notes["pitch"][1:] == notes["pitch"][:-1])
    room = np.where(same, np.diff(notes["onset"]), np.iinfo(np.int64).max)
    notes["duration"][:-1] = np.minimum(notes["duration"][:-1], room)
    return notes


def voices(notes: NDArray[np.void]) -> list[list[Chord]]:
    """The notes of one part in as few voices as they need, each a line of chords that do not overlap."""
    together: dict[tuple[int, int], set[int]] = {}
    for onset, duration, pitch in zip(*(notes[k].tolist() for k in ("onset", "duration", "pitch")), strict=True):
        together.setdefault((onset, onset + duration), set()).add(pitch)
    chords = [Chord(*span, tuple(sorted(pitches))) for span, pitches in together.items()]
    lines: list[list[Chord]] = []
    for chord in sorted(chords, key=lambda chord: (chord.onset, -chord.pitches[-1], chord.end)):
        free = next((line for line in lines if line[-1].end <= chord.onset), None)
        if free is None:
            lines.append([chord])
        else:
            free.append(chord)
    return lines
