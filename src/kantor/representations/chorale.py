"""A chorale as a grid of sixteenths, its voices in turn: one step is one *cell*, one voice for one sixteenth.

Two spellings of a cell:

plain   47 symbols: silence, and the 46 pitches from C2 to A5. A held note and a repeated one look alike. Every figure
        published on the JSB chorales is in this spelling (Boulanger-Lewandowski et al. 2012, on sixteenths).
full    48 symbols: the same, where a pitch now means *attack*, and *hold*. Hold is legal after a sounding note only,
        so a score has one encoding.

Conditions, each chosen by name. In the derived ones a voice's pitch is what sounds, however it is spelt.

voice       whose cell this is
phase       frame number modulo 16, counted from the first frame
own         what this voice sang in the last frame
now         what every voice sings: in this frame where decided, else in the last (one column a voice)
last        what every voice sang in the last frame, in the order of their turns (one column a voice)
held        for how many frames every voice has held, 0 at an attack, capped at 32 (one column a voice)
lag-N       what every voice sang N frames ago (one column a voice)
meter       bar length (planned)
beat        place in the bar, in sixteenths (planned)
key         the twelve major and twelve minor keys (planned)
fermata     under a fermata, or how many frames until the next (planned)
remaining   frames until the end, capped (planned)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError, ScoreError
from kantor.representations import Condition, Encoding, Field, Ids, Mask, Situation
from kantor.representations._voices import voices
from kantor.rules import OPEN, SILENT
from kantor.score import NOTE, TICKS_PER_QUARTER, VOICES, Part, Score

__all__ = ["CELL", "PART", "CellDeriver", "Chorale"]

#: What a class of a cell means: MIDI pitch (-1: none) and whether it is an attack.
CELL = np.dtype([("pitch", "<i2"), ("attack", "?")])

LOWEST, HIGHEST = 36, 81  # the range of the published grids, C2 to A5
SILENCE, BEFORE = 0, HIGHEST - LOWEST + 2  # pitch ids: silence, 1..46, and "before the start"
PITCHES = BEFORE  # how many pitch ids a cell can have: 47
SOUNDS = np.array([SILENT, *range(LOWEST, HIGHEST + 1), OPEN])  # the MIDI pitch of every pitch id
FRAMES_PER_QUARTER = 4
STEP = TICKS_PER_QUARTER // FRAMES_PER_QUARTER
PHASES = 16
HELD_CAP = 32
FERMATA_CAP = 16
REMAINING_CAP = 32
LONGEST_BAR = 32  # frames: 4/2
#: Bar lengths in frames that have a class of their own; any other is "unknown".
BAR_LENGTHS = (8, 12, 16, 24)
VELOCITY = 80
PROGRAM = 19  # church organ: it holds its notes, as a choir does
LONGEST_LAG = 64  # frames
RING = 128  # frames of the past that a deriver keeps: a power of two over the longest lag, for rules that look far

Order = Literal["SATB", "SBAT"]


@dataclass(frozen=True)
class Chorale:
    """The chorale representation.

    Parameters
    ----------
    spelling    "plain" or "full".
    order       in which the voices of a frame take their turns: soprano, alto, tenor, bass by their initials.
    inputs      names of the conditions, see the module's docstring.
    """

    spelling: Literal["plain", "full"] = "plain"
    order: str = "SATB"
    inputs: tuple[str, ...] = ()

    voices: ClassVar[int] = len(VOICES)
    name: ClassVar[str] = "chorale"
    unit: ClassVar[str] = "cell"
    unique: ClassVar[bool] = True
    closes: ClassVar[bool] = True
    step: ClassVar[int] = STEP
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = True
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.spelling not in ("plain", "full"):
            raise OptionError(f"expected the spelling to be 'plain' or 'full', got '{self.spelling}'.")
        if sorted(self.order) != sorted("SATB"):
            raise OptionError(f"expected an order of the letters S, A, T, B, got '{self.order}'; try SBAT.")
        object.__setattr__(self, "inputs", tuple(self.inputs))
        _ = self.conditions

    @property
    def turns(self) -> tuple[int, ...]:
        """Voice (0 soprano .. 3 bass) of each turn within a frame."""
        return tuple("SATB".index(letter) for letter in self.order)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """One field, the cell."""
        rows = [(-1, False), *((pitch, True) for pitch in range(LOWEST, HIGHEST + 1))]
        if self.spelling == "full":
            rows.append((-1, False))
        return (Field("cell", np.array(rows, dtype=CELL)),)

    @property
    def hold(self) -> int | None:
        """Class of *hold*, None in the plain spelling."""
        return PITCHES if self.spelling == "full" else None

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns that ``inputs`` ask for."""
        return tuple(condition for name in self.inputs for condition in _columns(name, self.voices))

    # -- score -> steps ------------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score at this grid's resolution, in four parts, without its notes.

        Raises
        ------
        ScoreError
            If nothing remains of its length on a grid of sixteenths.
        """
        scale = TICKS_PER_QUARTER / score.ticks_per_quarter

        def to_grid(tick: int) -> int:
            return int(np.floor(tick * scale / STEP + 0.5)) * STEP

        length = to_grid(score.length_ticks)
        if length < STEP:
            raise ScoreError("expected a score at least a sixteenth long, got an empty one.")
        return Score(
            np.empty(0, dtype=NOTE),
            parts=tuple(Part(name, PROGRAM) for name in VOICES),
            fermatas=tuple(to_grid(tick) for tick in score.fermatas if to_grid(tick) < length),
            anacrusis_ticks=to_grid(score.anacrusis_ticks),
            barlines=tuple(to_grid(tick) for tick in score.barlines),
            length_ticks=length,
            title=score.title,
            recipe=score.recipe,
            tempi=tuple(replace(tempo, tick=to_grid(tempo.tick)) for tempo in score.tempi),
            meters=tuple(replace(meter, tick=to_grid(meter.tick)) for meter in score.meters),
            keys=tuple(replace(key, tick=to_grid(key.tick)) for key in score.keys),
        )

    def length(self, plan: Score) -> int:
        """Number of steps of a piece planned so."""
        return plan.length_ticks // STEP * self.voices

    def until(self, values: Ids, tick: int) -> int:
        """Number of steps before ``tick`` of the plan: whole frames."""
        return min(tick // STEP * self.voices, len(values))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) the frame of each step."""
        return np.arange(len(encoding)) // self.voices

    def learn(self, scores: Sequence[Score]) -> Chorale:
        """Itself: its table is the same for all music."""
        return self

    def canonical(self, score: Score) -> Score:
        """What the grid keeps of a score: four lines, onsets and ends at sixteenths, no velocities."""
        grid, attacks = self.grid(score)
        return _to_score(grid, attacks, self.plan(score))

    def grid(self, score: Score) -> tuple[Ids, Mask]:
        """Pitch ids (frames, voices), and where they are attacked; in the plain spelling, where they change.

        Raises
        ------
        ScoreError
            If the score has no notes that last, more than four voices, or a pitch beyond C2..A5.
        """
        notes = voices(score, self.voices).notes
        frames = self.plan(score).length_ticks // STEP
        per_frame = score.ticks_per_quarter / FRAMES_PER_QUARTER
        onset = np.floor(notes["onset"] / per_frame + 0.5).astype(np.int64)
        end = np.maximum(np.floor((notes["onset"] + notes["duration"]) / per_frame + 0.5).astype(np.int64), onset + 1)
        _check_range(notes, onset)
        grid = np.zeros((frames, self.voices), dtype=np.int64)
        attacks = np.zeros((frames, self.voices), dtype=np.bool_)
        for on, off, pitch, voice in zip(onset, end, notes["pitch"], notes["part"], strict=True):
            grid[on:off, voice] = pitch - LOWEST + 1
            attacks[on : on + 1, voice] = True
            attacks[on + 1 : off, voice] = False
        if not grid.any():
            raise ScoreError(
                "expected notes on a grid of sixteenths, got none that reaches one; is the piece too short?"
            )
        if self.spelling == "plain":
            attacks = _changes(grid)
        return grid, attacks | (_changes(grid) & (grid > 0))

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's cells and their conditions.

        With ``bare``, as a bare grid would give it: repeated notes merged, and every planned condition unknown.
        """
        grid, attacks = self.grid(score)
        plan = self.plan(score)
        if bare:
            attacks = _changes(grid) & (grid > 0)
        values = grid.copy()
        if self.hold is not None:
            values[(grid > 0) & ~attacks] = self.hold
        turns = list(self.turns)
        conditions = self._derive_all(grid, attacks, self.planned(plan))
        if bare:
            for column, condition in enumerate(self.conditions):
                if condition.planned:
                    conditions[:, column] = condition.unknown
        return Encoding(values[:, turns].reshape(-1, 1), conditions, plan, notes=values.size)

    # -- steps -> score ------------------------------------------------------------------------------------------

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, 1); a last frame that is not complete is left out."""
        frames = len(values) // self.voices
        turns = np.argsort(self.turns)
        cells = np.asarray(values)[: frames * self.voices, 0].reshape(frames, self.voices)[:, turns]
        if self.hold is None:
            attacks = _changes(cells) & (cells > 0)
            return _to_score(cells, attacks, plan)
        held = cells == self.hold
        # A held cell sings what its voice sang last: fill forward from the last cell that is not a hold.
        source = np.maximum.accumulate(np.where(held, 0, np.arange(frames)[:, None]), axis=0)
        grid = np.take_along_axis(cells, source, axis=0)
        return _to_score(np.where(grid == self.hold, SILENCE, grid), ~held & (grid > 0), plan)

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) True where a cell is not a copy of its voice's last one: another sound, or a new attack.

        The first frame has nothing to copy: all of it counts as changed.
        """
        frames = len(encoding) // self.voices
        cells = encoding.values[:, 0].reshape(frames, self.voices)
        changed = _changes(cells)
        if self.hold is not None:
            silent = (cells == SILENCE) & ~changed
            changed = ~silent & (cells != self.hold)
        return changed.reshape(-1)

    # -- conditions ----------------------------------------------------------------------------------------------

    def planned(self, plan: Score) -> dict[str, Ids]:
        """Each planned condition's class for every frame of the plan, (frames,) by name."""
        frames = plan.length_ticks // STEP
        return {
            condition.name: PLANNED[condition.name](plan, frames) for condition in self.conditions if condition.planned
        }

    def _derive_all(self, grid: Ids, attacks: Mask, planned: dict[str, Ids]) -> Ids:
        """Conditions of all cells at once, (frames * voices, conditions); the deriver's law is to agree with it."""
        frames = len(grid)
        last = np.vstack([np.full((1, self.voices), BEFORE), grid[:-1]])
        held = _held(grid, attacks)
        held_last = np.vstack([np.zeros((1, self.voices), dtype=np.int64), held[:-1]])
        out = np.empty((frames, self.voices, len(self.conditions)), dtype=np.int64)
        now, counts = last.copy(), held_last.copy()
        for turn, voice in enumerate(self.turns):
            column = 0
            for name in self.inputs:
                block = self._block(name, voice, grid, last, now, counts, planned)
                width = 1 if block.ndim == 1 else block.shape[1]
                out[:, turn, column : column + width] = block.reshape(frames, width)
                column += width
            now[:, voice], counts[:, voice] = grid[:, voice], held[:, voice]
        return out.reshape(frames * self.voices, -1)

    def _block(
        self, name: str, voice: int, grid: Ids, last: Ids, now: Ids, counts: Ids, planned: dict[str, Ids]
    ) -> Ids:
        if name in planned:
            return planned[name]
        if name == "voice":
            return np.full(len(grid), voice)
        if name == "phase":
            return np.arange(len(grid)) % PHASES
        if name == "own":
            return last[:, voice]
        if name == "last":
            return last[:, self.turns]
        if name == "now":
            return now
        if name == "held":
            return counts
        lag = min(_lag(name), len(grid))
        return np.vstack([np.full((lag, self.voices), BEFORE), grid[: len(grid) - lag]])

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> CellDeriver:
        """The conditions of one piece a plan, one cell at a time.

        The plans are of one length; the grammar keeps each voice to the pitches ``within`` (voices, 128), if given,
        and lets nothing hold over into the frame in which step ``joint`` lies. A chorale's length is its plan's:
        ``notes`` is not heeded.
        """
        each = [self.planned(plan) for plan in plans]
        together = {name: np.stack([planned[name] for planned in each], axis=1) for name in each[0]}
        return CellDeriver(self, together, [self.length(plan) for plan in plans], self._within(within), joint)

    def _within(self, within: Mask | None) -> Mask | None:
        """(voices, classes): False where a class attacks a pitch that its voice may not."""
        if within is None:
            return None
        pitch = self.fields[0].table["pitch"]
        admitted = np.broadcast_to(within, (self.voices, within.shape[1]))
        mask: Mask = (pitch < 0) | admitted[:, np.maximum(pitch, 0)]
        return mask


class CellDeriver:
    """Conditions and grammar of ``batch`` growing chorales.

    The past is a ring of frames, so neither time nor memory grows with the piece.
    """

    def __init__(
        self, chorale: Chorale, planned: dict[str, Ids], lengths: list[int], within: Mask | None, joint: int | None
    ) -> None:
        voices, batch = chorale.voices, len(lengths)
        self._lengths, self._least = np.array(lengths), min(lengths)
        self._hold = chorale.hold
        self._masks = _masks(chorale, within)
        self._joint = None if joint is None else joint // voices
        self._turns = chorale.turns
        self._planned: list[tuple[int, Ids]] = []
        self._lags: list[tuple[slice, int]] = []
        self._columns: dict[str, slice] = {}
        column = 0
        for name in chorale.inputs:
            width = len(_columns(name, voices))
            place = slice(column, column + width)
            if name in planned:
                self._planned.append((column, planned[name]))
            elif name.startswith("lag-"):
                self._lags.append((place, _lag(name)))
            else:
                self._columns[name] = place
            column += width
        self._out = np.empty((batch, column), dtype=np.int64)
        self._ring = np.full((RING, batch, voices), BEFORE, dtype=np.int64)
        self._fresh = np.zeros((RING, batch, voices), dtype=np.bool_)  # where what sounds in the ring has just begun
        self._now = np.full((batch, voices), BEFORE, dtype=np.int64)
        self._held = np.zeros((batch, voices), dtype=np.int64)
        self._frame = self._turn = 0
        self._classes = SOUNDS[np.arange(chorale.fields[0].size) % BEFORE]  # of hold: as the deriver finds it
        self._decided = np.array([np.isin(np.arange(voices), self._turns[:turn]) for turn in range(voices)])
        self._start_frame()

    @contextmanager
    def supposing(self, values: Ids) -> Iterator[None]:
        """Within, as if the next cells of this frame were ``values`` (batch, cells), fewer than all of it."""
        before = self._now, self._held, self._turn
        self._now, self._held = self._now.copy(), self._held.copy()
        try:
            for column in range(values.shape[1]):
                self.push(values[:, column : column + 1])
            yield
        finally:
            self._now, self._held, self._turn = before

    def _start_frame(self) -> None:
        for column, classes in self._planned:
            self._out[:, column] = classes[min(self._frame, len(classes) - 1)]  # (frames, batch)
        for place, lag in self._lags:
            self._out[:, place] = self._ring[(self._frame - lag) % RING]
        if "phase" in self._columns:
            self._out[:, self._columns["phase"]] = self._frame % PHASES
        if "last" in self._columns:
            self._out[:, self._columns["last"]] = self._now[:, self._turns]

    def conditions(self) -> Ids:
        """See :class:`~kantor.representations.Deriver`."""
        voice = self._turns[self._turn]
        for name, place in self._columns.items():
            if name == "now":
                self._out[:, place] = self._now
            elif name == "held":
                self._out[:, place] = self._held
            elif name == "own":
                self._out[:, place] = self._now[:, voice : voice + 1]
            elif name == "voice":
                self._out[:, place] = voice
        return self._out

    def begin(self) -> None:
        """A chorale counts no notes."""

    def done(self) -> Mask | None:
        """See :class:`~kantor.representations.Deriver`."""
        steps = self._frame * len(self._turns) + self._turn
        return steps >= self._lengths if steps >= self._least else None

    def progress(self) -> float:
        """See :class:`~kantor.representations.Deriver`."""
        return (self._frame * len(self._turns) + self._turn) / max(int(self._lengths.max()), 1)

    def allowed(self, field: int, values: Ids) -> Mask | None:
        """See :class:`~kantor.representations.Deriver`."""
        return self.admitted(self._turn)

    def admitted(self, turn: int) -> Mask | None:
        """(batch, classes) what the grammar admits in this turn of the frame, whatever the turns before it decide."""
        if self._masks is None:
            return None
        voice = self._turns[turn]
        own = self._now[:, voice]
        sounding = ((own != SILENCE) & (own != BEFORE) & (self._frame != self._joint)).astype(np.intp)
        allowed: Mask = self._masks[voice, sounding]
        return allowed

    def situation(self, field: int, values: Ids, reach: int) -> Situation:
        """See :class:`~kantor.representations.Deriver`."""
        voice, frame = self._turns[self._turn], self._frame
        past = min(reach, RING - 1)
        frames = np.arange(frame - past, frame + 1)
        pitch = SOUNDS[self._ring[frames % RING]].swapaxes(0, 1)  # (batch, frames, voices)
        pitch[:, -1] = np.where(self._decided[self._turn], SOUNDS[self._now], OPEN)
        struck = self._fresh[frames % RING].swapaxes(0, 1)
        struck[:, -1] = self._begun()
        struck &= pitch >= 0
        batch = len(pitch)
        choices = np.repeat(self._classes[None], batch, axis=0)
        strikes = np.repeat((self._classes >= 0)[None], batch, axis=0)
        own = SOUNDS[self._now[:, voice]]
        if self._hold is None:
            strikes &= (self._classes != own[:, None]) | (frame == self._joint)
        else:
            choices[:, self._hold], strikes[:, self._hold] = own, False
        numbers = np.repeat(frames[None], batch, axis=0)
        return Situation(pitch, numbers, -1, voice, choices[:, :, None], strikes, struck)

    def _begun(self) -> Mask:
        """(batch, voices) whether what a voice does began with this frame, as all that sounds does at a joint."""
        begun: Mask = (self._held == 0) | (self._frame == self._joint)
        return begun

    def keep(self, rows: Ids) -> None:
        """See :class:`~kantor.representations.Deriver`."""
        self._lengths, self._out = self._lengths[rows], self._out[rows]
        self._least = int(self._lengths.min()) if len(rows) else 0
        self._planned = [(column, classes[:, rows]) for column, classes in self._planned]
        self._ring, self._fresh = self._ring[:, rows], self._fresh[:, rows]
        self._now, self._held = self._now[rows], self._held[rows]

    def push(self, values: Ids) -> None:
        """See :class:`~kantor.representations.Deriver`."""
        voice = self._turns[self._turn]
        cell, before = values[:, 0], self._now[:, voice]
        if self._hold is None:
            stays = cell == before
        else:
            stays = (cell == self._hold) | ((cell == SILENCE) & (before == SILENCE))
            cell = np.where(cell == self._hold, before, cell)
        self._held[:, voice] = np.where(stays, np.minimum(self._held[:, voice] + 1, HELD_CAP), 0)
        self._now[:, voice] = cell
        self._turn += 1
        if self._turn == len(self._turns):
            self._ring[self._frame % RING], self._fresh[self._frame % RING] = self._now, self._begun()
            self._turn, self._frame = 0, self._frame + 1
            self._start_frame()


def _masks(chorale: Chorale, within: Mask | None) -> Mask | None:
    """(voices, 2, classes): what a voice may do when it is silent, and when it sounds; None where that is anything."""
    if within is None and chorale.hold is None:
        return None
    masks = np.ones((chorale.voices, 2, chorale.fields[0].size), dtype=np.bool_)
    if within is not None:
        masks &= within[:, None]
    if chorale.hold is not None:
        masks[:, 0, chorale.hold] = False
    return masks


# -- what the conditions mean ----------------------------------------------------------------------------------------


def _lag(name: str) -> int:
    return int(name.removeprefix("lag-"))


def _columns(name: str, voices: int) -> tuple[Condition, ...]:
    """The columns of one named input."""
    initials = "SATB"
    per_voice = {"now": BEFORE + 1, "held": HELD_CAP + 1}
    single = {"voice": voices, "phase": PHASES, "own": BEFORE + 1}
    planned = {
        "meter": len(BAR_LENGTHS) + 1,
        "beat": LONGEST_BAR + 1,
        "key": 24 + 1,
        "fermata": FERMATA_CAP + 3,
        "remaining": REMAINING_CAP + 2,
    }
    if name in single:
        return (Condition(name, single[name]),)
    if name in planned:
        return (Condition(name, planned[name], planned=True),)
    if name.startswith("lag-") and name[4:].isdigit() and 0 < _lag(name) <= LONGEST_LAG:
        return tuple(Condition(f"{name}-{initials[v]}", BEFORE + 1) for v in range(voices))
    if name in per_voice:
        return tuple(Condition(f"{name}-{initials[v]}", per_voice[name]) for v in range(voices))
    if name == "last":
        return tuple(Condition(f"last-{turn + 1}", BEFORE + 1) for turn in range(voices))
    known = ", ".join([*single, "last", *per_voice, *planned, f"lag-1..lag-{LONGEST_LAG}"])
    raise OptionError(f"expected the chorale's inputs among {known}; got '{name}'.")


def _meter(plan: Score, frames: int) -> Ids:
    out = np.full(frames, len(BAR_LENGTHS))
    for meter in plan.meters:
        length = plan.meter_ticks(meter) // STEP
        out[meter.tick // STEP :] = BAR_LENGTHS.index(length) if length in BAR_LENGTHS else len(BAR_LENGTHS)
    return out


def _beat(plan: Score, frames: int) -> Ids:
    out = np.full(frames, LONGEST_BAR)
    if plan.meters:
        for start, length, offset in plan.bars:
            first, count = start // STEP, -(-length // STEP)
            place = offset // STEP + np.arange(count)
            out[first : first + count] = np.minimum(place, LONGEST_BAR - 1)[: max(frames - first, 0)]
    return out


def _key(plan: Score, frames: int) -> Ids:
    out = np.full(frames, 24)
    for key in plan.keys:
        tonic = key.fifths * 7 % 12
        known = {"major": tonic, "minor": 12 + (tonic + 9) % 12}
        out[key.tick // STEP :] = known.get(key.mode, 24)
    return out


def _fermata(plan: Score, frames: int) -> Ids:
    """0 under a fermata (for a quarter), 1..16 frames before one, 17 farther off, 18 unknown."""
    if not plan.fermatas:
        return np.full(frames, FERMATA_CAP + 2)
    at = np.array(plan.fermatas) // STEP
    frame = np.arange(frames)
    following = np.searchsorted(at, frame)
    ahead = np.where(following < len(at), at[np.minimum(following, len(at) - 1)] - frame, FERMATA_CAP + 1)
    since = np.where(following > 0, frame - at[np.maximum(following, 1) - 1], FRAMES_PER_QUARTER)
    return np.where((ahead == 0) | (since < FRAMES_PER_QUARTER), 0, np.minimum(ahead, FERMATA_CAP + 1))


def _remaining(plan: Score, frames: int) -> Ids:
    return np.minimum(np.arange(frames, 0, -1) - 1, REMAINING_CAP)


PLANNED: dict[str, Callable[[Score, int], Ids]] = {
    "meter": _meter,
    "beat": _beat,
    "key": _key,
    "fermata": _fermata,
    "remaining": _remaining,
}

# -- grids -----------------------------------------------------------------------------------------------------------


def _check_range(notes: NDArray[np.void], onset_frames: Ids) -> None:
    outside = np.flatnonzero((notes["pitch"] < LOWEST) | (notes["pitch"] > HIGHEST))
    if len(outside):
        first = outside[0]
        raise ScoreError(
            f"expected pitches from {LOWEST} (C2) to {HIGHEST} (A5), got {notes['pitch'][first]} at row "
            f"{onset_frames[first]} (sixteenths from 0), voice {VOICES[notes['part'][first]].lower()}; "
            "try transposing the piece."
        )


def _changes(grid: Ids) -> Mask:
    """True where a cell differs from the frame before; the first frame always does."""
    return np.vstack([np.ones((1, grid.shape[1]), dtype=np.bool_), grid[1:] != grid[:-1]])


def _held(grid: Ids, attacks: Mask) -> Ids:
    """(frames, voices): for how many frames each voice has held, silence included; capped."""
    restarts = _changes(grid) | attacks
    frame = np.arange(len(grid))[:, None]
    return np.minimum(frame - np.maximum.accumulate(np.where(restarts, frame, 0), axis=0), HELD_CAP)


def _to_score(grid: Ids, attacks: Mask, plan: Score) -> Score:
    rows = []
    for voice in range(grid.shape[1]):
        begins = np.flatnonzero(_changes(grid)[:, voice] | attacks[:, voice])
        ends = np.append(begins[1:], len(grid))
        for begin, end in zip(begins, ends, strict=True):
            if grid[begin, voice] != SILENCE:
                pitch = grid[begin, voice] + LOWEST - 1
                rows.append((begin * STEP, (end - begin) * STEP, pitch, VELOCITY, voice))
    notes = np.array(rows, dtype=NOTE) if rows else np.empty(0, dtype=NOTE)
    return plan.replace(notes=notes, length_ticks=max(plan.length_ticks, len(grid) * STEP))


PART = Chorale
