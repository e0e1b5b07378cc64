"""``kantor generate``: a piece from nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import kantor
from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.sampling.filters import Filters
from kantor.score import Key, Score, Tempo
from kantor.theory import parse_key, parse_meter
from kantor.verbs._amounts import amount, check_playing
from kantor.verbs._compose import PLAN, Take, compose, randoms
from kantor.verbs._models import opened
from kantor.verbs._plans import TEMPO, check_amounts, opening, plan
from kantor.verbs.piece import Piece, recipe_text

__all__ = ["DEFAULT_MODEL", "drawing", "finish", "generate", "playing", "seeded", "thousandths"]

DEFAULT_MODEL = "chorale"
NO_CADENCE = "no ending on the tonic was found; another seed may find one"
SILENT = "nothing sounds in it; another seed, or a higher temperature, may help"


def generate(
    model: str | Path | Bundle = DEFAULT_MODEL,
    *,
    bars: int | None = None,
    notes: int | None = None,
    seconds: float | None = None,
    prompt: str | Path | Score | None = None,
    prompt_notes: int | None = None,
    key: str | None = None,
    in_key: bool = False,
    meter: str | None = None,
    pickup: float | None = None,
    tempo: float | None = None,
    velocity: int | None = None,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int | None = None,
    count: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Piece]:
    """Compose ``count`` pieces, in one batched pass where they are equally long.

    Parameters
    ----------
    model        a shipped model's name, a model folder, or an opened bundle.
    bars, notes, seconds   how much, one of them; 16 bars (beside a pickup) unless given. A chorale takes whole bars.
    prompt       a file, a score or ``random:FOLDER`` to begin with, see :func:`kantor.verbs.continue_.continue_`.
    key          "Gm", "D major" ...; drawn from the corpus unless given, and so are
    meter        "3/4" and
    pickup       beats before the first full bar.
    in_key       hold the piece to the notes of its key, in minor with both sevenths; a model that knows no keys is
                 always held to those of ``key``.
    tempo        quarters a minute, 80 unless given.
    velocity     of all notes, 1..127; the model's own, or 80, unless given.
    temperature, top_k, top_p, min_p   see :class:`kantor.sampling.filters.Filters`; the model's own defaults unless
                 given.
    seed         equal seeds, equal pieces; drawn unless given.
    count        pieces, >= 1; they differ in everything that is drawn.
    advance      told how many thousandths of the work are done.

    Raises
    ------
    OptionError, BundleError, InputError
        For what is out of range, or a model or a prompt that cannot be used.
    """
    if prompt is not None:
        from kantor.verbs.continue_ import continue_

        _refuse_with_prompt(key=key, in_key=in_key or None, meter=meter, pickup=pickup)
        drawn = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
        extent = {"bars": bars, "notes": notes, "seconds": seconds, "prompt_notes": prompt_notes}
        shared = {"tempo": tempo, "velocity": velocity, "seed": seed, "count": count, "advance": advance}
        return continue_(prompt, model, **extent, **drawn, **shared)  # type: ignore[arg-type]
    bundle = opened(model)
    filters = drawing(bundle, temperature, top_k, top_p, min_p)
    check_amounts(bars or 1, count)
    check_playing(tempo, velocity)
    much = amount(bundle, bars, notes, seconds, 16)
    seed = seeded(seed)
    plans = {}
    for take in range(1, count + 1):
        _, drawn_meter, _ = opening(
            bundle,
            parse_key(key) if key else None,
            parse_meter(meter) if meter else None,
            pickup,
            randoms(seed, take, PLAN),
        )
        long = min(much.bars_of(drawn_meter, tempo or TEMPO), 100_000)
        planned = plan(bundle, long, key, meter, pickup, randoms(seed, take, PLAN))
        if not bundle.representation.closes:  # an ending takes whole bars
            planned = bundle.representation.plan(much.exactly(planned, 0, drawn_meter, tempo or TEMPO))
        plans[take] = playing(planned, tempo, None)
    asked = None if key is None else parse_key(key)
    if in_key and asked is None and not _knows(bundle, "key"):
        raise OptionError(f"expected --key beside --in-key for '{bundle.name}', which knows no keys of its own.")
    scales = {take: _scale(drawn, asked, in_key, _knows(bundle, "key")) for take, drawn in plans.items()}
    groups = _alike(plans, scales)
    options = {"bars": bars, "notes": notes, "seconds": seconds, "key": key, "in_key": in_key, "meter": meter}
    options |= {"pickup": pickup, "tempo": tempo, "velocity": velocity, **asdict(filters)}
    pieces = {}
    for number, group in enumerate(groups):
        first = next(iter(group))
        most, scale = much.most_notes(group[first]), scales[first]
        step = thousandths(advance, number / len(groups), 1 / len(groups))
        takes = compose(bundle, group, seed, filters=filters, notes=most, scale=scale, advance=step)
        for take, done in takes.items():
            recipe = {"verb": "generate", "seed": seed, "take": take, "options": options}
            score = bundle.representation.decode(done.values, group[take])
            score = _ended(score) if notes is not None else score
            remarks = unheard(bundle, meter)
            pieces[take] = finish(bundle, playing(score, None, velocity), done, recipe, remarks)
    return [pieces[take] for take in plans]


def _refuse_with_prompt(**given: Any) -> None:
    asked = [name for name, value in given.items() if value is not None]
    if asked:
        raise OptionError(f"expected no --{asked[0]} beside a prompt, which has its own; leave one of them out.")


def _knows(bundle: Bundle, condition: str) -> bool:
    return condition in {known.name for known in bundle.representation.conditions}


def _scale(drawn: Score, asked: Key | None, in_key: bool, knows: bool) -> Key | None:
    """The key to whose notes a piece is held, if any: its own, or the one asked for where the model knows none."""
    own = drawn.keys[0] if drawn.keys else asked
    return own if in_key or not knows else None


def _alike(plans: dict[int, Score], scales: dict[int, Key | None]) -> list[dict[int, Score]]:
    """The plans that one pass can serve together: equally long, and held to the same notes."""
    groups: dict[tuple[int, Key | None], dict[int, Score]] = {}
    for take, drawn in plans.items():
        groups.setdefault((drawn.length_ticks, scales[take]), {})[take] = drawn
    return list(groups.values())


def _ended(score: Score) -> Score:
    """The score up to the end of the bar in which its last note ends."""
    if not len(score):
        return score
    last = int((score.notes["onset"] + score.notes["duration"]).max())
    starts = score.bars["start"]
    after = starts[starts >= last]
    return score.cut(0, int(after[0]) if len(after) else score.length_ticks)


def drawing(
    bundle: Bundle, temperature: float | None, top_k: int | None, top_p: float | None, min_p: float | None
) -> Filters:
    """The filters asked for; what is not, as the model's card has it."""
    own = Filters(**bundle.card.get("sampling", {}))
    asked = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
    return replace(own, **{name: value for name, value in asked.items() if value is not None})  # type: ignore[arg-type]


def playing(score: Score, tempo: float | None, velocity: int | None) -> Score:
    """The score at another tempo throughout, or with another velocity throughout."""
    if tempo is not None:
        score = score.replace(tempi=(Tempo(0, float(tempo)),))
    if velocity is not None:
        notes = score.notes.copy()
        notes["velocity"] = velocity
        score = score.replace(notes=notes)
    return score


def thousandths(advance: Callable[[int], None], start: float = 0.0, share: float = 1.0) -> Callable[[float], None]:
    """A function to tell how far (0..1) a part of the work is, which tells ``advance`` thousandths of the whole."""
    return lambda done: advance(int(1000 * (start + share * done)))


def seeded(seed: int | None) -> int:
    """The seed given, or a fresh one short enough to be typed again."""
    if seed is None:
        return secrets.randbelow(1_000_000)
    if seed < 0:
        raise OptionError(f"expected a seed of 0 or more, got {seed}.")
    return seed


def unheard(bundle: Bundle, meter: str | None) -> tuple[str, ...]:
    """A remark where the model knows meters, and no training piece is in the one that was asked for."""
    heard = {row[2] for row in bundle.card.get("plans", [])}
    if meter is None or not _knows(bundle, "meter") or str(parse_meter(meter)) in heard:
        return ()
    return (
        f"'{bundle.name}' learned from no piece in {meter}: it knows how long such a bar is, not where its beats fall",
    )


def finish(bundle: Bundle, score: Score, done: Take, recipe: dict[str, Any], remarks: tuple[str, ...] = ()) -> Piece:
    """The piece of a take, with its recipe written into its score."""
    recipe = {"kantor": kantor.__version__, "model": bundle.name, "hash": bundle.hash, **recipe}
    remarks = remarks if done.cadence else (*remarks, NO_CADENCE)
    remarks = remarks if len(score) else (*remarks, SILENT)
    mean = float(done.nats.mean()) if len(done.nats) else 0.0
    return Piece(score.replace(recipe=recipe_text(recipe)), recipe, mean, len(done.nats), remarks)
