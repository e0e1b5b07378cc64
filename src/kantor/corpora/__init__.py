"""Where scores come from.

A corpus has a name, a licence and pieces, each in one of three splits: train, valid, test. ``load("bach")`` gives one
that comes with the installation; ``Folder("my/music")`` reads one from a folder of MIDI, MusicXML and CSV files.
``select(corpus, Selection(tracks="piano", meter="3/4"))`` keeps what is wanted of it, and reports the rest.

Each public file of this room is a named corpus; its ``PART`` is a function ``(*, progress: bool) -> Corpus``.
"""

from __future__ import annotations

from pathlib import Path

from kantor import registry
from kantor.corpora._corpus import SPLITS, Corpus, CorpusPiece
from kantor.corpora._folder import Folder, Survey, survey
from kantor.corpora._keys import estimated_key, key_of
from kantor.corpora._losses import Losses, losses
from kantor.corpora._rolls import rolls, rolls_at
from kantor.corpora._selection import Selection, select, sift
from kantor.corpora._tracks import TRACKS, tracks_of

__all__ = [
    "SPLITS",
    "TRACKS",
    "Corpus",
    "CorpusPiece",
    "Folder",
    "Losses",
    "Selection",
    "Survey",
    "estimated_key",
    "folder",
    "key_of",
    "load",
    "losses",
    "select",
    "sift",
    "survey",
    "tracks_of",
]


def folder(path: str | Path, *, progress: bool = True) -> Corpus:
    """The music at ``path``: a folder of files of music, or of piano rolls (``NAME_train.npz`` ...).

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be read.
    """
    if any(rolls_at(Path(path)).values()):
        return rolls(Path(path))
    return Folder(path, progress=progress)


def load(name: str, *, progress: bool = True) -> Corpus:
    """The corpus ``name``; ``progress`` shows a bar on stderr where reading takes longer than a moment.

    Raises
    ------
    UnknownNameError
        If no corpus bears that name.
    InputError
        If its files are not there.
    """
    corpus: Corpus = registry.part("corpora", name)(progress=progress)
    return corpus
