"""The sound of a listening test: every piece as loud as every other, and tones that tell headphones from loudspeakers.

Loudness is the root mean square of what sounds, silence left out; a piece that is played softly is not to be thought
worse. The headphones check is that of Woods et al. (2017): of three tones one is softer, and one comes in opposite
phase from left and right. Over loudspeakers these two channels cancel in the air, and that tone seems the softest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "TONES", "alike", "loudness", "tones"]

RATE = 44100  # Hz: what the renderer gives, so that nothing is resampled
TARGET, MOST = 0.06, 0.95  # root mean square that is aimed at; the highest peak
FLOOR = 0.01  # of a piece's own peak: what is below is silence
TONES = 3
_SECONDS, _PAUSE, _HERTZ, _LEVEL, _SOFTER = 1.0, 0.5, 200.0, 0.1, 10 ** (-6 / 20)

Samples = NDArray[np.float32]


def loudness(samples: Samples) -> float:
    """Root mean square of a piece (samples, channels), over the moments that sound; 0 of silence."""
    level = np.abs(samples).max(axis=1, initial=0.0)
    heard = level > FLOOR * level.max(initial=0.0)
    return float(np.sqrt(np.mean(np.square(samples[heard], dtype=np.float64)))) if heard.any() else 0.0


def alike(pieces: Sequence[Samples]) -> list[Samples]:
    """The pieces at one loudness, the same for all; as loud as the peaks of the most uneven one allow."""
    gains = [TARGET / level if (level := loudness(piece)) else 0.0 for piece in pieces]
    peaks = [gain * float(np.abs(piece).max(initial=0.0)) for gain, piece in zip(gains, pieces, strict=True)]
    whole = min(1.0, MOST / highest) if (highest := max(peaks, default=0.0)) else 1.0
    return [(piece * (gain * whole)).astype(np.float32) for gain, piece in zip(gains, pieces, strict=True)]


def tones(softest: int, opposite: int) -> Samples:
    """(samples, 2) one trial of the headphones check: which of the tones is 6 dB softer, which in opposite phase."""
    at = np.arange(round(_SECONDS * RATE)) / RATE
    rise = np.minimum(1.0, np.minimum(at, at[::-1]) / 0.05)
    tone = _LEVEL * rise * np.sin(2 * np.pi * _HERTZ * at)
    pause = np.zeros((round(_PAUSE * RATE), 2))
    made = []
    for number in range(1, TONES + 1):
        one = tone * (_SOFTER if number == softest else 1.0)
        made += [np.stack([one, -one if number == opposite else one], axis=1), pause]
    return np.concatenate(made).astype(np.float32)
