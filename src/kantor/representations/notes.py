"""One note after another: what sounds, how long, and how long until the next.

A step is a record of three or four categorical fields, decided in this order, each knowing those before it:

what      one of 128 pitches, *rest*, or one of the chords that :meth:`Notes.learn` has found (pitches that begin and
          end together); a chord that it has not is written as several records. Low notes of one onset come first.
duration  1..384 steps of a grid of 24 a quarter; 0 for a rest.
gap       0..384 steps until the next record begins; the last one's reaches the end of the piece.
velocity  in 32 classes, where it is wanted.

The gap stands *behind* the note, not before it: so the moment at which a note begins, and with it its place in the bar,
is known before anything of the note is predicted. The first record is a rest that lasts until the first note; a
silence beyond 384 steps goes on as a rest.

Conditions, each chosen by name:

beat       place in the bar, in grid steps (planned)
meter      one of nine, or another (planned)
key        twelve major, twelve minor (planned)
remaining  quarters until the end, at most 32 (planned)
phase      grid steps since the start modulo four quarters
stacked    how many records this onset has had, at most 7
before, above, sounding, left, here, soonest
           what sounds at this moment, in several columns each: :mod:`kantor.representations._sounding`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from kantor.errors import OptionError
from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations._past import Past, beside, frames_until, table_of
from kantor.representations._sounding import SHOWN, Sounding
from kantor.representations._timeline import (
    GRID,
    LONGEST,
    PLANNED,
    STEP,
    VELOCITY,
    Clock,
    conditions_named,
    flat_plan,
    flatten,
    moved,
    planned,
    scored,
    together,
)
from kantor.score import Score

__all__ = ["PART", "REST", "Notes"]

REST = 128  # class of a rest
PHASES = 4 * GRID
STACKED_CAP = 7
LOUDNESSES = 32
DERIVED = {"phase": PHASES, "stacked": STACKED_CAP + 1}
Chord = tuple[int, ...]


@dataclass(frozen=True)
class Notes:
    """The representation; see the module's docstring.

    Parameters
    ----------
    inputs    names of the conditions.
    velocity  whether a note's velocity is a field.
    most      how many chords ``learn`` takes into the vocabulary, the most frequent first; 0 for none.
    chords    the vocabulary: ascending pitches, two or more each.
    """

    inputs: tuple[str, ...] = ()
    velocity: bool = False
    most: int = 0
    chords: tuple[Chord, ...] = ()

    name: ClassVar[str] = "notes"
    unit: ClassVar[str] = "note"
    closes: ClassVar[bool] = False
    step: ClassVar[int] = STEP
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = False
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "chords", tuple(tuple(chord) for chord in self.chords))
        if self.most < 0:
            raise OptionError(f"expected most to be 0 or more chords, got {self.most}.")
        if self.velocity and (self.most or self.chords):
            raise OptionError("expected either velocity or chords, got both: a chord's notes need not be equally loud.")
        for chord in self.chords:
            if len(chord) < 2 or list(chord) != sorted(set(chord)) or not 0 <= chord[0] <= chord[-1] <= 127:
                raise OptionError(f"expected chords of two or more ascending MIDI pitches, got {chord}.")
        _ = self.conditions

    @property
    def unique(self) -> bool:
        """A vocabulary of chords lets one score be written in several ways; so do notes that fall together."""
        return not self.chords and not self.velocity

    @cached_property
    def sounds(self) -> list[Chord]:
        """The pitches of every class of *what*; none for a rest."""
        return [*((pitch,) for pitch in range(REST)), (), *self.chords]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """What, duration, gap, and velocity where it is wanted."""
        what = np.empty(len(self.sounds), dtype=object)
        what[:] = self.sounds
        steps = np.arange(LONGEST + 1)
        fields = (Field("what", what), Field("duration", steps), Field("gap", steps))
        return (*fields, Field("velocity", np.arange(LOUDNESSES) * 4 + 2)) if self.velocity else fields

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns that ``inputs`` ask for."""
        out: list[Condition] = []
        for name in self.inputs:
            width, classes = SHOWN.get(name, (0, 0))
            if width:
                out += [Condition(f"{name}-{rank}" if width > 1 else name, classes) for rank in range(width)]
            else:
                out += conditions_named((name,), {**DERIVED, **dict.fromkeys(SHOWN, 0)})
        return tuple(out)

    def learn(self, scores: Sequence[Score]) -> Notes:
        """With the ``most`` frequent chords of these scores, of those that come twice at least."""
        if not self.most:
            return self
        seen: Counter[Chord] = Counter()
        for score in scores:
            onset, duration, pitch, _ = flatten(score)
            seen.update(chord for _, _, chord in together(onset, duration, pitch) if len(chord) > 1)
        ranked = sorted(((count, chord) for chord, count in seen.items() if count > 1), key=lambda c: (-c[0], c[1]))
        return replace(self, chords=tuple(chord for _, chord in ranked[: self.most]))

    # -- score <-> steps -----------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score on the grid, in one part, without its notes."""
        return flat_plan(score)

    def canonical(self, score: Score) -> Score:
        """What remains of a score: its notes on the grid, in one part."""
        onset, duration, pitch, velocity = flatten(score)
        loud: Ids | int = np.minimum(velocity // 4, LOUDNESSES - 1) * 4 + 2 if self.velocity else VELOCITY
        return scored(onset, duration, pitch, loud, self.plan(score))

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's records and their conditions; with ``bare``, every planned condition unknown.

        Raises
        ------
        ScoreError
            If it has no notes.
        """
        onset, duration, pitch, velocity = flatten(score)
        plan = self.plan(score)
        notes = len(onset)
        rows = [onset, pitch, duration, np.minimum(velocity // 4, LOUDNESSES - 1)]
        if self.chords:
            rows = self._spelt(onset, duration, pitch, rows[3])
        values = self._records(rows, plan.length_ticks // STEP)
        conditions = self._derive_all(values, plan)
        if bare:
            for column, condition in enumerate(self.conditions):
                if condition.planned:
                    conditions[:, column] = condition.unknown
        return Encoding(values, conditions, plan, notes, moment=plan.length_ticks)

    def _records(self, rows: list[Ids], length: int) -> Ids:
        """(steps, fields) of rows sorted by onset: onsets, classes, durations, velocities."""
        onset, what, duration, velocity = rows
        gap = np.diff(onset, append=length)
        values = np.stack([what, duration, gap, velocity], axis=1)
        values = np.concatenate([[[REST, 0, onset[0], 0]], values])
        while (long := np.flatnonzero(values[:, 2] > LONGEST)).size:
            rests = np.zeros((len(long), 4), dtype=np.int64)
            rests[:, 0], rests[:, 2] = REST, values[long, 2] - LONGEST
            values[long, 2] = LONGEST
            values = np.insert(values, long + 1, rests, axis=0)
        return values[:, : len(self.fields)]

    def _spelt(self, onset: Ids, duration: Ids, pitch: Ids, velocity: Ids) -> list[Ids]:
        """The rows, notes that begin and end together written as chords of the vocabulary where they can be."""
        known = self._classes
        made = []
        loud = {(int(o), int(p)): int(v) for o, p, v in zip(onset, pitch, velocity, strict=True)}
        for start, lasting, chord in together(onset, duration, pitch):
            rest = chord
            while rest:
                size = next((n for n in range(min(len(rest), self._largest), 1, -1) if rest[:n] in known), 1)
                part, rest = rest[:size], rest[size:]
                made.append((start, part[0], known.get(part, part[0]), lasting, loud[start, part[0]]))
        made.sort()
        rows = np.array(made, dtype=np.int64)
        return [rows[:, 0], rows[:, 2], rows[:, 3], rows[:, 4]]

    @cached_property
    def _classes(self) -> dict[Chord, int]:
        return {chord: REST + 1 + number for number, chord in enumerate(self.chords)}

    @cached_property
    def _largest(self) -> int:
        return max(map(len, self.chords), default=1)

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, fields)."""
        values = np.asarray(values).reshape(-1, len(self.fields))
        what = values[:, 0]
        begin = values[:, 2].cumsum() - values[:, 2]
        loud = values[:, 3] * 4 + 2 if self.velocity else np.full(len(values), VELOCITY)
        if self.chords:
            sizes = np.array([len(sound) for sound in self.sounds])[what]
            pitch = np.array([p for sound in what.tolist() for p in self.sounds[sound]], dtype=np.int64)
            record = np.repeat(np.arange(len(values)), sizes)
        else:
            record = np.flatnonzero(what != REST)
            pitch = what[record]
        return scored(begin[record], values[record, 1], pitch, loud[record], plan)

    def until(self, values: Ids, tick: int) -> int:
        """Number of leading records that begin before ``tick``."""
        begin = values[:, 2].cumsum() - values[:, 2]
        return int(np.searchsorted(begin, -(-tick // STEP)))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) each step is a frame of its own."""
        return np.arange(len(encoding))

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) where a record differs from the one before; the first always does."""
        return moved(encoding.values)

    # -- conditions and grammar ----------------------------------------------------------------------------------

    def _derive_all(self, values: Ids, plan: Score) -> Ids:
        begin = values[:, 2].cumsum() - values[:, 2]
        out = np.empty((len(values), len(self.conditions)), dtype=np.int64)
        sounding = self._sounding(values)
        column = 0
        for name in self.inputs:
            if name in sounding:
                width = sounding[name].shape[1]
                out[:, column : column + width] = sounding[name]
                column += width
                continue
            if name == "phase":
                out[:, column] = begin % PHASES
            elif name == "stacked":
                record = np.arange(len(values))
                fresh = np.concatenate([[True], values[:-1, 2] > 0])
                first = np.maximum.accumulate(np.where(fresh, record, 0))
                out[:, column] = np.minimum(record - first, STACKED_CAP)
            else:
                classes = planned(name, plan)
                out[:, column] = classes[np.minimum(begin, len(classes) - 1)]
            column += 1
        return out

    def _sounding(self, values: Ids) -> dict[str, Ids]:
        """(steps, columns) of the conditions that say what sounds, those that are wanted."""
        wanted = [name for name in self.inputs if name in SHOWN]
        rows: dict[str, list[list[int]]] = {name: [] for name in wanted}
        if wanted:
            piece = Sounding()
            for what, duration, gap, *_ in values.tolist():
                for name in wanted:
                    rows[name].append(piece.columns(name))
                piece.push(self.sounds[what], duration, gap)
        return {name: np.array(found, dtype=np.int64) for name, found in rows.items()}

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The conditions and the grammar of one piece a plan; ``joint`` has no meaning here."""
        return _Records(self, plans, within, notes)


class _Records:
    """Conditions and grammar of growing pieces: the moment, the last record, and for rules the last few hundred."""

    def __init__(self, notes: Notes, plans: Sequence[Score], within: Mask | None, count: int | None) -> None:
        self._inputs = notes.inputs
        self._planned = {name: [planned(name, plan) for plan in plans] for name in notes.inputs if name in PLANNED}
        batch = len(plans)
        self._sounds = notes.sounds
        self._sounding = [Sounding() for _ in plans] if any(name in SHOWN for name in notes.inputs) else []
        self._clock = Clock([plan.length_ticks // STEP for plan in plans], count)
        self.begin, self.done, self.progress = self._clock.begin, self._clock.over, self._clock.progress
        self._stacked = np.zeros(batch, dtype=np.int64)
        self._last = np.full((batch, 3), -1, dtype=np.int64)  # the record before: none yet
        self._table = table_of(notes.sounds)
        self._past = Past(batch, self._table)
        self._out = np.empty((batch, len(notes.conditions)), dtype=np.int64)
        self._low = np.array([sound[0] if sound else -1 for sound in notes.sounds])
        self._sizes = np.array([len(sound) for sound in notes.sounds])
        admitted = np.ones(128, dtype=np.bool_) if within is None else np.asarray(within)[0]
        self._admitted = np.array([bool(sound) and all(admitted[p] for p in sound) for sound in notes.sounds])
        self._highest = int(self._low[self._admitted].max(initial=-1))
        self._steps = np.arange(LONGEST + 1)

    def conditions(self) -> Ids:
        column = 0
        for name in self._inputs:
            width = SHOWN[name][0] if name in SHOWN else 1
            place = self._out[:, column : column + width]
            column += width
            if name in SHOWN:
                for row, piece in enumerate(self._sounding):
                    place[row] = piece.columns(name)
            elif name == "phase":
                place[:, 0] = self._clock.time % PHASES
            elif name == "stacked":
                place[:, 0] = np.minimum(self._stacked, STACKED_CAP)
            else:
                for row, classes in enumerate(self._planned[name]):
                    place[row, 0] = classes[min(self._clock.time[row], len(classes) - 1)]
        return self._out

    def allowed(self, field: int, values: Ids) -> Mask | None:
        if field == 0:
            return self._what()
        if field > 2:
            return None
        rest = (values[:, 0] == REST)[:, None]
        left = (self._clock.lengths - self._clock.time)[:, None]
        if field == 1:
            return np.where(rest, self._steps == 0, (self._steps > 0) & (self._steps <= np.maximum(left, 1)))
        first = (self._last[:, :1] < 0) & rest
        # A gap of 0 needs a higher note to come; a rest that goes on must take time.
        stay = first | (~rest & (self._low[values[:, :1]] < self._highest))
        lasting: Mask = ((self._steps > 0) | stay) & (self._steps <= np.maximum(left, 1))
        return lasting

    def _what(self) -> Mask:
        last, gap = self._last[:, 0], self._last[:, 2]
        allowed: Mask = np.repeat(self._admitted[None], len(last), axis=0)
        stacked = (gap == 0) & (last >= 0)
        if stacked.any():
            floor = np.where(stacked & (last != REST), self._low[last], -1)
            allowed &= self._low > floor[:, None]
        allowed[:, REST] = gap == LONGEST
        allowed[last < 0] = np.arange(len(self._low)) == REST
        return allowed

    def situation(self, field: int, values: Ids, reach: int) -> Situation | None:
        if field:
            return None
        frames = frames_until(self._clock.time, reach)
        return beside(self._past.within(frames), frames, self._table, self._sizes > 0)

    def keep(self, rows: Ids) -> None:
        self._planned = {name: [each[row] for row in rows.tolist()] for name, each in self._planned.items()}
        self._sounding = [self._sounding[row].copy() for row in rows.tolist()] if self._sounding else []
        self._clock.keep(rows)
        self._past.keep(rows)
        self._stacked, self._last, self._out = self._stacked[rows], self._last[rows], self._out[rows]

    def push(self, values: Ids) -> None:
        gap = values[:, 2]
        self._past.add(self._clock.time, values[:, 1], values[:, 0])
        for piece, (what, duration, wait, *_) in zip(self._sounding, values.tolist(), strict=False):
            piece.push(self._sounds[what], duration, wait)
        self._clock.advance(gap, self._sizes[values[:, 0]])
        self._stacked = np.where(gap > 0, 0, self._stacked + 1)
        self._last = values[:, :3]


PART = Notes
