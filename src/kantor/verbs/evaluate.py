"""``kantor evaluate``: how likely a model finds music it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kantor import bundle as bundles
from kantor.bundle import Bundle
from kantor.errors import InputError, ScoreError
from kantor.evaluation.likelihood import Likelihood, likelihood
from kantor.runtime import Runtime
from kantor.score import Score
from kantor.verbs._sources import source

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
    scores: list[Score] = []
    refused: list[str] = []
    for piece in pieces:
        try:
            scores.append(opened.representation.canonical(piece.score))
        except ScoreError as error:
            refused.append(f"{piece.name} is left out: {error}")
    if not scores:
        raise InputError(
            f"expected a piece that fits the model '{opened.name}', none of {len(pieces)} does; {refused[0]}"
        )

    def report(done: int) -> None:
        advance(done, len(scores))

    return likelihood(Runtime(opened, threads=0), opened.representation, scores, protocol, report), tuple(refused)
