"""Which files of a folder are one piece of music? Performances of a sonata, its score, a copy in another key.

Whatever learns from one version of a piece and is measured on another is measured by memory, so versions have to stay
on one side of a split. File names and folders do not tell: some data sets keep a folder a piece, others all in one.

The measure
-----------
A file's notes are put in order: those that start together (within 35 ms, a pianist's chord) from the bottom up. Every
run of seven successive notes, as its six intervals, is a *run* of the piece. That neither transposition nor tempo nor
touch changes; a wrong note spoils six of some thousands. Two files are one piece if

- of all their runs at least 6 % occur in both (the Jaccard index), or
- of the runs of the shorter one at least 20 % occur in the other, and these are 24 or more: one is an excerpt.

What is kin of kin is kin. A file of fewer than seven notes is kin of its own copies and transpositions alone.

Where the thresholds come from
------------------------------
The 1,101 files of ASAP (Foscarin et al. 2020: many performances of each piece, and its score) together with 100 piano
pieces collected elsewhere, nine of them pieces of ASAP: 720,600 pairs of files, 271 pieces. Between different pieces
the Jaccard index never exceeds 0.027; within a piece, versions hang together by links of at least 0.100. Excerpts of
a fifth of a file: all of 185 found, no other file taken for one; different pieces have at most 11 % of the shorter
one in common. Runs of six or eight notes part the two sides less well or no better, and so do chords of 25 or 50 ms.
None of 303 pop songs is taken for another; of 305 chorales of Bach those that harmonise one hymn alike hang together.

To be quick, a file is known by its 2,048 least runs in a random order (bottom-k sampling, Broder 1997), which
estimate both shares closely.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score

__all__ = ["SKETCH", "fingerprint", "kin"]

#: A fingerprint has at most so many numbers.
SKETCH = 2048

_INTERVALS = 6  # of a run
_TOGETHER_SECONDS = 0.035
_SAME_PIECE = 0.06  # Jaccard index
_EXCERPT, _EXCERPT_RUNS = 0.2, 24
_NEIGHBOURS = 32  # a run that very many files have tells little: each is compared with the next ones only
_BITS = 44  # of a run's hash; the rest of 64 is for the number of the file

Hashes = NDArray[np.int64]


def fingerprint(score: Score) -> Hashes:
    """The runs of a piece as ascending hashes below 2**44, the least :data:`SKETCH` of them; drums have no say."""
    notes = score.pitched if len(score.pitched) else score.notes
    pitches = _in_order(score.ticks_to_seconds(notes["onset"]), notes["pitch"].astype(np.int64))
    steps = np.diff(pitches) + 128  # 1..255
    if len(steps) < _INTERVALS:
        steps = np.concatenate([steps, np.zeros(_INTERVALS - len(steps), dtype=np.int64)])
    runs = np.lib.stride_tricks.sliding_window_view(steps, _INTERVALS)
    codes = (runs << (8 * np.arange(_INTERVALS))).sum(axis=1)
    return np.unique(_scattered(codes))[:SKETCH]


def kin(fingerprints: Sequence[Hashes]) -> list[int]:
    """For each file the number of the first one that is the same piece, by ``fingerprints`` of them all."""
    first = list(range(len(fingerprints)))

    def root(file: int) -> int:
        while first[file] != file:
            first[file] = first[first[file]]
            file = first[file]
        return file

    for one, other in _linked(fingerprints):
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return [root(file) for file in first]


def _in_order(onset_seconds: NDArray[np.float64], pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pitches by time, those of one chord from the bottom up, each once."""
    order = np.argsort(onset_seconds, kind="stable")
    chord = np.cumsum(np.diff(onset_seconds[order], prepend=-1.0) > _TOGETHER_SECONDS)
    return np.unique(chord * 128 + pitches[order]) % 128


def _scattered(codes: NDArray[np.int64]) -> Hashes:
    """A fixed random-looking number below 2**44 for each code: the last step of SplitMix64 (Steele et al. 2014)."""
    hashes = codes.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return ((hashes ^ (hashes >> np.uint64(31))) >> np.uint64(64 - _BITS)).astype(np.int64)


def _linked(fingerprints: Sequence[Hashes]) -> list[tuple[int, int]]:
    """The pairs of files that are one piece."""
    count = len(fingerprints)
    runs = np.concatenate([np.empty(0, dtype=np.int64), *fingerprints])
    files = np.repeat(np.arange(count), [len(runs) for runs in fingerprints])
    one, other, shared = _shared(runs, files, count)
    # a fingerprint that was cut is complete up to its last number; two are compared as far as both are complete
    complete = np.array([runs[-1] if len(runs) == SKETCH else 2**_BITS for runs in fingerprints], dtype=np.int64)
    until = np.minimum(complete[one], complete[other])
    keys = (files << _BITS) | runs  # ascending: file by file
    starts = np.searchsorted(keys, np.arange(count) << _BITS)
    mine, theirs = (
        np.searchsorted(keys, (file << _BITS) + np.minimum(until, 2**_BITS - 1), side="right") - starts[file]
        for file in (one, other)
    )
    excerpt = (shared >= _EXCERPT * np.minimum(mine, theirs)) & (shared >= _EXCERPT_RUNS)
    same = excerpt | (shared >= _SAME_PIECE * (mine + theirs - shared))
    return list(zip(one[same].tolist(), other[same].tolist(), strict=True))


def _shared(runs: Hashes, files: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], ...]:
    """Pairs of files (the lower number first) and how many runs they share, as far as they are neighbours in a run."""
    order = np.argsort(runs, kind="stable")
    runs, files = runs[order], files[order]
    found = []
    for step in range(1, min(_NEIGHBOURS, len(runs) - 1) + 1):
        equal = runs[step:] == runs[:-step]
        if not equal.any():
            break
        found.append(np.unique(files[:-step][equal] * count + files[step:][equal], return_counts=True))
    if not found:
        return (np.empty(0, dtype=np.int64),) * 3
    pairs, where = np.unique(np.concatenate([pairs for pairs, _ in found]), return_inverse=True)
    shared = np.bincount(where, weights=np.concatenate([times for _, times in found])).astype(np.int64)
    return pairs // count, pairs % count, shared
