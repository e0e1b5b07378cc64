"""The server's side of live sessions: who is connected to what, who waits to come again, and when it is full.

A :class:`Link` is a connection, a name is a session; a session outlives its links by :data:`KEEP` seconds. Everything
here runs on the event loop; music is made by the workers (:mod:`kantor.studio.crew`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from kantor.studio.crew import Report, Worker
from kantor.studio.messages import ResumeSession

__all__ = ["CONGESTED", "KEEP", "MOST", "Hub", "Link"]

MOST = 1000  # sessions, those that wait for their page to come again among them
KEEP = 600.0  # seconds that a session waits
CONGESTED = 64  # texts that a reader may be behind
IN_FLIGHT = 8  # messages of one page that wait for their answers to be sent

GARBAGE, UNKNOWN, TAKEN, BROKEN = 4400, 4404, 4409, 1011


@dataclass(eq=False)
class Link:
    """A connection: what is to be sent, and whether it is to be closed.

    Attributes
    ----------
    outbox  texts in order; a pair (code, reason) closes it; None says that an answer is complete.
    room    how many more messages may be taken in before an answer has been sent.
    """

    outbox: asyncio.Queue[str | tuple[int, str] | None] = field(default_factory=asyncio.Queue)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT))
    name: str = ""
    behind: bool = False


@dataclass(eq=False)
class _Entry:
    worker: Worker
    link: Link | None
    left_at: float = 0.0
    stale: int = 0  # pages that came again and are not yet known to the worker: what it says is for the one before


class Hub:
    """All sessions of a server.

    Parameters
    ----------
    workers  how many processes compose.
    threads  whether they are threads rather: for tests.
    most     sessions at a time.
    keep     seconds that a session waits for its page.
    warm     models to load before anybody asks.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        threads: bool = False,
        most: int = MOST,
        keep: float = KEEP,
        warm: Sequence[str] = (),
    ) -> None:
        self._count, self._threads, self._most, self.keep, self._warm = workers, threads, most, keep, tuple(warm)
        self._links: set[Link] = set()
        self._entries: dict[str, _Entry] = {}
        self._crew: list[Worker] = []
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

    def _hired(self) -> Worker:
        return Worker(self._heard, self._warm, thread=self._threads)

    def _heard(self, worker: Worker, report: Report) -> None:
        """In a worker's thread: hand on what it says."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._deliver, worker, report)

    def expire(self) -> None:
        """Forget the sessions whose pages have not come again."""
        assert self._loop is not None
        now = self._loop.time()
        for name, entry in list(self._entries.items()):
            if entry.link is None and now - entry.left_at >= self.keep:
                self._forget(name)

    # -- sessions ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def room(self) -> int:
        """How many more sessions can begin; a connection that has none yet counts as one."""
        waiting = sum(not link.name for link in self._links)
        return max(self._most - len(self._entries) - waiting, 0)

    @property
    def full(self) -> bool:
        """Whether no session can begin."""
        return not self.room

    def come(self, link: Link) -> None:
        """A connection has come."""
        self._links.add(link)

    def knows(self, name: str) -> bool:
        """Whether there is such a session."""
        return name in self._entries

    def receive(self, link: Link, text: str) -> None:
        """Take a message of a page in; its first says whether a session begins or goes on."""
        if not link.name and not self._named(link, text):
            return
        self._entries[link.name].worker.tell("receive", link.name, (text,))

    def leave(self, link: Link) -> None:
        """A connection has gone: nothing is composed for it any more, and its session waits."""
        self._links.discard(link)
        entry = self._entries.get(link.name)
        if entry is not None and entry.link is link:
            assert self._loop is not None
            entry.link, entry.left_at = None, self._loop.time()
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
                link.outbox.put_nowait((UNKNOWN, "this session is not known any more; start a new one"))
                return False
            if entry.link is not None:
                entry.link.outbox.put_nowait((TAKEN, "another page has taken up this session"))
                entry.link.name = ""
            link.name, entry.link, entry.stale = wanted, link, entry.stale + 1
            entry.worker.tell("connect", wanted, (True,))
            return True
        if len(self._entries) >= self._most or not self._crew:
            link.outbox.put_nowait((1013, "the studio is full; try again in a minute"))
            return False
        link.name = secrets.token_urlsafe(16)
        busy = [entry.worker for entry in self._entries.values()]
        worker = min(self._crew, key=busy.count)
        self._entries[link.name] = _Entry(worker, link)
        return True

    def _forget(self, name: str) -> None:
        self._entries.pop(name).worker.tell("forget", name)

    def _deliver(self, worker: Worker, report: Report) -> None:
        kind, name, what = report
        if kind == "gone":
            self._replace(worker)
            return
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
        """A worker has died: its sessions are lost, and another takes its place."""
        if worker not in self._crew or self._loop is None:
            return
        self._crew[self._crew.index(worker)] = self._hired()
        for name, entry in list(self._entries.items()):
            if entry.worker is worker:
                self._close(entry, BROKEN, "the composing process broke off; start again")
                del self._entries[name]

    @staticmethod
    def _close(entry: _Entry, code: int, reason: str) -> None:
        if entry.link is not None:
            entry.link.name = ""
            entry.link.outbox.put_nowait((code, reason))


def _resumed(text: str) -> str | None:
    """The session that a first message takes up again; None if it begins one."""
    if len(text) > 500 or "resume_session" not in text:
        return None
    try:
        return ResumeSession.model_validate_json(text).id
    except ValidationError:
        return None
