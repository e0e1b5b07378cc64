"""From logits to one class: temperature, top-k, nucleus and min-p, and the draw itself. Pure functions on arrays.

temperature   divides the logits (Ackley et al. 1985); 0 takes the likeliest class.
top-k         keeps the k likeliest classes (Fan et al. 2018).
top-p         keeps the fewest classes whose probabilities reach p: the nucleus (Holtzman et al. 2020).
min-p         keeps the classes at least p times as likely as the likeliest (Nguyen et al. 2024).

They apply in this order, to the classes that the grammar admits.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError

__all__ = ["Filters", "draw"]

Floats = NDArray[np.float64]
LEAST = -1e30  # what counts as the logit of an impossible class
TINY = np.finfo(np.float64).tiny  # below it products round so coarsely that nothing can be drawn by them


@dataclass(frozen=True)
class Filters:
    """How to draw. The defaults change nothing: the model's own distribution.

    Parameters
    ----------
    temperature  >= 0; below 1 safer, above 1 bolder, 0 always the likeliest.
    top_k        >= 1, or None for all.
    top_p        0..1; 1 keeps all.
    min_p        0..1; 0 keeps all.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise OptionError(f"expected a temperature of 0 or more, got {self.temperature}; 1 is the model as it is.")
        if self.top_k is not None and self.top_k < 1:
            raise OptionError(f"expected top-k to be at least 1, got {self.top_k}; leave it out to keep every class.")
        for name, value in (("top-p", self.top_p), ("min-p", self.min_p)):
            if not 0 <= value <= 1:
                raise OptionError(f"expected {name} within 0..1, got {value}.")

    @cached_property
    def permissive(self) -> bool:
        """Whether they change nothing."""
        return self.temperature == 1 and self.top_k is None and self.top_p == 1 and self.min_p == 0

    def __call__(self, weights: Floats) -> Floats:
        """Weights (batch, classes), >= 0 and largest 1 in each row -> the weights to draw from, not normalised."""
        if self.temperature == 0:
            best: Floats = (np.arange(weights.shape[1]) == weights.argmax(1)[:, None]).astype(np.float64)
            return best
        if self.temperature != 1:
            weights = (weights / weights.max(1, keepdims=True)) ** (1 / self.temperature)
        if self.top_k is not None and self.top_k < weights.shape[1]:
            weights = _keep_first(weights, np.arange(weights.shape[1]) < self.top_k)
        if self.top_p < 1:
            ranked = -np.sort(-weights, axis=1)
            before = np.cumsum(ranked, axis=1) - ranked
            weights = _keep_first(weights, before < self.top_p * ranked.sum(1, keepdims=True))
        if self.min_p > 0:
            weights = np.where(weights >= self.min_p * weights.max(1, keepdims=True), weights, 0.0)
        return weights


def _keep_first(weights: Floats, kept: NDArray[np.bool_]) -> Floats:
    """Zero all but the classes whose rank (0: heaviest) is ``kept``; the heaviest always stays."""
    order = np.argsort(-weights, axis=1, kind="stable")
    mask = np.empty(weights.shape, dtype=np.bool_)
    kept = np.broadcast_to(kept, weights.shape).copy()
    kept[:, 0] = True
    np.put_along_axis(mask, order, kept, axis=1)
    return np.where(mask, weights, 0.0)


def draw(
    logits: NDArray[np.float32],
    uniform: Floats,
    filters: Filters,
    allowed: NDArray[np.bool_] | None = None,
    price: Floats | None = None,
) -> tuple[NDArray[np.int64], Floats]:
    """One class a row, and how unlikely it was to the model itself: -log p without filters or grammar, in nats.

    Parameters
    ----------
    logits    (batch, classes).
    uniform   (batch,) random numbers in [0, 1): equal numbers, equal classes.
    allowed   (batch, classes), or None for all; every row admits at least one.
    price     (batch, classes) nats that soft rules ask for a class, before the filters; the surprise is without them.

    Where logits are not numbers, or no admitted class has a probability to draw by, the likeliest admitted class is
    taken, with a warning.
    """
    scores = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):  # infinities, which are mended below
        scores -= scores.max(1, keepdims=True)
    weights = np.exp(scores)
    norm = weights.sum(1)
    if allowed is not None:
        weights *= allowed
    # The likeliest class weighs 1, so only what is no number, or not admitted, can fail here.
    sound = norm > 0 if allowed is None else (norm > 0) & (weights.max(1) >= TINY)
    if not sound.all():
        scores, weights, norm = _mended(logits, allowed, ~sound)
    if price is not None:
        weights = weights * np.exp(price.min(1, keepdims=True) - price)
        weights /= np.maximum(weights.max(1, keepdims=True), TINY)
    if not filters.permissive:
        weights = filters(weights)
    cumulative = weights.cumsum(1)
    # The first class whose cumulative weight exceeds the mark has a weight above 0 itself.
    mark = uniform * cumulative[:, -1]
    chosen: NDArray[np.int64] = (cumulative <= mark[:, None]).sum(1)
    return chosen, np.log(norm) - scores[np.arange(len(scores)), chosen]


def _mended(
    logits: NDArray[np.float32], allowed: NDArray[np.bool_] | None, broken: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Scores, weights and norm where rows have nothing to draw by: there the likeliest admitted class is left alone."""
    what = "every admitted class probability 0" if np.isfinite(logits).all() else "probabilities that are not numbers"
    warnings.warn(f"the model gave {what}; the likeliest class is taken", stacklevel=3)
    scores = np.nan_to_num(logits.astype(np.float64), nan=LEAST, posinf=-LEAST, neginf=LEAST)
    scores -= scores.max(1, keepdims=True)
    weights = np.exp(scores)
    norm = weights.sum(1)
    if allowed is not None:
        weights *= allowed
    admitted = scores if allowed is None else np.where(allowed, np.maximum(scores, 2 * LEAST), -np.inf)
    best = np.arange(scores.shape[1]) == admitted.argmax(1)[:, None]
    return scores, np.where(broken[:, None], best, weights), norm
