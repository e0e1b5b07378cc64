"""What a musician knows before the first lesson ends: pitch classes, note names, keys, scales, chords, intervals.

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
    "Chord",
    "Triad",
    "diatonic",
    "interval_name",
    "is_tonic_triad",
    "is_triad",
    "key_name",
    "note_name",
    "parse_chord",
    "parse_figures",
    "parse_key",
    "parse_meter",
    "parse_numeral",
    "parse_scale",
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
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
}

#: Semitones above the root.
TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7), "diminished": (0, 3, 6), "augmented": (0, 4, 8)}

#: Semitones above the root, by what stands behind it in a chord symbol.
SYMBOLS = {
    **dict.fromkeys(("", "maj", "M"), (0, 4, 7)),
    **dict.fromkeys(("m", "min", "-"), (0, 3, 7)),
    **dict.fromkeys(("dim", "o", "°"), (0, 3, 6)),
    **dict.fromkeys(("aug", "+"), (0, 4, 8)),
    **dict.fromkeys(("7", "dom7"), (0, 4, 7, 10)),
    **dict.fromkeys(("maj7", "M7", "Δ", "Δ7"), (0, 4, 7, 11)),
    **dict.fromkeys(("m7", "min7", "-7"), (0, 3, 7, 10)),
    **dict.fromkeys(("dim7", "o7", "°7"), (0, 3, 6, 9)),
    **dict.fromkeys(("m7b5", "m7♭5", "ø", "ø7"), (0, 3, 6, 10)),
    **dict.fromkeys(("mM7", "mmaj7"), (0, 3, 7, 11)),
    **dict.fromkeys(("aug7", "+7"), (0, 4, 8, 10)),
    **dict.fromkeys(("6", "maj6"), (0, 4, 7, 9)),
    **dict.fromkeys(("m6", "min6"), (0, 3, 7, 9)),
    **{"sus4": (0, 5, 7), "sus": (0, 5, 7), "sus2": (0, 2, 7), "7sus4": (0, 5, 7, 10), "5": (0, 7)},
    **{"add9": (0, 2, 4, 7), "9": (0, 2, 4, 7, 10), "maj9": (0, 2, 4, 7, 11), "m9": (0, 2, 3, 7, 10)},
}

#: What figures are short for.
FIGURES = {
    **{(): (5, 3), (3,): (5, 3), (5,): (5, 3), (5, 3): (5, 3), (6,): (6, 3), (6, 3): (6, 3), (6, 4): (6, 4)},
    **{(7,): (7, 5, 3), (7, 3): (7, 5, 3), (7, 5): (7, 5, 3), (6, 5): (6, 5, 3), (4, 3): (6, 4, 3)},
    **{(2,): (6, 4, 2), (4, 2): (6, 4, 2), (4,): (5, 4), (9,): (9, 5, 3), (9, 7): (9, 7, 3)},
}

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
_LETTERS = "CDEFGAB"
_ACCIDENTALS = {"#": 1, "♯": 1, "b": -1, "♭": -1}
_NOTE = r"([A-G])([#♯b♭]{0,2})"
_NUMERAL = re.compile(
    r"([#♯b♭]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(°|o|dim|ø|\+|aug|maj|M)?"
    r"(6/5|65|4/3|43|4/2|42|6/4|64|7|6|2)?(?:/([#♯b♭]?(?:VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)))?"
)
_FIGURE = re.compile(r"([#♯b♭n♮+]?)([2-9])([#♯b♭n♮+]?)|([#♯b♭n♮+])")
_MINOR_TONIC = 3  # a minor key's tonic lies three fifths above that of the major key with the same signature


class Triad(NamedTuple):
    """A chord of three notes: the pitch class of its root, and its quality (a name of :data:`TRIADS`)."""

    root: int
    quality: str


class Chord(NamedTuple):
    """A chord that is asked for.

    Attributes
    ----------
    classes    its pitch classes.
    bass       the pitch class of its lowest note.
    essential  what it cannot do without: all but the perfect fifth above its root.
    """

    classes: frozenset[int]
    bass: int
    essential: frozenset[int]


def pitch_class(pitch: Pitches) -> Pitches:
    """The pitch class, 0-11, of a MIDI number or of an array of them."""
    return pitch % 12


def note_name(pitch: int, fifths: int = 0, mode: str = "major") -> str:
    """Name of MIDI number ``pitch`` (60 is "C4"), spelled as the key of ``fifths`` sharps spells it.

    Of the twelve names it prefers those from three fifths below the major tonic to eight above, in C Eb, Bb, F ... C#,
    G#; in minor a fifth sharper, so that its raised fourth, sixth and seventh degrees keep their letters.
    """
    low = fifths - (2 if mode == "minor" else 3)
    place = low + (pitch * 7 - low) % 12
    accidental = (place + 1) // 7
    return f"{_spell(place)}{(pitch - accidental) // 12 - 1}"


def note_in(pitch: int, key: Key | None) -> str:
    """Name of MIDI number ``pitch`` as it is spelled in ``key``; as in C major where there is none."""
    return note_name(pitch, key.fifths, key.mode) if key else note_name(pitch)


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


def parse_scale(text: str) -> frozenset[int]:
    """Pitch classes of the scale that ``text`` names: "D dorian", "A harmonic minor", "C pentatonic", "Gm", "Bb".

    A key by itself has the notes of :func:`diatonic`; "natural minor" leaves the raised seventh out. Names are those
    of :data:`SCALES`; "pentatonic" alone is the major one.

    Raises
    ------
    OptionError
        If it names neither a scale nor a key.
    """
    match = re.fullmatch(_NOTE + r"\s+([a-z ]+)", text.strip()[:1].upper() + text.strip()[1:].lower())
    name = " ".join(match[3].split()) if match else ""
    name = "major pentatonic" if name == "pentatonic" else name
    if match and name in SCALES and name != "major":
        root = _place(match[1], match[2]) * 7
        return frozenset((root + step) % 12 for step in SCALES[name])
    try:
        return diatonic(parse_key(text))
    except OptionError as error:
        if name in ("major", "minor") or "expected a key," not in str(error):
            raise
        if match is None:
            message = f"expected a key or a scale, got '{text}'; try 'Gm', 'G pentatonic' or 'D dorian'."
            raise OptionError(message) from error
        known = ", ".join(SCALES)
        raise OptionError(f"expected a key, or a tonic with one of {known}; got '{text}'; try 'D dorian'.") from error


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


def parse_chord(text: str) -> Chord:
    """The chord of a symbol: "C", "F#m7", "Bbmaj7", "Gsus4", "C/E" with another bass.

    Raises
    ------
    OptionError
        If it is no such symbol.
    """
    match = re.fullmatch(_NOTE + r"([^/]*)(?:/" + _NOTE + ")?", text.strip())
    if match is None or match[3] not in SYMBOLS:
        raise OptionError(f"expected a chord symbol, got '{text}'; try C, Am7, G/B or F#dim.")
    root = _place(match[1], match[2]) * 7 % 12
    bass = _place(match[4], match[5]) * 7 % 12 if match[4] else root
    return _chord(root, SYMBOLS[match[3]], bass)


def parse_numeral(text: str, key: Key) -> Chord:
    """The chord of a Roman numeral in ``key``: "V", "ii6", "V7", "vii°7", "bVI", "Imaj7", "V65/V".

    Capitals are major, small letters minor, "°" diminished, "ø" half-diminished, "+" augmented; figures say the
    inversion, as in figured bass. A seventh is the scale's own, unless the quality says otherwise. In minor, III, VI
    and VII stand on the natural degrees, vi and vii on the raised ones; an accidental before VI or VII, or before vi or
    vii, says so once more. A small "vii" is diminished. What follows "/" is the key for the moment.

    Raises
    ------
    OptionError
        If it is no such numeral.
    """
    match = _NUMERAL.fullmatch(text.strip())
    if match is None:
        raise OptionError(f"expected a Roman numeral, got '{text}'; try I, ii6, V7 or V/V.")
    home, minor = tonic(key), key.mode == "minor"
    sign, numeral, quality, figures, target = match.groups()
    if target:
        sign_, numeral_ = re.fullmatch(r"([#♯b♭]?)(\w+)", target).groups()  # type: ignore[union-attr]  # so matched
        home, minor = (home + _degree(sign_, numeral_, minor, raised=numeral_.islower())) % 12, numeral_.islower()
    quality = {"o": "°", "dim": "°", "aug": "+", "M": "maj"}.get(quality or "", quality or "")
    quality = "°" if numeral == "vii" and not quality else quality
    root = _degree(sign, numeral, minor, raised=numeral.islower() or quality in ("°", "ø"))
    third, fifth = (3 if numeral.islower() or quality in ("°", "ø") else 4), {"°": 6, "ø": 6, "+": 8}.get(quality, 7)
    figures = (figures or "").replace("/", "")
    above: tuple[int, ...] = (0, third, fifth)
    if figures in ("7", "65", "43", "42", "2") or quality == "ø":
        steps = SCALES["natural minor" if minor else "major"]
        own = (steps[(_DEGREES.index(numeral.upper()) + 6) % 7] - root) % 12
        above += ({"°": 9, "ø": 10, "maj": 11}.get(quality, own),)
    inversion = {"6": 1, "65": 1, "64": 2, "43": 2, "42": 3, "2": 3}.get(figures, 0)
    return _chord((home + root) % 12, above, (home + root + above[inversion]) % 12)


def parse_figures(text: str, key: Key) -> tuple[Chord, int | None]:
    """The chord over a figured bass note in ``key``, and the note's MIDI pitch if its octave is given.

    "C" is a triad in root position, "D:6" one with a sixth, "G3:7" a seventh chord over G3; also 64, 65, 43, 42, 4, 9.
    An accidental beside a number changes that interval, one by itself the third: "E:#", "A:6#", "D:b7". Intervals
    are those of the key's signature.

    Raises
    ------
    OptionError
        If note or figures cannot be read.
    """
    match = re.fullmatch(_NOTE + r"(-?[0-9])?(?::([0-9#♯b♭n♮+/,]*))?", text.strip())
    figures = re.sub("[/,]", "", match[4] or "") if match else ""
    tokens = _FIGURE.findall(figures)
    numbers = tuple(sorted({int(token[1]) for token in tokens if token[1]}, reverse=True))
    wanted = FIGURES.get(numbers)
    if match is None or wanted is None or "".join(map("".join, tokens)) != figures:
        raise OptionError(f"expected a bass note with figures, got '{text}'; try C, D:6, G:7 or E3:#.")
    signs = {int(number or 3): before + after + alone for before, number, after, alone in tokens}
    bass = _place(match[1], match[2])
    classes = [bass * 7 % 12]
    for number in {*wanted, *signs}:
        letter = _LETTERS[(_LETTERS.index(match[1]) + number - 1) % 7]
        sign = signs.get(number, "")
        plain = _place(letter, "")
        diatonic_place = (plain - (key.fifths - 1)) % 7 + key.fifths - 1
        place = plain if sign in ("n", "♮") else diatonic_place + 7 * {"+": 1, **_ACCIDENTALS}.get(sign, 0)
        classes.append(place * 7 % 12)
    found = frozenset(classes)
    roots = [root for root in found if (root + 7) % 12 in found and {(root + 3) % 12, (root + 4) % 12} & found]
    spare = {(root + 7) % 12 for root in roots[:1]} - {classes[0]}
    sharps = (bass + 1) // 7
    pitch = None if match[3] is None else 12 * (int(match[3]) + 1) + (bass * 7 - sharps) % 12 + sharps
    return Chord(found, classes[0], found - spare), pitch


def _chord(root: int, above: tuple[int, ...], bass: int) -> Chord:
    classes = frozenset((root + step) % 12 for step in above) | {bass}
    spare = {(root + 7) % 12} if 7 in above and len(above) > 2 else set()
    return Chord(classes, bass, classes - (spare - {bass}))


_DEGREES = ("I", "II", "III", "IV", "V", "VI", "VII")


def _degree(sign: str, numeral: str, minor: bool, *, raised: bool) -> int:
    """Semitones from the tonic to a numeral's root."""
    number = _DEGREES.index(numeral.upper())
    if minor and number >= 5:
        return SCALES["melodic minor" if raised else "natural minor"][number]
    if minor and number == 2 and sign in ("b", "♭"):
        sign = ""
    return (SCALES["natural minor" if minor else "major"][number] + _ACCIDENTALS.get(sign, 0)) % 12


def _place(letter: str, accidentals: str) -> int:
    """Of a note on the line of fifths (0 is C, 1 is G, -1 is F)."""
    return _LINE_OF_FIFTHS.index(letter) - 1 + 7 * sum(_ACCIDENTALS[sign] for sign in accidentals)


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
