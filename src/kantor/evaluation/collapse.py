"""Has a model collapsed? The question users of every system ask: one note for ever, silence, far too much or little.

Plain tests on a few sampled bars, against the music the model learns from. They find disasters, not weaknesses. Each
says what to try: the troubles of seed system 002's table, and its remedies (mode collapse, chromatic chaos, sparse
predictions, rhythmic drift), in the words of this program's options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kantor.metrics import measure
from kantor.score import TICKS_PER_QUARTER, Score

__all__ = ["Usual", "collapse", "notes_per_quarter", "usual"]

LONGEST_REPETITION = 16  # attacks of one pitch in a row, in one part: more than any chorale has
DENSITY_FACTOR = 3.0
HEARD = 50  # pieces that say what is usual: more would only take longer
LEAST_NOTES = 16  # of a sample: of fewer no share says anything
LOOPING, LOOPING_MORE = 0.8, 0.2  # share of bars that repeat another; how much beyond any piece of the corpus
STRANGER = 0.05  # how far below every piece of the corpus the share of the best scale may lie
DRIFTING, STEADY = 0.5, 0.1  # shares of onsets off the beat's parts: of a sample that drifts, of a corpus that does not


@dataclass(frozen=True)
class Usual:
    """What is usual in the music that a model learns from.

    Attributes
    ----------
    notes_per_quarter  onsets a quarter, all parts together.
    scale              lowest share, over pieces, of the sounding time within the diatonic scale that fits best.
    repeated           highest share, over pieces, of bars that repeat another.
    off_grid           share of onsets that are on no sixteenth and no triplet.
    """

    notes_per_quarter: float
    scale: float = 0.0
    repeated: float = 1.0
    off_grid: float = 1.0


def usual(pieces: Sequence[Score]) -> Usual:
    """What is usual in these pieces; the metrics are those of fifty of them, spread evenly."""
    heard = [piece for piece in pieces[:: max(len(pieces) // HEARD, 1)] if len(piece) >= LEAST_NOTES][:HEARD]
    return Usual(
        notes_per_quarter(pieces),
        min((_figure(piece, "scale-consistency", 1.0) for piece in heard), default=0.0),
        max((_figure(piece, "repeated-bars", 0.0) for piece in heard), default=1.0),
        float(np.mean([_off_grid(piece) for piece in heard])) if heard else 1.0,
    )


def notes_per_quarter(scores: Sequence[Score]) -> float:
    """Onsets a quarter note, all parts together; 0 for no music."""
    quarters = sum(score.length_ticks / score.ticks_per_quarter for score in scores)
    return sum(len(score) for score in scores) / quarters if quarters else 0.0


def collapse(sample: Score, corpus: Usual) -> str | None:
    """What is wrong with ``sample`` in one sentence, and what to try; None where nothing is."""
    if not len(sample):
        return "a sample is silent; try a lower learning rate, more epochs, or a higher recipe.positive_weight of keys"
    for part in range(len(sample.parts)):
        pitches = sample.notes["pitch"][sample.notes["part"] == part].tolist()
        if _longest_run(pitches) > LONGEST_REPETITION:
            name = sample.parts[part].name or f"part {part + 1}"
            return (
                f"in a sample {name} repeats one note {_longest_run(pitches)} times; try more dropout, or fewer epochs"
            )
    density = notes_per_quarter([sample])
    ratio = density / corpus.notes_per_quarter if corpus.notes_per_quarter else 1.0
    if not 1 / DENSITY_FACTOR <= ratio <= DENSITY_FACTOR:
        more = "more" if ratio > 1 else "fewer"
        return (
            f"a sample has {density:.1f} notes a quarter, far {more} than the corpus "
            f"({corpus.notes_per_quarter:.1f}); early epochs do, later ones should not"
        )
    return _strange(sample, corpus) if len(sample) >= LEAST_NOTES else None


def _strange(sample: Score, corpus: Usual) -> str | None:
    """Loops, chaos, drift: what no single note shows."""
    repeated = _figure(sample, "repeated-bars", 0.0)
    if repeated > max(LOOPING, corpus.repeated + LOOPING_MORE):
        return (
            f"in a sample {repeated:.0%} of the bars repeat another, at most {corpus.repeated:.0%} in the corpus; try "
            "more dropout (0.4 to 0.5), or compose with --rule no-loops or --soft repetition"
        )
    scale = _figure(sample, "scale-consistency", 1.0)
    if scale < corpus.scale - STRANGER:
        return (
            f"a sample keeps to no scale ({scale:.0%} within the best, {corpus.scale:.0%} at least in the corpus); "
            "early epochs do, later ones should not: try --only-key first, or compose with --rule in-key"
        )
    off = _off_grid(sample)
    if off > DRIFTING and corpus.off_grid < STEADY:
        return (
            f"a sample has lost the beat ({off:.0%} of its notes off sixteenths and triplets, {corpus.off_grid:.0%} in "
            "the corpus); try --quantise 4, or compose with --rule grid=1/16"
        )
    return None


def _figure(score: Score, name: str, otherwise: float) -> float:
    """One figure of a score, or what stands for it where it is not defined."""
    value = measure(score, [name])[name]
    found = float(getattr(value, "number", np.nan))
    return otherwise if np.isnan(found) else found


def _off_grid(score: Score) -> float:
    """Share of onsets on no sixteenth and no triplet of eighths, within 1/48 of a quarter."""
    onset = score.at(TICKS_PER_QUARTER).notes["onset"]
    if not len(onset):
        return 0.0
    slack = TICKS_PER_QUARTER // 48
    near = [
        np.minimum(onset % step, step - onset % step) <= slack
        for step in (TICKS_PER_QUARTER // 4, TICKS_PER_QUARTER // 3)
    ]
    return float(1 - np.logical_or(*near).mean())


def _longest_run(pitches: Sequence[int]) -> int:
    changes = [0, *(i for i, (a, b) in enumerate(pairwise(pitches), start=1) if a != b), len(pitches)]
    return int(np.diff(changes).max(initial=0))
