"""What a verb that composes gives back: the score, how it was made, and how likely the model finds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score

if TYPE_CHECKING:
    from pandas import DataFrame

    from kantor.verbs._showing import Pages, Roll, Sound

__all__ = ["Piece"]


@dataclass(frozen=True, repr=False)
class Piece:
    """A composed piece; in a notebook it shows itself: a player, the engraved score, a piano roll.

    A piece that was played rather than written, its notes off any grid that a page has, shows the roll alone; of a long
    piece the beginning is shown. Where no sound can be made, the player is left out. :meth:`audio`,
    :meth:`score_pages` and :meth:`roll` give each by itself, and all of it.

    Attributes
    ----------
    score            the music.
    recipe           everything that made it: verb, model and its hash, seed, take, options, version.
    nats_per_note    mean surprise of the model's own decisions, by its unfiltered distribution.
    notes_decided    how many decisions (cells) that is a mean of.
    remarks          what the user should know: sentences.
    """

    score: Score
    recipe: dict[str, Any]
    nats_per_note: float
    notes_decided: int
    remarks: tuple[str, ...] = field(default=())

    @property
    def notes(self) -> NDArray[np.void]:
        """The score's notes (N,), of dtype :data:`kantor.score.NOTE`."""
        return self.score.notes

    def to_pandas(self) -> DataFrame:
        """The notes as a data frame, in seconds (see :meth:`kantor.score.Score.to_pandas`)."""
        return self.score.to_pandas()

    def save(self, *paths: str | Path, **options: Any) -> list[Path]:
        """Write the piece to each path; the suffix says what (see :func:`kantor.verbs.outputs.write`)."""
        from kantor.verbs.outputs import write

        return write(self.score, paths, **options)

    def audio(self, **options: Any) -> Sound:
        """The piece played: a notebook shows a player, and ``.data`` are the bytes of an Ogg file.

        ``options`` are ``soundfont``, ``instrument`` and ``sample_rate`` of :func:`kantor.render.audio.sound`; one
        channel at 22050 Hz unless told otherwise.

        Raises
        ------
        OptionError, FileFormatError, ScoreError
            If no sound can be made with these.
        """
        from kantor.verbs import _showing

        return _showing.sound(self.score, **options)

    def score_pages(self) -> Pages:
        """The piece engraved: a notebook shows all pages, and ``.svg`` are their texts.

        Onsets and ends are moved to the nearest 32nd or triplet sixteenth, for the sake of what was played rather than
        written; ``save("x.svg")`` engraves every tick.

        Raises
        ------
        ScoreError
            If the piece is too long to engrave.
        """
        from kantor.verbs import _showing

        return _showing.pages(self.score)

    def roll(self) -> Roll:
        """The piece as a piano roll: a notebook shows the picture, and ``.png`` are its bytes.

        Raises
        ------
        ScoreError
            If the piece is too long to draw.
        """
        from kantor.verbs import _showing

        return _showing.roll(self.score)

    def __repr__(self) -> str:
        parts = [self._caption(), f"{len(self.score)} notes", f"{self.score.seconds:.0f} s"]
        return f"<Piece: {', '.join(part for part in parts if part)}>"

    def _repr_html_(self) -> str:
        from kantor.verbs import _showing

        return _showing.whole(self.score, self._caption(), self.remarks)

    def _caption(self) -> str:
        """Which model, seed and take it comes from, and how likely it is; what of that is known."""
        known = [str(self.recipe["model"])] if "model" in self.recipe else []
        known += [f"{name} {self.recipe[name]}" for name in ("seed", "take") if name in self.recipe]
        known += [f"{self.nats_per_note:.2f} nats a note"] if self.notes_decided else []
        return ", ".join(known)


def recipe_text(recipe: dict[str, Any]) -> str:
    """The recipe as the one line that files carry."""
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"))
