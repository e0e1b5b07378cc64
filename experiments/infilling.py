"""How well does a two-sided model fill in what is missing, by our own figures and by Coconet's?

    python -m experiments.infilling MODEL --data FOLDER [--crops 20] [--orders 5] [--seed 0]

FOLDER holds the pieces, CSV grids or others. One line of JSON for each figure: every cell in a random order; the same of
the three lower voices, the soprano given; frames in a random order, by the protocol of Huang et al. (2017). What they
mean stands in :mod:`kantor.evaluation.infilling`. An untrained model has 4 ln 46.5 = 15.4 nats a frame in the last: of
93 classes every pitch has two.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import kantor
from kantor import io
from kantor.evaluation.infilling import coconet, infilling
from kantor.runtime import Runtime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--crops", type=int, default=20)
    parser.add_argument("--orders", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    scores = [io.load(path) for path in sorted(arguments.data.iterdir()) if path.suffix in io.SUFFIXES]
    bundle = kantor.load(arguments.model)
    judged = Runtime(bundle, threads=arguments.threads), bundle.representation, scores
    drawn = {"orders": arguments.orders, "seed": arguments.seed}
    figures = {
        "cells": lambda: infilling(*judged, **drawn),
        "harmonising": lambda: infilling(*judged, given=(0,), **drawn),
        "coconet": lambda: coconet(*judged, crops=arguments.crops, **drawn),
    }
    for name, figure in figures.items():
        began = time.monotonic()
        found = figure().to_dict()
        print(json.dumps({"figure": name, **found, "seconds": round(time.monotonic() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
