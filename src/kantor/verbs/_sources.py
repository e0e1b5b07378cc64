"""Which corpus a verb works on: one that comes with the installation by name, or a folder of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kantor import corpora
from kantor.corpora import Corpus, CorpusPiece
from kantor.errors import InputError, OptionError
from kantor.representations import Representation
from kantor.score import Score

__all__ = ["fitting", "source"]

DEFAULT = "bach"


def source(corpus: str | None, data: str | Path | None, *, progress: bool = True) -> Corpus:
    """The corpus named, or the folder given, or ``bach`` where neither is."""
    if corpus and data:
        raise OptionError("expected a corpus by name or a folder of data, got both; leave one out.")
    if data:
        return corpora.Folder(data, progress=progress)
    return corpora.load(corpus or DEFAULT, progress=progress)


def fitting(pieces: Sequence[CorpusPiece], representation: Representation) -> tuple[list[Score], list[tuple[str, str]]]:
    """The pieces that ``representation`` can encode, in its canonical form; (name, reason) of each of the others."""
    kept: list[Score] = []
    refused: list[tuple[str, str]] = []
    for piece in pieces:
        try:
            kept.append(representation.canonical(piece.score))
        except InputError as error:
            refused.append((piece.name, str(error)))
    return kept, refused
