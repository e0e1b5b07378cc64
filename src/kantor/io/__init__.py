"""Files <-> Score. The suffix says the format, in any letter case; each format is one file of this room.

=========================  ==============  =========================================================
suffix                     file            what it keeps
=========================  ==============  =========================================================
.mid .midi .kar            midi.py         all of a Score; notes of one part and pitch may not overlap
.xml .musicxml .mxl        musicxml.py     all but velocities; what a page of music can say
.csv                       grid_csv.py     pitches at every sixteenth, held and repeated alike
.krn .abc                  plain_text.py   read only: Humdrum and ABC
=========================  ==============  =========================================================

Whatever cannot be read raises :class:`~kantor.errors.FileFormatError`, what cannot be written
:class:`~kantor.errors.OutputError`, in one sentence; a file is written whole or not at all.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from types import ModuleType

from kantor.errors import FileFormatError, OptionError, OutputError
from kantor.io import grid_csv, midi, musicxml, plain_text
from kantor.score import Score

__all__ = ["MAX_BYTES", "READABLE", "SUFFIXES", "encode", "load", "save", "standing", "write_bytes"]

#: Larger files are refused: a day of music takes a few megabytes.
MAX_BYTES = 2**26

_FORMATS: dict[str, ModuleType] = {suffix: room for room in (midi, musicxml, grid_csv) for suffix in room.SUFFIXES}

#: Every suffix that can be read and written, in lower case, with its dot.
SUFFIXES: tuple[str, ...] = tuple(_FORMATS)
_READERS: dict[str, ModuleType] = {**_FORMATS, **dict.fromkeys(plain_text.SUFFIXES, plain_text)}
#: Every suffix that can be read.
READABLE: tuple[str, ...] = tuple(_READERS)


def load(path: str | os.PathLike[str]) -> Score:
    """The score in the file at ``path``; its suffix says the format.

    Raises
    ------
    FileFormatError
        If the file is missing, empty, too large, damaged, or not what its suffix says.
    """
    try:
        path = Path(path)
    except TypeError as error:
        raise FileFormatError(f"expected the path of a file, got {path!r}.") from error
    if path.suffix.lower() not in _READERS:
        if os.path.isdir(path):  # noqa: PTH112 - of a name that is too long it says no
            raise FileFormatError(f"expected the path of a file, got the folder {path.name!r}; name a file in it.")
        raise FileFormatError(f"{_unknown_suffix(path.suffix, READABLE)} The file was {path.name!r}.")
    data = _read_bytes(path)
    score: Score = _READERS[path.suffix.lower()].read(data, path.name)
    if path.suffix.lower() in grid_csv.SUFFIXES and (beside := _beside(path)).is_file():
        return score.replace(recipe=grid_csv.read_recipe(_read_bytes(beside), data))
    return score


def encode(score: Score, suffix: str) -> bytes:
    """The bytes of a file of ``suffix`` (".mid", ".musicxml", ...) that holds ``score``; the same bytes every time.

    Raises
    ------
    OptionError
        If the suffix is not one of :data:`SUFFIXES`.
    ScoreError
        If the format cannot hold the score.
    """
    known = suffix.lower()
    if known not in _FORMATS:
        raise OptionError(_unknown_suffix(suffix, SUFFIXES))
    data: bytes = musicxml.compress(musicxml.write(score)) if known == ".mxl" else _FORMATS[known].write(score)
    return data


def save(score: Score, path: str | os.PathLike[str]) -> None:
    """Write ``score`` to ``path``; its suffix says the format. Missing folders are made, a file there is replaced.

    A CSV holds pitches alone, so the recipe of a score that has one goes to ``FILE.csv.json`` beside it.

    Raises
    ------
    OptionError, ScoreError
        As :func:`encode`; nothing has been written then.
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    data = encode(score, path.suffix)
    write_bytes(path, data)
    if path.suffix.lower() in grid_csv.SUFFIXES and score.recipe:
        write_bytes(_beside(path), grid_csv.write_recipe(score.recipe, data))


def standing(path: str | os.PathLike[str]) -> list[Path]:
    """The files, there already, that :func:`save` would replace at ``path``: itself, and what lies beside a CSV."""
    path = Path(path)
    beside = [_beside(path)] if path.suffix.lower() in grid_csv.SUFFIXES else []
    return [file for file in (path, *beside) if file.is_file()]


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path`` whole or not at all: into a file beside it, which then takes its place.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a folder, expected the name of a file to write; add a file name.")
    if path.exists() and not path.is_file():
        raise OutputError(f"{str(path)!r} is no ordinary file, expected one that can be replaced; try another name.")
    if path.is_symlink():
        path = path.resolve()  # the link stays, what it points to is replaced
    unfinished = path.with_name(f".{uuid.uuid4().hex[:12]}.part") if path.name else path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except (OSError, ValueError) as error:
        raise OutputError(f"{str(path)!r} cannot be written: {_reason(error)}; try another folder.") from error
    finally:
        if path.parent.is_dir():
            unfinished.unlink(missing_ok=True)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            size = path.stat().st_size
            raise FileFormatError(f"{path.name!r} has {size} bytes, expected at most {MAX_BYTES}; split it.")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileFormatError(f"there is no file {str(path)!r}; is the path right?") from error
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{str(path)!r} cannot be read: {_reason(error)}.") from error
    if not data:
        raise FileFormatError(f"{path.name!r} is empty, expected {path.suffix.lower()} data; was it copied whole?")
    return data


def _reason(error: OSError | ValueError) -> str:
    """What the system says, without its number and path: "permission denied"."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _unknown_suffix(suffix: str, known: tuple[str, ...]) -> str:
    came = repr(suffix) if suffix else "none"
    return f"expected a file suffix among {', '.join(known)}, got {came}."
