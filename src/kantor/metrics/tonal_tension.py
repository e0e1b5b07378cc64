"""How tense is the harmony, and where? Three measures in Chew's spiral array, quarter by quarter.

The spiral array winds the line of fifths (... F C G D ...) around a cylinder of radius 1, a quarter turn a fifth, so
that notes of one triad lie close together. In each quarter the notes that sound are a *cloud*, each weighing as long as
it sounds there:

- its *diameter*: the largest distance between two of its notes (dissonance);
- its *momentum*: how far its centre has moved since the last quarter in which anything sounded (change of harmony);
- its *tensile strain*: how far its centre lies from the key's.

Distances are in units of that from C to B sharp, as Cancino-Chacon & Grachten (2018) and partitura have it, and so is
the rise: sqrt(2/15) (pi/2)^2 a fifth. Chew's own is sqrt(2/15), at which a fifth is as far as a major third; here a
third is twice as far. Figures compare with partitura's, then, and not with Chew's.

Pitches are spelled as the key spells them (:func:`kantor.theory.note_name`). A key whose mode is not known counts as
major. Where the key changes nothing is said of momentum: the spelling changes there.

The key's centre is that of its I, V and IV (.516, .315, .168 each, and so the notes of a triad: root, fifth, third);
in minor V is three quarters major and IV three quarters minor. partitura 1.9 takes for a minor key the centre around
the tonic of its *relative major*, which lies three fifths off, and leaves out of a window the notes that began before
it and end within it; this does neither.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from kantor.metrics import Curve, Figure, Hearing, Metric, Rate
from kantor.metrics._hearing import Floats, Ids, Mask
from kantor.score import Key

__all__ = ["PART", "key_centre", "spiral"]

RISE = math.sqrt(2 / 15) * (math.pi / 2) ** 2  # a fifth
UNIT = 12 * RISE  # from C to B sharp: twelve fifths, three whole turns
WEIGHTS = np.array([0.516, 0.315, 0.168]) / 0.999
MIXED = 0.75  # of the major V and of the minor IV, in minor
MAJOR, MINOR = np.array([0, 1, 4]), np.array([0, 1, -3])  # fifths above the root: root, fifth, third
MINOR_TONIC = 3  # fifths above the major tonic of the signature
LOWEST = 3  # fifths below the major tonic: the flattest note that a key spells


def spiral(place: Floats | Ids) -> Floats:
    """(..., 3) where the notes at ``place`` (...) on the line of fifths lie; 0 is C."""
    turn = np.asarray(place) * (math.pi / 2)
    found: Floats = np.stack([np.sin(turn), np.cos(turn), np.asarray(place) * RISE], axis=-1)
    return found


def key_centre(key: Key) -> Floats:
    """(3,) the centre of effect of a key."""

    def chord(root: int, steps: Ids) -> Floats:
        found: Floats = WEIGHTS @ spiral(root + steps)
        return found

    if key.mode != "minor":
        chords = [chord(key.fifths + fifths, MAJOR) for fifths in (0, 1, -1)]
    else:
        home = key.fifths + MINOR_TONIC
        dominant = MIXED * chord(home + 1, MAJOR) + (1 - MIXED) * chord(home + 1, MINOR)
        subdominant = MIXED * chord(home - 1, MINOR) + (1 - MIXED) * chord(home - 1, MAJOR)
        chords = [chord(home, MINOR), dominant, subdominant]
    centre: Floats = WEIGHTS @ np.stack(chords)
    return centre


def _clouds(hearing: Hearing) -> Floats:
    """(quarters, 12) how long each pitch class sounds in each quarter."""
    quarters = max(int(np.ceil(hearing.quarters - 1e-9)), 1)
    change = np.zeros((quarters + 2, 12))
    classes = hearing.pitch % 12
    # what is heard until a time is piecewise linear: its second differences stand at onsets and ends
    for times, sign in ((hearing.onset, 1.0), (hearing.end, -1.0)):
        whole = np.floor(times).astype(np.int64)
        np.add.at(change, (whole, classes), sign * (1 - (times - whole)))
        np.add.at(change, (whole + 1, classes), sign * (times - whole))
    found = np.cumsum(change, axis=0)[:quarters]
    return np.where(found > 1e-9, found, 0.0)


def _tension(hearing: Hearing) -> tuple[Rate | Curve, ...]:
    clouds = _clouds(hearing)
    when = np.flatnonzero(clouds.any(axis=1))
    clouds = clouds[when]
    keys = hearing.score.keys
    ticks = np.array([key.tick for key in keys]) / hearing.score.ticks_per_quarter
    which = np.maximum(np.searchsorted(ticks, when, side="right") - 1, 0)
    flattest = np.array([key.fifths for key in keys]) - LOWEST
    places = flattest[:, None] + (np.arange(12) * 7 - flattest[:, None]) % 12
    points = spiral(places)[which]  # (quarters, 12, 3)
    apart = np.linalg.norm(spiral(places)[:, :, None] - spiral(places)[:, None], axis=-1) / UNIT  # (keys, 12, 12)
    diameter = _diameters(clouds > 0, apart, which)
    centre = np.einsum("tc,tcx->tx", clouds / clouds.sum(axis=1, keepdims=True), points)
    strain = np.linalg.norm(centre - np.stack([key_centre(key) for key in keys])[which], axis=1) / UNIT
    moved = np.linalg.norm(np.diff(centre, axis=0), axis=1) / UNIT
    same = which[1:] == which[:-1]
    at = when.astype(np.float64)
    return (
        Rate(float(diameter.sum()), float(len(when))),
        Rate(float(moved[same].sum()), float(same.sum())),
        Rate(float(strain.sum()), float(len(when))),
        Curve(at, diameter),
        Curve(at[1:][same], moved[same]),
        Curve(at, strain),
    )


def _diameters(heard: Mask, apart: Floats, which: Ids) -> Floats:
    """(quarters,) the largest distance ``apart`` (keys, 12, 12) of two classes that are ``heard`` (quarters, 12)."""
    found = np.zeros(len(heard))
    for first, second in combinations(range(12), 2):
        both = heard[:, first] & heard[:, second]
        np.maximum(found, apart[which, first, second] * both, out=found)
    return found


ABOUT = {
    "cloud-diameter": "the largest tonal distance of notes that sound in a quarter",
    "cloud-momentum": "how far the tonal centre moves from quarter to quarter",
    "tensile-strain": "how far the tonal centre of a quarter lies from the key's",
}
DISTANCE = "distances from C to B sharp"
WIDEST = 3.0  # more than the spiral array has between any two notes that keys of seven accidentals spell

PART = Metric(
    name="tonal-tension",
    about="how tense the harmony is, quarter by quarter",
    source="Herremans & Chew 2016, Tension ribbons; Chew 2000, the spiral array",
    figures=(
        *(Figure(name, about, DISTANCE, 0, WIDEST, kind="rate") for name, about in ABOUT.items()),
        *(Figure(f"{name}-curve", about, DISTANCE, 0, WIDEST, kind="curve") for name, about in ABOUT.items()),
    ),
    of=_tension,
    needs=frozenset({"key"}),
    invariant=frozenset({"transposition", "octave", "parts"}),
)
