"""Note or chord, offset, duration: the three streams of seed 001, as classes of vocabularies learned from the music.

An event is the notes that begin together and end together: a note or a chord, with its octaves (the seed's parent keeps
pitch classes alone, so that every chord comes out in close position near middle C). *Offset* is the time since the
event before. Each stream's vocabulary is what the training pieces hold at least twice, and one class more, "unknown".

What a vocabulary lacks is read as its nearest class: the chord with the fewest notes to exchange, the nearest time. A
network learns to expect "unknown" there, and a likelihood charges it: its probability and what spelling out the event
costs (a number of notes up to 128, and which; or a place on the grid), all spellings being alike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from kantor.errors import OptionError
from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations._past import alone, frames_until, table_of
from kantor.representations._timeline import (
    LONGEST,
    STEP,
    VELOCITY,
    Clock,
    flat_plan,
    flatten,
    moved,
    scored,
    together,
)
from kantor.score import Score

__all__ = ["PART", "Events"]

Chord = tuple[int, ...]
LEAST = 2  # how often a class must come to be one
KEYS = 128
SINGLES = tuple((pitch,) for pitch in range(21, 109))
TIMES = (3, 6, 12, 18, 24, 36, 48, 72, 96)


@dataclass(frozen=True)
class Events:
    """The representation. Before it has learned, it knows the piano's single notes and nine times.

    Parameters
    ----------
    sounds     the vocabulary of notes and chords: ascending pitches each.
    offsets    of times between events, in grid steps, ascending.
    durations  of durations, in grid steps, ascending.
    """

    sounds: tuple[Chord, ...] = field(default=SINGLES, repr=False)
    offsets: tuple[int, ...] = (0, *TIMES)
    durations: tuple[int, ...] = TIMES

    name: ClassVar[str] = "events"
    unit: ClassVar[str] = "note"
    unique: ClassVar[bool] = False  # two events of one moment may stand in either order
    closes: ClassVar[bool] = False
    step: ClassVar[int] = STEP
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = False
    timed: ClassVar[bool] = False  # the offset is decided behind the sound
    conditions: ClassVar[tuple[Condition, ...]] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sounds", tuple(tuple(sound) for sound in self.sounds))
        object.__setattr__(self, "offsets", tuple(self.offsets))
        object.__setattr__(self, "durations", tuple(self.durations))
        if not (self.sounds and self.offsets and self.durations):
            raise OptionError("expected vocabularies of one class or more, got an empty one; try more music.")

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """What, offset, duration; the last class of each is "unknown"."""
        what = np.empty(len(self.sounds) + 1, dtype=object)
        what[:] = [*self.sounds, ()]
        return (
            Field("what", what),
            Field("offset", np.array([*self.offsets, -1])),
            Field("duration", np.array([*self.durations, -1])),
        )

    def learn(self, scores: Sequence[Score]) -> Events:
        """With the classes that come at least twice in these scores."""
        sounds: Counter[Chord] = Counter()
        offsets: Counter[int] = Counter()
        durations: Counter[int] = Counter()
        for score in scores:
            found = _streams(score)
            sounds.update(found[0])
            offsets.update(found[1])
            durations.update(found[2])
        return replace(
            self,
            sounds=tuple(sorted(sound for sound, count in sounds.items() if count >= LEAST)) or self.sounds,
            offsets=tuple(sorted(time for time, count in offsets.items() if count >= LEAST)) or self.offsets,
            durations=tuple(sorted(time for time, count in durations.items() if count >= LEAST)) or self.durations,
        )

    # -- score <-> steps -----------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score on the grid, in one part, without its notes."""
        return flat_plan(score)

    def canonical(self, score: Score) -> Score:
        """The score's notes on the grid, in one part, without velocities.

        Where the vocabulary lacks something, decoding an encoding gives what is nearest instead.
        """
        onset, duration, pitch, _ = flatten(score)
        return scored(onset, duration, pitch, VELOCITY, self.plan(score))

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's events as classes, the nearest where one is unknown; there are no conditions.

        Raises
        ------
        ScoreError
            If it has no notes.
        """
        sounds, offsets, durations = _streams(score)
        found = [
            [self._nearest_sound(sound) for sound in sounds],
            _spaced(offsets, np.array(self.offsets)),
            _nearest(np.array(durations), np.array(self.durations)),
        ]
        values = np.stack([np.asarray(stream, dtype=np.int64) for stream in found], axis=1)
        exact = np.stack(
            [
                np.array([sound in self._classes for sound in sounds]),
                np.array(self.offsets)[values[:, 1]] == offsets,
                np.array(self.durations)[values[:, 2]] == durations,
            ],
            axis=1,
        )
        unknown = np.array([len(self.sounds), len(self.offsets), len(self.durations)])
        spelling = (
            sum(_spelling(sound) for sound, known in zip(sounds, exact[:, 0], strict=True) if not known),
            sum(math.log(LONGEST + 1) * (1 + offsets[n] // LONGEST) for n in np.flatnonzero(~exact[:, 1])),
            math.log(LONGEST) * float((~exact[:, 2]).sum()),
        )
        notes = sum(map(len, sounds))
        none = np.empty((len(values), 0), dtype=np.int64)
        wanted = np.where(exact, values, unknown)
        return Encoding(values, none, self.plan(score), notes, wanted, spelling, sum(offsets) * STEP)

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, 3)."""
        values = np.asarray(values).reshape(-1, 3)
        sounds = [self.sounds[min(what, len(self.sounds) - 1)] for what in values[:, 0].tolist()]
        offsets = np.array([*self.offsets, 0])[values[:, 1]].cumsum()
        durations = np.array([*self.durations, 1])[values[:, 2]]
        record = np.repeat(np.arange(len(values)), list(map(len, sounds)))
        pitch = np.array([p for sound in sounds for p in sound], dtype=np.int64)
        return scored(offsets[record], durations[record], pitch, VELOCITY, plan)

    def until(self, values: Ids, tick: int) -> int:
        """Number of leading events that begin before ``tick``."""
        return int(np.searchsorted(np.array([*self.offsets, 0])[values[:, 1]].cumsum(), -(-tick // STEP)))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) each event is a frame of its own."""
        return np.arange(len(encoding))

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) where an event differs from the one before; the first always does."""
        return moved(encoding.values)

    # -- vocabularies --------------------------------------------------------------------------------------------

    @cached_property
    def _classes(self) -> dict[Chord, int]:
        return {sound: number for number, sound in enumerate(self.sounds)}

    @cached_property
    def _near(self) -> dict[Chord, int]:
        """Nearest classes found so far."""
        return {}

    @cached_property
    def _keys(self) -> Mask:
        keys = np.zeros((len(self.sounds), 128), dtype=np.bool_)
        for row, sound in enumerate(self.sounds):
            keys[row, list(sound)] = True
        return keys

    def _nearest_sound(self, sound: Chord) -> int:
        """The class of a chord, or of the one with the fewest notes to exchange; of several, the nearest in height."""
        if sound in self._classes:
            return self._classes[sound]
        if sound not in self._near:
            wanted = np.zeros(128, dtype=np.bool_)
            wanted[list(sound)] = True
            exchanged = (self._keys ^ wanted).sum(1)
            heights = np.array([sum(known) / len(known) for known in self.sounds])
            self._near[sound] = int(np.lexsort((np.abs(heights - sum(sound) / len(sound)), exchanged))[0])
        return self._near[sound]

    # -- grammar -------------------------------------------------------------------------------------------------

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The moment of each piece; "unknown" is never admitted. ``joint`` has no meaning here."""
        return _Moments(self, [plan.length_ticks // STEP for plan in plans], within, notes)


class _Moments:
    """How far growing pieces have come, and what they may play."""

    def __init__(self, events: Events, lengths: list[int], within: Mask | None, count: int | None) -> None:
        batch = len(lengths)
        self._clock = Clock(lengths, count)
        self.begin, self.done, self.progress = self._clock.begin, self._clock.over, self._clock.progress
        self._offsets = np.array([*events.offsets, 0])
        self._sizes = np.array([*map(len, events.sounds), 0])
        self._table = table_of([*events.sounds, ()])
        self._none = np.empty((batch, 0), dtype=np.int64)
        masks = [np.arange(known.size) < known.size - 1 for known in events.fields]
        if within is not None:
            inside = np.asarray(within)[0]
            masks[0] = np.array([*(all(inside[p] for p in sound) for sound in events.sounds), False])
        self._masks = [np.repeat(mask[None], batch, axis=0) for mask in masks]

    def conditions(self) -> Ids:
        return self._none

    def allowed(self, field: int, values: Ids) -> Mask | None:
        return self._masks[field]

    def situation(self, field: int, values: Ids, reach: int) -> Situation | None:
        return None if field else alone(frames_until(self._clock.time, reach), self._table)

    def keep(self, rows: Ids) -> None:
        self._clock.keep(rows)
        self._none, self._masks = self._none[rows], [mask[rows] for mask in self._masks]

    def push(self, values: Ids) -> None:
        self._clock.advance(self._offsets[values[:, 1]], self._sizes[values[:, 0]])


def _streams(score: Score) -> tuple[list[Chord], list[int], list[int]]:
    """Sounds, offsets and durations of the events of a score, in order."""
    onset, duration, pitch, _ = flatten(score)
    found = together(onset, duration, pitch)
    onsets = np.array([start for start, _, _ in found])
    return [chord for *_, chord in found], np.diff(onsets, prepend=0).tolist(), [lasting for _, lasting, _ in found]


def _spaced(offsets: list[int], known: Ids) -> Ids:
    """The class of each offset, or the nearest; what one is too long or too short, the next makes up for."""
    exact = np.isin(offsets, known)
    if exact.all():
        return _nearest(np.array(offsets), known)
    classes, late = [], 0
    for offset in offsets:
        wanted = offset - late if late else offset
        classes.append(int(_nearest(np.array([wanted]), known)[0]))
        late += int(known[classes[-1]]) - offset
    return np.array(classes)


def _nearest(times: Ids, known: Ids) -> Ids:
    """The class of each time in ``known`` (ascending), or the nearest one."""
    after = np.clip(np.searchsorted(known, times), 1 if len(known) > 1 else 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(known[before] - times) <= np.abs(known[after] - times), before, after)


def _spelling(sound: Chord) -> float:
    """Nats of a chord spelt out: how many notes, and which of the keys."""
    notes = min(len(sound), KEYS)
    return math.log(KEYS) + math.log(math.comb(KEYS, notes))


PART = Events
