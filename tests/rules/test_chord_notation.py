"""Scales, numerals, symbols and figures, as music21 reads them and as textbooks do."""

import pytest
from music21 import harmony, roman
from music21.figuredBass import realizerScale
from music21.key import Key as Their
from music21.pitch import Pitch
from music21.scale import DorianScale, HarmonicMinorScale, LydianScale, MixolydianScale, PhrygianScale

from kantor.errors import OptionError
from kantor.score import Key
from kantor.theory import parse_chord, parse_figures, parse_key, parse_numeral, parse_scale

KEYS = ("C", "Eb", "F#", "Am", "Cm", "G#m")
NUMERALS = (
    "I i ii iii IV iv V v vi VI VII bII6 V7 V65 V43 V42 ii7 ii65 IV7 "
    "V/V V7/V V65/ii vii°/V I6 I64 vi6 ii°6 iiø7 viiø65 vii°7 vii°"
)


def spelt(key):
    return Their(key.removesuffix("m").replace("b", "-").lower() if key.endswith("m") else key.replace("b", "-"))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("numeral", NUMERALS.split())
def test_numerals_are_music21s(numeral, key):
    """Where music21 makes a seventh of the raised degree (vii°7 of a key in major, say), so do we."""
    figure = numeral.replace("°", "o").replace("ø", "/o")
    theirs = roman.RomanNumeral(figure, spelt(key))
    chord = parse_numeral(numeral, parse_key(key))
    assert chord.classes == frozenset(theirs.pitchClasses), theirs.pitches
    assert chord.bass == theirs.bass().pitchClass


@pytest.mark.parametrize("root", ["C", "Eb", "F#", "Bb"])
@pytest.mark.parametrize(
    "kind", ["", "m", "dim", "aug", "7", "maj7", "m7", "dim7", "m7b5", "sus4", "sus2", "6", "m6", "9", "m9", "maj9"]
)
def test_symbols_are_music21s(root, kind):
    theirs = harmony.ChordSymbol(root.replace("b", "-") + kind.replace("maj9", "M9"))
    chord = parse_chord(root + kind)
    assert chord.classes == frozenset(theirs.pitchClasses)
    assert chord.bass == theirs.bass().pitchClass


@pytest.mark.parametrize("key", ["C", "D", "Eb", "Am", "Gm"])
@pytest.mark.parametrize("figures", ["", "6", "6/4", "7", "6/5", "4/3", "4/2", "#6", "b7", "#"])
@pytest.mark.parametrize("bass", ["C", "D", "F", "G", "A"])
def test_figures_are_music21s(bass, figures, key):
    known = parse_key(key)
    mode = "minor" if key.endswith("m") else "major"
    scale = realizerScale.FiguredBassScale(key.removesuffix("m").replace("b", "-"), mode)
    theirs = scale.getPitchNames(f"{bass}3", figures.replace("/", ","))
    chord, pitch = parse_figures(f"{bass}:{figures}" if figures else bass, known)
    classes = [Pitch(name).pitchClass for name in theirs]
    assert chord.classes == frozenset(classes)
    assert chord.bass == Pitch(bass).pitchClass
    assert pitch is None
    assert parse_figures(f"{bass}3:{figures}", known)[1] == Pitch(f"{bass}3").ps


def test_modes_are_music21s():
    named = {"dorian": DorianScale, "phrygian": PhrygianScale, "lydian": LydianScale, "mixolydian": MixolydianScale}
    for name, theirs in {**named, "harmonic minor": HarmonicMinorScale}.items():
        for tonic in ("C", "Eb", "F#", "G#"):
            classes = frozenset(pitch.pitchClass for pitch in theirs(tonic.replace("b", "-")).getPitches())
            assert parse_scale(f"{tonic} {name}") == classes


def test_a_scale_is_a_key_or_a_tonic_with_a_name():
    assert parse_scale("C") == parse_scale("C major") == parse_scale("c ionian") == {0, 2, 4, 5, 7, 9, 11}
    assert parse_scale("Am") == parse_scale("A minor") == {9, 11, 0, 2, 4, 5, 7, 8}
    assert parse_scale("A natural minor") == {9, 11, 0, 2, 4, 5, 7}
    assert parse_scale("C pentatonic") == parse_scale("C Major Pentatonic") == {0, 2, 4, 7, 9}
    assert parse_scale("A minor pentatonic") == parse_scale("C pentatonic")
    for text in ("", "H", "C blues scale", "dorian", "C dorian!"):
        with pytest.raises(OptionError, match="expected a key"):
            parse_scale(text)
    with pytest.raises(OptionError, match="8 sharps"):
        parse_scale("G# major")


@pytest.mark.parametrize("text", ["", "H", "Cx", "C/", "C/H", "c", "I", "C6/9", "7"])
def test_what_is_no_symbol_is_refused(text):
    with pytest.raises(OptionError, match="chord symbol"):
        parse_chord(text)


@pytest.mark.parametrize("text", ["", "VIII", "iV", "C", "V8", "V/", "V/V/V", "1"])
def test_what_is_no_numeral_is_refused(text):
    with pytest.raises(OptionError, match="Roman numeral"):
        parse_numeral(text, Key(0, 0, "major"))


@pytest.mark.parametrize("text", ["", "H", "C:1", "C:x", "C 6", "C:7-6", "C:8", "c:6"])
def test_what_is_no_figured_bass_is_refused(text):
    with pytest.raises(OptionError, match="bass note with figures"):
        parse_figures(text, Key(0, 0, "major"))


def test_only_the_fifth_can_be_left_out():
    assert parse_chord("C").essential == {0, 4}
    assert parse_chord("G7").essential == {7, 11, 5}
    assert parse_chord("C/G").essential == {0, 4, 7}
    assert parse_chord("Bdim").essential == {11, 2, 5}
    assert parse_chord("D5").essential == {2, 9}
    assert parse_numeral("V64", Key(0, 0, "major")).essential == {7, 11, 2}
    assert parse_figures("E:6", Key(0, 0, "major"))[0].essential == {4, 0}
    assert parse_chord("C/D") == ({0, 4, 7, 2}, 2, {0, 4, 2})
