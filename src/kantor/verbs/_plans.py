"""What is settled before a piece sounds: key, meter, pickup, phrases, length.

What the user does not ask for is drawn from how the training pieces begin. A phrase ends under a fermata every two
bars, or every four where bars are shorter than 4/4, on the strong beat where chorale phrases end: the middle of a bar
of an even number of beats, the downbeat of others and of 2/4. (Of 1,201 inner fermatas of the 4/4 chorales with a
pickup, 870 stand there.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.score import NOTE, TICKS_PER_QUARTER, Key, Meter, Score, Tempo
from kantor.theory import parse_key, parse_meter

__all__ = ["check_amounts", "opening", "phrase_ends", "plan"]

TEMPO = 80.0
SIXTEENTH = TICKS_PER_QUARTER // 4
MAX_BARS = 100_000
MAX_PIECES = 10_000


def plan(
    bundle: Bundle,
    bars: int,
    key: str | None,
    meter: str | None,
    pickup: float | None,
    rng: np.random.Generator,
) -> Score:
    """A score without notes: a pickup if any, then ``bars`` bars, the last one shorter by the pickup.

    Raises
    ------
    OptionError
        If an option is out of range.
    """
    check_amounts(bars)
    known = {condition.name for condition in bundle.representation.conditions}
    wanted_key = parse_key(key) if key is not None else None
    wanted_meter = parse_meter(meter) if meter is not None else None
    drawn_key, drawn_meter, drawn_pickup = opening(bundle, wanted_key, wanted_meter, pickup, rng)
    bar = _bar_ticks(drawn_meter)
    pickup_ticks = _pickup_ticks(drawn_pickup, drawn_meter, bar)
    # The last bar gives back what the pickup took, unless its last chord would have no room.
    shortened = bar - pickup_ticks - _strong_beat(drawn_meter, bar) >= TICKS_PER_QUARTER
    length = bars * bar + (0 if shortened else pickup_ticks)
    score = Score(
        np.empty(0, dtype=NOTE),
        tempi=(Tempo(0, TEMPO),),
        meters=(drawn_meter,),
        # A model that knows no keys is not told of one; but rules are, of the one that is asked for.
        keys=(drawn_key,) if drawn_key and (wanted_key or "key" in known) else (),
        anacrusis_ticks=pickup_ticks,
        length_ticks=length,
    )
    ends = phrase_ends(bars, drawn_meter, pickup_ticks) if "fermata" in known else ()
    return bundle.representation.plan(score.replace(fermatas=tuple(end for end in ends if end < length)))


def check_amounts(bars: int, count: int = 1) -> None:
    """Refuse a number of bars or of pieces that nobody can mean."""
    for name, number, most in (("bars", bars, MAX_BARS), ("pieces", count, MAX_PIECES)):
        if not 1 <= number <= most:
            raise OptionError(f"expected from 1 to {most} {name}, got {number}; try {16 if name == 'bars' else 8}.")


def opening(
    bundle: Bundle, key: Key | None, meter: Meter | None, pickup: float | None, rng: np.random.Generator
) -> tuple[Key | None, Meter, float]:
    """Key, meter and pickup in beats: as asked, the rest as a training piece that is like it begins."""
    plans = [_in_beats(row) for row in bundle.card.get("plans", [])]
    if pickup is not None and meter is None:  # only in meters that a bar of has room for it
        plans = [row for row in plans if pickup < parse_meter(row[2]).numerator] or plans
    # Each wish narrows the choice, unless no training piece begins so.
    for column, wish in ((2, str(meter) if meter else None), (3, pickup), (1, key.mode if key else None)):
        plans = [row for row in plans if wish is None or row[column] == wish] or plans
    if not plans:
        return key, meter or Meter(0, 4, 4), pickup or 0.0
    weights = np.array([row[4] for row in plans], dtype=np.float64)
    fifths, mode, drawn, beats, _ = plans[int(rng.choice(len(plans), p=weights / weights.sum()))]
    fits = meter is None or str(meter) == drawn
    return (
        key or Key(0, fifths, mode),
        meter or parse_meter(drawn),
        pickup if pickup is not None else (beats if fits else 0.0),
    )


def _in_beats(row: list[Any]) -> list[Any]:
    """A row of the card's plans with its pickup, stored in quarters, in beats of its meter."""
    return [*row[:3], row[3] * parse_meter(row[2]).denominator / 4, row[4]]


def phrase_ends(bars: int, meter: Meter, pickup: int) -> Sequence[int]:
    """Ticks of the fermatas of ``bars`` bars of ``meter`` that begin with ``pickup`` ticks."""
    bar = _bar_ticks(meter)
    every = 2 if bar >= 4 * TICKS_PER_QUARTER else 4
    ending = [number for number in range(1, bars + 1) if number % every == 0 or number == bars]
    # A last phrase of one bar is no phrase: it belongs to the one before.
    if len(ending) > 1 and ending[-1] - ending[-2] == 1:
        del ending[-2]
    return [pickup + (number - 1) * bar + _strong_beat(meter, bar) for number in ending]


def _strong_beat(meter: Meter, bar: int) -> int:
    """Where in a bar phrases end, in ticks: in its middle if it has an even number of beats and is not short."""
    return bar // 2 if meter.numerator % 2 == 0 and bar >= 3 * TICKS_PER_QUARTER else 0


def _bar_ticks(meter: Meter) -> int:
    ticks = Fraction(meter.numerator * 4 * TICKS_PER_QUARTER, meter.denominator)
    if ticks.denominator != 1 or int(ticks) % SIXTEENTH:
        raise OptionError(f"expected a meter whose bars are whole sixteenths, got {meter}; try 4/4, 3/4 or 6/8.")
    return int(ticks)


def _pickup_ticks(beats: Any, meter: Meter, bar: int) -> int:
    """The pickup in ticks; a beat is the meter's own note value."""
    ticks = Fraction(str(beats) if math.isfinite(beats) else -1) * TICKS_PER_QUARTER * 4 / meter.denominator
    if not 0 <= ticks < bar or ticks % SIXTEENTH:
        raise OptionError(
            f"expected a pickup of 0 or more beats, shorter than a bar of {meter}, in sixteenths; "
            f"got {float(beats):g}; try 1."
        )
    return int(ticks)
