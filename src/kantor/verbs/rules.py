"""``kantor rules``: what may be asked of the music."""

from __future__ import annotations

import dataclasses
from typing import Any

from kantor import registry

__all__ = ["rules"]


def rules() -> list[dict[str, Any]]:
    """Every rule: its name, what it forbids, what it needs, where it is taught, its options, and whether it is hard.

    ``option`` is the name of what stands behind "=", None where there is nothing to say; ``default`` its value, ""
    where the plan says it, or the user has to. ``weight`` is in nats for each fault, None for a rule that is hard
    unless a weight is given.
    """
    return [_described(name) for name in registry.names("rules")]


def _described(name: str) -> dict[str, Any]:
    kind = registry.part("rules", name)
    options = dataclasses.fields(kind)
    first = options[0] if options else None
    return {
        "name": name,
        "forbids": kind.about,
        "needs": sorted(kind().needs),
        "source": kind.source,
        "option": first.name if first else None,
        "default": _plain(first.default) if first else None,
        "more": {option.name: _plain(option.default) for option in options[1:]},
        "hard": kind.weight is None,
        "weight": kind.weight,
    }


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return list(value) if isinstance(value, tuple) else value
