"""What generate and continue share: run the stream for several takes, and see that each ends well.

An ending is a rule of thumb made certain by trying: a model that knows how many frames remain mostly ends on the
tonic by itself; a take that does not is taken back by two bars, then by more, and tried again, several tries in one
batch. Rules always hold: where they leave nothing, the piece is taken back and tried anew, again and again and farther;
what cannot be mended so is an error that names them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.bundle import Bundle
from kantor.errors import DeadEndError, OptionError
from kantor.representations import Ids, Mask, cells_in, decided, tick_of
from kantor.rules import check_agreement, faults
from kantor.runtime import Model
from kantor.sampling.beam import beam
from kantor.sampling.filters import Filters
from kantor.sampling.guard import Guard, named
from kantor.sampling.stream import Decision, stream
from kantor.score import Key, Score
from kantor.theory import diatonic, is_tonic_triad, triad
from kantor.verbs._models import model_of
from kantor.verbs._steering import Steering
from kantor.verbs._steering import steering as steered

__all__ = ["PLAN", "Take", "compose", "ends_well", "pitches_of", "randoms"]

Nats = NDArray[np.float64]

ALLOWED = 8.0  # quarters that any two pieces may share
TRIES = 8  # endings tried in one batch
REVIVALS = 12  # times that a piece is taken back from where rules left nothing
#: What a generator is for; every ending, every way back and every try has its own.
NOTES, PLAN, ENDINGS, REVIVAL, CHOICES, STRIDE = 0, 1, 2, 1000, 2000, 10_000
SELDOM = 16  # steps between two tellings of how far it is
BACK = (2, 2, 4, 4, 8, 8)  # bars taken back, round after round


@dataclass(frozen=True)
class Take:
    """One way the piece went.

    Attributes
    ----------
    values     (steps, columns) what was given, then what was decided.
    nats       (decided,) the surprise of each decision.
    cadence    whether it ends on a cadence.
    cost       (decided,) what the rules cost of them, in nats.
    dead_ends  how often the rules left nothing, so that it had to be taken back.
    """

    values: Ids
    nats: Nats
    cadence: bool = True
    cost: Nats = field(default_factory=lambda: np.empty(0))
    dead_ends: int = 0


@dataclass(frozen=True)
class _Run:
    """What one pass made of a piece, and the first step at which rules left nothing, if there is one; which rules."""

    values: Ids
    nats: Nats
    cost: Nats
    dead: int | None
    blamed: tuple[str, ...]

    def after(self, other: _Run | Take, kept: int) -> _Run:
        """It as the continuation of the first ``kept`` decisions of another."""
        nats, cost = np.concatenate([other.nats[:kept], self.nats]), np.concatenate([other.cost[:kept], self.cost])
        return replace(self, nats=nats, cost=cost)


def randoms(seed: int, take: int, purpose: int = NOTES) -> np.random.Generator:
    """The generator of one take; ``purpose`` is one of :data:`NOTES`, :data:`PLAN`, and from :data:`ENDINGS` on."""
    return np.random.default_rng([seed, take, purpose])


def compose(
    bundle: Bundle,
    plans: Mapping[int, Score],
    seed: int,
    *,
    filters: Filters,
    steering: Steering | None = None,
    prompt: Ids | None = None,
    notes: int | None = None,
    scale: Key | None = None,
    since: int = 0,
    advance: Callable[[float], None] = lambda _: None,
) -> dict[int, Take]:
    """The takes, by number as their ``plans`` are, decided in one batched pass.

    Parameters
    ----------
    steering  rules, beam, best of how many; the default rules unless given.
    prompt    (steps, columns) that all begin with.
    notes     a piece also ends after so many notes, those of the prompt included.
    scale     a key to whose notes all are held: for a model that knows no keys.
    since     tick of the plans up to which the prompt reaches.
    advance   told how far the pass is, 0..1.

    Raises
    ------
    RuleError
        If a rule cannot be kept in these plans, or two contradict each other.
    DeadEndError
        If stepping back, again and again and farther, finds no music that keeps the rules.
    """
    start = np.empty((0, decided(bundle.representation)), dtype=np.int64) if prompt is None else prompt
    steering = steering or steered(bundle)
    within = pitches_of(bundle, scale, ranges=steering.within)
    joint = None if prompt is None else len(prompt)
    desk = _Desk(bundle, filters, steering, joint, notes, within, advance, since)
    for planned in plans.values():
        desk.agree(planned)
    if steering.beam:
        takes = {take: desk.searched(planned, start) for take, planned in plans.items()}
    elif steering.best_of > 1:
        takes = {take: desk.chosen(planned, start, partial(randoms, seed, take)) for take, planned in plans.items()}
    else:
        runs = desk.run(list(plans.values()), [randoms(seed, take) for take in plans], start)
        takes = {
            take: desk.finished(planned, runs[row], len(start), partial(randoms, seed, take))
            for row, (take, planned) in enumerate(plans.items())
        }
    advance(1.0)
    return takes


@dataclass(frozen=True)
class _Desk:
    """A model at work: how it draws, what holds, where given music ends, when it stops, what it may play."""

    bundle: Bundle
    filters: Filters
    steering: Steering
    joint: int | None
    notes: int | None
    within: Mask | None
    advance: Callable[[float], None]
    since: int = 0  # tick of the plan up to which the music was given

    @cached_property
    def model(self) -> Model:
        return model_of(self.bundle)

    def guard(self, plans: Sequence[Score]) -> Guard | None:
        rules, known = self.steering.rules, self.bundle.representation
        return Guard(rules, plans, known.step, voiced=known.voiced, timed=known.timed) if rules else None

    def agree(self, plan: Score) -> None:
        """See that the hard rules leave each other anything."""
        representation = self.bundle.representation
        hard = {
            name: one.rule.bound(plan, representation.step)
            for name, one in named(self.steering.rules).items()
            if one.weight is None
        }
        check_agreement(hard, plan, representation.step, voiced=representation.voiced)

    def run(self, plans: Sequence[Score], rngs: Sequence[np.random.Generator], given: Ids) -> list[_Run]:
        """One piece a plan, all after ``given``."""
        decisions: list[Decision] = []
        counts = np.zeros(len(plans), dtype=np.int64)
        options: dict[str, Any] = {"filters": self.filters, "within": self.within, "joint": self.joint}
        options |= {"prompt": given, "notes": self.notes, "guard": self.guard(plans)}
        for decision in stream(self.model, self.bundle.representation, plans, rngs, **options):
            decisions.append(decision)
            counts += 1 if decision.over is None else ~decision.over
            if decision.step % SELDOM == 0:
                self.advance(decision.progress())
        if not decisions:
            return [_Run(given, np.empty(0), np.empty(0), None, ())] * len(plans)
        steps = np.stack([decision.values for decision in decisions], axis=1)
        nats, cost = (np.stack([getattr(d, what) for d in decisions], axis=1) for what in ("nats", "cost"))
        stuck = np.stack([decision.dead for decision in decisions], axis=1)
        made = []
        for row, count in enumerate(counts.tolist()):
            dead = np.flatnonzero(stuck[row, :count])
            first = int(dead[0]) + len(given) if len(dead) else None
            blamed = decisions[int(dead[0])].blamed.get(row, ()) if len(dead) else ()
            values = np.concatenate([given, steps[row, :count]])
            made.append(_Run(values, nats[row, :count], cost[row, :count], first, blamed))
        return made

    def ends_well(self, plan: Score, values: Ids) -> bool:
        if not self.bundle.representation.closes:
            return True
        key = plan.keys[-1] if plan.keys else None
        return ends_well(self.bundle.representation.decode(values, plan), key)

    def finished(self, plan: Score, run: _Run, given: int, random: Callable[[int], np.random.Generator]) -> Take:
        """The take of a run: stepped back from where the rules left nothing, then seen to an ending."""
        run, dead_ends = self.revived(plan, run, given, random)
        take = Take(run.values, run.nats, self.ends_well(plan, run.values), run.cost, dead_ends)
        return take if take.cadence else self.with_ending(plan, take, given, random)

    def revived(
        self, plan: Score, run: _Run, given: int, random: Callable[[int], np.random.Generator]
    ) -> tuple[_Run, int]:
        """The run, taken back by some bars and tried anew wherever rules left nothing; and how often that was."""
        met = 0
        for attempt in range(REVIVALS):
            if run.dead is None:
                return run, met
            met += 1
            back = self.before(plan, run.values, run.dead, BACK[attempt % len(BACK)], given)
            numbers = range(REVIVAL + attempt * TRIES, REVIVAL + (attempt + 1) * TRIES)
            tried = self.run([plan] * TRIES, [random(number) for number in numbers], run.values[:back])
            farthest = min(
                tried, key=lambda other: (-(math.inf if other.dead is None else other.dead), float(other.nats.sum()))
            )
            run = farthest.after(run, back - given)
        if run.dead is None:
            return run, met
        bar = plan.bar_name(tick_of(self.bundle.representation, plan, run.values, run.dead))
        names = " and ".join(run.blamed) or "the rules"
        raise DeadEndError(
            f"expected music that keeps {names}, found none in {bar} after stepping back {met} times; "
            "try another seed, a higher temperature, a --beam, or fewer rules."
        )

    def before(self, plan: Score, values: Ids, step: int, bars: int, given: int) -> int:
        """Steps up to so many bars before a step; never into what was given."""
        starts = [self.bundle.representation.until(values, int(start)) for start in plan.bars["start"]]
        begun = [start for start in starts if start <= step]
        return max(begun[-bars] if bars <= len(begun) else 0, given)

    def with_ending(self, plan: Score, take: Take, given: int, random: Callable[[int], np.random.Generator]) -> Take:
        """The take, its last bars decided anew while it does not end well; of the tries that do, the likeliest."""
        for attempt, bars in enumerate(BACK if self.filters.temperature > 0 else ()):
            start = int(plan.bars["start"][max(len(plan.bars) - bars, 0)])
            back = max(self.bundle.representation.until(take.values, start), given)
            tried = self.run(
                [plan] * TRIES, [random(ENDINGS + attempt * TRIES + n) for n in range(TRIES)], take.values[:back]
            )
            good = [run for run in tried if run.dead is None and self.ends_well(plan, run.values)]
            if good:
                best = min(good, key=lambda run: float(run.nats.sum())).after(take, back - given)
                return Take(best.values, best.nats, True, best.cost, take.dead_ends)
        return take

    def searched(self, plan: Score, given: Ids) -> Take:
        """The best that a beam finds; of those that end well, if any does."""
        rules, representation = self.steering.rules, self.bundle.representation
        guards = cache(lambda rows: self.guard([plan] * rows))
        found = beam(
            self.model,
            representation,
            plan,
            self.steering.beam,
            prompt=given,
            guard=guards if rules else None,  # type: ignore[arg-type]
            within=self.within,
            joint=self.joint,
            notes=self.notes,
            advance=self.advance,
        )
        whole = [np.concatenate([given, piece.values]) for piece in found]
        well = [self.ends_well(plan, values) for values in whole]
        best = well.index(True) if any(well) else 0
        return Take(whole[best], found[best].nats, well[best], found[best].cost)

    def chosen(self, plan: Score, given: Ids, random: Callable[[int], np.random.Generator]) -> Take:
        """The best of several tries: those that end well first, then by nats a note, each fault counted as one more."""
        tries = range(CHOICES, CHOICES + self.steering.best_of)
        runs = self.run([plan] * len(tries), [random(number) for number in tries], given)
        takes: list[Take] = []
        failed: DeadEndError | None = None
        for number, run in zip(tries, runs, strict=True):
            own = partial(_far, random, number)
            try:
                takes.append(self.finished(plan, run, len(given), own))
            except DeadEndError as error:
                failed = error
        if failed and not takes:
            raise failed
        return min(takes, key=lambda take: (not take.cadence, self.rank(plan, take)))

    def rank(self, plan: Score, take: Take) -> float:
        """Nats a note; each fault against a rule asked for, soft ones too, counts as one more; lower is better.

        So does each quarter of the longest passage that a training piece has too, beyond two bars.
        """
        whole = self.bundle.representation.decode(take.values, plan)
        score = whole.cut(self.since, whole.length_ticks) if self.since else whole
        notes = max(cells_in(self.bundle.representation, len(take.nats)) or len(score), 1)
        voiced = self.bundle.representation.voiced
        rules = {name: one.rule for name, one in named(self.steering.rules).items()} if voiced else {}
        copied = self.steering.memory.copied(score).quarters if self.steering.memory else 0.0
        wrong = [fault for fault in faults(whole, rules) if fault.tick >= self.since]
        return (float(take.nats.sum()) + len(wrong) + max(copied - ALLOWED, 0.0)) / notes


def _far(random: Callable[[int], np.random.Generator], number: int, purpose: int) -> np.random.Generator:
    """The generators of one of several tries."""
    return random(number * STRIDE + purpose)


def pitches_of(bundle: Bundle, scale: Key | None = None, *, ranges: bool = True) -> Mask | None:
    """(parts, 128) the pitches each part may attack: those of its range in the training pieces, and of ``scale``."""
    known = bundle.card.get("ranges") if ranges else None
    if known is None and scale is None:
        return None
    pitch = np.arange(128)
    bounds = np.array([[0, 127]] if known is None else known)
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
