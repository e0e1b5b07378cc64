"""Workers that compose while the server serves: an engine each, in a process of its own.

The server's event loop never waits for music: what is for a worker goes through a thread that writes, what comes from
one through a thread that reads. A worker that dies takes its sessions with it and is started anew.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

__all__ = ["Report", "Worker", "work"]

Order = tuple[str, str, Any]  # to a worker: what to do, for which session, with what


class Report(NamedTuple):
    """What a worker says, mostly to a page.

    Attributes
    ----------
    kind  "answer" to a message, "told" without one; "connected": what was said before is for an earlier page; or the
          session has ended: "garbage" came, or it is "broken"; "gone": the worker has died.
    name  of the session.
    what  texts to send; of an end, its reason.
    """

    kind: str
    name: str
    what: list[str] | str


def work_apart(pipe: Connection, warm: tuple[str, ...] = ()) -> None:
    """:func:`work` in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its workers
    work(pipe, warm)


def work(pipe: Connection, warm: tuple[str, ...] = ()) -> None:
    """A worker's life: do what it is told, and compose in between; it ends when the pipe is closed."""
    from kantor.studio import shelf
    from kantor.studio.engine import Engine

    engine, cold = Engine(), [name for name in warm if name in shelf.names()]
    try:
        while True:
            busy = engine.busy
            while pipe.poll(0 if busy or cold else None):
                kind, name, what = pipe.recv()
                if kind == "stop":
                    return
                if report := getattr(engine, kind)(name, *what):
                    pipe.send(report)
                busy = True
            made = engine.work()
            for told in made:
                if told.what:
                    pipe.send(told)
            if not made and cold:
                shelf.runtime_of(shelf.model_named(cold.pop(0)))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return


class Worker:
    """One worker, seen from the server.

    Parameters
    ----------
    report  called, in a thread of its own, with whatever the worker says; with ("gone", "", None) when it has died.
    thread  whether it is a thread rather than a process: for tests.
    """

    def __init__(
        self, report: Callable[[Worker, Report], None], warm: tuple[str, ...] = (), *, thread: bool = False
    ) -> None:
        self._report, self._orders = report, queue.SimpleQueue[Order | None]()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._theirs = theirs if thread else None
        kind: Any = threading.Thread if thread else context.Process
        self._life = kind(target=work if thread else work_apart, args=(theirs, warm), daemon=True)
        self._life.start()
        if not thread:
            theirs.close()
        threading.Thread(target=self._read, daemon=True).start()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def tell(self, kind: str, name: str, what: Any = ()) -> None:
        """Have something done; returns at once."""
        self._orders.put((kind, name, what))

    def stop(self) -> None:
        """End it."""
        self._orders.put(("stop", "", ()))
        self._orders.put(None)
        self._life.join(timeout=5)
        if self._life.is_alive() and hasattr(self._life, "terminate"):
            self._life.terminate()
        self._pipe.close()

    def _read(self) -> None:
        try:
            while True:
                self._report(self, self._pipe.recv())
        except (EOFError, OSError, TypeError, RuntimeError):  # it has ended, or the server has
            self._orders.put(None)  # nobody is there to be told
            self._report(self, Report("gone", "", ""))

    def _write(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                self._pipe.send(order)
            except OSError:
                return
