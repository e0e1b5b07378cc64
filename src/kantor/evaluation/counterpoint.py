"""Where is the counterpoint at fault, as people say it: "bar 3, beat 2: parallel fifths between soprano and tenor".

The rules of :mod:`kantor.rules` say which voices of a frame are at fault. Between which two a fault lies follows from
what every rule promises, that nothing OPEN is ever at fault: hide all voices but two, and what is found lies between
these two; hide all but one, and it is that one's own. What is found with all of them alone is a fault of the chord.

A fault that can be seen in its frame alone (voices that are crossed) is a state: it lasts, and is told once, where it
begins. Any other is a motion, told where it arrives.

Frames are as fine as the score asks for, up to 24 a quarter, so that nothing that is written is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kantor import registry
from kantor.corpora import estimated_key, key_of
from kantor.errors import RuleError, ScoreError
from kantor.representations._voices import voices
from kantor.rules import OPEN, SILENT, Mask, Rule, View
from kantor.rules._judge import is_line
from kantor.score import TICKS_PER_QUARTER, VOICES, Key, Part, Score
from kantor.theory import key_name

__all__ = ["RULES", "Examined", "Fault", "Lines", "examine", "lines_of", "place_of"]

#: The rules that have something to say of any music, without an option.
RULES = (
    "no-parallels",
    "no-direct",
    "no-crossing",
    "no-overlap",
    "spacing",
    "range",
    "no-augmented",
    "leading-tone",
    "fermata",
    "cadence",
)
OF_CHORDS = ("fermata", "cadence")  # their faults are the chord's: nobody is at fault alone
OF_CHOIRS = ("spacing", "range", *OF_CHORDS)  # how far apart and how high four singers go, and what they sound together
FINEST, COARSEST = TICKS_PER_QUARTER // 24, TICKS_PER_QUARTER // 4
MOST = 8  # voices that are held against each other

#: A group of voices, and in which frames (frames,) it is at fault.
Found = tuple[tuple[int, ...], NDArray[np.bool_]]


@dataclass(frozen=True)
class Fault:
    """One fault of a score.

    Attributes
    ----------
    rule     the name of the rule.
    kind     what it is, in words: "parallel fifths".
    tick     where it is complete, or begins, in ticks of the score; and
    end      where it ends.
    voices   indices of exactly those between which it lies, top down.
    pitches  MIDI pitch of each there; -1 where one is silent.
    before   MIDI pitch of each in the frame before, of a motion; empty of what lasts.
    """

    rule: str
    kind: str
    tick: int
    end: int
    voices: tuple[int, ...]
    pitches: tuple[int, ...]
    before: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lines:
    """A score as voices: ``names`` top down, their notes with ``part`` for voice, and how they were found, if dealt."""

    names: tuple[str, ...]
    score: Score
    remark: str = ""


@dataclass(frozen=True)
class Examined:
    """What came of it: faults by time, the voices' names, (rule, reason) of rules that had nothing to go by, remarks.

    ``lines`` is the score whose parts are the voices; None where these cannot be told.
    """

    faults: tuple[Fault, ...]
    names: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    key: Key | None
    lines: Score | None


def examine(score: Score, rules: Sequence[str] = RULES) -> Examined:
    """All faults of ``score`` under these rules; what a rule needs and the score lacks leaves that rule out."""
    planned, key, remarks = _with_key(score)
    try:
        lines = lines_of(planned)
    except ScoreError as error:
        left_out = tuple((name, "it needs voices") for name in rules)
        remark = f"voices cannot be told, so no rule of voice leading was asked: {error}"
        return Examined((), (), left_out, (*remarks, remark), key, None)
    step = _step(lines.score)
    view = _view(lines.score, len(lines.names), step)
    found: list[Fault] = []
    left: list[tuple[str, str]] = []
    for name in rules:
        if name in OF_CHOIRS and len(lines.names) != len(VOICES):
            left.append(
                (
                    name,
                    f"it is for four voices, here {'is one' if len(lines.names) == 1 else f'are {len(lines.names)}'}",
                )
            )
            continue
        try:
            rule: Rule = registry.part("rules", name)().bound(lines.score, step)
        except RuleError:
            left.append((name, "the score has no " + " and no ".join(sorted(_lacking(name, lines.score)))))
            continue
        found += _faults(name, rule, view, step)
    scale = score.ticks_per_quarter / TICKS_PER_QUARTER
    order = {name: at for at, name in enumerate(rules)}
    moved = [_at(fault, scale) for fault in found]
    faults = tuple(sorted(moved, key=lambda fault: (fault.tick, order[fault.rule], fault.voices)))
    remarks = (*remarks, lines.remark) if lines.remark else remarks
    return Examined(faults, lines.names, tuple(left), remarks, key, lines.score)


def lines_of(score: Score) -> Lines:
    """The voices of ``score`` at 480 ticks a quarter, highest first, drums left out.

    Parts that are lines are voices as they stand: up to eight of them, turned round where the bass comes first. Two
    staves are two voices each. What else has no more than four notes at a time is dealt out so that voices move as
    little as they can.

    Raises
    ------
    ScoreError
        If more than that sounds at once, or nothing.
    """
    score = score.at(TICKS_PER_QUARTER).replace(notes=score.at(TICKS_PER_QUARTER).pitched)
    used = np.unique(score.notes["part"]).tolist()
    if not used:
        raise ScoreError("expected music of several voices, got a score without notes.")
    parts = [score.notes[score.notes["part"] == part] for part in used]
    if len(used) <= MOST and all(is_line(part, TICKS_PER_QUARTER) for part in parts):
        return _as_parts(score, used, parts)
    if len(used) == 2 and all(_at_once(part) <= 2 for part in parts):
        return _of_staves(score, used, parts)
    notes, _ = voices(score, len(VOICES))
    return Lines(
        VOICES, score.replace(notes=notes, parts=_choir(score)), "voices were told apart by how little each moves"
    )


def place_of(score: Score, tick: int) -> tuple[int, float]:
    """(bar, beat) of ``tick`` as the score counts: bars from 1, a pickup is bar 0; beats from 1, of its meter."""
    bars = score.bars
    at = max(int(np.searchsorted(bars["start"], tick, side="right")) - 1, 0)
    meter = next((meter for meter in reversed(score.meters) if meter.tick <= bars["start"][at]), None)
    beat = score.ticks_per_quarter * 4 / (meter.denominator if meter else 4)
    into = tick - int(bars["start"][at]) + int(bars["offset"][at])
    return score.bar_number(tick), round(1 + into / beat, 3)


# -- the score -------------------------------------------------------------------------------------------------------


def _with_key(score: Score) -> tuple[Score, Key | None, tuple[str, ...]]:
    """The score with a key of known mode where one can be told, that key, and what has to be said of it."""
    if score.keys and all(key.mode for key in score.keys):
        return score, score.keys[0], ()
    key = key_of(score) if score.keys else estimated_key(score)
    if key is None:
        return score, None, ("the score has no key, and its notes prefer none",)
    whole = "mode" if score.keys else "key"
    remark = f"the {whole} was estimated from the notes: {key_name(key)}"
    if not score.keys:
        return score.replace(keys=(Key(0, key.fifths, key.mode),)), key, (remark,)
    keys = tuple(Key(k.tick, k.fifths, k.mode or key.mode) for k in score.keys)
    return score.replace(keys=keys), key, (remark,)


def _lacking(rule: str, score: Score) -> set[str]:
    needs = registry.part("rules", rule)().needs
    return {what for what, there in (("key", score.keys), ("fermatas", score.fermatas)) if what in needs and not there}


def _as_parts(score: Score, used: list[int], parts: list[NDArray[np.void]]) -> Lines:
    """Parts as they are; the highest first, unless their names say who they are."""
    names = [score.parts[part].name.strip() for part in used]
    order = list(range(len(used)))
    if tuple(name.lower() for name in names) != tuple(name.lower() for name in VOICES):
        height = [float(part["pitch"].mean()) for part in parts]
        order = sorted(order, key=lambda at: -height[at]) if height[0] < height[-1] else order
        names = list(VOICES) if len(used) == len(VOICES) else [name or f"Voice {n + 1}" for n, name in enumerate(names)]
        names = names if len(used) == len(VOICES) else [names[at] for at in order]
    notes = score.notes.copy()
    place = {used[at]: voice for voice, at in enumerate(order)}
    notes["part"] = [place[part] for part in notes["part"].tolist()]
    kept = tuple(score.parts[used[at]] for at in order)
    return Lines(tuple(names), score.replace(notes=notes, parts=kept))


def _of_staves(score: Score, used: list[int], parts: list[NDArray[np.void]]) -> Lines:
    """Two staves of two voices each: soprano and alto above, tenor and bass below."""
    upper, lower = (0, 1) if parts[0]["pitch"].mean() >= parts[1]["pitch"].mean() else (1, 0)
    dealt = []
    for first, staff in ((0, upper), (2, lower)):
        alone = parts[staff].copy()
        alone["part"] = 0
        notes = voices(score.replace(notes=alone, parts=(score.parts[used[staff]],)), 2).notes.copy()
        notes["part"] += first
        dealt.append(notes)
    remark = "two staves were read as two voices each"
    return Lines(VOICES, score.replace(notes=np.concatenate(dealt), parts=_choir(score)), remark)


def _choir(score: Score) -> tuple[Part, ...]:
    return tuple(Part(name, score.parts[0].program) for name in VOICES)


def _at_once(notes: NDArray[np.void]) -> int:
    """How many notes sound at once at most."""
    ends = np.sort(notes["onset"] + notes["duration"])
    return int((np.arange(1, len(notes) + 1) - np.searchsorted(ends, notes["onset"], side="right")).max(initial=0))


def _step(score: Score) -> int:
    """Ticks of a frame that holds all onsets and ends; of a performance, a sixteenth."""
    notes = score.notes
    step = int(np.gcd.reduce([COARSEST, *notes["onset"].tolist(), *(notes["onset"] + notes["duration"]).tolist()]))
    return step if step >= FINEST else COARSEST


def _view(score: Score, count: int, step: int) -> View:
    """(frames, voices) what sounds."""
    notes = score.notes
    onset = (2 * notes["onset"] + step) // (2 * step)
    end = np.maximum((2 * (notes["onset"] + notes["duration"]) + step) // (2 * step), onset + 1)
    frames = max(-(-score.length_ticks // step), int(end.max(initial=0)))
    pitch = np.full((frames, count), SILENT)
    struck = np.zeros(pitch.shape, dtype=np.bool_)
    for start, stop, note, voice in zip(onset, end, notes["pitch"], notes["part"], strict=True):
        pitch[start:stop, voice] = note
        struck[start, voice] = True
    return View(pitch, struck, np.arange(frames))


# -- its faults ------------------------------------------------------------------------------------------------------


def _faults(name: str, rule: Rule, view: View, step: int) -> Iterator[Fault]:
    """What one bound rule finds, group by group."""
    lasting = _seen_alone(rule, view)
    for group, wrong in _groups(name, rule, view):
        lasts = len(group) > 1 or name in OF_CHORDS
        still = np.asarray(wrong & lasting[:, group].any(-1) & lasts)
        begins = wrong & ~(np.concatenate([[False], still[:-1]]) & still)
        for frame in np.flatnonzero(begins).tolist():
            stop = frame + 1
            while still[frame] and stop < len(wrong) and still[stop]:
                stop += 1
            now = tuple(view.pitch[frame, group].tolist())
            moves = frame > 0 and not lasting[frame, group].any()
            before = tuple(view.pitch[frame - 1, group].tolist()) if moves else ()
            first = _struck(view, frame) if name in OF_CHORDS else frame
            yield Fault(name, _kind(name, now, before), first * step, stop * step, group, now, before)


def _struck(view: View, frame: int) -> int:
    """The frame in which the chord that sounds began to."""
    begun = np.flatnonzero(view.struck[: frame + 1].any(-1))
    return int(begun[-1]) if len(begun) else frame


def _groups(name: str, rule: Rule, view: View) -> list[Found]:
    """Who is at fault when: voices by themselves, pairs, and what only the whole chord explains."""
    count = view.pitch.shape[-1]
    whole: Mask = rule.faults(view)
    found: list[Found] = []
    explained = np.zeros_like(whole)
    if name not in OF_CHORDS:
        singles = np.stack([_hidden(rule, view, (voice,))[:, voice] for voice in range(count)], axis=-1)
        found = [((voice,), singles[:, voice]) for voice in range(count)]
        explained = singles.copy()
        for pair in combinations(range(count), 2):
            wrong: Mask = _hidden(rule, view, pair) & ~singles
            found.append((pair, np.asarray(wrong.any(-1))))
            explained |= wrong
    rest: Mask = whole & ~explained
    if name in OF_CHORDS:
        return _chords(rest)
    groups = {tuple(np.flatnonzero(row).tolist()) for row in rest[rest.any(-1)]}
    return found + [(group, (rest == np.isin(np.arange(count), group)).all(-1)) for group in sorted(groups)]


def _chords(wrong: Mask) -> list[Found]:
    """Each stretch of wrong chords by itself, with all who are at fault in it: who that is changes as voices move."""
    at_fault = np.asarray(wrong.any(-1))
    number = np.cumsum(at_fault & ~np.concatenate([[False], at_fault[:-1]])) * at_fault
    stretches = [number == stretch for stretch in range(1, int(number.max(initial=0)) + 1)]
    return [(tuple(np.flatnonzero(wrong[frames].any(0)).tolist()), frames) for frames in stretches]


def _hidden(rule: Rule, view: View, shown: tuple[int, ...]) -> Mask:
    """(frames, voices) the faults with all voices OPEN but those ``shown``."""
    kept = np.isin(np.arange(view.pitch.shape[-1]), shown)
    return rule.faults(View(np.where(kept, view.pitch, OPEN), view.struck & kept, view.frames))


def _seen_alone(rule: Rule, view: View) -> Mask:
    """(frames, voices) the faults that are seen when each frame stands alone."""
    alone: Mask = rule.faults(View(view.pitch[:, None], view.struck[:, None], view.frames[:, None]))
    return alone[:, 0]


def _kind(rule: str, now: tuple[int, ...], before: tuple[int, ...]) -> str:
    """What a fault is, in words."""
    if rule in ("no-parallels", "no-direct"):
        apart = abs(now[0] - now[1])
        what = "fifths" if apart % 12 else "octaves" if apart else "unisons"
        same = (now[0] - before[0]) * (now[1] - before[1]) > 0
        return f"direct {what}" if rule == "no-direct" else f"parallel {what}" if same else f"{what} by contrary motion"
    if rule == "leading-tone":
        return "unresolved leading tone" if before else "doubled leading tone"
    if rule == "no-augmented" and before:
        apart = abs(now[0] - before[0])
        named = {3: "augmented second", 6: "tritone", 10: "leap of a seventh", 11: "leap of a seventh"}
        return named.get(apart, "leap beyond an octave")
    return _KINDS.get(rule, rule)


_KINDS = {
    "no-crossing": "crossed voices",
    "no-overlap": "overlapping voices",
    "spacing": "voices too far apart",
    "range": "out of range",
    "fermata": "fermata without a triad",
    "cadence": "no cadence on the tonic",
}


def _at(fault: Fault, scale: float) -> Fault:
    """The same fault in ticks of another resolution."""
    return replace(fault, tick=round(fault.tick * scale), end=round(fault.end * scale))
