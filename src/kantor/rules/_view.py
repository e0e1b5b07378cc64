"""What a rule sees, and what it offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from kantor.score import Score

__all__ = ["OPEN", "SILENT", "Fault", "Mask", "Pitches", "Rule", "View"]

SILENT, OPEN = -1, -2  # pitches of a cell in which nothing sounds, and of one that is not decided

Pitches = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """What sounds in some frames, for one piece or for many alternatives at once.

    Attributes
    ----------
    pitch   (..., frames, voices) MIDI pitch, SILENT or OPEN; the highest voice first, where they are voices.
    struck  (..., frames, voices) where a note begins.
    frames  (..., frames) their numbers in the piece, whose leading axes may be left out or 1.
    voiced  whether the columns are voices; else they are notes that sound, in any order, and more may come.
    """

    pitch: Pitches
    struck: Mask
    frames: Pitches
    voiced: bool = True

    def last(self, count: int) -> View:
        """Of its last ``count`` frames."""
        if count >= self.pitch.shape[-2]:
            return self
        return View(self.pitch[..., -count:, :], self.struck[..., -count:, :], self.frames[..., -count:], self.voiced)

    def rows(self, rows: Pitches) -> View:
        """Of some of the pieces, which are its first axis."""
        return View(self.pitch[rows], self.struck[rows], self.frames[rows], self.voiced)


class Rule(Protocol):
    """What every rule offers."""

    #: In one sentence: what it forbids.
    about: ClassVar[str]
    #: Where it is taught.
    source: ClassVar[str]
    #: Nats that a fault costs where the rule is soft and no weight is given; None: it is hard unless a weight is.
    weight: ClassVar[float | None]

    @property
    def needs(self) -> frozenset[str]:
        """What it cannot do without, with these options.

        "voices": four lines. "time": that the moment of a sound is known when the sound is chosen, and what sounds
        beside it. "key", "fermatas": that the plan has them.
        """
        ...

    @property
    def reach(self) -> int:
        """How many frames before a fault's own it looks at; of a bound rule, for it may be counted in quarters."""
        ...

    def bound(self, plan: Score, step: int) -> Rule:
        """The rule for a piece of this plan on a grid of ``step`` ticks a frame.

        Raises
        ------
        RuleError
            If the plan lacks what the rule needs, or its options and the plan contradict each other.
        """
        ...

    def faults(self, view: View) -> Mask:
        """(..., frames, voices) who is at fault, in the frame where the fault is complete. For bound rules alone.

        What is OPEN is never at fault, and a fault that is found stays one, whatever an OPEN cell becomes. Frames
        before the view are not known.
        """
        ...


@dataclass(frozen=True)
class Fault:
    """A fault in a score: the rule's name, where (in ticks of the score), and between which voices."""

    rule: str
    tick: int
    voices: tuple[int, ...]
