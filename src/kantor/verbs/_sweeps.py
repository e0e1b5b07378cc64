"""A folder of trainings, as ``kantor train PRESET --set NAME=a,b,c`` leaves it: a row, and a set of curves, for each.

What is told is read from the folders alone, while they train or long after. The settings of a training of a sweep are
its folder's name, ``hidden=48,embedding=8``. Any folder whose subfolders are trainings will do, ``runs`` for one; where
they are not named after the same settings, each is called by its folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor import io
from kantor.bundle import CARD
from kantor.errors import InputError
from kantor.verbs._logs import best_epoch, is_run, read

__all__ = ["curves_of", "is_sweep", "label", "rows", "trainings"]

_ASIDE = re.compile(r"(.*=.*)-\d+")  # where a variant that was trained anew has its old model
_NUMBER = re.compile(r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?)", re.IGNORECASE)


def is_sweep(folder: Path) -> bool:
    """Whether trainings lie in ``folder``, itself none, and no music beside them."""
    if not folder.is_dir() or is_run(folder) or any(path.suffix.lower() in io.SUFFIXES for path in folder.iterdir()):
        return False
    return bool(trainings(folder))


def trainings(folder: Path) -> list[Path]:
    """The folders of the trainings in ``folder``, in order of their settings; no model that was moved aside."""
    found = {path.name: path for path in folder.iterdir() if path.is_dir() and is_run(path)}
    aside = {name for name in found if (old := _ASIDE.fullmatch(name)) and old[1] in found}
    return [found[name] for name in sorted(found.keys() - aside, key=_natural)]


def rows(runs: Sequence[Path]) -> list[dict[str, Any]]:
    """A row for each training: its settings, parameters, what validation and the card say, minutes, its folder.

    What is not known is None: what a card would say of a training that has not ended, or what an older card lacks.
    """
    return [{**settings, **_told(run)} for run, settings in zip(runs, _settings(runs), strict=True)]


def label(settings: dict[str, Any]) -> str:
    """The settings of a row in a few letters: ``hidden=48, embedding=8``, without the places they are in."""
    if set(settings) == {"run"}:
        return str(settings["run"])
    return ", ".join(f"{name.rpartition('.')[2]}={value}" for name, value in settings.items())


def curves_of(runs: Sequence[Path]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Label -> what a training has logged, for each that has ended an epoch; see :func:`kantor.verbs._logs.read`."""
    found = {}
    for run, settings in zip(runs, _settings(runs), strict=True):
        figures = _figures(run)
        if figures is not None:
            found[label(settings)] = figures
    return found


def _settings(runs: Sequence[Path]) -> list[dict[str, str]]:
    """Of each, what its folder's name says; its name alone where the names do not all speak of the same settings."""
    read_off = [dict(part.split("=", 1) for part in run.name.split(",") if "=" in part) for run in runs]
    alike = all(found and found.keys() == read_off[0].keys() for found in read_off)
    return read_off if alike else [{"run": run.name} for run in runs]


def _told(run: Path) -> dict[str, Any]:
    card = _card(run)
    history, judged = card.get("training") or {}, (card.get("metrics") or {}).get("whole") or {}
    figures = _figures(run)
    best = None if figures is None else best_epoch(figures)
    return {
        "parameters": card.get("parameters"),
        "valid_nats": None if figures is None or best is None else round(float(figures["valid_nats"][best - 1]), 4),
        "best_epoch": best,
        "epochs": None if figures is None else len(figures["valid_nats"]),
        **{name: judged.get(name) for name in ("nats_per_note", "nats_per_frame", "accuracy")},
        "minutes": history.get("minutes"),
        "model": str(run),
    }


def _figures(run: Path) -> dict[str, NDArray[np.float64]] | None:
    """What the logs say; None where no epoch has ended, or nothing can be read."""
    try:
        return read(run)
    except InputError:
        return None


def _card(run: Path) -> dict[str, Any]:
    """The model's card, without the checks of one that is to be played; nothing where there is none yet."""
    try:
        card = json.loads((run / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def _natural(name: str) -> list[tuple[float, str]]:
    """Numbers by their size: 25, 50, 100."""
    parts = _NUMBER.split(name)
    return [(float(part), "") if odd % 2 else (0.0, part) for odd, part in enumerate(parts)]
