"""What a verb that composes gives back: the score, how it was made, and how likely the model finds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kantor.score import Score

__all__ = ["Piece"]


@dataclass(frozen=True)
class Piece:
    """A composed piece; in a notebook it shows itself engraved.

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

    def save(self, *paths: str | Path, **options: Any) -> list[Path]:
        """Write the piece to each path; the suffix says what (see :func:`kantor.verbs.outputs.write`)."""
        from kantor.verbs.outputs import write

        return write(self.score, paths, **options)

    def _repr_svg_(self) -> str:
        from kantor.render.engraving import engrave

        return engrave(self.score)[0]


def recipe_text(recipe: dict[str, Any]) -> str:
    """The recipe as the one line that files carry."""
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"))
