"""``kantor info``, ``presets`` and ``models``: what a model, a file, a folder of trainings or the package holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kantor import bundle as bundles
from kantor import io, registry
from kantor.errors import OptionError
from kantor.io.packing import unpack_score
from kantor.presets import Preset
from kantor.score import Score
from kantor.theory import key_name
from kantor.wording import counted

__all__ = ["describe_score", "info", "models", "presets", "recipe_of"]


def info(target: str | Path) -> dict[str, Any]:
    """Of a model by name or folder its card, of a file of music what a score of it knows, of trainings a row each.

    Raises
    ------
    BundleError, UnknownNameError, FileFormatError, OptionError
        For what is nothing of these, or cannot be read.
    """
    path = Path(target)
    if path.suffix.lower() in io.SUFFIXES and not path.is_dir():
        return {"kind": "score", "file": path.name, **describe_score(io.load(path))}
    if path.is_file():
        known = " ".join(io.SUFFIXES)
        raise OptionError(f"expected a model, or music in a file ending in one of {known}; got '{path.name}'.")
    if path.is_dir() and str(target) not in bundles.shipped():
        from kantor.verbs._sweeps import is_sweep, rows, trainings

        if is_sweep(path):
            return {"kind": "trainings", "folder": str(path), "runs": rows(trainings(path))}
        if not (path / "card.json").exists() and _has_music(path):
            raise OptionError(f"expected a model, got the folder of music '{path}'; try `kantor inspect {path}`.")
    from kantor.verbs._models import opened  # what runs models is heavy, and lists shall be quick

    bundle = opened(target)
    facts = {"kind": "model", "folder": str(bundle.path)}
    return facts | bundle.card | facts  # a card cannot say that it is something else


def _has_music(folder: Path) -> bool:
    return any(path.suffix.lower() in io.READABLE for path in folder.rglob("*"))


def recipe_of(recipe: str) -> Any:
    """What a recipe says, without the music that it packs: in its place, how many notes that has; else the words."""
    try:
        known = json.loads(recipe)
        if "prompt" in known:
            known["prompt"] = counted(len(unpack_score(known["prompt"])), "note")
    except (ValueError, TypeError, KeyError, RecursionError):
        return recipe
    return known


def describe_score(score: Score) -> dict[str, Any]:
    """Key, meter, bars, notes, length: what people ask first."""
    return {
        "title": score.title,
        "key": key_name(score.keys[0]) if score.keys else None,
        "meter": str(score.meters[0]) if score.meters else None,
        "pickup_beats": _pickup(score),
        "bars": score.bar_count,
        "notes": len(score),
        "parts": [part.name for part in score.parts],
        "lowest": int(score.notes["pitch"].min()) if len(score) else None,
        "highest": int(score.notes["pitch"].max()) if len(score) else None,
        "fermatas": len(score.fermatas),
        "seconds": round(score.seconds, 2),
        "recipe": score.recipe or None,
    }


def _pickup(score: Score) -> float:
    denominator = score.meters[0].denominator if score.meters else 4
    return score.anacrusis_ticks / score.ticks_per_quarter * denominator / 4


def presets() -> list[dict[str, Any]]:
    """Every preset: name, seed, representation, network, parameters, and what it is good at."""
    found: list[Preset] = [registry.part("presets", name) for name in registry.names("presets")]
    return [
        {
            "name": preset.name,
            "seed": preset.seed,
            "representation": _spelt(preset.representation),
            "network": preset.network.kind,
            "parameters": _parameters(preset),
            "about": preset.about,
        }
        for preset in found
    ]


def _parameters(preset: Preset) -> int | None:
    """Size of its network; None where its vocabulary has still to be learned."""
    return None if getattr(preset.representation, "vocabulary", None) == () else preset.parameters


def _spelt(representation: Any) -> str:
    spelling = getattr(representation, "spelling", "")
    return f"{representation.name}, {spelling}" if spelling else str(representation.name)


def models() -> list[dict[str, Any]]:
    """Every model in the package: name, preset, parameters, corpus, what its figures count by, metrics."""
    wanted = ("name", "about", "preset", "parameters", "corpus", "unit", "metrics")
    found = [bundles.load(name) for name in bundles.shipped()]
    facts = [{**bundle.card, "unit": bundle.representation.unit} for bundle in found]
    return [{name: known.get(name) for name in wanted} for known in facts]
