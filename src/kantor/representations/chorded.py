"""A choir that first says which chord it is about to sing: one step is one frame, its chord, then a field each voice.

The chord is no condition that somebody gives. It follows from the pitches that sound in the frame, and it is predicted
like the voices, before them: its nats are charged, but it is no cell (``Field.implied``). So

    p(chord) p(voices | chord) = p(chord, voices) <= p(voices)

for the chord that the voices make, and the nats of all five fields over the *four* cells of a frame are an upper bound
on what the voices alone cost: a figure that may stand beside those of :mod:`kantor.representations.choir`.

Chords are named by root and quality: the four triads and five seventh chords of :data:`QUALITIES`, in any inversion and
doubling, also without their fifth where a third remains. Augmented triads and diminished sevenths have no root of their
own, so the lowest note is called that. Anything else is "other"; where nobody sings the chord is silence.

A model that composes may draw a chord and then sing another: the grammar does not hold the voices to it, and what they
sing is what is decoded. What the next step is shown is the chord as it was drawn, whereas encodings have the true one:
one step after the other is the same as a piece at once, but a piece may be walked in more ways than it is encoded
(``unique`` is False). All else, conditions included, is the choir's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import ClassVar, Literal

import numpy as np

from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations.choir import Choir
from kantor.representations.chorale import BEFORE, LOWEST, SILENCE, STEP
from kantor.score import VOICES, Score
from kantor.theory import SYMBOLS, TRIADS

__all__ = ["CHORD", "PART", "QUALITIES", "Chorded", "chords_of"]

#: What a class of a chord means: the pitch class of its root, and the place of its quality in QUALITIES; -1: none.
CHORD = np.dtype([("root", "<i2"), ("quality", "<i2")])

#: Semitones above the root, by name.
QUALITIES: dict[str, tuple[int, ...]] = {
    **TRIADS,
    "dominant seventh": SYMBOLS["7"],
    "minor seventh": SYMBOLS["m7"],
    "half-diminished seventh": SYMBOLS["m7b5"],
    "major seventh": SYMBOLS["maj7"],
    "diminished seventh": SYMBOLS["dim7"],
}
FIFTH = 7  # semitones
NONE, OTHER = 12 * len(QUALITIES), 12 * len(QUALITIES) + 1  # classes: nobody sings, and a chord without a name


@dataclass(frozen=True)
class Chorded:
    """The representation.

    Parameters
    ----------
    spelling    "plain" or "full", as of the chorale.
    order       in which the voices of a frame are decided: soprano, alto, tenor, bass by their initials.
    inputs      names of the conditions, as of the choir.
    """

    spelling: Literal["plain", "full"] = "plain"
    order: str = "SATB"
    inputs: tuple[str, ...] = ()

    voices: ClassVar[int] = len(VOICES)
    name: ClassVar[str] = "chorded"
    unit: ClassVar[str] = "cell"
    unique: ClassVar[bool] = False
    closes: ClassVar[bool] = True
    step: ClassVar[int] = STEP
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = True
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        _ = self.choir

    @cached_property
    def choir(self) -> Choir:
        """The same music without its chords."""
        return Choir(spelling=self.spelling, order=self.order, inputs=self.inputs)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The chord, then the voices in their order."""
        named = [(root, quality) for quality in range(len(QUALITIES)) for root in range(12)]
        table = np.array([*named, (-1, -1), (-1, -1)], dtype=CHORD)
        return (Field("chord", table, implied=True), *self.choir.fields)

    @property
    def hold(self) -> int | None:
        """The class of a cell that goes on; None where the spelling has none."""
        return self.choir.hold

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns that ``inputs`` ask for."""
        return self.choir.conditions

    def learn(self, scores: Sequence[Score]) -> Chorded:
        """Itself: its tables are the same for all music."""
        return self

    # -- score <-> steps -----------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score at the grid's resolution, in four parts, without its notes."""
        return self.choir.plan(score)

    def canonical(self, score: Score) -> Score:
        """What the grid keeps of a score: four lines, onsets and ends at sixteenths, no velocities."""
        return self.choir.canonical(score)

    def length(self, plan: Score) -> int:
        """Number of steps of a piece planned so."""
        return self.choir.length(plan)

    def until(self, values: Ids, tick: int) -> int:
        """Number of frames before ``tick`` of the plan."""
        return self.choir.until(values, tick)

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) the frame of each step: its number."""
        return self.choir.frames(encoding)

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's frames, each with its true chord, and their conditions; ``bare`` as of the chorale."""
        sung = self.choir.encode(score, bare=bare)
        return replace(sung, values=np.concatenate([self.chords(sung.values)[:, None], sung.values], axis=1))

    def chords(self, cells: Ids) -> Ids:
        """(frames,) the class of the chord that sounds, of (frames, voices) classes of cells from a beginning on."""
        return chords_of(_sounding(cells, self.hold))

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, 1 + voices): what the voices sing, whatever chord was said before it."""
        return self.choir.decode(_cells(np.asarray(values)), plan)

    def changed(self, encoding: Encoding) -> Mask:
        """(steps, 1 + voices) True where the chord is another, or a cell no copy of its voice's last one."""
        chord = encoding.values[:, :1]
        other = np.concatenate([np.ones((1, 1), dtype=np.bool_), chord[1:] != chord[:-1]])[: len(chord)]
        sung = self.choir.changed(replace(encoding, values=_cells(encoding.values), wanted=None))
        return np.concatenate([other, sung], axis=1)

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The conditions of one piece a plan, one frame at a time; as of the choir."""
        return _Chorded(self.choir.derive(*plans, within=within, joint=joint, notes=notes))


class _Chorded:
    """Conditions and grammar of the choir, which hears nothing of the chord: any may be said, and none is judged."""

    def __init__(self, choir: Deriver) -> None:
        self._choir = choir
        self.conditions, self.keep, self.begin = choir.conditions, choir.keep, choir.begin
        self.done, self.progress = choir.done, choir.progress

    def allowed(self, field: int, values: Ids) -> Mask | None:
        return self._choir.allowed(field - 1, _cells(values)) if field else None

    def situation(self, field: int, values: Ids, reach: int) -> Situation | None:
        return self._choir.situation(field - 1, _cells(values), reach) if field else None

    def push(self, values: Ids) -> None:
        self._choir.push(_cells(values))


def chords_of(sounding: Ids) -> Ids:
    """(...,) the class of the chord that sounds, of (..., voices) pitch ids: 0 for silence, else 1 for C2 and up."""
    sings = sounding != SILENCE
    lowest = np.where(sings, sounding, BEFORE).min(-1) + LOWEST - 1
    heard = np.where(sings, 1 << (sounding + LOWEST - 1) % 12, 0)
    found: Ids = _table()[lowest % 12, np.bitwise_or.reduce(heard, axis=-1)]
    return found


@cache
def _table() -> Ids:
    """(12, 4096) the class of a chord, by the pitch class of its lowest note and the set of all, a bit each."""
    table = np.full((12, 1 << 12), OTHER, dtype=np.int64)
    table[:, 0] = NONE
    for quality, above in enumerate(QUALITIES.values()):
        symmetric = len({_set(above, root) for root in above}) == 1
        for root in range(12):
            lowest = [root] if symmetric else range(12)
            table[lowest, _set(above, root)] = 12 * quality + root
            if FIFTH in above:
                table[lowest, _set(tuple(step for step in above if step != FIFTH), root)] = 12 * quality + root
    return table


def _set(above: tuple[int, ...], root: int) -> int:
    """The pitch classes of a chord, a bit each."""
    return sum(1 << (root + step) % 12 for step in above)


def _sounding(cells: Ids, hold: int | None) -> Ids:
    """(frames, voices) pitch ids: what a hold holds is what its voice sang last."""
    if hold is None:
        return cells
    source = np.maximum.accumulate(np.where(cells == hold, 0, np.arange(len(cells))[:, None]), axis=0)
    sung = np.take_along_axis(cells, source, axis=0)
    return np.where(sung == hold, SILENCE, sung)  # before anything was sung


def _cells(values: Ids) -> Ids:
    """The voices' columns of steps that begin with a chord."""
    return values[..., 1:]


PART = Chorded
