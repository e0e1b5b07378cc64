"""Music varied: transposed, stretched, louder. Keys, fermatas and tempi move along.

Transposition stays within the voices' ranges, where a choir could still sing it: ranges are those of the training
pieces, part by part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score
from kantor.theory import transpose_key

__all__ = ["louder", "part_ranges", "shifts", "stretch", "transpose"]


def transpose(score: Score, semitones: int) -> Score:
    """The score ``semitones`` higher (lower where negative), its keys with it; drums stay, they have no pitch."""
    if not semitones:
        return score
    notes = score.notes.copy()
    notes["pitch"][~np.isin(notes["part"], _drums(score))] += semitones
    return score.replace(notes=notes, keys=tuple(transpose_key(key, semitones) for key in score.keys))


def _drums(score: Score) -> list[int]:
    """Which parts are drums."""
    return [index for index, part in enumerate(score.parts) if part.is_drum]


def stretch(score: Score, factor: float) -> Score:
    """The score's times, ``factor`` as long: the same playing, slower (> 1) or faster. Bars, no longer in time, go."""
    if factor == 1:
        return score

    def moved(tick: int) -> int:
        return round(tick * factor)

    notes = score.notes.copy()
    end = np.rint((notes["onset"] + notes["duration"]) * factor).astype(np.int64)
    notes["onset"] = np.rint(notes["onset"] * factor)
    notes["duration"] = np.maximum(end - notes["onset"], 1)
    return score.replace(
        notes=notes,
        length_ticks=max(moved(score.length_ticks), int((notes["onset"] + notes["duration"]).max(initial=0))),
        tempi=tuple(replace(tempo, tick=moved(tempo.tick)) for tempo in score.tempi),
        meters=(),  # a bar is no longer so long
        keys=tuple(replace(key, tick=moved(key.tick)) for key in score.keys),
        fermatas=tuple(map(moved, score.fermatas)),
        barlines=(),
        anacrusis_ticks=0,
    )


def louder(score: Score, factor: float) -> Score:
    """The score with velocities ``factor`` times as high, within 1..127."""
    notes = score.notes.copy()
    notes["velocity"] = np.clip(np.rint(notes["velocity"] * factor), 1, 127)
    return score.replace(notes=notes)


def part_ranges(scores: Sequence[Score], parts: int) -> NDArray[np.int64]:
    """(parts, 2) lowest and highest MIDI pitch that each part sounds anywhere; 127 and 0 where it never does."""
    ranges = np.tile([127, 0], (parts, 1))
    for score in scores:
        np.minimum.at(ranges[:, 0], score.notes["part"], score.notes["pitch"])
        np.maximum.at(ranges[:, 1], score.notes["part"], score.notes["pitch"])
    return ranges


def shifts(score: Score, ranges: NDArray[np.int64], at_most: int) -> NDArray[np.int64]:
    """The semitones, -at_most..at_most, by which ``score`` can move with every part inside ``ranges``; 0 is one."""
    own = part_ranges([score], len(ranges))
    sounding = own[:, 0] <= own[:, 1]
    sounding[_drums(score)] = False
    down = (ranges - own)[sounding, 0].max(initial=-at_most)
    up = (ranges - own)[sounding, 1].min(initial=at_most)
    return np.arange(min(down, 0), max(up, 0) + 1)
