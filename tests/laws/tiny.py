"""Every representation and every network of the registry, small enough to be judged in seconds.

A part without an entry here is judged as it is by default: new parts are covered the moment they exist.
"""

from __future__ import annotations

from typing import Any

import pytest

from kantor import registry
from kantor.networks import (
    NETWORKS,
    AttentiveLstm,
    BranchedLstm,
    ConvLstm,
    Lstm,
    NetworkConfig,
    PlainLstm,
    Transformer,
    TwoLevel,
    TwoSided,
    VoiceLstms,
)
from kantor.representations import Representation, columns

PER_COLUMN = (BranchedLstm, ConvLstm)  # networks with an LSTM or a table for each column
WIDE = 40  # columns
DERIVED = ("voice", "phase", "own", "last", "now", "held", "lag-1", "lag-4", "lag-16", "lag-64")
PLANNED = ("meter", "beat", "key", "fermata", "remaining")

#: Options by representation, each set under the name that its tests bear.
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "cells": {"bare": {}, "all": {"inputs": ("phase", *PLANNED)}},
    "choir": {
        "plain": {"order": "SBAT"},
        "plain-last": {"order": "SBAT", "inputs": ("last", "phase")},
        "full-all": {
            "spelling": "full",
            "order": "SBAT",
            "inputs": ("last", "phase", "now", "held", "lag-4", "lag-16", *PLANNED),
        },
    },
    "chorale": {
        "plain": {},
        "plain-all": {"order": "SBAT", "inputs": DERIVED + PLANNED},
        "full": {"spelling": "full", "order": "SBAT"},
        "full-all": {"spelling": "full", "inputs": PLANNED + DERIVED},
    },
    "chorded": {
        "plain": {"order": "SBAT"},
        "full-all": {"spelling": "full", "inputs": ("phase", "now", "held", "lag-4", *PLANNED)},
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
        "all": {
            "inputs": (
                *("beat", "meter", "key", "remaining", "phase", "stacked"),
                *("before", "above", "sounding", "left", "here", "soonest"),
            ),
            "velocity": True,
        },
        "chords": {
            "inputs": ("beat", "stacked", "above", "soonest"),
            "most": 3,
            "chords": ((60, 64), (60, 64, 67), (48, 60)),
        },
    },
    "roll": {
        "binary": {"spelling": "binary", "steps_per_quarter": 2, "inputs": ("age",)},
        "struck-all": {
            "inputs": ("rank", "above", "age", "last", "lag-4", "lag-16", "beat", "meter", "key", "remaining", "phase"),
        },
    },
}

NETS: dict[str, NetworkConfig] = {
    "conv-lstm": ConvLstm(embedding=3, filters=(4, 5), dropout=0.1, hidden=8),
    "lstm": Lstm(embedding=6, hidden=8, layers=2, dropout=0.1, head=5),
    "chained-lstm": Lstm(embedding=6, hidden=8, layers=2, dropout=0.1, head=5, chained=True),
    "attentive-lstm": AttentiveLstm(
        embedding=6,
        hidden=8,
        layers=2,
        attention=4,
        memory=7,
        head=5,
        dropout=0.1,
        input_dropout=0.1,
        recurrent_dropout=0.1,
    ),
    "counterpoint": AttentiveLstm(
        embedding=6, hidden=8, layers=1, attention=4, memory=7, head=5, dropout=0.1, counterpoint=True
    ),
    "transformer": Transformer(hidden=8, layers=2, heads=2, inner=12, memory=7, dropout=0.1, input_dropout=0.1),
    "plain-lstm": PlainLstm(hidden=8, layers=2, dropout=0.1, dense=6, dense_dropout=0.1),
    "two-level": TwoLevel(
        embedding=6,
        hidden=8,
        layers=2,
        slow=5,
        span=3,
        head=5,
        dropout=0.1,
        input_dropout=0.1,
        recurrent_dropout=0.1,
    ),
    "voice-lstms": VoiceLstms(
        embedding=6, hidden=8, layers=2, head=5, dropout=0.1, input_dropout=0.1, recurrent_dropout=0.1
    ),
    "two-sided": TwoSided(embedding=6, hidden=8, layers=2, dropout=0.1, head=5),
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
        if representation.name not in OPTIONS and representation not in made.values():
            made[f"of-{name}"] = representation
    return made


def networks() -> dict[str, NetworkConfig]:
    """A small config of every network, by name."""
    return {**{name: NETWORKS[name]() for name in registry.names("models")}, **NETS}


def fits(config: NetworkConfig, representation: Representation) -> bool:
    """Whether the network can learn from this representation.

    A two-sided one learns from cells alone, counterpoint from frames of voices, told first what these sang last.
    """
    if config.two_sided:
        return representation.name == "cells"
    told: tuple[str, ...] = getattr(representation, "inputs", ())
    return not getattr(config, "counterpoint", False) or (representation.name == "choir" and told[:1] == ("last",))


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
        if fits(config, made[label])
    ]


def few_pairs() -> list[Any]:
    """Every network with one representation for each choice of kinds of fields, the one with the most columns.

    A network with a part for every column gets the one with the fewest, and none that is wide: it would be slow.
    """
    made = representations()
    by_kinds: dict[frozenset[str], list[str]] = {}
    for label in sorted(made, key=lambda label: (len(columns(made[label]).outputs), len(columns(made[label]).inputs))):
        by_kinds.setdefault(frozenset(columns(made[label]).kinds), []).append(label)
    chosen = []
    for name, config in networks().items():
        fitting = ([label for label in own if fits(config, made[label])] for own in by_kinds.values())
        labels = sorted(own[0 if isinstance(config, PER_COLUMN) else -1] for own in fitting if own)
        for label in labels:
            if not (isinstance(config, PER_COLUMN) and len(columns(made[label]).inputs) > WIDE):
                chosen.append(pytest.param(config, made[label], id=f"{name}-{label}"))
    return chosen


def one_pair_each() -> list[Any]:
    """Of the few pairs one for each network, another kind of field from one to the next: exporting takes seconds."""
    by_network: dict[NetworkConfig, list[Any]] = {}
    for pair in few_pairs():
        by_network.setdefault(pair.values[0], []).append(pair)
    return [own[number % len(own)] for number, own in enumerate(by_network.values())]


def each_representation() -> Any:
    """The mark that gives a test every representation in turn."""
    return pytest.mark.parametrize(
        "representation", [pytest.param(made, id=label) for label, made in representations().items()]
    )
