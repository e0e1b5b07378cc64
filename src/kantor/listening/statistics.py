"""What came of a listening test: means, intervals, agreement, tests. Answers in, figures out.

People and pieces are both samples of more: another rater, or another piece, would have given other numbers. So
intervals come from a bootstrap that draws raters and pieces anew, both at once (Owen 2007, "The pigeonhole bootstrap"),
and a difference between two sources is tested twice: by raters, whose means for either are exchanged at random (a
paired permutation test), and by pieces, whose sources are shuffled. The larger of the two p-values is reported, as in
Clark (1973), "The language-as-fixed-effect fallacy": what holds of these raters or pieces alone does not count.

Whether the real pieces were told from the others is asked by balanced accuracy: the mean of the share of yes to the
real ones and that of no to the others. Whoever says the same of every piece has 50 %, however many of them are real.
Answers of one rater, or to one piece, are not independent; so the pieces' truth is shuffled, and all answers are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Difference", "Told", "agreement", "difference", "interval", "paired_p", "shuffled_p", "told"]

DRAWS = 10_000
EXACT = 12  # as many raters give all their sign flips, 4,096; more are drawn

Ratings = NDArray[np.float64]  # (raters, pieces), NaN where one has not answered


class Difference(NamedTuple):
    """Of two sources: mean rating of the first less that of the second, and p by raters and by pieces."""

    mean: float
    p_raters: float
    p_pieces: float

    @property
    def p(self) -> float:
        """What is reported: the larger one; NaN unless both are known, as one alone holds of these raters or pieces."""
        return math.nan if math.isnan(self.p_raters) or math.isnan(self.p_pieces) else max(self.p_raters, self.p_pieces)


class Told(NamedTuple):
    """How well real pieces were told from others: balanced accuracy, its 95 % interval, two-sided p; 0..1 or NaN."""

    accuracy: float
    low: float
    high: float
    p: float


def interval(ratings: Ratings, seed: int = 0, draws: int = 2000) -> tuple[float, float, float]:
    """(mean, low, high): the mean of all ratings, and its 95 % interval over raters and pieces; NaN of none."""
    if not np.isfinite(ratings).any():
        return math.nan, math.nan, math.nan
    known = np.isfinite(ratings)
    values = np.where(known, ratings, 0.0)
    random = np.random.default_rng(seed)
    raters, pieces = ratings.shape
    by_rater, by_piece = _times(random, raters, draws), _times(random, pieces, draws)
    sums = np.einsum("dr,rp,dp->d", by_rater, values, by_piece, optimize=True)
    counts = np.einsum("dr,rp,dp->d", by_rater, known.astype(np.float64), by_piece, optimize=True)
    low, high = np.quantile(sums[counts > 0] / counts[counts > 0], [0.025, 0.975])
    return float(values.sum() / known.sum()), float(low), float(high)


def agreement(ratings: Ratings, metric: str = "ordinal") -> float:
    """Krippendorff's alpha: 1 where raters agree, 0 where they agree by chance alone; NaN where nobody could differ.

    Parameters
    ----------
    ratings  (raters, pieces), NaN where one has not answered. Pieces with a single answer say nothing and are left out.
    metric   "nominal", "ordinal" or "interval": how far apart two values are.

    Source: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
    """
    levels = np.unique(ratings[np.isfinite(ratings)])
    counts = (
        np.stack([(ratings == level).sum(axis=0) for level in levels], axis=-1) if len(levels) else np.zeros((0, 0))
    )
    counts = counts[counts.sum(axis=-1) > 1] if counts.size else counts
    if not counts.size or len(counts) == 0:
        return math.nan
    each = counts.sum(axis=-1)
    pairs = counts[:, :, None] * counts[:, None, :] - np.eye(len(levels)) * counts[:, :, None]
    seen = (pairs / (each - 1)[:, None, None]).sum(axis=0)  # coincidences of two levels
    totals = seen.sum(axis=0)
    expected = np.outer(totals, totals) - np.diag(totals)
    apart = _METRICS[metric](levels, totals)
    chance = float((expected * apart).sum())
    return 1 - (totals.sum() - 1) * float((seen * apart).sum()) / chance if chance else math.nan


def _nominal(levels: Ratings, _: Ratings) -> Ratings:
    return np.asarray(levels[:, None] != levels[None], dtype=np.float64)


def _interval(levels: Ratings, _: Ratings) -> Ratings:
    return np.asarray(np.square(levels[:, None] - levels[None]))


def _ordinal(_: Ratings, totals: Ratings) -> Ratings:
    """How many values lie between two levels, half of either included; squared."""
    upto = np.cumsum(totals) - totals / 2
    return np.asarray(np.square(upto[:, None] - upto[None]))


_METRICS: dict[str, Callable[[Ratings, Ratings], Ratings]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
}


def difference(ratings: Ratings, first: Sequence[int], second: Sequence[int], seed: int = 0) -> Difference:
    """How much better the pieces ``first`` are rated than ``second`` (columns of ratings), and whether by chance."""
    one, other = ratings[:, list(first)], ratings[:, list(second)]
    both = np.isfinite(one).any(axis=1) & np.isfinite(other).any(axis=1)
    if not both.any():
        return Difference(math.nan, math.nan, math.nan)
    one, other = one[both], other[both]
    apart = np.nanmean(one, axis=1) - np.nanmean(other, axis=1)
    heard = [_means(part) for part in (one, other)]
    return Difference(float(apart.mean()), paired_p(apart, seed), shuffled_p(heard[0], heard[1], seed))


def _means(ratings: Ratings) -> Ratings:
    """Each piece's mean, of those that somebody has rated."""
    rated = np.isfinite(ratings).any(axis=0)
    return np.asarray(np.nanmean(ratings[:, rated], axis=0))


def paired_p(apart: Ratings, seed: int = 0) -> float:
    """Two-sided p of the mean of paired differences (n,), their signs flipped at random; NaN of fewer than two."""
    n = len(apart)
    if n < 2:
        return math.nan
    if n <= EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
        return float((np.abs(signs @ apart) >= abs(apart.sum()) - 1e-9).mean())
    signs = np.random.default_rng(seed).choice((1.0, -1.0), size=(DRAWS, n))
    return float((1 + (np.abs(signs @ apart) >= abs(apart.sum()) - 1e-9).sum()) / (DRAWS + 1))


def shuffled_p(first: Ratings, second: Ratings, seed: int = 0) -> float:
    """Two-sided p of the difference of two means, by exchanging members at random; NaN of fewer than two in either."""
    a, b = len(first), len(second)
    if min(a, b) < 2:
        return math.nan
    whole = np.concatenate([first, second])
    told = abs(float(first.mean() - second.mean()))
    exact = math.comb(a + b, a) <= DRAWS
    if exact:
        sums = np.array([whole[list(chosen)].sum() for chosen in combinations(range(a + b), a)])
    else:
        random = np.random.default_rng(seed)
        sums = random.permuted(np.tile(whole, (DRAWS, 1)), axis=1)[:, :a].sum(axis=1)
    apart = np.abs(sums / a - (whole.sum() - sums) / b) >= told - 1e-9
    return float(apart.mean()) if exact else float((1 + apart.sum()) / (DRAWS + 1))


def told(yes: Ratings, real: NDArray[np.bool_], seed: int = 0) -> Told:
    """Whether the real pieces were told from the others; NaN unless some of either have been answered.

    Parameters
    ----------
    yes   (raters, pieces) 1 for yes, 0 for no, NaN where one has not answered.
    real  (pieces,) what would have been right.
    """
    heard = np.isfinite(yes).any(axis=0)
    yes, real = yes[:, heard], real[heard]
    if real.all() or not real.any():
        return Told(math.nan, math.nan, math.nan, math.nan)
    known = np.isfinite(yes).astype(np.float64)
    values = np.where(known, yes, 0.0)
    said, answers = values.sum(axis=0), known.sum(axis=0)
    accuracy = float(_balanced(said, answers, real, ~real))
    truths = _truths(real, seed)
    apart = np.abs(_balanced(said, answers, truths, ~truths) - 0.5) >= abs(accuracy - 0.5) - 1e-9
    return Told(accuracy, *_told_interval(values, known, real, seed), float(apart.mean()))


def _balanced(said: Ratings, answers: Ratings, real: NDArray[Any], others: NDArray[Any]) -> Ratings:
    """Mean of the share of yes to real pieces and of no to others: of (..., pieces) yes, answers, and times drawn."""
    with np.errstate(invalid="ignore"):  # 0 / 0 where nobody drawn has answered
        right = (said * real).sum(axis=-1) / (answers * real).sum(axis=-1)
        wrong = (said * others).sum(axis=-1) / (answers * others).sum(axis=-1)
    return np.asarray((right + 1 - wrong) / 2)


def _truths(real: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """(draws, pieces) which pieces could be real, as many each time: all ways, or the true one and drawn ones."""
    pieces, count = len(real), int(real.sum())
    if math.comb(pieces, count) > DRAWS:
        drawn = np.random.default_rng(seed).permuted(np.tile(real, (DRAWS, 1)), axis=1)
        return np.concatenate([real[None], drawn])
    chosen = np.array(list(combinations(range(pieces), count)))
    truths = np.zeros((len(chosen), pieces), dtype=np.bool_)
    np.put_along_axis(truths, chosen, True, axis=1)
    return truths


def _told_interval(
    values: Ratings, known: Ratings, real: NDArray[np.bool_], seed: int, draws: int = 2000
) -> tuple[float, float]:
    """95 % interval of balanced accuracy: raters are drawn anew, and pieces, those that are real for themselves."""
    random = np.random.default_rng(seed)
    by_rater = _times(random, len(values), draws)
    by_piece = np.zeros((draws, len(real)), dtype=np.int64)
    for kind in (real, ~real):
        by_piece[:, kind] = _times(random, int(kind.sum()), draws)
    found = _balanced(by_rater @ values, by_rater @ known, by_piece * real, by_piece * ~real)
    low, high = np.quantile(found[np.isfinite(found)], [0.025, 0.975])
    return float(low), float(high)


def _times(random: np.random.Generator, members: int, draws: int) -> NDArray[np.int64]:
    """(draws, members) how often each is drawn, of as many as there are, with replacement."""
    return random.multinomial(members, np.full(members, 1 / members), size=draws)
