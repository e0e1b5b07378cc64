"""What a verb that composes gives back: the score, how it was made, and how likely the model finds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score
from kantor.wording import counted

if TYPE_CHECKING:
    from pandas import DataFrame

    from kantor.evaluation.novelty import Copied
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
    nats_per_note    surprise of the model's own decisions, by its unfiltered distribution: their sum over its notes. As
                     in likelihoods, a chorale's notes are the cells of its grid, elsewhere they are those that sound.
    notes_decided    how many such notes that is a mean of; those of a prompt are not among them.
    remarks          what the user should know: sentences.
    rules_cost       nats a note that the rules cost: how far what was drawn from lies from what the model meant
                     (Kullback-Leibler divergence, its grammar apart).
    dead_ends        how often the rules left nothing, so that some bars were taken back.
    copied           what it has in common with a training piece, where that was asked for.
    """

    score: Score
    recipe: dict[str, Any]
    nats_per_note: float
    notes_decided: int
    remarks: tuple[str, ...] = field(default=())
    rules_cost: float = 0.0
    dead_ends: int = 0
    copied: Copied | None = None

    @property
    def notes(self) -> NDArray[np.void]:
        """The score's notes (N,), of dtype :data:`kantor.score.NOTE`."""
        return self.score.notes

    def to_pandas(self) -> DataFrame:
        """The notes as a data frame, in seconds (see :meth:`kantor.score.Score.to_pandas`)."""
        return self.score.to_pandas()

    def save(self, *paths: str | Path, force: bool = False, **options: Any) -> list[Path]:
        """Write the piece to each path, all or none of them where that can be known; the suffix says what.

        ``options`` are ``soundfont``, ``instrument`` and ``sample_rate`` of :func:`kantor.render.render`. A file that
        is there already is replaced only with ``force``.

        Raises
        ------
        OptionError, FileFormatError, OutputError
            As :func:`kantor.verbs.outputs.check`; nothing has been written then.
        """
        from kantor.verbs.outputs import check, check_new, standing, write

        check(paths, force=True, **options)
        if not force:
            check_new(standing(paths))
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
        parts = [
            self._caption(),
            counted(len(self.score), "note"),
            f"{self.score.seconds:.0f} s",
        ]
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
