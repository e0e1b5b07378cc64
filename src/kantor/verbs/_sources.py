"""Which corpus a verb works on: one that comes with the installation by name, or a folder of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kantor import corpora
from kantor.corpora import Corpus, CorpusPiece, Selection, select
from kantor.errors import InputError, OptionError
from kantor.representations import Representation
from kantor.score import Score

__all__ = ["fitting", "source"]

DEFAULT = "bach"


def source(
    corpus: str | None,
    data: str | Path | None,
    selection: Selection | None = None,
    *,
    default: str = DEFAULT,
    progress: bool = True,
) -> Corpus:
    """What ``selection`` keeps of the corpus named, or of the folder given; ``default`` where neither is."""
    if corpus and data:
        raise OptionError("expected a corpus by name or a folder of data, got both; leave one out.")
    music: Corpus = (
        corpora.folder(data, progress=progress) if data else corpora.load(corpus or default, progress=progress)
    )
    return select(music, selection) if selection is not None else music


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
