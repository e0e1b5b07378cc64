"""Voices in pairs, as the metrics of voice leading count them.

A rule marks the voices that are at fault; a metric asks in how many *pairs* there is a fault. So each pair is shown to
the rule by itself, the other voices silent (:func:`pairwise`): whatever it marks is a fault of this pair. One
implementation, that of ``rules/``, serves mask, check and metric.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics._hearing import Hearing, Mask
from kantor.rules import SILENT, View
from kantor.rules._motion import pairs
from kantor.score import VOICES

__all__ = ["ADJACENT", "OUTER", "PER_THOUSAND", "both_move", "both_sound", "of_pairs", "pairwise", "same_way"]

PER_THOUSAND = "per 1,000 moving pairs"
UPPER, LOWER = pairs(len(VOICES))
#: Which of the six pairs are neighbours: soprano and alto, alto and tenor, tenor and bass.
ADJACENT = np.flatnonzero(LOWER - UPPER == 1)
#: Which pair is soprano and bass.
OUTER = int(np.flatnonzero(len(VOICES) - 1 == LOWER - UPPER)[0])


def of_pairs(faults: Mask) -> Mask:
    """(6, frames) whether there is a fault of the pair, of what a rule says (6, frames, 4) of :func:`pairwise`."""
    found: Mask = np.any(faults, axis=-1)
    return found


def pairwise(hearing: Hearing) -> View:
    """(6, frames, 4) the voices of one pair each, the others silent."""
    view = hearing.view
    pitch = np.full((len(UPPER), *view.pitch.shape), SILENT)
    struck = np.zeros(pitch.shape, dtype=np.bool_)
    for pair, both in enumerate(zip(UPPER.tolist(), LOWER.tolist(), strict=True)):
        for voice in both:
            pitch[pair, :, voice] = view.pitch[:, voice]
            struck[pair, :, voice] = view.struck[:, voice]
    return View(pitch, struck, view.frames)


def both_move(hearing: Hearing) -> Mask:
    """(frames - 1, 6) pairs of voices that both change pitch."""
    found: Mask = hearing.moved[:, UPPER] & hearing.moved[:, LOWER]
    return found


def both_sound(hearing: Hearing) -> Mask:
    """(frames, 6) pairs of voices that both sound."""
    heard = hearing.cells > SILENT
    found: Mask = heard[:, UPPER] & heard[:, LOWER]
    return found


def same_way(hearing: Hearing) -> Mask:
    """(frames - 1, 6) pairs of voices that both change pitch, in one direction."""
    by = np.sign(np.diff(hearing.cells, axis=0))
    found: Mask = both_move(hearing) & (by[:, UPPER] == by[:, LOWER])
    return found
