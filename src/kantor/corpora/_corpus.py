"""A corpus and its pieces: what every source of scores hands over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from kantor.errors import InputError, UnknownNameError
from kantor.io.packing import facts
from kantor.score import Score

__all__ = ["SPLITS", "Corpus", "CorpusPiece", "Split"]

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


@dataclass(frozen=True)
class CorpusPiece:
    """One score of a corpus, and what it is for: learning, choosing between models, or measuring them.

    Attributes
    ----------
    name   what the corpus calls it; a path within a folder.
    score  the music.
    split  "train", "valid" or "test".
    group  the name of the first version of this music, where the corpus has several (performances, copies,
           transpositions): versions of one bear one group. Its own name where it is the first or the only one; ""
           where nobody has looked.
    """

    name: str
    score: Score
    split: Split
    group: str = ""


@dataclass(frozen=True)
class Corpus:
    """Pieces of music, split once and for all.

    Attributes
    ----------
    name     what bundle cards call it.
    licence  who owns it and what may be done with it, a sentence or two.
    members  all pieces, sorted by name.
    report   (name, reason) of each piece that was left out.
    """

    name: str
    licence: str
    members: tuple[CorpusPiece, ...]
    report: tuple[tuple[str, str], ...] = ()

    def pieces(self, split: str | None = None) -> list[CorpusPiece]:
        """The pieces of one split, or of all.

        Raises
        ------
        UnknownNameError
            If there is no split of that name.
        InputError
            If the split has no piece.
        """
        if split is None:
            return list(self.members)
        if split not in SPLITS:
            raise UnknownNameError("split", split, SPLITS)
        chosen = [piece for piece in self.members if piece.split == split]
        if not chosen:
            filled = ", ".join(f"{name} has {count}" for name, count in self.counts.items() if count)
            text = f"expected pieces in the split '{split}' of {self.name}, got none ({filled}); try more files."
            raise InputError(text)
        return chosen

    def split(self, name: str) -> list[CorpusPiece]:
        """The pieces of one split, as :meth:`pieces` gives them."""
        return self.pieces(name)

    @property
    def counts(self) -> dict[str, int]:
        """Number of pieces in each split."""
        return {name: sum(piece.split == name for piece in self.members) for name in SPLITS}

    @cached_property
    def hash(self) -> str:
        """SHA-256 over names, splits and everything the scores say: equal where the corpora are."""
        digest = hashlib.sha256()
        for piece in sorted(self.members, key=lambda piece: piece.name):
            header = f"{piece.name}\0{piece.split}\0{len(piece.score)}\0"
            digest.update(header.encode("utf-8", "surrogateescape"))  # names of files need not be text
            digest.update(piece.score.notes.tobytes())
            digest.update(facts(piece.score).encode() + b"\0")
        return digest.hexdigest()

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.members)
