"""A live session: messages in, messages out. No socket, no thread, no clock.

Music is composed a few bars ahead of the playhead, in small slices, so that many sessions can take turns. What the page
has is mirrored here: it is told of new notes, of notes that last longer than it knew, and of what is void.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from kantor.bundle import Bundle
from kantor.errors import KantorError, OptionError
from kantor.runtime import Model
from kantor.sampling.asking import Going
from kantor.score import Meter
from kantor.studio import shelf
from kantor.studio.messages import (
    MAX_GIVEN_BARS,
    Back,
    Bar,
    Branch,
    ClientMessage,
    Done,
    ErrorMessage,
    KeyJson,
    LiveNote,
    MeterJson,
    Notes,
    PartJson,
    Pause,
    Played,
    Remark,
    Resume,
    ResumeSession,
    ServerMessage,
    Start,
    Started,
    TakenBack,
    TempoJson,
    Turn,
)
from kantor.studio.scores import json_of, score_of
from kantor.verbs.live import Performance
from kantor.verbs.piece import Piece

__all__ = ["Session"]

SLICE = 24  # steps: some 20 ms of a slow core


class Session:
    """One page's piece.

    Parameters
    ----------
    name  what the page calls it by when it comes again.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.performance: Performance | None = None
        self.connected, self.paused, self.congested = True, False, False
        self._ahead = 2
        self._clear()

    def _clear(self) -> None:
        self._branch = self._sent = self._played = self._scheduled = 0
        self._next_id = self._remarked = 0
        self._mirror: dict[tuple[int, int, int], LiveNote] = {}
        self._finished = False
        self._cuts: dict[int, int] = {}  # to where each branch took back what was there before

    # -- messages ------------------------------------------------------------------------------------------------

    def receive(self, message: ClientMessage) -> list[ServerMessage]:
        """What there is to answer at once. What cannot be followed is answered by an error, and changes nothing."""
        try:
            if isinstance(message, Start):
                return self._start(message)
            if isinstance(message, ResumeSession):
                return self._resume(message)
            performance = self._performing()
            if isinstance(message, Played):
                if message.branch not in (None, self._branch):
                    return []  # of music that is not there any more
                self._played = min(message.tick, performance.length)
                self._scheduled = min(max(message.scheduled or 0, self._played), performance.length)
                return []
            if isinstance(message, Pause | Resume):
                self.paused = isinstance(message, Pause)
                return []
            if isinstance(message, Turn):
                return self._turn(performance, message)
            return self._go_back(performance, message)
        except KantorError as error:
            return [ErrorMessage(text=str(error))]

    def _performing(self) -> Performance:
        if self.performance is None:
            raise OptionError("expected a piece that has begun, got none; send start first.")
        return self.performance

    def _start(self, message: Start) -> list[ServerMessage]:
        bundle: Bundle = shelf.model_named(message.model)
        prompt = None if message.prompt is None else score_of(message.prompt, MAX_GIVEN_BARS)
        options = message.model_dump(exclude={"type", "model", "prompt", "ahead"})
        runtime = shelf.runtime_of(bundle)
        performance = Performance(bundle, prompt, runtime=runtime, **options)
        self.performance = performance
        self._clear()
        self.paused, self._ahead = False, message.ahead
        frame = self.performance.frame
        self._bars, self._meters, self._resolution = frame.bars, frame.meters, frame.ticks_per_quarter
        given = self._given_until
        out: list[ServerMessage] = [self._started(resumed=False)]
        if given:  # what was given is there at once
            out += self._told(given)
        return out

    def _resume(self, message: ResumeSession) -> list[ServerMessage]:
        performance = self._performing()
        out: list[ServerMessage] = [self._started(resumed=True)]
        since = message.since
        if message.branch != self._branch:
            to = self._void_since(message.branch)
            since = min(since, to)
            out.append(TakenBack(to=to, branch=self._branch))
        notes = [note for note in self._mirror.values() if note.onset + note.duration >= since]
        out.append(Notes(branch=self._branch, until=self._sent, notes=notes))
        return [*out, *([self._done(performance.piece)] if self._finished else [])]

    def _turn(self, performance: Performance, message: Turn) -> list[ServerMessage]:
        changes = message.model_dump(exclude={"type"}, exclude_none=True)
        performance.turn(self._edge(performance), changes)
        out = self._taken_back(performance)
        self._finished = False
        return [self._started(resumed=False), *out] if "key" in changes else out

    def _go_back(self, performance: Performance, message: Back | Branch) -> list[ServerMessage]:
        if isinstance(message, Back):
            at = int(np.searchsorted(self._bars["start"], max(self._played - 1, 0), side="right")) - 1
            to = int(self._bars["start"][max(at - message.bars + 1, 0)])
        else:
            to = self._edge(performance) if message.tick is None else message.tick
        to = max(to, self._given_until)
        performance.branch(to)
        self._played, self._scheduled = min(self._played, to), min(self._scheduled, to)
        self._finished = False
        return self._taken_back(performance)

    # -- composing -----------------------------------------------------------------------------------------------

    @property
    def wants(self) -> bool:
        """Whether there is something to compose now."""
        if self.performance is None or self.paused or self.congested or not self.connected or self._finished:
            return False
        return self._sent < self._goal

    @property
    def urgency(self) -> float:
        """Seconds of music that are there beyond the playhead: who has least comes first."""
        if self.performance is None:
            return 0.0
        return (self._sent - max(self._played, self._scheduled)) * self._seconds_per_tick

    @property
    def model(self) -> Model:
        """What answers it while it composes."""
        return self._performing().live.model

    def working(self, steps: int = SLICE) -> Going[list[ServerMessage]]:
        """Compose a slice; what there is to tell then, mostly nothing."""
        performance = self._performing()
        try:
            until, heard = self._chunk(), max(self._scheduled, self._given_until)
            more = yield from performance.advancing(until, steps, heard)
        except KantorError as error:
            self.paused = True
            return [ErrorMessage(text=str(error))]
        out = self._taken_back(performance)
        return out if more else [*out, *self._told(performance.now)]

    @property
    def _goal(self) -> int:
        """Up to where music should be there: the end of a bar, ``ahead`` bars beyond the playhead's."""
        starts = self._bars["start"]
        here = int(np.searchsorted(starts, max(self._played, self._scheduled), side="right"))
        end = here + self._ahead
        assert self.performance is not None
        return int(starts[end]) if end < len(starts) else self.performance.length

    def _chunk(self) -> int:
        """Where the next notes are told: by bars, and by beats as long as the playhead is close."""
        starts = self._bars["start"]
        here = max(int(np.searchsorted(starts, self._sent, side="right")), 1)
        end = int(starts[here]) if here < len(starts) else self._goal
        close = self._sent - self._played < int(self._bars["length"].max(initial=1))
        return min(self._after_beat(self._sent) if close else end, end, max(self._goal, 1))

    def _after_beat(self, tick: int) -> int:
        """The first beat behind a tick."""
        assert self.performance is not None
        at = max(int(np.searchsorted(self._bars["start"], tick, side="right")) - 1, 0)
        start, beat = int(self._bars["start"][at]), self._beat(at)
        return start + ((tick - start) // beat + 1) * beat

    def _edge(self, performance: Performance) -> int:
        """The first beat that is not scheduled; where less has been composed, the end of that."""
        if self._scheduled <= self._given_until:
            return self._given_until
        return min(self._after_beat(self._scheduled - 1), performance.now)

    # -- what the page has -----------------------------------------------------------------------------------------

    def _taken_back(self, performance: Performance) -> list[ServerMessage]:
        """Tell what of the page's music is void."""
        to, performance.voided = performance.voided, None
        out: list[ServerMessage] = []
        if to is not None and (to < self._sent or any(key[1] >= to for key in self._mirror)):
            self._branch += 1
            self._cuts[self._branch] = to
            self._sent = min(self._sent, to)
            kept = ((key, note) for key, note in self._mirror.items() if note.onset < to)
            self._mirror = {key: _until(note, to) for key, note in kept}
            out.append(TakenBack(to=to, branch=self._branch))
        return out

    def _void_since(self, branch: int | None) -> int:
        """The tick from which on nothing of an earlier branch is left; 0 where it is not known which one that was."""
        if branch is None or branch > self._branch:
            return 0
        return min(to for later, to in self._cuts.items() if later > branch)

    def _told(self, until: int) -> list[ServerMessage]:
        """Tell the notes that are new, or longer than the page knows; and the end, if it is that."""
        performance = self._performing()
        news, told = performance.since(self._sent)
        notes: list[LiveNote] = []
        seen: Counter[tuple[int, int]] = Counter()
        for onset, duration, pitch, velocity, part in news.tolist():
            nats = told.get((onset, pitch), ())
            surprise = round(nats[min(seen[onset, pitch], len(nats) - 1)], 4) if nats else None
            seen[onset, pitch] += 1
            known = self._mirror.get((part, onset, pitch))
            if known is None:
                place = {"part": part, "pitch": pitch, "onset": onset, "velocity": velocity}
                note = LiveNote(id=self._next_id, duration=duration, nats=surprise, **place)
                self._next_id += 1
            elif known.duration == duration:
                continue
            else:
                note = known.model_copy(update={"duration": duration})
            self._mirror[part, onset, pitch] = note
            notes.append(note)
        self._sent = max(until, self._sent)
        out: list[ServerMessage] = [Notes(branch=self._branch, until=self._sent, notes=notes)]
        remarks = performance.remarks[self._remarked :]
        self._remarked += len(remarks)
        ends = performance.over and not self._finished
        piece = performance.piece if ends else None
        if piece is not None:
            self._finished = True
            remarks = [*remarks, *piece.remarks[self._remarked :]]
        out += [Remark(text=text) for text in remarks]
        return out if piece is None else [*out, self._done(piece)]

    def _started(self, *, resumed: bool) -> Started:
        performance = self._performing()
        frame, filters = performance.frame, performance.filters
        return Started(
            session=self.name,
            model=performance.bundle.name,
            seed=performance.seed,
            branch=self._branch,
            length_ticks=performance.length,
            ticks_per_quarter=frame.ticks_per_quarter,
            bars=[self._bar(at) for at in range(len(self._bars))],
            keys=[KeyJson(tick=key.tick, fifths=key.fifths, mode=key.mode or "") for key in frame.keys],  # type: ignore[arg-type]
            meters=[MeterJson(tick=m.tick, numerator=m.numerator, denominator=m.denominator) for m in frame.meters],  # type: ignore[arg-type]
            tempi=[TempoJson(tick=t.tick, quarters_per_minute=t.quarters_per_minute) for t in frame.tempi],
            fermatas=list(frame.fermatas),
            parts=[PartJson(name=part.name, program=part.program, is_drum=part.is_drum) for part in frame.parts],
            temperature=filters.temperature,
            top_p=filters.top_p,
            rules=performance.rules,
            given_until=self._given_until,
            resumed=resumed,
        )

    def _done(self, piece: Piece) -> Done:
        return Done(
            branch=self._branch,
            recipe=piece.score.recipe,
            nats_per_note=piece.nats_per_note,
            rules_cost=piece.rules_cost,
            dead_ends=piece.dead_ends,
            score=json_of(piece.score),
        )

    @property
    def _given_until(self) -> int:
        performance = self._performing()
        return round(performance.joint * performance.scale)

    @property
    def _seconds_per_tick(self) -> float:
        tempi = self._performing().plan.tempi
        return 60 / (tempi[0].quarters_per_minute if tempi else 120.0) / self._resolution

    def _meter(self, at: int) -> Meter:
        """The meter of bar ``at``."""
        begun = [meter for meter in self._meters if meter.tick <= int(self._bars["start"][at])]
        return begun[-1] if begun else Meter(0, 4, 4)

    def _beat(self, at: int) -> int:
        """Ticks of a beat of bar ``at``."""
        return max(4 * self._resolution // self._meter(at).denominator, 1)

    def _bar(self, at: int) -> Bar:
        start, length, offset = (int(self._bars[name][at]) for name in ("start", "length", "offset"))
        meter = self._meter(at)
        return Bar(
            start=start, length=length, beats=meter.numerator, unit=meter.denominator, offset=offset // self._beat(at)
        )


def _until(note: LiveNote, tick: int) -> LiveNote:
    """The note, ending at a tick if it sounds beyond it."""
    if note.onset + note.duration <= tick:
        return note
    return note.model_copy(update={"duration": tick - note.onset})
