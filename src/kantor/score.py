"""Score: the one currency. Every file becomes one, every representation encodes one, every picture shows one.

Conventions
-----------
- Time is integer ticks from the first sounding bar, pickup included: tick 0 is where the music starts.
- ``notes`` is one structured array of dtype :data:`NOTE`, sorted by onset, part, pitch, duration; it is read-only.
- A part is an index into ``parts``; a chorale's parts are soprano, alto, tenor, bass, top down.
- What is unknown is left empty: no meter, no key, no fermata means *not known*, never *none*.
- A drum's pitch is an instrument, not a pitch: who asks about harmony or range asks :attr:`Score.pitched`.
- A data frame has the notes in seconds, one row each: :meth:`Score.to_pandas` and :meth:`Score.from_notes`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import MissingExtraError, ScoreError
from kantor.wording import counted

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["BAR", "NOTE", "TICKS_PER_QUARTER", "VOICES", "Key", "Meter", "Part", "Score", "Tempo"]

TICKS_PER_QUARTER = 480
VOICES = ("Soprano", "Alto", "Tenor", "Bass")

#: One note: onset and duration in ticks, MIDI pitch 0-127, MIDI velocity 1-127, index of its part.
NOTE = np.dtype([("onset", "<i8"), ("duration", "<i8"), ("pitch", "<i2"), ("velocity", "<i2"), ("part", "<i2")])

#: One bar: its start and length in ticks, and how far into its metrical bar it starts (0 but for pickups).
BAR = np.dtype([("start", "<i8"), ("length", "<i8"), ("offset", "<i8")])

MAX_TICKS = 2**40  # far beyond any music, far within int64: sums of ticks never overflow

UNMARKED_VELOCITY = 80  # of a data frame's notes, where it has none
PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, slots=True)
class Part:
    """A line or an instrument: its name and its General MIDI program, 0-127 (0 is a grand piano)."""

    name: str = ""
    program: int = 0
    is_drum: bool = False


@dataclass(frozen=True, slots=True)
class Tempo:
    """From ``tick`` on, ``quarters_per_minute`` quarter notes sound in a minute."""

    tick: int
    quarters_per_minute: float


@dataclass(frozen=True, slots=True)
class Meter:
    """From ``tick`` on, a bar is ``numerator`` notes of value 1/``denominator`` (a power of two)."""

    tick: int
    numerator: int
    denominator: int

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Key:
    """From ``tick`` on, a signature of ``fifths`` sharps (negative: flats), and the mode where it is known."""

    tick: int
    fifths: int
    mode: str = ""  # "major", "minor" or "" (not known)


@dataclass(frozen=True, eq=False)
class Score:
    """A piece of music: notes, and what is known of parts, tempo, meter, key, fermatas and bar lines.

    Attributes
    ----------
    notes               structured array (N,) of dtype :data:`NOTE`.
    parts               what the notes' ``part`` points into.
    ticks_per_quarter   resolution, >= 1.
    tempi, meters, keys sorted by tick; empty where not known.
    fermatas            ticks at which a fermata stands, sorted; empty where not known.
    anacrusis_ticks     length of the pickup before the first full bar; 0 where there is none.
    barlines            starts of all bars, where they are not what meter and anacrusis say (a bar cut by a repeat).
    length_ticks        where the piece ends, >= the end of every note; 0 asks for that end.
    recipe              how a machine made it: one JSON object as text; empty for other people's music.
    """

    notes: NDArray[np.void]
    parts: tuple[Part, ...] = ()
    ticks_per_quarter: int = TICKS_PER_QUARTER
    tempi: tuple[Tempo, ...] = ()
    meters: tuple[Meter, ...] = ()
    keys: tuple[Key, ...] = ()
    fermatas: tuple[int, ...] = ()
    anacrusis_ticks: int = 0
    barlines: tuple[int, ...] = ()
    length_ticks: int = 0
    title: str = ""
    recipe: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        notes = np.sort(np.asarray(self.notes, dtype=NOTE), order=["onset", "part", "pitch", "duration", "velocity"])
        _check(notes, self)
        notes.flags.writeable = False
        object.__setattr__(self, "notes", notes)
        end = int((notes["onset"] + notes["duration"]).max(initial=0))
        object.__setattr__(self, "length_ticks", max(end, self.length_ticks))
        for name in ("tempi", "meters", "keys"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=lambda event: event.tick)))
        for name in ("fermatas", "barlines"):
            object.__setattr__(self, name, tuple(sorted({int(tick) for tick in getattr(self, name)})))

    @classmethod
    def from_notes(cls, notes: Iterable[Sequence[int]] | DataFrame, **known: Any) -> Score:
        """A score from (onset, duration, pitch, velocity, part) rows in ticks, or from a data frame in seconds.

        ``known`` are the other attributes. A data frame has a row a note, and these columns; others are let be:

        - ``pitch``, a MIDI number;
        - ``start``, or else ``step``, the seconds since the start of the row before, or since the beginning;
        - ``end``, or else ``duration``, in seconds; where both are there they have to agree;
        - ``velocity`` and ``part`` where it has them, else 80 and 0.

        Its seconds are counted in the resolution and by the tempi of ``known``, else in those of the score that the
        frame was made from (see :meth:`to_pandas`), else at 480 ticks and 120 quarters a minute.

        Raises
        ------
        ScoreError
            If a column that is needed is not there, or holds what is no note.
        """
        if hasattr(notes, "columns"):
            clock = _clock(notes, known)
            known |= {"ticks_per_quarter": clock.ticks_per_quarter, "tempi": clock.tempi}
            array = _from_frame(notes, clock)
        else:
            array = _from_rows(notes)
        known.setdefault("parts", tuple(Part() for _ in range(int(array["part"].max(initial=-1)) + 1)))
        return cls(array, **known)

    def to_pandas(self) -> DataFrame:
        """The notes as a pandas data frame, a row each, in order of onset.

        The columns are those of the notebooks that follow TensorFlow's tutorial "Generate music with an RNN":

        - ``pitch``, a MIDI number, and its ``name``, "C4" for middle C, spelled as the first key spells it,
          else with sharps;
        - ``start`` and ``end`` in seconds by the tempi; ``step``, the seconds since the start of the row before, 0 in
          the first; ``duration``, from start to end;
        - ``velocity`` and ``part``, as in ``notes``.

        Resolution and tempi go along in ``attrs["kantor"]``, so that :meth:`from_notes` finds the very ticks again.
        What else is known does not: ``Score.from_notes(frame, parts=score.parts, meters=score.meters)`` keeps it.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            if error.name != "pandas":
                raise
            raise MissingExtraError("a data frame", "notebook") from error
        notes = self.notes
        pitch = notes["pitch"].astype(np.int64)
        theory = importlib.import_module("kantor.theory")  # by name: it knows scores
        key = self.keys[0] if self.keys else None
        start = self.ticks_to_seconds(notes["onset"])
        end = self.ticks_to_seconds(notes["onset"] + notes["duration"])
        columns = {
            "pitch": pitch,
            "name": [_sharp(number) if key is None else theory.note_in(number, key) for number in pitch.tolist()],
            "start": start,
            "end": end,
            "step": np.diff(start, prepend=start[:1]),
            "duration": end - start,
            "velocity": notes["velocity"].astype(np.int64),
            "part": notes["part"].astype(np.int64),
        }
        frame = pandas.DataFrame(columns)
        tempi = [[tempo.tick, tempo.quarters_per_minute] for tempo in self.tempi]
        frame.attrs["kantor"] = {"ticks_per_quarter": self.ticks_per_quarter, "tempi": tempi}  # plain, as JSON is
        return frame

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Score):
            return NotImplemented
        mine, theirs = ({k: v for k, v in vars(s).items() if k in s.__dataclass_fields__} for s in (self, other))
        return np.array_equal(mine.pop("notes"), theirs.pop("notes")) and mine == theirs

    __hash__ = None  # type: ignore[assignment]  # scores are compared by value, and hold arrays

    def __len__(self) -> int:
        """Number of notes."""
        return len(self.notes)

    def _repr_html_(self) -> str:
        """What a notebook shows: a player, the engraved score, a piano roll, as of a :class:`~kantor.Piece`."""
        showing = importlib.import_module("kantor.verbs._showing")  # by name: pictures are far above scores
        count = counted(len(self), "note")
        caption = f"{self.title}, {count}" if self.title else count
        return str(showing.whole(self, caption, of_piece=False))

    @cached_property
    def pitched(self) -> NDArray[np.void]:
        """The notes (N,) that are not drums', in their order, of dtype :data:`NOTE`; read-only, as ``notes`` are."""
        drums = np.array([part.is_drum for part in self.parts], dtype=np.bool_)
        if not drums.any():
            return self.notes
        notes: NDArray[np.void] = self.notes[~drums[self.notes["part"]]]
        notes.flags.writeable = False
        return notes

    def replace(self, **changes: Any) -> Score:
        """The same score but for ``changes``."""
        return replace(self, **changes)

    def cut(self, start: int, end: int) -> Score:
        """The score from tick ``start`` up to ``end``: notes across an edge are shortened, events before it kept.

        Raises
        ------
        ScoreError
            If the span is empty or outside the score.
        """
        if not 0 <= start < end <= self.length_ticks:
            raise ScoreError(f"expected a span within 0..{self.length_ticks} ticks, got {start}..{end}.")
        onset = np.maximum(self.notes["onset"], start)
        stop = np.minimum(self.notes["onset"] + self.notes["duration"], end)
        notes = self.notes.copy()
        notes["onset"], notes["duration"] = onset - start, stop - onset
        return self.replace(
            notes=notes[stop > onset],
            tempi=_from(self.tempi, start, end),
            meters=_from(self.meters, start, end),
            keys=_from(self.keys, start, end),
            fermatas=tuple(tick - start for tick in self.fermatas if start <= tick < end),
            anacrusis_ticks=min(self._pickup_from(start), end - start),
            barlines=tuple(bar - start for bar in self.barlines if start <= bar < end),
            length_ticks=end - start,
        )

    def at(self, ticks_per_quarter: int) -> Score:
        """The same score at another resolution: every tick is rescaled and rounded, halves up.

        A note that lasts goes on lasting a tick at least. Nothing moves by more than half a tick; in seconds, changes
        of tempo before it may add half a tick each. At its own resolution it is the score itself.

        Raises
        ------
        ScoreError
            If the resolution is below one tick a quarter note, or so fine that the ticks are too many.
        """
        new, old = int(ticks_per_quarter), int(self.ticks_per_quarter)
        if new == old:
            return self

        def moved(tick: Any) -> Any:
            return (2 * tick * new + old) // (2 * old)

        def events(of: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(replace(event, tick=moved(int(event.tick))) for event in of)

        if new < 1:
            raise ScoreError(f"expected at least one tick a quarter note, got {new}.")
        length = moved(int(self.length_ticks))
        if length > MAX_TICKS:
            raise ScoreError(f"expected a resolution that gives {MAX_TICKS} ticks at most, got {new} a quarter note.")
        notes = self.notes.copy()
        onset = self.notes["onset"].astype(object)  # Python's integers: products of ticks may leave int64
        end = moved(onset + self.notes["duration"])
        notes["onset"] = moved(onset)
        notes["duration"] = np.maximum(end - moved(onset), self.notes["duration"] > 0)
        return self.replace(
            notes=notes,
            ticks_per_quarter=new,
            tempi=events(self.tempi),
            meters=events(self.meters),
            keys=events(self.keys),
            fermatas=tuple(map(moved, self.fermatas)),
            anacrusis_ticks=moved(int(self.anacrusis_ticks)),
            barlines=tuple(map(moved, self.barlines)),
            length_ticks=length,
        )

    def _pickup_from(self, start: int) -> int:
        """Ticks from ``start`` to the next bar line where ``start`` lies within a bar, or in a pickup; else 0."""
        if start == 0 or not (self.meters or self.barlines):
            return self.anacrusis_ticks if start == 0 else 0
        bar = self.bars[int(np.searchsorted(self.bars["start"], start, side="right")) - 1]
        into = start - int(bar["start"])
        return int(bar["length"]) - into if into or bar["offset"] else 0

    @property
    def seconds(self) -> float:
        """Length of the piece in seconds, by its tempi (120 quarters a minute where none is known)."""
        return float(self.ticks_to_seconds(self.length_ticks))

    def ticks_to_seconds(self, ticks: Any) -> Any:
        """Seconds from the start at ``ticks`` (a number or an array)."""
        at, start, per_tick = self._tempo_map()
        index = np.searchsorted(at, ticks, side="right") - 1
        return start[index] + (np.asarray(ticks) - at[index]) * per_tick[index]

    def tick_of_seconds(self, seconds: Any) -> Any:
        """The tick nearest to ``seconds`` from the start (a number or an array), as int64: undoes ticks_to_seconds.

        Raises
        ------
        ScoreError
            If a time is before the start, beyond all music, or no number.
        """
        at, start, per_tick = self._tempo_map()
        seconds = np.asarray(seconds, dtype=np.float64)
        index = np.maximum(np.searchsorted(start, seconds, side="right") - 1, 0)
        ticks = np.floor(at[index] + (seconds - start[index]) / per_tick[index] + 0.5)
        wrong = ~((ticks >= 0) & (ticks <= MAX_TICKS))  # so put, it is true of what is no number
        if wrong.any():
            raise ScoreError(f"expected times in seconds from 0 on, got {float(seconds[wrong][0])}.")
        return ticks.astype(np.int64)[()]

    def _tempo_map(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Where each tempo starts, in ticks and in seconds, and how many seconds a tick lasts from there on."""
        at = np.array([0, *(t.tick for t in self.tempi)], dtype=np.int64)
        quarters_per_minute = np.array([120.0, *(t.quarters_per_minute for t in self.tempi)])
        per_tick = 60.0 / quarters_per_minute / self.ticks_per_quarter
        return at, np.concatenate([[0.0], np.cumsum(np.diff(at) * per_tick[:-1])]), per_tick

    def meter_ticks(self, meter: Meter) -> int:
        """Length of a bar of ``meter`` in ticks."""
        return meter.numerator * 4 * self.ticks_per_quarter // meter.denominator

    @cached_property
    def bars(self) -> NDArray[np.void]:
        """The bars, structured array of dtype :data:`BAR`; without a meter, 4/4 from tick 0.

        A first bar shorter than its meter is a pickup, and so is the second half of a bar that a repeat cuts in two:
        their ``offset`` says how far into the metrical bar they start.
        """
        meters = self.meters or (Meter(0, 4, 4),)
        starts = np.array(self.barlines or self._regular_barlines(meters), dtype=np.int64)
        starts = starts[starts < max(self.length_ticks, 1)]
        if not len(starts) or starts[0] != 0:
            starts = np.concatenate([[0], starts])
        bars = np.zeros(len(starts), dtype=BAR)
        bars["start"], bars["length"] = starts, np.diff(starts, append=max(self.length_ticks, 1))
        full = np.array([self.meter_ticks(meters[0])] * len(bars))
        for meter in meters:
            full[starts >= meter.tick] = self.meter_ticks(meter)
        if (len(bars) > 1 or self.anacrusis_ticks) and bars["length"][0] < full[0]:
            bars["offset"][0] = full[0] - bars["length"][0]
        for i in range(1, len(bars)):
            cut = bars["offset"][i - 1] == 0 and bars["length"][i - 1] < full[i - 1]
            if cut and bars["length"][i - 1] + bars["length"][i] == full[i]:
                bars["offset"][i] = bars["length"][i - 1]
        return bars

    @property
    def bar_count(self) -> int:
        """How many bars musicians count: a pickup is none, and a bar that a repeat cuts in two is one."""
        return int((self.bars["offset"] == 0).sum())

    def bar_number(self, tick: int) -> int:
        """What musicians call the bar at ``tick``: they count from 1, and a pickup is bar 0."""
        bars = self.bars
        return int((bars["offset"][bars["start"] <= tick] == 0).sum())

    def bar_name(self, tick: int) -> str:
        """The bar at ``tick`` for a sentence: "bar 3", "the pickup"."""
        number = self.bar_number(tick)
        return f"bar {number}" if number else "the pickup"

    def _regular_barlines(self, meters: tuple[Meter, ...]) -> list[int]:
        starts = [0] if self.anacrusis_ticks else []
        at = self.anacrusis_ticks
        changes = [*(m.tick for m in meters[1:]), max(self.length_ticks, 1)]
        for meter, end in zip(meters, changes, strict=True):
            step = max(self.meter_ticks(meter), 1)
            starts += range(at, end, step)
            at = max(end, at)
        return starts


def _from(events: tuple[Any, ...], start: int, end: int) -> tuple[Any, ...]:
    """Events within a span, the one in force at its start included, counted from its start."""
    before = [event for event in events if event.tick <= start]
    after = [event for event in events if start < event.tick < end]
    return tuple(replace(event, tick=max(event.tick - start, 0)) for event in before[-1:] + after)


def _sharp(pitch: int) -> str:
    return f"{PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _from_rows(rows: Iterable[Sequence[int]]) -> NDArray[np.void]:
    try:
        tuples = [tuple(row) for row in rows]
        return np.array(tuples, dtype=NOTE) if tuples else np.empty(0, dtype=NOTE)
    except (TypeError, ValueError) as error:
        raise ScoreError(
            "expected rows of five whole numbers, onset, duration, pitch, velocity and part, or a data frame; "
            f"got something else: {str(error).rstrip('.')}."
        ) from error
    except OverflowError as error:
        raise ScoreError(
            f"expected notes whose numbers are those of music, got one out of all bounds: {error}."
        ) from error


def _clock(frame: Any, known: dict[str, Any]) -> Score:
    """A score without notes that has the resolution and the tempi in which a data frame's seconds are counted."""
    remembered = getattr(frame, "attrs", {}).get("kantor", {})
    try:
        tempi = tuple(Tempo(int(tick), float(speed)) for tick, speed in remembered.get("tempi", ()))
        resolution = int(remembered.get("ticks_per_quarter", TICKS_PER_QUARTER))
    except (AttributeError, TypeError, ValueError) as error:
        raise ScoreError("expected attrs['kantor'] as to_pandas wrote it, got something else; delete it.") from error
    clock = Score(np.empty(0, NOTE), ticks_per_quarter=resolution, tempi=tempi)
    clock = clock.at(known.get("ticks_per_quarter", resolution))
    return clock.replace(tempi=known.get("tempi", clock.tempi))


def _from_frame(frame: Any, clock: Score) -> NDArray[np.void]:
    """The notes (N,) of a data frame whose seconds are those of ``clock``."""
    columns = {str(name) for name in frame.columns}
    if not ("pitch" in columns and columns & {"start", "step"} and columns & {"end", "duration"}):
        had = ", ".join(sorted(columns)) or "none"
        raise ScoreError(f"expected the columns pitch, start or step, and end or duration; got {had}.")
    start = _column(frame, "start") if "start" in columns else np.cumsum(_column(frame, "step"))
    end = _column(frame, "end") if "end" in columns else start + _column(frame, "duration")
    _check_spans(start, end, _column(frame, "duration") if "duration" in columns else end - start)
    onset, stop = clock.tick_of_seconds(start), clock.tick_of_seconds(end)
    notes = np.zeros(len(start), dtype=NOTE)
    notes["onset"] = onset
    notes["duration"] = np.maximum(stop - onset, end > start)
    notes["pitch"] = _whole(frame, "pitch", 0, 127)
    notes["velocity"] = _whole(frame, "velocity", 1, 127) if "velocity" in columns else UNMARKED_VELOCITY
    notes["part"] = _whole(frame, "part", 0, 2**15 - 1) if "part" in columns else 0
    return notes


def _column(frame: Any, name: str) -> NDArray[np.float64]:
    try:
        values = np.asarray(frame[name], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ScoreError(f"expected a number in every row of the column '{name}', got others; mend it.") from error
    if values.ndim != 1 or not np.isfinite(values).all():
        got = "two columns so named" if values.ndim != 1 else "rows without one; fill or drop them"
        raise ScoreError(f"expected a number in every row of the column '{name}', got {got}.")
    return values


def _whole(frame: Any, name: str, low: int, high: int) -> NDArray[np.float64]:
    values = _column(frame, name)
    wrong = (values != np.floor(values)) | (values < low) | (values > high)
    if wrong.any():
        got = float(values[wrong][0])
        raise ScoreError(f"expected whole numbers within {low}..{high} in the column '{name}', got {got:.12g}.")
    return values


def _check_spans(start: NDArray[np.float64], end: NDArray[np.float64], duration: NDArray[np.float64]) -> None:
    """Refuse notes that end before they start, and a ``duration`` that has been changed where ``end`` has not."""
    if (end < start).any():
        row = int(np.argmax(end < start))
        raise ScoreError(f"expected notes that end after they start, got one from {start[row]:g} to {end[row]:g} s.")
    apart = np.abs(start + duration - end) > 0.01  # seconds; a table may have been rounded
    if apart.any():
        row = int(np.argmax(apart))
        raise ScoreError(
            f"expected every end at start + duration, got {start[row]:g} + {duration[row]:g} and {end[row]:g} s; "
            "drop the column that no longer holds."
        )


def _check(notes: NDArray[np.void], score: Score) -> None:
    if score.ticks_per_quarter < 1:
        raise ScoreError(f"expected at least one tick a quarter note, got {score.ticks_per_quarter}.")
    if not len(notes):
        return
    bounds = {"onset": (0, MAX_TICKS), "duration": (0, MAX_TICKS), "pitch": (0, 127), "velocity": (1, 127)}
    bounds["part"] = (0, len(score.parts) - 1)
    for name, (low, high) in bounds.items():
        values = notes[name]
        if values.min() < low or values.max() > high:
            worst = int(values.min() if values.min() < low else values.max())
            raise ScoreError(f"expected every note's {name} within {low}..{high}, got {worst}.")
