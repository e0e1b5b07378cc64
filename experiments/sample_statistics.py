"""Do samples move as the corpus does? Hold share, onsets a frame, ranges, loops, and how many end on a cadence.

    python -m experiments.sample_statistics --model chorale --count 128

A *hold* is a cell whose voice sings on (or stays silent) from the frame before, without a new attack; first frames are
left out. An *onset* is an attack. A *loop* is a block of 4 to 64 frames that stands three times in a row, attacks
included; *stuck* is a frame repeated for more than two bars.
"""

import argparse
import json

import numpy as np

from kantor import corpora
from kantor.bundle import load
from kantor.verbs.generate import generate


def motion(representation, scores) -> dict[str, float]:
    """Hold share and onsets a frame over all scores."""
    cells = holds = onsets = frames = 0
    for score in scores:
        grid, attacks = representation.grid(score)
        same = (grid[1:] == grid[:-1]) & ~attacks[1:]
        cells, holds = cells + same.size, holds + same.sum()
        onsets, frames = onsets + attacks.sum(), frames + len(grid)
    return {"hold_share": holds / cells, "onsets_a_frame": onsets / frames}


def loops(representation, score) -> bool:
    """Whether a block of the score stands three times in a row, note for note, or a frame stands for over two bars."""
    grid, attacks = representation.grid(score)
    rows = np.concatenate([grid, attacks], axis=1)
    for lag in range(4, 65):
        same = (rows[lag:] == rows[:-lag]).all(1)
        if attacks.any() and longest(same) >= 2 * lag and moving(grid, same, lag):
            return True
    return longest((grid[1:] == grid[:-1]).all(1)) > 32


def longest(flags) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(~np.concatenate([[False], flags, [False]]))
    return int(np.diff(edges).max(initial=1) - 1)


def moving(grid, same, lag) -> bool:
    """Whether the repeated stretch is more than one held chord."""
    ends = np.flatnonzero(~np.concatenate([same, [False]]))
    end = ends[np.argmax(np.diff(ends, prepend=-1))]
    block = grid[max(end - lag, 0) : end]
    return bool(len(block) and (block != block[0]).any())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="chorale")
    parser.add_argument("--count", type=int, default=128)
    parser.add_argument("--bars", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", help="the folder the model learned from; music21's chorales unless given")
    options = parser.parse_args()
    bundle = load(options.model)
    representation = bundle.representation
    corpus = corpora.Folder(options.data) if options.data else corpora.load("bach")
    reference = motion(representation, [piece.score for piece in corpus.split("train")])
    pieces = generate(bundle, bars=options.bars, seed=options.seed, count=options.count)
    scores = [piece.score for piece in pieces]
    sampled = motion(representation, scores)
    ranges = np.array(bundle.card["ranges"])
    outside = sum(
        bool(
            (
                (score.notes["pitch"] < ranges[score.notes["part"], 0])
                | (score.notes["pitch"] > ranges[score.notes["part"], 1])
            ).any()
        )
        for score in scores
    )
    print(
        json.dumps(
            {
                "samples": len(scores),
                "corpus": {name: round(float(value), 4) for name, value in reference.items()},
                "sampled": {name: round(float(value), 4) for name, value in sampled.items()},
                "ratio": {name: round(float(sampled[name] / reference[name]), 4) for name in sampled},
                "samples_outside_ranges": outside,
                "samples_with_loops": sum(loops(representation, score) for score in scores),
                "corpus_pieces_with_loops": sum(loops(representation, p.score) for p in corpus.split("train")),
                "samples_ending_on_a_cadence": sum(not piece.remarks for piece in pieces),
                "nats_per_note": round(float(np.mean([piece.nats_per_note for piece in pieces])), 4),
            }
        )
    )


if __name__ == "__main__":
    main()
