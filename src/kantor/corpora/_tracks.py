"""Which of a score's parts: all of them on one piano, the pianos alone, or the melody.

The melody is that of a part that is named so. Where no part is, it is the *skyline* (Uitdenbogerd and Zobel 1998):
whatever sounds highest. A note is heard as melody if no higher one sounds when it begins; it ends where the next such
note begins. An overlap of less than a thirty-second note hides nothing: that is legato, not another voice.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from kantor.errors import ScoreError, UnknownNameError
from kantor.io.notation import disjoint
from kantor.score import Part, Score

__all__ = ["TRACKS", "tracks_of"]

#: What can be asked for; "" leaves the parts as they are.
TRACKS = ("", "all", "piano", "melody")

_PIANOS = range(8)  # of General MIDI's programs: grand pianos to clavinet
_MELODY = ("melod", "vocal", "voice", "soprano")  # what parts of melodies are called, the surest first


def tracks_of(score: Score, which: str) -> Score:
    """``score`` with the parts that ``which`` asks for, a name of :data:`TRACKS`; all but its parts stays.

    - "": the parts as they are.
    - "all": every part but drums, merged into one piano part.
    - "piano": the parts of General MIDI's programs 0-7, drums apart, merged into one piano part.
    - "melody": one part, one note at a time: of a part named melody, vocal, voice or soprano, or else of all parts.

    A piano plays a pitch once at a time: where merged parts meet on a pitch, a note ends where the next begins.

    Raises
    ------
    UnknownNameError
        If ``which`` is none of them.
    ScoreError
        If the score has no note in such a part.
    """
    if which not in TRACKS:
        raise UnknownNameError("choice of tracks", which, TRACKS[1:])
    if not which:
        return score
    pitched = [index for index, part in enumerate(score.parts) if not part.is_drum]
    if which == "melody":
        return _melody(score, pitched)
    wanted = [i for i in pitched if which == "all" or score.parts[i].program in _PIANOS]
    notes = _of(score, wanted)
    if not len(notes):
        asked = "a piano (program 0 to 7)" if which == "piano" else "an instrument that is no drum"
        raise ScoreError(f"expected notes of {asked}, got {_listing(score)}; try other tracks.")
    notes["part"] = 0
    return score.replace(notes=disjoint(notes), parts=(Part("Piano"),))


def _of(score: Score, parts: list[int]) -> NDArray[np.void]:
    return score.notes[np.isin(score.notes["part"], parts)]


def _listing(score: Score) -> str:
    """The parts that sound, for a message."""
    sounding = [score.parts[index] for index in sorted(set(score.notes["part"].tolist()))]
    said = [
        f"{part.name.strip() or 'a part'} ({'drums' if part.is_drum else f'program {part.program}'})"
        for part in sounding
    ]
    more = f" and {len(said) - 4} more" if len(said) > 4 else ""
    return (", ".join(said[:4]) + more) or "none"


def _melody(score: Score, pitched: list[int]) -> Score:
    """The skyline of the part that bears a melody's name, or of all parts."""
    for name in _MELODY:
        for index in pitched:
            if re.search(rf"\b{name}", score.parts[index].name.lower().replace("_", " ")):
                notes = _of(score, [index])
                if len(notes):
                    return _lined(score, notes, score.parts[index].program)
    notes = _of(score, pitched)
    if not len(notes):
        raise ScoreError(f"expected notes of a melody, got {_listing(score)}; try other tracks.")
    return _lined(score, notes, program=0)


def _lined(score: Score, notes: NDArray[np.void], program: int) -> Score:
    line = _skyline(notes, legato=score.ticks_per_quarter / 8)
    line["part"] = 0
    return score.replace(notes=line, parts=(Part("Melody", program),))


def _skyline(notes: NDArray[np.void], legato: float) -> NDArray[np.void]:
    """The notes that are highest when they begin, each ended by the next; overlaps below ``legato`` ticks hide none."""
    order = np.lexsort((-notes["duration"], -notes["pitch"], notes["onset"]))  # the highest of a chord first
    kept: list[int] = []
    sounding: list[tuple[int, int]] = []  # (end, pitch) of what may hide a note
    now = -1
    rows = zip(order.tolist(), *(notes[name][order].tolist() for name in ("onset", "duration", "pitch")), strict=True)
    for index, onset, duration, pitch in rows:
        if onset == now:
            sounding.append((onset + duration, pitch))  # below the top of its chord
            continue
        now = onset
        sounding = [note for note in sounding if note[0] > onset]
        if not any(other > pitch and (end > onset + legato or end >= onset + duration) for end, other in sounding):
            kept.append(index)
        sounding.append((onset + duration, pitch))
    line = notes[kept]
    room = np.diff(line["onset"], append=np.iinfo(np.int64).max)
    line["duration"] = np.minimum(line["duration"], room)
    return line
