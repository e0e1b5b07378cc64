"""What the REST routes do: a typed body in, a typed answer out, by the verbs of the command line.

These are plain functions without a server. They run beside it, in a process of their own (:mod:`kantor.studio.pool`):
composing takes seconds, and the engraver is a library that no Python can catch when it falls.
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kantor import io
from kantor.errors import FileFormatError, OptionError, RuleError, ScoreError
from kantor.io.packing import unpack_score
from kantor.representations import Representation
from kantor.rules import faults
from kantor.rules._judge import _lanes, columns, view_of
from kantor.sampling.guard import asked, named
from kantor.score import NOTE, TICKS_PER_QUARTER, VOICES, Score
from kantor.studio import bodies, insight, shelf
from kantor.studio.messages import MAX_BARS, PieceJson
from kantor.studio.scores import json_of, read_score, score_of
from kantor.verbs._steering import BY_DEFAULT
from kantor.verbs.piece import Piece

__all__ = [
    "check",
    "choices",
    "continue_",
    "engrave",
    "generate",
    "harmonize",
    "infill",
    "read",
    "ready",
    "replay",
    "save",
    "surprise",
    "variations",
]

MAX_FAULTS = 1_000  # that are told: nobody reads more
MAX_FILLED = 1_000  # bars of a score that is filled in: it takes seconds for each ten
DRAWN = ("temperature", "top_k", "top_p", "min_p", "rules", "soft", "seed", "count")
STREAMED = (*DRAWN, "bars", "tempo", "velocity", "chords")


def ready() -> None:
    """Nothing, but whatever it takes to do more is loaded now."""


# -- composing ---------------------------------------------------------------------------------------------------------


def generate(body: bodies.Generate) -> bodies.Pieces:
    """Pieces from nothing."""
    from kantor.verbs.generate import generate as verb

    _not_too_much(body)
    options = body.model_dump(include={*STREAMED, "key", "in_key", "meter", "pickup"})
    return _pieces(verb(shelf.model_named(body.model), **options))


def continue_(body: bodies.Continue) -> bodies.Pieces:
    """Pieces that begin as the score does."""
    from kantor.verbs.continue_ import continue_ as verb

    _not_too_much(body)
    options = body.model_dump(include={*STREAMED, "from_bar"})
    return _pieces(verb(score_of(body.score).replace(recipe=""), shelf.model_named(body.model), **options))


def harmonize(body: bodies.Harmonize) -> bodies.Pieces:
    """The line, set for four voices."""
    from kantor.verbs.harmonize import harmonize as verb

    options = body.model_dump(include={*DRAWN, "voice", "key", "chords", "sweeps"})
    return _pieces(verb(_not_too_long(score_of(body.score)), shelf.model_named(body.model), **options))


def infill(body: bodies.Infill) -> bodies.Pieces:
    """The score with what is selected composed anew; what is locked stays."""
    from kantor.verbs.infill import infill as verb

    found = read_score(body.score)
    score = _not_too_long(found.score)
    locked = np.isin(found.order, body.locked)
    if body.locked and max(body.locked) >= len(found.order):
        raise OptionError(f"expected indexes of notes below {len(found.order)}, got {max(body.locked)}.")
    select = [text for one in body.select for text in _selected(score, one, score.notes[locked])]
    if not select:
        raise OptionError("expected something to compose anew, got a selection that is locked; unlock some of it.")
    options = body.model_dump(include={*DRAWN, "sweeps"})
    return _pieces(verb(score, shelf.model_named(body.model), select=select, **options))


def variations(body: bodies.Variations) -> bodies.Pieces:
    """So many takes of one request, whatever ``count`` its body has."""
    varied: Any = body.body.model_copy(update={"count": body.count})
    does: Any = {"generate": generate, "continue": continue_, "harmonize": harmonize, "infill": infill}[body.verb]
    return does(varied)  # type: ignore[no-any-return]


def replay(body: bodies.Replay) -> PieceJson:
    """The piece of a recipe, note for note."""
    from kantor.verbs.replay import replay as verb

    _safe(body.recipe)
    return _piece(verb(Score(np.empty(0, NOTE), recipe=body.recipe)))


def _pieces(pieces: Sequence[Piece]) -> bodies.Pieces:
    return bodies.Pieces(pieces=[_piece(piece) for piece in pieces])


def _piece(piece: Piece) -> PieceJson:
    return PieceJson(
        score=json_of(piece.score),
        nats_per_note=piece.nats_per_note,
        notes_decided=piece.notes_decided,
        rules_cost=piece.rules_cost,
        dead_ends=piece.dead_ends,
        remarks=list(piece.remarks),
    )


def _not_too_much(body: bodies.Streamed) -> None:
    if (bars := body.bars * body.count) > MAX_BARS:
        raise OptionError(f"expected {MAX_BARS} bars at most in all takes together, got {bars}; try fewer takes.")


def _not_too_long(score: Score) -> Score:
    if (bars := len(score.bars)) > MAX_FILLED:
        raise ScoreError(f"expected a score of {MAX_FILLED} bars at most to fill in, got {bars}; cut it.")
    return score.replace(recipe="")


def _selected(score: Score, one: bodies.Selection, locked: Any) -> list[str]:
    """A selection as the verb spells it, without the notes that are locked."""
    voices = range(len(VOICES)) if one.voices is None else sorted(set(one.voices))
    if (one.start is None) != (one.end is None):
        raise OptionError("expected both start and end of a selection in ticks, got one of them.")
    if one.start is None and not len(locked):
        bars = "all" if one.first_bar is None else f"{one.first_bar}-{_last(one)}"
        return [f"{','.join(VOICES[voice].lower() for voice in voices)}:{bars}"] if len(voices) else []
    start, end = (one.start, one.end) if one.start is not None else _of_bars(score, one)
    end = min(end or 0, score.length_ticks)
    if end <= (start or 0):
        raise OptionError(f"expected a selection that ends behind its start, got {one.start} to {one.end}.")
    lines = _lines(score)
    spelt = []
    for voice in voices:
        mine = locked[np.isin(locked["part"], lines.get(voice, ()))]
        for begin, stop in _gaps(int(start or 0), int(end), mine):
            spelt.append(f"{VOICES[voice].lower()}:@{begin}-{stop}")
    return spelt


def _last(one: bodies.Selection) -> int:
    return one.last_bar if one.last_bar is not None else one.first_bar or 0


def _lines(score: Score) -> dict[int, list[int]]:
    """The parts whose locked notes a voice has to heed: its own where parts are voices, else all."""
    if len(score.parts) == len(VOICES):
        return {voice: [voice] for voice in range(len(VOICES))}
    return {voice: list(range(len(score.parts))) for voice in range(len(VOICES))}


def _of_bars(score: Score, one: bodies.Selection) -> tuple[int, int]:
    """First tick and last of bars by their numbers; a pickup is bar 0."""
    bars = score.bars
    number = np.cumsum(bars["offset"] == 0)
    if one.first_bar is None:
        return 0, score.length_ticks
    chosen = np.flatnonzero((number >= one.first_bar) & (number <= _last(one)))
    if not len(chosen):
        raise OptionError(f"expected bars within {number[0]}-{number[-1]}, got {one.first_bar}-{_last(one)}.")
    last = bars[chosen[-1]]
    return int(bars["start"][chosen[0]]), int(last["start"] + last["length"])


def _gaps(start: int, end: int, notes: Any) -> list[tuple[int, int]]:
    """What is left of a span between notes."""
    found, at = [], start
    for note in np.sort(notes, order="onset"):
        if note["onset"] > at:
            found.append((at, min(int(note["onset"]), end)))
        at = max(at, int(note["onset"] + note["duration"]))
        if at >= end:
            return found
    return [*found, (at, end)]


MAX_CHANGES = 5_000
MAX_WORK = 200_000  # steps that a recipe may have composed, those taken back again among them: three times the longest
MAX_GIVEN = 2**24  # bytes that a recipe's own music may come to, unpacked
MAX_LISTED = 10_000  # rules, or selections
NO_RECIPE = "expected a recipe of Kantor's, got something else; copy it from a file that Kantor made."
#: What a recipe may ask for, and the most of it: a recipe is a stranger's, and names no file and no endless work.
_ALLOWED: dict[str, float | None] = dict.fromkeys(
    [
        "key",
        "in_key",
        "meter",
        "pickup",
        "tempo",
        "velocity",
        "temperature",
        "top_k",
        "top_p",
        "min_p",
        "rules",
        "soft",
        "chords",
        "from_bar",
        "prompt_notes",
        "voice",
        "select",
        "density",
        "changes",
        "instruments",
    ]
)
_ALLOWED |= {"bars": MAX_BARS, "notes": 50_000, "seconds": 4000, "beam": 32, "best_of": 32, "sweeps": 200}
_ALLOWED |= {"steps": MAX_WORK, "novelty": 0}


def _safe(text: str) -> None:
    """See that the studio can follow the recipe.

    Raises
    ------
    FileFormatError, OptionError, ScoreError
        If it is no recipe, or asks for what the studio does not do for strangers.
    """
    try:
        recipe = json.loads(text)
    except (ValueError, RecursionError):
        recipe = None
    options = recipe.get("options") if isinstance(recipe, dict) else None
    if not isinstance(recipe, dict) or not isinstance(options, dict) or not isinstance(recipe.get("model"), str):
        raise FileFormatError(NO_RECIPE)
    bundle = shelf.model_named(recipe["model"])
    for name, value in options.items():
        most = _ALLOWED.get(name)
        listed = len(value) if isinstance(value, list) and name != "changes" else 0
        too_much = most is not None and value and not (_number(value) and value <= most)
        if name not in _ALLOWED or too_much or listed > MAX_LISTED:
            raise OptionError(
                f"expected a recipe that the studio can follow, got one with {name[:40]}; try kantor replay."
            )
    _not_too_much_done(options.get("changes") or [], options.get("steps") or 0, bundle.representation)
    if "prompt" in recipe:
        score = _unpacked(recipe["prompt"])
        if recipe.get("verb") in ("harmonize", "infill"):
            _not_too_long(score)


def _not_too_much_done(changes: Any, steps: float, representation: Representation) -> None:
    """Measure a diary: each change has what was taken back composed again."""
    if not isinstance(changes, list) or len(changes) > MAX_CHANGES:
        raise OptionError(f"expected a recipe of {MAX_CHANGES} changes at most, got more; try kantor replay.")
    try:
        spans = [(int(one["at"]), max(int(one["to"]), 0)) for one in changes]
        # steps a tick: known where each frame has as many, elsewhere as in the piece itself
        density = steps / max(max((to for _, to in spans), default=0), 1)
        rate = len(VOICES) / representation.step if representation.unit == "cell" else density
        back = sum(max(at - int(to * rate), 0) for at, to in spans)
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise FileFormatError(NO_RECIPE) from error
    if steps + back > MAX_WORK:
        raise OptionError(
            f"expected a recipe of {MAX_WORK} steps at most, those taken back among them, got more; try kantor replay."
        )


def _unpacked(packed: Any) -> Score:
    """The music in a recipe, no longer than what may be sent."""
    try:
        inflate = zlib.decompressobj()
        inflate.decompress(base64.b85decode(packed), MAX_GIVEN)
    except (TypeError, ValueError, zlib.error) as error:
        raise FileFormatError(NO_RECIPE) from error
    if inflate.unconsumed_tail:
        raise FileFormatError(f"expected music of {MAX_GIVEN >> 20} MiB at most in a recipe, got more; cut it.")
    return score_of(json_of(unpack_score(packed)))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- judging -----------------------------------------------------------------------------------------------------------


def check(body: bodies.Check) -> bodies.Checked:
    """The faults of a score."""
    found = read_score(body.score)
    score = found.score
    seen = view_of(score)
    names = body.rules if body.rules is not None else list(BY_DEFAULT if seen.voiced else ())
    wrong: list[Any] = []
    skipped = []
    lanes = _columns(score, seen.voiced)
    for name, one in named(asked(names)).items():
        try:
            some = faults(score, {name: one.rule}, view=seen)
        except RuleError as error:
            skipped.append(bodies.Skipped(rule=name, why=str(error)))
            continue
        wrong += some
    wrong.sort(key=lambda fault: fault.tick)
    where = _Where(score, lanes, found.order, seen.voiced)
    told = [where.told(fault) for fault in wrong[:MAX_FAULTS]]
    return bodies.Checked(faults=told, skipped=skipped, total=len(wrong))


def _columns(score: Score, voiced: bool) -> Any:
    """(notes,) the column of each note in the view; -1 for drums."""
    drums = np.array([part.is_drum for part in score.parts], dtype=np.bool_)
    drum = drums[score.notes["part"]] if len(drums) else np.zeros(len(score), dtype=np.bool_)
    column = np.full(len(score), -1)
    notes = score.notes[~drum]
    if voiced and (sung := columns(score)) is not None:
        column[~drum] = sung[notes["part"]]
        return column
    scale = 4 / score.ticks_per_quarter
    onset = np.floor(notes["onset"] * scale + 0.5).astype(np.int64)
    end = np.maximum(np.floor((notes["onset"] + notes["duration"]) * scale + 0.5).astype(np.int64), onset + 1)
    column[~drum] = _lanes(onset, end)
    return column


class _Where:
    """Where faults are: which notes sound there, and in which bar; both looked up rather than searched for."""

    def __init__(self, score: Score, columns: Any, order: Any, voiced: bool) -> None:
        self._voiced = voiced
        self._columns, self._order = columns, order
        self._names = [part.name for part in score.parts if not part.is_drum]
        self._onset = score.notes["onset"]
        self._end = self._onset + score.notes["duration"]
        #: (notes + 1,) where the last of so many first notes ends: what ended before need not be looked at
        self._ended = np.concatenate([[0], np.maximum.accumulate(self._end)])
        bars = score.bars
        self._starts, self._numbers = bars["start"], np.cumsum(bars["offset"] == 0)
        self._sixteenth = max(score.ticks_per_quarter // 4, 1)

    def told(self, fault: Any) -> bodies.FaultJson:
        """The fault, as it is sent."""
        sixteenth = self._sixteenth
        last = int(np.searchsorted(self._onset, fault.tick + sixteenth // 2, side="right"))
        first = int(np.searchsorted(self._ended, fault.tick, side="right")) - 1  # all before it end by then
        some = slice(max(first, 0), last)
        here = (self._end[some] > fault.tick) & np.isin(self._columns[some], fault.voices)
        bar = self._numbers[max(int(np.searchsorted(self._starts, fault.tick, side="right")) - 1, 0)]
        who = [self._names[voice] or VOICES[voice] for voice in fault.voices] if self._voiced else []
        return bodies.FaultJson(
            rule=fault.rule,
            tick=fault.tick,
            end=fault.tick + sixteenth,
            voices=list(fault.voices) if self._voiced else [],
            notes=self._order[some][here].tolist(),
            text=f"{fault.rule} in bar {bar}" + (f" ({', '.join(who)})" if who else ""),
        )


def surprise(body: bodies.SurpriseOf) -> bodies.Surprise:
    """How unlikely each note was to the model."""
    found = read_score(body.score)
    nats = insight.surprises(shelf.model_named(body.model), found.score)
    told: list[float | None] = [None] * len(found.order)
    for at, index in enumerate(found.order.tolist()):
        told[index] = None if nats[at] is None else round(float(nats[at] or 0.0), 4)
    known = [one for one in told if one is not None]
    return bodies.Surprise(nats=told, mean=sum(known) / len(known) if known else None)


def choices(body: bodies.ChoicesOf) -> bodies.Choices:
    """What the model might have chosen in place of a note."""
    found = read_score(body.score)
    if body.note >= len(found.order):
        raise OptionError(f"expected the index of a note below {len(found.order)}, got {body.note}.")
    at = int(np.flatnonzero(found.order == body.note)[0])
    others, nats = insight.choices(shelf.model_named(body.model), found.score, at)
    told = [bodies.Choice(pitch=one.pitch, name=one.name, probability=one.probability) for one in others]
    return bodies.Choices(choices=told, nats=nats)


# -- bringing and taking -----------------------------------------------------------------------------------------------


def engrave(body: bodies.Engrave) -> bodies.Engraved:
    """The score as pages, and where its notes are on them."""
    from kantor.render.engraving import engrave_placed
    from kantor.verbs._showing import written

    found = read_score(body.score)
    score = found.score
    pages, placed = engrave_placed(written(score))
    where: dict[tuple[int, int, int], list[int]] = {}
    for at, key in enumerate(_on_page(score)):
        where.setdefault(key, []).append(at)
    notes: dict[str, int] = {}
    moments: dict[int, tuple[list[str], list[str]]] = {}
    for one in placed:
        if alike := where.get((one.onset, one.part, one.pitch)):
            at = alike.pop(0) if len(alike) > 1 else alike[0]
            notes[one.identity] = int(found.order[at])
            note = score.notes[at]
            moments.setdefault(int(note["onset"]), ([], []))[0].append(one.identity)
            moments.setdefault(int(note["onset"] + note["duration"]), ([], []))[1].append(one.identity)
    timemap = [bodies.Moment(tick=tick, on=on, off=off) for tick, (on, off) in sorted(moments.items())]
    return bodies.Engraved(pages=pages, timemap=timemap, notes=notes)


def _on_page(score: Score) -> list[tuple[int, int, int]]:
    """(onset, part, pitch) of each note as it stands on the page: on the page's grid, in 480ths of a quarter."""
    from kantor.verbs._showing import _to_grid

    old, new = score.ticks_per_quarter, TICKS_PER_QUARTER
    onset = _to_grid((2 * score.notes["onset"] * new + old) // (2 * old))  # rounded as Score.at does
    return list(zip(onset.tolist(), score.notes["part"].tolist(), score.notes["pitch"].tolist(), strict=True))


def read(data: bytes, name: str) -> bodies.Read:
    """The score in a file of this name."""
    suffix = Path(name).suffix.lower()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"music{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
        path.write_bytes(data)
        try:
            score = io.load(path)
        except FileFormatError as error:
            shown = Path(name).name[:80] or "the file"
            raise FileFormatError(str(error).replace(str(path), shown).replace(path.name, shown)) from error
    sent = json_of(score)
    read_score(sent)  # measured, as whatever is sent
    remarks = [] if len(score) else ["there are no notes in this file"]
    return bodies.Read(score=sent, name=Path(name).name[:200], remarks=remarks)


def save(body: bodies.Save, suffix: str, soundfont: str | None) -> tuple[bytes, str]:
    """The score as the bytes of a file, and its media type."""
    score = score_of(body.score)
    named = body.instrument
    instrument = int(named) if named is not None and named.isdecimal() else named
    if suffix in ("mid", "musicxml", "csv"):
        if instrument is not None:
            from kantor.verbs.outputs import played

            score = played(score, instrument)
        return io.encode(score, f".{suffix}"), _MEDIA[suffix]
    if suffix == "svg":
        return _one_svg(score), _MEDIA[suffix]
    from kantor.render import audio

    samples = audio.sound(score, soundfont=soundfont, instrument=instrument)
    return audio.encode(samples, 44100, f".{suffix}"), _MEDIA[suffix]


_MEDIA = {
    "mid": "audio/midi",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "csv": "text/csv",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "svg": "image/svg+xml",
}


def _one_svg(score: Score) -> bytes:
    """All pages below one another in one document."""
    from kantor.render.engraving import engrave as pages_of
    from kantor.verbs._showing import written

    pages = pages_of(written(score))
    if len(pages) == 1:
        return pages[0].encode()
    sizes = [re.search(r'<svg width="([\d.]+)px" height="([\d.]+)px"', page) for page in pages]
    wide = [(float(size[1]), float(size[2])) if size else (0.0, 0.0) for size in sizes]
    top, inner = 0.0, []
    for page, (_, height) in zip(pages, wide, strict=True):
        inner.append(page.replace("<svg ", f'<svg y="{top:g}" ', 1))
        top += height
    width = max(width for width, _ in wide)
    size = f'width="{width:g}px" height="{top:g}px" viewBox="0 0 {width:g} {top:g}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size}>' + "".join(inner) + "</svg>").encode()
