"""``kantor generate``: a piece from nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import kantor
from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.evaluation.novelty import Memory
from kantor.representations import cells_in
from kantor.rules import Rule
from kantor.rules.chords import Chords
from kantor.sampling.filters import Filters
from kantor.sampling.guard import Asked
from kantor.score import TICKS_PER_QUARTER, Key, Score, Tempo
from kantor.theory import is_tonic_triad, parse_key, parse_meter
from kantor.verbs._amounts import MAX_BARS, Amount, amount, check_playing
from kantor.verbs._compose import PLAN, Take, compose, randoms
from kantor.verbs._models import one_sided
from kantor.verbs._options import plain
from kantor.verbs._plans import TEMPO, check_amounts, opening, plan
from kantor.verbs._steering import Steering, steering
from kantor.verbs.piece import Piece, recipe_text

__all__ = ["DEFAULT_MODEL", "drawing", "finish", "generate", "numbered", "playing", "seeded", "thousandths"]

DEFAULT_MODEL = "chorale"
NO_CADENCE = "no ending on the tonic was found; another seed may find one"
SILENT = "nothing sounds in it"
SPARSE = ("polyphony", "density")  # rules that may leave no note


@plain
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
    rules: Sequence[str | Rule | Asked] = (),
    soft: Sequence[str] = (),
    chords: str | None = None,
    beam: int = 0,
    best_of: int = 1,
    novelty: bool = False,
    seed: int | None = None,
    count: int = 1,
    take: int | None = None,
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
    rules        hard rules beside the default ones, "no-direct", "in-key=Gm", or InKey("Gm") of :mod:`kantor.rules`;
                 "none" switches the default ones off. Those of a four-voice model are no-parallels, no-crossing and
                 range; see ``docs/rules.md``.
    soft         rules that cost nats instead: "stepwise=0.5".
    chords       given chords, "I V vi IV" or "C G Am F".
    beam         how many beginnings a beam search carries; notes are drawn where it is 0.
    best_of      how many tries each piece is the best of: by nats a note, faults and, with ``novelty``, what is copied.
    novelty      hold each piece against those that the model has learned from (:mod:`kantor.evaluation.novelty`).
    seed         equal seeds, equal pieces; drawn unless given.
    count        pieces, >= 1; they differ in everything that is drawn.
    take         in place of the first ``count`` takes: this one alone, from 1.
    advance      told how many thousandths of the work are done.

    Raises
    ------
    OptionError, BundleError, InputError
        For what is out of range, or a model or a prompt that cannot be used.
    """
    amounts: dict[str, Any] = {"bars": bars, "notes": notes, "seconds": seconds}
    begun: dict[str, Any] = {"key": key, "in_key": in_key, "meter": meter, "pickup": pickup}
    played: dict[str, Any] = {"tempo": tempo, "velocity": velocity}
    drawn: dict[str, Any] = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
    steered: dict[str, Any] = {
        "rules": rules,
        "soft": soft,
        "chords": chords,
        "beam": beam,
        "best_of": best_of,
        "novelty": novelty,
    }
    if prompt is not None:
        from kantor.verbs.continue_ import continue_

        _refuse_with_prompt(**begun)
        shared: dict[str, Any] = {
            "prompt_notes": prompt_notes,
            "seed": seed,
            "count": count,
            "take": take,
            "advance": advance,
        }
        return continue_(prompt, model, **amounts, **played, **drawn, **steered, **shared)
    if prompt_notes is not None:
        raise OptionError("expected a --prompt beside --prompt-notes, got none; name a file, or leave them out.")
    bundle = one_sided(model)
    filters, held = drawing(bundle, **drawn), steering(bundle, **steered)
    check_amounts(bars or 1, count)
    check_playing(**played)
    much = amount(bundle, **amounts, default=16)
    seed = seeded(seed)
    plans = {take: _plan(bundle, much, key, meter, pickup, tempo, (seed, take, PLAN)) for take in numbered(count, take)}
    scales = _scales(bundle, plans, key, in_key)
    takes = _composed(bundle, plans, scales, seed, filters, held, much, advance)
    recipe = {
        "verb": "generate",
        "seed": seed,
        "options": {**amounts, **begun, **played, **asdict(filters), **held.options},
    }
    remarks = unheard(bundle, meter)
    pieces = []
    for take, planned in plans.items():
        score = bundle.representation.decode(takes[take].values, planned)
        score = playing(_ended(score) if notes is not None else score, None, velocity)
        told = {"memory": held.memory, "held": held.rules}
        pieces.append(finish(bundle, score, takes[take], {**recipe, "take": take}, remarks, **told))  # type: ignore[arg-type]
    return pieces


def _plan(
    bundle: Bundle,
    much: Amount,
    key: str | None,
    meter: str | None,
    pickup: float | None,
    tempo: float | None,
    numbers: tuple[int, int, int],
) -> Score:
    """The plan of one take: drawn where nothing is asked for, and as long as it takes to hold so much."""
    wanted = (parse_key(key) if key else None, parse_meter(meter) if meter else None, pickup)
    _, drawn_meter, _ = opening(bundle, *wanted, randoms(*numbers))
    bars = min(much.bars_of(drawn_meter, tempo or TEMPO), MAX_BARS)
    planned = plan(bundle, bars, key, meter, pickup, randoms(*numbers))  # draws the same once more
    if not bundle.representation.closes:  # an ending takes whole bars
        planned = bundle.representation.plan(much.exactly(planned, 0, drawn_meter, tempo or TEMPO))
    return playing(planned, tempo, None)


def _scales(bundle: Bundle, plans: dict[int, Score], key: str | None, in_key: bool) -> dict[int, Key | None]:
    """The key to whose notes each take is held, if any: its own, or the one asked for where the model knows none."""
    asked, knows = None if key is None else parse_key(key), _knows(bundle, "key")
    if in_key and asked is None and not knows:
        raise OptionError(f"expected --key beside --in-key for '{bundle.name}', which knows no keys of its own.")
    own = {take: planned.keys[0] if planned.keys else asked for take, planned in plans.items()}
    return own if in_key or not knows else dict.fromkeys(plans)


def _composed(
    bundle: Bundle,
    plans: dict[int, Score],
    scales: dict[int, Key | None],
    seed: int,
    filters: Filters,
    held: Steering,
    much: Amount,
    advance: Callable[[int], None],
) -> dict[int, Take]:
    """The takes of all plans, by number; those that one pass can serve are decided together."""
    takes: dict[int, Take] = {}
    groups = _alike(plans, scales)
    for number, group in enumerate(groups):
        first, planned = next(iter(group.items()))
        step = thousandths(advance, number / len(groups), 1 / len(groups))
        options: dict[str, Any] = {"notes": much.most_notes(planned), "scale": scales[first], "advance": step}
        takes |= compose(bundle, group, seed, filters=filters, steering=held, **options)
    return takes


def _refuse_with_prompt(**given: Any) -> None:
    asked = [name for name, value in given.items() if value is not None and value is not False]
    if asked:
        raise OptionError(f"expected no --{asked[0]} beside a prompt, which has its own; leave one of them out.")


def _knows(bundle: Bundle, condition: str) -> bool:
    return condition in {known.name for known in bundle.representation.conditions}


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


def numbered(count: int, take: int | None) -> Sequence[int]:
    """The numbers of the takes: from 1 to ``count``, or the one that is asked for."""
    if take is not None and take < 1:
        raise OptionError(f"expected a take of 1 or more, got {take}.")
    return range(1, count + 1) if take is None else (take,)


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


def advice(rules: Sequence[Asked]) -> str:
    """What may help where nothing sounds: to loosen a hard rule that may be why, else another seed."""
    sparse = [f"--rule {one}" for one in rules if one.name in SPARSE and one.weight is None]
    if sparse:
        return f"{' and '.join(sparse)} may leave no note, try a larger number"
    return "another seed, or a higher temperature, may help"


def _may_close(bundle: Bundle, score: Score, rules: Sequence[Asked]) -> bool:
    """Whether an ending on the tonic can be looked for: not of chance, nor where given chords end elsewhere."""
    if str(bundle.card.get("name", "")).partition(":")[0] == "random":
        return False
    score = score.at(TICKS_PER_QUARTER)
    asked = [
        one.rule.bound(score, bundle.representation.step) for one in rules if one.name == "chords" and not one.weight
    ]
    for rule in asked:
        assert isinstance(rule, Chords)
        assert rule.begins is not None
        last = rule.wanted[rule.begins[rule.moments[-1]] - 1]
        if score.keys and not is_tonic_triad((last.bass, *(12 + note for note in last.classes)), score.keys[-1]):
            return False
    return True


def finish(
    bundle: Bundle,
    score: Score,
    done: Take,
    recipe: dict[str, Any],
    remarks: tuple[str, ...] = (),
    given: int = 0,
    memory: Memory | None = None,
    added: Score | None = None,
    cells: int | None = None,
    held: Sequence[Asked] = (),
) -> Piece:
    """The piece of a take, with its recipe written into its score; ``given`` of its notes were not composed.

    ``held`` are the rules it was held to. ``cells`` says how many were decided where steps were not decided as a whole.
    """
    recipe = {"kantor": kantor.__version__, "model": bundle.name, "hash": bundle.hash, **recipe}
    remarks = remarks if done.cadence or not _may_close(bundle, score, held) else (*remarks, NO_CADENCE)
    remarks = remarks if len(score) else (*remarks, f"{SILENT}; {advice(held)}")
    # What `kantor evaluate` divides by: cells on the grid of a chorale, elsewhere notes that sound.
    cells = cells_in(bundle.representation, len(done.nats)) if cells is None else cells
    decided = cells or len(score) - given
    copied = memory.copied(score if added is None else added) if memory else None
    mean, cost = (float(nats.sum()) / decided if decided else 0.0 for nats in (done.nats, done.cost))
    return Piece(
        score.replace(recipe=recipe_text(recipe)), recipe, mean, decided, remarks, cost, done.dead_ends, copied
    )
