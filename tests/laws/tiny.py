"""Every representation and every network of the registry, small enough to be judged in seconds.

A part without an entry here is judged as it is by default: new parts are covered the moment they exist.
"""

from __future__ import annotations

from typing import Any

import pytest

from kantor import registry
from kantor.networks import NETWORKS, ConvLstm, Lstm, NetworkConfig
from kantor.representations import Representation

DERIVED = ("voice", "phase", "own", "now", "held", "lag-1", "lag-4", "lag-16", "lag-31")
PLANNED = ("meter", "beat", "key", "fermata", "remaining")

#: Options by representation, each set under the name that its tests bear.
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "chorale": {
        "plain": {},
        "plain-all": {"order": "SBAT", "inputs": DERIVED + PLANNED},
        "full": {"spelling": "full", "order": "SBAT"},
        "full-all": {"spelling": "full", "inputs": PLANNED + DERIVED},
    }
}

NETS: dict[str, NetworkConfig] = {
    "conv-lstm": ConvLstm(embedding=3, filters=(4, 5), dropout=0.1, hidden=8),
    "lstm": Lstm(embedding=6, hidden=8, layers=2, dropout=0.1, head=5),
}


def representations() -> dict[str, Representation]:
    """All representations, each with every set of options, and those of the presets, by name."""
    made: dict[str, Representation] = {}
    for name in registry.names("representations"):
        for label, options in OPTIONS.get(name, {"": {}}).items():
            made[f"{name}-{label}".strip("-")] = registry.part("representations", name)(**options)
    for name in registry.names("presets"):
        representation = registry.part("presets", name).representation
        if representation not in made.values():
            made[f"of-{name}"] = representation
    return made


def networks() -> dict[str, NetworkConfig]:
    """A small config of every network, by name."""
    return {name: NETS.get(name) or NETWORKS[name]() for name in registry.names("models")}


def pairs() -> list[Any]:
    """Every network with one representation that has no conditions at all and one that has every kind."""
    bare: dict[str, str] = {}
    rich: dict[str, str] = {}
    for label, representation in representations().items():
        kind = type(representation).__name__
        width = len(representation.conditions)
        if kind not in bare or width < len(representations()[bare[kind]].conditions):
            bare[kind] = label
        if kind not in rich or width > len(representations()[rich[kind]].conditions):
            rich[kind] = label
    labels = sorted({*bare.values(), *rich.values()})
    return [
        pytest.param(config, representations()[label], id=f"{name}-{label}")
        for name, config in networks().items()
        for label in labels
    ]


def each_representation() -> Any:
    """The mark that gives a test every representation in turn."""
    return pytest.mark.parametrize(
        "representation", [pytest.param(made, id=label) for label, made in representations().items()]
    )
