"""Finding an instrument of General MIDI by its name, and naming a part after it.

docs/instruments.md lists them for whoever reads no Python.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

from kantor.errors import OptionError
from kantor.io.general_midi import INSTRUMENTS
from kantor.score import Part

__all__ = ["INSTRUMENTS", "named_after", "on_program", "program_of"]

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


def on_program(part: Part, program: int) -> Part:
    """The part on another instrument, and named after that where it was named after its old one; drums stay."""
    if part.is_drum:
        return part
    name = _names(program)[0].capitalize() if part.name and named_after(part) else part.name
    return replace(part, name=name, program=program)


def named_after(part: Part) -> bool:
    """Whether the name of a part says no more than its instrument does: "Piano", or nothing."""
    return not part.name or part.name.strip().lower() in _names(part.program)


def _names(program: int) -> list[str]:
    """What an instrument is called, the everyday word first."""
    return [*(word for word, name in EVERYDAY.items() if name == INSTRUMENTS[program]), INSTRUMENTS[program]]


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
