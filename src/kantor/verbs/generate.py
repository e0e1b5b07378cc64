"""``kantor generate``: a piece from nothing."""

from __future__ import annotations

import itertools
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
from kantor.score import Score
from kantor.theory import parse_meter
from kantor.verbs._compose import PLAN, Take, compose, randoms
from kantor.verbs._plans import check_amounts, plan
from kantor.verbs.piece import Piece, recipe_text

__all__ = ["DEFAULT_MODEL", "finish", "generate", "seeded", "stepping"]

DEFAULT_MODEL = "chorale"
NO_CADENCE = "no ending on the tonic was found; another seed may find one"


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
    """Compose ``count`` pieces, in one batched pass where they are equally long.

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
    advance      told how many thousandths of all steps are decided.

    Raises
    ------
    OptionError, BundleError
        For what is out of range, or a model that cannot be used.
    """
    filters = Filters(temperature, top_k, top_p, min_p)
    check_amounts(bars, count)
    opened = model if isinstance(model, Bundle) else bundles.load(model)
    seed = seeded(seed)
    plans = {take: plan(opened, bars, key, meter, pickup, randoms(seed, take, PLAN)) for take in range(1, count + 1)}
    groups = _by_length(plans)
    total = sum(opened.representation.length(next(iter(group.values()))) for group in groups)
    step = stepping(total, advance)
    options = {"bars": bars, "key": key, "meter": meter, "pickup": pickup, **asdict(filters)}
    pieces = {}
    for group in groups:
        for take, done in compose(opened, group, seed, filters=filters, advance=step).items():
            recipe = {"verb": "generate", "seed": seed, "take": take, "options": options}
            composed = opened.representation.decode(done.values, group[take])
            pieces[take] = finish(opened, composed, done, recipe, unheard(opened, meter))
    return [pieces[take] for take in plans]


def _by_length(plans: dict[int, Score]) -> list[dict[int, Score]]:
    """The plans that one pass can serve together."""
    groups: dict[int, dict[int, Score]] = {}
    for take, drawn in plans.items():
        groups.setdefault(drawn.length_ticks, {})[take] = drawn
    return list(groups.values())


def stepping(total: int, advance: Callable[[int], None]) -> Callable[[], None]:
    """A function to call at each of ``total`` steps, which tells ``advance`` how many thousandths are done."""
    steps = itertools.count(1)
    return lambda: advance(min(1000 * next(steps) // max(total, 1), 1000))


def seeded(seed: int | None) -> int:
    """The seed given, or a fresh one short enough to be typed again."""
    if seed is None:
        return secrets.randbelow(1_000_000)
    if seed < 0:
        raise OptionError(f"expected a seed of 0 or more, got {seed}.")
    return seed


def unheard(opened: Bundle, meter: str | None) -> tuple[str, ...]:
    """A remark where the model knows meters, and no training piece is in the one that was asked for."""
    known = {condition.name for condition in opened.representation.conditions}
    heard = {row[2] for row in opened.card.get("plans", [])}
    if meter is None or "meter" not in known or str(parse_meter(meter)) in heard:
        return ()
    return (
        f"'{opened.name}' learned from no piece in {meter}: it knows how long such a bar is, not where its beats fall",
    )


def finish(opened: Bundle, score: Score, done: Take, recipe: dict[str, Any], remarks: tuple[str, ...] = ()) -> Piece:
    """The piece of a take, with its recipe written into its score."""
    recipe = {"kantor": kantor.__version__, "model": opened.name, "hash": opened.hash, **recipe}
    remarks = remarks if done.cadence else (*remarks, NO_CADENCE)
    mean = float(done.nats.mean()) if len(done.nats) else 0.0
    return Piece(score.replace(recipe=recipe_text(recipe)), recipe, mean, len(done.nats), remarks)
