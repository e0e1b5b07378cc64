"""Where scores come from.

A corpus has a name, a licence and pieces, each in one of three splits: train, valid, test. ``load("bach")`` gives one
that comes with the installation; ``Folder("my/music")`` reads one from a folder of MIDI, MusicXML and CSV files.

Each public file of this room is a named corpus; its ``PART`` is a function ``(*, progress: bool) -> Corpus``.
"""

from __future__ import annotations

from kantor import registry
from kantor.corpora._corpus import SPLITS, Corpus, CorpusPiece
from kantor.corpora._folder import Folder

__all__ = ["SPLITS", "Corpus", "CorpusPiece", "Folder", "load"]


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
