"""What a metric declares, and what it answers with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kantor.metrics._hearing import Hearing

__all__ = ["Curve", "Figure", "Histogram", "Metric", "Number", "Rate", "Value"]

Kind = Literal["number", "rate", "histogram", "curve"]


@dataclass(frozen=True, slots=True)
class Number:
    """A value of the piece as a whole; NaN where undefined."""

    number: float


@dataclass(frozen=True, slots=True)
class Rate:
    """So many out of so many, ``per`` (1,000: "per mille"); undefined where ``out_of`` is 0.

    Neither need be whole numbers: time that sounds is counted in quarters.
    """

    count: float
    out_of: float
    per: float = 1.0

    @property
    def number(self) -> float:
        """``per`` times ``count`` over ``out_of``; NaN where undefined."""
        return self.per * self.count / self.out_of if self.out_of else math.nan


@dataclass(frozen=True, eq=False, slots=True)
class Histogram:
    """Weights (bins,) over the figure's support; undefined where all are 0."""

    weights: NDArray[np.float64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(bins,) weights that add up to 1; all 0 where undefined."""
        whole = float(self.weights.sum())
        return self.weights / whole if whole else self.weights


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """``values`` (moments,) at ``quarters`` (moments,) since the start, each held until the next; empty: undefined."""

    quarters: NDArray[np.float64]
    values: NDArray[np.float64]


Value = Number | Rate | Histogram | Curve


@dataclass(frozen=True)
class Figure:
    """One value that a metric gives, declared before any score is heard.

    Attributes
    ----------
    name     unique among all metrics; the key in JSON.
    about    one sentence: what it says.
    unit     "semitones", "bits", "per 1,000 moving pairs"; empty for a plain share, 0..1.
    low, high  the lowest and the highest value that can be, of a curve at any moment; math.inf where there is no bound.
    better   "lower" or "higher" where music is the better for it; None where there is no better, only nearer.
    kind     what its values are.
    per      of a rate: what it is counted per.
    labels   of a histogram: what its bins are, for people.
    support  of a histogram: where its bins lie on a line, or None where they have no order (names of chords), so that
             a Wasserstein distance means nothing.
    """

    name: str
    about: str
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    better: Literal["lower", "higher"] | None = None
    kind: Kind = "number"
    per: float = 1.0
    labels: tuple[str, ...] = ()
    support: tuple[float, ...] | None = None

    @property
    def undefined(self) -> Value:
        """What it is where it cannot be told."""
        if self.kind == "number":
            return Number(math.nan)
        if self.kind == "rate":
            return Rate(0.0, 0.0, self.per)
        if self.kind == "histogram":
            return Histogram(np.zeros(len(self.labels)))
        return Curve(np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Metric:
    """One musical question.

    Attributes
    ----------
    name        the file's, with hyphens.
    about       the question, or what is measured, in one sentence.
    source      where it is defined.
    figures     what it gives.
    of          hearing -> a value for each of ``figures``, in their order. Called where ``needs`` are met.
    needs       what it cannot do without: "voices" (four lines), "lines" (at least one part that is one line), "key",
                "fermatas", "meter" in the score. Elsewhere its figures are undefined.
    invariant   what changes nothing: "transposition" (notes and keys), "octave" (notes by octaves), "stretch" (all
                times doubled), "parts" (their order). Tempo, velocity and resolution never change anything.
    """

    name: str
    about: str
    source: str
    figures: tuple[Figure, ...]
    of: Callable[[Hearing], tuple[Value, ...]] = field(repr=False)
    needs: frozenset[str] = frozenset()
    invariant: frozenset[str] = frozenset({"transposition", "parts"})

    def answer(self, hearing: Hearing) -> dict[str, Value]:
        """Figure's name -> value; undefined where what it needs is missing, or the score has no note."""
        if not len(hearing.notes) or not self.needs <= hearing.has:
            return {figure.name: figure.undefined for figure in self.figures}
        return {figure.name: value for figure, value in zip(self.figures, self.of(hearing), strict=True)}
