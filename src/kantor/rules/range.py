"""No voice is led above or below its range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError
from kantor.rules import OPEN, Mask, View
from kantor.score import VOICES, Score

__all__ = ["PART", "Range"]

CHOIR = "S=60-81,A=53-74,T=48-69,B=40-62"
PIANO = (21, 108)


@dataclass(frozen=True)
class Range:
    """A note is judged where it is struck.

    Parameters
    ----------
    ranges  "48-72" for all notes; "S=60-81,A=53-74,T=48-69,B=40-62" for voices, those that are not named being free;
            if empty, these very ranges for voices, and a piano's 88 keys for music without voices.
    """

    ranges: str = ""

    about: ClassVar[str] = "a note above or below its voice's range"
    source: ClassVar[str] = "Aldwell & Schachter, Harmony and Voice Leading (ranges of chorus voices)"
    weight: ClassVar[float | None] = None
    reach: ClassVar[int] = 0

    def __post_init__(self) -> None:
        _ = self._outside

    @property
    def needs(self) -> frozenset[str]:
        """Voices, where voices are named."""
        return frozenset({"voices"}) if "=" in self.ranges else frozenset()

    @cached_property
    def _outside(self) -> NDArray[np.bool_]:
        """(voices + 1, 130): what each voice may not strike, and last, what nobody may."""
        each = _read(self.ranges or CHOIR)
        each.append(each[0] if self.ranges else PIANO)
        pitch = np.arange(OPEN, 128)
        return np.array([(pitch >= 0) & ((pitch < low) | (pitch > high)) for low, high in each])

    def bound(self, plan: Score, step: int) -> Range:
        """Itself: it needs no plan."""
        return self

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        rows = np.arange(len(VOICES)) if view.voiced and view.pitch.shape[-1] == len(VOICES) else len(VOICES)
        outside: Mask = self._outside.take(view.pitch + (rows * self._outside.shape[1] - OPEN)) & view.struck
        return outside


def _read(text: str) -> list[tuple[int, int]]:
    """Lowest and highest pitch of soprano, alto, tenor and bass."""
    initials = "SATB"
    found = dict.fromkeys(initials, (0, 127))
    for part in text.split(","):
        match = re.fullmatch(r"\s*(?:([SATBsatb])\s*=)?\s*([0-9]{1,3})\s*-\s*([0-9]{1,3})\s*", part)
        if match is None or not int(match[2]) <= int(match[3]) <= 127:
            raise OptionError(f"expected ranges of MIDI pitches, got '{text}'; try range=48-72 or range={CHOIR}.")
        for voice in (match[1] or initials).upper():
            found[voice] = (int(match[2]), int(match[3]))
    return list(found.values())


PART = Range
