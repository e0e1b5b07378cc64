"""Bach's four-part chorales, as music21's own corpus has them: 365 pieces with holds, meters, keys and fermatas.

Which piece is for what stands in ``bach_split.csv`` beside this file:

- The published split (Boulanger-Lewandowski 2012; 229 train, 76 valid, 77 test pieces) is kept for the 336 of its
  pieces that the corpus holds in exactly four parts: 202, 64 and 70. bwv414 is published twice, in train and in valid:
  here it is in train.
- Of the 29 other four-part pieces those whose soprano sings a melody of the published valid or test set are left out
  (10 sing one of test, 4 one of valid; see ``_twins.py``). The other 15 join train.

The first reading takes some ten seconds on two processors; after that the scores lie in the cache.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import importlib.util
import warnings
from importlib import resources
from pathlib import Path

from kantor.corpora._corpus import Corpus, CorpusPiece
from kantor.corpora._progress import progress as patience
from kantor.corpora._reader import read_files
from kantor.corpora._store import cache_dir, read_scores, write_scores
from kantor.errors import FileFormatError, InputError
from kantor.score import Score

__all__ = ["LICENCE", "PART", "load", "split_table"]

LICENCE = (
    "The music is in the public domain. The encodings come with music21, by permission of their makers; most say "
    "'PDF © 2004 Margaret Greentree - used by permission', and some may not be used commercially or are otherwise "
    "restricted: see corpus/license.txt in music21 and the files themselves."
)


def load(*, progress: bool = True) -> Corpus:
    """The chorales; ``progress`` shows a bar on stderr where they have to be read anew.

    Raises
    ------
    InputError
        If music21 is installed without its corpus.
    """
    scores = read_all(progress=progress)
    members, report = [], []
    for row in split_table():
        name = Path(row["file"]).stem
        if row["split"] in ("train", "valid", "test"):
            members.append(CorpusPiece(name, scores[row["file"]], row["split"]))  # type: ignore[arg-type]
        else:
            report.append((name, f"its soprano sings the melody of {row['twin_of']}"))
    return Corpus("bach", LICENCE, tuple(sorted(members, key=lambda piece: piece.name)), tuple(report))


PART = load


def split_table() -> list[dict[str, str]]:
    """Rows (file, split, twin_of): split is train, valid, test or none, for the twin of a piece of valid or test."""
    with (resources.files("kantor.corpora") / "bach_split.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def read_all(*, progress: bool = True) -> dict[str, Score]:
    """All 365 scores by file name, those that are left out of the splits too: from the cache, or read and put there."""
    kept = cache_dir() / f"bach-{_fingerprint()}.npz"
    names = [row["file"] for row in split_table()]
    try:
        scores = read_scores(kept)
        if list(scores) == names:
            return scores
    except (OSError, FileFormatError):
        pass  # not there yet, or damaged: it is made again
    scores = _read(names, progress)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_scores(kept, scores)
    except OSError as error:
        text = f"the chorales cannot be kept in '{kept.parent}' ({error.strerror}) and are read anew each time"
        warnings.warn(f"{text}; try another folder by KANTOR_CACHE.", stacklevel=2)
    return scores


def _fingerprint() -> str:
    """Version of music21, and a hash of the code that reads: the cache is as old as neither."""
    package = resources.files("kantor")
    files = [package / "score.py", package / "corpora" / "_reader.py", package / "corpora" / "_store.py"]
    files += [file for file in sorted((package / "io").iterdir(), key=str) if file.name.endswith(".py")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    return f"{importlib.metadata.version('music21')}-{digest.hexdigest()[:12]}"


def _folder() -> Path:
    """Where music21 keeps its Bach, found without the two seconds that importing it takes."""
    spec = importlib.util.find_spec("music21")
    places = (spec and spec.submodule_search_locations) or [""]
    return Path(places[0]) / "corpus" / "bach"


def _read(names: list[str], progress: bool) -> dict[str, Score]:
    folder = _folder()
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        there = len(names) - len(missing)
        text = f"expected {len(names)} chorales in '{folder}', got {there} of them"
        raise InputError(f"{text}; try: pip install --force-reinstall music21")
    with patience("reading Bach's chorales", len(names), shown=progress) as advance:
        return read_files(folder, names, advance)
