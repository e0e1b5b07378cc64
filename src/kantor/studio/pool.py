"""Where the REST routes' work is done: processes beside the server, so that sockets never wait for it.

Bodies go there as they came and are read there: to parse ten megabytes takes the interpreter for half a second, and
that long no note would be sent. Errors of Kantor's come back as a status and a sentence. What falls takes its process
with it, and what takes too long is ended with its process; the other process, and the next request, know nothing of it.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

__all__ = ["DEADLINE", "DESK", "Pool", "Refused", "Sent", "as_json", "misshapen", "run"]

WAITING = 64  # requests at a time
LATER = 3.0  # seconds
DEADLINE = 120.0  # seconds that a request may take
NICE = 10  # live notes come first
DESK = "kantor.studio.desk"
BUSY = "the studio is busy; try again in a few seconds"
FELL = "the process that worked on this broke off; try again, or with less music"
DEFECT = "a defect of Kantor's own ended this request; what it was is in the server's log"
log = logging.getLogger("kantor.studio")


class Refused(NamedTuple):
    """What was not done: an HTTP status, and why, in one sentence."""

    status: int
    text: str


class Sent(NamedTuple):
    """A body as it came: JSON that is to be one of :mod:`kantor.studio.bodies`, by its name."""

    shape: str
    text: bytes


def run(desk: str, name: str, arguments: tuple[Any, ...]) -> Any:
    """The answer of a function of the desk, as JSON where it is a model, or why there is none."""
    from kantor.errors import KantorError, UnknownNameError

    try:
        read = [_shape(one.shape).validate_json(one.text) if isinstance(one, Sent) else one for one in arguments]
        return as_json(getattr(importlib.import_module(desk), name)(*read))
    except ValidationError as error:
        return Refused(422, misshapen(error.errors(include_url=False, include_context=False, include_input=False)))
    except UnknownNameError as error:
        return Refused(404 if str(error).startswith("no model") else 400, str(error))
    except KantorError as error:
        return Refused(400, str(error))
    except MemoryError:
        return Refused(413, "expected a request that fits in this machine's memory, got a larger one; try fewer bars.")
    except Exception:
        log.exception("%s", name)
        return Refused(500, DEFECT)


@cache
def _shape(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(importlib.import_module("kantor.studio.bodies"), name))


def misshapen(errors: Any) -> str:
    """What is wrong with the shape of a request, in one sentence: the first of pydantic's ``errors``."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")[:120] or "the body"
    return f"expected what /docs shows, got {where}: {first['msg'][:300]}"


def as_json(answer: Any) -> Any:
    """Models as the bytes that are sent, made here so that the server has no work with them."""
    if isinstance(answer, list):
        return b"[" + b",".join(one.model_dump_json().encode() for one in answer) + b"]"
    return answer.model_dump_json().encode() if hasattr(answer, "model_dump_json") else answer


def serve(pipe: Connection, desk: str) -> None:
    """A clerk's life: one request after another, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its clerks
    if hasattr(os, "nice"):
        os.nice(NICE)
    try:
        while True:
            pipe.send(run(desk, *pipe.recv()))
    except (EOFError, OSError):
        return


class _Clerk:
    """A process that does one thing at a time, and can be ended in the middle of it."""

    def __init__(self, desk: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._life = context.Process(target=serve, args=(theirs, desk), daemon=True)
        self._life.start()
        theirs.close()

    @property
    def alive(self) -> bool:
        return self._life.is_alive()

    def ask(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """Its answer; EOFError or OSError if it ends before."""
        self._pipe.send((name, arguments))
        return self._pipe.recv()

    def end(self) -> None:
        """End it, done or not: whoever waits for its answer learns of it at once."""
        self._life.kill()


class Pool:
    """Processes that work, or threads: for tests.

    Parameters
    ----------
    workers   how many, at most.
    deadline  seconds that a request may take: as long may it wait for its turn, and as long be worked on.
    desk      the module whose functions are asked for.
    """

    def __init__(
        self, workers: int = 1, *, threads: bool = False, deadline: float = DEADLINE, desk: str = DESK
    ) -> None:
        self.deadline, self._threads, self._desk = deadline, threads, desk
        self._room = asyncio.Semaphore(workers)
        self._executor = ThreadPoolExecutor(workers)
        self._idle: list[_Clerk] = []
        self._busy: dict[_Clerk, float] = {}  # since when
        self._late: set[_Clerk] = set()
        self._waiting, self._ended = 0, False

    async def warm(self) -> None:
        """Have it ready before anybody asks, and after the workers that compose."""
        await asyncio.sleep(LATER)
        await self.run("ready")

    async def run(self, name: str, *arguments: Any) -> Any:
        """The answer of a function of the desk, or a :class:`Refused`."""
        if self._waiting >= WAITING or self._ended:
            return Refused(503, BUSY)
        self._waiting += 1
        try:
            await asyncio.wait_for(self._room.acquire(), self.deadline)
            try:
                return await self._asked(name, arguments)
            finally:
                self._room.release()
        except TimeoutError:
            return Refused(503, BUSY)
        finally:
            self._waiting -= 1

    def expire(self, now: float | None = None) -> None:
        """End whatever is beyond its deadline; it is asked every few seconds."""
        now = asyncio.get_running_loop().time() if now is None else now
        for clerk, since in self._busy.items():
            if now - since >= self.deadline:
                self._late.add(clerk)
                clerk.end()

    def stop(self) -> None:
        """End it, done or not."""
        self._ended = True
        for clerk in (*self._busy, *self._idle):
            clerk.end()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if self._threads:
            return await self._threaded(run, self._desk, name, arguments)
        if self._ended:
            return Refused(503, BUSY)
        clerk = await self._clerk()
        self._busy[clerk] = asyncio.get_running_loop().time()
        try:
            answer = await self._threaded(clerk.ask, name, arguments)
        except BaseException as error:
            clerk.end()
            if not isinstance(error, EOFError | OSError):
                raise
            return Refused(503, self._too_long if clerk in self._late else FELL)
        finally:
            del self._busy[clerk]
            self._late.discard(clerk)
        self._idle.append(clerk)
        return answer

    async def _clerk(self) -> _Clerk:
        while self._idle:
            if (clerk := self._idle.pop()).alive:
                return clerk
        found: _Clerk = await self._threaded(_Clerk, self._desk)
        if self._ended:  # while it began
            found.end()
        return found

    @property
    def _too_long(self) -> str:
        return f"expected work of {self.deadline:g} s at most, got more; try fewer bars, or the command line"

    async def _threaded(self, does: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, does, *arguments)
