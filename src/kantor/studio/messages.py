"""What goes over the wire: the studio's messages and bodies, strict and typed; ``docs/studio.md`` says how they flow.

Everything here is plain JSON. A field that is not known is refused, so a misspelt one is never silently without
effect. Times are ticks of the score they belong to; pitches are MIDI numbers; nats are surprises, -ln p.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

__all__ = [
    "MAX_BARS",
    "MAX_COUNT",
    "MAX_GIVEN_BARS",
    "MAX_GIVEN_NOTES",
    "MAX_NOTES",
    "Back",
    "Bar",
    "Branch",
    "ClientMessage",
    "Done",
    "Drawn",
    "ErrorMessage",
    "KeyJson",
    "LiveNote",
    "MeterJson",
    "NoteJson",
    "Notes",
    "PartJson",
    "Pause",
    "PieceJson",
    "Played",
    "PromptJson",
    "Remark",
    "Resume",
    "ResumeSession",
    "ScoreJson",
    "ServerMessage",
    "Start",
    "Started",
    "TakenBack",
    "TempoJson",
    "Turn",
    "client_message",
]

MAX_BARS = 1_000  # that the studio composes at once; longer pieces are the command line's
MAX_NOTES = 200_000  # of a score that is sent
MAX_GIVEN_NOTES = 20_000  # of a score that is gone on from live: it stays in memory as long as its session
MAX_GIVEN_BARS = 2_000
MAX_COUNT = 16  # takes at once
MAX_TICK = 2**40
RULES = 32


class Strict(BaseModel):
    """Plain JSON of exactly these fields; whole numbers are whole, text is text."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Tick = Annotated[int, Field(ge=0, le=MAX_TICK)]
Pitch = Annotated[int, Field(ge=0, le=127)]
Seed = Annotated[int, Field(ge=0, lt=2**53)]  # what a browser can count to
Text = Annotated[str, Field(max_length=200)]
Spelt = Annotated[str, Field(max_length=4000)]
Rules = Annotated[list[Spelt], Field(max_length=RULES)]
Bars = Annotated[int, Field(ge=1, le=MAX_BARS)]


# -- a score -----------------------------------------------------------------------------------------------------------


class NoteJson(Strict):
    """One note: ticks, MIDI pitch, MIDI velocity, index of its part."""

    part: Annotated[int, Field(ge=0, le=255)]
    pitch: Pitch
    onset: Tick
    duration: Tick
    velocity: Annotated[int, Field(ge=1, le=127)] = 80


class PartJson(Strict):
    """A line or an instrument, with its General MIDI program, 0-127."""

    name: Text = ""
    program: Annotated[int, Field(ge=0, le=127)] = 0
    is_drum: bool = False


class TempoJson(Strict):
    """From ``tick`` on, so many quarters a minute."""

    tick: Tick
    quarters_per_minute: Annotated[float, Field(ge=0.01, le=100_000)]


class MeterJson(Strict):
    """From ``tick`` on, bars of ``numerator`` notes of 1/``denominator``."""

    tick: Tick
    numerator: Annotated[int, Field(ge=1, le=255)]
    denominator: Literal[1, 2, 4, 8, 16, 32, 64, 128]


class KeyJson(Strict):
    """From ``tick`` on, a signature of ``fifths`` sharps (negative: flats), and the mode where it is known."""

    tick: Tick
    fifths: Annotated[int, Field(ge=-7, le=7)]
    mode: Literal["major", "minor", ""] = ""


class ScoreJson(Strict):
    """A whole score, as :class:`kantor.Score` has it: what is not known is empty. Nothing is lost either way."""

    ticks_per_quarter: Annotated[int, Field(ge=1, le=100_000)] = 480
    notes: Annotated[list[NoteJson], Field(max_length=MAX_NOTES)]
    parts: Annotated[list[PartJson], Field(max_length=256)] = []
    tempi: Annotated[list[TempoJson], Field(max_length=10_000)] = []
    meters: Annotated[list[MeterJson], Field(max_length=10_000)] = []
    keys: Annotated[list[KeyJson], Field(max_length=10_000)] = []
    fermatas: Annotated[list[Tick], Field(max_length=10_000)] = []
    barlines: Annotated[list[Tick], Field(max_length=20_000)] = []
    anacrusis_ticks: Tick = 0
    length_ticks: Tick = 0
    title: Annotated[str, Field(max_length=2000)] = ""
    recipe: Annotated[str, Field(max_length=4_000_000)] = ""


class PromptJson(ScoreJson):
    """A score that is gone on from live."""

    notes: Annotated[list[NoteJson], Field(max_length=MAX_GIVEN_NOTES)]


class PieceJson(Strict):
    """What a verb composed: the score with its recipe, how likely the model found it, and what there is to say."""

    score: ScoreJson
    nats_per_note: float
    notes_decided: int
    rules_cost: float
    dead_ends: int
    remarks: list[str]


# -- how to draw -------------------------------------------------------------------------------------------------------


class Drawn(Strict):
    """How notes are drawn; what is not given is the model's own."""

    temperature: Annotated[float | None, Field(ge=0, le=10)] = None
    top_k: Annotated[int | None, Field(ge=1, le=100_000)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    min_p: Annotated[float | None, Field(ge=0, le=1)] = None


# -- from the page -----------------------------------------------------------------------------------------------------


class Start(Strict):
    """Begin a piece: the first message of a socket, unless it is ``resume_session``; later, a new piece in its place.

    Without a prompt, ``bars`` is how long the piece is; with one, how many bars are added behind it. ``key``, ``meter``
    and ``pickup`` belong to a piece from nothing alone. ``density``: notes that may begin within a quarter.
    ``instruments``: General MIDI programs, one a part. ``ahead``: bars composed ahead of what was ``played``.
    """

    type: Literal["start"]
    model: Text = "chorale"
    bars: Bars = 32
    key: Text | None = None
    meter: Text | None = None
    pickup: Annotated[float | None, Field(ge=0, le=64)] = None
    tempo: Annotated[float | None, Field(ge=5, le=1000)] = None
    seed: Seed | None = None
    temperature: Annotated[float | None, Field(ge=0, le=10)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    rules: Rules = []
    soft: Rules = []
    density: Annotated[int | None, Field(ge=1, le=64)] = None
    in_key: bool = False
    prompt: PromptJson | None = None
    instruments: Annotated[list[Annotated[int, Field(ge=0, le=127)]], Field(max_length=256)] = []
    ahead: Annotated[int, Field(ge=1, le=8)] = 2


class Turn(Strict):
    """Change what is given from here on; what is left out stays as it is. ``density: 0`` and ``key: ""`` lift these."""

    type: Literal["turn"]
    temperature: Annotated[float | None, Field(ge=0, le=10)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    rules: Rules | None = None
    soft: Rules | None = None
    key: Text | None = None
    density: Annotated[int | None, Field(ge=0, le=64)] = None


class Pause(Strict):
    """Compose nothing more until ``resume``."""

    type: Literal["pause"]


class Resume(Strict):
    """Go on composing."""

    type: Literal["resume"]


class Back(Strict):
    """Take back the last ``bars`` that were heard, the one that plays counted as one: they are composed anew."""

    type: Literal["back"]
    bars: Bars = 1


class Branch(Strict):
    """Go on differently from ``tick``; without one, from the first beat that is not scheduled."""

    type: Literal["branch"]
    tick: Tick | None = None


class Played(Strict):
    """Where the playhead is; music is composed a few bars ahead of it. Send it every beat or so.

    ``scheduled`` is the tick up to which notes have been handed to the synthesiser: sliders act behind it. ``branch``
    is the one that plays: what is told of an earlier one is not heeded.
    """

    type: Literal["played"]
    tick: Tick
    scheduled: Tick | None = None
    branch: Annotated[int | None, Field(ge=0)] = None


class ResumeSession(Strict):
    """Take up a session whose socket was lost: what the page has is ``branch`` up to tick ``since``."""

    type: Literal["resume_session"]
    id: Annotated[str, Field(max_length=64)]
    since: Tick = 0
    branch: Annotated[int | None, Field(ge=0)] = None


ClientMessage = Annotated[
    Start | Turn | Pause | Resume | Back | Branch | Played | ResumeSession, Field(discriminator="type")
]

client_message: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


# -- to the page -------------------------------------------------------------------------------------------------------


class Bar(Strict):
    """A bar of the plan: its first tick, its length in ticks, its meter, and how many of its beats come first."""

    start: int
    length: int
    beats: int
    unit: int
    offset: int = 0


class Started(Strict):
    """What is known before the piece sounds."""

    type: Literal["started"] = "started"
    session: str
    model: str
    seed: int
    branch: int
    length_ticks: int
    ticks_per_quarter: int
    bars: list[Bar]
    keys: list[KeyJson]
    meters: list[MeterJson]
    tempi: list[TempoJson]
    fermatas: list[int]
    parts: list[PartJson]
    temperature: float
    top_p: float
    rules: list[str]
    given_until: int = 0
    resumed: bool = False


class LiveNote(Strict):
    """A note as far as it is known; the same ``id`` again: it lasts longer. ``nats``: its surprise, null if given."""

    id: int
    part: int
    pitch: int
    onset: int
    duration: int
    velocity: int
    nats: float | None = None


class Notes(Strict):
    """All music before tick ``until`` is composed; these notes are new, or longer than they were."""

    type: Literal["notes"] = "notes"
    branch: int
    until: int
    notes: list[LiveNote]


class TakenBack(Strict):
    """What begins at ``to`` or later is void, what sounds across it ends there; what follows is ``branch``."""

    type: Literal["taken_back"] = "taken_back"
    to: int
    branch: int


class Done(Strict):
    """The piece is whole. ``recipe`` makes it again, note for note: ``POST /api/replay``."""

    type: Literal["done"] = "done"
    branch: int
    recipe: str
    nats_per_note: float
    rules_cost: float
    dead_ends: int
    score: ScoreJson


class Remark(Strict):
    """Something to tell the user, in one sentence."""

    type: Literal["remark"] = "remark"
    text: str


class ErrorMessage(Strict):
    """A message that was not followed, in one sentence; nothing has changed."""

    type: Literal["error"] = "error"
    text: str


ServerMessage = Annotated[Started | Notes | TakenBack | Done | Remark | ErrorMessage, Field(discriminator="type")]
