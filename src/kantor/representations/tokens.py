"""Several tracks as one stream of tokens: REMI (Huang and Yang 2020) with programs, in MidiTok's vocabulary.

A step is one categorical field. A bar reads

    Bar  Position 0  Program 0  Pitch 60  Velocity 79  Duration 1.0.12  Program 32  Pitch 36 ...  Position 12 ...

Bar       begins a bar; one more ends the piece, so that silence at its end is written as well. A piece that ends within
          a bar goes on with the next one.
Position  steps since the beginning of the bar. Bars are those of the plan: a pickup of a quarter in 4/4 begins at
          position 36, at 12 steps a quarter. A bar of more than four quarters is written as several, each of whole
          quarters but the last: 9/8 as six and three eighths.
Program   who plays the next note: a General MIDI program, -1 for drums. Numbers from 128 on are tracks whose program an
          earlier track has: three piano tracks are 0, 128 and 129. REMI by itself cannot tell such tracks apart.
Pitch     of a note, "PitchDrum" of a drum. Then its velocity, and its duration in quarters and parts of a quarter.

Notes of one moment come in order of program, then pitch, so a score has one encoding. MidiTok gives the vocabulary and
says which kind of token may follow which; a trained model carries both along. MidiTok writes the same tokens; Kantor
writes and reads them itself, because that is several times as fast, and for the sake of pickups. Tempo, meter and key
are the plan's, and no tokens.

Canonical notes: onsets and ends on the grid, durations and velocities the nearest that have a token; of two notes of
one track, onset and pitch the longer stays. All drums are one track.

Conditions, each chosen by name:

beat       place in the bar, in steps of 24 a quarter (planned)
meter      one of nine, or another (planned)
key        twelve major, twelve minor (planned)
remaining  quarters until the end, at most 32 (planned)
position   the last position of this bar, or none yet
bar        number of the bar modulo eight
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kantor.errors import MissingExtraError, OptionError, ScoreError
from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations._keys import check_resolution
from kantor.representations._past import Past, beside, frames_until
from kantor.representations._timeline import VELOCITY, conditions_named, flat_plan, flatten, planned
from kantor.rules import SILENT
from kantor.score import NOTE, TICKS_PER_QUARTER, Meter, Part, Score

__all__ = ["PART", "Tokens"]

KINDS = ("Bar", "Position", "Program", "Pitch", "PitchDrum", "Velocity", "Duration")
BAR, POSITION, PROGRAM, PITCH, DRUM_PITCH, LOUDNESS, LASTING = range(len(KINDS))
NONE = len(KINDS)  # kind of what is before the first token, and of MidiTok's own signs, which are never written
DRUMS, PROGRAMS, FURTHER = -1, 128, 16  # numbers of programs: drums, General MIDI's, tracks that share one
QUARTERS = 4  # of the longest bar
FINE, LONGEST = 4, 16  # quarters: durations up to the first are in steps, up to the second in halves of a quarter
BARS = 8
DERIVED = ("position", "bar")


@dataclass(frozen=True)
class Tokens:
    """The representation; see the module's docstring.

    Until it has learned, it needs the extra "tokens" as soon as it is asked for one. A model brings its own vocabulary.

    Parameters
    ----------
    steps_per_quarter  of the grid.
    velocities         how many are told apart; 0: notes have none.
    inputs             names of the conditions.
    parts              (name, program, whether drums) of the tracks that a piece has unless its plan says so; ``learn``
                       finds them. Empty: any.
    vocabulary         the tokens as MidiTok spells them, in order of their classes; MidiTok's own unless given.
    grammar            pairs of kinds of token of which the second may follow the first; MidiTok's own unless given.
    """

    steps_per_quarter: int = 12
    velocities: int = 16
    inputs: tuple[str, ...] = ()
    parts: tuple[tuple[str, int, bool], ...] = ()
    vocabulary: tuple[str, ...] = field(default=(), repr=False)
    grammar: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    name: ClassVar[str] = "tokens"
    unit: ClassVar[str] = "note"
    unique: ClassVar[bool] = True
    closes: ClassVar[bool] = False
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = False
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "parts", tuple((name, program, drum) for name, program, drum in self.parts))
        object.__setattr__(self, "vocabulary", tuple(self.vocabulary))
        object.__setattr__(self, "grammar", tuple((before, after) for before, after in self.grammar))
        check_resolution(self.steps_per_quarter)
        if not 0 <= self.velocities <= 127:
            raise OptionError(f"expected from 0 to 127 velocities, got {self.velocities}; 16 are usual.")
        _ = self.conditions

    @property
    def step(self) -> int:
        """Ticks a step."""
        return check_resolution(self.steps_per_quarter)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """One field: the tokens, each as MidiTok spells it.

        Raises
        ------
        MissingExtraError
            Where none are given and MidiTok is not installed.
        """
        return (Field("token", self._words.spelt),)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns that ``inputs`` ask for."""
        sizes = {"position": QUARTERS * self.steps_per_quarter + 1, "bar": BARS}
        return conditions_named(self.inputs, sizes)

    @cached_property
    def _words(self) -> _Words:
        theirs = (
            (self.vocabulary, self.grammar) if self.vocabulary else _miditok(self.steps_per_quarter, self.velocities)
        )
        return _words(*theirs, self.steps_per_quarter)

    def learn(self, scores: Sequence[Score]) -> Tokens:
        """With the tracks that at least half of these scores have, and with MidiTok's vocabulary and grammar."""
        seen = Counter(
            tuple((part.name, part.program, part.is_drum) for part in self.plan(score).parts) for score in scores
        )
        found, count = seen.most_common(1)[0] if seen else ((), 0)
        vocabulary, grammar = _miditok(self.steps_per_quarter, self.velocities)
        return replace(self, parts=found if 2 * count >= len(scores) else (), vocabulary=vocabulary, grammar=grammar)

    # -- score <-> steps -----------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score on the grid, without its notes; of parts that have one number, the first stays."""
        parts = score.parts or tuple(Part(*known) for known in self.parts)
        numbers = _numbers(parts)
        kept = tuple(part for index, part in enumerate(parts) if numbers.index(numbers[index]) == index)
        return flat_plan(score, self.step).replace(parts=kept)

    def canonical(self, score: Score) -> Score:
        """What remains of a score: its notes on the grid, each part's apart."""
        plan = self.plan(score)
        return self._scored(self._rows(score, plan), plan)

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's tokens and their conditions; with ``bare``, every planned condition unknown.

        Raises
        ------
        ScoreError
            If it has no notes.
        """
        plan = self.plan(score)
        rows, bars = self._rows(score, plan), _Bars.of(plan, self.step)
        values = self._written(rows, bars)
        conditions = self._derive_all(self._words.places(values, bars), plan)
        if bare:
            for column, condition in enumerate(self.conditions):
                if condition.planned:
                    conditions[:, column] = condition.unknown
        return Encoding(values[:, None], conditions, plan, len(rows.onset))

    def _rows(self, score: Score, plan: Score) -> _Rows:
        """The canonical notes, in the order in which they are written."""
        if not len(score):
            raise ScoreError("expected a score with notes, got none.")
        words, numbers = self._words, np.array(_numbers(score.parts))[score.notes["part"]]
        found = []
        for number in np.unique(numbers).tolist():
            own = score.notes[numbers == number]
            own["part"] = 0
            onset, duration, pitch, velocity = flatten(score.replace(notes=own, parts=(Part(),)), self.step)
            lasting, durations = _nearest(duration, words.durations), words.durations
            room = np.searchsorted(durations, plan.length_ticks // self.step - onset, side="right") - 1
            loud = words.velocities[_nearest(velocity, words.velocities)]
            player = np.full(len(onset), number)
            found.append(_Rows(onset, player, pitch, loud, durations[np.minimum(lasting, room)]))
        rows = _Rows(*(np.concatenate(column) for column in zip(*found, strict=True)))
        order = np.lexsort((rows.pitch, rows.player, rows.onset))
        return _Rows(*(column[order] for column in rows))

    def _written(self, rows: _Rows, bars: _Bars) -> Ids:
        """(steps,) the tokens of notes."""
        words = self._words
        bar = np.searchsorted(bars.start, rows.onset, side="right") - 1
        drum = rows.player == DRUMS
        notes = [
            words.of(PROGRAM, rows.player),
            np.where(drum, words.of(DRUM_PITCH, rows.pitch), words.of(PITCH, rows.pitch)),
            *([words.of(LOUDNESS, rows.velocity)] if self.velocities else []),
            words.of(LASTING, rows.duration),
        ]
        fresh = np.flatnonzero(np.diff(rows.onset, prepend=-1))
        position = (rows.onset - bars.start[bar] + bars.offset[bar])[fresh]
        begin = np.arange(len(bars.start))  # one more than there are bars: the end
        tokens = [
            words.of(BAR, np.zeros_like(begin)),
            words.of(POSITION, position),
            np.stack(notes, axis=1).reshape(-1),
        ]
        # Bars come before what begins with them, a position before the notes that stand there.
        moment = [bars.start, rows.onset[fresh], np.repeat(rows.onset, len(notes))]
        rank = np.repeat(np.arange(3), [len(part) for part in moment])
        return np.concatenate(tokens)[np.lexsort((rank, np.concatenate(moment)))]

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, 1); what their end cuts short is no note."""
        tokens = np.asarray(values).reshape(-1)
        words, bars = self._words, _Bars.of(plan, self.step)
        number = words.number[tokens]
        last = np.flatnonzero(words.kind[tokens] == LASTING)
        pitch = last - (2 if self.velocities else 1)
        loud = number[last - 1] if self.velocities else np.full(len(last), VELOCITY)
        onset = words.places(tokens, bars).time[last]
        return self._scored(_Rows(onset, number[pitch - 1], number[pitch], loud, number[last]), plan)

    def _scored(self, rows: _Rows, plan: Score) -> Score:
        """The score of notes; where the plan names no parts, they are those that play."""
        playing = sorted(set(rows.player.tolist()))
        parts = plan.parts or tuple(_part(number) for number in playing)
        index = {number: part for part, number in enumerate(_numbers(parts))}
        room = plan.length_ticks // self.step - rows.onset
        kept = (room > 0) & np.isin(rows.player, list(index))
        notes = np.zeros(int(kept.sum()), dtype=NOTE)
        notes["onset"] = rows.onset[kept] * self.step
        notes["duration"] = np.minimum(rows.duration, room)[kept] * self.step
        notes["pitch"], notes["velocity"] = rows.pitch[kept], rows.velocity[kept]
        notes["part"] = [index[number] for number in rows.player[kept].tolist()]
        return plan.replace(notes=notes, parts=parts)

    def until(self, values: Ids, tick: int, plan: Score | None = None) -> int:
        """Number of leading tokens before ``tick``; a Bar belongs to the bar that it ends.

        How long bars are, the plan says. Without it they are as short as what is in them allows: the number is then
        the highest possible.
        """
        tokens = np.asarray(values).reshape(-1)
        kind = self._words.kind[tokens]
        bars = _Bars.least(kind, self._words.number[tokens]) if plan is None else _Bars.of(plan, self.step)
        time = self._words.places(tokens, bars).time
        time = np.where(kind == BAR, np.maximum(time - 1, 0), time)
        return int(np.searchsorted(time, -(-tick // self.step)))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) each step is a frame of its own."""
        return np.arange(len(encoding))

    def changed(self, encoding: Encoding) -> Mask:
        """(steps,) where a token differs from the one before; the first always does."""
        changed = np.ones(len(encoding), dtype=np.bool_)
        changed[1:] = (encoding.values[1:] != encoding.values[:-1]).any(1)
        return changed

    # -- conditions and grammar ----------------------------------------------------------------------------------

    def _derive_all(self, places: _Places, plan: Score) -> Ids:
        """(steps, conditions): each step's are those of the place that the step before has reached."""
        bar, position, time = (
            np.concatenate([[first], column[:-1]]) for first, column in zip(BEGIN, places, strict=True)
        )
        out = np.empty((len(time), len(self.inputs)), dtype=np.int64)
        for column, name in enumerate(self.inputs):
            if name in DERIVED:
                out[:, column] = self._derived(name, bar, position)
            else:
                classes = planned(name, plan, self.step)
                out[:, column] = classes[np.minimum(time, len(classes) - 1)]
        return out

    def _derived(self, name: str, bar: Ids, position: Ids) -> Ids:
        if name == "bar":
            return np.maximum(bar, 0) % BARS
        return np.where(position < 0, QUARTERS * self.steps_per_quarter, position)

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The conditions and the grammar of one piece a plan; a plan's parts, if any, are all that may play.

        Of ``within``, what any part may attack all may; drums have no pitches. ``joint`` has no meaning here.
        """
        return _Growing(self, plans, within, notes)


class _Rows(NamedTuple):
    """Notes, a column each: onset in steps, number of the program, pitch, velocity, duration in steps."""

    onset: Ids
    player: Ids
    pitch: Ids
    velocity: Ids
    duration: Ids


class _Places(NamedTuple):
    """Where tokens have brought a piece: number of the bar, position in it (-1: none yet), time in steps."""

    bar: Ids
    position: Ids
    time: Ids


BEGIN = (-1, -1, 0)  # the place before the first token


class _Bars(NamedTuple):
    """Bars as they are written: where each begins, in steps, and at which position; then the end, at position 0."""

    start: Ids
    offset: Ids

    @classmethod
    def of(cls, plan: Score, step: int) -> _Bars:
        """The plan's bars, those of more than four quarters in several."""
        quarter, bars = TICKS_PER_QUARTER // step, plan.bars
        full = np.full(len(bars), plan.meter_ticks(plan.meters[0] if plan.meters else Meter(0, 4, 4)))
        for meter in plan.meters:
            full[bars["start"] >= meter.tick] = plan.meter_ticks(meter)
        pieces = -(-full // (QUARTERS * TICKS_PER_QUARTER))
        sizes = np.maximum(-(-full // (pieces * TICKS_PER_QUARTER)), 1) * quarter
        length = plan.length_ticks // step
        starts, into = ((2 * bars[name] + step) // (2 * step) for name in ("start", "offset"))
        start, offset = [], []
        ends = [*starts[1:].tolist(), length]
        for begin, end, at, size in zip(starts.tolist(), ends, into.tolist(), sizes.tolist(), strict=True):
            if begin < end:
                later = range(begin + size - at % size, end, size)
                start += [begin, *later]
                offset += [at % size, *[0] * len(later)]
        return cls(np.array([*start, length]), np.array([*offset, 0]))

    @classmethod
    def least(cls, kind: Ids, number: Ids) -> _Bars:
        """The shortest bars that tokens of these kinds and numbers fit in."""
        bar, placed = np.cumsum(kind == BAR) - 1, kind == POSITION
        count = int((kind == BAR).sum())
        first, last = np.full(count, QUARTERS * TICKS_PER_QUARTER), np.zeros(count, dtype=np.int64)
        np.minimum.at(first, bar[placed], number[placed])
        np.maximum.at(last, bar[placed], number[placed])
        lengths = np.maximum(last - first, 0) + 1
        return cls(np.concatenate([[0], np.cumsum(lengths)]), np.append(np.minimum(first, last), 0))


@dataclass(frozen=True)
class _Words:
    """A vocabulary.

    Attributes
    ----------
    spelt        (classes,) each token as MidiTok spells it.
    kind         (classes,) number in KINDS.
    number       (classes,) what it says: a pitch, a velocity, a program; steps of a position or a duration.
    follows      (kinds + 1, classes) whether a token may follow one of that kind; the last kind is the start.
    """

    spelt: NDArray[np.str_]
    kind: Ids
    number: Ids
    follows: Mask

    def of(self, kind: int, numbers: Ids) -> Ids:
        """The tokens of a kind that say these numbers."""
        known, tokens = self._tables[kind]
        return tokens[np.searchsorted(known, numbers)]

    @cached_property
    def _tables(self) -> list[tuple[Ids, Ids]]:
        """For each kind its numbers, ascending, and their tokens."""
        found = [np.flatnonzero(self.kind == kind) for kind in range(len(KINDS))]
        ordered = [own[np.argsort(self.number[own])] for own in found]
        return [(self.number[own], own) for own in ordered]

    @property
    def durations(self) -> Ids:
        """Ascending, in steps."""
        return self._tables[LASTING][0]

    @property
    def velocities(self) -> Ids:
        """Ascending."""
        known = self._tables[LOUDNESS][0]
        return known if len(known) else np.array([VELOCITY])

    def places(self, tokens: Ids, bars: _Bars) -> _Places:
        """Where each token (steps,) has brought the piece."""
        kind = self.kind[tokens]
        bar = np.cumsum(kind == BAR) - 1
        placing = np.maximum.accumulate(np.where(kind <= POSITION, np.arange(len(tokens)), 0))
        position = np.where(kind[placing] == POSITION, self.number[tokens][placing], -1)
        known = np.clip(bar, 0, len(bars.start) - 1)
        time = bars.start[known] + np.maximum(position - bars.offset[known], 0)
        return _Places(bar, position, time)


@cache
def _miditok(steps: int, velocities: int) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """MidiTok's vocabulary for REMI with these options, and which kind of token may follow which.

    Raises
    ------
    MissingExtraError
        Without MidiTok.
    """
    try:
        from miditok import REMI, TokenizerConfig
    except ImportError as error:
        if error.name != "miditok":
            raise
        raise MissingExtraError('the representation "tokens"', "tokens") from error
    config = TokenizerConfig(
        pitch_range=(0, 127),
        drums_pitch_range=(0, 127),
        beat_res={(0, FINE): steps, (FINE, LONGEST): 1 if steps % 2 else 2},
        use_velocities=velocities > 0,
        num_velocities=max(velocities, 1),
        use_programs=True,
        use_time_signatures=False,
        programs=range(DRUMS, PROGRAMS + FURTHER),
        special_tokens=["PAD"],
    )
    tokenizer = REMI(config)
    graph = tokenizer.tokens_types_graph
    pairs = ((before, after) for before in KINDS for after in KINDS if after in graph.get(before, ()))
    return tuple(sorted(tokenizer.vocab, key=tokenizer.vocab.__getitem__)), tuple(pairs)


@cache
def _words(vocabulary: tuple[str, ...], grammar: tuple[tuple[str, str], ...], steps: int) -> _Words:
    """What the tokens of a vocabulary say.

    Raises
    ------
    OptionError
        If one is spelt in no way that MidiTok has.
    """
    try:
        said = [(name, _number(text, steps)) for name, text in (token.split("_") for token in vocabulary)]
        pairs = [(KINDS.index(before), KINDS.index(after)) for before, after in grammar]
    except ValueError as error:
        raise OptionError(
            f"expected tokens as MidiTok spells them, 'Pitch_60' for one, got others: {error}."
        ) from error
    kind = np.array([KINDS.index(name) if name in KINDS else NONE for name, _ in said])
    follows = np.zeros((len(KINDS) + 1, len(said)), dtype=np.bool_)
    follows[NONE] = kind == BAR
    for before, after in pairs:
        follows[before] |= kind == after
    return _Words(np.array(vocabulary), kind, np.array([number for _, number in said]), follows)


def _number(text: str, steps: int) -> int:
    """What a token says: "60" -> 60, and quarters.steps.resolution "1.1.2" -> 18 of 12 steps a quarter."""
    if "." in text:
        quarters, rest, resolution = map(int, text.split("."))
        return (quarters * resolution + rest) * steps // resolution
    return int(text) if text != "None" else 0


def _numbers(parts: Sequence[Part]) -> list[int]:
    """The number of each part: its program, or, where another has that, one of those from 128 on while they last."""
    numbers: list[int] = []
    further = PROGRAMS
    for part in parts:
        number = DRUMS if part.is_drum else part.program
        if number in numbers and number != DRUMS and further < PROGRAMS + FURTHER:
            number, further = further, further + 1
        numbers.append(number)
    return numbers


def _part(number: int) -> Part:
    """A part for a number, named as General MIDI has it."""
    from pretty_midi import program_to_instrument_name

    if number == DRUMS:
        return Part("Drums", 0, is_drum=True)
    return Part(program_to_instrument_name(number % PROGRAMS), number % PROGRAMS)


def _nearest(numbers: Ids, known: Ids) -> Ids:
    """The index of each number in ``known`` (ascending), or of the nearest one, the lower of two."""
    after = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(known[before] - numbers) <= np.abs(known[after] - numbers), before, after)


class _Growing:
    """Conditions and grammar of growing pieces: bar, position, the note being written, and for rules the last ones."""

    def __init__(self, tokens: Tokens, plans: Sequence[Score], within: Mask | None, count: int | None) -> None:
        words, bars = tokens._words, [_Bars.of(plan, tokens.step) for plan in plans]
        self._tokens, self._words, self._count = tokens, words, count
        batch, self._rows = len(plans), np.arange(len(plans))
        self._planned = [
            [planned(name, plan, tokens.step) for plan in plans] if name not in DERIVED else []
            for name in tokens.inputs
        ]
        self._bars = np.array([len(one.start) - 1 for one in bars])
        most = int(self._bars.max(initial=0)) + 2
        self._start = np.array([[*one.start, *[one.start[-1]] * (most - len(one.start))] for one in bars])
        self._offset = np.array([[*one.offset, *[0] * (most - len(one.offset))] for one in bars])
        self._pitches = np.ones(128, dtype=np.bool_) if within is None else np.asarray(within).any(0)
        self._playing = self._players(plans)
        self._kind = np.full(batch, NONE)
        self._bar, self._position = np.full(batch, -1), np.full(batch, -1)
        self._player, self._pitch = np.full(batch, DRUMS - 1), np.full(batch, -1)
        self._sounded = np.zeros(batch, dtype=np.int64)
        self._past = Past(batch, np.arange(128)[:, None])
        self._sounds = np.where(words.kind == PITCH, words.number, SILENT)
        self._out = np.empty((batch, len(tokens.inputs)), dtype=np.int64)

    def _players(self, plans: Sequence[Score]) -> Mask:
        """(batch, classes) what the piece's parts and ``within`` leave of the vocabulary."""
        kind, number = self._words.kind, self._words.number
        some = bool(self._pitches.any())
        out = np.ones((len(plans), len(kind)), dtype=np.bool_)
        out[:, kind == PITCH] = self._pitches
        for row, plan in enumerate(plans):
            players = _numbers(plan.parts) if plan.parts else range(DRUMS, PROGRAMS)
            playing = [player for player in players if some or player == DRUMS]
            out[row, kind == PROGRAM] = np.isin(number[kind == PROGRAM], playing)
            out[row, kind == POSITION] = bool(playing)
        return out

    def _where(self) -> tuple[Ids, Ids, Ids]:
        """Of each piece's bar: its start and its end in steps, and the position at which it begins."""
        bar = np.clip(self._bar, 0, self._bars)
        return self._start[self._rows, bar], self._start[self._rows, bar + 1], self._offset[self._rows, bar]

    def _time(self) -> Ids:
        start, _, offset = self._where()
        time: Ids = start + np.maximum(self._position - offset, 0)
        return time

    def conditions(self) -> Ids:
        time = self._time()
        for column, name in enumerate(self._tokens.inputs):
            if name in DERIVED:
                self._out[:, column] = self._tokens._derived(name, self._bar, self._position)
            else:
                for row, classes in enumerate(self._planned[column]):
                    self._out[row, column] = classes[min(time[row], len(classes) - 1)]
        return self._out

    def allowed(self, field: int, values: Ids) -> Mask | None:
        """What may follow, each kind's numbers within bounds: time goes on, and notes of a moment are in order."""
        start, end, offset = self._where()
        low = np.zeros((len(self._rows), len(KINDS) + 1), dtype=np.int64)
        high = np.full_like(low, PROGRAMS + FURTHER)
        low[:, POSITION] = np.maximum(self._position + 1, offset)
        high[:, POSITION] = offset + end - start - 1
        drums = self._player == DRUMS
        highest = np.where(drums, 127, np.flatnonzero(self._pitches).max(initial=-1))
        low[:, PROGRAM] = self._player + (self._pitch >= highest)
        low[:, PITCH] = low[:, DRUM_PITCH] = self._pitch + 1
        high[drums, PITCH] = high[~drums, DRUM_PITCH] = -1
        high[:, LASTING] = self._start[:, -1] - self._time()
        words = self._words
        bounded = (words.number >= low[:, words.kind]) & (words.number <= high[:, words.kind])
        allowed: Mask = words.follows[self._kind] & bounded & self._playing
        return allowed

    def situation(self, field: int, values: Ids, reach: int) -> Situation | None:
        """Drums have no pitch, so they are nothing that sounds."""
        if not (self._words.follows[self._kind] & (self._sounds != SILENT)).any():
            return None
        frames = frames_until(self._time(), reach)
        return beside(self._past.within(frames), frames, self._sounds[:, None], self._sounds != SILENT)

    def keep(self, rows: Ids) -> None:
        self._rows = np.arange(len(rows))
        self._planned = [[each[row] for row in rows.tolist()] if each else [] for each in self._planned]
        for name in ("_bars", "_start", "_offset", "_playing", "_kind", "_bar", "_position", "_player", "_pitch"):
            setattr(self, name, getattr(self, name)[rows])
        self._sounded, self._out = self._sounded[rows], self._out[rows]
        self._past.keep(rows)

    def push(self, values: Ids) -> None:
        kind, number = self._words.kind[values[:, 0]], self._words.number[values[:, 0]]
        placed, played = kind <= POSITION, kind == PROGRAM
        ended = np.flatnonzero((kind == LASTING) & (self._player != DRUMS))
        if len(ended):
            self._past.add(self._time()[ended], number[ended], self._pitch[ended], ended)
        self._bar = self._bar + (kind == BAR)
        self._position = np.where(kind == BAR, -1, np.where(kind == POSITION, number, self._position))
        another = placed | (played & (number != self._player))
        self._pitch = np.where(another, -1, np.where((kind == PITCH) | (kind == DRUM_PITCH), number, self._pitch))
        self._player = np.where(placed, DRUMS - 1, np.where(played, number, self._player))
        self._sounded = self._sounded + (kind == LASTING)
        self._kind = kind

    def begin(self) -> None:
        """Count notes from here."""
        self._sounded = np.zeros_like(self._sounded)

    def done(self) -> Mask | None:
        over: Mask = self._bar >= self._bars
        if self._count is not None:
            over = over | (self._sounded >= self._count)
        return over if over.any() else None

    def progress(self) -> float:
        far = self._time() / np.maximum(self._start[:, -1], 1)
        if self._count is not None:
            far = np.maximum(far, self._sounded / max(self._count, 1))
        return float(min(far.min(), 1.0))


PART = Tokens
