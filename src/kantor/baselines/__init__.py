"""Floors: models that learn next to nothing, played and judged as any other, so that a figure can be held against them.

random   knows how many values there are, and nothing else: what blind guessing costs.
ngram    has counted what follows what: what the training pieces give away without any learning. A network that is no
         better has learned to count.

Each public file of this room is one; its ``PART`` is a :class:`Method`. What it makes of training pieces is a
:class:`Baseline`, a bundle without files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from kantor.bundle import Bundle, file_hash
from kantor.representations import Representation
from kantor.runtime import Model
from kantor.score import Score

__all__ = ["Baseline", "Method", "baseline"]


@dataclass(frozen=True)
class Method:
    """How a floor is made.

    Attributes
    ----------
    about  one sentence: what it is.
    fit    training pieces in canonical form -> the representation, with what it has learned, and the model.
    """

    about: str
    fit: Callable[[Representation, Sequence[Score]], tuple[Representation, Model]]


@dataclass(frozen=True)
class Baseline(Bundle):
    """A bundle whose model was made a moment ago and lies in memory; its ``path`` is its name."""

    model: Model

    @property
    def hash(self) -> str:
        """SHA-256 of the card: of the name, the representation, and the music that was counted."""
        return file_hash(json.dumps(self.card, sort_keys=True).encode())


def baseline(name: str, representation: Representation, model: Model, card: Mapping[str, Any]) -> Baseline:
    """The baseline ``name``; ``card`` is what the verbs read beside: ranges, plans, tracks, corpus."""
    given = {field.name: getattr(representation, field.name) for field in fields(representation)}  # type: ignore[arg-type]
    spelt = {"name": representation.name, **given}
    return Baseline(Path(name), {"name": name, "representation": spelt, **card}, model)
