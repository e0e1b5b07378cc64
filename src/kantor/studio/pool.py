"""Where the REST routes' work is done: a process beside the server, so that sockets never wait for it.

Errors of Kantor's come back as a status and a sentence. What falls takes its process with it, and the next request
begins another.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple

__all__ = ["Pool", "Refused", "as_json", "run"]

WAITING = 64  # requests at a time
LATER = 3.0  # seconds


class Refused(NamedTuple):
    """What was not done: an HTTP status, and why, in one sentence."""

    status: int
    text: str


def run(name: str, arguments: tuple[Any, ...]) -> Any:
    """The answer of a function of the desk, as JSON where it is a model, or why there is none."""
    from kantor.errors import KantorError, UnknownNameError

    try:
        return as_json(getattr(importlib.import_module("kantor.studio.desk"), name)(*arguments))
    except UnknownNameError as error:
        return Refused(404 if str(error).startswith("no model") else 400, str(error))
    except KantorError as error:
        return Refused(400, str(error))
    except MemoryError:
        return Refused(413, "expected a request that fits in this machine's memory, got a larger one; try fewer bars.")


def as_json(answer: Any) -> Any:
    """Models as the bytes that are sent, made here so that the server has no work with them."""
    if isinstance(answer, list):
        return b"[" + b",".join(one.model_dump_json().encode() for one in answer) + b"]"
    return answer.model_dump_json().encode() if hasattr(answer, "model_dump_json") else answer


class Pool:
    """A process that works, or a thread: for tests.

    Parameters
    ----------
    workers  how many, at most.
    """

    def __init__(self, workers: int = 1, *, threads: bool = False) -> None:
        self._count, self._threads = workers, threads
        self._executor: Executor | None = None
        self._waiting = 0

    def _made(self) -> Executor:
        if self._threads:
            return ThreadPoolExecutor(self._count)
        return ProcessPoolExecutor(self._count, mp_context=multiprocessing.get_context("spawn"))

    async def warm(self) -> None:
        """Have it ready before anybody asks, and after the workers that compose."""
        await asyncio.sleep(LATER)
        await self.run("ready")

    async def run(self, name: str, *arguments: Any) -> Any:
        """The answer of a function of the desk, or a :class:`Refused`."""
        if self._waiting >= WAITING:
            return Refused(503, "the studio is busy; try again in a few seconds")
        executor = self._executor = self._executor or self._made()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, run, name, arguments)
        except BrokenProcessPool:
            if self._executor is executor:
                self._executor = None
            return Refused(503, "the process that worked on this broke off; try again, or with less music")
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        """End it, done or not."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
