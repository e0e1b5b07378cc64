"""What a musician knows before the first lesson ends: pitch classes, note names, keys, scales, triads, intervals.

Conventions: a pitch is a MIDI number (60 is C4), a pitch class is a pitch modulo 12 (0 is C), a key is counted in
fifths (sharps positive, flats negative) as in :class:`kantor.score.Key`. Everything here is a pure function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError
from kantor.score import Key, Meter

__all__ = [
    "INTERVALS",
    "SCALES",
    "TRIADS",
    "Triad",
    "diatonic",
    "interval_name",
    "is_tonic_triad",
    "is_triad",
    "key_name",
    "note_name",
    "parse_key",
    "parse_meter",
    "pitch_class",
    "scale",
    "tonic",
    "transpose_key",
    "triad",
]

Pitches = TypeVar("Pitches", int, "NDArray[np.integer]")

#: Semitones above the tonic.
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "natural minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
}

#: Semitones above the root.
TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7), "diminished": (0, 3, 6), "augmented": (0, 4, 8)}

INTERVALS = (
    "unison",
    "minor second",
    "major second",
    "minor third",
    "major third",
    "perfect fourth",
    "tritone",
    "perfect fifth",
    "minor sixth",
    "major sixth",
    "minor seventh",
    "major seventh",
    "octave",
)

_LINE_OF_FIFTHS = "FCGDAEB"
_KEY = re.compile(r"([A-Ga-g])(#|♯|b|♭|[ -]sharp|[ -]flat)?\s*(m|M|(?:min|minor|maj|major))?", re.ASCII)
_MINOR_TONIC = 3  # a minor key's tonic lies three fifths above that of the major key with the same signature


class Triad(NamedTuple):
    """A chord of three notes: the pitch class of its root, and its quality (a name of :data:`TRIADS`)."""

    root: int
    quality: str


def pitch_class(pitch: Pitches) -> Pitches:
    """The pitch class, 0-11, of a MIDI number or of an array of them."""
    return pitch % 12


def note_name(pitch: int, fifths: int = 0) -> str:
    """Name of MIDI number ``pitch`` (60 is "C4"), spelled as the key of ``fifths`` sharps spells it.

    Of the twelve names it prefers those from three fifths below the major tonic to eight above: in C, and in A minor,
    these are Eb, Bb, F, C ... C#, G#.
    """
    low = fifths - 3
    place = low + (pitch * 7 - low) % 12
    accidental = (place + 1) // 7
    return f"{_spell(place)}{(pitch - accidental) // 12 - 1}"


def interval_name(semitones: int) -> str:
    """Name of an interval in either direction; wider than an octave it is named as within one ("perfect fifth")."""
    width = abs(semitones)
    return INTERVALS[12 if width and width % 12 == 0 else width % 12]


def parse_key(text: str) -> Key:
    """The key that ``text`` names: "G", "G major", "Gm", "g minor", "Bb", "F# minor", "eb minor".

    Raises
    ------
    OptionError
        If it names no key, or one of more than seven accidentals. A small letter alone ("g") is refused: some read
        it as G minor.
    """
    match = _KEY.fullmatch(text.strip()) or _KEY.fullmatch(text.strip()[:1] + text.strip()[1:].lower())
    if match is None or (match[1].islower() and match[3] is None):
        raise OptionError(f"expected a key, got '{text}'; try 'G', 'Gm', 'Bb major' or 'F# minor'.")
    minor = match[3] in ("m", "min", "minor")
    sign = (match[2] or "").strip(" -")
    accidental = {"": 0, "#": 1, "♯": 1, "sharp": 1}.get(sign, -1)
    place = _LINE_OF_FIFTHS.index(match[1].upper()) - 1 + 7 * accidental
    key = Key(0, place - _MINOR_TONIC * minor, "minor" if minor else "major")
    if abs(key.fifths) > 7:
        plain = key_name(transpose_key(key, 12))
        kind = "sharps" if key.fifths > 0 else "flats"
        came = f"got '{text}' with {abs(key.fifths)} {kind}"
        raise OptionError(f"expected a key of at most seven sharps or flats, {came}; try '{plain}'.")
    return key


def key_name(key: Key) -> str:
    """Name such as "G minor"; where the mode is not known both keys of the signature, "Bb major or G minor"."""
    major, minor = f"{_spell(key.fifths)} major", f"{_spell(key.fifths + _MINOR_TONIC)} minor"
    return {"major": major, "minor": minor}.get(key.mode, f"{major} or {minor}")


def tonic(key: Key) -> int:
    """Pitch class of the tonic; where the mode is not known, that of the major key."""
    return 7 * (key.fifths + _MINOR_TONIC * (key.mode == "minor")) % 12


def transpose_key(key: Key, semitones: int) -> Key:
    """The key ``semitones`` higher, spelled with the fewest accidentals; F# and Gb stay on the side of ``key``."""
    if semitones == 0:
        return key
    fifths = (key.fifths + 7 * semitones + 5) % 12 - 5
    if fifths == 6 and key.fifths < 0:
        fifths = -6
    return Key(key.tick, fifths, key.mode)


def parse_meter(text: str) -> Meter:
    """The meter that ``text`` names, "3/4".

    Raises
    ------
    OptionError
        If it is no fraction of 1..64 over a power of two up to 64.
    """
    match = re.fullmatch(r"([0-9]{1,2})\s*/\s*([0-9]{1,2})", text.strip())
    if match and 1 <= int(match[1]) <= 64 and int(match[2]) in (1, 2, 4, 8, 16, 32, 64):
        return Meter(0, int(match[1]), int(match[2]))
    raise OptionError(f"expected a meter, 1 to 64 over a power of two, got '{text}'; try '3/4' or '6/8'.")


def scale(key: Key, minor: str = "natural minor") -> frozenset[int]:
    """Pitch classes of the scale of ``key``; ``minor`` says which form of the minor scale is meant, see :data:`SCALES`.

    A key whose mode is not known has its signature's scale.
    """
    steps = SCALES[minor] if key.mode == "minor" else SCALES["major"]
    return frozenset((tonic(key) + step) % 12 for step in steps)


def diatonic(key: Key) -> frozenset[int]:
    """Pitch classes at home in ``key``: its scale, in minor with both the natural and the raised seventh."""
    return scale(key) | (scale(key, "harmonic minor") if key.mode == "minor" else frozenset())


def triad(pitches: Iterable[int]) -> Triad | None:
    """Root and quality of a complete triad, in any inversion, doubling and octave; None if it is no such chord.

    An augmented triad has no root of its own: the first pitch given is called that.
    """
    classes = list(dict.fromkeys(int(pitch) % 12 for pitch in pitches))
    for root in classes:
        above = tuple(sorted((other - root) % 12 for other in classes))
        for quality, steps in TRIADS.items():
            if above == steps:
                return Triad(root, quality)
    return None


def is_triad(pitches: Iterable[int]) -> bool:
    """Whether these pitches, or pitch classes, form a complete major, minor, diminished or augmented triad."""
    return triad(pitches) is not None


def is_tonic_triad(pitches: Sequence[int], key: Key) -> bool:
    """Whether a chord can end a piece in ``key``: the tonic in the bass, its third above, perhaps its fifth.

    ``pitches`` are the sounding MIDI numbers in any order, the lowest is the bass. In minor the third may be major.
    The fifth may be absent, as it often is where all voices arrive by step. Where the mode of the key is not known,
    the tonic of either key of the signature will do.
    """
    if not len(pitches):
        return False
    bass = min(int(pitch) for pitch in pitches) % 12
    modes = [mode for mode in ("major", "minor") if key.mode in (mode, "")]
    home = [mode for mode in modes if tonic(Key(0, key.fifths, mode)) == bass]
    above = {(int(pitch) - bass) % 12 for pitch in pitches} - {0, 7}
    return bool(home) and (above == {4} or (above == {3} and home == ["minor"]))


def _spell(place: int) -> str:
    """Letter and accidentals at ``place`` on the line of fifths (0 is C, 1 is G, -1 is F)."""
    accidental = (place + 1) // 7
    return _LINE_OF_FIFTHS[(place + 1) % 7] + ("#" * accidental if accidental > 0 else "b" * -accidental)
