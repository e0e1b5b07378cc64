"""The 500 made-up chorales of JS Fakes, as a folder that a preset can be trained on.

    python -m experiments.fakes FILE FOLDER

FILE is ``js-fakes-16thSeparated.npz`` (KS_Chorus 2021; omarperacha/js-fakes, CC BY 4.0). Its ``pitches`` are arrays
(sixteenths, voices) of MIDI numbers, soprano to bass, -1 for silence. They are written as grid CSV files, 450 to
FOLDER/train and 50 to FOLDER/valid: every tenth of the file is kept for validation. Pieces with a pitch beyond the grid
(36-81), or of another shape, are left out and counted. A training may begin with them and go on with Bach's:

    kantor train jsb --data FOLDER -o runs/fakes
    kantor train jsb --data JSB --from runs/fakes

The file holds a pickled array of arrays, which NumPy refuses to read, and rightly: a pickle may run anything, and NumPy's
own arrays believe whatever they are told of their memory. Here a pickle makes what stands below and nothing else.
"""

from __future__ import annotations

import argparse
import pickle
import zipfile
from pathlib import Path

import numpy as np

from kantor.errors import FileFormatError
from kantor.representations.chorale import HIGHEST, LOWEST
from kantor.score import VOICES

KEPT = 10  # one piece of so many is for validation
DAMAGED = (
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RecursionError,
)


class _Kind:
    """In place of a pickled dtype: its code and its byte order."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = code, "|"

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]


class _Array:
    """In place of a pickled array: the objects of one of objects, the numbers of one of float64, else neither."""

    content: list | np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, fortran, content = state
        if isinstance(content, list):
            self.content = content
        elif (kind.order, kind.code, fortran) == ("<", "f8", False) and isinstance(content, bytes):
            self.content = np.frombuffer(content, dtype="<f8").reshape(shape)


#: What a pickled array of arrays asks for, under the names of older and newer NumPy.
NEEDED = {
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
}


class _Arrays(pickle._Unpickler):  # the one in Python: that in C makes room for as much as a damaged file asks for
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in NEEDED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return NEEDED[module, name]


def pitches(file):
    """The pieces of the file, each an array (sixteenths, voices) of float64 if it is as it should be.

    Raises
    ------
    FileFormatError
        If the file is no such archive, or asks for anything but arrays.
    """
    try:
        with zipfile.ZipFile(file) as archive, archive.open("pitches.npy") as member:
            np.lib.format.read_magic(member)
            np.lib.format.read_array_header_1_0(member)
            return [getattr(piece, "content", None) for piece in _Arrays(member, encoding="latin1").load().content]
    except DAMAGED as error:
        raise FileFormatError(
            f"{file}: expected an .npz with the array 'pitches', got another file: {error}"
        ) from error


def grid(piece):
    """The piece in whole numbers, 0 for silence; None where it does not fit the grid of the chorales."""
    if not isinstance(piece, np.ndarray) or piece.ndim != 2 or piece.shape[1] != len(VOICES) or piece.dtype.kind != "f":
        return None
    sings = (piece >= LOWEST) & (piece <= HIGHEST) & (piece == np.floor(piece))
    if not ((piece == -1) | sings).all() or not sings.any():
        return None
    return np.where(sings, piece, 0).astype(np.int64)


def write(rows, path):
    """One row a sixteenth, under the names of the columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = ",".join(f"note{voice}" for voice in range(len(VOICES)))
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows.tolist())]) + "\n", encoding="ascii")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    counts = {"train": 0, "valid": 0, "left out": 0}
    for number, piece in enumerate(pitches(args.file)):
        rows, split = grid(piece), "valid" if number % KEPT == KEPT - 1 else "train"
        if rows is not None:
            write(rows, args.folder / split / f"fake_{number:03}.csv")
        counts[split if rows is not None else "left out"] += 1
    print(", ".join(f"{count} {name}" for name, count in counts.items()))


if __name__ == "__main__":
    main()
