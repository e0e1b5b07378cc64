"""A forward model that is forced to sing a given soprano, beside one that fills in from both sides: who comes nearer to Bach?

    python -m experiments.forced_soprano FOLDER [--model chorale] [--pieces 0] [--beam 8]

FOLDER has chorales as grids. The forward model decides bass, alto and tenor of each sixteenth after its soprano, never
knowing what comes: drawn at temperature 1, and by a beam. Rows of JSON, to be read beside `experiments.harmonize_valid`:
shares of lower cells that are Bach's, of quarters whose pitch classes are; moving pairs beside Bach's; faults.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import kantor
from experiments.harmonize_valid import faults, grid_of, motions, set_of
from kantor import io
from kantor.representations import decided
from kantor.runtime import Runtime
from kantor.sampling.beam import beam
from kantor.sampling.guard import Guard, asked
from kantor.sampling.stream import stream
from kantor.verbs._steering import BY_DEFAULT


def forced(bundle, encoding):
    """(steps, columns) the soprano's cells, -1 elsewhere."""
    values = np.full_like(encoding.values, -1)
    turns = bundle.representation.order.index("S")
    if decided(bundle.representation) == 1:
        values[turns::4] = encoding.values[turns::4]
    else:
        values[:, turns] = encoding.values[:, turns]
    return values


def sung(bundle, model, score, how: str, width: int, seed: int):
    """A harmonisation, its nats a free cell, what the rules cost there, and steps at which they left nothing."""
    known = bundle.representation
    encoding = known.encode(score)
    rules, fixed = asked((), (), BY_DEFAULT), forced(bundle, encoding)

    def guard(pieces: int) -> Guard:
        return Guard(rules, [encoding.plan] * pieces, known.step, voiced=True)

    free = 3 * encoding.notes / 4
    if how == "beam":
        found = beam(model, known, encoding.plan, width=width, guard=guard, fixed=fixed)[0]
        return known.decode(found.values, encoding.plan), found.nats.sum() / free, found.cost.sum() / free, 0
    steps = list(stream(model, known, encoding.plan, [np.random.default_rng(seed)], guard=guard(1), fixed=fixed))
    values = np.concatenate([step.values for step in steps])
    nats, cost = (sum(float(getattr(step, name)[0]) for step in steps) / free for name in ("nats", "cost"))
    return known.decode(values, encoding.plan), nats, cost, sum(bool(step.dead[0]) for step in steps)


def row(files, bundle, model, how: str, width: int) -> dict[str, float]:
    sums: dict[str, float] = {}
    began = time.process_time()
    for seed, file in enumerate(files):
        bach = io.load(file)
        made, nats, cost, dead = sung(bundle, model, bach, how, width, seed)
        own, given = grid_of(made), grid_of(bach)
        beats = list(zip(own, given, strict=True))[::4]
        counted = {
            "pieces": 1,
            "soprano_changed": [r[0] for r in own] != [r[0] for r in given],
            "frames": len(own),
            "same": sum(a[v] == b[v] for a, b in zip(own, given, strict=True) for v in (1, 2, 3)),
            "beats": len(beats),
            "same_chords": sum(set_of(a) == set_of(b) for a, b in beats),
            "moving": sum(1 for _ in motions(own)),
            "moving_bach": sum(1 for _ in motions(given)),
            "nats": nats,
            "cost": cost,
            "dead": dead,
            **faults(own),
        }
        for name, count in counted.items():
            sums[name] = sums.get(name, 0) + float(count)
    return {
        "how": how,
        "pieces": sums["pieces"],
        "soprano_changed": sums["soprano_changed"],
        "same_cells": sums["same"] / (3 * sums["frames"]),
        "same_chords_on_beats": sums["same_chords"] / sums["beats"],
        "moving_pairs_of_bach": sums["moving"] / sums["moving_bach"],
        "nats_a_free_cell": sums["nats"] / sums["pieces"],
        "rules_cost": sums["cost"] / sums["pieces"],
        "steps_without_a_way": sums["dead"],
        **{name: sums[name] for name in ("fifths", "octaves", "crossings")},
        "seconds_a_piece": (time.process_time() - began) / sums["pieces"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="chorale")
    parser.add_argument("--pieces", type=int, default=0, help="only so many")
    parser.add_argument("--beam", type=int, default=8)
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.csv"))
    files = files[: arguments.pieces] if arguments.pieces else files
    bundle = kantor.load(arguments.model)
    model = Runtime(bundle)
    for how in ("drawn", "beam"):
        print(json.dumps(row(files, bundle, model, how, arguments.beam)), flush=True)


if __name__ == "__main__":
    main()
