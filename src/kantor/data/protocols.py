"""How a piece is shown when a model is judged: the protocols *whole*, *windows* and *frames*.

whole     The whole piece, every step of it predicted, the first included; nothing counts from the end, and key and
          fermatas are unknown. Bar lines are known where the file has them (a bare grid has none).
frames    The whole piece, its first frame not counted: how figures on piano rolls are published
          (Boulanger-Lewandowski et al. 2012; Bai et al. 2018). Else as *whole*.
windows   Seed 000's: windows of 33 frames every 16, the first step given, 131 targets each, no memory between them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from numpy.typing import NDArray

from kantor.representations import Representation, decided
from kantor.score import Score

__all__ = ["HIDDEN", "PROTOCOLS", "WINDOW_FRAMES", "hide", "windows"]

PROTOCOLS = ("whole", "windows", "frames")
#: Planned conditions that no protocol may know: they say how the piece ends, or sum it up.
HIDDEN = ("key", "fermata", "remaining")
WINDOW_FRAMES = 32


def windows(score: Score, frames: int = WINDOW_FRAMES) -> Iterator[Score]:
    """Spans of ``frames + 1`` sixteenths every ``frames // 2``.

    A piece shorter than a span gives none, and the tail that no span reaches is left out, as the seed does; so is a
    span of silence, in which there is nothing to learn or to judge.
    """
    step = score.ticks_per_quarter // 4
    for start in range(0, score.length_ticks // step - frames, max(frames // 2, 1)):
        span = score.cut(start * step, (start + frames + 1) * step)
        if len(span):
            yield span


def hide(inputs: NDArray[Any], representation: Representation, names: Collection[str]) -> NDArray[Any]:
    """The inputs (..., columns) with the planned conditions ``names`` unknown; those it does not have are no matter."""
    inputs = inputs.copy()
    for column, condition in enumerate(representation.conditions, start=decided(representation)):
        if condition.planned and condition.name in names:
            inputs[..., column] = condition.unknown
    return inputs
