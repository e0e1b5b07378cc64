"""Named recipes: representation, network, training and sampling defaults. One preset a file, its ``PART``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
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
    """

    name: str
    about: str
    representation: Representation
    network: NetworkConfig
    recipe: Recipe
    seed: str = ""

    @property
    def parameters(self) -> int:
        """Size of the network, one bias a gate."""
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

    def _with(self, name: str, text: str) -> Preset:
        place, _, last = name.rpartition(".")
        places = [place] if place else ["representation", "network", "recipe"]
        found = [p for p in places if p in PARTS and last in {f.name for f in fields(getattr(self, p))}]
        if len(found) != 1:
            known = ", ".join(f"{p}.{f.name}" for p in PARTS for f in fields(getattr(self, p)))
            raise OptionError(f"expected a setting of preset '{self.name}', got '{name}'; it has {known}.")
        part = getattr(self, found[0])
        value = _parse(text, getattr(part, last), name)
        return replace(self, **{found[0]: replace(part, **{last: value})})


PARTS = ("representation", "network", "recipe")


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
