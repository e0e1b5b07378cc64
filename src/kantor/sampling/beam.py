"""Beam search: the likeliest continuations that the rules admit, several kept at every decision (Lowerre 1976).

Drawing note by note takes a likely note where it may lead nowhere; a beam carries the ``width`` best beginnings and
lets the later music judge. Beginnings of equally many steps are compared by their nats alone. Pieces that have ended
are compared with each other by nats a step to the power ``fairness`` (Wu et al. 2016, sec. 7): 0 favours short pieces,
1 takes the mean. A beginning that the rules leave nothing is dropped: a beam has no dead end before its last one has.

What a beam finds is likely, hence plain; music that is drawn is as surprising as the model thinks music is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kantor.errors import DeadEndError, OptionError
from kantor.representations import Deriver, Ids, Mask, Representation, decided, tick_of
from kantor.runtime import Features, Model, batch_axes
from kantor.sampling.fields import divergence
from kantor.sampling.guard import Guard
from kantor.sampling.stream import read
from kantor.score import Score

__all__ = ["Found", "beam"]

Floats = NDArray[np.float64]
SELDOM = 16  # steps between two tellings of how far it is


@dataclass(frozen=True)
class Found:
    """A piece that the beam has carried to its end.

    Attributes
    ----------
    values  (steps, columns) without the prompt.
    nats    (steps,) -log p under the model of what was decided, grammar and rules apart.
    cost    (steps,) what the rules cost of it, in nats.
    owed    nats that soft rules ask for its faults.
    """

    values: Ids
    nats: Floats
    cost: Floats
    owed: float = 0.0


def beam(
    model: Model,
    representation: Representation,
    plan: Score,
    width: int,
    *,
    prompt: Ids | None = None,
    guard: Callable[[int], Guard] | None = None,
    within: Mask | None = None,
    joint: int | None = None,
    notes: int | None = None,
    fixed: Ids | None = None,
    fairness: float = 1.0,
    advance: Callable[[float], None] = lambda _: None,
) -> list[Found]:
    """The best pieces of this plan, at most ``width`` of them, the best first.

    Parameters
    ----------
    prompt    (steps, columns) that all begin with.
    guard     makes the rules for so many pieces side by side.
    within    the pitches that may be attacked.
    joint     a step into whose frame nothing holds over.
    notes     pieces also end after so many notes beside the prompt's.
    fixed     (steps, columns) what is given, -1 where it is to be decided; what is given costs no nats.
    fairness  0..1.
    advance   told how far the best of them has come, 0..1.

    Raises
    ------
    OptionError
        If the width or the fairness is out of range, or a field has no classes to choose from.
    DeadEndError
        If the rules admit no piece of this plan that the beam could find.
    """
    if width < 1 or not 0 <= fairness <= 1:
        raise OptionError(f"expected a beam of 1 or more and a fairness within 0..1, got {width} and {fairness}.")
    odd = [field.name for field in representation.fields if field.kind != "categorical"]
    if odd:
        raise OptionError(f"expected fields in classes for a beam, got '{odd[0]}'; draw from this model instead.")
    start = np.empty((0, decided(representation)), dtype=np.int64) if prompt is None else np.asarray(prompt)
    search = _Beam(model, representation, plan, width, guard, within, joint, notes, start)
    step = len(start)
    while search.alive:
        given = None if fixed is None or step >= len(fixed) else fixed[step]
        search.step(given)
        step += 1
        if step % SELDOM == 0:
            advance(search.progress)
    advance(1.0)
    ranked = sorted(
        search.ended, key=lambda found: (float(found.nats.sum()) + found.owed) / max(len(found.nats), 1) ** fairness
    )
    return ranked[:width]


class _Beam:
    """The beginnings that are carried: rows of everything that knows about them."""

    def __init__(
        self,
        model: Model,
        representation: Representation,
        plan: Score,
        width: int,
        guard: Callable[[int], Guard] | None,
        within: Mask | None,
        joint: int | None,
        notes: int | None,
        prompt: Ids,
    ) -> None:
        self._model, self._fields = model, representation.fields
        self._representation, self._plan, self._prompt = representation, plan, prompt
        self._width, self._columns = width, decided(representation)
        self._deriver: Deriver = representation.derive(plan, within=within, joint=joint, notes=notes)
        self._guard = guard
        self._previous, self._state = read(model, representation, self._deriver, prompt[None], True)
        self._deriver.begin()
        self._axes = batch_axes(model)
        self._values: Ids = np.empty((1, 0, self._columns), dtype=np.int64)
        self._nats: Floats = np.empty((1, 0))
        self._cost: Floats = np.empty((1, 0))
        self._owed: Floats = np.zeros(1)  # what soft rules have asked of each beginning
        self.ended: list[Found] = []
        self._blamed: set[str] = set()
        self._retire()

    @property
    def alive(self) -> int:
        return len(self._previous)

    @property
    def progress(self) -> float:
        return self._deriver.progress() if self.alive else 1.0

    def step(self, given: Ids | None) -> None:
        """Decide one step of all: field by field, the best ``width`` of all that could follow are kept."""
        features = self._run()
        values = np.zeros((self.alive, self._columns), dtype=np.int64)
        nats, cost = np.zeros(self.alive), np.zeros(self.alive)
        for k in range(len(self._fields)):
            if given is not None and given[k] >= 0:
                values[:, k] = given[k]
                continue
            params = self._model.field(features, values[:, None], k)[:, 0]
            scores = params.astype(np.float64) - params.max(1, keepdims=True)
            surprise = np.log(np.exp(scores).sum(1))[:, None] - scores
            dear, asked = self._judged(k, values, params, surprise)
            rows, classes = self._best(dear + (self._nats.sum(1) + nats + self._owed)[:, None])
            owed = self._owed[rows] + (dear - surprise)[rows, classes]
            values, nats, cost = values[rows], nats[rows] + surprise[rows, classes], (cost + asked)[rows]
            values[:, k] = classes
            features = [part[rows] for part in features]
            self._keep(rows)
            self._owed = owed
        self._values = np.concatenate([self._values, values[:, None]], axis=1)
        self._nats = np.concatenate([self._nats, nats[:, None]], axis=1)
        self._cost = np.concatenate([self._cost, cost[:, None]], axis=1)
        self._deriver.push(values)
        self._previous = values
        self._retire()

    def _judged(self, k: int, values: Ids, params: NDArray[np.float32], surprise: Floats) -> tuple[Floats, Floats]:
        """Every class's surprise with what soft rules ask, infinite where it is forbidden; and what the rules cost."""
        allowed, cost = self._deriver.allowed(k, values), np.zeros(self.alive)
        guard = self._guard(self.alive) if self._guard else None
        if guard and (situation := self._deriver.situation(k, values, guard.reach)):
            verdict = guard.verdict(situation, allowed)
            cost = divergence(self._fields[k], params, allowed, verdict.allowed, verdict.price)
            surprise = surprise if verdict.price is None else surprise + verdict.price
            allowed = verdict.allowed
            if verdict.stuck.any() and allowed is not None:
                allowed = allowed & ~verdict.stuck[:, None]
                self._blamed |= {name for names in verdict.blamed.values() for name in names}
        return surprise if allowed is None else np.where(allowed, surprise, np.inf), cost

    def _best(self, total: Floats) -> tuple[Ids, Ids]:
        flat = total.ravel()
        order = np.argsort(flat, kind="stable")[: self._width]
        order = order[np.isfinite(flat[order])]
        if not len(order) and not self.ended:
            names = ", ".join(sorted(self._blamed)) or "the grammar"
            so_far = np.concatenate([self._prompt, self._values[0]])
            bar = self._plan.bar_name(tick_of(self._representation, self._plan, so_far, len(so_far)))
            raise DeadEndError(
                f"expected music that keeps {names}, found none in {bar}; try a wider beam or fewer rules."
            )
        rows, classes = np.divmod(order, total.shape[1])
        return rows, classes

    def _run(self) -> Features:
        inputs = np.concatenate([self._previous, self._deriver.conditions()[: self.alive]], axis=1)[:, None]
        features, self._state = self._model.run(inputs, self._state)
        return features

    def _keep(self, rows: Ids) -> None:
        """Let the beginnings be these rows of what they were; a row may come several times, or not at all."""
        self._deriver.keep(rows)
        self._previous, self._values = self._previous[rows], self._values[rows]
        self._nats, self._cost, self._owed = self._nats[rows], self._cost[rows], self._owed[rows]
        self._state = [part.take(rows, axis) for part, axis in zip(self._state, self._axes, strict=True)]

    def _retire(self) -> None:
        """Set aside those that have reached their end."""
        over = self._deriver.done()
        if over is None:
            return
        for row in np.flatnonzero(over):
            self.ended.append(Found(self._values[row], self._nats[row], self._cost[row], float(self._owed[row])))
        self._keep(np.flatnonzero(~over))
