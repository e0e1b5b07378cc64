"""Patience: a bar on stderr, once reading takes longer than a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["progress"]

_MOMENT_SECONDS = 1.0


@contextmanager
def progress(what: str, total: int, *, shown: bool = True) -> Iterator[Callable[[], None]]:
    """A function to call after each of ``total`` pieces of work; it draws nothing within the first second.

    Where stderr is no terminal there is one plain line instead of a bar.
    """
    began, done = time.monotonic(), 0
    draw: Callable[[int], None] | None = None
    with ExitStack() as stack:

        def advance() -> None:
            nonlocal done, draw
            done += 1
            if draw is None and shown and time.monotonic() - began > _MOMENT_SECONDS:
                draw = _open_bar(what, total, stack)
            if draw is not None:
                draw(done)

        yield advance


def _open_bar(what: str, total: int, stack: ExitStack) -> Callable[[int], None]:
    from rich.console import Console  # not before it is needed: reading from the cache takes no bar
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"{what} ({total}) ...", highlight=False)
        return lambda done: None
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=console, transient=True))
    task = bar.add_task(what, total=total)
    return lambda done: bar.update(task, completed=done)
