"""How long are phrases, and do they balance? Four bars want four bars to answer them.

A phrase ends where the note under a fermata does. A score without fermatas is read by its highest line (of parts that
are one line, the one with the highest mean pitch): a phrase ends with a note that lasts, its rest included, at least
twice as long as the median of the line, and longer than the notes beside it (the proximity rule of Lerdahl & Jackendoff
1983, and of Cambouropoulos's boundary model, 2001). The last phrase ends with the music.

The balance of two phrases in succession is the shorter's length over the longer's: 1 where they are equal.
"""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Histogram, Metric, Rate
from kantor.metrics._hearing import Floats

__all__ = ["PART", "phrase_lengths"]

LONG = 2.0  # times the median
LONGEST = 32  # quarters: what is longer lies in the last bin
SUPPORT = tuple(float(quarters) for quarters in range(1, LONGEST + 1))
NAMES = (*map(str, range(1, LONGEST)), f"{LONGEST} or more")


def phrase_lengths(hearing: Hearing) -> Floats:
    """(phrases,) in quarters; none for a score without fermatas and lines."""
    ends = _under_fermatas(hearing) if hearing.score.fermatas else _of_melody(hearing)
    if not len(ends):
        return np.zeros(0)
    last = float(hearing.end.max())
    edges = np.unique(np.concatenate([[float(hearing.onset.min())], ends[ends < last - 1e-9], [last]]))
    lengths: Floats = np.diff(edges)
    return lengths[lengths > 0]


def _under_fermatas(hearing: Hearing) -> Floats:
    """(ends,) where the last of the notes that sound at each fermata ends."""
    at = np.array(hearing.score.fermatas) / hearing.score.ticks_per_quarter
    ends = np.full(len(at), -np.inf)
    which = np.searchsorted(at, hearing.onset, side="left")  # the first fermata not before each note's onset
    inside = which < len(at)
    inside[inside] = at[which[inside]] < hearing.end[inside]
    np.maximum.at(ends, which[inside], hearing.end[inside])
    found: Floats = ends[np.isfinite(ends)]
    return found


def _of_melody(hearing: Hearing) -> Floats:
    if not hearing.lines:
        return np.zeros(0)
    line = max(hearing.lines, key=lambda notes: float(hearing.pitch[notes].mean()))
    onset = hearing.onset[line]
    lasts = np.diff(onset)
    beside = np.concatenate([[0.0], lasts, [0.0]])
    ends = (lasts >= LONG * np.median(lasts)) if len(lasts) else np.zeros(0, dtype=np.bool_)
    ends &= (lasts > beside[:-2]) & (lasts > beside[2:])
    return np.concatenate([onset[1:][ends], hearing.end[line][-1:]])


def _phrases(hearing: Hearing) -> tuple[Histogram, Rate, Rate]:
    lengths = phrase_lengths(hearing)
    bins = np.clip(np.rint(lengths).astype(np.int64), 1, LONGEST) - 1
    weights = np.bincount(bins, minlength=LONGEST).astype(np.float64)
    balance = np.minimum(lengths[1:], lengths[:-1]) / np.maximum(lengths[1:], lengths[:-1])
    return (
        Histogram(weights),
        Rate(float(lengths.sum()), float(len(lengths))),
        Rate(float(balance.sum()), float(len(balance))),
    )


PART = Metric(
    name="phrases",
    about="how long phrases are, and whether they balance",
    source="Lerdahl & Jackendoff 1983 (GPR 2); Cambouropoulos 2001 (LBDM); fermatas where there are some",
    figures=(
        Figure("phrase-lengths", "phrases by quarters", "phrases", kind="histogram", labels=NAMES, support=SUPPORT),
        Figure("phrase-length", "quarters a phrase", "quarters", 0, math.inf, kind="rate"),
        Figure("phrase-balance", "the shorter of two neighbours over the longer", "", 0, 1, kind="rate"),
    ),
    of=_phrases,
    invariant=frozenset({"transposition"}),
)
