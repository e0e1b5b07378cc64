"""Which corpus a verb works on: one that comes with the installation by name, or a folder of the user's."""

from __future__ import annotations

from pathlib import Path

from kantor import corpora
from kantor.corpora import Corpus
from kantor.errors import OptionError

__all__ = ["source"]

DEFAULT = "bach"


def source(corpus: str | None, data: str | Path | None, *, progress: bool = True) -> Corpus:
    """The corpus named, or the folder given, or ``bach`` where neither is."""
    if corpus and data:
        raise OptionError("expected a corpus by name or a folder of data, got both; leave one out.")
    if data:
        return corpora.Folder(data, progress=progress)
    return corpora.load(corpus or DEFAULT, progress=progress)
