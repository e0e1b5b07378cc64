"""A finished score under rules: all faults at once, in one view of the whole piece."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kantor.errors import UnsupportedRuleError
from kantor.rules._view import SILENT, Fault, Rule, View
from kantor.score import TICKS_PER_QUARTER, VOICES, Score

__all__ = ["columns", "faults", "is_line", "view_of"]

SIXTEENTH = TICKS_PER_QUARTER // 4
LEGATO = 8  # of a quarter: by less than a thirty-second a player may hold a note into the next


def is_line(notes: NDArray[np.void], ticks_per_quarter: int) -> bool:
    """Whether of some notes, sorted by onset, no two sound at once, but for a player's legato; told in exact ticks."""
    over = (notes["onset"] + notes["duration"])[:-1] - notes["onset"][1:]
    return bool((over * LEGATO < ticks_per_quarter).all())


def columns(score: Score) -> NDArray[np.int64] | None:
    """(parts,) the voice, 0 to 3, that each part of a score sings, drums apart (-1); None where it is not four lines.

    A part may be silent. Any number of drums goes along.
    """
    drums = np.array([part.is_drum for part in score.parts], dtype=np.bool_)
    notes = score.pitched
    lines = (notes[notes["part"] == part] for part in np.unique(notes["part"]).tolist())
    if int((~drums).sum()) != len(VOICES) or not all(is_line(line, score.ticks_per_quarter) for line in lines):
        return None
    return np.where(drums, -1, np.cumsum(~drums) - 1)


def faults(score: Score, rules: Mapping[str, Rule], *, step: int = SIXTEENTH, view: View | None = None) -> list[Fault]:
    """The faults of ``score`` under these rules (by the names they are to bear), by time.

    Parameters
    ----------
    step  ticks of 1/480 of a quarter in a frame: a sixteenth, unless asked for otherwise.
    view  of the whole score, where it is read otherwise than :func:`view_of` reads it.

    Raises
    ------
    RuleError
        If a rule lacks something: voices (the score is not four lines), a key, fermatas.
    """
    plan = score.at(TICKS_PER_QUARTER)
    seen = view or view_of(score, step)
    found: list[Fault] = []
    for name, rule in rules.items():
        if "voices" in rule.needs and not seen.voiced:
            raise UnsupportedRuleError(f"expected four voices for {name}, got a score of other parts; leave it out.")
        wrong = rule.bound(plan, step).faults(seen)
        for frame in np.flatnonzero(wrong.any(-1)).tolist():
            tick = int(seen.frames[frame]) * step * score.ticks_per_quarter // TICKS_PER_QUARTER
            found.append(Fault(name, tick, tuple(np.flatnonzero(wrong[frame]).tolist())))
    return sorted(found, key=lambda fault: fault.tick)


def view_of(score: Score, step: int = SIXTEENTH) -> View:
    """(frames, voices) what sounds in ``score``: a column a part where it has four, each a line; else one a note.

    Drums are left out. Onsets and ends are rounded to frames; a note lasts one at least, but in a voice the next one
    cuts it: of two in one frame the later is there.
    """
    notes = score.pitched
    scale = TICKS_PER_QUARTER / score.ticks_per_quarter / step
    onset = np.floor(notes["onset"] * scale + 0.5).astype(np.int64)
    end = np.maximum(np.floor((notes["onset"] + notes["duration"]) * scale + 0.5).astype(np.int64), onset + 1)
    frames = max(int(np.ceil(score.length_ticks * scale - 1e-9)), int(end.max(initial=0)))
    voice = columns(score)
    voiced = voice is not None
    lane = _lanes(onset, end) if voice is None else voice[notes["part"]]
    if voiced:
        end = _cut(onset, end, lane)
    pitch = np.full((frames, len(VOICES) if voiced else int(lane.max(initial=0)) + 1), SILENT)
    struck = np.zeros(pitch.shape, dtype=np.bool_)
    for start, stop, note, column in zip(onset, end, notes["pitch"], lane, strict=True):
        pitch[start:stop, column] = note
        struck[start, column] = True
    return View(pitch, struck, np.arange(frames), voiced)


def _cut(onset: np.ndarray, end: np.ndarray, lane: np.ndarray) -> np.ndarray:
    """The ends, none of them after the next onset of its lane."""
    order = np.argsort(lane, kind="stable")
    same = lane[order][1:] == lane[order][:-1]
    last = np.iinfo(np.int64).max
    following = np.append(np.where(same, onset[order][1:], last), last)[: len(order)]
    found = end.copy()
    found[order] = np.minimum(end[order], following)
    return found


def _lanes(onset: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A lane for each note, free when it begins: the lowest that is."""
    lanes: list[int] = []
    until: list[int] = []
    for start, stop in zip(onset.tolist(), end.tolist(), strict=True):
        free = next((lane for lane, busy in enumerate(until) if busy <= start), len(until))
        until[free : free + 1] = [stop]
        lanes.append(free)
    return np.array(lanes, dtype=np.int64)
