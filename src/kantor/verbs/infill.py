"""``kantor infill``: some voices in some bars are composed anew; everything else stays, note for note."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kantor import io
from kantor.bundle import Bundle
from kantor.errors import OptionError, ScoreError
from kantor.io.packing import pack_score
from kantor.representations import Ids, Mask
from kantor.representations._voices import voices as lines_of
from kantor.rules import Rule
from kantor.sampling.guard import Asked
from kantor.score import VOICES, Meter, Part, Score
from kantor.verbs._compose import pitches_of
from kantor.verbs._filling import (
    DEFAULT_MODEL,
    FRAMES_PER_QUARTER,
    Canvas,
    checked,
    filled,
    imagined,
    in_sixteenths,
    two_sided,
    voice_of,
)
from kantor.verbs._options import plain
from kantor.verbs._plans import check_amounts
from kantor.verbs._prompts import notes_in, passed_over
from kantor.verbs._steering import steering
from kantor.verbs.generate import drawing, numbered, seeded, thousandths
from kantor.verbs.piece import Piece

__all__ = ["infill"]

Bars = int | str | tuple[int, int]


@dataclass(frozen=True)
class Ticks:
    """A selection in ticks, the last not included."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"@{self.start}-{self.end}"


Where = tuple[int, int] | Ticks | None


@plain
def infill(
    score: str | Path | Score,
    model: str | Path | Bundle = DEFAULT_MODEL,
    *,
    voices: str | Sequence[str] | None = None,
    bars: Bars | None = None,
    select: Sequence[str] = (),
    rules: Sequence[str | Rule | Asked] = (),
    soft: Sequence[str] = (),
    sweeps: int | None = None,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int | None = None,
    count: int = 1,
    take: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Piece]:
    """Compose a part of a piece anew.

    What is not selected stays to the tick. A note that begins before a selected bar and sounds into it keeps its
    beginning; what the bar had of it is composed anew, perhaps as its continuation. A note that sounds on behind a
    selected bar keeps its end, and the new music arrives at it.

    A voice that the music lacks is new where it is selected. Around that the model imagines it, lest it go on in
    silence; what it imagines is not kept. A single line is sung by the voice that it is named after, else by that
    whose range holds most of it.

    Parameters
    ----------
    score    MIDI, MusicXML, grid CSV or a score of at most four notes at a time; drums stay as they are.
    voices   who is composed anew, "alto" or "alto,tenor" or a list of such names; all that the music has unless given.
    bars     which bars: 3, "3-4" or (3, 4), both included; a pickup is bar 0. All unless given.
    select   more selections, each "alto,tenor:3-4" (or "all:7", "bass:all"), or in ticks of the score, the last not
             included, "alto:@480-960". Beside them, ``voices`` and ``bars`` select nothing unless given.
    The others are those of :func:`kantor.verbs.harmonize.harmonize`.

    Raises
    ------
    FileFormatError, ScoreError
        For a file that cannot be read, that has no notes, or more than four at a time.
    OptionError, BundleError
        For bars that the piece does not have, rules that cannot be kept, or a model that cannot be used.
    DeadEndError
        If the rules leave some voice no note.
    """
    bundle, sweeps = two_sided(model), checked(sweeps)
    check_amounts(1, count)
    filters, held = drawing(bundle, temperature, top_k, top_p, min_p), steering(bundle, rules, soft)
    chosen, seed = [_spelt(one) for one in select], seeded(seed)
    if voices is not None or bars is not None or not chosen:
        chosen.insert(0, (_names(voices), _range(bars)))
    came = score if isinstance(score, Score) else io.load(score)
    given = in_sixteenths(came)
    scale = given.ticks_per_quarter // came.ticks_per_quarter
    if not len(given.pitched):
        found = notes_in(given, score)
        raise ScoreError(f"expected music with notes, got {found}; `kantor generate` begins from nothing.")
    canvas = _canvas(given, bundle, {voice for who, _ in chosen for voice in who})
    chosen = [(who or canvas.singing(), _at(where, came, scale)) for who, where in chosen]
    free = _free(canvas, chosen)
    options = {"select": [_text(*one) for one in chosen], "rules": held.options["rules"], "soft": list(soft)}
    recipe = {"verb": "infill", "seed": seed, "prompt": pack_score(given.replace(recipe=""))}
    recipe["options"] = {**options, "sweeps": sweeps, **asdict(filters)}
    drawn = {"held": held, "filters": filters, "sweeps": sweeps, "takes": numbered(count, take)}
    drawn["remarks"] = passed_over(score)
    drawn["imagined"] = imagined(canvas, free)
    return filled(bundle, canvas, free, recipe, **drawn, advance=thousandths(advance))  # type: ignore[arg-type]


def _text(who: list[int], where: Where) -> str:
    """A selection as it can be given again."""
    bars = "all" if where is None else str(where) if isinstance(where, Ticks) else f"{where[0]}-{where[1]}"
    return f"{','.join(VOICES[voice].lower() for voice in who)}:{bars}"


def _at(where: Where, score: Score, scale: int) -> Where:
    """The same place in the score at so many times its resolution."""
    end = int(score.bars["start"][-1]) + score.meter_ticks(score.meters[-1] if score.meters else Meter(0, 4, 4))
    if isinstance(where, Ticks) and where.end > max(end, score.length_ticks):
        raise OptionError(f"expected ticks within @0-{score.length_ticks}, got {where}; the piece has no others.")
    return Ticks(where.start * scale, where.end * scale) if isinstance(where, Ticks) else where


def _spelt(text: str) -> tuple[list[int], Where]:
    """Voices and bars of a selection such as "alto,tenor:3-4", or ticks."""
    who, colon, where = text.partition(":")
    if not colon:
        raise OptionError(f"expected a selection of voices and bars, got '{text}'; try 'alto,tenor:3-4' or 'all:7'.")
    names = _names(None if who.strip() in ("", "all") else who)
    if where.strip().startswith("@"):
        return names, _ticks(where)
    return names, _range(None if where.strip() in ("", "all") else where)


def _ticks(where: str) -> Ticks:
    match = re.fullmatch(r"\s*@(\d{1,12})-(\d{1,12})\s*", where)
    if match is None or int(match[2]) <= int(match[1]):
        raise OptionError(f"expected ticks such as @480-960, got '{where}'.")
    return Ticks(int(match[1]), int(match[2]))


def _names(voices: str | Sequence[str] | None) -> list[int]:
    """The numbers of the voices; none where it is all that the music has."""
    if voices is None:
        return []
    names = voices.split(",") if isinstance(voices, str) else list(voices)
    if not names:
        raise OptionError("expected voices to compose anew, got none; leave the option out for all that the music has.")
    return sorted({voice_of(name) for name in names})


def _range(bars: Bars | None) -> tuple[int, int] | None:
    """First and last bar; None for all."""
    if bars is None:
        return None
    if isinstance(bars, str):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", bars)
        if match is None:
            raise OptionError(f"expected bars such as 3 or 3-4, got '{bars}'.")
        bars = (int(match[1]), int(match[2] or match[1]))
    try:
        first, last = map(operator.index, (bars, bars) if isinstance(bars, int | np.integer) else tuple(bars))
    except (TypeError, ValueError) as error:
        raise OptionError(f"expected bars such as 3, '3-4' or (3, 4), got {bars!r}.") from error
    if last < first:
        raise OptionError(f"expected bars from the first to the last, got {first}-{last}; try {last}-{first}.")
    return first, last


def _canvas(given: Score, bundle: Bundle, named: set[int]) -> Canvas:
    """Who sings each note; a voice's new notes stand in the part that has most of its own, else in a new part.

    New parts are made for ``named`` voices alone; others that the music lacks get no notes.
    """
    drums = np.array([part.is_drum for part in given.parts], dtype=np.bool_)[given.notes["part"]]
    lines = lines_of(given.replace(notes=given.pitched), len(VOICES))
    sings = np.full(len(given), -1)
    sings[~drums] = lines.notes["part"]
    if not lines.parts and len(np.unique(given.pitched["part"])) == 1 and not sings[~drums].any():
        sings[~drums] = _singer(given, bundle)
    parts, homes = list(given.parts), []
    for voice, name in enumerate(VOICES):
        own = given.notes["part"][sings == voice]
        if lines.parts:
            homes.append(lines.parts[voice])
        elif len(own):
            homes.append(int(np.bincount(own).argmax()))
        elif voice not in named:
            homes.append(0)
        else:
            homes.append(len(parts))
            parts.append(Part(name, given.parts[int(given.pitched["part"][0])].program))
    return Canvas(given, sings, tuple(parts), tuple(homes))


def _singer(given: Score, bundle: Bundle) -> int:
    """Who sings a single line."""
    pitch, name = given.pitched["pitch"], given.parts[int(given.pitched["part"][0])].name
    if name in VOICES:
        return VOICES.index(name)
    within = pitches_of(bundle)
    return 0 if within is None else int(np.argmax(within[:, pitch].sum(1)))


def _free(canvas: Canvas, selections: Sequence[tuple[list[int], Where]]) -> Mask:
    """(frames, voices) what is selected."""
    bars = canvas.score.bars
    number: Ids = np.cumsum(bars["offset"] == 0)
    starts = np.append(bars["start"], canvas.score.length_ticks)
    edges = np.floor(starts * FRAMES_PER_QUARTER / canvas.score.ticks_per_quarter + 0.5).astype(np.int64)
    free = np.zeros((canvas.frames, len(VOICES)), dtype=np.bool_)
    for who, where in selections:
        if isinstance(where, Ticks):
            first, last = (
                tick * FRAMES_PER_QUARTER // canvas.score.ticks_per_quarter for tick in (where.start, where.end - 1)
            )
            free[first : last + 1, who] = True
            continue
        first, last = where or (int(number[0]), int(number[-1]))
        if first < number[0] or last > number[-1]:
            raise OptionError(
                f"expected bars within {number[0]}-{number[-1]}, got {first}-{last}; the piece has no others."
            )
        chosen = np.flatnonzero((number >= first) & (number <= last))
        free[edges[chosen[0]] : edges[chosen[-1] + 1], who] = True
    if not free.any():
        raise OptionError("expected a selection at least a sixteenth long, got an empty one; try more bars.")
    return free
