"""Scores and grids for Hypothesis: any that a composer could mean, on the grid of sixteenths."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from kantor.score import TICKS_PER_QUARTER, VOICES, Key, Meter, Part, Score, Tempo

SIXTEENTH = TICKS_PER_QUARTER // 4
METERS = ((4, 4), (3, 4), (2, 4), (3, 8), (6, 8), (2, 2))


@st.composite
def grids(draw, max_frames: int = 32, voices: int = 4, low: int = 36, high: int = 81):
    """(pitches, attacks), (frames, voices) int64 and bool: 0 is silence; a hold follows the pitch that it holds."""
    frames = draw(st.integers(1, max_frames))
    pitches = np.zeros((frames, voices), dtype=np.int64)
    attacks = np.zeros((frames, voices), dtype=bool)
    for voice in range(voices):
        at = 0
        while at < frames:
            length = draw(st.integers(1, 8))
            pitch = draw(st.one_of(st.just(0), st.integers(low, high)))
            pitches[at : at + length, voice] = pitch
            attacks[at, voice] = pitch > 0
            at += length
    return pitches, attacks


def grid_score(pitches: np.ndarray, attacks: np.ndarray, **known: Any) -> Score:
    """The score that sounds a grid: frames of a sixteenth, a part a voice."""
    rows = []
    frames, voices = pitches.shape
    for voice in range(voices):
        starts = [t for t in range(frames) if attacks[t, voice]]
        for start in starts:
            end = start + 1
            while end < frames and pitches[end, voice] == pitches[start, voice] and not attacks[end, voice]:
                end += 1
            rows.append((start * SIXTEENTH, (end - start) * SIXTEENTH, int(pitches[start, voice]), 80, voice))
    known.setdefault("parts", tuple(Part(name) for name in VOICES[:voices]))
    return Score.from_notes(rows, length_ticks=frames * SIXTEENTH, **known)


def _events(draw, known: bool, length: int) -> dict[str, Any]:
    """Metre, pickup, key, tempi and fermatas, each known or not; keys change at bar lines only."""
    events: dict[str, Any] = {}
    bar = 4 * TICKS_PER_QUARTER
    if known or draw(st.booleans()):
        numerator, denominator = draw(st.sampled_from(METERS))
        bar = numerator * 4 * TICKS_PER_QUARTER // denominator
        events["meters"] = (Meter(0, numerator, denominator),)
    pickup = draw(st.sampled_from([0, 0, SIXTEENTH, 2 * SIXTEENTH, 4 * SIXTEENTH]))
    pickup = events["anacrusis_ticks"] = pickup if pickup < min(bar, length) else 0
    if draw(st.booleans()):
        starts = [0, *range(pickup or bar, length, bar)]
        ticks = draw(st.lists(st.sampled_from(starts), max_size=2, unique=True))
        modes = st.sampled_from(["major", "minor", ""])
        events["keys"] = tuple(Key(tick, draw(st.integers(-7, 7)), draw(modes)) for tick in ticks)
    grid = st.integers(0, length // SIXTEENTH - 1).map(lambda frame: frame * SIXTEENTH)
    if draw(st.booleans()):
        speeds = st.integers(40, 2000).map(lambda tenths: tenths / 10)
        events["tempi"] = tuple(Tempo(tick, draw(speeds)) for tick in draw(st.lists(grid, max_size=2, unique=True)))
    if draw(st.booleans()):
        events["fermatas"] = tuple(draw(st.lists(grid, max_size=3)))
    return events


@st.composite
def scores(
    draw,
    max_parts: int = 4,
    *,
    min_parts: int = 1,
    monophonic: bool = True,
    max_frames: int = 48,
    plain: bool = False,
    metered: bool = False,
):
    """Scores on the grid of sixteenths, at 480 ticks a quarter, as long as 1..max_frames sixteenths.

    ``plain`` leaves everything but notes and parts unknown; ``metered`` makes sure of a metre. Parts that are not
    monophonic hold chords and voices that overlap, but never the same pitch twice at one time.
    """
    voices = draw(st.integers(min_parts, max_parts))
    layers = 1 if monophonic else draw(st.integers(1, 3))
    pitches, attacks = draw(grids(max_frames, voices * layers))
    length = len(pitches) * SIXTEENTH
    known = {} if plain else _events(draw, metered, length)
    known["parts"] = tuple(Part(VOICES[v] if v < 4 else f"Voice {v + 1}") for v in range(voices))
    if not plain and draw(st.booleans()):
        known["title"] = draw(st.text("Wachet auf♭é &<>", max_size=12).map(lambda text: " ".join(text.split())))
        known["recipe"] = draw(st.sampled_from(["", '{"seed": 1}', '{"prompt": "ä♯"}']))
    if monophonic:
        return grid_score(pitches, attacks, **known)
    layered = grid_score(pitches, attacks, parts=tuple(Part() for _ in range(voices * layers)))
    sounding: set[tuple[int, int, int]] = set()
    rows = []
    for onset, duration, pitch, velocity, layer in layered.notes.tolist():
        frames = {(layer % voices, pitch, at) for at in range(onset, onset + duration, SIXTEENTH)}
        if not frames & sounding:
            sounding |= frames
            rows.append((onset, duration, pitch, velocity, layer % voices))
    return Score.from_notes(rows, length_ticks=length, **known)
