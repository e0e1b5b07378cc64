"""What a constant says of piano rolls: every key as often as the training frames have it, whatever came before.

    python -m experiments.constant_roll FOLDER [FOLDER ...] [--steps-per-quarter 1]

Printed, on the validation frames: nats a frame, and the same a key (what seed 002 calls its loss and wants below .3),
the share of keys rightly said by saying that none sounds, and the sounding keys a frame.
"""

from __future__ import annotations

import argparse
import json
import warnings

import numpy as np

from kantor.errors import KantorError
from kantor.representations.frames import KEYS, Frames
from kantor.verbs._sources import source


def frames_of(corpus, split, representation):
    made = []
    for piece in corpus.pieces(split):
        try:
            made.append(representation.encode(piece.score).values)
        except KantorError:
            continue
    return np.concatenate(made)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--steps-per-quarter", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    representation = Frames(arguments.steps_per_quarter)
    for folder in arguments.folders:
        corpus = source(None, folder, progress=False)
        train, valid = (frames_of(corpus, split, representation) for split in ("train", "valid"))
        chance = (train.sum(0) + 1) / (len(train) + 2)
        nats = -(valid * np.log(chance) + (1 - valid) * np.log(1 - chance)).sum(1).mean()
        row = {
            "nats_per_frame": nats,
            "bce": nats / KEYS,
            "none_sounds": 1 - valid.mean(),
            "density": valid.sum(1).mean(),
        }
        print(
            json.dumps({"folder": folder.rstrip("/").split("/")[-1], **{k: round(float(v), 4) for k, v in row.items()}})
        )


if __name__ == "__main__":
    main()
