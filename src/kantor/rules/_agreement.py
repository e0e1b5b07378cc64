"""Do rules leave each other anything? Two that ask for different things in one place contradict each other.

Each rule is asked, for single frames of the plan, what a voice may sound when all else is open. Where two rules have no
pitch in common for a voice, or one asks for a chord whose notes another forbids, no piece can keep both: better to say
so now than after bars of music.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kantor.errors import RuleError
from kantor.rules._view import OPEN, Rule, View
from kantor.score import PITCH_NAMES, VOICES, Score

__all__ = ["check_agreement"]

MOST = 256  # moments of a rule that are asked about; a contradiction beyond them is found by the music
END = 16  # frames


def check_agreement(rules: Mapping[str, Rule], plan: Score, step: int, *, voiced: bool = True) -> None:
    """Refuse hard rules, bound to ``plan``, that contradict each other; by the names they are to bear.

    Raises
    ------
    RuleError
        Naming two of them, and the bar.
    """
    frames = _asked(rules, plan, step)
    admitted = {name: _admitted(rule, frames, voiced) for name, rule in rules.items()}
    for one, other in combinations(rules, 2):
        both = admitted[one] & admitted[other]
        empty = ~both.any(-1) & admitted[one].any(-1) & admitted[other].any(-1)
        if empty.any():
            _refuse(one, other, plan, step, int(frames[np.argmax(empty.any(-1))]), "leave no note in common")
    for one in rules:
        for other in rules:
            asks = getattr(rules[one], "essential", None)
            if asks is None or one == other:
                continue
            for row, frame in enumerate(frames.tolist()):
                may = admitted[one][row].any(0) & admitted[other][row].any(0)
                missing = [note for note in sorted(asks(frame)) if not may[note::12].any()]
                if missing:
                    _refuse(one, other, plan, step, frame, f"disagree about {PITCH_NAMES[missing[0]]}")


def _asked(rules: Mapping[str, Rule], plan: Score, step: int) -> NDArray[np.int64]:
    """Frames to ask about: where rules ask for something new (``moments``), where keys begin, and the end."""
    count = max(plan.length_ticks // step, 1)
    starts = [np.asarray(getattr(rule, "moments", ()), dtype=np.int64)[:MOST] for rule in rules.values()]
    keys = np.array([-(-key.tick // step) for key in plan.keys], dtype=np.int64)
    asked = np.unique(np.concatenate([[0], *starts, keys[:MOST], np.arange(max(count - END, 0), count)]))
    found: NDArray[np.int64] = asked[asked < count].astype(np.int64)
    return found


def _admitted(rule: Rule, frames: NDArray[np.int64], voiced: bool) -> NDArray[np.bool_]:
    """(frames, voices, 128) what each voice may strike, all else open."""
    columns = len(VOICES) if voiced else 1
    out = np.empty((len(frames), columns, 128), dtype=np.bool_)
    for voice in range(columns):
        pitch = np.full((len(frames), 128, 1, columns), OPEN)
        pitch[..., 0, voice] = np.arange(128)
        struck = np.zeros(pitch.shape, dtype=np.bool_)
        struck[..., voice] = True
        out[:, voice] = ~rule.faults(View(pitch, struck, frames[:, None, None], voiced)).any((-1, -2))
    return out


def _refuse(one: str, other: str, plan: Score, step: int, frame: int, how: str) -> None:
    bar = int(np.searchsorted(plan.bars["start"], frame * step, side="right")) - (plan.bars["offset"][0] > 0)
    raise RuleError(
        f"expected rules that can be kept together, got {one} and {other}, which {how} in bar {bar}; drop one."
    )
