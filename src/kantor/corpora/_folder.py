"""A folder of music as a corpus: whatever in it Kantor can read, in three splits."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

from kantor import io
from kantor.corpora._corpus import SPLITS, Corpus, CorpusPiece, Split
from kantor.corpora._progress import progress as patience
from kantor.errors import InputError, KantorError

__all__ = ["Folder"]

_LICENCE = "unknown: that of the files in the folder"
_BOUNDS: dict[Split, tuple[float, float]] = {"train": (0.0, 0.8), "valid": (0.8, 0.9), "test": (0.9, 1.0)}


class Folder(Corpus):
    """The scores under a folder, subfolders included; hidden files and folders are passed over.

    Subfolders ``train``, ``valid`` and ``test`` are the splits where there is music in ``valid`` or in ``test``.
    Elsewhere a file's contents decide, by their hash, 80 : 10 : 10: a piece stays where it is when others come or when
    it is renamed, and copies of one file stay together. Three different files are enough for each split to have one.

    Parameters
    ----------
    path      the folder.
    progress  show a bar on stderr where reading takes longer than a second.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be read. What cannot be read beside what can is in
        ``report``, and counted in one warning.
    """

    def __init__(self, path: str | Path, *, progress: bool = True) -> None:
        root = Path(path)
        if not root.is_dir():
            kind = "a file" if root.exists() else "nothing"
            raise InputError(
                f"expected a folder of music at '{root}', got {kind}; try one of {', '.join(io.SUFFIXES)} files."
            )
        files = sorted(_files(root))
        given = {place.name.lower(): place.name for place in root.iterdir() if place.is_dir()}
        members, report = _read(root, files, _given(files, given), progress)
        super().__init__(root.resolve().name or "folder", _LICENCE, members, report)


def _files(root: Path) -> Iterable[str]:
    """Relative paths, with '/', of all files that look like music; links are followed, but no folder entered twice."""
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(root, followlinks=True):
        entry = Path(place).stat()
        if (entry.st_dev, entry.st_ino) in seen and entry.st_ino:
            folders.clear()
            continue
        seen.add((entry.st_dev, entry.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(place) / name
            pipe = path.exists() and not path.is_file()  # reading one would not end
            if not name.startswith(".") and name.lower().endswith(io.SUFFIXES) and not pipe:
                yield path.relative_to(root).as_posix()


def _given(files: list[str], folders: dict[str, str]) -> dict[str, Split]:
    """The split of each file that lies in a folder named after one; none where these folders mean something else."""
    names = {folders[split]: split for split in SPLITS if split in folders}
    given = {file: names[top] for file in files if (top := file.split("/")[0]) in names and "/" in file}
    return given if set(given.values()) - {"train"} else {}


def _read(
    root: Path, files: list[str], splits: dict[str, Split], progress: bool
) -> tuple[tuple[CorpusPiece, ...], tuple[tuple[str, str], ...]]:
    wanted = list(splits) or files
    aside = [(file, "it lies outside train, valid and test") for file in sorted(set(files) - set(wanted))]
    scores, digests, failed = {}, {}, []
    with patience("reading scores", len(wanted), shown=progress) as advance:
        for file in wanted:
            try:
                scores[file] = io.load(root / file)
                digests[file] = hashlib.sha256((root / file).read_bytes()).hexdigest()
            except (KantorError, OSError) as error:
                failed.append((file, str(error)))
            advance()
    if not scores:
        first = " ".join(reason for _, reason in failed[:3]) or f"It has no file that ends in {', '.join(io.SUFFIXES)}."
        raise InputError(f"expected music in '{root}', got nothing that can be read. {first}")
    if failed:
        count = f"{len(failed)} of {len(wanted)} files in '{root}'"
        warnings.warn(f"{count} cannot be read and are left out; the first: {failed[0][1]}", stacklevel=4)
    chosen = splits or _by_contents(digests)
    members = tuple(CorpusPiece(file, scores[file], chosen[file]) for file in sorted(scores))
    return members, tuple(sorted(aside + failed))


def _by_contents(digests: dict[str, str]) -> dict[str, Split]:
    """The split of each file by the hash of its contents; of three different files none is left without."""
    place = {digest: int(digest[:16], 16) / 2**64 for digest in digests.values()}
    chosen: dict[str, Split] = {d: next(s for s in SPLITS if at < _BOUNDS[s][1]) for d, at in place.items()}
    for split in SPLITS if len(place) >= len(SPLITS) else ():
        if split in chosen.values():
            continue
        counts = {name: list(chosen.values()).count(name) for name in SPLITS}
        largest = max(SPLITS, key=lambda name: counts[name])
        middle = sum(_BOUNDS[split]) / 2
        near = min((d for d in chosen if chosen[d] == largest), key=lambda d: abs(place[d] - middle))
        chosen[near] = split
    return {file: chosen[digest] for file, digest in digests.items()}
