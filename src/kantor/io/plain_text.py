"""Scores as plain text, read only: Humdrum's ``**kern`` (.krn) and ABC (.abc), by music21.

A kern file has a spine for each voice, the lowest first; an ABC tune has a voice for each ``V:`` field. Of a file of
several tunes the first is taken. What comes out is what :func:`kantor.io.musicxml.from_music21` makes of it.

ABC may write its voices in turn, a line each, and call them what it likes; music21 wants each voice in one go, by
number. So lines are sorted by voice before it reads them. Lyrics and comments are left out.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

from kantor.errors import FileFormatError, ScoreError
from kantor.io.musicxml import from_music21
from kantor.score import Score

__all__ = ["SUFFIXES", "read"]

SUFFIXES = (".krn", ".abc")
MAX_BYTES = 2**22  # of text: an opera takes less

_FORMATS = {".krn": "humdrum", ".abc": "abc"}
_BEGINNINGS = {".krn": "**kern", ".abc": "X:"}


def read(data: bytes, name: str) -> Score:
    """The score in the bytes of a kern or ABC file; the suffix of ``name`` says which. 480 ticks a quarter.

    Raises
    ------
    FileFormatError
        If the text is neither, is damaged, or far too long.
    """
    suffix = name[name.rfind(".") :].lower()
    if len(data) > MAX_BYTES:
        raise FileFormatError(f"{name!r} has {len(data)} bytes of text, expected at most {MAX_BYTES}; split it.")
    text = _decoded(data)
    if _BEGINNINGS[suffix] not in text:
        raise FileFormatError(f"{name!r} has no '{_BEGINNINGS[suffix]}' in it, which every {suffix} file has.")
    names: list[str] = []
    if suffix == ".abc":
        text, names = _by_voice(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what music21 had to mend is not the reader's concern
            return from_music21(_parsed(text, _FORMATS[suffix], names))
    except ScoreError as error:
        raise FileFormatError(f"{name!r} is damaged: {error}") from error
    except Exception as error:  # text from anywhere: a parser may raise anything
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileFormatError(f"{name!r} is a {suffix} file that makes no sense ({reason}); export it anew.") from error


def _parsed(text: str, kind: str, names: list[str]) -> Any:
    from music21 import converter

    stream = converter.parseData(text, format=kind)
    if "Opus" in stream.classes:
        stream = next(iter(stream.scores), stream)
    for part, name in zip(getattr(stream, "parts", ()), names, strict=False):
        part.partName = name
    return stream


def _by_voice(text: str) -> tuple[str, list[str]]:
    """The first tune with all music of a voice in a row, and the voices' names; one of a single voice as it is."""
    head: list[str] = []
    music: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    voice, in_body = "", False
    for line in text[text.index("X:") :].splitlines():
        line = line.split("%")[0].strip()
        if not line or re.match(r"[wWs]:", line):
            continue
        if line.startswith("X:") and head:
            break  # the next tune
        found = re.match(r"\[?V:\s*(\S+?)(?:\]|\s|$)(.*)", line)
        if found:
            voice, rest = found[1], found[2].strip()
            named = re.search(r'(?:name|nm)="([^"]*)"', rest)
            names.setdefault(voice, named[1] if named else "")
            line = "" if not line.startswith("[") else rest
        if not in_body and not found:
            head.append(line)
            in_body = line.startswith("K:")
        elif in_body and line:
            music.setdefault(voice, []).append(line)
    if len(music) < 2:
        return text, []
    called = [names.get(voice) or voice for voice in music]
    body = [line for number, lines in enumerate(music.values(), start=1) for line in (f"V:{number}", *lines)]
    return "\n".join([*head, *body]) + "\n", called


def _decoded(data: bytes) -> str:
    """The text; files older than UTF-8 are in Latin-1, which every byte is."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
