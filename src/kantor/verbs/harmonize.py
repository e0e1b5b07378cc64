"""``kantor harmonize``: three voices to a melody, or to a bass; what is given stays to the tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from kantor import io
from kantor.bundle import Bundle
from kantor.errors import ScoreError
from kantor.io.packing import pack_score
from kantor.render.instruments import named_after
from kantor.representations.chorale import HIGHEST, LOWEST
from kantor.rules import Rule
from kantor.sampling.guard import Asked
from kantor.score import VOICES, Part, Score
from kantor.theory import note_name, parse_key
from kantor.verbs._compose import pitches_of
from kantor.verbs._filling import (
    DEFAULT_MODEL,
    Canvas,
    checked,
    filled,
    in_sixteenths,
    two_sided,
    voice_of,
)
from kantor.verbs._options import plain
from kantor.verbs._plans import check_amounts
from kantor.verbs._prompts import notes_in, passed_over
from kantor.verbs._steering import Steering, steering
from kantor.verbs.generate import drawing, numbered, seeded, thousandths
from kantor.verbs.piece import Piece

__all__ = ["harmonize"]


@plain
def harmonize(
    melody: str | Path | Score,
    model: str | Path | Bundle = DEFAULT_MODEL,
    *,
    voice: str = "soprano",
    key: str | None = None,
    rules: Sequence[str | Rule | Asked] = (),
    soft: Sequence[str] = (),
    chords: str | None = None,
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
    """Set a melody for four voices.

    The melody stays as it is, to the tick. Metre, key, fermatas and pickup are used where it has them. A melody that
    moves between sixteenths is heard at the nearest ones; the other voices move in sixteenths.

    Parameters
    ----------
    melody   MIDI, MusicXML, a grid CSV of one column, or a score: one part with notes, one note at a time.
    model    a shipped model's name, a model folder, or an opened bundle; it has to see both sides.
    voice    who sings it: "soprano", "alto", "tenor" or "bass".
    key      "Gm", "D major" ...; the melody's own, if any, unless given.
    rules    hard rules beside the default ones, no-parallels, no-crossing and range, unless "none" is among them.
    soft     rules that cost nats, as "stepwise=0.5".
    chords   given chords, "I V vi IV" or "C G Am F".
    sweeps   how often cells are drawn again before the last sweeps, under the rules; 24 unless given.
    temperature, top_k, top_p, min_p   see :class:`kantor.sampling.filters.Filters`; the model's own defaults unless
             given.
    seed     equal seeds, equal pieces; drawn unless given.
    count    pieces, >= 1.
    take     in place of the first ``count`` takes: this one alone, from 1.
    advance  told how many thousandths of the work are done.

    Raises
    ------
    FileFormatError, ScoreError
        For a file that cannot be read, or what is no melody that leaves room for the other voices.
    OptionError, BundleError
        For what is out of range, rules that cannot be kept, or a model that cannot be used.
    DeadEndError
        If the rules leave some voice no note.
    """
    bundle, sweeps = two_sided(model), checked(sweeps)
    check_amounts(1, count)
    filters, held = drawing(bundle, temperature, top_k, top_p, min_p), steering(bundle, rules, soft, chords)
    number, named, seed = voice_of(voice), None if key is None else parse_key(key), seeded(seed)
    given = _melody(melody if isinstance(melody, Score) else io.load(melody), melody)
    canvas = _canvas(given if named is None else given.replace(keys=(named,)), number)
    _check_room(canvas, number, held, bundle)
    free = np.ones((canvas.frames, len(VOICES)), dtype=np.bool_)
    free[:, number] = False
    options = {"voice": VOICES[number].lower(), "key": key, "rules": held.options["rules"], "soft": list(soft)}
    options["chords"] = chords
    recipe = {"verb": "harmonize", "seed": seed, "prompt": pack_score(given.replace(recipe=""))}
    recipe["options"] = {**options, "sweeps": sweeps, **asdict(filters)}
    drawn = {"held": held, "filters": filters, "sweeps": sweeps, "takes": numbered(count, take)}
    drawn["remarks"] = passed_over(melody)
    return filled(bundle, canvas, free, recipe, **drawn, advance=thousandths(advance))  # type: ignore[arg-type]


def _melody(score: Score, source: str | Path | Score) -> Score:
    """The score, if it is a melody: one part that is not drums has notes, and they sound one at a time."""
    score = in_sixteenths(score)
    notes = score.pitched
    if not len(notes):
        found = notes_in(score, source)
        raise ScoreError(f"expected a melody with notes, got {found}; `kantor generate` begins from nothing.")
    used = np.unique(notes["part"]).tolist()
    if len(used) > 1:
        raise ScoreError(
            f"expected a melody, one part with notes, got {len(used)}; take one of them, or redraw the others with "
            "`kantor infill --voices alto,tenor,bass`."
        )
    early = notes["onset"][1:] + score.ticks_per_quarter // 8 < (notes["onset"] + notes["duration"])[:-1]
    if early.any():
        first = int(np.argmax(early)) + 1
        raise ScoreError(
            f"expected a melody, one note at a time, got two at once in {score.bar_name(int(notes['onset'][first]))}; "
            "take the highest line of it."
        )
    return score


def _canvas(melody: Score, voice: int) -> Canvas:
    """Four parts, of which ``voice`` is the melody's own; the others are played as it is. Drums go on behind them."""
    own = int(melody.pitched["part"][0])
    part = melody.parts[own]
    parts = [Part(name, part.program) for name in VOICES]
    parts[voice] = Part(VOICES[voice] if named_after(part) else part.name, part.program)
    drums = [number for number, each in enumerate(melody.parts) if each.is_drum]
    places = {own: voice, **{number: len(VOICES) + at for at, number in enumerate(drums)}}
    notes = melody.notes.copy()
    notes["part"] = [places[number] for number in notes["part"].tolist()]
    whole = (*parts, *(melody.parts[number] for number in drums))
    score = melody.replace(notes=notes, parts=whole)
    sings = np.where(score.notes["part"] == voice, voice, -1)
    return Canvas(score, sings, whole, tuple(range(len(VOICES))))


def _check_room(canvas: Canvas, voice: int, held: Steering, bundle: Bundle) -> None:
    """Refuse a melody that no-crossing leaves no note for another voice: one too low for a soprano, say."""
    if not any(one.name == "no-crossing" and one.weight is None for one in held.rules):
        return
    within = pitches_of(bundle, ranges=held.within)
    notes = canvas.score.notes[canvas.voice == voice]
    for other in range(len(VOICES)):
        may = np.arange(LOWEST, HIGHEST + 1) if within is None else np.flatnonzero(within[other])
        below = other > voice
        wrong = notes["pitch"] < may[0] if below else notes["pitch"] > may[-1]
        if other == voice or not wrong.any():
            continue
        note = notes[int(np.argmax(wrong))]
        edge = f"{note_name(int(may[0]))} and above" if below else f"{note_name(int(may[-1]))} and below"
        raise ScoreError(
            f"expected a {VOICES[voice].lower()} that leaves the {VOICES[other].lower()} ({edge}) a note, got "
            f"{note_name(int(note['pitch']))} in {canvas.score.bar_name(int(note['onset']))}; transpose it "
            f"{'up' if below else 'down'}, or give it to another voice."
        )
