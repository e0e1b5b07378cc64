"""``kantor train PRESET --set NAME=a,b,c``: the same training with each of several values, and a table of what came."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kantor import registry
from kantor.errors import OptionError
from kantor.presets import Preset
from kantor.verbs._sweeps import rows
from kantor.verbs.train import train

__all__ = ["split_settings", "variants"]


def split_settings(preset: str | Preset, settings: Mapping[str, str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The settings that have one value, and those that have several; a list is one value where a list is meant.

    Raises
    ------
    UnknownNameError, OptionError
        For a preset or a setting that does not exist.
    """
    chosen: Preset = registry.part("presets", preset) if isinstance(preset, str) else preset
    single, several = {}, {}
    for name, text in settings.items():
        values = [value.strip() for value in text.split(",") if value.strip()]
        if len(values) > 1 and not isinstance(chosen.setting(name), tuple):
            several[name] = list(dict.fromkeys(values))
        else:
            single[name] = text
    return single, several


def variants(
    preset: str | Preset,
    settings: Mapping[str, str],
    several: Mapping[str, Sequence[str]],
    *,
    out: str | Path | None = None,
    say: Callable[[str], None] = print,
    **options: Any,
) -> list[dict[str, Any]]:
    """Train every combination of the values in ``several``, each in a folder of its own under ``out``.

    ``settings`` hold for all, and so do ``options``, which are those of :func:`kantor.verbs.train.train`. All
    combinations are checked before the first is trained.

    Returns
    -------
    A row for each: its values, parameters, what training and card say of the validation pieces, and minutes. ``kantor
    info`` prints the same rows again from the folder, ``kantor plot`` draws their curves.
    """
    chosen: Preset = registry.part("presets", preset) if isinstance(preset, str) else preset
    if options.get("resume"):
        raise OptionError("expected one training to resume, got several; try --resume with one value for each --set.")
    combinations = [dict(zip(several, values, strict=True)) for values in itertools.product(*several.values())]
    for combination in combinations:
        chosen.override({**settings, **combination})
    root = Path(out) if out else Path("runs") / chosen.name
    made = []
    for combination in combinations:
        label = ",".join(f"{name}={value}" for name, value in combination.items())
        say(f"-- {label}")
        made.append(train(chosen, settings={**settings, **combination}, out=root / label, say=say, **options).path)
    return rows(made)
