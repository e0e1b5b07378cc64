"""Named recipes: representation, network, training and sampling defaults. One preset a file, its ``PART``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from kantor.errors import OptionError
from kantor.networks import NetworkConfig
from kantor.representations import Representation, columns
from kantor.training.recipe import Recipe

__all__ = ["Preset"]


@dataclass(frozen=True)
class Preset:
    """A system that can be trained by name.

    Parameters
    ----------
    name            what it is called.
    about           one sentence: what it is, what it is good at.
    representation  with its options.
    network         its sizes.
    recipe          how it is trained.
    seed            the notebook or paper it repeats, empty for our own.
    sampling        what its models are played with unless another is asked for: temperature, top_k, top_p, min_p.
    tracks          what is taken of each piece, "" for all as it is (:class:`kantor.corpora.Selection`).
    corpus          what it learns from unless told.
    """

    name: str
    about: str
    representation: Representation
    network: NetworkConfig
    recipe: Recipe
    seed: str = ""
    sampling: Mapping[str, float] = field(default_factory=dict)
    tracks: str = ""
    corpus: str = "bach"

    @property
    def parameters(self) -> int:
        """Size of the network, one bias a gate; with the vocabularies it has before it has learned any."""
        return self.network.parameters(*columns(self.representation))

    def override(self, changes: dict[str, str]) -> Preset:
        """The preset with settings changed by name: ``{"hidden": "512", "recipe.epochs": "3"}``.

        Raises
        ------
        OptionError
            If a name is unknown, stands in two places, or its value is not of the setting's type.
        """
        preset = self
        for name, text in changes.items():
            preset = preset._with(name, text)
        return preset

    def setting(self, name: str) -> Any:
        """The value of a setting by name.

        Raises
        ------
        OptionError
            If the name is unknown, or stands in two places.
        """
        return getattr(*self._find(name))

    def _find(self, name: str) -> tuple[Any, str]:
        """The part that has the setting, and its name there."""
        place, _, last = name.rpartition(".")
        last = ALIASES.get(last, last)
        places = [place] if place else ["representation", "network", "recipe"]
        found = [p for p in places if p in PARTS and last in {f.name for f in fields(getattr(self, p))}]
        if len(found) != 1:
            known = ", ".join(f"{p}.{f.name}" for p in PARTS for f in fields(getattr(self, p)))
            raise OptionError(f"expected a setting of preset '{self.name}', got '{name}'; it has {known}.")
        return getattr(self, found[0]), last

    def _with(self, name: str, text: str) -> Preset:
        part, last = self._find(name)
        if last in LEARNED:
            raise OptionError(f"expected a setting, got '{name}', which is learned from the music.")
        value = _parse(text, getattr(part, last), name)
        place = next(place for place in PARTS if getattr(self, place) is part)
        return replace(self, **{place: replace(part, **{last: value})})


PARTS = ("representation", "network", "recipe")
#: Tables learned from music, which nobody sets by hand: vocabularies, a grammar, tracks.
LEARNED = ("chords", "sounds", "offsets", "durations", "vocabulary", "grammar", "parts")
#: Other people's names for settings.
ALIASES = {"sequence_length": "window", "lr": "learning_rate"}


def _parse(text: str, now: Any, name: str) -> Any:
    try:
        if isinstance(now, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(now, tuple):
            items = [item.strip() for item in text.split(",") if item.strip()]
            return tuple(type(now[0])(item) if now else item for item in items)
        return type(now)(text)
    except (ValueError, KeyError):
        kind = type(now).__name__
        raise OptionError(f"expected {name} to be of type {kind} (now {now}), got '{text}'.") from None
