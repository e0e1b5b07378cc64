"""What music is like, in numbers. One musical question a file: how dense, how smooth, how tense, how faulty?

A metric hears a :class:`Hearing`, one cached view of a score that all metrics share, and answers with one value for
each *figure* that it declares. There are four kinds of value, and each knows how the values of many pieces are pooled:

- :class:`Number`: of the piece as a whole (a range, an entropy); pieces are averaged.
- :class:`Rate`: so many out of so many (parallel fifths among moving pairs); counts are added up, so a set is one long
  piece, and a piece without any chance to err weighs nothing.
- :class:`Histogram`: weights over a support that is the same for all pieces; weights are added up.
- :class:`Curve`: values at moments, for pictures; not pooled.

What a score cannot answer is *undefined*, never an error and never a warning: the voice leading of a piano piece, the
entropy of silence. Undefined numbers and rates are NaN, histograms have no weight, curves no moment.

    >>> from kantor import metrics
    >>> found = metrics.measure(score)                  # {"pitch-range": Number(45.0), "parallel-fifths": Rate(...)}
    >>> found["parallel-fifths"].number                 # 0.67, per 1,000 moving pairs; NaN where undefined
    >>> metrics.figures()["parallel-fifths"].unit       # "per 1,000 moving pairs"

Adding a metric is adding a file with a ``PART``, a :class:`Metric`. The laws in ``tests/laws/test_metrics.py`` then
hold for it: stated ranges, invariances, the empty score, one note, ten hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kantor import registry
from kantor.errors import UnknownNameError
from kantor.metrics._hearing import LONGEST, Hearing, hear
from kantor.metrics._metric import Curve, Figure, Histogram, Metric, Number, Rate, Value
from kantor.score import Score

__all__ = [
    "LONGEST",
    "Curve",
    "Figure",
    "Hearing",
    "Histogram",
    "Metric",
    "Number",
    "Rate",
    "Value",
    "figures",
    "hear",
    "measure",
    "metric",
]


def metric(name: str) -> Metric:
    """The metric of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    found: Metric = registry.part("metrics", name)
    return found


@cache
def figures() -> dict[str, Figure]:
    """Every figure of every metric, by its name; names are the same for all scores, and in this order everywhere."""
    return {figure.name: figure for name in registry.names("metrics") for figure in metric(name).figures}


def measure(score: Score | Hearing, names: Iterable[str] | None = None) -> dict[str, Value]:
    """What all metrics, or those of ``names``, say of a score: figure's name -> value, undefined ones included.

    Parameters
    ----------
    score  a score, or its hearing where one is at hand.
    names  of metrics, or of single figures; None: all.

    Raises
    ------
    UnknownNameError
        If nothing bears one of ``names``.
    ScoreError
        If the score is longer than any music (:data:`LONGEST`).
    """
    hearing = score if isinstance(score, Hearing) else hear(score)
    rooms = registry.names("metrics")
    wanted = None if names is None else set(names)
    for name in wanted or ():
        if name not in rooms and name not in figures():
            raise UnknownNameError("metric", name, {*rooms, *figures()})
    found: dict[str, Value] = {}
    for name in rooms:
        part = metric(name)
        whole = wanted is None or name in wanted
        asked = [figure.name for figure in part.figures if whole or (wanted and figure.name in wanted)]
        if asked:
            values = part.answer(hearing)
            found |= {figure: values[figure] for figure in asked}
    return found
