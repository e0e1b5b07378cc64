"""Writes golden.json anew: what metrics say of ten chorales of music21's own corpus.

    python tests/golden/metrics/regenerate.py

A figure that changes here has changed for every user: say in CHANGELOG.md which, and why.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from kantor import metrics
from kantor.io import load

GOLDEN = Path(__file__).with_name("golden.json")
PIECES = ("bwv1.6", "bwv10.7", "bwv66.6", "bwv101.7", "bwv244.46", "bwv253", "bwv269", "bwv318", "bwv347", "bwv430")


def file_of(piece):
    """Where music21 keeps a chorale of Bach's."""
    from music21 import corpus

    return Path(corpus.getWork(f"bach/{piece}"))


def said(score):
    """Figure -> its number, or its weights, or how many moments its curve has and their mean; None where undefined."""
    found = {}
    for name, value in metrics.measure(score).items():
        if isinstance(value, metrics.Histogram):
            found[name] = [round(weight, 9) for weight in value.weights.tolist()]
        elif isinstance(value, metrics.Curve):
            found[name] = [len(value.values), round(float(value.values.mean()), 9)] if len(value.values) else None
        else:
            found[name] = None if math.isnan(value.number) else round(value.number, 9)
    return found


if __name__ == "__main__":
    golden = {piece: said(load(file_of(piece))) for piece in PIECES}
    rows = [  # a line a figure
        f'"{piece}": {{\n' + ",\n".join(f' "{name}": {json.dumps(value)}' for name, value in found.items()) + "\n}"
        for piece, found in golden.items()
    ]
    GOLDEN.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="ascii")
