"""What harmonize and infill share: some cells of a score are free, all else stays; and the score that comes of it.

The model hears the score on a grid of sixteenths; what stays is nevertheless kept to the tick. A note that does not
sound in any free cell stays the very note it was. Of a note that reaches into free cells, what lies outside them stays:
it keeps its beginning, and ends at the border unless the new music holds it on; and where it sounds on behind them, the
new music arrives at its pitch, and it keeps its end. New notes stand on the grid, but never over a note of their voice
that stays, or over one of the same pitch in the same part.

To the model a voice that is silent all through is as good as given: it would go on in silence, and draw the others with
it. So where a voice has no note at all it is imagined around the free cells: composed along, and dropped afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.bundle import Bundle
from kantor.errors import BundleError, OptionError, ScoreError
from kantor.representations import Ids, Mask
from kantor.representations.cells import HELD, Cells
from kantor.representations.chorale import LOWEST, SOUNDS, STEP
from kantor.rules import OPEN, View, check_agreement
from kantor.rules.locked import Locked
from kantor.sampling.filters import Filters
from kantor.sampling.gibbs import SWEEPS, fill
from kantor.sampling.guard import Asked, Guard, named
from kantor.score import NOTE, VOICES, Part, Score
from kantor.theory import note_in
from kantor.verbs._compose import Take, pitches_of, randoms
from kantor.verbs._models import model_of, opened
from kantor.verbs._steering import Steering
from kantor.verbs.generate import advice, finish
from kantor.verbs.piece import Piece

__all__ = [
    "DEFAULT_MODEL",
    "Canvas",
    "checked",
    "filled",
    "imagined",
    "two_sided",
    "voice_of",
]

DEFAULT_MODEL = "chorale-infill"
MAX_SWEEPS = 10_000
FRAMES_PER_QUARTER = 4
AROUND = 128  # frames on either side of what is free in which voices that the music lacks are imagined


@dataclass(frozen=True)
class Canvas:
    """A score, and which voice sings each of its notes.

    Attributes
    ----------
    score   the given music; a sixteenth is a whole number of its ticks.
    voice   (notes,) 0 soprano .. 3 bass, -1 for what no voice sings (drums).
    parts   those of the result: the score's, and perhaps more.
    homes   the part in which each voice's new notes stand.
    """

    score: Score
    voice: Ids
    parts: tuple[Part, ...]
    homes: tuple[int, ...]

    @property
    def frames(self) -> int:
        """Sixteenths of the piece."""
        return int(_frame(self.score.length_ticks, self.score))

    def singing(self) -> list[int]:
        """The voices that have any note."""
        return [voice for voice in range(len(VOICES)) if (self.voice == voice).any()]

    def sung(self) -> Score:
        """The four voices alone."""
        notes = self.score.notes[self.voice >= 0].copy()
        notes["part"] = self.voice[self.voice >= 0]
        return self.score.replace(notes=notes, parts=tuple(Part(name) for name in VOICES))

    def sources(self) -> Ids:
        """(frames, voices) which note sounds in each cell, -1 for none."""
        found = np.full((self.frames, len(VOICES)), -1)
        begin, end = self.span()
        for note in np.flatnonzero(self.voice >= 0).tolist():
            found[begin[note] : end[note], self.voice[note]] = note
        return found

    def span(self) -> tuple[Ids, Ids]:
        """The first frame of each note, and the one behind its last."""
        notes = self.score.notes
        begin = _frame(notes["onset"], self.score)
        return begin, np.maximum(_frame(notes["onset"] + notes["duration"], self.score), begin + 1)


def _frame(tick: Any, score: Score) -> Any:
    """The sixteenth nearest to a tick, halves up, as the grid has it."""
    return np.floor(tick * FRAMES_PER_QUARTER / score.ticks_per_quarter + 0.5).astype(np.int64)


def in_sixteenths(score: Score) -> Score:
    """The score at a resolution in which a sixteenth is a whole number of ticks; mostly its own."""
    return score.at(math.lcm(score.ticks_per_quarter, FRAMES_PER_QUARTER))


def two_sided(model: str | Any) -> Bundle:
    """The model, if it is one that fills in.

    Raises
    ------
    UnknownNameError, BundleError
        If there is no such model, or it only knows what comes before.
    """
    bundle = opened(model)
    if bundle.representation.name != Cells.name:
        raise BundleError(
            f"expected a model that sees both sides, got '{bundle.name}', which composes from left to right; "
            f"try {DEFAULT_MODEL}."
        )
    return bundle


def checked(sweeps: int | None) -> int:
    """The number of sweeps.

    Raises
    ------
    OptionError
        If it is out of range.
    """
    if sweeps is not None and not 0 <= sweeps <= MAX_SWEEPS:
        raise OptionError(f"expected from 0 to {MAX_SWEEPS} sweeps, got {sweeps}; {SWEEPS} is the default.")
    return SWEEPS if sweeps is None else sweeps


def voice_of(name: str) -> int:
    """The number of a voice by its name or its initial.

    Raises
    ------
    OptionError
        For any other name.
    """
    known = [voice.lower() for voice in VOICES]
    found = [number for number, voice in enumerate(known) if name.strip().lower() in (voice, voice[0])]
    if not found:
        raise OptionError(f"expected a voice among {', '.join(known)}, got '{name}'.")
    return found[0]


def filled(
    bundle: Bundle,
    canvas: Canvas,
    free: Mask,
    recipe: dict[str, Any],
    *,
    held: Steering,
    filters: Filters,
    sweeps: int,
    takes: Sequence[int],
    imagined: Mask | None = None,
    remarks: tuple[str, ...] = (),
    advance: Callable[[float], None] = lambda _: None,
) -> list[Piece]:
    """Fill the ``free`` (frames, voices) cells of a canvas, once a take; ``recipe`` has the seed.

    Those that are ``imagined`` are filled along with them, and are silent again in the end.

    Raises
    ------
    ScoreError
        If the music is beyond the grid's range, or a note stands in the way of one that is locked.
    RuleError, DeadEndError
        If the rules cannot be kept.
    """
    encoding = bundle.representation.encode(canvas.sung())
    plan, rules = encoding.plan, held.rules
    guard = Guard(rules, [plan], STEP, voiced=True)
    hard = {name: one.rule.bound(plan, STEP) for name, one in named(rules).items() if one.weight is None}
    check_agreement(hard, plan, STEP)
    free = free if imagined is None else free & ~imagined
    whole = free if imagined is None else free | imagined
    broken = _check_given(plan, encoding.values, whole, rules)
    drawn: dict[str, Any] = {"guard": guard, "sweeps": sweeps, "filters": filters, "advance": advance}
    found = fill(
        model_of(bundle),
        bundle.representation,
        plan,
        encoding.values,
        whole,
        [randoms(int(recipe["seed"]), take) for take in takes],
        within=pitches_of(bundle, ranges=held.within),
        joints=_joints(canvas, whole),
        bare=not canvas.score.meters,
        **drawn,
    )
    pieces = []
    for row, take in enumerate(takes):
        nats, cost = found.nats[row][free], found.cost[row][free]
        cells = _without(found.cells[row], whole & ~free)
        done = Take(cells, nats, cost=cost, dead_ends=int(found.dead_ends[row]))
        score, said = _score(canvas, free, cells), (*remarks, *broken, *_silence(cells, free, rules))
        pieces.append(finish(bundle, score, done, {**recipe, "take": take}, said, cells=len(nats)))
    return pieces


def imagined(canvas: Canvas, free: Mask) -> Mask:
    """(frames, voices) cells near free ones of voices that the music lacks, which are composed along."""
    wanted = np.flatnonzero(free.any(1))
    near = np.zeros_like(free)
    near[max(int(wanted[0]) - AROUND, 0) : int(wanted[-1]) + 1 + AROUND] = True
    near[:, canvas.singing()] = False
    return near & ~free


def _without(cells: Ids, imagined: Mask) -> Ids:
    """The cells (frames, voices) with silence where they were imagined; a note held on from there begins anew."""
    kept = np.where(imagined, 0, cells)
    cut = np.zeros_like(imagined)
    cut[1:] = imagined[:-1] & (kept[1:] > HELD)
    return np.where(cut, kept - HELD, kept)


def _silence(cells: Ids, free: Mask, rules: Sequence[Asked]) -> tuple[str, ...]:
    """A remark where voices were to be composed, and none of what was composed of them sounds."""
    silent = [VOICES[voice].lower() for voice in np.flatnonzero(free.any(0)) if not cells[free[:, voice], voice].any()]
    if not silent:
        return ()
    named = " and the ".join([", the ".join(silent[:-1]), silent[-1]] if len(silent) > 1 else silent)
    return (f"nothing sounds in what was composed of the {named}; {advice(rules)}",)


def _check_given(plan: Score, values: Ids, free: Mask, rules: Sequence[Asked]) -> tuple[str, ...]:
    """Remarks where what stays breaks, by itself, a hard rule for single notes (a key, say) that was asked for.

    What is added is judged by its own notes; a note that is given can only stand in the way of one that is locked.
    """
    pitch = np.where(free, OPEN, SOUNDS[Cells.pitches(values)])
    view = View(pitch, (values > 0) & (values <= HELD) & ~free, np.arange(len(pitch)))
    remarks = []
    for name, one in named(rules).items():
        if one.weight is not None or one.rule.reach or "voices" in one.rule.needs:
            continue
        wrong = np.argwhere(one.rule.bound(plan, STEP).faults(view))
        if not len(wrong):
            continue
        frame, voice = wrong[0].tolist()
        sounds, keys = int(pitch[frame, voice]), plan.keys
        note = note_in(sounds, keys[0] if keys else None) if sounds >= 0 else "a rest"
        what = f"{note} in {plan.bar_name(frame * STEP)} ({VOICES[voice].lower()})"
        if isinstance(one.rule, Locked):
            raise ScoreError(f"expected given music that keeps the rule {name}, got {what}; compose it anew, too.")
        remarks.append(f"the given music does not keep {one}, first with {what}; what is added does")
    return tuple(remarks)


def _joints(canvas: Canvas, free: Mask) -> Mask:
    """(frames, voices) where a selection begins, and the note before it ends: that note is not to be held on."""
    source = canvas.sources()
    joints = np.zeros_like(free)
    joints[1:] = free[1:] & ~free[:-1] & (source[1:] != source[:-1])
    return joints


# -- the score that comes of it --------------------------------------------------------------------------------------


def _score(canvas: Canvas, free: Mask, cells: Ids) -> Score:
    """The canvas with these cells (frames, voices) in place of the free ones."""
    given, source = canvas.score, canvas.sources()
    touched = _touched(canvas, free, source)
    kept = given.notes[~touched]
    loud = int(np.median(given.notes["velocity"])) if len(given) else 80
    new = []
    for voice in np.flatnonzero(free.any(0)).tolist():
        mine, home = given.notes[~touched & (canvas.voice == voice)], canvas.homes[voice]
        for run in _runs(given, free[:, voice], source[:, voice], touched, cells[:, voice]):
            alike = kept[(kept["part"] == home) & (kept["pitch"] == run.pitch)]
            run = run.beside(mine).beside(alike).until(given.length_ticks)
            if run.end > run.onset:
                new.append((run.onset, run.end - run.onset, run.pitch, run.velocity or loud, home))
    added = np.array(new, dtype=NOTE) if new else np.empty(0, dtype=NOTE)
    return given.replace(notes=np.concatenate([kept, added]).astype(NOTE), parts=canvas.parts, recipe="")


@dataclass(frozen=True)
class _Run:
    """A note that is new, or partly; what stays of an old one is exact: its beginning, or its end."""

    onset: int
    end: int
    pitch: int
    velocity: int = 0  # not known
    begun: bool = False
    ended: bool = False

    def beside(self, kept: NDArray[np.void]) -> _Run:
        """Cut so that it sounds neither into the kept note before it nor into the one behind, of ``kept`` by onset."""
        onset, end = self.onset, self.end
        behind = int(np.searchsorted(kept["onset"], onset, side="right"))
        if behind and not self.begun:
            onset = max(onset, int(kept["onset"][behind - 1] + kept["duration"][behind - 1]))
        if behind < len(kept) and not self.ended:
            end = min(end, int(kept["onset"][behind]))
        return replace(self, onset=onset, end=end)

    def until(self, end: int) -> _Run:
        """Cut where the piece ends, should that be between two sixteenths."""
        return replace(self, end=min(self.end, end))


def _touched(canvas: Canvas, free: Mask, source: Ids) -> Mask:
    """(notes,) which notes sound in a free cell; one that no cell shows (two in one sixteenth) where it begins."""
    touched = np.zeros(len(canvas.score), dtype=np.bool_)
    touched[source[free & (source >= 0)]] = True
    begin, _ = canvas.span()
    unseen = np.setdiff1d(np.flatnonzero(canvas.voice >= 0), source)
    place = np.minimum(begin[unseen], len(free) - 1)
    touched[unseen] = free[place, canvas.voice[unseen]]
    return touched


def _runs(given: Score, free: Mask, source: Ids, touched: Mask, cells: Ids) -> list[_Run]:
    """A voice's notes that are not the very ones that were given."""
    tick = given.ticks_per_quarter // FRAMES_PER_QUARTER
    pitch, old = Cells.pitches(cells), given.notes
    out = []
    for begin in np.flatnonzero((pitch > 0) & (cells <= HELD)).tolist():
        end = begin + 1
        while end < len(cells) and cells[end] == pitch[begin] + HELD:
            end += 1
        first, last = int(source[begin]), int(source[end - 1])
        if not free[begin:end].any() and not touched[first]:
            continue  # stays as it is
        run = _Run(begin * tick, end * tick, int(pitch[begin]) + LOWEST - 1)
        if not free[begin]:
            run = replace(run, onset=int(old["onset"][first]), velocity=int(old["velocity"][first]), begun=True)
        if not free[end - 1] and (end == len(cells) or source[end] != last):  # the old note's own end, and no border
            run = replace(run, end=int(old["onset"][last] + old["duration"][last]), ended=True)
        out.append(run)
    return out
