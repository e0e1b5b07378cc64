"""What generate and continue share: run the stream for several takes, and see that each ends well.

An ending is a rule of thumb made certain by trying: a model that knows how many frames remain mostly ends on the
tonic by itself; a take that does not is taken back by two bars, then by more, and tried again, several tries in one
batch. Rules that always hold are another matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.representations import Ids, Mask, decided
from kantor.runtime import Model
from kantor.sampling.filters import Filters
from kantor.sampling.stream import stream
from kantor.score import Key, Score
from kantor.theory import diatonic, is_tonic_triad, triad
from kantor.verbs._models import model_of

__all__ = ["PLAN", "Take", "compose", "ends_well", "pitches_of", "randoms"]

TRIES = 8  # endings tried in one batch
NOTES, PLAN, ENDINGS = 0, 1, 2  # what a generator is for; every ending tried anew has its own
SELDOM = 16  # steps between two tellings of how far it is
BACK = (2, 2, 4, 4, 8, 8)  # bars taken back, round after round


@dataclass(frozen=True)
class Take:
    """One way the piece went: its steps, the nats of those that were decided, and whether it ends on a cadence."""

    values: Ids
    nats: NDArray[np.float64]
    cadence: bool


def randoms(seed: int, take: int, purpose: int = NOTES) -> np.random.Generator:
    """The generator of one take; ``purpose`` is one of :data:`NOTES`, :data:`PLAN`, and from :data:`ENDINGS` on."""
    return np.random.default_rng([seed, take, purpose])


def compose(
    bundle: Bundle,
    plans: Mapping[int, Score],
    seed: int,
    *,
    filters: Filters,
    prompt: Ids | None = None,
    notes: int | None = None,
    scale: Key | None = None,
    advance: Callable[[float], None] = lambda _: None,
) -> dict[int, Take]:
    """The takes, by number as their ``plans`` are, decided in one batched pass.

    Parameters
    ----------
    prompt   (steps, columns) that all begin with.
    notes    a piece also ends after so many notes, those of the prompt included.
    scale    a key to whose notes all are held: for a model that knows no keys.
    advance  told how far the pass is, 0..1.
    """
    desk = _Desk(bundle, filters, None if prompt is None else len(prompt), notes, pitches_of(bundle, scale), advance)
    start = np.empty((0, decided(bundle.representation)), dtype=np.int64) if prompt is None else prompt
    values, nats = desk.run(list(plans.values()), [randoms(seed, take) for take in plans], start)
    advance(1.0)
    return {
        take: desk.with_ending(plan, values[row], nats[row], len(start), partial(randoms, seed, take))
        for row, (take, plan) in enumerate(plans.items())
    }


@dataclass(frozen=True)
class _Desk:
    """A model at work: how it draws, where given music ends, when it stops, what it may play."""

    bundle: Bundle
    filters: Filters
    joint: int | None
    notes: int | None
    within: Mask | None
    advance: Callable[[float], None]

    @cached_property
    def model(self) -> Model:
        return model_of(self.bundle)

    def run(
        self, plans: Sequence[Score], rngs: Sequence[np.random.Generator], given: Ids
    ) -> tuple[list[Ids], list[NDArray[np.float64]]]:
        """The steps (steps, columns) of one piece a plan, all after ``given``; and the nats of those decided."""
        values, nats, counts = [], [], np.zeros(len(plans), dtype=np.int64)
        options: dict[str, Any] = {"filters": self.filters, "within": self.within, "joint": self.joint}
        for decision in stream(
            self.model, self.bundle.representation, plans, rngs, prompt=given, notes=self.notes, **options
        ):
            values.append(decision.values)
            nats.append(decision.nats)
            counts += 1 if decision.over is None else ~decision.over
            if decision.step % SELDOM == 0:
                self.advance(decision.progress())
        if not values:
            return [given] * len(plans), [np.empty(0)] * len(plans)
        steps, costs = np.stack(values, axis=1), np.stack(nats, axis=1)
        pieces = [np.concatenate([given, row[:count]]) for row, count in zip(steps, counts, strict=True)]
        return pieces, [row[:count] for row, count in zip(costs, counts, strict=True)]

    def ends_well(self, plan: Score, values: Ids) -> bool:
        if not self.bundle.representation.closes:
            return True
        key = plan.keys[-1] if plan.keys else None
        return ends_well(self.bundle.representation.decode(values, plan), key)

    def with_ending(
        self,
        plan: Score,
        values: Ids,
        nats: NDArray[np.float64],
        given: int,
        random: Callable[[int], np.random.Generator],
    ) -> Take:
        """The take, its last bars decided anew while it does not end well; of the tries that do, the likeliest."""
        if self.ends_well(plan, values):
            return Take(values, nats, True)
        for attempt, bars in enumerate(BACK if self.filters.temperature > 0 else ()):
            start = int(plan.bars["start"][max(len(plan.bars) - bars, 0)])
            back = max(self.bundle.representation.until(values, start), given)
            tried, costs = self.run(
                [plan] * TRIES, [random(ENDINGS + attempt * TRIES + n) for n in range(TRIES)], values[:back]
            )
            good = [n for n in range(TRIES) if self.ends_well(plan, tried[n])]
            if good:
                best = min(good, key=lambda n: float(costs[n].sum()))
                return Take(tried[best], np.concatenate([nats[: back - given], costs[best]]), True)
        return Take(values, nats, False)


def pitches_of(bundle: Bundle, scale: Key | None = None) -> Mask | None:
    """(parts, 128) the pitches each part may attack: those of its range in the training pieces, and of ``scale``."""
    ranges = bundle.card.get("ranges")
    if ranges is None and scale is None:
        return None
    pitch = np.arange(128)
    bounds = np.array([[0, 127]] if ranges is None else ranges)
    within: Mask = (bounds[:, :1] <= pitch) & (pitch <= bounds[:, 1:])
    if scale is not None:
        within = within & np.isin(pitch % 12, sorted(diatonic(scale)))
    if not within.any(1).all():
        raise OptionError("expected a key with notes in every part's range, got one with none; try another key.")
    return within


def ends_well(score: Score, key: Key | None) -> bool:
    """Whether the piece ends on the tonic triad, in root position; where the key is not known, on any such triad.

    All voices must have come to rest there: what sounds at the very end has sounded for a quarter.
    """
    ends = score.notes["onset"] + score.notes["duration"]
    last = score.notes[ends == score.length_ticks]
    if len(last) < len(score.parts) or last["duration"].min() < score.ticks_per_quarter:
        return False
    if key is not None:
        return is_tonic_triad(last["pitch"], key)
    found = triad(last["pitch"])
    return found is not None and found.root == int(last["pitch"].min()) % 12 and found.quality in ("major", "minor")
