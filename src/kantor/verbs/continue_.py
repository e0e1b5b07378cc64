"""``kantor continue``: a piece that begins as another does; the given music stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kantor.bundle import Bundle
from kantor.corpora import tracks_of
from kantor.errors import OptionError, ScoreError
from kantor.io.packing import pack_score
from kantor.representations import Encoding, Ids
from kantor.representations._voices import voices
from kantor.rules import Rule
from kantor.sampling.guard import Asked
from kantor.score import NOTE, Meter, Part, Score
from kantor.verbs._amounts import Amount, amount, check_playing
from kantor.verbs._compose import PLAN, compose, randoms
from kantor.verbs._models import one_sided
from kantor.verbs._options import plain
from kantor.verbs._plans import check_amounts, phrase_ends
from kantor.verbs._prompts import notes_in, passed_over, prompted
from kantor.verbs._steering import steering
from kantor.verbs.generate import DEFAULT_MODEL, drawing, finish, numbered, playing, seeded, thousandths
from kantor.verbs.piece import Piece

__all__ = ["continue_"]


@plain
def continue_(
    prompt: str | Path | Score,
    model: str | Path | Bundle = DEFAULT_MODEL,
    *,
    from_bar: int | None = None,
    prompt_notes: int | None = None,
    bars: int | None = None,
    notes: int | None = None,
    seconds: float | None = None,
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
    """Go on from a file or a score.

    Parameters
    ----------
    prompt    MIDI, MusicXML or grid CSV; a score; or ``random:FOLDER``, a fragment of any of its files.
    from_bar  the first bar to be composed, counted from 1 (a pickup is bar 0); what stood there is dropped.
              Unless given, the composition starts where the music ends.
    prompt_notes  so many notes of the prompt are taken, the first ones; all of a file unless given.
    bars, notes, seconds   how much is added, one of them; 8 bars unless given.
    tempo, velocity        of the whole, and of the notes that are added; the prompt's own tempo, and the model's
              velocities, unless given.
    The others are those of :func:`kantor.verbs.generate.generate`.

    Raises
    ------
    FileFormatError, ScoreError
        For a prompt that cannot be read, that has no notes, or that the model cannot carry.
    OptionError
        For what is out of range.
    """
    amounts: dict[str, Any] = {"bars": bars, "notes": notes, "seconds": seconds}
    played: dict[str, Any] = {"tempo": tempo, "velocity": velocity}
    bundle = one_sided(model)
    filters = drawing(bundle, temperature, top_k, top_p, min_p)
    held = steering(bundle, rules, soft, chords, beam, best_of, novelty)
    check_amounts(bars or 1, count)
    check_playing(**played)
    much = amount(bundle, **amounts, default=8)
    seed = seeded(seed)
    given = _given(prompt, prompt_notes, from_bar, seed)
    encoding = bundle.representation.encode(tracks_of(given, bundle.card.get("tracks", "")))
    whole = _planned(bundle, encoding.plan, much, tempo)
    options: dict[str, Any] = {"prompt": encoding.values, "notes": much.most_notes(whole)}
    options["since"] = encoding.plan.length_ticks
    plans = dict.fromkeys(numbered(count, take), whole)
    takes = compose(bundle, plans, seed, filters=filters, steering=held, advance=thousandths(advance), **options)
    asked = {"from_bar": from_bar, "prompt_notes": prompt_notes, **amounts, **played, **asdict(filters), **held.options}
    recipe = {"verb": "continue", "seed": seed, "options": asked, "prompt": pack_score(given.replace(recipe=""))}
    pieces = []
    for take, done in takes.items():
        added = playing(_added(bundle, encoding, done.values, whole), None, velocity)
        score = playing(_joined(bundle, given, whole, added, encoding.plan.length_ticks, much), tempo, None)
        pieces.append(
            finish(
                bundle,
                score,
                done,
                {**recipe, "take": take},
                (*_nearest(encoding), *passed_over(prompt)),
                len(given),
                held.memory,
                added,
                held=held.rules,
            )
        )
    return pieces


def _given(prompt: str | Path | Score, prompt_notes: int | None, from_bar: int | None, seed: int) -> Score:
    """The music to go on from, cut where the composition starts."""
    given = prompted(prompt, prompt_notes, randoms(seed, 0, PLAN))
    if not len(given):
        raise ScoreError(
            f"expected a prompt with notes, got {notes_in(given, prompt)}; `kantor generate` begins from nothing."
        )
    return given if from_bar is None else given.cut(0, _start_of(given, from_bar))


def _joined(bundle: Bundle, given: Score, whole: Score, added: Score, joint: int, much: Amount) -> Score:
    """The given music and the new as one piece: sung on by voices with an ending, played on by all other models."""
    if bundle.representation.closes:
        return _sung_on(given, whole, added, joint)
    return _played_on(given, whole, added, joint, _end(added, joint, much, whole))


def _planned(bundle: Bundle, plan: Score, much: Amount, tempo: float | None) -> Score:
    """The plan of the whole: of bars, or of as many seconds as were asked for where no ending takes whole bars."""
    meter = plan.meters[-1] if plan.meters else Meter(0, 4, 4)
    speed = tempo or (plan.tempi[-1].quarters_per_minute if plan.tempi else 120.0)
    whole = _extended(plan, min(much.bars_of(meter, speed), 100_000))
    if bundle.representation.closes:
        return whole
    return bundle.representation.plan(much.exactly(whole, plan.length_ticks, meter, speed))


def _nearest(encoding: Encoding) -> tuple[str, ...]:
    """A remark where the vocabulary lacks something of the prompt."""
    if not encoding.unknown:
        return ()
    return (
        f"{encoding.unknown} of {len(encoding)} events of the prompt are not in the model's vocabulary; "
        "it read the nearest it knows, and the music stands as it was",
    )


def _added(bundle: Bundle, encoding: Encoding, values: Ids, whole: Score) -> Score:
    """What was composed, on the plan of the whole, none of it before the joint."""
    representation, joint = bundle.representation, encoding.plan.length_ticks
    if representation.unit != "note":
        tail = representation.decode(values, whole).cut(joint, whole.length_ticks)
        notes = tail.notes.copy()
        notes["onset"] += joint
        return tail.replace(notes=notes, length_ticks=whole.length_ticks)
    # Decoded by itself, new music begins at 0; it goes on from where the prompt's time stood, but not into the prompt.
    new = representation.decode(values[len(encoding) :], whole)
    notes = new.notes.copy()
    notes["onset"] += max(encoding.moment, joint - int(notes["onset"].min(initial=joint)))
    notes = notes[notes["onset"] < whole.length_ticks]
    notes["duration"] = np.minimum(notes["duration"], whole.length_ticks - notes["onset"])
    return new.replace(notes=notes)


def _end(added: Score, joint: int, much: Amount, whole: Score) -> int:
    """Where the continued piece ends: as planned, or with its last note where notes were counted."""
    if much.notes is None:
        return whole.length_ticks
    return max(joint, int((added.notes["onset"] + added.notes["duration"]).max(initial=0)))


def _played_on(given: Score, whole: Score, added: Score, joint: int, end: int) -> Score:
    """The given notes as they were, then the new ones, at the given resolution: in its part if one alone plays."""
    scale = given.ticks_per_quarter / added.ticks_per_quarter
    notes = added.notes.copy()
    stop = np.rint((notes["onset"] + notes["duration"]) * scale)
    notes["onset"] = np.rint(notes["onset"] * scale)
    notes["duration"] = np.maximum(stop - notes["onset"], 1)
    own = np.unique(given.pitched["part"]).tolist()
    parts = given.parts
    if found := _same_parts(added, given):
        notes["part"] = np.array(found)[notes["part"]]
    elif len(own) == 1:
        notes["part"] = own[0]
    else:
        program = given.parts[own[0]].program if own else 0
        parts = (*given.parts, Part("continuation", program))
        notes["part"] = len(given.parts)
    together = np.concatenate([given.notes, notes]).astype(NOTE)
    last = int((together["onset"] + together["duration"]).max(initial=0))
    length = max(round(end * scale), given.length_ticks, last)
    barlines = (*given.barlines, *_later(whole.barlines, joint, scale)) if given.barlines else ()
    return given.replace(notes=together, parts=parts, length_ticks=length, barlines=barlines, recipe="")


def _start_of(score: Score, bar: int) -> int:
    starts = score.bars["start"][score.bars["offset"] == 0].tolist()
    if len(starts) < 2:
        raise OptionError(f"expected a piece of several bars for --from-bar, got one of {len(starts)}; leave it out.")
    if bar < 1 or bar > len(starts) or starts[bar - 1] == 0:
        raise OptionError(
            f"expected --from-bar between 2 and {len(starts)}, got {bar}; leave it out to go on after the end."
        )
    return int(starts[bar - 1])


def _extended(plan: Score, bars: int) -> Score:
    """The plan, longer by ``bars`` bars of its last meter; phrases go on where it has any."""
    meter = plan.meters[-1] if plan.meters else Meter(0, 4, 4)
    bar = plan.meter_ticks(meter)
    length = plan.length_ticks + bars * bar
    fermatas = plan.fermatas
    if fermatas:
        last = int(plan.bars["start"][-1])
        total = (length - last) // bar
        ends = (last + end for end in phrase_ends(total, meter, 0))
        fermatas = (*fermatas, *(end for end in ends if plan.length_ticks <= end < length))
    barlines = plan.barlines
    if barlines:
        last = int(plan.bars["start"][-1])
        barlines = (*barlines, *range(last + bar, length, bar))
    return plan.replace(length_ticks=length, fermatas=fermatas, barlines=barlines)


def _sung_on(given: Score, whole: Score, added: Score, joint: int) -> Score:
    """The given notes as they were, then the new ones, at the given resolution, each voice in its own part."""
    scale = given.ticks_per_quarter / whole.ticks_per_quarter
    notes = added.notes.copy()
    onset = notes["onset"]
    end = np.rint((onset + notes["duration"]) * scale)
    # Music that ends between two sixteenths may reach a little beyond its grid: the new notes wait for it.
    notes["onset"] = np.maximum(np.rint(onset * scale), given.length_ticks)
    notes["duration"] = np.maximum(end - notes["onset"], 1)
    lines = voices(given, len(whole.parts))
    if lines.parts:  # every voice is one of the given parts, and goes on in it
        notes["part"] = np.array(lines.parts)[notes["part"]]
    return given.replace(
        notes=np.concatenate([given.notes if lines.parts else lines.notes, notes]).astype(NOTE),
        parts=given.parts if lines.parts else whole.parts,
        fermatas=(*given.fermatas, *_later(whole.fermatas, joint, scale)),
        barlines=(*given.barlines, *_later(whole.barlines, joint, scale)),
        length_ticks=round(whole.length_ticks * scale),
        recipe="",
    )


def _same_parts(added: Score, given: Score) -> list[int]:
    """The given part that each of several added ones is, in order; none where one is not among them."""
    found: list[int] = []
    for part in added.parts if len(added.parts) > 1 else ():
        start = found[-1] + 1 if found else 0
        if part not in given.parts[start:]:
            return []
        found.append(given.parts.index(part, start))
    return found


def _later(ticks: tuple[int, ...], joint: int, scale: float) -> tuple[int, ...]:
    """Ticks of the plan from the joint on, at the given resolution."""
    return tuple(round(tick * scale) for tick in ticks if tick >= joint)
