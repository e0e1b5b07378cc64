"""Faults planted in chorales: a note or two of one bar are changed so that a known fault is there, and nowhere else.

Notes are chosen so that no motion out of the bar or into it changes: each is struck in the bar after another note of
its voice there, and followed by one. What is planted follows from the textbook's words, not from the rules' code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kantor.theory import tonic

KINDS = ("parallel fifths", "parallel octaves", "crossed voices", "overlapping voices", "doubled leading tone")
KINDS += ("out of range", "voices too far apart")


@dataclass(frozen=True)
class Planted:
    """A score with a fault of a kind, at a tick, between voices (0 is soprano); and its bar's number among the bars."""

    score: object
    kind: str
    tick: int
    voices: tuple[int, ...]
    bar: int


def plant(score, kind, rng):
    """The score with one fault of ``kind``, at a place drawn by ``rng``; None where there is no room for it."""
    moments = list(_moments(score))
    rng.shuffle(moments)
    pairs = [(upper, lower) for upper in range(4) for lower in range(upper + 1, 4)]
    rng.shuffle(pairs)
    for bar, before, now in moments:
        for upper, lower in pairs:
            made = _MAKE[kind](score, before, now, upper, lower)
            if made is None:
                continue
            changes, voices = made
            notes = score.notes.copy()
            for note, pitch in changes.items():
                notes["pitch"][note] = pitch
            if changes and all(36 <= pitch <= 88 for pitch in changes.values()):
                tick = int(score.notes["onset"][now[upper]])
                return Planted(score.replace(notes=notes), kind, tick, voices, bar)
    return None


def by_bar(score, faults):
    """(bar, kind, voices) of every bar in which each fault is, for what lasts may reach into the next."""
    starts = score.bars["start"]
    found = set()
    for fault in faults:
        first, last = np.searchsorted(starts, [fault.tick, fault.end - 1], side="right") - 1
        found |= {(int(bar), fault.kind, fault.voices) for bar in range(first, last + 1)}
    return found


def _moments(score):
    """(bar, notes before, notes now) of every place where all voices strike, within a bar, and move on within it."""
    notes = score.notes
    lines = [np.flatnonzero(notes["part"] == part) for part in range(4)]
    places = [{int(notes["onset"][note]): at for at, note in enumerate(line)} for line in lines]
    starts = score.bars["start"].tolist()
    ends = [*starts[1:], score.length_ticks]
    for bar, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for tick in sorted(set.intersection(*(set(place) for place in places))):
            if not start < tick < end:
                continue
            at = [place[tick] for place in places]
            if any(index == 0 or index + 1 == len(line) for index, line in zip(at, lines, strict=True)):
                continue
            before = [int(line[index - 1]) for index, line in zip(at, lines, strict=True)]
            now = [int(line[index]) for index, line in zip(at, lines, strict=True)]
            after = [int(line[index + 1]) for index, line in zip(at, lines, strict=True)]
            struck = notes["onset"]
            joined = all(struck[b] + notes["duration"][b] == tick for b in before)
            if joined and all(struck[b] > start for b in before) and all(struck[a] < end for a in after):
                yield bar, before, now


def _parallel(interval, least=0):
    def make(score, before, now, upper, lower):
        pitch = score.notes["pitch"]
        low = int(pitch[before[lower]]), int(pitch[now[lower]])
        if low[0] == low[1]:
            return None
        octaves = round((int(pitch[now[upper]]) - low[1] - interval) / 12)
        if octaves < least:
            return None
        high = [one + interval + 12 * octaves for one in low]
        return {before[upper]: high[0], now[upper]: high[1]}, (upper, lower)

    return make


def _crossing(score, before, now, upper, lower):
    pitch = score.notes["pitch"]
    if int(pitch[before[upper]]) < int(pitch[before[lower]]):
        return None  # crossed already: it would be the same fault, going on
    return {now[upper]: int(pitch[now[lower]]) - 2}, (upper, lower)


def _overlap(score, before, now, upper, lower):
    if lower != upper + 1:
        return None
    pitch = score.notes["pitch"]
    high = int(pitch[before[upper]]) + 2
    return ({now[lower]: high}, (upper, lower)) if int(pitch[before[lower]]) != high else None


def _leading(score, before, now, upper, lower):
    key = next((key for key in reversed(score.keys) if key.tick <= score.notes["onset"][now[upper]]), None)
    if key is None or not key.mode:
        return None
    tone = (tonic(key) + 11) % 12
    pitch = score.notes["pitch"]
    if any(int(pitch[note]) % 12 == tone for note in before):
        return None  # it might have been doubled before, and go on

    def nearest(note):
        return min((p for p in range(36, 85) if p % 12 == tone), key=lambda p: abs(p - int(pitch[note])))

    return {now[upper]: nearest(now[upper]), now[lower]: nearest(now[lower])}, (upper, lower)


def _range(score, before, now, upper, lower):
    del before, lower
    highest = (81, 74, 69, 62)[upper]
    return {now[upper]: highest + 3}, (upper,)


def _spacing(score, before, now, upper, lower):
    if lower != upper + 1 or lower == 3:
        return None
    pitch = score.notes["pitch"]
    if abs(int(pitch[before[upper]]) - int(pitch[before[lower]])) > 12:
        return None
    return {now[lower]: int(pitch[now[upper]]) - 14}, (upper, lower)


_MAKE = {
    "parallel fifths": _parallel(7),
    "parallel octaves": _parallel(0, least=1),
    "crossed voices": _crossing,
    "overlapping voices": _overlap,
    "doubled leading tone": _leading,
    "out of range": _range,
    "voices too far apart": _spacing,
}
