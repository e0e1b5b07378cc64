"""Which classes would break a rule, at every step of a piece that is taught.

A likelihood learns from what Bach wrote, never from what he avoided: parallel fifths are rare in the corpus because a
choice was made against them, and a network of some hundred pieces finds only part of it. The rules know every such
place. So a training may press down the probability that falls on what would be a fault there
(``Recipe.faults``; the unlikelihood of Welleck et al. 2020, with the rules' own masks for candidates).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor.errors import OptionError
from kantor.representations import Representation, Situation
from kantor.sampling.guard import Guard, asked
from kantor.score import Score

__all__ = ["Blame"]


class Blame:
    """The rules at work on music that is there already.

    Parameters
    ----------
    representation  of voices, whose steps are known in time: "chorale", "choir" or "chorded".
    rules           by name, as ``--rule`` has them; hard ones.

    Raises
    ------
    OptionError
        If the representation has no voices, a rule is soft, or there is none of its name.
    """

    def __init__(self, representation: Representation, rules: Sequence[str]) -> None:
        if not (representation.voiced and representation.ruled):
            raise OptionError(
                f"expected faults to be 0 for {representation.name}, whose music has no voices to judge; "
                "try a chorale preset."
            )
        self._rules = asked(rules)
        if soft := [one.name for one in self._rules if one.weight is not None]:
            raise OptionError(f"expected fault_rules that are hard, got {', '.join(soft)}, which only weighs.")
        self._representation = representation

    def __call__(self, score: Score, *, bare: bool = False) -> NDArray[np.bool_]:
        """(steps, fields, classes) what would break a rule after the true past, beside the true fields before it.

        The class that is there is never among them, whatever it breaks.

        Raises
        ------
        RuleError
            If the score lacks what a rule needs.
        """
        known = self._representation
        encoding = known.encode(score, bare=bare)
        reach = self._guard(encoding.plan, 1).reach
        deriver = known.derive(encoding.plan)
        alike: dict[tuple[int, int, int], list[tuple[int, Situation]]] = {}
        for step, values in enumerate(encoding.values):
            for field in range(len(values)):
                if situation := deriver.situation(field, values[None], reach):
                    alike.setdefault((field, situation.at, situation.voice), []).append((step, situation))
            deriver.push(values[None])
        wrong = np.zeros((*encoding.values.shape, max(field.size for field in known.fields)), dtype=np.bool_)
        for (field, _, _), found in alike.items():
            steps, situations = zip(*found, strict=True)
            admitted, _ = self._guard(encoding.plan, len(found)).judge(_together(situations))
            if admitted is not None:
                wrong[list(steps), field, : admitted.shape[1]] = ~admitted
        np.put_along_axis(wrong, encoding.values[..., None].astype(np.int64), False, axis=2)
        return wrong

    def _guard(self, plan: Score, pieces: int) -> Guard:
        known = self._representation
        return Guard(self._rules, [plan] * pieces, known.step, voiced=True, timed=known.timed)


def _together(situations: Sequence[Situation]) -> Situation:
    """As many pieces side by side."""

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in situations])

    return situations[0]._replace(
        pitch=joined("pitch"),
        frames=joined("frames"),
        choices=joined("choices"),
        strikes=joined("strikes"),
        struck=joined("struck"),
    )
