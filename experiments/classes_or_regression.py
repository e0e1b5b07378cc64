"""Seed 001's open question: should times be classes of a vocabulary, or numbers that a network regresses?

    python -m experiments.classes_or_regression [--corpus bach | --data DIR] [--epochs 10]

The same notes, windows of 100, Adam .002 and number of epochs, read by the same LSTM of 128 units: times as regressions
(seed 003's losses, and with equal weights), as independent classes, and as classes of which each knows those before it.
Printed: nats a note on the validation pieces, in all and by field.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import kantor
from kantor import registry
from kantor.networks import Lstm, PlainLstm
from kantor.representations.notes import Notes


def variants(epochs):
    tutorial = registry.part("presets", "seed-003")
    recipe = replace(tutorial.recipe, epochs=epochs, window=100, learning_rate=2e-3, patience=0)
    regression = replace(tutorial, recipe=recipe)
    classes = replace(regression, representation=Notes(), recipe=replace(recipe, loss_weights=()))
    return {
        "regression, weights .05 / 1 / 1": regression,
        "regression, weights 1 / 1 / 1": replace(regression, recipe=replace(recipe, loss_weights=(1.0, 1.0, 1.0))),
        "classes, independent": replace(classes, network=PlainLstm(hidden=128)),
        "classes, embedded, independent": replace(classes, network=Lstm(64, 128, 1, 0.1, 0)),
        "classes, embedded, chained": replace(classes, network=Lstm(64, 128, 1, 0.1, 0, chained=True)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus")
    parser.add_argument("--data")
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    where = {"corpus": arguments.corpus, "data": arguments.data}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, preset) in enumerate(variants(arguments.epochs).items()):
            made = kantor.train(preset, out=Path(folder) / str(number), say=lambda _: None, **where)
            figures, _ = kantor.evaluate(made, **where)
            fields = {field: round(nats, 3) for field, nats in figures.nats_by_field.items()}
            row = {
                "times": name,
                "parameters": made.card["parameters"],
                "nats_per_note": round(figures.nats_per_note, 3),
            }
            print(json.dumps({**row, **fields}), flush=True)


if __name__ == "__main__":
    main()
