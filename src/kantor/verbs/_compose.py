"""What generate and continue share: run the stream for several takes, and see that each ends well.

An ending is a rule of thumb made certain by trying: a model that knows how many frames remain mostly ends on the
tonic by itself; a take that does not is taken back by two bars and tried again, several tries in one batch, so many
times at most. Rules that always hold are another matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

__all__ = ["Take", "compose", "ends_well", "randoms"]

TRIES = 8  # endings tried in one batch
ROUNDS = 4


@dataclass(frozen=True)
class Take:
    """One way the piece went: its steps, the nats of those that were decided, and whether it ends on a cadence."""

    values: Ids
    nats: NDArray[np.float64]
    cadence: bool


def randoms(seed: int, take: int, purpose: int = 0) -> np.random.Generator:
    """The generator of one take; ``purpose`` 0 decides notes, 1 draws the plan, 2 and on are endings tried again."""
    return np.random.default_rng([seed, take, purpose])


def compose(
    bundle: Bundle,
    plan: Score,
    seed: int,
    takes: Sequence[int],
    *,
    filters: Filters,
    prompt: Ids | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Take]:
    """The takes, decided side by side; ``advance`` is called at every step."""
    model, representation = Runtime(bundle), bundle.representation
    fields = len(representation.fields)
    start = np.empty((0, fields), dtype=np.int64) if prompt is None else prompt

    def run(rngs: list[np.random.Generator], given: Ids) -> tuple[Ids, NDArray[np.float64]]:
        values, nats = [], []
        options: dict[str, Any] = {"filters": filters, "prompt": given, "ranges": _ranges(bundle)}
        for decision in stream(model, representation, plan, rngs, **options):
            values.append(decision.values)
            nats.append(decision.nats)
            advance()
        head = np.broadcast_to(given, (len(rngs), *given.shape[-2:]))
        tail = np.stack(values, axis=1) if values else np.empty((len(rngs), 0, fields), dtype=np.int64)
        return np.concatenate([head, tail], axis=1), np.stack(nats, axis=1) if nats else np.empty((len(rngs), 0))

    key = plan.keys[-1] if plan.keys else None
    values, nats = run([randoms(seed, take) for take in takes], start)
    done = []
    for row, take in enumerate(takes):
        kept, cost = values[row], nats[row]
        good = ends_well(representation.decode(kept, plan), key)
        back = max(len(kept) - _two_bars(plan, representation), len(start))
        for attempt in range(ROUNDS if not good and filters.temperature > 0 else 0):
            tried, costs = run([randoms(seed, take, 2 + attempt * TRIES + i) for i in range(TRIES)], kept[:back])
            fits = [i for i in range(TRIES) if ends_well(representation.decode(tried[i], plan), key)]
            if fits:
                best = min(fits, key=lambda i: float(costs[i].sum()))
                kept, cost = tried[best], np.concatenate([cost[: back - len(start)], costs[best]])
                good = True
                break
        done.append(Take(kept, cost, good))
    return done


def _two_bars(plan: Score, representation: Any) -> int:
    """Steps in the last two bars."""
    first = int(plan.bars["start"][max(len(plan.bars) - 2, 0)])
    return int((plan.length_ticks - first) / plan.ticks_per_quarter * representation.steps_per_quarter)


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
