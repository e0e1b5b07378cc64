"""The JSB chorales as the literature measures on them: 382 pieces in four voices on a grid of sixteenths.

The split is that of Boulanger-Lewandowski 2012: 229 pieces to train, 76 to validate, 77 to test. The grid tells no
held note from a repeated one, and knows neither meter, key nor fermatas; for these there is the corpus ``bach``.

One JSON file is downloaded once, 1.7 MB: ``{"train": [piece, ...], "valid": ..., "test": ...}``, a piece a list of
steps, a step four MIDI numbers, soprano to bass, -1 (or NaN, or 0) for silence. Nobody publishes its SHA-256, so it
is trusted at its first use (see ``_download.py``). Yet it is no blind trust: what it has to hold for train and valid
is known from the same grids in another edition (the CSV files of ageron/handson-ml2), so the contents of both are
checked, and the pieces and steps of test are counted.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from kantor.corpora._corpus import SPLITS, Corpus, CorpusPiece, Split
from kantor.corpora._download import Source, fetch
from kantor.errors import FileFormatError
from kantor.io import grid_csv

__all__ = ["LICENCE", "PART", "SOURCE", "load"]

LICENCE = (
    "The music is in the public domain. The encoding is that of github.com/czhuang/JSB-Chorales-dataset, after "
    "Boulanger-Lewandowski et al. 2012; neither states a licence."
)

SOURCE = Source(
    url="https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master/Jsb16thSeparated.json",
    licence=LICENCE,
    size_bytes=1_666_444,
)

#: Of each split the numbers of pieces and steps, and the SHA-256 of its grids (see :func:`digest`) where it is known.
PUBLISHED: dict[Split, tuple[int, int, str]] = {
    "train": (229, 55228, "df599faf32d713c8585f04c992a8f3b8ce9ea12931cc024c4da5c5b2f87fe07f"),
    "valid": (76, 18408, "a569b8b531bbae69f72cb55d0a328fcf4d9f448543f79c299b31650c80a553f4"),
    "test": (77, 18900, ""),
}

Grid = list[list[int]]  # (steps, 4) MIDI numbers, 0 for silence


def load(*, progress: bool = True) -> Corpus:
    """The chorales, downloaded the first time; ``progress`` shows a bar on stderr.

    Pieces are named ``chorale_000`` to ``chorale_381``: train, valid, test, in the order of the CSV edition.

    Raises
    ------
    InputError
        If the file cannot be had, or does not hold the published chorales.
    OutputError
        If there is no room to keep it.
    """
    splits = read_grids(fetch(SOURCE, progress=progress, vet=read_grids))
    members: list[CorpusPiece] = []
    for split in SPLITS:
        for grid in splits[split]:
            name = f"chorale_{len(members):03}"
            members.append(CorpusPiece(name, grid_csv.read(_csv(grid), name), split))
    return Corpus("jsb", LICENCE, tuple(members))


PART = load


def read_grids(path: Path) -> dict[Split, list[Grid]]:
    """The grids of each split in the JSON file at ``path``, checked against what was published.

    Raises
    ------
    FileFormatError
        If the file is no such JSON, or its chorales are others.
    """
    try:
        found = json.loads(path.read_bytes())
        splits = {split: [_grid(piece) for piece in found[split]] for split in SPLITS}
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        text = f"expected the JSB chorales as JSON in '{SOURCE.name}', got something else ({error})"
        raise FileFormatError(f"{text}; try again, or another KANTOR_MIRROR.") from error
    for split, (pieces, steps, known) in PUBLISHED.items():
        grids = splits[split]
        if (len(grids), sum(map(len, grids))) != (pieces, steps) or known not in ("", digest(grids)):
            text = f"expected in '{SOURCE.name}' the {pieces} published chorales of {split}, got {len(grids)} others"
            raise FileFormatError(f"{text}; try again, or another KANTOR_MIRROR.")
    return splits


def digest(grids: list[Grid]) -> str:
    """SHA-256 of grids, written as JSON without spaces, silence as 0."""
    return hashlib.sha256(json.dumps(grids, separators=(",", ":")).encode()).hexdigest()


def _grid(piece: Any) -> Grid:
    grid = [[_cell(cell) for cell in step] for step in piece]
    if not grid or any(len(step) != 4 for step in grid):
        raise ValueError("a piece that is not four voices")
    return grid


def _cell(cell: Any) -> int:
    if cell is None or math.isnan(cell) or cell == -1:
        return 0
    if cell != int(cell) or not 0 <= cell <= 127:
        raise ValueError(f"{cell} is no MIDI number")
    return int(cell)


def _csv(grid: Grid) -> bytes:
    """The grid as the format that :mod:`kantor.io.grid_csv` reads."""
    header = ",".join(f"note{voice}" for voice in range(4))
    return "\n".join([header, *(",".join(map(str, step)) for step in grid)]).encode("ascii")
