"""Scores in one file, to be read back in a moment: arrays and JSON in an .npz, never a pickle."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from kantor.errors import FileFormatError, KantorError
from kantor.io.packing import facts, score_of
from kantor.score import NOTE, Score

__all__ = ["cache_dir", "read_scores", "write_scores"]

_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error, KantorError)


def cache_dir() -> Path:
    """Where Kantor keeps what it can make again: ``KANTOR_CACHE``, or the platform's place for such things."""
    if chosen := os.environ.get("KANTOR_CACHE"):
        with suppress(RuntimeError):  # a home that nobody has
            return Path(chosen).expanduser()
        return Path(chosen)
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if xdg.is_absolute():  # the XDG specification has relative paths ignored
        return xdg / "kantor"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / "kantor"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "kantor"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home)) / "kantor" / "Cache"
    return home / ".cache" / "kantor"


def write_scores(path: Path, scores: Mapping[str, Score]) -> None:
    """Write ``scores`` by name into the file ``path``, whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    text = json.dumps([[name, len(score), facts(score)] for name, score in scores.items()])
    notes = np.concatenate([np.empty(0, NOTE), *(score.notes for score in scores.values())])
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, notes=notes, facts=np.frombuffer(text.encode(), np.uint8))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_scores(path: Path) -> dict[str, Score]:
    """The scores that :func:`write_scores` wrote.

    Raises
    ------
    FileFormatError
        If the file is damaged or something else.
    OSError
        If it is not there or cannot be read.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            notes, text = file["notes"], file["facts"].tobytes().decode()
        scores, at = {}, 0
        for name, count, known in json.loads(text):
            scores[name] = score_of(notes[at : at + count], json.loads(known))
            at += count
    except _DAMAGE as error:
        text = f"expected scores kept by Kantor in '{path}', got something else; try deleting it."
        raise FileFormatError(text) from error
    return scores
