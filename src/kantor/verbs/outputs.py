"""A score -> files: what a suffix means, checked before anything is composed, written whole or not at all.

What is there already stays: a file is replaced only by who says so (``force``). All files of one command are looked
for before the work begins, so that none is written beside one that is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kantor import io, render
from kantor.errors import OptionError, OutputError
from kantor.render.audio import played_on
from kantor.render.instruments import program_of
from kantor.score import Score
from kantor.verbs._plans import check_amounts
from kantor.verbs.piece import recipe_text

__all__ = ["check", "check_folder", "check_new", "check_report", "numbered", "played", "standing", "write"]


def check(
    paths: Sequence[str | Path],
    count: int = 1,
    *,
    source: str | Path | None = None,
    force: bool = False,
    **options: Any,
) -> None:
    """Refuse what cannot be written, before the work is done; ``source`` is a file that is read, and stays.

    Raises
    ------
    OptionError
        For a suffix that nothing answers to, several takes for one name, one name given twice, the source itself, a
        file that is there already unless ``force`` allows it, an instrument or a rate that does not exist.
    FileFormatError
        For a SoundFont that is not there.
    OutputError
        For a folder that cannot be written.
    """
    check_amounts(1, count)
    _check_once(numbered(paths, 1))
    if options.get("instrument") is not None:
        program_of(options["instrument"])
    for path in map(Path, paths):
        if _is_rendered(path):
            render.check(path, **options)
        if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
            raise OptionError(f"expected an output other than the file that is read, got '{path}' as both.")
        if count > 1 and "{n}" not in str(path):
            stem = path.with_name(f"{path.stem}-{{n}}{path.suffix}")
            raise OptionError(
                f"expected {{n}} in the name of the output of {count} pieces, got '{path}'; try '{stem}'."
            )
        check_folder(path)
    if not force:
        check_new(standing([path for take in range(1, count + 1) for path in numbered(paths, take)]))


def check_report(
    paths: Sequence[Path], suffixes: Sequence[str], *, source: Path | None = None, force: bool = False
) -> None:
    """Refuse what a report cannot be written as; ``source`` is a file that is read, and stays.

    Raises
    ------
    OptionError
        For a suffix that is none of ``suffixes``, one name given twice, the source itself, or a file that is there
        already unless ``force`` allows it.
    OutputError
        For a folder that cannot be written.
    """
    _check_once(paths)
    for path in paths:
        if path.suffix.lower() not in suffixes:
            raise OptionError(f"expected a report ending in {' or '.join(suffixes)}, got '{path.name}'.")
        if source is not None and path.resolve() == source.resolve():
            raise OptionError(f"expected another name than that of the music, got '{path}' for both.")
        check_folder(path)
    if not force:
        check_new(standing(paths))


def _check_once(paths: Sequence[Path]) -> None:
    if len({path.absolute() for path in paths}) < len(paths):
        raise OptionError(f"expected every output once, got {', '.join(map(str, paths))}; leave out the second.")


def check_new(files: Iterable[str | Path]) -> None:
    """Refuse to write over files that are there already.

    Raises
    ------
    OptionError
        If any of them is there; the message names the first.
    """
    there = [file for file in map(Path, files) if file.is_file()]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise OptionError(
            f"expected new files to write, got '{there[0]}'{more} that exist already; try another name, or --force "
            "(in Python force=True) to write over what is there."
        )


def standing(paths: Iterable[str | Path]) -> list[Path]:
    """The files, there already, that :func:`write` may replace: further pages, and the recipe beside a CSV, too."""
    rooms = ((path, render if _is_rendered(path) else io) for path in map(Path, paths))
    return [file for path, room in rooms for file in room.standing(path)]


def numbered(paths: Sequence[str | Path], take: int) -> list[Path]:
    """The paths of take ``take``, counted from 1: ``{n}`` becomes its number."""
    return [Path(str(path).replace("{n}", str(take))) for path in paths]


def write(score: Score, paths: Sequence[str | Path], **options: Any) -> list[Path]:
    """Write ``score`` to each path, over what is there, and return all files written; :func:`check` comes before.

    ``options`` are those of :func:`kantor.render.render`.
    """
    if options.get("instrument") is not None:
        score = played(score, options["instrument"])
    written: list[Path] = []
    for path in map(Path, paths):
        if _is_rendered(path):
            written += render.render(score, path, **options)
        else:
            io.save(score, path)
            written.append(path)
    return written


def played(score: Score, instrument: str | int) -> Score:
    """The score on an instrument, and its recipe, where it has one, with a word of that: it is played so again."""
    changed = played_on(score, instrument)
    if not score.recipe:
        return changed
    recipe = {**json.loads(score.recipe), "instrument": program_of(instrument)}
    return changed.replace(recipe=recipe_text(recipe))


def _is_rendered(path: Path) -> bool:
    return path.suffix.lower() not in io.SUFFIXES


def check_folder(path: Path) -> None:
    """Refuse a place that no file can be written to; see :func:`check`."""
    if path.is_dir():
        raise OutputError(f"expected the name of a file to write, '{path}' is a folder; add a file name.")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"'{path}' cannot be written: '{folder}' is a file, not a folder; try another folder.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"'{path}' cannot be written: the folder '{folder}' is not writable; try another folder.")
