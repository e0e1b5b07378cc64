"""The 128 instruments of General MIDI Level 1 (MMA, 1991), and finding one by its name.

docs/instruments.md lists them for whoever reads no Python.
"""

from __future__ import annotations

import difflib

from kantor.errors import OptionError

__all__ = ["INSTRUMENTS", "program_of"]

#: Names by program number, 0-127.
INSTRUMENTS: tuple[str, ...] = tuple(
    name.strip()
    for family in (
        "acoustic grand piano, bright acoustic piano, electric grand piano, honky-tonk piano, electric piano 1,"
        "electric piano 2, harpsichord, clavinet",
        "celesta, glockenspiel, music box, vibraphone, marimba, xylophone, tubular bells, dulcimer",
        "drawbar organ, percussive organ, rock organ, church organ, reed organ, accordion, harmonica, tango accordion",
        "nylon guitar, steel guitar, jazz guitar, clean guitar, muted guitar, overdriven guitar, distortion guitar,"
        "guitar harmonics",
        "acoustic bass, fingered bass, picked bass, fretless bass, slap bass 1, slap bass 2, synth bass 1,synth bass 2",
        "violin, viola, cello, contrabass, tremolo strings, pizzicato strings, orchestral harp, timpani",
        "string ensemble 1, string ensemble 2, synth strings 1, synth strings 2, choir aahs, voice oohs, synth voice,"
        "orchestra hit",
        "trumpet, trombone, tuba, muted trumpet, french horn, brass section, synth brass 1, synth brass 2",
        "soprano sax, alto sax, tenor sax, baritone sax, oboe, english horn, bassoon, clarinet",
        "piccolo, flute, recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina",
        "square lead, sawtooth lead, calliope lead, chiff lead, charang lead, voice lead, fifths lead,bass and lead",
        "new age pad, warm pad, polysynth pad, choir pad, bowed pad, metallic pad, halo pad, sweep pad",
        "rain, soundtrack, crystal, atmosphere, brightness, goblins, echoes, sci-fi",
        "sitar, banjo, shamisen, koto, kalimba, bagpipe, fiddle, shanai",
        "tinkle bell, agogo, steel drums, woodblock, taiko drum, melodic tom, synth drum, reverse cymbal",
        "guitar fret noise, breath noise, seashore, bird tweet, telephone ring, helicopter, applause, gunshot",
    )
    for name in family.split(",")
)

#: What a musician means by the bare word, where General MIDI has several.
EVERYDAY = {
    "piano": "acoustic grand piano",
    "organ": "church organ",
    "choir": "choir aahs",
    "strings": "string ensemble 1",
    "brass": "brass section",
    "guitar": "nylon guitar",
    "bass": "acoustic bass",
    "harp": "orchestral harp",
    "horn": "french horn",
    "sax": "alto sax",
}


def program_of(instrument: str | int) -> int:
    """The General MIDI program, 0-127, of a name, of a part of one that no other has, or of the number itself.

    Raises
    ------
    OptionError
        If a number is outside 0..127, or no instrument, or more than one, answers to the name; the message offers the
        nearest three.
    """
    wanted = " ".join(str(instrument).lower().split())
    if wanted.removeprefix("-").isdecimal():
        if not 0 <= int(wanted) <= 127:
            raise OptionError(f"expected an instrument's program number within 0..127, got {wanted}.")
        return int(wanted)
    wanted = EVERYDAY.get(wanted, wanted)
    if wanted in INSTRUMENTS:
        return INSTRUMENTS.index(wanted)
    fitting = [name for name in INSTRUMENTS if wanted and wanted in name]
    if len(fitting) != 1:
        raise OptionError(_unknown(str(instrument), fitting))
    return INSTRUMENTS.index(fitting[0])


def _unknown(instrument: str, fitting: list[str]) -> str:
    """What is said of a name that none bears, or several: three to choose from, and where the others are."""
    names = fitting or difflib.get_close_matches(instrument.lower(), (*INSTRUMENTS, *EVERYDAY), n=3, cutoff=0.5)
    several = f"{len(fitting)} instruments have '{instrument}' in their name"
    offered = ", ".join(f"'{name}'" for name in names[:3])
    guess = f"; try {offered}" if offered else ""
    said = several if fitting else f"no instrument named '{instrument}'"
    return f"{said}{guess}; docs/instruments.md lists all 128."
