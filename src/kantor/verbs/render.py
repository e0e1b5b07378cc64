"""``kantor render``: a file of music -> sound, pages, pictures, other formats; the suffix says what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kantor import io
from kantor.score import Score
from kantor.verbs.outputs import check, write

__all__ = ["render"]


def render(
    source: str | Path | Score, outputs: Sequence[str | Path], *, force: bool = False, **options: Any
) -> list[Path]:
    """Write ``source`` as each of ``outputs``; ``options`` are ``soundfont``, ``instrument`` and ``sample_rate``.

    Files that are there already are replaced only with ``force``; the source never is.

    Raises
    ------
    FileFormatError
        If the source cannot be read.
    OptionError, OutputError
        If an output cannot be written, or is there already.
    """
    check(outputs, source=None if isinstance(source, Score) else source, force=force, **options)
    score = source if isinstance(source, Score) else io.load(source)
    return write(score, outputs, **options)
