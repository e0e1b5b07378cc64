"""MAESTRO v3.0.0: 1276 performances of piano music, 199 hours, played on a Disklavier in a competition.

What is known of the time is that of the performance: velocities and pedalling are the pianist's, and ticks are no
beats, since nobody followed a metronome. The published split (962 train, 137 validation, 177 test) keeps all
performances of one composition together; it is the one of the table ``maestro-v3.0.0.csv`` inside the archive.

The archive is downloaded once, 58 MB. Its SHA-256 is published, and stands here: Hawthorne et al. 2019, "Enabling
Factorized Piano Music Modeling and Generation with the MAESTRO Dataset", and the page of the data set,
https://magenta.tensorflow.org/datasets/maestro.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from kantor.corpora._corpus import Corpus, CorpusPiece, Split
from kantor.corpora._download import Source, fetch_folder
from kantor.corpora._folder import Folder
from kantor.errors import FileFormatError

__all__ = ["LICENCE", "PART", "SOURCE", "load"]

LICENCE = (
    "CC BY-NC-SA 4.0 (https://creativecommons.org/licenses/by-nc-sa/4.0/): the MAESTRO dataset v3.0.0 by Google LLC; "
    "whoever shares it or work made of it names them, does so for no commercial purpose, and under the same licence."
)

SOURCE = Source(
    url="https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/maestro-v3.0.0-midi.zip",
    licence=LICENCE,
    size_bytes=58_400_000,
    sha256="70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
)

_LIMIT_BYTES = 250_000_000  # about 81 MB come out
_SPLITS: dict[str, Split] = {"train": "train", "validation": "valid", "test": "test"}


def load(*, progress: bool = True) -> Corpus:
    """The performances, downloaded the first time; ``progress`` shows bars on stderr.

    A piece bears the name of its file, ``YEAR/NAME.midi``.

    Raises
    ------
    InputError
        If the archive cannot be had, or is not the right one.
    OutputError
        If there is no room to keep it.
    """
    folder = fetch_folder(
        SOURCE, {".midi": "music", ".mid": "music", ".csv": "tables"}, limit_bytes=_LIMIT_BYTES, progress=progress
    )
    splits = split_table(folder / "tables" / "maestro-v3.0.0" / "maestro-v3.0.0.csv")
    found = Folder(folder / "music" / "maestro-v3.0.0", progress=progress)
    members, report = [], list(found.report)
    for piece in found.members:
        if piece.name in splits:
            members.append(replace(piece, split=splits[piece.name]))
        else:
            report.append((piece.name, "the table of MAESTRO does not name it"))
    there = {piece.name for piece in found.members} | {name for name, _ in found.report}
    report += [(name, "the archive does not hold it") for name in splits if name not in there]
    return Corpus("maestro", LICENCE, _sorted(members), tuple(sorted(report)))


PART = load


def split_table(path: Path) -> dict[str, Split]:
    """The split of each file, by its path below the folder of the data set.

    Raises
    ------
    FileFormatError
        If the table is missing, or lacks what it should say.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return {row["midi_filename"]: _SPLITS[row["split"]] for row in csv.DictReader(io.StringIO(text, newline=""))}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        text = f"expected in '{path}' columns midi_filename and split with train, validation or test"
        raise FileFormatError(
            f"{text}, got none; try deleting '{path.parents[2]}', then it is fetched anew."
        ) from error


def _sorted(members: list[CorpusPiece]) -> tuple[CorpusPiece, ...]:
    return tuple(sorted(members, key=lambda piece: piece.name))
