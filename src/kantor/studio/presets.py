"""One-click beginnings: a model and how to play it, named after what one hears. None names a composer or a style."""

from __future__ import annotations

from kantor.studio.bodies import PresetJson
from kantor.studio.messages import Start

__all__ = ["PRESETS"]


def _preset(name: str, about: str, **options: object) -> PresetJson:
    return PresetJson(name=name, about=about, start=Start.model_validate({"type": "start", **options}))


CHURCH, PIANO, STRINGS, CHOIR, MUSIC_BOX = 19, 0, 48, 52, 10

PRESETS: tuple[PresetJson, ...] = (
    _preset(
        "Chorale",
        "Four voices, as the chorales that the model learned from begin",
        model="chorale",
        bars=16,
        tempo=80,
        temperature=0.85,
        instruments=[CHURCH] * 4,
    ),
    _preset(
        "Minor and slow",
        "Four voices in G minor, at an easy pace",
        model="chorale",
        bars=12,
        key="Gm",
        meter="4/4",
        tempo=54,
        temperature=0.8,
        instruments=[CHOIR] * 4,
    ),
    _preset(
        "Lively",
        "Four voices in D major, quick, and a little bolder",
        model="chorale",
        bars=24,
        key="D",
        meter="4/4",
        tempo=116,
        temperature=1.0,
        instruments=[STRINGS] * 4,
    ),
    _preset(
        "Melody first",
        "One line alone; harmonise it when you like it",
        model="melody",
        bars=16,
        tempo=96,
        temperature=0.9,
        instruments=[PIANO],
    ),
    _preset(
        "Piano, note by note",
        "For a piano, note by note: each may begin at any time",
        model="notes",
        bars=16,
        tempo=90,
        temperature=0.9,
        instruments=[PIANO],
    ),
    _preset(
        "Piano roll",
        "For a piano, chord by chord on a grid of sixteenths",
        model="roll",
        bars=16,
        tempo=90,
        temperature=0.9,
        instruments=[PIANO],
    ),
    _preset(
        "Music box",
        "Few notes at a time, in A minor, on a music box",
        model="roll",
        bars=16,
        key="Am",
        in_key=True,
        density=3,
        tempo=72,
        temperature=0.9,
        instruments=[MUSIC_BOX],
    ),
)
