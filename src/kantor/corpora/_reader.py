"""Reads files of music21's corpus, sharing them among processes where there are several processors.

The processes are fresh interpreters that run this module as a program, not children by :mod:`multiprocessing`: those
would run the user's script again, and ask it for an ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kantor import io
from kantor.corpora._store import read_scores, write_scores
from kantor.errors import FileFormatError
from kantor.score import Score

__all__ = ["main", "read_files"]

_PROCESSES = 4  # each spends two seconds on importing music21: more gain nothing


def read_files(folder: Path, names: list[str], advance: Callable[[], None]) -> dict[str, Score]:
    """The scores in the files ``names`` of ``folder``, in that order; ``advance`` is called after each."""
    try:
        read = _read_in_processes(folder, names, advance)
    except (OSError, subprocess.SubprocessError, FileFormatError):
        read = {}  # no processes here: one after the other, in this one
        for name in names:
            read[name] = io.load(folder / name)
            advance()
    return {name: read[name] for name in names}


def _read_in_processes(folder: Path, names: list[str], advance: Callable[[], None]) -> dict[str, Score]:
    count = min(_PROCESSES, _processors())
    if count < 2 or not sys.executable or hasattr(sys, "frozen"):
        raise OSError("no processes to share the work")
    with tempfile.TemporaryDirectory(prefix="kantor-") as place:
        shares = {Path(place) / f"{i}.npz": names[i::count] for i in range(count)}
        with _running([[str(out), str(folder), *share] for out, share in shares.items()]) as lines:
            for _ in lines:
                advance()
        return {name: score for out in shares for name, score in read_scores(out).items()}


@contextmanager
def _running(arguments: list[list[str]]) -> Iterator[Iterator[str]]:
    """One process of this module for each list of arguments; what they say comes line by line, in one stream."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", "-m", "kantor.corpora._reader"]
    inlet, outlet = os.pipe()
    readers: list[subprocess.Popen[bytes]] = []
    with os.fdopen(inlet, encoding="utf-8") as lines:
        try:
            with os.fdopen(outlet, "wb") as said:
                for given in arguments:
                    call = [*command, *given]
                    readers.append(subprocess.Popen(call, stdout=said, stderr=subprocess.DEVNULL, env=environment))
            yield lines
        except BaseException:
            for process in readers:
                process.kill()
            raise
        finally:
            statuses = [process.wait() for process in readers]
    if any(statuses):
        raise subprocess.SubprocessError("a reader failed")


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main(out: str, folder: str, *names: str) -> None:
    """Read ``names`` in ``folder`` into the file ``out``, and say each name on stdout when it is done."""
    scores = {}
    for name in names:
        scores[name] = io.load(Path(folder) / name)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
    write_scores(Path(out), scores)


if __name__ == "__main__":
    main(*sys.argv[1:])
