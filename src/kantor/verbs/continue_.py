"""``kantor continue``: a piece that begins as another does; the given music stays as it was."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from kantor import io
from kantor.bundle import Bundle
from kantor.corpora import tracks_of
from kantor.errors import OptionError, ScoreError
from kantor.representations import Encoding, Ids
from kantor.representations._voices import voices
from kantor.score import NOTE, Meter, Part, Score
from kantor.verbs._amounts import Amount, amount, check_playing
from kantor.verbs._compose import PLAN, compose, randoms
from kantor.verbs._models import opened
from kantor.verbs._plans import check_amounts, phrase_ends
from kantor.verbs._prompts import prompted
from kantor.verbs.generate import DEFAULT_MODEL, drawing, finish, playing, seeded, thousandths
from kantor.verbs.piece import Piece

__all__ = ["continue_"]


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
    seed: int | None = None,
    count: int = 1,
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
    bundle = opened(model)
    filters = drawing(bundle, temperature, top_k, top_p, min_p)
    check_amounts(bars or 1, count)
    check_playing(tempo, velocity)
    much = amount(bundle, bars, notes, seconds, 8)
    seed = seeded(seed)
    given = prompted(prompt, prompt_notes, randoms(seed, 0, PLAN))
    if not len(given):
        raise ScoreError("expected a prompt with notes, got none; `kantor generate` begins from nothing.")
    if from_bar is not None:
        given = given.cut(0, _start_of(given, from_bar))
    representation = bundle.representation
    encoding = representation.encode(tracks_of(given, bundle.card.get("tracks", "")))
    whole = _planned(bundle, encoding.plan, much, tempo)
    options = {"from_bar": from_bar, "prompt_notes": prompt_notes, "bars": bars, "notes": notes, "seconds": seconds}
    options |= {"tempo": tempo, "velocity": velocity, **asdict(filters)}
    joint = encoding.plan.length_ticks
    pieces = []
    plans = dict.fromkeys(range(1, count + 1), whole)
    takes = compose(
        bundle,
        plans,
        seed,
        filters=filters,
        prompt=encoding.values,
        notes=much.most_notes(whole),
        advance=thousandths(advance),
    )
    for take, done in takes.items():
        added = playing(_added(bundle, encoding, done.values, whole), None, velocity)
        if representation.closes:
            score = _sung_on(given, whole, added, joint)
        else:
            score = _played_on(given, whole, added, joint, _end(added, joint, much, whole))
        recipe = {"verb": "continue", "seed": seed, "take": take, "options": options, "prompt": _packed(given)}
        pieces.append(finish(bundle, playing(score, tempo, None), done, recipe, _nearest(encoding)))
    return pieces


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
    """The given notes as they were, then the new ones, at the given resolution: in its part if it has one alone."""
    scale = given.ticks_per_quarter / added.ticks_per_quarter
    notes = added.notes.copy()
    stop = np.rint((notes["onset"] + notes["duration"]) * scale)
    notes["onset"] = np.rint(notes["onset"] * scale)
    notes["duration"] = np.maximum(stop - notes["onset"], 1)
    own = [number for number, part in enumerate(given.parts) if not part.is_drum]
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


def _packed(score: Score) -> str:
    """The prompt as a recipe can carry it: its MIDI file, compressed, in base 85."""
    return base64.b85encode(zlib.compress(io.encode(score.replace(recipe=""), ".mid"), 9)).decode()
