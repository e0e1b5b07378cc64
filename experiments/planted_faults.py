"""Are faults that were planted in 50 chorales found, each of seven kinds, at the right bar and between the right voices?

    .venv/bin/python experiments/planted_faults.py

Prints a row a kind: how many were planted, how many were found, and how many pieces gained a fault in another bar.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from kantor import corpora
from kantor.evaluation.counterpoint import examine
from planting import KINDS, by_bar, plant

PIECES = 50


def main():
    rng = np.random.default_rng(0)
    members = [piece for piece in corpora.load("bach", progress=False).members if piece.split != "test"]
    print("kind                    planted  found  others gained")
    for kind in KINDS:
        order = rng.permutation(len(members)).tolist()
        planted = found = gained = 0
        while planted < PIECES and order:
            piece = members[order.pop()]
            made = plant(piece.score, kind, rng)
            if made is None:
                continue
            planted += 1
            before, after = examine(piece.score).faults, examine(made.score).faults
            found += (kind, made.tick, made.voices) in {(f.kind, f.tick, f.voices) for f in after}
            new = by_bar(made.score, after) - by_bar(piece.score, before)
            gained += any(bar != made.bar for bar, _, _ in new)
        print(f"{kind:24}{planted:7}{found:7}{gained:15}")


if __name__ == "__main__":
    main()
