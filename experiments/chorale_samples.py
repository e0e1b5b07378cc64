"""Are the samples of a chorale model as Bach's pieces are? One table, with rules and without.

    python -m experiments.chorale_samples --model chorale --count 256

Unprompted pieces of 16 bars, nothing cut off (temperature 1, top-p 1): by the default rules, by none, and by a cadence at
the end; and a quarter as many of 32 bars without rules, whose second halves are held against those of Bach's pieces.
Figures are pooled over pieces, with bootstrap intervals over them, and counted by :mod:`kantor.metrics`. *Copying* is the
longest run shared with the pieces that the model has learned from, of soprano intervals and of all four voices' moments;
that of Bach's valid pieces stands beside it, and samples are cut to their lengths, for what is longer shares longer runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from kantor import corpora
from kantor.bundle import load
from kantor.evaluation.features import hear_set
from kantor.evaluation.novelty import Memory
from kantor.evaluation.sets import estimates
from kantor.rules import faults
from kantor.score import NOTE, Score
from kantor.verbs._steering import steering
from kantor.verbs.generate import generate

#: Figures, and how far from Bach's they may be, of 1.
ALIKE = {
    "moving-pairs": 0.10,
    "hold-share": 0.05,
    "onsets-per-frame": 0.05,
    "crossing": 0.20,
    "overlap": 0.20,
    "wide-spacing": 0.20,
    "triad-share": 0.20,
    "step-share": 0.20,
}
FIGURES = ("parallel-fifths", "parallel-octaves", *ALIKE, "ends-on-tonic")
HALVES = ("notes-per-quarter", "onsets-per-quarter", "bar-similarity-1", "bar-similarity-2", "bar-similarity-4")
RULES = {"default rules": (), "no rules": ("none",), "cadence": ("cadence",)}


def figures(scores: Sequence[Score], names: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Each figure of the set, and its interval."""
    found = estimates(hear_set([(str(k), score) for k, score in enumerate(scores)], names))
    return {name: (found[name].value, found[name].low, found[name].high) for name in names}


def second_half(score: Score) -> Score:
    """From the bar in its middle on."""
    starts = score.bars["start"]
    return score.cut(int(starts[len(starts) // 2]), score.length_ticks)


def soprano_intervals(score: Score) -> Score:
    """The soprano alone, as notes of one length: what is left of it is its intervals."""
    line = np.sort(score.notes[score.notes["part"] == 0], order="onset")
    notes = np.zeros(len(line), dtype=NOTE)
    ticks = score.ticks_per_quarter
    notes["onset"], notes["duration"], notes["pitch"], notes["velocity"] = (
        np.arange(len(line)) * ticks,
        ticks,
        line["pitch"],
        80,
    )
    return Score.from_notes(notes, ticks_per_quarter=ticks, length_ticks=len(line) * ticks)


def runs(train: Sequence[Score], pieces: Sequence[Score]) -> np.ndarray:
    """(pieces,) moments of the longest run that each shares with ``train``."""
    memory = Memory([(str(k), score) for k, score in enumerate(train)])
    return np.array([memory.copied(score).run for score in pieces])


def cut_alike(scores: Sequence[Score], lengths: Sequence[int]) -> list[Score]:
    """Each to a length out of ``lengths`` (ticks), in turn, where it is longer."""
    wanted = np.resize(lengths, len(scores)).tolist()
    return [score.cut(0, min(score.length_ticks, most)) for score, most in zip(scores, wanted, strict=True)]


def said(name: str, found: tuple[float, float, float], bach: float, most: float | None) -> str:
    """A line of the table."""
    value, low, high = found
    apart = f"{value / bach - 1:+.1%}" if bach else ""
    verdict = "" if most is None else ("kept" if abs(value / bach - 1) <= most else f"over {most:.0%}")
    return f"| {name} | {value:.4g} ({low:.4g} .. {high:.4g}) | {bach:.4g} | {apart} | {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="chorale")
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    bundle = load(options.model)
    corpus = corpora.load("bach")
    train, valid = ([piece.score for piece in corpus.split(split)] for split in ("train", "valid"))
    bach = {name: found[0] for name, found in figures(train, FIGURES).items()}
    drawn = {"seed": options.seed, "temperature": 1.0, "top_p": 1.0}
    held = {one.name: one.rule for one in steering(bundle).rules}  # with the ranges of its voices
    plain: list[Score] = []
    for label, rules in RULES.items():
        pieces = generate(bundle, bars=16, count=options.count, rules=rules, **drawn)
        scores = [piece.score for piece in pieces]
        plain = scores if label == "no rules" else plain
        wrong = sum(len(faults(score, held)) for score in scores)
        nats = np.mean([piece.nats_per_note for piece in pieces])
        cost, dead = np.mean([piece.rules_cost for piece in pieces]), sum(piece.dead_ends for piece in pieces)
        print(f"\n**{label}**, {len(pieces)} pieces: faults against the default rules {wrong}, {nats:.4f} nats a cell,")
        print(f"of which the rules cost {cost:.4f}; {dead} dead ends\n")
        print("| figure | samples (95 %) | Bach, train | apart | bar |\n|---|---|---|---|---|")
        for name, found in figures(scores, FIGURES).items():
            print(said(name, found, bach[name], ALIKE.get(name)), flush=True)
    long = [
        piece.score for piece in generate(bundle, bars=32, count=max(options.count // 4, 1), rules=("none",), **drawn)
    ]
    lasting = {name: found[0] for name, found in figures([second_half(score) for score in train], HALVES).items()}
    print(f"\n**Second halves** of {len(long)} pieces of 32 bars, no rules\n")
    print("| figure | samples (95 %) | Bach, train, second halves | apart | bar |\n|---|---|---|---|---|")
    for name, found in figures([second_half(score) for score in long], HALVES).items():
        print(said(name, found, lasting[name], 0.15), flush=True)
    lengths = [score.length_ticks for score in valid]
    print("\n**Copying**: longest runs shared with train, without rules\n")
    print("| of | mean | median | 90 % | most |\n|---|---|---|---|---|")
    for what, reduce in (("soprano intervals", soprano_intervals), ("four voices", lambda score: score)):
        learned = [reduce(score) for score in train]
        for name, pieces in (("samples", cut_alike(plain, lengths)), ("Bach, valid", valid)):
            found = runs(learned, [reduce(score) for score in pieces])
            quantiles = np.quantile(found, (0.5, 0.9, 1)).tolist()
            print(
                f"| {what}, {name} | {found.mean():.2f} | " + " | ".join(f"{q:g}" for q in quantiles) + " |", flush=True
            )


if __name__ == "__main__":
    main()
