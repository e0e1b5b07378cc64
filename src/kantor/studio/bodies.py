"""What the REST routes take and give, typed; the scores in it are those of :mod:`kantor.studio.messages`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kantor.studio.messages import (
    MAX_COUNT,
    MAX_NOTES,
    Bars,
    Drawn,
    PieceJson,
    Pitch,
    Rules,
    ScoreJson,
    Seed,
    Start,
    Strict,
    Text,
    Tick,
)

__all__ = [
    "Check",
    "Checked",
    "Choice",
    "Choices",
    "ChoicesOf",
    "Continue",
    "Engrave",
    "Engraved",
    "ErrorJson",
    "FaultJson",
    "Generate",
    "Harmonize",
    "Infill",
    "InstrumentJson",
    "ModelJson",
    "Moment",
    "Pieces",
    "PresetJson",
    "Read",
    "Replay",
    "RuleJson",
    "Save",
    "Selection",
    "Skipped",
    "Status",
    "Surprise",
    "SurpriseOf",
    "Variations",
]

Index = Annotated[int, Field(ge=0, lt=MAX_NOTES)]
Voice = Literal["soprano", "alto", "tenor", "bass"]


class ErrorJson(Strict):
    """What was expected, what came, what to try."""

    error: str


class Composed(Drawn):
    """What all verbs that compose take."""

    rules: Rules = []
    soft: Rules = []
    seed: Seed | None = None
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 1


class Streamed(Composed):
    """What the verbs take that compose from left to right."""

    model: Text = "chorale"
    bars: Bars = 8
    tempo: Annotated[float | None, Field(ge=5, le=1000)] = None
    velocity: Annotated[int | None, Field(ge=1, le=127)] = None
    chords: Annotated[str | None, Field(max_length=4000)] = None


class Generate(Streamed):
    """A piece from nothing: ``kantor generate``."""

    key: Text | None = None
    in_key: bool = False
    meter: Text | None = None
    pickup: Annotated[float | None, Field(ge=0, le=64)] = None


class Continue(Streamed):
    """A piece that goes on: ``kantor continue``; from bar ``from_bar``, or from its end."""

    score: ScoreJson
    from_bar: Annotated[int | None, Field(ge=1, le=100_000)] = None


class Filling(Composed):
    """What the verbs take that fill in."""

    score: ScoreJson
    model: Text = "chorale-infill"
    sweeps: Annotated[int | None, Field(ge=0, le=200)] = None


class Harmonize(Filling):
    """Three voices to a line: ``kantor harmonize``."""

    voice: Voice = "soprano"
    key: Text | None = None
    chords: Annotated[str | None, Field(max_length=4000)] = None


class Selection(Strict):
    """Some voices, 0-3 top down (all unless given), in some bars or from one tick to another, the last not included."""

    voices: Annotated[list[Annotated[int, Field(ge=0, le=3)]] | None, Field(max_length=4)] = None
    first_bar: Annotated[int | None, Field(ge=0, le=100_000)] = None
    last_bar: Annotated[int | None, Field(ge=0, le=100_000)] = None
    start: Tick | None = None
    end: Tick | None = None


class Infill(Filling):
    """Some voices of some bars anew: ``kantor infill``; notes by their indexes in ``locked`` stay in any case."""

    select: Annotated[list[Selection], Field(min_length=1, max_length=256)]
    locked: Annotated[list[Index], Field(max_length=MAX_NOTES)] = []


class Varied(Strict):
    """So many takes of one request."""

    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 4


class VariedGenerate(Varied):
    """Several pieces from nothing."""

    verb: Literal["generate"]
    body: Generate


class VariedContinue(Varied):
    """Several ways to go on."""

    verb: Literal["continue"]
    body: Continue


class VariedHarmonize(Varied):
    """Several settings of a line."""

    verb: Literal["harmonize"]
    body: Harmonize


class VariedInfill(Varied):
    """Several ways to fill in."""

    verb: Literal["infill"]
    body: Infill


Variations = Annotated[VariedGenerate | VariedContinue | VariedHarmonize | VariedInfill, Field(discriminator="verb")]


class Pieces(Strict):
    """What was composed."""

    pieces: list[PieceJson]


class Check(Strict):
    """A score, and the rules it is to be held to; those that hold by default where none are named."""

    score: ScoreJson
    rules: Rules | None = None


class FaultJson(Strict):
    """A fault: its rule, from when to when, between which voices (parts of a four-part score) and notes, in words."""

    rule: str
    tick: int
    end: int
    voices: list[int]
    notes: list[int]
    text: str


class Skipped(Strict):
    """A rule that cannot be asked of this score, and why."""

    rule: str
    why: str


class Checked(Strict):
    """The faults, in order of time: the first thousand of ``total``."""

    faults: list[FaultJson]
    skipped: list[Skipped]
    total: int


class SurpriseOf(Strict):
    """A score, and the model that is to be surprised by it."""

    score: ScoreJson
    model: Text = "chorale"


class Surprise(Strict):
    """Nats of each note as sent; null for a note that the model does not decide by itself. ``mean`` over the others."""

    nats: list[float | None]
    mean: float | None


class ChoicesOf(SurpriseOf):
    """One note of a score, by its index."""

    note: Index


class Choice(Strict):
    """Something that might have been there: a pitch, or none where nothing new sounds."""

    pitch: Pitch | None
    name: str
    probability: float


class Choices(Strict):
    """What the model would have chosen there, likeliest first, and how surprised it is by the note that stands."""

    choices: list[Choice]
    nats: float


class Engrave(Strict):
    """A score to be set."""

    score: ScoreJson


class Moment(Strict):
    """At a tick, ids of SVG notes that begin and end."""

    tick: int
    on: list[str]
    off: list[str]


class Engraved(Strict):
    """SVG pages, when their notes sound, and which note of the score (its index as sent) each id is."""

    pages: list[str]
    timemap: list[Moment]
    notes: dict[str, int]


class Read(Strict):
    """A file that was read."""

    score: ScoreJson
    name: str
    remarks: list[str]


class Save(Strict):
    """A score to be written; ``instrument`` for all parts, by name or number."""

    score: ScoreJson
    instrument: Text | None = None


class Replay(Strict):
    """A recipe, as files carry it."""

    recipe: Annotated[str, Field(max_length=4_000_000)]


class ModelJson(Strict):
    """A model in the package.

    ``fills``: it fills in, and does not compose from left to right. ``voiced``: it has four voices; ``timed``: rules of
    time can be kept; ``keyed``: it knows keys. ``meters``: those it learned from, the most frequent first.
    """

    name: str
    about: str
    representation: str
    unit: str
    fills: bool
    voiced: bool
    ruled: bool
    timed: bool
    keyed: bool
    meters: list[str]
    sampling: dict[str, Any]
    parameters: int
    corpus: str
    licence: str


class RuleJson(Strict):
    """A rule; ``by_default``: it holds for models of four voices unless ``none`` is asked for."""

    name: str
    forbids: str
    needs: list[str]
    source: str
    option: str | None
    default: str | float | list[Any] | None
    hard: bool
    weight: float | None
    by_default: bool


class PresetJson(Strict):
    """A way to begin, by its name; ``start`` can be sent as it is."""

    name: str
    about: str
    start: Start


class InstrumentJson(Strict):
    """An instrument of General MIDI."""

    program: int
    name: str


class Status(Strict):
    """How the server is."""

    version: str
    sessions: int
    room: int
