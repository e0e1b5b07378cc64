"""Does a model that has left Bach's path still hold notes as often as he does? If not, another that does.

    python -m experiments.hold_share chorale --out runs/chorale-held

After true music a trained network expects a hold as often as one comes; after its own it holds too little, and what
moves where it should have waited leads on to more of it. So one number is added to the logit of *hold*, the same for
all voices, found by secants: pieces of the model's own (unprompted, 16 bars, no rules, temperature 1) shall hold as
many cells as the pieces it has learned from. What it costs in likelihood stands in the new model's card, beside the number.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from kantor import corpora
from kantor.bundle import SEALED, Bundle, load
from kantor.models import Network
from kantor.representations.choir import Choir
from kantor.score import Score
from kantor.training.export import add_metrics, export, restore
from kantor.verbs.generate import generate
from kantor.verbs.train import _metrics

FIRST, MOST = 0.1, 0.4
MADE_ANEW = {"format", "parameters", "kantor", "git", "seal", *SEALED}


def held(choir: Choir, scores: Sequence[Score]) -> float:
    """The share of all cells of ``scores`` that are held."""
    return float(np.concatenate([(choir.encode(score).values == choir.hold).ravel() for score in scores]).mean())


def raised(network: Network, model: Bundle, by: float, out: Path) -> Bundle:
    """The model with ``by`` added to every voice's logit of *hold*."""
    other = copy.deepcopy(network)
    with torch.no_grad():
        for head in other.heads.linear:
            head.bias[model.representation.hold] += by
    card = {name: value for name, value in model.card.items() if name not in MADE_ANEW}
    card["training"] = {**card["training"], "hold_raised_by": round(by, 4)}
    return export(other, model.network, model.representation, out, card, half=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--count", type=int, default=256, help="pieces a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    model = load(options.model)
    network, corpus = restore(model), corpora.load("bach")
    train, valid = ([piece.score for piece in corpus.split(split)] for split in ("train", "valid"))
    wanted = held(model.representation, train)
    print(f"Bach holds {wanted:.4f} of the cells")

    def found(by: float, seed: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            made = raised(network, model, by, Path(folder))
            pieces = generate(
                made, bars=16, count=options.count, rules=("none",), seed=seed, temperature=1.0, top_p=1.0
            )
        share = held(model.representation, [piece.score for piece in pieces])
        print(f"raised by {by:.4f}: {share:.4f}", flush=True)
        return share

    tried = [(0.0, found(0.0, 0)), (FIRST, found(FIRST, 1))]
    for seed in range(2, options.rounds + 2):
        slope, middle = np.polyfit(*zip(*tried, strict=True), 1)
        by = float(np.clip((wanted - middle) / slope, -MOST, MOST))
        if seed < options.rounds + 1:
            tried.append((by, found(by, seed)))
    made = raised(network, model, by, options.out)
    made = add_metrics(made, _metrics(made, valid))
    before, after = (card["metrics"]["whole"]["nats_per_note"] for card in (model.card, made.card))
    print(f"{options.out}: raised by {by:.4f}, {before:.4f} -> {after:.4f} nats a note on valid")


if __name__ == "__main__":
    main()
