"""``kantor evaluate``: how likely a model finds music it has not seen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kantor.bundle import Bundle
from kantor.corpora import Selection, select
from kantor.errors import InputError
from kantor.evaluation.likelihood import Likelihood, likelihood
from kantor.verbs._models import model_of, one_sided
from kantor.verbs._sources import fitting, source

__all__ = ["evaluate"]


def evaluate(
    model: str | Path | Bundle,
    *,
    corpus: str | None = None,
    data: str | Path | None = None,
    split: str = "valid",
    protocol: str = "whole",
    selection: Selection | None = None,
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
    music = functools.cache(lambda: source(corpus, data, progress=progress))
    bundle = one_sided(model, music)  # a floor counts the training split of the same music
    made = selection or Selection()
    # A model of one line is judged by one line, and so on, unless another choice is made.
    made = made if made.tracks else replace(made, tracks=bundle.card.get("tracks", ""))
    pieces = select(music(), made).split(split)
    scores, others = fitting(pieces, bundle.representation)
    refused = tuple(f"{name} is left out: {reason}" for name, reason in others)
    if not scores:
        raise InputError(
            f"expected a piece that fits the model '{bundle.name}', none of {len(pieces)} does; {refused[0]}"
        )

    def report(done: int) -> None:
        advance(done, len(scores))

    return likelihood(model_of(bundle, threads=0), bundle.representation, scores, protocol, report), refused
