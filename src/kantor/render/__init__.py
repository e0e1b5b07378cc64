"""What a score looks and sounds like: audio, engraved pages, piano rolls.

One verb serves every format: :func:`render` picks it by the file's suffix. What stands behind it can be had in memory:
``audio.sound`` gives samples, ``engraving.engrave`` SVG pages, ``pianoroll.piano_roll`` a matplotlib figure.
The libraries behind them are loaded when a picture or a sound is asked for, not before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from kantor.errors import OptionError
from kantor.io import SUFFIXES as music
from kantor.io import write_bytes
from kantor.score import Score

__all__ = ["SUFFIXES", "check", "render", "standing"]

AUDIO = (".wav", ".mp3", ".ogg")
#: What :func:`render` can write; the longest suffix that fits decides.
SUFFIXES = (*AUDIO, ".svg", ".png", ".roll.svg", ".roll.png")


def render(
    score: Score,
    path: str | Path,
    *,
    soundfont: str | Path | None = None,
    instrument: str | int | None = None,
    sample_rate: int = 44100,
) -> list[Path]:
    """Write ``score`` as sound or picture, by the suffix of ``path``.

    ``.wav .mp3 .ogg`` sound; ``.svg`` an engraved score; ``.png .roll.png .roll.svg`` a piano roll. A score longer than
    one page becomes FILE.svg, FILE-2.svg and so on. Everything is made before the first byte is written; what stands
    there is replaced.

    Parameters
    ----------
    soundfont    a SoundFont file (SF2); see :func:`kantor.render.audio.find_soundfont` for what is taken without one.
    instrument   General MIDI name or program number for every part; without one each part keeps its own.
    sample_rate  of the sound, in Hz, one of :data:`kantor.render.audio.SAMPLE_RATES`.

    Returns
    -------
    The files written, in order of pages.

    Raises
    ------
    OptionError
        If no format has this suffix, no instrument that name, or the sample rate is not one of them.
    InputError
        If the score is too long to be shown, or the SoundFont cannot be used.
    OutputError
        If a file cannot be written.
    """
    path = Path(path)
    suffix = _suffix(path)
    if suffix in AUDIO:
        from kantor.render import audio

        samples = audio.sound(score, soundfont=soundfont, instrument=instrument, sample_rate=sample_rate)
        contents = [audio.encode(samples, sample_rate, suffix)]
    else:
        contents = _PICTURES[suffix](score)
    paths = [path, *(_page(path, number) for number in range(2, len(contents) + 1))]
    for file, data in zip(paths, contents, strict=True):
        write_bytes(file, data)
    return paths


def check(
    path: str | Path,
    *,
    soundfont: str | Path | None = None,
    instrument: str | int | None = None,
    sample_rate: int = 44100,
) -> None:
    """Refuse, as :func:`render` would, a suffix or an option that it cannot serve; before there is a score."""
    if _suffix(Path(path)) in AUDIO:
        from kantor.render import audio

        audio.check(soundfont, instrument, sample_rate)


def standing(path: str | Path) -> list[Path]:
    """The files, there already, that :func:`render` may replace at ``path``: itself, and further pages of an SVG."""
    path = Path(path)
    pages: list[Path] = []
    name = path.name.lower()
    if name.endswith(".svg") and not name.endswith(".roll.svg") and path.parent.is_dir():
        numbered = re.compile(re.escape(f"{path.stem}-") + r"(\d+)" + re.escape(path.suffix))
        found = [(int(match[1]), file) for file in path.parent.iterdir() if (match := numbered.fullmatch(file.name))]
        pages = [file for number, file in sorted(found) if file == _page(path, number) and number > 1]
    return [file for file in (path, *pages) if file.is_file()]


def _page(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _suffix(path: Path) -> str:
    fitting = [suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)]
    if path.suffix.lower() == ".pdf":
        raise OptionError(f"no PDF is made; write {path.stem}.svg and print it to PDF from a browser.")
    if not fitting:
        known = " ".join(dict.fromkeys([*music, *SUFFIXES]))
        raise OptionError(f"expected an output ending in one of {known}; got '{path.name}'.")
    return max(fitting, key=len)


def _engraved(score: Score) -> list[bytes]:
    from kantor.render.engraving import engrave

    return [page.encode() for page in engrave(score)]


def _roll_png(score: Score) -> list[bytes]:
    from kantor.render.pianoroll import draw

    return [draw(score, "png")]


def _roll_svg(score: Score) -> list[bytes]:
    from kantor.render.pianoroll import draw

    return [draw(score, "svg")]


_PICTURES: dict[str, Callable[[Score], list[bytes]]] = {
    ".svg": _engraved,
    ".png": _roll_png,
    ".roll.png": _roll_png,
    ".roll.svg": _roll_svg,
}
