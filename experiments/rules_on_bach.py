"""How often does Bach keep the rules? Which of them are his, and which a textbook's?

    python -m experiments.rules_on_bach [--corpus bach] [--split valid] [--markdown]

Every rule that needs no option of the user's, over the chorales of a split on the grid of sixteenths. Printed for each:
the share of the chorales that keep it, and faults (moments with one) per 1,000 frames.
"""

from __future__ import annotations

import argparse
import json

from kantor import corpora, registry
from kantor.errors import RuleError
from kantor.representations.chorale import STEP, Chorale
from kantor.rules import faults

GIVEN = ("chords", "figured-bass", "locked")  # these say nothing until a user does


def judged(scores, name):
    """Chorales, those that keep the rule, frames and faults; pieces without what the rule needs are not counted."""
    pieces = kept = frames = found = 0
    for score in scores:
        try:
            wrong = faults(score, {name: registry.part("rules", name)()}, step=STEP)
        except RuleError:
            continue
        pieces, kept = pieces + 1, kept + (not wrong)
        frames, found = frames + score.length_ticks // STEP, found + len(wrong)
    return {"rule": name, "chorales": pieces, "keep_it": kept / pieces, "faults_per_1000_frames": 1000 * found / frames}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", default="bach")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--markdown", action="store_true", help="a table, as in docs/rules.md")
    options = parser.parse_args()
    corpus = corpora.load(options.corpus, progress=False)
    chorale = Chorale(spelling="full")
    scores = [chorale.canonical(piece.score) for piece in corpus.split(options.split)]
    for name in registry.names("rules"):
        if name in GIVEN:
            continue
        row = judged(scores, name)
        if options.markdown:
            print(f"| `{name}` | {100 * row['keep_it']:.0f} % | {row['faults_per_1000_frames']:.1f} |")
        else:
            print(json.dumps(row))


if __name__ == "__main__":
    main()
