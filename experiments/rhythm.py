"""Do a model's steps, durations and beats look like those of the music it learned from?

    python -m experiments.rhythm MODEL [MODEL ...] [--corpus NAME | --data DIR] [--count 24] [--bars 16]

For each model, ``count`` pieces from nothing; beside them the validation pieces of the corpus. Printed: intersections of
the step and duration histograms with the corpus's (0..1); the share of onsets on the grid of sixteenths; and two metrics
of Kantor's, onset-variance and regularity-four-beats, means over pieces of at least eight notes.
"""

from __future__ import annotations

import argparse
import json
import warnings

import numpy as np

import kantor
from kantor.errors import KantorError
from kantor.evaluation.features import hear_set
from kantor.evaluation.histograms import histograms, intersection
from kantor.evaluation.sets import estimates
from kantor.verbs._sources import source

SIXTEENTHS = 4


def rhythm(scores):
    """The three figures of metre over a list of scores."""
    kept = [score for score in scores if len(score) >= 8]
    shares = []
    for score in kept:
        places = score.notes["onset"] / score.ticks_per_quarter * SIXTEENTHS
        shares.append(np.isclose(places, np.rint(places), atol=1e-6).mean())
    asked = ("onset-variance", "regularity-four-beats")
    found = estimates(hear_set(((str(number), score) for number, score in enumerate(kept)), asked))
    return {
        "onsets_on_sixteenths": float(np.mean(shares)),
        "onset_variance": found["onset-variance"].value,
        "autocorrelation_4_beats": found["regularity-four-beats"].value,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--corpus")
    parser.add_argument("--data")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--bars", type=int, default=16)
    parser.add_argument("--temperature", type=float)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    pieces = [p.score for p in source(arguments.corpus, arguments.data, progress=False).split(arguments.split)]
    first = kantor.load(arguments.models[0])
    kept = []
    for score in pieces:
        try:
            kept.append(first.representation.canonical(score))
        except KantorError:
            continue
    known = histograms(kept)
    print(json.dumps({"corpus": rhythm(kept), "pieces": len(kept)}))
    for name in arguments.models:
        made = kantor.generate(
            name, bars=arguments.bars, seed=1, count=arguments.count, temperature=arguments.temperature
        )
        scores = [piece.score for piece in made]
        own = histograms(scores)
        shared = {key: round(intersection(known[key], own[key]), 4) for key in ("pitch", "step", "duration")}
        notes = sum(map(len, scores))
        print(json.dumps({"model": name, "pieces": len(scores), "notes": notes, **shared, **rhythm(scores)}))


if __name__ == "__main__":
    main()
