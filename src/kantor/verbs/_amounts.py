"""How much is composed: bars, notes or seconds, and what that means for a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.score import Meter, Score

__all__ = ["DENSEST", "Amount", "amount", "check_playing"]

MAX_BARS, MAX_NOTES, MAX_SECONDS = 100_000, 1_000_000, 100_000
DENSEST = 48  # notes a quarter; who strikes more has lost the way, and is stopped
SLOWEST = 16  # quarters that a note may take, where only notes are counted


@dataclass(frozen=True)
class Amount:
    """One of three, the others None."""

    bars: int | None = None
    notes: int | None = None
    seconds: float | None = None

    def quarters(self, meter: Meter, quarters_per_minute: float) -> float:
        """How long a piece it makes, or may make where notes are counted."""
        if self.bars is not None:
            return self.bars * meter.numerator * 4 / meter.denominator
        if self.seconds is not None:
            return self.seconds * quarters_per_minute / 60
        assert self.notes is not None
        return float(self.notes * SLOWEST)

    def exactly(self, plan: Score, joint: int, meter: Meter, quarters_per_minute: float) -> Score:
        """The plan, ending so many seconds after ``joint`` where seconds were asked for; else as it is."""
        if self.seconds is None:
            return plan
        length = joint + math.ceil(self.quarters(meter, quarters_per_minute) * plan.ticks_per_quarter)
        return plan.replace(length_ticks=min(length, plan.length_ticks))

    def bars_of(self, meter: Meter, quarters_per_minute: float) -> int:
        """The same in bars, rounded up."""
        return max(math.ceil(self.quarters(meter, quarters_per_minute) * meter.denominator / meter.numerator / 4), 1)

    def most_notes(self, plan: Score) -> int:
        """How many notes a piece of this plan has at the most, beside a prompt's; for a chorale it is no matter."""
        if self.notes is not None:
            return self.notes
        return DENSEST * max(plan.length_ticks // plan.ticks_per_quarter, 1)


def check_playing(tempo: float | None, velocity: int | None) -> None:
    """Refuse a tempo that nobody plays, or a velocity that MIDI does not have, before anything is composed."""
    if tempo is not None and not 5 <= tempo <= 1000:
        raise OptionError(f"expected a tempo of 5 to 1000 quarters a minute, got {tempo:g}; try 80.")
    if velocity is not None and not 1 <= velocity <= 127:
        raise OptionError(f"expected a velocity within 1..127, got {velocity}; try 80.")


def amount(bundle: Bundle, bars: int | None, notes: int | None, seconds: float | None, default: int) -> Amount:
    """What was asked for, ``default`` bars where nothing was.

    Raises
    ------
    OptionError
        If more than one was, if it is out of range, or if the model's pieces have no number of notes.
    """
    asked: dict[str, Any] = {"bars": bars, "notes": notes, "seconds": seconds}
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) > 1:
        names = " and ".join(f"--{name}" for name in given)
        raise OptionError(f"expected one of --bars, --notes and --seconds, got {names}; leave out the others.")
    most = {"bars": MAX_BARS, "notes": MAX_NOTES, "seconds": MAX_SECONDS}
    for name, value in given.items():
        least = 0 if name == "seconds" else 1
        if not (math.isfinite(value) and least <= value <= most[name] and value > 0):
            example = {"bars": 16, "notes": 200, "seconds": 30}[name]
            lowest = "more than 0, at most" if name == "seconds" else "from 1 to"
            raise OptionError(f"expected {lowest} {most[name]} {name}, got {value}; try {example}.")
    if notes is not None and bundle.representation.closes:
        raise OptionError(
            f"expected --bars or --seconds for '{bundle.name}', got --notes: a piece with an ending is planned by bars."
        )
    return Amount(**(given or {"bars": default}))
