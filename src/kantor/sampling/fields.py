"""The three kinds of field as distributions: how to draw from one, and how likely it finds what came.

categorical  a softmax over classes; see :func:`kantor.sampling.filters.draw`.
multi-hot    a sigmoid for each key, all independent: a frame of a piano roll is as likely as the product. Each key is
             drawn by itself; dividing the 88 sigmoids by their sum, as seed 002 does, leaves a single note to draw.
real         a Gaussian, integrated over each grid cell: what a regression says, read as a distribution. Its lowest cell
             takes all that lies below.

Sampling and likelihood both go through this file, so a model is judged by what it plays.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.representations import Field, Mask
from kantor.sampling.filters import TINY, Filters, draw

__all__ = ["divergence", "draw_field", "likeliest", "low_to_high", "surprise"]

Floats = NDArray[np.float64]
NORMAL = NormalDist()
HALF = math.sqrt(0.5)
EDGE = 1e-12  # how near to 0 and 1 a quantile is asked for
FARTHEST = 36.0  # deviations beyond which a Gaussian's tail is nothing in float64
HIGHEST = 2.0**31  # of a real value that is drawn: beyond all music, and sums of many are still exact


def draw_field(
    field: Field,
    params: NDArray[np.float32],
    uniform: Floats,
    filters: Filters,
    allowed: Mask | None = None,
    price: Floats | None = None,
) -> tuple[NDArray[np.int64], Floats]:
    """A value for each row, and how unlikely it was to the model itself, without filters or grammar, in nats.

    Parameters
    ----------
    params    (batch, ...) of :mod:`kantor.models._heads`.
    uniform   (batch, columns) random numbers in [0, 1), a column for each of the field's.
    allowed   (batch, classes) or (batch, keys), or None for all.
    price     nats that soft rules ask for each class or key, shaped alike.

    Returns
    -------
    (batch, columns) values and (batch,) nats.
    """
    if field.kind == "categorical":
        chosen, nats = draw(params, uniform[:, 0], filters, allowed, price)
        return chosen[:, None], nats
    if not np.isfinite(params).all():
        warnings.warn("the model gave probabilities that are not numbers; the lowest value is taken", stacklevel=2)
        params = np.nan_to_num(params, nan=0.0)
    if field.kind == "real":
        return _regressed(field, params, uniform, filters.temperature)
    values = _keys(params if price is None else params - price, uniform, filters, allowed)
    return values, surprise(field, params, values)


def low_to_high(values: NDArray[np.int64], admitted: Callable[[NDArray[np.int64]], Mask | None]) -> NDArray[np.int64]:
    """Of keys that were drawn each by itself, (batch, keys), those that may sound together, the lowest first.

    ``admitted`` says which keys (batch, keys) may join those that it is given; None: all.
    """
    kept = np.zeros_like(values)
    for key in np.flatnonzero(values.any(0)):
        mask = admitted(kept)
        kept[:, key] = values[:, key] if mask is None else values[:, key] * mask[:, key]
    return kept


def surprise(field: Field, params: NDArray[np.float32], values: NDArray[np.int64]) -> Floats:
    """(rows,) -log p of ``values`` (rows, columns) under ``params`` (rows, ...), in nats."""
    if field.kind == "categorical":
        scores = params.astype(np.float64)
        top = scores.max(1, keepdims=True)
        norm = np.log(np.exp(scores - top).sum(1)) + top[:, 0]
        nats: Floats = norm - scores[np.arange(len(scores)), values[:, 0]]
        return nats
    if field.kind == "multi-hot":
        # -log sigmoid(z) of a key that sounds, -log sigmoid(-z) of one that is silent
        signed = np.where(values > 0, -params.astype(np.float64), params)
        nats = (np.maximum(signed, 0) + np.log1p(np.exp(-np.abs(signed)))).sum(1)
        return nats
    rows = zip(params.tolist(), values[:, 0].tolist(), strict=True)
    return np.array([_cell(field, mean, math.exp(log), value) for (mean, log), value in rows])


def divergence(
    field: Field, params: NDArray[np.float32], grammar: Mask | None, allowed: Mask | None, price: Floats | None
) -> Floats:
    """(rows,) Kullback-Leibler divergence of what rules leave of a categorical field from what the grammar does, nats.

    With hard rules alone it is -log of the probability that they leave. Filters have no part in it; of a field that is
    not categorical it is not known, and 0.
    """
    if field.kind != "categorical":
        return np.zeros(len(params))
    scores = params.astype(np.float64)
    before = scores if grammar is None else np.where(grammar, scores, -np.inf)
    whole = np.exp(before - before.max(1, keepdims=True))
    left = whole if allowed is None else np.where(allowed, whole, 0.0)
    left, total, asked = bent(left, price)
    nats: Floats = np.maximum(np.log(whole.sum(1)) - np.log(total) - asked, 0.0)
    return nats


def bent(left: Floats, price: Floats | None) -> tuple[Floats, Floats, Floats | float]:
    """What soft rules leave of weights (rows, classes); (rows,) its sum, and the mean price of what is left, nats."""
    if price is None:
        return left, np.maximum(left.sum(1), TINY), 0.0
    with np.errstate(under="ignore"):
        left = left * np.exp(-price)
    total = np.maximum(left.sum(1), TINY)
    return left, total, (left * price).sum(1) / total


def likeliest(field: Field, params: NDArray[np.float32]) -> NDArray[np.int64]:
    """(rows, columns) the likeliest value of each row."""
    if field.kind == "categorical":
        return np.asarray(params.argmax(1)[:, None], dtype=np.int64)
    if field.kind == "multi-hot":
        return np.asarray(params > 0, dtype=np.int64)
    modes = []
    for mean, log in params.tolist():
        near, deviation = max(round(mean), field.least), math.exp(log)
        lowest = _cell(field, mean, deviation, field.least) < _cell(field, mean, deviation, near)
        modes.append([field.least if lowest else near])
    return np.array(modes, dtype=np.int64).reshape(-1, 1)


def _regressed(
    field: Field, params: NDArray[np.float32], uniform: Floats, temperature: float
) -> tuple[NDArray[np.int64], Floats]:
    """Round the Gaussian's quantile to the grid; temperature scales the deviation, 0 takes the mean.

    Rows are few, so plain numbers are quicker here than arrays.
    """
    values, nats = [], []
    for (mean, log), chance in zip(params.tolist(), uniform[:, 0].tolist(), strict=True):
        deviation = math.exp(log)
        spread = temperature * NORMAL.inv_cdf(min(max(chance, EDGE), 1 - EDGE)) if temperature else 0.0
        value = round(min(max(field.least, mean + deviation * spread), HIGHEST))
        values.append([value])
        nats.append(_cell(field, mean, deviation, value))
    return np.array(values, dtype=np.int64), np.array(nats)


def _cell(field: Field, mean: float, deviation: float, value: int) -> float:
    """-log of a Gaussian's mass in the grid cell of ``value``; both tails are computed where they are small."""
    low = -math.inf if value <= field.least else (value - 0.5 - mean) / deviation
    high = (value + 0.5 - mean) / deviation
    if low > 0:
        low, high = -high, -low
    if high < -FARTHEST:  # as dense throughout as at the nearer edge
        width = min(high - low, -1 / high)
        return 0.5 * high * high + 0.5 * math.log(2 * math.pi) - math.log(width)
    mass = 0.5 * (math.erfc(-high * HALF) - math.erfc(-low * HALF))
    return -math.log(max(mass, 5e-324))


def _keys(params: NDArray[Any], uniform: Floats, filters: Filters, allowed: Mask | None) -> NDArray[np.int64]:
    """Draw each key by itself. The filters, which speak of one choice among many, are read for many at once:

    temperature divides each key's logit; top-k leaves the k likeliest keys; top-p the fewest that hold that share of
    all notes to be expected; min-p those at least that share as likely as the likeliest.
    """
    logits: NDArray[Any] = params
    if filters.temperature not in (0, 1):
        with np.errstate(over="ignore"):
            logits = params.astype(np.float64) / filters.temperature
    if allowed is not None:
        logits = np.where(allowed, logits, -np.inf)
    if filters.temperature == 0:
        return np.asarray(logits > 0, dtype=np.int64)
    with np.errstate(over="ignore"):
        chance = 1 / (1 + np.exp(-logits))
    if filters.top_k is not None or filters.top_p < 1 or filters.min_p > 0:
        order = np.argsort(-chance, axis=1, kind="stable")
        ranked = np.take_along_axis(chance, order, axis=1)
        kept = ranked >= filters.min_p * ranked[:, :1]
        if filters.top_k is not None:
            kept &= np.arange(ranked.shape[1]) < filters.top_k
        if filters.top_p < 1:
            kept &= ranked.cumsum(1) - ranked < filters.top_p * ranked.sum(1, keepdims=True)
        np.put_along_axis(chance, order, np.where(kept, ranked, 0.0), axis=1)
    return np.asarray(uniform < chance, dtype=np.int64)
