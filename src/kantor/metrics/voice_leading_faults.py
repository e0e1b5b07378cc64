"""How many faults are there by the rules as they are? Every rule of voice leading that needs no more than the score.

These are the faults that a mask refuses and a check marks, counted for every pair of voices (for rules of two voices)
or for every voice, per 1,000 moving pairs, so that music that moves more has more chances. A fault that lasts, voices
that are crossed or too far apart, is counted once, when it begins.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.metrics._hearing import Mask
from kantor.metrics._voice_leading import PER_THOUSAND, both_move, of_pairs, pairwise
from kantor.rules import Rule
from kantor.rules.no_augmented import NoAugmented
from kantor.rules.no_crossing import NoCrossing
from kantor.rules.no_direct import NoDirect
from kantor.rules.no_overlap import NoOverlap
from kantor.rules.no_parallels import NoParallels
from kantor.rules.range import Range
from kantor.rules.spacing import Spacing
from kantor.score import TICKS_PER_QUARTER

__all__ = ["PART"]

SIXTEENTH = TICKS_PER_QUARTER // 4

MOTIONS: dict[str, Rule] = {"no-parallels": NoParallels(), "no-direct": NoDirect(), "no-overlap": NoOverlap()}
STATES: dict[str, Rule] = {"no-crossing": NoCrossing(), "spacing": Spacing()}
OF_ONE: dict[str, Rule] = {"no-augmented": NoAugmented(), "range": Range()}
ABOUT = {
    "no-parallels": "parallel fifths and octaves, contrary leaps between compounds among them",
    "no-direct": "direct fifths and octaves of the outer voices",
    "no-overlap": "voices that move beyond where a neighbour has just been",
    "no-crossing": "pairs of voices that begin to be crossed",
    "spacing": "neighbouring voices that begin to lie too far apart",
    "no-augmented": "melodic tritones, augmented seconds, sevenths, and leaps beyond an octave",
    "range": "notes that begin outside the range that textbooks give the voice",
}


def _begun(faults: Mask) -> int:
    """How many faults (pairs, frames) begin."""
    return int(faults[:, 0].sum() + (faults[:, 1:] & ~faults[:, :-1]).sum())


def _faults(hearing: Hearing) -> tuple[Rate, ...]:
    chances = float(both_move(hearing).sum())
    pairs = pairwise(hearing)
    plan = hearing.score.at(TICKS_PER_QUARTER)
    counts = {name: int(of_pairs(rule.bound(plan, SIXTEENTH).faults(pairs)).sum()) for name, rule in MOTIONS.items()}
    counts |= {name: _begun(of_pairs(rule.bound(plan, SIXTEENTH).faults(pairs))) for name, rule in STATES.items()}
    counts |= {name: int(rule.bound(plan, SIXTEENTH).faults(hearing.view).sum()) for name, rule in OF_ONE.items()}
    return tuple(Rate(float(counts[name]), chances, 1000) for name in ABOUT)


PART = Metric(
    name="voice-leading-faults",
    about="the faults by the rules of voice leading",
    source="the rules themselves, which name theirs (kantor rules)",
    figures=tuple(
        Figure(f"faults-{name}", about, PER_THOUSAND, 0, np.inf, "lower", "rate", 1000) for name, about in ABOUT.items()
    ),
    of=_faults,
    needs=frozenset({"voices"}),
    invariant=frozenset(),
)
