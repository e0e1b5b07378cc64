"""A voice's line through a span of frames, drawn from what a two-sided network says of each frame by itself.

The network gives marginals: of every open cell, how likely it attacks each pitch, holds it, or is silent. Cells drawn
from them one by one would hold pitches that nobody had struck. But a hold tells more than its cell: whoever holds p now
sounded p before, so p(hold p now | p before) = p(hold p now) / p(p before). Silence is taken to last as long as its
marginals allow. With new attacks taken to be independent of what they leave, this is a Markov chain whose marginals
are the network's own, and it keeps the grammar. Where a known cell behind the span goes on holding, the chain is
conditioned on it, by messages from the right (as in the forward-backward algorithm), so that the line arrives there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Ids, Mask
from kantor.representations.cells import HELD, OPEN
from kantor.representations.chorale import PITCHES
from kantor.sampling.filters import Filters

__all__ = ["Lines", "pick"]

Floats = NDArray[np.float64]
SURE = 1 - 1e-4  # a hold is never surer: what the network finds impossible may be all that rules leave
FLOOR = 1e-12


class Lines:
    """Lines through spans of at most ``steps`` frames, side by side.

    Parameters
    ----------
    logits  (rows, steps, classes) what the network says of each cell, all of a span's open.
    left    (rows,) the pitch id that sounds before the span, 0 for none.
    right   (rows,) the pitch id that the cell behind the span holds, 0 where it asks for nothing.
    length  (rows,) frames of each span.
    may     (rows, pitch ids) what each line may strike, silence included.
    """

    def __init__(self, logits: NDArray[np.float32], left: Ids, right: Ids, length: Ids, may: Mask) -> None:
        rows, steps, _ = logits.shape
        each = np.arange(rows)
        weight = np.exp(logits.astype(np.float64) - logits.max(2, keepdims=True))
        weight /= weight.sum(2, keepdims=True)
        may = may.copy()
        may[each, right] = True  # what is to be held may be struck, wherever it lies
        held = np.zeros((rows, steps, PITCHES))
        held[:, :, 1:] = weight[:, :, PITCHES:]
        sounds = weight[:, :, :PITCHES] + held  # of the class and of its hold
        silent = weight[:, :, 0]
        held[:, 1:, 0] = np.minimum(silent[:, 1:], silent[:, :-1])  # silence that goes on; the rest of it is new
        weight[:, 1:, 0] -= held[:, 1:, 0]
        fresh = np.where(may[:, None], weight[:, :, :PITCHES] + FLOOR, 0.0)
        # The pitch before the span is known: there, only one hold is possible at all.
        alone = np.where(left > 0, held[each, 0, left], 0.0)  # silence before it says nothing
        # Who leaves must be as many as come: where marginals of two frames do not agree, more would leave.
        left_over = np.maximum(sounds[:, :-1] - held[:, 1:], 0.0)
        new = weight[:, 1:, :PITCHES].sum(2, keepdims=True)
        leaves = np.minimum(new / np.maximum(left_over.sum(2, keepdims=True), FLOOR), 1.0) * left_over
        self._stays = np.minimum(1 - leaves / np.maximum(sounds[:, :-1], FLOOR), SURE)
        self._first = np.minimum(alone / np.maximum(alone + fresh[:, 0].sum(1), FLOOR), SURE)
        self._fresh = fresh / fresh.sum(2, keepdims=True)
        self._ahead = self._messages(right, length) if right.any() else None

    def _messages(self, right: Ids, length: Ids) -> Floats:
        """(rows, steps, pitch ids) how likely a line that sounds so there ends as it must, up to a factor."""
        steps = self._fresh.shape[1]
        end = np.where((right == 0)[:, None], 1.0, right[:, None] == np.arange(PITCHES))
        ahead = np.repeat(end[:, None], steps, axis=1)
        for step in range(steps - 2, -1, -1):
            later, stays = ahead[:, step + 1], self._stays[:, step]
            new = (self._fresh[:, step + 1] * later).sum(1, keepdims=True)
            message = stays * later + (1 - stays) * new
            message /= np.maximum(message.max(1, keepdims=True), FLOOR)
            ahead[:, step] = np.where((step < length - 1)[:, None], message, ahead[:, step])
        return ahead

    def weights(self, step: int, before: Ids) -> Floats:
        """(rows, classes) the distribution of the next cell, for the first ``len(before)`` rows.

        ``before`` (rows,) is the pitch id that sounds in the frame before.
        """
        rows = len(before)
        each = np.arange(rows)
        stays = self._stays[each, step - 1, before] if step else self._first[:rows]
        out = np.zeros((rows, OPEN))
        out[:, :PITCHES] = (1 - stays)[:, None] * self._fresh[:rows, step]
        out[each, np.where(before > 0, before + HELD, 0)] += stays
        if self._ahead is not None:
            ahead = self._ahead[:rows, step]
            out[:, :PITCHES] *= ahead
            out[:, PITCHES:] *= ahead[:, 1:]
        out /= out.sum(1, keepdims=True)
        return out


def pick(weights: Floats, uniform: Floats, filters: Filters) -> Ids:
    """(rows,) a class for each row of ``weights`` (rows, classes), each of which has one above 0."""
    if not filters.permissive:
        weights = filters(weights / weights.max(1, keepdims=True))
    reached = np.cumsum(weights, axis=1)
    # The first class whose cumulative weight exceeds the mark has a weight above 0 itself.
    chosen: Ids = (reached <= uniform[:, None] * reached[:, -1:]).sum(1)
    return chosen
