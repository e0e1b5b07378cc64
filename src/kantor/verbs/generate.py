"""``kantor generate``: a piece from nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import kantor
from kantor import bundle as bundles
from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.sampling.filters import Filters
from kantor.verbs._compose import Take, compose, randoms
from kantor.verbs._plans import plan
from kantor.verbs.piece import Piece, recipe_text

__all__ = ["DEFAULT_MODEL", "finish", "generate", "seeded"]

DEFAULT_MODEL = "chorale"
NO_CADENCE = "no ending on the tonic was found; another seed or a lower temperature may"


def generate(
    model: str | Path | Bundle = DEFAULT_MODEL,
    *,
    bars: int = 16,
    key: str | None = None,
    meter: str | None = None,
    pickup: float | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    min_p: float = 0.0,
    seed: int | None = None,
    count: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Piece]:
    """Compose ``count`` pieces, in one batched pass where they share a plan.

    Parameters
    ----------
    model        a shipped model's name, a model folder, or an opened bundle.
    bars         how many, beside a pickup.
    key          "Gm", "D major" ...; drawn from the corpus unless given, and so are
    meter        "3/4" and
    pickup       beats before the first full bar.
    temperature, top_k, top_p, min_p   see :class:`kantor.sampling.filters.Filters`.
    seed         equal seeds, equal pieces; drawn unless given.
    count        pieces, >= 1; they differ in everything that is drawn.
    advance      told how many of all steps are decided, as a share of 1000.

    Raises
    ------
    OptionError, BundleError
        For what is out of range, or a model that cannot be used.
    """
    filters = Filters(temperature, top_k, top_p, min_p)
    if count < 1:
        raise OptionError(f"expected a count of at least 1, got {count}.")
    opened = model if isinstance(model, Bundle) else bundles.load(model)
    seed = seeded(seed)
    plans = [plan(opened, bars, key, meter, pickup, randoms(seed, take, 1)) for take in range(count)]
    options = {"bars": bars, "key": key, "meter": meter, "pickup": pickup, **asdict(filters)}
    # Takes of one plan are decided in one pass; plans differ where key or meter are drawn.
    groups: list[list[int]] = []
    for take in range(count):
        same = next((group for group in groups if plans[group[0]] == plans[take]), None)
        groups.append([take]) if same is None else same.append(take)
    pieces: dict[int, Piece] = {}
    total = sum(opened.representation.length(plans[group[0]]) for group in groups)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        advance(min(1000 * steps // max(total, 1), 1000))

    for group in groups:
        shared = plans[group[0]]
        for take, done in zip(group, compose(opened, shared, seed, group, filters=filters, advance=step), strict=True):
            recipe = {"verb": "generate", "seed": seed, "take": take, "options": options}
            pieces[take] = finish(opened, opened.representation.decode(done.values, shared), done, recipe)
    return [pieces[take] for take in range(count)]


def seeded(seed: int | None) -> int:
    """The seed given, or a fresh one short enough to be typed again."""
    if seed is None:
        return secrets.randbelow(1_000_000)
    if seed < 0:
        raise OptionError(f"expected a seed of 0 or more, got {seed}.")
    return seed


def finish(opened: Bundle, score: Any, done: Take, recipe: dict[str, Any]) -> Piece:
    """The piece of a take, with its recipe written into its score."""
    recipe = {"kantor": kantor.__version__, "model": opened.name, "hash": opened.hash, **recipe}
    remarks = () if done.cadence else (NO_CADENCE,)
    mean = float(done.nats.mean()) if len(done.nats) else 0.0
    return Piece(score.replace(recipe=recipe_text(recipe)), recipe, mean, len(done.nats), remarks)
