"""Does the rhythm come back? The autocorrelation of onsets after a beat, a bar and four beats.

Whether a note begins is an indicator on the grid of sixteenths; its correlation (Pearson) with itself so much later is
1 where the rhythm repeats exactly, 0 where it is chance. Music shorter than twice the lag, or with an onset in all
frames or none, has none. The *same note* asks more: how many notes are struck again, at the same pitch, four beats
later.
"""

from __future__ import annotations

import math

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Number, Rate
from kantor.metrics._hearing import SIXTEENTHS, Mask

__all__ = ["PART"]

FOUR_BEATS = 4 * SIXTEENTHS


def _autocorrelation(onsets: Mask, lag: int) -> Number:
    early, late = onsets[:-lag].astype(np.float64), onsets[lag:].astype(np.float64)
    if len(early) <= lag:
        return Number(math.nan)
    early, late = early - early.mean(), late - late.mean()
    scale = math.sqrt(float((early**2).sum()) * float((late**2).sum()))
    return Number(min(max(float((early * late).sum()) / scale, -1.0), 1.0) if scale > 1e-9 else math.nan)


def _again(hearing: Hearing) -> Rate:
    struck = np.unique(hearing.first * 128 + hearing.pitch)
    asked = struck[struck // 128 + FOUR_BEATS < hearing.frames]
    return Rate(float(np.isin(asked + FOUR_BEATS * 128, struck).sum()), float(len(asked)))


def _regularity(hearing: Hearing) -> tuple[Number, Number, Number, Rate]:
    sizes = np.unique(hearing.bars[1])
    bar = int(sizes[0]) if hearing.score.meters and len(sizes) == 1 else 0
    by_bar = _autocorrelation(hearing.onsets, bar) if bar else Number(math.nan)
    beat, four = (_autocorrelation(hearing.onsets, lag) for lag in (SIXTEENTHS, FOUR_BEATS))
    return beat, by_bar, four, _again(hearing)


PART = Metric(
    name="rhythmic-regularity",
    about="how regularly the rhythm comes back",
    source="Brown 1993, Determination of the meter of musical scores by autocorrelation",
    figures=(
        Figure("regularity-beat", "autocorrelation of onsets after a quarter", "", -1, 1),
        Figure("regularity-bar", "autocorrelation of onsets after a bar, where all bars are alike", "", -1, 1),
        Figure("regularity-four-beats", "autocorrelation of onsets after four quarters", "", -1, 1),
        Figure("same-note-four-beats", "share of notes that are struck again four quarters later", kind="rate"),
    ),
    of=_regularity,
    invariant=frozenset({"transposition", "parts"}),
)
