"""What a training has logged: figures by epoch, read while it runs or long after.

A run's folder has ``logs/metrics.csv``, to which Lightning's CSVLogger appends; where a training was resumed, what came
before lies beside it as ``metrics-1.csv``, ``metrics-2.csv`` and so on. A part that begins with an epoch voids what
earlier parts say of that epoch and of later ones, as the training did.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kantor.errors import FileFormatError, InputError

__all__ = ["best_epoch", "is_run", "read"]

#: One of these lies in the folder of a training or a model, with logs or without.
SIGNS = ("run.json", "bundle.json")
_PART = re.compile(r"metrics(?:-(\d+))?\.csv")
_RATE = re.compile(r"lr(-.*)?")  # as Lightning's LearningRateMonitor names it: lr-NAdam

#: Epoch, counted from 0 -> name -> value.
Epochs = dict[int, dict[str, float]]


def is_run(folder: Path) -> bool:
    """Whether a training has, or had, its place in ``folder``."""
    return bool(_parts(folder)) or any((folder / sign).exists() for sign in SIGNS)


def read(run: Path) -> dict[str, NDArray[np.float64]]:
    """Name -> (epochs,) of everything logged, the first epoch first, NaN where unknown; the rate is ``learning_rate``.

    Raises
    ------
    InputError
        If there are no logs, or no epoch has ended.
    FileFormatError
        If a file of theirs holds something else.
    """
    parts = _parts(run)
    if not parts:
        raise InputError(
            f"expected a training's figures in {run / 'logs'}, found none; try the folder it was trained in."
        )
    epochs: Epochs = {}
    for part in parts:
        later = _read(part)
        begins = min(later, default=max(epochs, default=-1) + 1)
        epochs = {epoch: figures for epoch, figures in epochs.items() if epoch < begins} | later
    if not any("valid_nats" in figures for figures in epochs.values()):
        raise InputError(f"expected figures of an epoch in {run / 'logs'}, none has ended yet; try again later.")
    names = sorted({name for figures in epochs.values() for name in figures})
    length = max(epochs) + 1
    return {
        name: np.array([epochs.get(epoch, {}).get(name, np.nan) for epoch in range(length)], dtype=np.float64)
        for name in names
    }


def best_epoch(figures: dict[str, NDArray[np.float64]]) -> int | None:
    """The epoch, counted from 1, that was kept: whose ``valid_nats`` are least; None where all diverged.

    Where rules were taught it is the one whose ``valid_loss`` is.
    """
    nats = figures.get("valid_loss", figures["valid_nats"])
    finite = np.where(np.isfinite(nats), nats, np.inf)
    return int(finite.argmin()) + 1 if np.isfinite(nats).any() else None


def _parts(run: Path) -> list[Path]:
    """The files of figures in the order they were written: numbered ones, then the one without a number."""
    found = [(match, path) for path in (run / "logs").glob("metrics*.csv") if (match := _PART.fullmatch(path.name))]
    return [path for _, path in sorted(found, key=lambda pair: (int(pair[0][1] or 2**62), pair[1]))]


def _read(part: Path) -> Epochs:
    """The figures of one file; rows without an epoch, as a learning rate has, belong to the epoch that ends next."""
    try:
        text = part.read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()  # the last one may still be being written
        rows = list(csv.DictReader(lines))
        if rows and "epoch" not in rows[0]:
            raise ValueError(f"got the columns {', '.join(map(str, rows[0]))[:60]}")
        return _by_epoch(rows)
    except (OSError, ValueError, csv.Error) as error:
        raise FileFormatError(f"expected a training's figures by epoch in {part}: {error}.") from error


def _by_epoch(rows: Iterable[dict[str | None, str | None]]) -> Epochs:
    epochs: Epochs = {}
    waiting: dict[str, float] = {}
    for row in rows:
        named = {name: value for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
        epoch = named.pop("epoch", "")
        named.pop("step", None)
        named = {"learning_rate" if _RATE.fullmatch(name) else name: value for name, value in named.items()}
        waiting |= {name: float(value) for name, value in named.items() if value}
        if epoch:
            if not 0 <= int(epoch) < 10**6:
                raise ValueError(f"got the epoch {epoch}")
            epochs.setdefault(int(epoch), {}).update(waiting)
            waiting = {}
    return epochs
