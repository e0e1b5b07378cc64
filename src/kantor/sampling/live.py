"""A piece that grows while somebody listens, and changes its mind: turned, halted, taken back, tried another way.

Temperature and rules may change between any two steps. The music can be taken back by bars and go on differently: every
continuation is a *branch* with random numbers of its own, so that a seed, a branch and what was done to it make the
same piece again. What changes the plan itself (another key from here on) takes effect with the next step.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np

from kantor.errors import OptionError
from kantor.representations import Ids, Mask, Representation, decided
from kantor.runtime import Model
from kantor.sampling.asking import Ask, Going, settled
from kantor.sampling.filters import Filters
from kantor.sampling.guard import Asked, Guard
from kantor.sampling.stream import Controls, Decision, deciding
from kantor.score import Score

__all__ = ["Live"]


class Live:
    """One piece in the making. Iterating decides its steps; between two of them everything may be changed.

    Parameters
    ----------
    plan     what is known before it sounds, and how long it is.
    filters  how to draw.
    rules    as they are asked for; hard or soft.
    within   (parts, 128) or (1, 128): the pitches that may be attacked.
    prompt   (steps, columns) that it begins with.
    """

    def __init__(
        self,
        model: Model,
        representation: Representation,
        plan: Score,
        *,
        seed: int = 0,
        filters: Filters | None = None,
        rules: Sequence[Asked] = (),
        within: Mask | None = None,
        prompt: Ids | None = None,
    ) -> None:
        self.model, self._representation = model, representation
        self._seed, self._branch, self._made = seed, 0, 0
        self._plan, self._within = plan, within
        self._rules = tuple(rules)
        self._controls = Controls(filters or Filters())
        given = np.empty((0, decided(representation)), dtype=np.int64) if prompt is None else np.asarray(prompt)
        self._given = len(given)
        self._steps: list[Ids] = list(given)
        self._stream: Generator[Ask | Decision, Any, None] | None = None
        self._asked: Ask | None = None
        self._bind()

    # -- what there is -------------------------------------------------------------------------------------------

    @property
    def values(self) -> Ids:
        """(steps, columns) what has been given and decided so far."""
        return np.array(self._steps, dtype=np.int64).reshape(len(self._steps), decided(self._representation))

    @property
    def score(self) -> Score:
        """The same as music."""
        return self._representation.decode(self.values, self._plan)

    @property
    def plan(self) -> Score:
        """What is known of the whole piece."""
        return self._plan

    @property
    def branch(self) -> int:
        """Which continuation this is, from 0."""
        return self._branch

    # -- going on ------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Decision]:
        return self

    def __next__(self) -> Decision:
        """Decide one step. Whoever does not ask has halted the music; nothing runs meanwhile."""
        decision = settled(self.model, self.deciding())
        if decision is None:
            raise StopIteration
        return decision

    def deciding(self) -> Going[Decision | None]:
        """The same, for whoever has the model answer several pieces at once; None at the end."""
        if self._stream is None:
            self._asked = None
            random = np.random.default_rng([self._seed, self._branch, len(self._steps)])
            self._stream = deciding(
                self.model,
                self._representation,
                self._plan,
                [random],
                self._controls,
                prompt=self.values,
                within=self._within,
            )
        said = self._asked or next(self._stream, None)
        while said is not None and not isinstance(said, Decision):
            self._asked = said  # whoever breaks off here is asked the same again
            answer = yield said
            self._asked = None
            said = self._stream.send(answer)
        if said is not None:
            self._steps.append(said.values[0])
        return said

    # -- changing its mind ---------------------------------------------------------------------------------------

    def turn(
        self, *, filters: Filters | None = None, rules: Sequence[Asked] | None = None, plan: Score | None = None
    ) -> None:
        """Change what is given, from the next step on.

        Raises
        ------
        OptionError
            If the new plan is not as long as the old.
        RuleError
            If a rule cannot be kept here; nothing has changed then.
        """
        if plan is not None and plan.length_ticks != self._plan.length_ticks:
            raise OptionError(
                f"expected a plan of {self._plan.length_ticks} ticks, as long as the piece, got {plan.length_ticks}."
            )
        before = self._plan, self._rules
        self._plan = self._plan if plan is None else plan
        self._rules = self._rules if rules is None else tuple(rules)
        try:
            self._bind()
        except Exception:
            self._plan, self._rules = before
            raise
        if filters is not None:
            self._controls.filters = filters
        if plan is not None:
            self._stream = None

    def back(self, bars: int = 1) -> int:
        """Take back the last bars, the one that is not complete counted as one; what was given stays.

        Returns how many steps are left. What follows is another branch.
        """
        if bars < 1:
            raise OptionError(f"expected to step back by a bar or more, got {bars}.")
        starts = self._plan.bars["start"]
        counts = [self._representation.until(self.values, int(start)) for start in starts]
        begun = [count for count in counts if count < len(self._steps)]
        left = max(begun[-bars] if bars <= len(begun) else 0, self._given)
        return self.other(left)

    def other(self, steps: int | None = None) -> int:
        """Go on differently from step ``steps``; from here unless given. Returns how many steps are left."""
        left = len(self._steps) if steps is None else min(max(steps, self._given), len(self._steps))
        del self._steps[left:]
        self._made += 1
        self._branch, self._stream = self._made, None
        return left

    def _bind(self) -> None:
        known = self._representation
        options = {"voiced": known.voiced, "timed": known.timed}
        self._controls.guard = Guard(self._rules, [self._plan], known.step, **options) if self._rules else None
