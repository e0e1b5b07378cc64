"""Kantor learns from scores and composes.

>>> import kantor
>>> piece = kantor.generate(bars=8, key="Gm", seed=1)[0]  # doctest: +SKIP
>>> piece.save("out/piece.mid", "out/piece.wav")  # doctest: +SKIP

The names below are the front door; each is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kantor import corpora, io, render, rules
    from kantor.bundle import Bundle, load
    from kantor.errors import KantorError
    from kantor.score import Key, Meter, Part, Score, Tempo
    from kantor.verbs.check import check
    from kantor.verbs.compare import compare
    from kantor.verbs.continue_ import continue_
    from kantor.verbs.evaluate import evaluate
    from kantor.verbs.generate import generate
    from kantor.verbs.harmonize import harmonize
    from kantor.verbs.infill import infill
    from kantor.verbs.inspect import inspect
    from kantor.verbs.judge import judge
    from kantor.verbs.piece import Piece
    from kantor.verbs.plot import plot
    from kantor.verbs.replay import replay
    from kantor.verbs.train import train

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "KantorError",
    "Key",
    "Meter",
    "Part",
    "Piece",
    "Score",
    "Tempo",
    "check",
    "compare",
    "continue_",
    "corpora",
    "evaluate",
    "generate",
    "harmonize",
    "infill",
    "inspect",
    "io",
    "judge",
    "load",
    "plot",
    "render",
    "replay",
    "rules",
    "train",
]

ROOMS = ("corpora", "io", "render", "rules")
VERBS = (
    "check",
    "compare",
    "continue_",
    "evaluate",
    "generate",
    "harmonize",
    "infill",
    "inspect",
    "judge",
    "plot",
    "replay",
    "train",
)
_HOMES = {
    "Bundle": "kantor.bundle",
    "KantorError": "kantor.errors",
    **dict.fromkeys(("Key", "Meter", "Part", "Score", "Tempo"), "kantor.score"),
    "Piece": "kantor.verbs.piece",
    **{verb: f"kantor.verbs.{verb}" for verb in VERBS},
    "load": "kantor.bundle",
}


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return importlib.import_module(f"kantor.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'kantor' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
