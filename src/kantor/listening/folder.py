"""The folder of a test: a new one is written beside it, whole, and takes its place as the last act.

What people have answered cannot be had again. So the old test stays as it is, with its answers, until nothing can fail
any more but the moves from one folder to the other; where one of these fails, those before it are taken back, and what
cannot be taken back is not removed. Files that are no test's, such as results in the folder, stay where they are.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import move as _move
from shutil import rmtree

from kantor.errors import OutputError
from kantor.listening import answers, design

__all__ = ["AUDIO", "SCORES", "replacing"]

AUDIO, SCORES, OLD = "audio", "scores", "old"
_ANSWERS = tuple(f"{answers.FILE}{suffix}" for suffix in ("", "-journal", "-wal", "-shm"))
OURS = (AUDIO, SCORES, *_ANSWERS, design.FILE)  # what makes a folder a test comes last


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder to write a test into; once that is done, it takes the place of the one in ``folder``, if any.

    If anything is raised meanwhile, ``folder`` is as it was, and what was written is gone. What cannot be moved back,
    as on a disk that fails, is left in the folder ``old`` of a hidden one beside ``folder``.

    Raises
    ------
    OutputError
        If a file cannot be written or moved.
    """
    place = folder.resolve()  # a link stays, what it points to is replaced
    made = place.with_name(f".{uuid.uuid4().hex[:12]}.part")
    try:
        made.mkdir(parents=True)
        yield made
        _swap(made, place)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"'{folder}' cannot be written: {reason}; try another folder.") from error
    finally:
        if not any((made / OLD).glob("*")):
            rmtree(made, ignore_errors=True)


def _swap(made: Path, place: Path) -> None:
    """The test in ``made`` to ``place``, and the one that is there into ``made``; all of it, or nothing."""
    if not place.exists():
        made.rename(place)
        return
    gone = made / OLD
    gone.mkdir()
    moves = [(place / name, gone / name) for name in OURS if (place / name).exists()]
    moves += [(made / name, place / name) for name in OURS if (made / name).exists()]
    try:
        for start, end in moves:
            _move(start, end)
    except BaseException:
        for start, end in reversed(moves):
            if end.exists() and not start.exists():
                _move(end, start)
        raise
    rmtree(gone, ignore_errors=True)
