"""Named recipes: representation, network, training and sampling defaults. One preset a file, its ``PART``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from kantor import registry
from kantor.errors import OptionError, UnknownNameError
from kantor.networks import NETWORKS, NetworkConfig
from kantor.representations import Representation, columns
from kantor.score import VOICES
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

        ``network`` is the kind of another network, ``{"network": "two-level"}``, which comes with its own default
        sizes; ``representation`` is another that has the same options, ``{"representation": "chorded"}``. Wherever they
        stand, the other changes hold for those.

        Raises
        ------
        OptionError
            If a name is unknown, stands in two places, or its value is not of the setting's type; if the network sees
            both sides where the preset's sees the past, or the other way round; if the representation's options are
            others.
        """
        preset = self
        if "representation" in changes:
            preset = preset._with_representation(changes["representation"])
        if "network" in changes:
            preset = preset._with_network(changes["network"])
        for name, text in changes.items():
            if name not in WHOLE:
                preset = preset._with(name, text)
        return preset

    def check(self) -> None:
        """Whether network and representation fit.

        Raises
        ------
        OptionError
            If the network is to know counterpoint, and the fields are not voices, or ``last`` does not come first.
        """
        inputs: tuple[str, ...] = getattr(self.representation, "inputs", ())
        voices = self.representation.voiced and len(self.representation.fields) == len(VOICES)
        if getattr(self.network, "counterpoint", False) and not (voices and inputs[:1] == ("last",)):
            raise OptionError(
                "expected of counterpoint a field for each voice, and 'last' as the first of the inputs, got "
                f"{self.representation.name} with {', '.join(inputs) or 'none'}; try --set counterpoint=false."
            )

    def setting(self, name: str) -> Any:
        """The value of a setting by name; of one that other networks alone have, the first such network's.

        Raises
        ------
        OptionError
            If the name is unknown, or stands in two places.
        """
        if name in WHOLE:
            return self.network.kind if name == "network" else self.representation.name
        presets = (self, *(replace(self, network=NETWORKS[kind]()) for kind in self._kinds()))
        knowing = next((preset for preset in presets if len(preset._places(name)) == 1), self)
        return getattr(*knowing._find(name))

    def _kinds(self) -> list[str]:
        """The networks that could learn what this one does: they see as much."""
        return sorted(kind for kind, network in NETWORKS.items() if network.two_sided == self.network.two_sided)

    def _with_network(self, kind: str) -> Preset:
        """The preset with another network, of its own sizes."""
        if kind not in NETWORKS:
            raise UnknownNameError("network", kind, NETWORKS)
        if kind not in self._kinds():
            seen = "both sides" if self.network.two_sided else "the past alone"
            raise OptionError(
                f"expected a network that sees {seen} for preset '{self.name}', got '{kind}'; "
                f"try {', '.join(self._kinds())}."
            )
        return replace(self, network=NETWORKS[kind]())

    def _with_representation(self, name: str) -> Preset:
        """The preset with another representation, of the same options."""
        options = {own: getattr(self.representation, own) for own in _names(self.representation)}
        if not _alike(name, options):
            alike = [other for other in registry.names("representations") if _alike(other, options)]
            raise OptionError(
                f"expected a representation with the options of {self.representation.name} for preset '{self.name}', "
                f"got '{name}'; try {', '.join(alike)}."
            )
        return replace(self, representation=registry.part("representations", name)(**options))

    def _places(self, name: str) -> list[tuple[str, str]]:
        """(part, name there) of each setting of this name: one, unless it is unknown or has to be told apart."""
        place, _, last = name.rpartition(".")
        last = ALIASES.get(last, last)
        return [(p, last) for p in ([place] if place else PARTS) if p in PARTS and last in _names(getattr(self, p))]

    def _find(self, name: str) -> tuple[Any, str]:
        """The part that has the setting, and its name there."""
        found = self._places(name)
        if len(found) != 1:
            known = ", ".join(f"{p}.{own}" for p in PARTS for own in _names(getattr(self, p)))
            raise OptionError(
                f"expected a setting of preset '{self.name}', got '{name}'; it has {', '.join(WHOLE)}, {known}."
            )
        ((place, last),) = found
        return getattr(self, place), last

    def _with(self, name: str, text: str) -> Preset:
        part, last = self._find(name)
        if last in LEARNED:
            raise OptionError(f"expected a setting, got '{name}', which is learned from the music.")
        value = _parse(text, getattr(part, last), name)
        place = next(place for place in PARTS if getattr(self, place) is part)
        return replace(self, **{place: replace(part, **{last: value})})


PARTS = ("representation", "network", "recipe")
#: Settings that exchange a part as a whole.
WHOLE = ("representation", "network")
#: Tables learned from music, which nobody sets by hand: vocabularies, a grammar, tracks.
LEARNED = ("chords", "sounds", "offsets", "durations", "vocabulary", "grammar", "parts")
#: Other people's names for settings.
ALIASES = {"sequence_length": "window", "lr": "learning_rate"}


def _names(part: Any) -> list[str]:
    return [field.name for field in fields(part)]


def _alike(name: str, options: Mapping[str, Any]) -> bool:
    """Whether the representation of that name has these options."""
    return set(_names(registry.part("representations", name))) == set(options)


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
