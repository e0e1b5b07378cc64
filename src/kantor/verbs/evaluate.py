"""``kantor evaluate``: how likely a model finds music it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kantor import bundle as bundles
from kantor.bundle import Bundle
from kantor.errors import InputError
from kantor.evaluation.likelihood import Likelihood, likelihood
from kantor.runtime import Runtime
from kantor.verbs._sources import fitting, source

__all__ = ["evaluate"]


def evaluate(
    model: str | Path | Bundle,
    *,
    corpus: str | None = None,
    data: str | Path | None = None,
    split: str = "valid",
    protocol: str = "whole",
    progress: bool = False,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Likelihood, tuple[str, ...]]:
    """Judge a model on a split of a corpus, or of a folder; the figures, and a line for each piece left out.

    Raises
    ------
    InputError
        If no piece of the split fits the model.
    UnknownNameError
        For a corpus, split or protocol that does not exist.
    """
    opened = model if isinstance(model, Bundle) else bundles.load(model)
    pieces = source(corpus, data, progress=progress).split(split)
    scores, others = fitting(pieces, opened.representation)
    refused = tuple(f"{name} is left out: {reason}" for name, reason in others)
    if not scores:
        raise InputError(
            f"expected a piece that fits the model '{opened.name}', none of {len(pieces)} does; {refused[0]}"
        )

    def report(done: int) -> None:
        advance(done, len(scores))

    return likelihood(Runtime(opened, threads=0), opened.representation, scores, protocol, report), refused
