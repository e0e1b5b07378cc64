"""Does safe music run into loops, and what keeps it out of them? (Seed 002's worry, and its penalty of a half.)

    python -m experiments.loops [--model roll] [--count 24] [--bars 16]

One line of JSON for the corpus and for each way of composing at temperature .5: the share of pieces in which one beat, or
one bar, comes more than four times in a row (the rule no-loops), and nats a note.
"""

from __future__ import annotations

import argparse
import json

import kantor
from kantor.corpora import load
from kantor.rules import faults
from kantor.rules.no_loops import NoLoops

WAYS = {
    "as it is": {},
    "soft repetition": {"soft": ["repetition"]},
    "soft repetition, hard no-loops": {"soft": ["repetition"], "rules": ["no-loops"]},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="roll")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--bars", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    pieces = [piece.score for piece in load("bach", progress=False).members if piece.split == "train"]
    print(json.dumps({"way": "corpus", **looping(pieces)}), flush=True)
    for way, options in WAYS.items():
        made = kantor.generate(
            args.model, bars=args.bars, count=args.count, seed=args.seed, temperature=0.5, meter="4/4", **options
        )
        nats = sum(piece.nats_per_note for piece in made) / len(made)
        print(json.dumps({"way": way, **looping([piece.score for piece in made]), "nats": round(nats, 3)}), flush=True)


def looping(scores):
    """Share of the scores with a bar, and with a beat, that comes a fifth time in a row."""
    spans = ("bar", "beat")
    rules = {span: NoLoops(span) for span in spans}
    found = [{span: bool(faults(score, {span: rules[span]})) for span in spans} for score in scores]
    return {"pieces": len(scores), **{span: round(sum(f[span] for f in found) / len(found), 3) for span in spans}}


if __name__ == "__main__":
    main()
