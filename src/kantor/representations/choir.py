"""A chorale a sixteenth at a time, its voices decided in turn: one step is one *frame*, a field for each voice.

The grid, its two spellings and what the conditions mean are those of :mod:`kantor.representations.chorale`; so are the
likelihoods, for a frame's cells are the same classes, each told by what came before and by the voices of the frame that
are decided already. But a network steps once a sixteenth, not four times: for the same time in training it can be
larger, and a bar ago is sixteen steps ago instead of sixty-four.

Conditions are those of the chorale that do not belong to one voice: ``phase``, ``last``, ``now`` (the same, soprano
first), ``held``, ``lag-N``, and the planned ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from kantor.errors import OptionError
from kantor.representations import Condition, Deriver, Encoding, Field, Ids, Mask, Situation
from kantor.representations.chorale import STEP, CellDeriver, Chorale
from kantor.score import VOICES, Score

__all__ = ["PART", "Choir"]


@dataclass(frozen=True)
class Choir:
    """The representation.

    Parameters
    ----------
    spelling    "plain" or "full", as of the chorale.
    order       in which the voices of a frame are decided: soprano, alto, tenor, bass by their initials.
    inputs      names of the conditions, see the module's docstring.
    """

    spelling: Literal["plain", "full"] = "plain"
    order: str = "SATB"
    inputs: tuple[str, ...] = ()

    voices: ClassVar[int] = len(VOICES)
    name: ClassVar[str] = "choir"
    unit: ClassVar[str] = "cell"
    unique: ClassVar[bool] = True
    closes: ClassVar[bool] = True
    step: ClassVar[int] = STEP
    ruled: ClassVar[bool] = True
    voiced: ClassVar[bool] = True
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        for name in ("voice", "own"):
            if name in self.inputs:
                raise OptionError(
                    f"expected inputs of a whole frame, got '{name}', which is one voice's; leave it out."
                )
        _ = self.conditions

    @cached_property
    def turns(self) -> Chorale:
        """The same music, cell by cell."""
        return Chorale(spelling=self.spelling, order=self.order, inputs=self.inputs)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """One field a voice, in their order; rows of (MIDI pitch, -1: none; whether it is an attack)."""
        return tuple(replace(self.turns.fields[0], name=VOICES[voice].lower()) for voice in self.turns.turns)

    @property
    def hold(self) -> int | None:
        """The class of a cell that goes on; None where the spelling has none."""
        return self.turns.hold

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns that ``inputs`` ask for."""
        return self.turns.conditions

    def learn(self, scores: Sequence[Score]) -> Choir:
        """Itself: its table is the same for all music."""
        return self

    # -- score <-> steps -----------------------------------------------------------------------------------------

    def plan(self, score: Score) -> Score:
        """The same score at the grid's resolution, in four parts, without its notes."""
        return self.turns.plan(score)

    def canonical(self, score: Score) -> Score:
        """What the grid keeps of a score: four lines, onsets and ends at sixteenths, no velocities."""
        return self.turns.canonical(score)

    def length(self, plan: Score) -> int:
        """Number of steps of a piece planned so."""
        return plan.length_ticks // STEP

    def until(self, values: Ids, tick: int) -> int:
        """Number of frames before ``tick`` of the plan."""
        return min(tick // STEP, len(values))

    def frames(self, encoding: Encoding) -> Ids:
        """(steps,) the frame of each step: its number."""
        return np.arange(len(encoding))

    def encode(self, score: Score, *, bare: bool = False) -> Encoding:
        """The score's frames and their conditions; ``bare`` as of :meth:`Chorale.encode`."""
        cells = self.turns.encode(score, bare=bare)
        return replace(cells, values=cells.values.reshape(-1, self.voices), conditions=cells.conditions[:: self.voices])

    def decode(self, values: Ids, plan: Score) -> Score:
        """The score of ``values`` (steps, voices)."""
        return self.turns.decode(np.asarray(values).reshape(-1, 1), plan)

    def changed(self, encoding: Encoding) -> Mask:
        """(steps, voices) True where a cell is not a copy of its voice's last one; all of the first frame."""
        cells = Encoding(encoding.values.reshape(-1, 1), encoding.conditions, encoding.plan)
        return self.turns.changed(cells).reshape(-1, self.voices)

    def derive(
        self, *plans: Score, within: Mask | None = None, joint: int | None = None, notes: int | None = None
    ) -> Deriver:
        """The conditions of one piece a plan, one frame at a time; as of the chorale, ``joint`` counted in frames."""
        whole = None if joint is None else joint * self.voices
        return _Frames(self.turns.derive(*plans, within=within, joint=whole, notes=notes))


class _Frames:
    """Conditions and grammar by the frame, from those by the cell.

    Between two pushes the cells' deriver stands at the beginning of a frame. To judge a later voice it is shown the
    frame as far as it is decided, and forgets it again.
    """

    def __init__(self, cells: CellDeriver) -> None:
        self._cells = cells
        self.conditions, self.keep, self.begin = cells.conditions, cells.keep, cells.begin
        self.done, self.progress = cells.done, cells.progress

    def allowed(self, field: int, values: Ids) -> Mask | None:
        return self._cells.admitted(field)

    def situation(self, field: int, values: Ids, reach: int) -> Situation | None:
        with self._cells.supposing(values[:, :field]):
            return self._cells.situation(0, values, reach)

    def push(self, values: Ids) -> None:
        for column in range(values.shape[1]):
            self._cells.push(values[:, column : column + 1])


PART = Choir
