"""Many sessions in turn: those with least music ahead of their playheads come first, several at once, by slices.

An engine belongs to one thread or process. Text goes in, text comes out; whose it is stands beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from pydantic import ValidationError

from kantor.sampling.asking import together
from kantor.studio.crew import Report
from kantor.studio.messages import ErrorMessage, ServerMessage, client_message
from kantor.studio.session import SLICE, Session

__all__ = ["Engine"]

TOGETHER = 12  # sessions that the model answers at once: more would be told late that their page has turned something
ALIKE = 0.5  # seconds: who has about as much as another takes turns with it
log = logging.getLogger("kantor.studio")
DEFECT = "a defect of Kantor's own ended this session; what it was is in the server's log"


class Engine:
    """The sessions of one worker."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._served: dict[str, int] = {}  # in which turn each was served last
        self._turn = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def receive(self, name: str, text: str | bytes) -> Report:
        """What session ``name`` answers to a message; a session begins with its first one."""
        try:
            message = client_message.validate_json(text)
        except ValidationError as error:
            if _is_garbage(error):
                self.forget(name)
                return Report("garbage", name, _reason(error))
            return Report("answer", name, [ErrorMessage(text=_reason(error)).model_dump_json()])
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = Session(name)
        return self._told("answer", session, lambda: session.receive(message))

    def connect(self, name: str, there: bool) -> Report | None:
        """Whether anybody listens; nothing is composed for a session that nobody hears."""
        if session := self._sessions.get(name):
            session.connected = there
            session.congested = False
        return Report("connected", name, []) if there else None

    def congest(self, name: str, congested: bool) -> None:
        """Whether a reader is behind with reading; nothing is composed for it until it is not."""
        if session := self._sessions.get(name):
            session.congested = congested

    def forget(self, name: str) -> None:
        """End a session."""
        self._sessions.pop(name, None)
        self._served.pop(name, None)

    @property
    def busy(self) -> bool:
        """Whether there is anything to compose."""
        return any(session.wants for session in self._sessions.values())

    def work(self) -> list[Report]:
        """A slice of the most urgent sessions of one model, and what each has to tell; none where nobody wants any."""
        wanting = [session for session in self._sessions.values() if session.wants]
        if not wanting:
            return []
        # who says that it plays what is not there yet is no more urgent than who has nothing, and these take turns
        wanting.sort(key=lambda one: (max(one.urgency, 0.0) // ALIKE, self._served.get(one.name, 0)))
        model = wanting[0].model
        soon = max(wanting[0].urgency, 0.0) + 2 * ALIKE  # who has more than that would only hold the others up
        chosen = [one for one in wanting if one.model is model and one.urgency <= soon][:TOGETHER]
        for session in chosen:
            self._turn += 1
            self._served[session.name] = self._turn
        made = together(model, [session.working(max(SLICE // len(chosen), 1)) for session in chosen])
        return [self._told("told", session, partial(_given, one)) for session, one in zip(chosen, made, strict=True)]

    def _told(self, kind: str, session: Session, does: Callable[[], list[ServerMessage]]) -> Report:
        """What a session says; a defect ends it, and it alone."""
        try:
            return Report(kind, session.name, [told.model_dump_json() for told in does()])
        except Exception:
            log.exception("session %s", session.name)
            self.forget(session.name)
            return Report("broken", session.name, DEFECT)


def _given(made: list[ServerMessage] | Exception) -> list[ServerMessage]:
    if isinstance(made, Exception):
        raise made
    return made


def _is_garbage(error: ValidationError) -> bool:
    """Whether what came was not even of the kind of a message; else one of its fields was wrong."""
    return len(error.errors()[0]["loc"]) == 0


def _reason(error: ValidationError) -> str:
    """What is wrong with a message, in one sentence short enough for a closing frame (123 bytes)."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])[:40]
    return f"expected a message of the studio's, got {where or 'none'}: {first['msg']}"[:120]
