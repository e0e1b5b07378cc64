"""``kantor continue``: a piece that begins as another does; the given music stays as it was."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from kantor import bundle as bundles
from kantor import io
from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.representations._voices import voices
from kantor.sampling.filters import Filters
from kantor.score import NOTE, Meter, Score
from kantor.verbs._compose import compose
from kantor.verbs._plans import check_amounts, phrase_ends
from kantor.verbs.generate import DEFAULT_MODEL, finish, seeded, stepping
from kantor.verbs.piece import Piece

__all__ = ["continue_"]


def continue_(
    prompt: str | Path | Score,
    model: str | Path | Bundle = DEFAULT_MODEL,
    *,
    from_bar: int | None = None,
    bars: int = 8,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    min_p: float = 0.0,
    seed: int | None = None,
    count: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Piece]:
    """Go on from a file or a score.

    Parameters
    ----------
    prompt    MIDI, MusicXML or grid CSV, or a score; any layout that four voices can sing.
    from_bar  the first bar to be composed, counted from 1 (a pickup is bar 0); what stood there is dropped.
              Unless given, the composition starts where the music ends.
    bars      how many bars are added.
    The others are those of :func:`kantor.verbs.generate.generate`.

    Raises
    ------
    FileFormatError, ScoreError
        For a prompt that cannot be read, or that the model's voices cannot sing.
    OptionError
        For what is out of range.
    """
    filters = Filters(temperature, top_k, top_p, min_p)
    check_amounts(bars, count)
    opened = model if isinstance(model, Bundle) else bundles.load(model)
    representation = opened.representation
    given = prompt if isinstance(prompt, Score) else io.load(prompt)
    if from_bar is not None:
        given = given.cut(0, _start_of(given, from_bar))
    encoding = representation.encode(given)
    head = representation.decode(encoding.values, encoding.plan)
    whole = _extended(encoding.plan, bars)
    seed = seeded(seed)
    step = stepping(representation.length(whole) - len(encoding), advance)
    options = {"from_bar": from_bar, "bars": bars, **asdict(filters)}
    pieces = []
    plans = dict.fromkeys(range(1, count + 1), whole)
    takes = compose(opened, plans, seed, filters=filters, prompt=encoding.values, advance=step)
    for take, done in takes.items():
        added = representation.decode(done.values, whole).cut(head.length_ticks, whole.length_ticks)
        recipe = {"verb": "continue", "seed": seed, "take": take, "options": options, "prompt": _packed(given)}
        pieces.append(finish(opened, _joined(given, whole, added), done, recipe))
    return pieces


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


def _joined(given: Score, whole: Score, added: Score) -> Score:
    """The given notes as they were, then the new ones, at the given resolution."""
    scale = given.ticks_per_quarter / whole.ticks_per_quarter
    notes = added.notes.copy()
    onset = notes["onset"] + whole.length_ticks - added.length_ticks
    end = np.rint((onset + notes["duration"]) * scale)
    # Music that ends between two sixteenths may reach a little beyond its grid: the new notes wait for it.
    notes["onset"] = np.maximum(np.rint(onset * scale), given.length_ticks)
    notes["duration"] = np.maximum(end - notes["onset"], 1)
    lines = voices(given, len(whole.parts))
    if lines.parts:  # every voice is one of the given parts, and goes on in it
        notes["part"] = np.array(lines.parts)[notes["part"]]

    def later(ticks: tuple[int, ...]) -> tuple[int, ...]:
        start = whole.length_ticks - added.length_ticks
        return tuple(round(tick * scale) for tick in ticks if tick >= start)

    return given.replace(
        notes=np.concatenate([given.notes if lines.parts else lines.notes, notes]).astype(NOTE),
        parts=given.parts if lines.parts else whole.parts,
        fermatas=(*given.fermatas, *later(whole.fermatas)),
        barlines=(*given.barlines, *later(whole.barlines)),
        length_ticks=round(whole.length_ticks * scale),
        recipe="",
    )


def _packed(score: Score) -> str:
    """The prompt as a recipe can carry it: its MIDI file, compressed, in base 85."""
    return base64.b85encode(zlib.compress(io.encode(score.replace(recipe=""), ".mid"), 9)).decode()
