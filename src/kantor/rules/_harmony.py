"""Chords that may sound together: is what sounds one of them, or can it still become one?

A chord that may sound is a set of pitch classes over a bass. For a few voices that sound and a few that are OPEN, a
table says at once whether any of the chords is still within reach: so a mask bites in time, and the last voice finds a
note that is left for it. The bass is the lowest voice's note; where that voice is silent, any bass will do.

Who is at fault: a voice that fits none of the chords by itself; else those without whom the others could go on to
one; else, where there are none such, everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kantor.rules._view import OPEN, Mask, Pitches
from kantor.theory import Chord

__all__ = ["chord_table", "chords_at_fault", "chords_of", "possible"]

VOICES = 4
#: Every set of pitch classes, a bit each: (4096, 12).
SETS = (np.arange(4096)[:, None] >> np.arange(12) & 1).astype(np.bool_)
_SILENT, _OPEN = 12, 13  # of a bass
_BASS = np.array([_OPEN, _SILENT, *(np.arange(128) % 12)])
_BIT = np.array([0, 0, *(1 << np.arange(128) % 12)])


def chords_of(within: Iterable[int], essential: Iterable[int], basses: Iterable[int]) -> NDArray[np.bool_]:
    """(sets, 12) chords of the classes ``within``, the ``essential`` ones among them, over any of these basses."""
    inside, needed, low = (np.isin(np.arange(12), [one % 12 for one in part]) for part in (within, essential, basses))
    fits: NDArray[np.bool_] = np.logical_and.reduce(inside >= SETS, axis=1)
    fits = fits & np.logical_and.reduce(needed <= SETS, axis=1)
    return fits[:, None] & low


def possible(ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(open voices, basses, sets) what can become one of the chords ``ends`` (sets, 12), by bass."""
    table = np.zeros((VOICES + 1, 14, 4096), dtype=np.bool_)
    table[0, :12] = (ends & SETS).T
    table[0, _SILENT] = table[0, :12].any(0)
    table[:, :, 0] = True  # nothing sounds
    joined = np.arange(4096)[None] | (1 << np.arange(12))[:, None]  # (classes, sets)
    for count in range(1, VOICES + 1):
        before = table[count - 1]
        table[count, :13] = before[:13]
        for one in joined:
            table[count, :13] |= before[:13, one]
        table[count, _OPEN] = before[_SILENT]
        for bass, one in enumerate(joined):
            table[count, _OPEN] |= before[bass, one]
    return table


@cache
def chord_table(chord: Chord) -> NDArray[np.bool_]:
    """What can become this very chord; see :func:`possible`."""
    return possible(chords_of(chord.classes, chord.essential, [chord.bass]))


def chords_at_fault(table: NDArray[np.bool_], pitch: Pitches, which: Pitches | None = None) -> Mask:
    """(..., voices) who is at fault, of ``pitch`` (..., voices).

    ``table`` is that of :func:`possible`; or several of them, and ``which`` (...) says which holds.
    """
    voices = pitch.shape[-1]
    bits, heard = _BIT[pitch - OPEN], pitch >= 0
    bass = np.full(pitch.shape, _OPEN)
    bass[..., -1] = _BASS[pitch[..., -1] - OPEN]

    def fits(count: Pitches | int, low: Pitches, of: Pitches, each: Pitches | None) -> Mask:
        found: Mask = table[count, low, of] if each is None else table[each, count, low, of]
        return found

    single = which if which is None else which[..., None]
    alone = heard & ~fits(voices - 1, bass, bits, single)
    bits = np.where(alone, 0, bits)
    low = np.where(alone[..., -1], _OPEN, bass[..., -1])
    count = ((pitch == OPEN) | alone).sum(-1)
    whole = np.bitwise_or.reduce(bits, axis=-1)
    broken = ~fits(count, low, whole, which)
    if not broken.any():
        return alone
    rest = heard & ~alone
    culprits = np.zeros(pitch.shape, dtype=np.bool_)
    for voice in range(voices):
        others = np.bitwise_or.reduce(np.delete(bits, voice, axis=-1), axis=-1)
        without = np.full_like(low, _OPEN) if voice == voices - 1 else low
        culprits[..., voice] = fits(count + rest[..., voice], without, others, which)
    culprits &= rest & broken[..., None]
    nobody = broken & ~culprits.any(-1)
    return alone | culprits | (rest & nobody[..., None])
