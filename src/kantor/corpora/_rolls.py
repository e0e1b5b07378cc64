"""Piano rolls in NumPy files, as published: ``NAME_train.npz``, ``NAME_valid.npz``, ``NAME_test.npz``.

Each file holds one array a piece, (frames, 88) of booleans; key 0 is MIDI pitch 21 and a frame is taken for a quarter.
What sounds on from one frame to the next is read as held (Boulanger-Lewandowski et al. 2012; Bai et al. 2018).
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from kantor.corpora._corpus import SPLITS, Corpus, CorpusPiece
from kantor.errors import FileFormatError, InputError
from kantor.score import NOTE, TICKS_PER_QUARTER, Part, Score

__all__ = ["rolls", "rolls_at"]

KEYS, LOWEST, VELOCITY = 88, 21, 80
LICENCE = "unknown: that of the rolls"


def rolls_at(path: Path) -> dict[str, list[Path]]:
    """The files of each split at ``path``: a folder of rolls, or such a folder and the beginning of their names."""
    folder, name = (path, "*") if path.is_dir() else (path.parent, path.name)
    return {split: sorted(folder.glob(f"{name}_{split}.npz")) for split in SPLITS} if folder.is_dir() else {}


def rolls(path: Path) -> Corpus:
    """The rolls at ``path`` as a corpus.

    Raises
    ------
    InputError
        If a file is no such archive, or an array in it is no roll.
    """
    members = []
    for split, files in rolls_at(path).items():
        for file in files:
            members += [CorpusPiece(name, score, split) for name, score in _pieces(file)]  # type: ignore[arg-type]
    if not members:
        raise InputError(f"expected piano rolls at '{path}', files like NAME_train.npz, got none.")
    return Corpus(path.name, LICENCE, tuple(sorted(members, key=lambda piece: piece.name)))


def _pieces(file: Path) -> list[tuple[str, Score]]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError, zlib.error, zipfile.BadZipFile) as error:
        raise FileFormatError(f"expected '{file}' to be a NumPy archive of piano rolls, got: {error}.") from error
    made = []
    for name, array in arrays.items():
        fits = (
            isinstance(array, np.ndarray) and array.ndim == 2 and array.shape[1] == KEYS and array.dtype.kind in "biuf"
        )
        if not fits or not np.isfinite(array).all():
            raise FileFormatError(
                f"expected rolls of (frames, {KEYS}) numbers in '{file}', got something else in '{name}'; key 0 is A0."
            )
        made.append((f"{file.stem}/{name}", _score(array > 0)))
    return made


def _score(sounding: np.ndarray) -> Score:
    edges = np.diff(np.vstack([np.zeros((1, KEYS)), sounding, np.zeros((1, KEYS))]).astype(np.int8), axis=0).T
    key, begin = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    notes = np.zeros(len(key), dtype=NOTE)
    notes["onset"], notes["duration"] = begin * TICKS_PER_QUARTER, (end - begin) * TICKS_PER_QUARTER
    notes["pitch"], notes["velocity"] = key + LOWEST, VELOCITY
    return Score(notes, parts=(Part("Piano"),), length_ticks=len(sounding) * TICKS_PER_QUARTER)
