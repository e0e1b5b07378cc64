"""No bar comes a fifth time in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kantor.errors import OptionError
from kantor.rules import OPEN, Mask, Pitches, View
from kantor.rules._tables import places, with_tables
from kantor.score import Score

__all__ = ["PART", "NoLoops"]

SPANS = ("bar", "beat", "frame")


@dataclass(frozen=True)
class NoLoops:
    """A bar is the same if the same pitches sound in all its frames, struck in the same places. Rests are no loop.

    Parameters
    ----------
    span   "bar", "beat" (a quarter) or "frame".
    times  how often in a row is too often.
    """

    span: str = "bar"
    times: int = 5
    ends: ClassVar[Pitches | None] = None

    about: ClassVar[str] = "a bar (or beat, or frame) that comes a fifth time in a row"
    source: ClassVar[str] = (
        "Holtzman et al., The Curious Case of Neural Text Degeneration (2020): sampling falls into loops"
    )
    needs: ClassVar[frozenset[str]] = frozenset({"time"})
    weight: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        if self.span not in SPANS:
            raise OptionError(f"expected loops of a {', '.join(SPANS)}; got '{self.span}'.")
        if self.times < 2:
            raise OptionError(f"expected loops of 2 times or more, got {self.times}; try times=5.")

    @property
    def _lengths(self) -> list[int]:
        """Lengths of the spans of a bound rule's plan."""
        assert self.ends is not None
        return [length for length in np.unique(self.ends).tolist() if length]

    @property
    def reach(self) -> int:
        """All the times but the last frame."""
        longest = {"bar": 16, "beat": 4, "frame": 1}[self.span] if self.ends is None else int(self.ends.max(initial=1))
        return longest * self.times - 1

    def bound(self, plan: Score, step: int) -> NoLoops:
        """With the frames where spans end that follow others of their length."""
        number, into, full = places(plan, step)
        length = {"bar": full // step, "beat": np.full(len(full), plan.ticks_per_quarter // step)}.get(self.span)
        length = np.ones(len(full), dtype=np.int64) if length is None else np.maximum(length, 1)
        ending = (into // step + 1) % length == 0
        ends = np.where(ending & (number >= 0), length, 0)
        return with_tables(self, ends=ends)

    def faults(self, view: View) -> Mask:
        """See :class:`kantor.rules.Rule`."""
        assert self.ends is not None
        out = np.zeros(view.pitch.shape, dtype=np.bool_)
        ends = self.ends.take(view.frames, mode="clip")
        for length in self._lengths:
            known = ends[..., length * self.times - 1 :]  # where the view goes back far enough
            if not (known == length).any():
                continue
            loops = self._loops(view, length) & (ends == length)
            out |= loops[..., None] & (view.pitch >= 0)
        return out

    def _loops(self, view: View, length: int) -> Mask:
        """(..., frames) where ``times`` spans of ``length`` frames have ended that are alike."""
        out = np.zeros(view.pitch.shape[:-1], dtype=np.bool_)
        wanted = length * (self.times - 1)
        code = np.where(view.pitch >= 0, 2 * view.pitch + view.struck, view.pitch)
        code = code if view.voiced else np.sort(code, axis=-1)
        alike = (code[..., length:, :] == code[..., :-length, :]).all(-1) & (code[..., length:, :] != OPEN).all(-1)
        run = np.cumsum(np.concatenate([np.zeros_like(alike[..., :1]), alike], axis=-1), axis=-1)
        out[..., wanted + length - 1 :] = run[..., wanted:] - run[..., :-wanted] == wanted
        return out


PART = NoLoops
