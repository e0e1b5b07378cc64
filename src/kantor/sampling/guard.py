"""The rules at work on one piece or several: what they admit of the next decision, and what it would cost.

A class is not admitted when it makes a fault that was not there before: so a melody that is given may have faults of
its own, and the voices under it are judged by theirs alone. A soft rule admits every class and makes faults dearer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kantor.errors import RuleError, UnsupportedRuleError
from kantor.representations import Situation
from kantor.rules import OPEN, Mask, Rule, View
from kantor.sampling._asked import Asked, asked, named, spelt
from kantor.score import Score

__all__ = ["Asked", "Guard", "Verdict", "asked", "named", "spelt"]

Nats = NDArray[np.float64]


class Verdict(NamedTuple):
    """What is left of a decision.

    Attributes
    ----------
    allowed  (batch, classes) what grammar and hard rules admit; the grammar alone in rows that are stuck. None: all.
    price    (batch, classes) nats that soft rules ask; None: nothing.
    stuck    (batch,) where the hard rules leave nothing.
    blamed   names of the rules that do, by row.
    """

    allowed: Mask | None
    price: Nats | None
    stuck: Mask
    blamed: Mapping[int, tuple[str, ...]] = MappingProxyType({})


class Guard:
    """Rules bound to the plans of pieces that grow side by side.

    Parameters
    ----------
    rules   as they are asked for.
    plans   one a piece.
    step    ticks a frame.
    voiced  whether the music has voices; rules that need them are refused where it has none.
    timed   whether it is known when a note begins before it is chosen; likewise.

    Raises
    ------
    RuleError
        If a rule cannot be kept here.
    """

    def __init__(
        self, rules: Sequence[Asked], plans: Sequence[Score], step: int, *, voiced: bool, timed: bool = True
    ) -> None:
        for one in rules:
            if "time" in one.rule.needs and not timed:
                raise UnsupportedRuleError(
                    f"expected rules that this model's music can keep, got {one.name}, which has to know when a note "
                    "begins before it is chosen; try a model of notes, rolls or chorales, or leave the rule out."
                )
            if "voices" in one.rule.needs and not voiced:
                raise UnsupportedRuleError(
                    f"expected rules that this model's music can keep, got {one.name}, which needs four voices; "
                    "try a chorale model, or leave the rule out."
                )
        self.rules = tuple(rules)
        self._names = tuple(named(rules))
        distinct = {id(plan): plan for plan in plans}
        self._bound: list[list[tuple[Rule, NDArray[np.int64] | None]]] = []
        for one in rules:
            made = {key: _bound(one, plan, step) for key, plan in distinct.items()}
            rows: dict[int, tuple[Rule, list[int]]] = {}
            for row, plan in enumerate(plans):
                rule = made[id(plan)]
                rows.setdefault(id(rule), (rule, []))[1].append(row)
            alone = len(rows) == 1
            self._bound.append([(rule, None if alone else np.array(where)) for rule, where in rows.values()])
        self.reach = max((rule.reach for bound in self._bound for rule, _ in bound), default=0)

    def judge(self, situation: Situation) -> tuple[Mask | None, Nats | None]:
        """What hard rules admit, (batch, classes), and what soft ones ask for each class, in nats; None: nothing."""
        if not self.rules:
            return None, None
        view = _alternatives(situation)
        admitted: Mask | None = None
        price: Nats | None = None
        for one, bound in zip(self.rules, self._bound, strict=True):
            wrong = np.zeros(situation.strikes.shape, dtype=np.bool_)
            for rule, rows in bound:
                some = view.last(rule.reach + 1) if situation.at == -1 else view
                faults = rule.faults(some if rows is None else some.rows(rows))
                new = faults[:, :-1] > faults[:, -1:]
                wrong[slice(None) if rows is None else rows] = new.reshape(*new.shape[:2], -1).any(-1)
            if one.weight is None:
                admitted = ~wrong if admitted is None else admitted & ~wrong
            else:
                price = np.where(wrong, one.weight, 0.0) + (0.0 if price is None else price)
        return admitted, price

    def verdict(self, situation: Situation, grammar: Mask | None) -> Verdict:
        """What grammar and rules leave of the next decision; ``grammar`` is (batch, classes), or None for all."""
        ruled, price = self.judge(situation)
        none = np.zeros(len(situation.pitch), dtype=np.bool_)
        if ruled is None:
            return Verdict(grammar, price, none)
        both = ruled if grammar is None else np.logical_and(ruled, grammar)
        stuck = np.logical_not(both.any(1))
        if not stuck.any():
            return Verdict(both, price, none)
        open_ = np.ones_like(ruled) if grammar is None else grammar
        blamed = {row: tuple(self.blamed(situation, row, open_[row])) for row in np.flatnonzero(stuck).tolist()}
        return Verdict(np.where(stuck[:, None], open_, both), price, stuck, blamed)

    def blamed(self, situation: Situation, row: int, grammar: Mask) -> list[str]:
        """Names of the hard rules that leave piece ``row`` nothing of what the ``grammar`` (classes,) admits."""
        view = _alternatives(situation)
        names = []
        for name, one, bound in zip(self._names, self.rules, self._bound, strict=True):
            for rule, rows in bound:
                if one.weight is None and (rows is None or row in rows):
                    faults = rule.faults(view.rows(np.array([row])))
                    if ((faults[0, :-1] & ~faults[0, -1:]).any((1, 2)) & grammar).any():
                        names.append(name)
        return names


def _bound(one: Asked, plan: Score, step: int) -> Rule:
    try:
        return one.rule.bound(plan, step)
    except RuleError as error:
        raise type(error)(f"{one.name}: {error}") from error


def _alternatives(situation: Situation) -> View:
    """(batch, classes + 1, frames, voices): what sounds with each class, and last, with none decided."""
    _, classes, columns = situation.choices.shape
    at, frames = situation.at, situation.pitch.shape[1]
    lanes = slice(situation.voice, situation.voice + columns)
    pitch = np.repeat(situation.pitch[:, None], classes + 1, axis=1)
    pitch[:, :-1, at, lanes] = situation.choices
    pitch[:, -1, at, lanes] = OPEN
    struck = np.repeat(situation.struck[:, None], classes + 1, axis=1)
    if 0 <= at < frames - 1:  # what follows another pitch is struck, whatever was known of it
        after = pitch[:, :-1, at + 1, lanes]
        struck[:, :-1, at + 1, lanes] |= (after != situation.choices) & (after >= 0) & (situation.choices != OPEN)
    struck[:, :-1, at, lanes] = situation.strikes[:, :, None] & (situation.choices >= 0)
    struck[:, -1, at, lanes] = False
    return View(pitch, struck, situation.frames[:, None], situation.voiced)
