"""Every representation and every network of the registry, small enough to be judged in seconds.

A part without an entry here is judged as it is by default: new parts are covered the moment they exist.
"""

from __future__ import annotations

from typing import Any

import pytest

from kantor import registry
from kantor.networks import NETWORKS, BranchedLstm, ConvLstm, Lstm, NetworkConfig, PlainLstm
from kantor.representations import Representation, columns

WIDE = 40  # columns; a network with an LSTM for each is slow to export
DERIVED = ("voice", "phase", "own", "now", "held", "lag-1", "lag-4", "lag-16", "lag-31")
PLANNED = ("meter", "beat", "key", "fermata", "remaining")

#: Options by representation, each set under the name that its tests bear.
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "chorale": {
        "plain": {},
        "plain-all": {"order": "SBAT", "inputs": DERIVED + PLANNED},
        "full": {"spelling": "full", "order": "SBAT"},
        "full-all": {"spelling": "full", "inputs": PLANNED + DERIVED},
    },
    "events": {
        "poor": {},
        "rich": {
            "sounds": [(pitch,) for pitch in range(128)],
            "offsets": range(400),
            "durations": range(1, 385),
        },
    },
    "frames": {"sixteenths": {}, "quarters": {"steps_per_quarter": 1}},
    "notes": {
        "bare": {},
        "all": {"inputs": ("beat", "meter", "key", "remaining", "phase", "stacked"), "velocity": True},
        "chords": {"inputs": ("beat", "stacked"), "most": 3, "chords": ((60, 64), (60, 64, 67), (48, 60))},
    },
    "roll": {
        "binary": {"spelling": "binary", "steps_per_quarter": 2},
        "struck-all": {
            "inputs": ("rank", "above", "last", "lag-4", "lag-16", "beat", "meter", "key", "remaining", "phase"),
        },
    },
}

NETS: dict[str, NetworkConfig] = {
    "conv-lstm": ConvLstm(embedding=3, filters=(4, 5), dropout=0.1, hidden=8),
    "lstm": Lstm(embedding=6, hidden=8, layers=2, dropout=0.1, head=5),
    "chained-lstm": Lstm(embedding=6, hidden=8, layers=2, dropout=0.1, head=5, chained=True),
    "plain-lstm": PlainLstm(hidden=8, layers=2, dropout=0.1, dense=6, dense_dropout=0.1),
    "branched-lstm": BranchedLstm(branch=3, branch_dropout=0.1, hidden=6, dense=5, head=4, dropout=0.1),
}


def representations() -> dict[str, Representation]:
    """All representations, each with every set of options, and those of the presets, by name."""
    made: dict[str, Representation] = {}
    for name in registry.names("representations"):
        for label, options in OPTIONS.get(name, {"": {}}).items():
            made[f"{name}-{label}".strip("-")] = registry.part("representations", name)(**options)
    for name in registry.names("presets"):
        representation = registry.part("presets", name).representation
        if representation.name not in OPTIONS:
            made[f"of-{name}"] = representation
    return made


def networks() -> dict[str, NetworkConfig]:
    """A small config of every network, by name."""
    return {**{name: NETWORKS[name]() for name in registry.names("models")}, **NETS}


def pairs() -> list[Any]:
    """Every network with the representation of each file that has the fewest conditions, and that with the most."""
    made = representations()
    labels: set[str] = set()
    for kind in {type(representation) for representation in made.values()}:
        own = [label for label, representation in made.items() if type(representation) is kind]
        own.sort(key=lambda label: len(made[label].conditions))
        labels |= {own[0], own[-1]}
    return [
        pytest.param(config, made[label], id=f"{name}-{label}")
        for name, config in networks().items()
        for label in sorted(labels)
    ]


def few_pairs() -> list[Any]:
    """Every network with one representation for each choice of kinds of fields: the one with most fields, then inputs.

    A network that runs an LSTM for each column is spared the widest.
    """
    made = representations()
    chosen: dict[frozenset[str], str] = {}
    for label in sorted(made, key=lambda label: (len(made[label].fields), len(made[label].conditions))):
        chosen[frozenset(columns(made[label]).kinds)] = label
    return [
        pytest.param(config, made[label], id=f"{name}-{label}")
        for name, config in networks().items()
        for label in sorted(chosen.values())
        if not (isinstance(config, BranchedLstm) and len(columns(made[label]).inputs) > WIDE)
    ]


def each_representation() -> Any:
    """The mark that gives a test every representation in turn."""
    return pytest.mark.parametrize(
        "representation", [pytest.param(made, id=label) for label, made in representations().items()]
    )
