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
from kantor.representations import Ids
from kantor.runtime import Runtime
from kantor.sampling.filters import Filters
from kantor.sampling.stream import stream
from kantor.score import Key, Score
from kantor.theory import is_tonic_triad, triad

__all__ = ["PLAN", "Take", "compose", "ends_well", "randoms"]

TRIES = 8  # endings tried in one batch
NOTES, PLAN, ENDINGS = 0, 1, 2  # what a generator is for; every ending tried anew has its own
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
    advance: Callable[[], None] = lambda: None,
) -> dict[int, Take]:
    """The takes, by number as their ``plans`` are, all of one length and decided in one batched pass.

    ``advance`` is called at every step.
    """
    joint = None if prompt is None else len(prompt)
    desk = _Desk(bundle, filters, joint, advance)
    start = np.empty((0, len(bundle.representation.fields)), dtype=np.int64) if prompt is None else prompt
    values, nats = desk.run(list(plans.values()), [randoms(seed, take) for take in plans], start)
    return {
        take: desk.with_ending(plan, values[row], nats[row], len(start), partial(randoms, seed, take))
        for row, (take, plan) in enumerate(plans.items())
    }


@dataclass(frozen=True)
class _Desk:
    """A model at work: how it draws, and where given music ends."""

    bundle: Bundle
    filters: Filters
    joint: int | None
    advance: Callable[[], None]

    @cached_property
    def model(self) -> Runtime:
        return Runtime(self.bundle)

    def run(
        self, plans: Sequence[Score], rngs: Sequence[np.random.Generator], given: Ids
    ) -> tuple[Ids, NDArray[np.float64]]:
        """The steps of one piece a plan, (pieces, steps, fields), all after ``given``; and the nats of those."""
        ranges = _ranges(self.bundle)
        values, nats = [], []
        options: dict[str, Any] = {"filters": self.filters, "ranges": ranges, "joint": self.joint}
        for decision in stream(self.model, self.bundle.representation, plans, rngs, prompt=given, **options):
            values.append(decision.values)
            nats.append(decision.nats)
            self.advance()
        head = np.broadcast_to(given, (len(rngs), *given.shape))
        if not values:
            return head, np.empty((len(rngs), 0))
        return np.concatenate([head, np.stack(values, axis=1)], axis=1), np.stack(nats, axis=1)

    def ends_well(self, plan: Score, values: Ids) -> bool:
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
            back = max(len(values) - self._steps_of_last(plan, bars), given)
            tried, costs = self.run(
                [plan] * TRIES, [random(ENDINGS + attempt * TRIES + n) for n in range(TRIES)], values[:back]
            )
            good = [n for n in range(TRIES) if self.ends_well(plan, tried[n])]
            if good:
                best = min(good, key=lambda n: float(costs[n].sum()))
                return Take(tried[best], np.concatenate([nats[: back - given], costs[best]]), True)
        return Take(values, nats, False)

    def _steps_of_last(self, plan: Score, bars: int) -> int:
        start = int(plan.bars["start"][max(len(plan.bars) - bars, 0)])
        quarters = (plan.length_ticks - start) / plan.ticks_per_quarter
        return int(quarters * self.bundle.representation.steps_per_quarter)


def _ranges(bundle: Bundle) -> NDArray[np.int64] | None:
    ranges = bundle.card.get("ranges")
    return None if ranges is None else np.array(ranges, dtype=np.int64)


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
