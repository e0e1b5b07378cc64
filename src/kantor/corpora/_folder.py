"""A folder of music as a corpus: whatever in it Kantor can read, in three splits, a piece of music on one side."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kantor import io
from kantor.corpora._corpus import SPLITS, Corpus, CorpusPiece, Split
from kantor.corpora._kinship import fingerprint, kin
from kantor.corpora._losses import losses
from kantor.corpora._progress import progress as patience
from kantor.corpora._split import by_contents
from kantor.errors import InputError, KantorError
from kantor.io import midi
from kantor.score import Score

__all__ = ["LICENCE", "Folder", "Survey", "survey"]

LICENCE = "unknown: that of the files in the folder"

Reasons = tuple[tuple[str, str], ...]


class Folder(Corpus):
    """The scores under a folder, subfolders included; hidden files and folders are passed over.

    Subfolders ``train``, ``valid`` and ``test`` are the splits where there is music in ``valid`` or in ``test``.
    Elsewhere contents decide, 70 : 15 : 15. What is split are pieces of music, not files: performances of one sonata,
    copies, excerpts and transpositions, wherever they lie and whatever they are called, are on one side
    (``_kinship.py`` says how they are told, and how surely). A piece stays where it is when others come or when it is
    renamed; three different ones are enough for each split to have one.

    What is left out is in ``report``, with its reason: files that cannot be read, files without notes, files outside
    ``train``, ``valid`` and ``test`` where these are the splits. Everything else is kept as it is: drums, any number
    of parts, pitches beyond the piano, hours of music (up to ``io.MAX_BYTES`` a file).

    Parameters
    ----------
    path      the folder.
    progress  show a bar on stderr where reading takes longer than a second.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be used. Files that cannot be read beside others that can are
        counted in one warning.
    """

    def __init__(self, path: str | Path, *, progress: bool = True) -> None:
        found = survey(path, progress=progress)
        if not found.members:
            reasons = [reason for _, reason in found.unreadable + found.left_out]
            first = " ".join(reasons[:3]) or f"It has no file that ends in {', '.join(io.SUFFIXES)}."
            raise InputError(f"expected music in '{path}', got nothing that can be read. {first}")
        if found.unreadable:
            count = f"{len(found.unreadable)} of {found.files} files in '{path}'"
            first = found.unreadable[0][1]
            warnings.warn(f"{count} cannot be read and are left out; the first: {first}", stacklevel=2)
        report = tuple(sorted(found.left_out + found.unreadable))
        super().__init__(found.name, LICENCE, found.members, report)


@dataclass(frozen=True)
class Survey:
    """What is in a folder.

    Attributes
    ----------
    name        that of the folder.
    members     the pieces, by path within the folder.
    left_out    (path, reason) of music that is not used.
    unreadable  (path, reason) of files that should be music.
    others      (path, reason) of files that are something else.
    """

    name: str
    members: tuple[CorpusPiece, ...]
    left_out: Reasons
    unreadable: Reasons
    others: Reasons

    @property
    def files(self) -> int:
        """Number of files that should be music."""
        return len(self.members) + len(self.left_out) + len(self.unreadable)


def survey(path: str | Path, *, progress: bool = True) -> Survey:
    """Read all files under the folder ``path``, sort out what is no music, and find the pieces and their splits.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    root = Path(path)
    if not root.is_dir():
        kind = "a file" if root.exists() else "nothing"
        known = ", ".join(io.SUFFIXES)
        raise InputError(f"expected a folder of music at '{root}', got {kind}; try one of {known} files.")
    music, others = _files(root)
    splits = _given(root, music)
    wanted = list(splits) or music
    aside = [(file, "it lies outside train, valid and test") for file in sorted(set(music) - set(wanted))]
    scores, silent, unreadable = _read(root, wanted, progress)
    members = _members(scores, splits)
    name = root.resolve().name or "folder"
    return Survey(name, members, tuple(sorted(aside + silent)), tuple(unreadable), tuple(others))


def _files(root: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Relative paths, with '/': of the files that should be music, and (path, reason) of the others."""
    music, others = [], []
    for path in sorted(_walk(root)):
        name = path.relative_to(root).as_posix()
        if path.exists() and not path.is_file():  # a pipe: reading one would not end
            others.append((name, "it is no ordinary file"))
        elif name.lower().endswith(io.SUFFIXES):
            music.append(name)
        else:
            others.append((name, f"its suffix is '{path.suffix}', that of music is one of {', '.join(io.SUFFIXES)}"))
    return sorted(music), sorted(others)


def _walk(root: Path) -> Iterable[Path]:
    """All files that are not hidden; links are followed, but no folder is entered twice."""
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(root, followlinks=True):
        entry = Path(place).stat()
        if (entry.st_dev, entry.st_ino) in seen and entry.st_ino:
            folders.clear()
            continue
        seen.add((entry.st_dev, entry.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in names if not name.startswith("."))


def _given(root: Path, files: list[str]) -> dict[str, Split]:
    """The split of each file that lies in a folder named after one; none where these folders mean something else."""
    folders = {place.name.lower(): place.name for place in root.iterdir() if place.is_dir()}
    names = {folders[split]: split for split in SPLITS if split in folders}
    given = {file: names[top] for file in files if (top := file.split("/")[0]) in names and "/" in file}
    return given if set(given.values()) - {"train"} else {}


def _read(
    root: Path, files: list[str], progress: bool
) -> tuple[dict[str, tuple[Score, str]], list[tuple[str, str]], list[tuple[str, str]]]:
    """Each score with the SHA-256 of its file; (path, reason) of files without notes; and of those beyond reading."""
    scores: dict[str, tuple[Score, str]] = {}
    silent, unreadable = [], []
    with patience("reading scores", len(files), shown=progress) as advance:
        for file in files:
            try:
                score = io.load(root / file)
                if len(score):
                    scores[file] = score, hashlib.sha256((root / file).read_bytes()).hexdigest()
                else:
                    silent.append((file, _silence(root / file)))
            except (KantorError, OSError) as error:
                unreadable.append((file, str(error)))
            advance()
    return scores, silent, unreadable


def _silence(path: Path) -> str:
    """Why a file has no notes."""
    lost = losses(path.read_bytes()) if path.suffix.lower() in midi.SUFFIXES else None
    if lost and lost.never_ending:
        return f"{path.name!r} has no note that ends: {lost.never_ending} only begin."
    return f"{path.name!r} has no notes."


def _members(scores: Mapping[str, tuple[Score, str]], splits: Mapping[str, Split]) -> tuple[CorpusPiece, ...]:
    """The pieces by name, the versions of each known, on the side that ``splits`` says, or else their contents."""
    names = sorted(scores)
    first = kin([fingerprint(scores[name][0]) for name in names])
    groups = {name: names[at] for name, at in zip(names, first, strict=True)}
    if not splits:
        digests: dict[str, str] = {}
        for name, group in groups.items():
            digests[group] = min(digests.get(group, "g"), scores[name][1])  # "g" is beyond hexadecimal
        # hashed once more: the least of many digests is small, and would put what has many versions into train
        sides = by_contents({group: hashlib.sha256(least.encode()).hexdigest() for group, least in digests.items()})
        splits = {name: sides[group] for name, group in groups.items()}
    return tuple(CorpusPiece(name, scores[name][0], splits[name], groups[name]) for name in names)
