"""Does a model that has left Bach's path still hold notes as often as he does? If not, another that does.

    python -m experiments.hold_share MODEL --out FOLDER

After true music a trained network expects a hold as often as one comes, which is printed first; after its own it may hold
too little. So one number is added to the logit of *hold*, the same for all voices: pieces of the model's own (unprompted,
16 bars, no rules, temperature 1) shall hold as many cells as the pieces it has learned from. Shares are tried in turn, each
where a line through those before meets the wanted one; the last is measured once more, on other pieces. The new model's
card says what was added, and has figures of its own.
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
from kantor.errors import OptionError
from kantor.models import Network
from kantor.representations import inputs_of
from kantor.representations.choir import Choir
from kantor.runtime import Runtime
from kantor.score import Score
from kantor.training.export import add_metrics, export, restore
from kantor.verbs.generate import generate
from kantor.verbs.train import _metrics

FIRST, MOST = 0.1, 0.4  # what is tried first, and at most
MADE_ANEW = {"format", "parameters", "kantor", "git", "seal", *SEALED}


def held(choir: Choir, scores: Sequence[Score]) -> float:
    """The share of all cells of ``scores`` that are held."""
    return float(np.concatenate([(choir.encode(score).values == choir.hold).ravel() for score in scores]).mean())


def expected(model: Bundle, scores: Sequence[Score]) -> float:
    """The share that the model expects, each cell told by the true ones before it."""
    choir, runtime, shares = model.representation, Runtime(model), []
    for score in scores:
        encoding = choir.encode(score)
        features, _ = runtime.run(inputs_of(encoding, choir)[None], runtime.initial(1))
        for k in range(len(choir.fields)):
            logits = runtime.field(features, encoding.values[None], k)[0].astype(float)
            odds = np.exp(logits - logits.max(-1, keepdims=True))
            shares.append((odds / odds.sum(-1, keepdims=True))[:, choir.hold])
    return float(np.concatenate(shares).mean())


def raised(network: Network, model: Bundle, by: float, out: Path) -> Bundle:
    """The model with ``by`` added to every voice's logit of *hold*."""
    other = copy.deepcopy(network)
    with torch.no_grad():
        for head in other.heads.linear:
            head.bias[model.representation.hold] += by
    card = {name: value for name, value in model.card.items() if name not in MADE_ANEW}
    before = card["training"].get("hold_raised_by", 0.0)
    card["training"] = {**card["training"], "hold_raised_by": round(before + by, 4)}
    return export(other, model.network, model.representation, out, card, half=card["recipe"]["store"] == "float16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--count", type=int, default=256, help="pieces a round")
    parser.add_argument("--rounds", type=int, default=2, help="after the two with nothing and with .1 added")
    options = parser.parse_args()
    model = load(options.model)
    if getattr(model.representation, "hold", None) is None or not isinstance(model.representation, Choir):
        raise OptionError(f"expected a model of frames with holds, as 'chorale' is; '{model.name}' is another.")
    network, corpus = restore(model), corpora.load("bach")
    train, valid = ([piece.score for piece in corpus.split(split)] for split in ("train", "valid"))
    wanted = held(model.representation, train)
    print(f"held: {wanted:.4f} of the cells of train, {held(model.representation, valid):.4f} of valid,")
    print(f"where the model expects {expected(model, valid):.4f}")

    def found(by: float, seed: int) -> float:
        drawn = {"rules": ("none",), "seed": seed, "temperature": 1.0, "top_p": 1.0}
        with tempfile.TemporaryDirectory() as folder:
            made = raised(network, model, by, Path(folder))
            pieces = generate(made, bars=16, count=options.count, **drawn)
        share = held(model.representation, [piece.score for piece in pieces])
        print(f"raised by {by:.4f}: {share:.4f} of its own", flush=True)
        return share

    def fitted() -> float:
        slope, middle = np.polyfit(*zip(*tried, strict=True), 1)
        return float(np.clip((wanted - middle) / slope, -MOST, MOST))

    tried = [(by, found(by, seed)) for seed, by in enumerate((0.0, FIRST))]
    for _ in range(options.rounds):
        by = fitted()
        tried.append((by, found(by, len(tried))))
    by = fitted()
    found(by, len(tried))
    made = raised(network, model, by, options.out)
    made = add_metrics(made, _metrics(made, valid))
    before, after = (card["metrics"]["whole"]["nats_per_note"] for card in (model.card, made.card))
    print(f"{options.out}: raised by {by:.4f}, {before:.4f} -> {after:.4f} nats a note on valid")


if __name__ == "__main__":
    main()
