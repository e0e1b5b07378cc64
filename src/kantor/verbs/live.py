"""A piece that is steered while it grows, with a diary: whatever was done to it is written down, to be done again.

:class:`Performance` composes a little at a time, for whoever plays it meanwhile. Rules that leave nothing, and an
ending that is none, are mended by stepping back, as ``kantor generate`` does, but never behind what has been heard.
Each step back and each change is noted with the number of steps that stood then. :func:`live` follows such notes: it
is what ``kantor replay`` calls for a piece that was composed live.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.bundle import Bundle
from kantor.corpora import tracks_of
from kantor.errors import OptionError, ScoreError
from kantor.io.packing import pack_score
from kantor.representations import Encoding, Ids
from kantor.rules import check_agreement
from kantor.runtime import Model
from kantor.sampling.asking import Going, settled
from kantor.sampling.guard import named
from kantor.sampling.live import Live
from kantor.sampling.stream import Decision
from kantor.score import NOTE, Score
from kantor.theory import parse_key
from kantor.verbs._amounts import DENSEST, Amount, check_playing
from kantor.verbs._attacks import Attacks, attacks
from kantor.verbs._compose import BACK, PLAN, REVIVALS, Take, ends_well, pitches_of, randoms
from kantor.verbs._models import model_of, one_sided
from kantor.verbs._plans import check_amounts, plan
from kantor.verbs._steering import Steering, steering
from kantor.verbs.continue_ import _added, _joined, _nearest, _planned
from kantor.verbs.generate import DEFAULT_MODEL, drawing, finish, playing, seeded, thousandths
from kantor.verbs.piece import Piece

__all__ = ["Performance", "live"]

ENDINGS = 12  # times that the last bars are tried again for a cadence
BARS = 2  # of them
LOCAL = (
    "chorale",
    "choir",
    "chorded",
    "roll",
    "notes",
)  # representations whose steps behind a seam mean what they mean by themselves


class Performance:
    """One piece in the making, from nothing or behind a prompt.

    Times are ticks of :attr:`score`, which has the prompt's resolution.

    Parameters
    ----------
    model    a shipped model's name, a folder, or an opened bundle.
    prompt   music to go on from; it stays as it is.
    runtime  what runs the model, where it is loaded already.
    bars     how many to compose.
    key, meter, pickup   of a piece from nothing; drawn from the corpus unless given.
    in_key   hold it to its key; a model that knows no keys is always held to one that is asked for.
    density  how many notes may begin within a quarter.
    instruments   General MIDI programs, one a part.
    The others are those of :func:`kantor.generate`.

    Raises
    ------
    KantorError
        As :func:`kantor.generate` and :func:`kantor.continue_`.
    """

    def __init__(
        self,
        model: str | Path | Bundle = DEFAULT_MODEL,
        prompt: Score | None = None,
        *,
        runtime: Model | None = None,
        bars: int = 16,
        key: str | None = None,
        meter: str | None = None,
        pickup: float | None = None,
        tempo: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        min_p: float | None = None,
        rules: Sequence[str] = (),
        soft: Sequence[str] = (),
        density: int | None = None,
        in_key: bool = False,
        instruments: Sequence[int] = (),
        seed: int | None = None,
    ) -> None:
        check_amounts(bars)
        check_playing(tempo, None)
        self.bundle = one_sided(model)
        self.representation = self.bundle.representation
        self.seed = seeded(seed)
        self.filters = drawing(self.bundle, temperature, top_k, top_p, min_p)
        self.asked: dict[str, Any] = {"rules": list(rules), "soft": list(soft), "density": density, "in_key": in_key}
        self.asked["key"] = key
        self.tempo, self.instruments, self.given = tempo, tuple(instruments), prompt
        self.encoding: Encoding | None = None
        if prompt is None:
            self.plan = playing(plan(self.bundle, bars, key, meter, pickup, randoms(self.seed, 1, PLAN)), tempo, None)
        else:
            self.plan = self._behind(prompt, bars, tempo, {"key": key, "meter": meter, "pickup": pickup})
        self._first_key = self.plan.keys[0] if self.plan.keys else None
        self.held = held = self._held(self.asked, self.plan)
        self.live = Live(
            runtime or model_of(self.bundle),
            self.representation,
            self.plan,
            seed=self.seed,
            filters=self.filters,
            rules=held.rules,
            within=pitches_of(self.bundle, ranges=held.within),
            prompt=None if self.encoding is None else self.encoding.values,
        )
        self.joint = 0 if self.encoding is None else self.encoding.plan.length_ticks
        self.options: dict[str, Any] = {"bars": bars, "key": key, "meter": meter, "pickup": pickup, "tempo": tempo}
        self.options |= {**asdict(self.filters), **self.asked, "instruments": list(instruments)}
        self.changes: list[dict[str, Any]] = []
        self.remarks: list[str] = [] if self.encoding is None else list(_nearest(self.encoding))
        self.nats: list[float] = []
        self.cost: list[float] = []
        self._by_field: list[NDArray[np.float64]] = []
        self.dead_ends = self._tries = self._endings = 0
        self._stuck, self._given = -1, len(self.live.values)
        self._now, self.over = self.joint, False
        self._known: Score | None = None
        self._room: Ids = np.empty((256, self.live.values.shape[1]), dtype=np.int64)  # for the steps that were decided
        self._seams: list[int] = []  # ticks across which nothing sounds, in order
        #: The least tick to which it was taken back since somebody last asked; whoever asks sets it to None.
        self.voided: int | None = None

    # -- what there is -------------------------------------------------------------------------------------------

    @property
    def scale(self) -> float:
        """Ticks of :attr:`score` in a tick of the plan."""
        return 1.0 if self.given is None else self.given.ticks_per_quarter / self.plan.ticks_per_quarter

    @property
    def now(self) -> int:
        """All music before this tick is decided."""
        return self.length if self.over else min(round(self._now * self.scale), self.length)

    @property
    def length(self) -> int:
        """Ticks of the whole piece."""
        return round(self.plan.length_ticks * self.scale)

    @property
    def rules(self) -> list[str]:
        """The rules that hold, as the command line spells them."""
        ranges = ["range"] if self.held.within and self.representation.voiced else []
        return [*map(str, self.held.rules), *ranges]

    @property
    def frame(self) -> Score:
        """The whole piece without what is composed, at the resolution of :attr:`score`."""
        return self._whole(self.plan)

    @property
    def score(self) -> Score:
        """What has been given and composed so far."""
        if self._known is None:
            values = self.live.values
            if self.encoding is None:
                self._known = self._whole(self.representation.decode(values, self.plan))
            else:
                self._known = self._whole(_added(self.bundle, self.encoding, values, self.plan))
        return self._known

    def surprises(self) -> dict[tuple[int, int], list[float]]:
        """Nats of each note that was composed, by its onset and pitch; of several alike, top down."""
        values, steps, shift = self.live.values, -self._given, 0
        if self.encoding is not None and self.representation.unit == "note":
            found = attacks(self.representation, values[self._given :])
            shift = max(self.encoding.moment, self.joint - int(found.tick.min(initial=self.joint)))
            steps = 0
        else:
            found = attacks(self.representation, values)
        return self._told(found, np.rint((found.tick + shift) * self.scale).astype(np.int64), steps)

    def _told(self, found: Attacks, ticks: Ids, steps: int) -> dict[tuple[int, int], list[float]]:
        """Nats by onset and pitch; ``steps`` lie between those of ``found`` and those that have nats."""
        told: dict[tuple[int, int], list[float]] = {}
        for at in np.lexsort((found.voice, found.step)).tolist():
            if (step := int(found.step[at]) + steps) >= 0:
                nats = found.surprise(at, self._by_field[step])
                told.setdefault((int(ticks[at]), int(found.pitch[at])), []).append(nats)
        return told

    def since(self, tick: int) -> tuple[NDArray[np.void], dict[tuple[int, int], list[float]]]:
        """The notes of :attr:`score` that end at ``tick`` or later, and surprises as :meth:`surprises` has them.

        ``tick`` is to be one up to which the music was decided when this was asked last, or less. Of a piece from
        nothing only its end is then decoded, from a seam on: a tick across which nothing sounds.
        """
        if self.given is not None or self.representation.name not in LOCAL:
            notes = self.score.notes
            return notes[notes["onset"] + notes["duration"] >= tick], self.surprises()
        while self._seams and self._seams[-1] >= tick:
            self._seams.pop()
        seam = self._seams[-1] if self._seams else 0
        decided = self._room[: len(self.nats)]
        left = self.representation.until(decided, seam)
        values = decided[left:]
        bare = Score(np.empty(0, NOTE), parts=self.plan.parts, length_ticks=self.plan.length_ticks - seam)
        notes = self.representation.decode(values, bare).notes.copy()
        notes["onset"] += seam
        self._seams += [one for one in _seams(notes)[-1:] if one > seam]
        found = attacks(self.representation, values)
        told = self._told(found, np.asarray(found.tick + seam, dtype=np.int64), left)
        return notes[notes["onset"] + notes["duration"] >= tick], told

    @property
    def piece(self) -> Piece:
        """It as a piece, as far as it is, with the recipe that makes it again."""
        options = {**self.options, "changes": self.changes, "steps": len(self.live.values)}
        recipe: dict[str, Any] = {"verb": "live", "seed": self.seed, "take": 1, "options": options}
        if self.given is not None:
            recipe["prompt"] = pack_score(self.given.replace(recipe=""))
        cadence = not self.over or self._cadence()
        done = Take(self.live.values, np.array(self.nats), cadence, np.array(self.cost), self.dead_ends)
        given = 0 if self.given is None else len(self.given)
        return finish(self.bundle, self.score.replace(recipe=""), done, recipe, tuple(self.remarks), given)

    # -- going on ------------------------------------------------------------------------------------------------

    def advance(self, until: int, steps: int, floor: int = 0) -> bool:
        """Decide at most ``steps`` steps towards tick ``until``; whether there is more to do.

        ``floor`` is the tick up to which the music has been heard: whatever has to be mended, it stays.
        """
        return settled(self.live.model, self.advancing(until, steps, floor))

    def advancing(self, until: int, steps: int, floor: int = 0) -> Going[bool]:
        """The same, for whoever has the model answer several pieces at once."""
        for _ in range(steps):
            if self.over or self.now >= until:
                return False
            decision = yield from self.live.deciding()
            if decision is None:
                self._end(floor)
                continue
            self._note(decision)
            if decision.dead[0]:
                self._revive(decision.blamed.get(0, ()), floor)
            elif len(self.nats) > DENSEST * max(self.plan.length_ticks // self.plan.ticks_per_quarter, 1):
                self.over = True  # who strikes so many has lost the way
            elif self._now >= self.plan.length_ticks:
                self._end(floor)
        return not self.over and self.now < until

    def turn(self, at: int, changes: dict[str, Any]) -> None:
        """Change what is given, from tick ``at`` on; what was composed beyond it is void.

        ``changes`` are some of ``temperature``, ``top_p``, ``rules``, ``soft``, ``density`` and ``key``.

        Raises
        ------
        OptionError
            If one is out of range, or cannot be kept here; nothing has changed then.
        """
        self._do({"at": len(self.live.values), "to": self._place(at), "turn": dict(changes)})

    def branch(self, at: int) -> None:
        """Go on differently from tick ``at``."""
        self._do({"at": len(self.live.values), "to": self._place(at)})
        self._tries = self._endings = 0

    def follow(self, changes: Sequence[dict[str, Any]], steps: int, advance: Callable[[float], None]) -> None:
        """Do again what a diary says, and go on to so many ``steps``."""
        for change in changes:
            self._run(int(change["at"]), steps, advance)
            self._do(dict(change))
        self._run(steps, steps, advance)
        self.over = self._now >= self.plan.length_ticks

    # -- how -----------------------------------------------------------------------------------------------------

    def _run(self, steps: int, whole: int, advance: Callable[[float], None]) -> None:
        while self._given + len(self.nats) < steps and (decision := next(self.live, None)) is not None:
            self._note(decision)
            if len(self.nats) % 64 == 0:
                advance(min(len(self.nats) / max(whole, 1), 1.0))

    def _note(self, decision: Decision) -> None:
        self._known = None
        if len(self.nats) == len(self._room):
            self._room = np.concatenate([self._room, np.empty_like(self._room)])
        self._room[len(self.nats)] = decision.values[0]
        self.nats.append(float(decision.nats[0]))
        self._by_field.append(decision.by_field[0])
        self.cost.append(float(decision.cost[0]))
        self._now = max(int(decision.progress() * self.plan.length_ticks + 1e-6), self.joint)

    def _place(self, tick: int) -> int:
        """A tick of the score as one of the plan, within what has been composed, on its grid."""
        step = self.representation.step
        planned = -(-round(tick / self.scale) // step) * step
        return max(min(planned, self._now), self.joint)

    def _do(self, change: dict[str, Any]) -> None:
        """Make a change, and write it down."""
        to = int(change["to"])
        if "turn" in change:
            self._turned(change["turn"], to)
        left = self.live.other(self.representation.until(self.live.values, to)) - self._given
        del self.nats[left:], self.cost[left:], self._by_field[left:]
        self._known, self._now, self.over = None, to, False
        tick = round(to * self.scale)
        self.voided = tick if self.voided is None else min(self.voided, tick)
        self.changes.append(change)

    def _turned(self, changes: dict[str, Any], to: int) -> None:
        asked = {**self.asked, **{name: changes[name] for name in changes if name in self.asked}}
        asked["key"], asked["density"] = asked["key"] or None, asked["density"] or None
        drawn = {name: changes[name] for name in ("temperature", "top_p") if name in changes}
        filters, planned = replace(self.filters, **drawn), self.plan
        if "key" in changes and self._knows_keys:
            key = parse_key(asked["key"]) if asked["key"] else self._first_key
            kept = tuple(one for one in planned.keys if one.tick < to)
            if key and not (kept and (kept[-1].fifths, kept[-1].mode) == (key.fifths, key.mode)):
                kept = (*kept, replace(key, tick=to))
            planned = planned.replace(keys=kept)
        held = self._held(asked, planned)
        self.live.turn(filters=filters, rules=held.rules, plan=None if planned is self.plan else planned)
        self.filters, self.asked, self.plan, self.held = filters, asked, planned, held

    def _revive(self, blamed: Sequence[str], floor: int) -> None:
        """Step back from where the rules left nothing; where that does not help, a rule is broken, and it is said."""
        if self._now > self._stuck:
            self._stuck, self._tries = self._now, 0
        bars = self.plan.bars["start"]
        here = int(np.searchsorted(bars, max(self._now - 1, 0), side="right")) - 1
        to = int(bars[max(here - BACK[self._tries % len(BACK)] + 2, 0)]) if self._tries else int(bars[here])
        to = max(min(to, int(bars[here])), self._place(floor))
        self._tries += 1
        if self._tries <= REVIVALS and to < self._now:
            self.dead_ends += 1
            self._do({"at": len(self.live.values), "to": to})
            return
        names = ", ".join(blamed) or "the rules"
        self.remarks.append(f"no way was found that keeps {names} in bar {here + 1}, so a fault stands there")

    def _end(self, floor: int) -> None:
        """See the piece to a cadence: its last bars are tried again, unless they have been heard."""
        to = max(int(self.plan.bars["start"][-BARS:][0]), self._place(floor), self.joint)
        room = self.plan.length_ticks - to >= self.plan.ticks_per_quarter
        if self._cadence() or self._endings >= ENDINGS or not room:
            self.over = True
            return
        self._endings += 1
        self._do({"at": len(self.live.values), "to": to})

    def _cadence(self) -> bool:
        if not self.representation.closes:
            return True
        key = self.plan.keys[-1] if self.plan.keys else None
        return ends_well(self.representation.decode(self.live.values, self.plan), key)

    @property
    def _knows_keys(self) -> bool:
        return "key" in {known.name for known in self.representation.conditions}

    def _held(self, asked: dict[str, Any], planned: Score) -> Steering:
        """The rules that are asked for, seen to leave each other something."""
        rules, key = list(asked["rules"]), asked["key"]
        if asked["density"]:
            rules.append(f"density={asked['density']}")
        if self._knows_keys and asked["in_key"]:
            rules.append("in-key")
        elif key and not self._knows_keys:
            rules.append(f"in-key={key}")
        elif asked["in_key"] and not key:
            raise OptionError(f"expected a key to hold '{self.bundle.name}' to, which knows none of its own; try Gm.")
        held, representation = steering(self.bundle, rules, asked["soft"]), self.representation
        every = named(held.rules).items()
        hard = {name: one.rule.bound(planned, representation.step) for name, one in every if one.weight is None}
        check_agreement(hard, planned, representation.step, voiced=representation.voiced)
        return held

    def _behind(self, prompt: Score, bars: int, tempo: float | None, asked: dict[str, Any]) -> Score:
        """The plan of the prompt and what is to follow."""
        for name, value in asked.items():
            if value is not None and not (name == "key" and not self._knows_keys):
                raise OptionError(f"expected no {name} beside a prompt, which has its own; leave one of them out.")
        if not len(prompt.pitched):
            raise ScoreError("expected a prompt with notes, got none; leave it out to begin from nothing.")
        self.encoding = self.representation.encode(tracks_of(prompt, self.bundle.card.get("tracks", "")))
        return _planned(self.bundle, self.encoding.plan, Amount(bars=bars), tempo)

    def _whole(self, added: Score) -> Score:
        """What was composed, behind what was given, as it is to be played."""
        score = added
        if self.given is not None:
            score = _joined(self.bundle, self.given, self.plan, added, self.joint, Amount(bars=1))
            keys = (replace(key, tick=round(key.tick * self.scale)) for key in self.plan.keys if key.tick > self.joint)
            score = playing(score.replace(keys=(*score.keys, *keys)), self.tempo, None)
        programs = dict(enumerate(self.instruments))
        parts = (replace(part, program=programs.get(at, part.program)) for at, part in enumerate(score.parts))
        return score.replace(parts=tuple(parts)) if programs else score


def _seams(notes: NDArray[np.void]) -> list[int]:
    """Onsets across which none of the notes, in their order, sounds."""
    onset, end = notes["onset"], notes["onset"] + notes["duration"]
    before = np.concatenate([[0], np.maximum.accumulate(end)[:-1]])
    return onset[before <= onset].tolist()  # type: ignore[no-any-return]


def live(
    prompt: Score | None = None,
    model: str | Path | Bundle = DEFAULT_MODEL,
    *,
    changes: Sequence[dict[str, Any]] = (),
    steps: int | None = None,
    seed: int | None = None,
    take: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
    **options: Any,
) -> list[Piece]:
    """The piece that a diary tells of: what :class:`Performance` made, changes and all.

    Parameters
    ----------
    prompt   music to go on from.
    changes  what was done: at how many steps (``at``), taken back to which tick (``to``), what was changed (``turn``).
    steps    how many steps the piece has; unless given, it is composed to its end.
    take     1, for there is no other.
    advance  told how many thousandths of the work are done.
    options  those of :class:`Performance`.

    Raises
    ------
    KantorError
        As :class:`Performance`.
    """
    performance = Performance(model, prompt, seed=seed, **options)
    if steps is None:
        performance.follow(changes, 0, lambda _: None)
        while performance.advance(performance.length, 64):
            advance(1000 * performance.now // max(performance.length, 1))
    else:
        performance.follow(changes, steps, thousandths(advance))
    return [performance.piece]
