"""Score: the one currency. Every file becomes one, every representation encodes one, every picture shows one.

Conventions
-----------
- Time is integer ticks from the first sounding bar, pickup included: tick 0 is where the music starts.
- ``notes`` is one structured array of dtype :data:`NOTE`, sorted by onset, part, pitch, duration; it is read-only.
- A part is an index into ``parts``; a chorale's parts are soprano, alto, tenor, bass, top down.
- What is unknown is left empty: no meter, no key, no fermata means *not known*, never *none*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import ScoreError

__all__ = ["BAR", "NOTE", "TICKS_PER_QUARTER", "VOICES", "Key", "Meter", "Part", "Score", "Tempo"]

TICKS_PER_QUARTER = 480
VOICES = ("Soprano", "Alto", "Tenor", "Bass")

#: One note: onset and duration in ticks, MIDI pitch 0-127, MIDI velocity 1-127, index of its part.
NOTE = np.dtype([("onset", "<i8"), ("duration", "<i8"), ("pitch", "<i2"), ("velocity", "<i2"), ("part", "<i2")])

#: One bar: its start and length in ticks, and how far into its metrical bar it starts (0 but for pickups).
BAR = np.dtype([("start", "<i8"), ("length", "<i8"), ("offset", "<i8")])

MAX_TICKS = 2**40  # far beyond any music, far within int64: sums of ticks never overflow


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
    def from_notes(cls, notes: Iterable[Sequence[int]], **known: Any) -> Score:
        """A score from (onset, duration, pitch, velocity, part) rows; ``known`` are the other attributes."""
        rows = [tuple(row) for row in notes]
        try:
            array = np.array(rows, dtype=NOTE) if rows else np.empty(0, dtype=NOTE)
        except OverflowError as error:
            raise ScoreError(
                f"expected notes whose numbers are those of music, got one out of all bounds: {error}."
            ) from error
        known.setdefault("parts", tuple(Part() for _ in range(int(array["part"].max(initial=-1)) + 1)))
        return cls(array, **known)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Score):
            return NotImplemented
        mine, theirs = ({k: v for k, v in vars(s).items() if k in s.__dataclass_fields__} for s in (self, other))
        return np.array_equal(mine.pop("notes"), theirs.pop("notes")) and mine == theirs

    __hash__ = None  # type: ignore[assignment]  # scores are compared by value, and hold arrays

    def __len__(self) -> int:
        """Number of notes."""
        return len(self.notes)

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
        at = np.array([0, *(t.tick for t in self.tempi)], dtype=np.int64)
        quarters_per_minute = np.array([120.0, *(t.quarters_per_minute for t in self.tempi)])
        per_tick = 60.0 / quarters_per_minute / self.ticks_per_quarter
        start = np.concatenate([[0.0], np.cumsum(np.diff(at) * per_tick[:-1])])
        index = np.searchsorted(at, ticks, side="right") - 1
        return start[index] + (np.asarray(ticks) - at[index]) * per_tick[index]

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
