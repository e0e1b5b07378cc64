from __future__ import annotations

import pytest

from kantor.score import VOICES, Key, Meter, Part, Score, Tempo

Q = 480


def _line(part, start, notes):
    """Notes of one part, one after the other: (pitch, quarters)."""
    at, rows = start, []
    for pitch, quarters in notes:
        rows.append((round(at * Q), round(quarters * Q), pitch, 80, part))
        at += quarters
    return rows


def _chorale():
    """Four voices in G, a pickup, held notes, repeated notes, notes over a bar line, two fermatas."""
    soprano = [
        (67, 1),
        (67, 1),
        (74, 1),
        (71, 1),
        (67, 1),
        (72, 1),
        (72, 1),
        (71, 2),
        (69, 1),
        (71, 1),
        (69, 2),
        (67, 3),
    ]
    alto = [(62, 1), (62, 2), (67, 2), (64, 1), (66, 1), (67, 2), (66, 1), (67, 2), (66, 1), (62, 3)]
    tenor = [(59, 1), (59, 1), (57, 1), (62, 2), (60, 1), (57, 1), (62, 2), (62, 1), (62, 2), (60, 1), (59, 3)]
    bass = [(43, 1), (55, 1), (54, 1), (55, 2), (57, 1), (50, 1), (43, 2), (50, 1), (55, 1), (50, 2), (43, 3)]
    voices = (soprano, alto, tenor, bass)
    rows = [note for part, notes in enumerate(voices) for note in _line(part, 0, notes)]
    return Score.from_notes(
        rows,
        parts=tuple(Part(voice) for voice in VOICES),
        tempi=(Tempo(0, 80),),
        meters=(Meter(0, 4, 4),),
        keys=(Key(0, 1, "major"),),
        fermatas=(7 * Q, 13 * Q),
        anacrusis_ticks=Q,
        title="A small chorale",
    )


def _minuet():
    upper = [(74, 1), (67, 0.5), (69, 0.5), (71, 0.5), (72, 0.5), (74, 1), (67, 1), (67, 1), (76, 3), (79, 3)]
    lower = [(55, 2), (57, 1), (59, 3), (60, 3), (59, 3)]
    rows = _line(0, 0, upper) + _line(1, 0, lower)
    parts = (Part("Right hand"), Part("Left hand"))
    return Score.from_notes(rows, parts=parts, tempi=(Tempo(0, 100),), meters=(Meter(0, 3, 4),), keys=(Key(0, 1, ""),))


def _melody():
    """One unknown part: no meter, no key, no tempo, a rest at the start and one at the end."""
    return Score.from_notes(_line(0, 1, [(60, 1), (62, 1), (64, 1), (65, 1), (67, 2), (60, 2)]), length_ticks=12 * Q)


def _jig():
    """6/8 that slows down, chords, every note on a harpsichord."""
    rows = _line(0, 0, [(72, 1.5), (76, 1.5), (79, 1.5), (76, 1.5)]) + _line(0, 0, [(48, 3), (52, 3)])
    tempi = (Tempo(0, 120), Tempo(3 * Q, 70.5))
    return Score.from_notes(rows, parts=(Part("Harpsichord", 6),), tempi=tempi, meters=(Meter(0, 6, 8),))


def _organ_point():
    """A pedal of four bars under repeated notes, on an organ."""
    rows = _line(1, 0, [(36, 16)]) + _line(0, 0, [(60, 2), (60, 2), (62, 2), (64, 2), (65, 4), (64, 4)])
    return Score.from_notes(rows, parts=(Part("Manual", 19), Part("Pedal", 19)), meters=(Meter(0, 4, 4),))


PIECES = {
    "chorale": _chorale,
    "minuet": _minuet,
    "melody": _melody,
    "jig": _jig,
    "organ point": _organ_point,
}


@pytest.fixture(params=PIECES, scope="session")
def piece(request):
    return PIECES[request.param]()


@pytest.fixture(scope="session")
def chorale():
    return _chorale()


@pytest.fixture(autouse=True)
def _packaged_soundfont(monkeypatch):
    """What is heard in the tests must not depend on the SoundFonts of the machine."""
    monkeypatch.delenv("KANTOR_SOUNDFONT", raising=False)
    monkeypatch.setattr("kantor.render.audio.SYSTEM_FOLDERS", ())
