"""The server's side of live sessions: who is connected to what, who waits to come again, and when it is full.

A :class:`Link` is a connection, a name is a session; a session outlives its links by :data:`KEEP` seconds. Everything
here runs on the event loop; music is made by the workers (:mod:`kantor.studio.crew`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from kantor.studio.crew import Report, Worker
from kantor.studio.messages import ResumeSession

__all__ = ["CONGESTED", "KEEP", "MOST", "PATIENCE", "Hub", "Link"]

MOST = 1000  # sessions, those that wait for their page to come again among them
KEEP = 600.0  # seconds that a session waits
PATIENCE = 30.0  # seconds that a connection may take to begin a piece
PAUSE = 60.0  # seconds at most before another worker begins where they end at once
CONGESTED = 64  # texts that a reader may be behind
IN_FLIGHT = 8  # messages of one page that wait for their answers to be sent

GARBAGE, UNKNOWN, SILENT, TAKEN, BROKEN, FULL = 4400, 4404, 4408, 4409, 1011, 1013
STARTED = '{"type":"started"'  # how the message begins that says that there is a piece


log = logging.getLogger("kantor.studio")


@dataclass(eq=False)
class Link:
    """A connection: what is to be sent, and whether it is to be closed.

    Attributes
    ----------
    outbox  texts in order; a pair (code, reason) closes it; None says that an answer is complete.
    room    how many more messages may be taken in before an answer has been sent.
    name    of its session; empty before its first message, and when it has lost it.
    behind  whether it is behind with reading.
    closed  whether it is to be closed: what still comes is not heeded.
    said    when it last said something, by the event loop's clock.
    """

    outbox: asyncio.Queue[str | tuple[int, str] | None] = field(default_factory=asyncio.Queue)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT))
    name: str = ""
    behind: bool = False
    closed: bool = False
    said: float = 0.0

    def close(self, code: int, reason: str) -> None:
        """Have it closed, after what is to be sent."""
        self.name, self.closed = "", True
        self.outbox.put_nowait((code, reason))


@dataclass(eq=False)
class _Entry:
    worker: Worker
    link: Link | None
    left_at: float = 0.0
    started: bool = False  # whether there is a piece; what has none is not kept
    stale: int = 0  # pages that came again and are not yet known to the worker: what it says is for the one before


class Hub:
    """All sessions of a server.

    Parameters
    ----------
    workers  how many processes compose.
    threads  whether they are threads rather: for tests.
    most     sessions at a time.
    keep     seconds that a session waits for its page.
    patience seconds that a connection may take to begin a piece.
    warm     models to load before anybody asks.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        threads: bool = False,
        most: int = MOST,
        keep: float = KEEP,
        patience: float = PATIENCE,
        warm: Sequence[str] = (),
    ) -> None:
        self._count, self._threads, self._warm = workers, threads, tuple(warm)
        self._most, self.keep, self.patience = most, keep, patience
        self._links: set[Link] = set()
        self._entries: dict[str, _Entry] = {}
        self._crew: list[Worker] = []
        self._heard_of: set[Worker] = set()  # who has done something
        self._fell = 0  # workers, one after another, that have not
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Have the workers begin; returns at once."""
        self._loop = asyncio.get_running_loop()
        self._crew = [self._hired() for _ in range(self._count)]

    async def stop(self) -> None:
        """End them."""
        crew, self._crew, self._loop = self._crew, [], None
        for worker in crew:
            await asyncio.to_thread(worker.stop)

    def _hire(self) -> None:
        if self._loop is not None:
            self._crew.append(self._hired())

    def _hired(self) -> Worker:
        return Worker(self._heard, self._warm, thread=self._threads)

    def _heard(self, worker: Worker, report: Report) -> None:
        """In a worker's thread: hand on what it says."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._deliver, worker, report)

    def expire(self, now: float | None = None) -> None:
        """Forget the sessions whose pages have not come again, and close the connections that begin nothing."""
        now = self._now if now is None else now
        for name, entry in list(self._entries.items()):
            if entry.link is None and now - entry.left_at >= self.keep:
                self._forget(name)
        for link in self._links:
            own = self._entries.get(link.name)
            if not link.closed and not (own and own.started) and now - link.said >= self.patience:
                if own is not None:
                    self._forget(link.name)
                link.close(SILENT, "nothing was begun here for a while; connect again to compose")

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # -- sessions ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def room(self) -> int:
        """How many more pages can come; sessions that wait for theirs do not count."""
        return max(self._most - sum(not link.closed for link in self._links), 0)

    @property
    def full(self) -> bool:
        """Whether no page can come."""
        return not self.room

    def come(self, link: Link) -> None:
        """A connection has come."""
        link.said = self._now
        self._links.add(link)

    def knows(self, name: str) -> bool:
        """Whether there is such a session."""
        return name in self._entries

    def receive(self, link: Link, text: str) -> None:
        """Take a message of a page in; its first says whether a session begins or goes on."""
        link.said = self._now
        if link.closed or (not link.name and not self._named(link, text)):
            return
        self._entries[link.name].worker.tell("receive", link.name, (text,))

    def leave(self, link: Link) -> None:
        """A connection has gone: nothing is composed for it any more, and its session waits."""
        self._links.discard(link)
        entry = self._entries.get(link.name)
        if entry is not None and entry.link is link:
            if not entry.started:
                self._forget(link.name)
                return
            entry.link, entry.left_at = None, self._now
            entry.worker.tell("connect", link.name, (False,))

    def sent(self, link: Link) -> None:
        """Something has been sent: a reader that was behind may have caught up."""
        if link.behind and link.outbox.qsize() < CONGESTED // 4 and (entry := self._entries.get(link.name)):
            link.behind = False
            entry.worker.tell("congest", link.name, (False,))

    # -- how -----------------------------------------------------------------------------------------------------

    def _named(self, link: Link, text: str) -> bool:
        """Give a connection its session; whether there is one."""
        wanted = _resumed(text)
        if wanted is not None:
            entry = self._entries.get(wanted)
            if entry is None:
                link.close(UNKNOWN, "this session is not known any more; start a new one")
                return False
            if entry.link is not None:
                entry.link.close(TAKEN, "another page has taken up this session")
            link.name, entry.link, entry.stale = wanted, link, entry.stale + 1
            entry.worker.tell("connect", wanted, (True,))
            return True
        if not self._crew or not self._made_room():
            link.close(FULL, "the studio is full, or not ready; try again in a minute")
            return False
        link.name = secrets.token_urlsafe(16)
        busy = [entry.worker for entry in self._entries.values()]
        worker = min(self._crew, key=busy.count)
        self._entries[link.name] = _Entry(worker, link)
        return True

    def _made_room(self) -> bool:
        """Whether a session can begin; where there are too many, that one ends whose page has been away longest."""
        if len(self._entries) < self._most:
            return True
        away = [(entry.left_at, name) for name, entry in self._entries.items() if entry.link is None]
        if not away:
            return False
        self._forget(min(away)[1])
        return True

    def _forget(self, name: str) -> None:
        self._entries.pop(name).worker.tell("forget", name)

    def _deliver(self, worker: Worker, report: Report) -> None:
        kind, name, what = report
        if kind == "gone":
            self._replace(worker)
            return
        self._heard_of.add(worker)
        entry = self._entries.get(name)
        if entry is None:
            return
        if kind in ("garbage", "broken"):
            self._close(entry, GARBAGE if kind == "garbage" else BROKEN, str(what))
            self._forget(name)
            return
        if kind == "connected":
            entry.stale -= 1
            return
        entry.started = entry.started or any(text.startswith(STARTED) for text in what)
        link = entry.link
        if link is None or entry.stale:
            return
        for text in what:
            link.outbox.put_nowait(text)
        if kind == "answer":
            link.outbox.put_nowait(None)
        if not link.behind and link.outbox.qsize() > CONGESTED:
            link.behind = True
            worker.tell("congest", name, (True,))

    def _replace(self, worker: Worker) -> None:
        """A worker has died: its sessions are lost, and another takes its place, later if it had said nothing yet."""
        if worker not in self._crew or self._loop is None:
            return
        self._crew.remove(worker)
        self._fell = 0 if worker in self._heard_of else self._fell + 1
        self._heard_of.discard(worker)
        pause = min(2.0 ** (self._fell - 1), PAUSE) if self._fell else 0.0
        if pause:
            log.error("a composing process ended before it did anything; another begins in %g s", pause)
        self._loop.call_later(pause, self._hire)
        for name, entry in list(self._entries.items()):
            if entry.worker is worker:
                self._close(entry, BROKEN, "the composing process broke off; start again")
                del self._entries[name]

    @staticmethod
    def _close(entry: _Entry, code: int, reason: str) -> None:
        if entry.link is not None:
            entry.link.close(code, reason)


def _resumed(text: str) -> str | None:
    """The session that a first message takes up again; None if it begins one."""
    if len(text) > 500 or "resume_session" not in text:
        return None
    try:
        return ResumeSession.model_validate_json(text).id
    except ValidationError:
        return None
